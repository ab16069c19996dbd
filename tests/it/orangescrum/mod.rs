//! The pipeline at the root of the repository, and what it is made of.

mod cloud;
mod compose;
mod pipeline;
mod scripts;
#[expect(dead_code, reason = "the build upon them is too new to be part of every run")]
mod standins;
