//! The service that gives the engine the user's registry credentials, one host at a time.
//!
//! Where they come from is the caller's business. Tokens are fetched by the engine.

use std::fmt;
use std::sync::Arc;

use bollard::moby::filesync::v1::auth_server::Auth;
use bollard::moby::filesync::v1::{
    CredentialsRequest, CredentialsResponse, FetchTokenRequest, FetchTokenResponse, GetTokenAuthorityRequest,
    GetTokenAuthorityResponse, VerifyTokenAuthorityRequest, VerifyTokenAuthorityResponse,
};
use tonic::{Request, Response, Status};

/// What a registry is told. With an identity token, `username` is empty.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub username: String,
    pub secret: String,
}

/// Does not show the secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({}, ***)", self.username)
    }
}

/// Looks up a host as the engine names it; Docker Hub is `registry-1.docker.io`. May block.
pub type Lookup = Arc<dyn Fn(&str) -> Option<Credentials> + Send + Sync>;

pub(super) struct Keys(pub(super) Lookup);

#[tonic::async_trait]
impl Auth for Keys {
    async fn credentials(
        &self,
        request: Request<CredentialsRequest>,
    ) -> Result<Response<CredentialsResponse>, Status> {
        let (lookup, host) = (Arc::clone(&self.0), request.into_inner().host);
        // A credential helper is a program, and takes its time.
        let found = tokio::task::spawn_blocking(move || lookup(&host)).await;
        let found = found.map_err(|_| Status::internal("the credentials' thread ended"))?;
        // Nothing means: without credentials.
        let Credentials { username, secret } =
            found.unwrap_or(Credentials { username: String::new(), secret: String::new() });
        Ok(Response::new(CredentialsResponse { username, secret }))
    }

    async fn fetch_token(
        &self,
        _: Request<FetchTokenRequest>,
    ) -> Result<Response<FetchTokenResponse>, Status> {
        Err(by_the_engine())
    }

    async fn get_token_authority(
        &self,
        _: Request<GetTokenAuthorityRequest>,
    ) -> Result<Response<GetTokenAuthorityResponse>, Status> {
        Err(by_the_engine())
    }

    async fn verify_token_authority(
        &self,
        _: Request<VerifyTokenAuthorityRequest>,
    ) -> Result<Response<VerifyTokenAuthorityResponse>, Status> {
        Err(by_the_engine())
    }
}

/// An engine that hears this asks for the credentials and fetches the token itself.
fn by_the_engine() -> Status {
    Status::unimplemented("tokens are fetched by the engine")
}
