//! Serves the engine during a build: context, secrets, agents, credentials, output.
//!
//! Which services there are, and how they are announced. Each lives in a module of its own.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};

use bollard::health::health_server::HealthServer;
use bollard::moby::buildkit::secrets::v1::secrets_server::SecretsServer;
use bollard::moby::filesync::packet::file_sync_server::FileSyncServer;
use bollard::moby::filesync::v1::auth_server::AuthServer;
use bollard::moby::filesync::v1::file_send_server::FileSendServer;
use bollard::moby::sshforward::v1::ssh_server::SshServer;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tonic::service::Routes;

use crate::digest::Digest;
use crate::run::docker::buildkit::auth::Keys;
use crate::run::docker::buildkit::filesync::Folders;
use crate::run::docker::buildkit::health::Well;
use crate::run::docker::buildkit::receive::Sink;
use crate::run::docker::buildkit::secrets::Vault;
use crate::run::docker::buildkit::ssh::Agents;
use crate::run::docker::buildkit::tasks::Spawner;
use crate::run::docker::buildkit::transport::WINDOW;
use crate::run::docker::dial::BoxedStream;

/// What a build offers to the engine.
pub(super) struct Services {
    pub(super) folders: Folders,
    pub(super) vault: Vault,
    pub(super) agents: Agents,
    pub(super) keys: Keys,
    pub(super) sink: Option<Sink>,
}

impl Services {
    /// The headers by which the engine knows this connection and what it may call on it.
    /// `context_id` is where the engine looks for what it was sent before.
    pub(super) fn headers(&self, id: &str, context_id: &str) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("X-Docker-Expose-Session-Uuid", id.to_owned()),
            ("X-Docker-Expose-Session-Name", "osgraph".to_owned()),
            // Any text makes a header this way.
            ("X-Docker-Expose-Session-Sharedkey", Digest::of(context_id.as_bytes()).hex()),
        ];
        let send = self.sink.iter().map(|_| "moby.filesync.v1.FileSend/DiffCopy");
        let methods = [
            "grpc.health.v1.Health/Check",
            "moby.filesync.v1.FileSync/DiffCopy",
            "moby.filesync.v1.Auth/Credentials",
            "moby.buildkit.secrets.v1.Secrets/GetSecret",
            "moby.sshforward.v1.SSH/CheckAgent",
            "moby.sshforward.v1.SSH/ForwardAgent",
        ];
        let method = |method| ("X-Docker-Expose-Session-Grpc-Method", format!("/{method}"));
        headers.extend(methods.into_iter().chain(send).map(method));
        headers
    }

    /// Until the engine or the build's end closes the stream.
    pub(super) async fn serve(self, stream: BoxedStream, spawner: Spawner) {
        let Self { folders, vault, agents, keys, sink } = self;
        let mut routes = Routes::new(HealthServer::new(Well))
            .add_service(FileSyncServer::new(folders))
            .add_service(SecretsServer::new(vault))
            .add_service(SshServer::new(agents))
            .add_service(AuthServer::new(keys));
        if let Some(sink) = sink {
            routes = routes.add_service(FileSendServer::new(sink));
        }
        // How it ends does not matter: what the engine missed by it, the solve says.
        let _ = hyper::server::conn::http2::Builder::new(spawner)
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(2 * WINDOW)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes))
            .await;
    }
}

/// The folders' names are those of the Dockerfile frontend.
pub(super) fn folders<T>(context: T, dockerfile: T) -> BTreeMap<&'static str, T> {
    BTreeMap::from([("context", context), ("dockerfile", dockerfile)])
}

/// A name that no other build has: engines refuse one that they have seen.
pub(super) fn unique_id() -> String {
    // Each state is seeded by the operating system.
    let word = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", word(), word())
}
