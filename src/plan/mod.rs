//! What has to be done, and why: one judge over facts that someone else gathered.
//!
//! Pure: no file system, no database, no clock. `run`, `explain`, `--dry-run` and `graph` all
//! read the same verdicts, so they cannot disagree.

pub mod estimate;
pub mod explanation;
pub mod instructions;
pub mod judge;
pub mod ledger;
pub mod mend;
pub mod oracle;
pub mod outlook;
pub mod privacy;
pub mod reason;
pub mod receipt;
pub mod schedule;
pub mod timeline;
pub mod verdict;

pub use estimate::Estimate;
pub use explanation::{Baseline, Explanation, Identical, Layer, Proposed};
pub use reason::{Code, Committed, Instruction, Reason};
pub use verdict::Verdict;
