//! Application trees of every shape through the real binary: what comes out is, member by member,
//! what `git archive` gives or what lies in the folder.

mod commands;
mod equal;
mod git;
mod members;
mod odd;
mod project;
mod refused;
mod scenarios;
