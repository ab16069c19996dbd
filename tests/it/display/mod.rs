//! What a person or a CI machine sees of a run: the real binary on a real (pseudo) terminal, and with the
//! variables that CI machines set.

mod ci;
mod live;
mod terminal;
