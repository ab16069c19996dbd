//! The one integration test binary: it links once.
#![allow(clippy::disallowed_methods, reason = "tests start the real binary and own their environment")]

mod architecture;
mod quickstart;
