//! Images as artifacts: built from a Dockerfile, found again, named and put back.
//!
//! What the engine does is [`crate::run::docker`]'s; here it is fitted to nodes: what is sent, under
//! which name an image stays, what a log says.

mod build;
mod context;
mod failure;
mod keeper;
mod others;
mod pace;
mod printer;
mod rewrite;
mod space;
mod stop;
mod sweeper;

#[cfg(test)]
mod tests;

pub use build::{Request, make};
pub use failure::StepFailure;
pub use keeper::{KEEPERS, among, ensure, find, is_elsewhere, is_pushed, keeper_of, keeper_tag, publish};
pub use sweeper::Sweeper;
