//! One end-to-end test for each thing that makes an image be built again, for each that must not,
//! and for what happens when a build fails or is stopped.
//!
//! Every test drives the real binary and the real engine, with images of its own that go with it.

mod failures;
mod ignoring;
mod images;
mod moving;
mod oracle;
mod orders;
mod others;
mod random;
pub mod reasons;
mod rebuilds;
mod secrets;
mod shop;
pub mod stopping;
mod taking_out;
mod timing;
