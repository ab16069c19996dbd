//! Doing it: what a run writes, and what it must hold before it is published.
//!
//! Content arrives as digests and as ways to open them; where it is kept, and what led to it, is
//! not known here.

pub mod archive;
pub mod build_manifest;
pub mod dist;
pub mod elf;
pub mod gates;
pub mod retention;
