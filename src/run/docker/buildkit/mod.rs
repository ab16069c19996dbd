//! Builds with the engine's BuildKit, over its gRPC protocols.
//!
//! A build is two conversations (`transport`): in one we ask the engine to solve and it reports
//! (`solve`, `progress`); in the other it asks us (`serve`) for the context (`filesync`,
//! `send`), secrets, ssh agents and credentials, and sends what it made (`receive`). Everything
//! streams: neither a context nor an output passes through memory as a whole.
//!
//! Knows nothing of nodes, the store or the image model: contexts, secrets and sinks come from the
//! caller, as do the runtime and the wish to stop.

mod agent;
mod auth;
mod build;

mod cancel;
mod context;
mod error;
mod faults;
mod filesync;
mod health;
mod layer_cache;
mod progress;
mod receive;
mod request;
mod secrets;
mod select;
mod send;
mod serve;
mod solve;
mod ssh;
mod tasks;
mod transport;
mod tunnel;

#[cfg(test)]
mod tests;

pub use auth::{Credentials, Lookup};
pub use build::{Build, Built, Output, Place, StepTime};
pub use cancel::CancelToken;
pub use context::{Context, ContextEntry, EntryKind, Moved};
pub use error::BuildError;
pub use progress::{Progress, place};
pub use secrets::SecretValue;
pub use solve::build;
