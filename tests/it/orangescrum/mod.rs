//! The pipeline at the root of the repository, and what it is made of.

mod cloud;
mod compose;
mod pipeline;
mod scripts;
#[expect(dead_code, reason = "the images are made by hand so far; no test builds upon them yet")]
mod standins;
