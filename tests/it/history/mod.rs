//! Commands that look back and beside: what was built, why, from what, and what is being built now.
//! Each as a person reads it and as a program does, on the real binary.

mod comparing;
mod explaining;
mod origin;
mod pictures;
mod returning;
mod running;
pub mod world;
