//! The command line: what can be asked for, what is done about it, and the code osgraph ends with.
//!
//! [`args`] is the shape of the command line; [`ground`] resolves where a command stands;
//! [`prepare`] takes a pipeline from text to judged nodes. Each command is a file of its own.

pub mod args;
pub mod care;
pub mod check;
pub mod clean;
pub mod complete;
pub mod diff;
pub mod doctor;
pub mod exit;
pub mod explain;
pub mod fault;
pub mod gc;
pub mod graph;
pub mod ground;
pub mod history;
pub mod images;
pub mod init;
pub mod load;
pub mod lock;
pub mod man;
mod needs;
pub mod outdated;
pub mod prepare;
pub mod receipt;
pub mod registries;
pub mod report;
pub mod run;
pub mod schema;
pub mod screen;
pub mod start;
mod uncommitted;
pub mod upstreams;
pub mod verify;
pub mod watch;
pub mod whence;
