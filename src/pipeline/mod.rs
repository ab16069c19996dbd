//! The pipeline: the typed content of one `pipeline.kdl`.
//!
//! The data's way: KDL text → [`syntax`] (places, no meaning) → [`params`] and [`template`]
//! (every `${name}` replaced) → [`decode`] (typed nodes) → [`check`] (what one node cannot see).
//! Each stage reports all mistakes it finds, as [`diagnostic::Diagnostic`]s with spans.
//! Nothing here touches the file system or knows how a node is run.

pub mod check;
pub mod decode;
pub mod diagnostic;
pub mod draft;
pub mod edit;
mod lexer;
pub mod lock;
pub mod model;
pub mod params;
mod reader;
mod scan;
mod scope;
mod span;
pub mod suggest;
pub mod syntax;
pub mod template;

#[cfg(test)]
pub(crate) mod tests;

pub use diagnostic::{Diagnostic, Diagnostics, SourceFile};
pub use lock::Lock;
pub use model::*;
pub use params::Overrides;
pub use syntax::Document;
