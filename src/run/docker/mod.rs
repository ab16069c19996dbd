//! The container engine: finding it, talking to it, and what lies in it.
//!
//! The only place that knows `bollard`, HTTP and TLS. [`endpoint`] says where an engine may be, as
//! the docker CLI does, and [`search`] goes there; [`dial`] opens streams to it, over whatever lies
//! between, [`client`] speaks HTTP on them and [`mod@upgrade`] turns one into BuildKit's. [`engine`]
//! is one that answers, [`service`] the same for callers outside of async. Knows no nodes, keys and
//! plans.

pub mod address;
pub mod build_cache;
pub mod buildkit;
pub mod client;
pub mod container;
pub mod credentials;
pub mod dial;
pub mod endpoint;
pub mod engine;
pub mod error;
pub mod facts;
pub mod helper;
pub mod image;
pub mod image_digest;
pub mod keep;
pub mod owner;
pub mod registry;
pub mod registry_error;
pub mod search;
pub mod service;
pub mod ssh;
pub mod sweep;
pub mod tls;
pub mod transfer;
pub mod upgrade;

pub use address::{Address, SshTarget, Tls};
pub use build_cache::{CacheRecord, Pruned};
pub use container::{ImageArchive, ListedContainer, OWNER_LABEL, PROJECT_LABEL};
pub use credentials::{Auth, CredentialsError, Keyring};
pub use dial::{BoxedStream, Dialer, Stream};
pub use endpoint::{Choice, Endpoint, EndpointError, Origin, Surroundings};
pub use engine::Engine;
pub use error::EngineError;
pub use facts::{ApiVersion, EngineFacts, Kind, StoreKind};
pub use image::{ImageFacts, Listed};
pub use image_digest::{HealthCheck, Platform, RuntimeConfig, image_digest};
pub use keep::{KeepError, keep, load};
pub use owner::{Owner, mark};
pub use registry::Remote;
pub use registry_error::RegistryError;
pub use search::{Found, Tried, TryOutcome};
pub use service::{Service, Session};
pub use sweep::{Swept, is_left_behind, temporary_name};
pub use transfer::{Transfer, Watch};
pub use upgrade::upgrade;

#[cfg(test)]
mod tests;
