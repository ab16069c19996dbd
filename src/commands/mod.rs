//! The command line: what can be asked for, and with which code osgraph ends.
//!
//! [`args`] is the shape of the command line and nothing else; [`exit`] the codes.

pub mod args;
pub mod exit;
