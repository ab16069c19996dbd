//! What is on disk: stats, walks, digests, and the index that makes looking twice cheap.
//!
//! Knows files, ignore rules and git; knows neither nodes nor keys nor where the index is kept.

pub mod git;
pub mod hash;
pub mod ignore_rules;
pub mod index;
pub mod input;
pub mod observation;
pub mod observe;
pub mod selection;
pub mod sightings;
pub mod stat;
pub mod verify;
pub mod walk;

pub use index::Index;
pub use observation::Observation;
pub use observe::Observer;
pub use stat::Stat;
