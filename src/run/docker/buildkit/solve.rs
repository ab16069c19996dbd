//! Carries a build through: opens the conversations, serves the engine, asks it to solve, follows.
//!
//! Everything that it starts ends with it, also when it is cancelled or dropped.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bollard::moby::buildkit::v1::control_client::ControlClient;
use bollard::moby::buildkit::v1::{SolveRequest, SolveResponse, StatusRequest};
use tonic::Status;
use tonic::transport::Channel;

use crate::run::docker::buildkit::auth::Keys;
use crate::run::docker::buildkit::build::{Build, Built, Output};
use crate::run::docker::buildkit::cancel::CancelToken;
use crate::run::docker::buildkit::context::{Context, OneFile, check};
use crate::run::docker::buildkit::error::{BuildError, of_call};
use crate::run::docker::buildkit::faults::Faults;
use crate::run::docker::buildkit::filesync::Folders;
use crate::run::docker::buildkit::progress::{Progress, Tracker};
use crate::run::docker::buildkit::receive::Sink;
use crate::run::docker::buildkit::request::{DOCKERFILE, request};
use crate::run::docker::buildkit::secrets::Vault;
use crate::run::docker::buildkit::serve::{Services, folders, unique_id};
use crate::run::docker::buildkit::ssh::Agents;
use crate::run::docker::buildkit::tasks::{Spawner, Tasks};
use crate::run::docker::buildkit::transport::{self, Conversations};
use crate::run::docker::dial::Dialer;
use crate::run::docker::facts::ApiVersion;

/// For how long the last reports may come in after the answer.
const AFTERWARDS: Duration = Duration::from_secs(5);

/// Builds. Needs a tokio runtime with time and I/O; `on` is called on the caller's task and shall
/// not block.
///
/// # Errors
/// When it fails; [`BuildError::is_retryable`] tells whether trying again may help. When cancelled,
/// the engine is at work for a moment longer, until it has noticed.
pub async fn build(
    dialer: &Dialer,
    api: ApiVersion,
    build: Build,
    on: &(dyn Fn(Progress) + Send + Sync),
    cancel: CancelToken,
) -> Result<Built, BuildError> {
    let tasks = Tasks::default();
    let outcome = tokio::select! {
        biased;
        () = cancel.cancelled() => Err(BuildError::Cancelled),
        outcome = carry_out(dialer, api, build, on, tasks.spawner()) => outcome,
    };
    tasks.end().await;
    outcome
}

async fn carry_out(
    dialer: &Dialer,
    api: ApiVersion,
    build: Build,
    on: &(dyn Fn(Progress) + Send + Sync),
    spawner: Spawner,
) -> Result<Built, BuildError> {
    check(build.context.entries())?;
    let session = unique_id();
    let request = request(&build, &unique_id(), &session)?;
    let Build { context, dockerfile, context_id, secrets, ssh, output, credentials, .. } = build;
    let faults = Faults::default();
    let vault = Vault::new(secrets, faults.clone())?;
    let agents =
        Agents { sockets: ssh.into_iter().collect(), faults: faults.clone(), spawner: spawner.clone() };
    let dockerfile: Arc<dyn Context> = Arc::new(OneFile::new(DOCKERFILE, dockerfile));
    let services = Services {
        folders: Folders {
            folders: folders(context, dockerfile),
            faults: faults.clone(),
            spawner: spawner.clone(),
        },
        vault,
        agents,
        keys: Keys(credentials),
        sink: match output {
            Output::Tar(sink) => Some(Sink::new(sink, faults.clone())),
            Output::Image { .. } | Output::Nothing => None,
        },
    };
    let headers = services.headers(&session, &context_id);
    let Conversations { control, served } = transport::open(dialer, api, &headers, &spawner).await?;
    spawner.spawn(services.serve(served, spawner.clone()));

    let mut tracker = Tracker::default();
    match solve(control, request, &mut tracker, on).await {
        Ok(answer) => Ok(Built {
            image_id: answer.exporter_response.get("containerimage.digest").cloned(),
            steps: tracker.into_steps(),
        }),
        Err(status) => {
            let failure = tracker.failure();
            let message = failure.as_ref().map_or(status.message(), |failure| &failure.message);
            Err(faults.behind(message).unwrap_or_else(|| of_call(&status, failure)))
        }
    }
}

/// Asks for the build, and passes on what the engine tells of it meanwhile and shortly after.
async fn solve(
    control: ControlClient<Channel>,
    request: SolveRequest,
    tracker: &mut Tracker,
    on: &(dyn Fn(Progress) + Send + Sync),
) -> Result<SolveResponse, Status> {
    let id = request.r#ref.clone();
    let mut asking = control.clone();
    let mut solving = pin!(asking.solve(request));
    let mut following = pin!(follow(control, id, tracker, on));
    let mut told = false;
    let answer = loop {
        tokio::select! {
            answer = &mut solving => break answer,
            () = &mut following, if !told => told = true,
        }
    };
    if !told {
        // Reports lag behind the answer, and an error's last words are among them.
        let _ = tokio::time::timeout(AFTERWARDS, following).await;
    }
    answer.map(tonic::Response::into_inner)
}

/// Until the engine has told all. Its failures are the solve's to report.
async fn follow(
    mut control: ControlClient<Channel>,
    id: String,
    tracker: &mut Tracker,
    on: &(dyn Fn(Progress) + Send + Sync),
) {
    let Ok(reports) = control.status(StatusRequest { r#ref: id }).await else { return };
    let mut reports = reports.into_inner();
    while let Ok(Some(report)) = reports.message().await {
        tracker.absorb(report, on);
    }
}
