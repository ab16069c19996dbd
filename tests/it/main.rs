//! The one integration test binary: it links once.
#![allow(clippy::disallowed_methods, reason = "tests start the real binary and own their environment")]
#![allow(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]

mod architecture;
mod quickstart;
