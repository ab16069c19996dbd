//! The pipeline at the root of the repository, and what it is made of.

mod build;
mod cloud;
mod compose;
mod pipeline;
mod scripts;
mod standins;
