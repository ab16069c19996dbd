//! The pipeline: the typed content of one `pipeline.kdl`.
//!
//! The data's way: KDL text → [`syntax`] (spans, no meaning) → [`params`] and [`template`]
//! (every `${name}` replaced) → [`decode`] (typed nodes) → [`check`] (what one node cannot see).
//! Each stage reports all mistakes it finds, as [`diagnostic::Diagnostic`]s with spans.
//! Nothing here touches the file system or knows how a node is run.

pub mod diagnostic;
pub mod model;

pub use diagnostic::{Diagnostic, Diagnostics, SourceFile};
pub use model::*;
