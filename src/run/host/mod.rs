//! The host executor: runs the programs of a host recipe on this machine, in a private work
//! folder or in place.
//!
//! The data's way: `job` (what to run and where) → `layout` (inputs to a folder's content) →
//! `place` (the private folders on disk) → `namespace` (the same paths for everyone, on Linux) →
//! `process` (start, watch, end a process group) → `output` (bytes to redacted lines).
//! `executor` strings them together.
//!
//! Blocking and free of any runtime: one call, one worker thread. It does not know nodes, keys,
//! the store or leases: the caller resolves inputs, environment and secrets, and collects the
//! outputs afterwards.
//!
//! A namespace is used wherever there is one, also for a recipe that declares single files only:
//! it is what makes paths the same on every machine and the project invisible. A private
//! place and its namespace cost as much as starting three to five programs (2 to 4 ms); folders to
//! show cost more than files. `isolate=#false` costs nothing.
//!
//! It is a fence against undeclared inputs, not against malice: a recipe has its caller's rights,
//! and the rest of the machine (`/usr`, the network) stays visible.

mod cancel;
mod copy;
mod direct;
mod error;
mod executor;
mod job;
mod layout;
#[cfg_attr(not(target_os = "linux"), path = "namespace_absent.rs")]
mod namespace;
mod output;
mod place;
mod process;
mod program;
mod redact;

pub use redact::Redactor;

#[cfg(test)]
mod tests;

pub use cancel::Cancel;
pub use error::{HostError, shown};
pub use executor::run;
pub use job::{Finished, Isolation, Job, Mount, MountSource, Place};
pub use namespace::{Capabilities, Flavor, capabilities};
pub use program::{identify, is_program, program_places, resolve_program};
