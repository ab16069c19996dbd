//! Doing it: what turns stale nodes into artifacts and puts them where people want them.
//!
//! Knows nothing of how it is shown; what happens is told through [`crate::event`].

pub mod archive;
pub mod board;
pub mod build_manifest;
pub mod dist;
pub mod elf;
pub mod gates;
pub mod host;
pub mod retention;
