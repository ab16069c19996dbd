//! The survey: gathers every fact that the judge asks for, once, from inputs and store.

pub mod compose;
pub mod snapshot;
pub mod gather;
