//! Doing it: what turns stale nodes into artifacts and puts them where people want them.
//!
//! [`dispatch`] owns the run: one loop that asks the pure [`board`] what may happen and hands it
//! to [`worker`]s. Knows nothing of how it is shown; what happens is told through [`crate::event`].

pub mod archive;
pub mod assemble;
pub mod board;
pub mod build_manifest;
pub mod collect;
pub mod dispatch;
pub mod dist;
pub mod docker;
pub mod elf;
pub mod extract;
mod failed;
mod follow;
pub mod gates;
pub mod host;
pub mod image;
pub mod moves;
pub mod publish;
pub mod pulse;
pub mod recipe;
pub mod retention;
mod retire;
mod secrets;
pub mod signals;
pub mod source;
pub mod standing;
pub mod task;
pub mod verify;
pub mod wanted;
pub mod worker;
