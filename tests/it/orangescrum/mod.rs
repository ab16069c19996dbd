//! The pipeline at the root of the repository, and what it is made of.

mod build;
mod scripts;
mod standins;
