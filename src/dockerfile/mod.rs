//! What a Dockerfile reads: the facts that decide what counts as input of a docker build.
//!
//! Text in, facts out. Knows BuildKit's grammar and its rules for variables, stages, context paths
//! and `.dockerignore`; knows no file system, no engine and no pipeline. Where BuildKit's versions
//! differ, or where only an image's own configuration could tell, the answer is the one that counts
//! more: a build too many, never one too few.
//!
//! What it cannot see: `ONBUILD` triggers of an external base image, which may copy anything. Whoever
//! knows the image's configuration looks for them.
//!
//! The lines are read here and not by a library, because whether a line belongs to the one before
//! decides what is copied: BuildKit's rules for an escaped backslash at the end of a line, for
//! quotes in flags and for here-documents in the middle of a `RUN` have to be met exactly.

mod analyse;
mod analysis;
mod arguments;
mod environment;
mod expand;
mod heredoc;
mod idle;
mod ignore;
mod instruction;
mod lines;
mod mistake;
mod mount;
mod names;
mod pairs;
mod paths;
mod platform;
mod reach;
mod sources;
mod stages;
mod trim;
mod wildcard;

#[cfg(test)]
mod tests;

pub use analyse::{Question, analyse, is_proxy};
pub use analysis::{
    Analysis, Base, BaseUse, Dynamic, Read, ReadKind, Remote, SecretUse, SshUse, Step, Syntax, Trigger,
};
pub use arguments::{Declared, Default, arguments};
pub use idle::idle_reads;
pub use ignore::{Above, BadPattern, Ignore};
pub use mistake::{Fault, Mistake};
pub use platform::normal as normal_platform;
pub use reach::{Reach, reaches, through_links};
