//! The service that lets a build sign with the user's ssh agent.
//!
//! Carries bytes between a step and the agent's socket; what may pass, [`super::agent`] says.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bollard::moby::sshforward::v1::ssh_server::Ssh;
use bollard::moby::sshforward::v1::{BytesMessage, CheckAgentRequest, CheckAgentResponse};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use crate::run::docker::buildkit::agent::{Gate, Passage, REFUSAL};
use crate::run::docker::buildkit::error::BuildError;
use crate::run::docker::buildkit::faults::Faults;
use crate::run::docker::buildkit::tasks::Spawner;

type Outgoing = mpsc::Sender<Result<BytesMessage, Status>>;

/// The agents' sockets, by id.
pub(super) struct Agents {
    pub(super) sockets: BTreeMap<String, PathBuf>,
    pub(super) faults: Faults,
    pub(super) spawner: Spawner,
}

impl Agents {
    fn socket(&self, id: &str) -> Result<&PathBuf, Status> {
        let id = if id.is_empty() { "default" } else { id };
        let missing = || self.faults.lack(id, BuildError::SshMissing { id: id.to_owned() });
        self.sockets.get(id).ok_or_else(missing)
    }
}

#[tonic::async_trait]
impl Ssh for Agents {
    type ForwardAgentStream = ReceiverStream<Result<BytesMessage, Status>>;

    async fn check_agent(
        &self,
        request: Request<CheckAgentRequest>,
    ) -> Result<Response<CheckAgentResponse>, Status> {
        self.socket(&request.into_inner().id).map(|_| Response::new(CheckAgentResponse {}))
    }

    async fn forward_agent(
        &self,
        request: Request<Streaming<BytesMessage>>,
    ) -> Result<Response<Self::ForwardAgentStream>, Status> {
        let id = request.metadata().get("buildkit.ssh.id").and_then(|id| id.to_str().ok()).unwrap_or("");
        let socket = self.socket(id)?;
        let agent = UnixStream::connect(socket)
            .await
            .map_err(|source| self.faults.note(BuildError::Agent { socket: socket.clone(), source }))?;
        let (outgoing, answers) = mpsc::channel(4);
        self.spawner.spawn(carry(request.into_inner(), agent, outgoing));
        Ok(Response::new(ReceiverStream::new(answers)))
    }
}

/// Until either side ends the conversation. Its failures are the step's business.
async fn carry(mut incoming: Streaming<BytesMessage>, agent: UnixStream, outgoing: Outgoing) {
    let (mut answers, mut requests) = agent.into_split();
    let answering = async {
        let mut buffer = vec![0; 16 << 10];
        while let Ok(count @ 1..) = answers.read(&mut buffer).await {
            if outgoing.send(Ok(BytesMessage { data: buffer[..count].to_vec() })).await.is_err() {
                return;
            }
        }
    };
    let asking = async {
        let mut gate = Gate::default();
        while let Ok(Some(BytesMessage { data })) = incoming.message().await {
            gate.push(&data);
            while let Some(passage) = gate.next() {
                let passed = match passage {
                    Passage::Pass(request) => requests.write_all(&request).await.is_ok(),
                    Passage::Refuse => {
                        outgoing.send(Ok(BytesMessage { data: REFUSAL.to_vec() })).await.is_ok()
                    }
                    Passage::Hang => false,
                };
                if !passed {
                    return;
                }
            }
        }
        // The step asks no more, but may still wait for an answer.
        let _ = requests.shutdown().await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = answering => {}
        () = asking => {}
    }
}
