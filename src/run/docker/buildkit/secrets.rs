//! The service that gives a build its secrets, from memory.
//!
//! They go nowhere else: not into a file, a header, an argument or a message.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bollard::moby::buildkit::secrets::v1::secrets_server::Secrets;
use bollard::moby::buildkit::secrets::v1::{GetSecretRequest, GetSecretResponse};
use tonic::{Request, Response, Status};

use crate::run::docker::buildkit::error::BuildError;
use crate::run::docker::buildkit::faults::Faults;

/// As the docker CLI has it.
const LARGEST: usize = 500 << 10;

/// A secret's bytes, which no debug output shows.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretValue(Arc<[u8]>);

impl SecretValue {
    pub fn new(value: impl Into<Vec<u8>>) -> Self {
        Self(value.into().into())
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue(***)")
    }
}

/// The secrets of one build, by id.
pub(super) struct Vault {
    secrets: BTreeMap<String, SecretValue>,
    faults: Faults,
}

impl Vault {
    /// # Errors
    /// When one is larger than BuildKit takes.
    pub(super) fn new(secrets: Vec<(String, SecretValue)>, faults: Faults) -> Result<Self, BuildError> {
        match secrets.iter().find(|(_, value)| value.bytes().len() > LARGEST) {
            Some((id, value)) => {
                Err(BuildError::SecretTooLarge { id: id.clone(), size: value.bytes().len(), most: LARGEST })
            }
            None => Ok(Self { secrets: secrets.into_iter().collect(), faults }),
        }
    }
}

#[tonic::async_trait]
impl Secrets for Vault {
    async fn get_secret(
        &self,
        request: Request<GetSecretRequest>,
    ) -> Result<Response<GetSecretResponse>, Status> {
        let id = request.into_inner().id;
        match self.secrets.get(&id) {
            Some(value) => Ok(Response::new(GetSecretResponse { data: value.bytes().to_vec() })),
            // A mount that is not required does without.
            None => Err(self.faults.lack(&id, BuildError::SecretMissing { id: id.clone() })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_never_shown() {
        assert_eq!(format!("{:?}", SecretValue::new("token")), "SecretValue(***)");
    }

    #[test]
    fn a_secret_too_large_is_named() {
        let error =
            Vault::new(vec![("id".to_owned(), SecretValue::new(vec![0; LARGEST + 1]))], Faults::default())
                .err()
                .unwrap();
        assert_eq!(error.to_string(), "secret `id` has 512001 bytes, and BuildKit takes 512000 at most");
    }
}
