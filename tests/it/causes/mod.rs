//! One end-to-end test for each thing that makes a node run again, and for each that must not.
//!
//! Every test drives the real binary in a folder of its own and looks at the events: a node *ran*,
//! was *restored* (published again without running) or was not touched at all.

mod archives;
mod facts;
mod folders;
mod gates;
mod ignoring;
mod inputs;
mod large;
mod lost;
mod moving;
mod options;
mod orders;
mod outputs;
mod params;
pub mod project;
mod publishing;
mod purity;
pub mod reasons;
mod same_bytes;
mod secrets;
mod seeds;
mod tools;
