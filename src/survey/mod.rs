//! The survey: gathers every fact that the judge asks for, once, from inputs and store.

pub mod facts;
pub mod gather;
pub mod snapshot;
