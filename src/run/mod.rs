//! Doing it: what turns stale nodes into artifacts.
//!
//! Knows nothing of how it is shown; what happens is told through [`crate::event`].

pub mod host;
