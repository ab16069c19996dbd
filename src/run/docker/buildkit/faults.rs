//! What went wrong on this side while serving the engine.
//!
//! The engine only sees a call that failed; the cause in full stays here for the message.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tonic::Status;

use crate::run::docker::buildkit::error::BuildError;

/// Shared by all services of one build.
#[derive(Clone, Default)]
pub(super) struct Faults(Arc<Mutex<Noted>>);

#[derive(Default)]
struct Noted {
    first: Option<BuildError>,
    /// What was asked for and is not there, by its id: most of it can be done without.
    lacking: Vec<(String, BuildError)>,
}

impl Faults {
    /// Keeps the first; yields what the engine is told.
    pub(super) fn note(&self, error: BuildError) -> Status {
        let status = Status::internal(error.to_string());
        self.noted().first.get_or_insert(error);
        status
    }

    /// Keeps what will be the error if the build fails for want of `id`.
    pub(super) fn lack(&self, id: &str, error: BuildError) -> Status {
        let status = Status::not_found(error.to_string());
        self.noted().lacking.push((id.to_owned(), error));
        status
    }

    /// The cause of the engine's error, if it lies on this side.
    pub(super) fn behind(&self, message: &str) -> Option<BuildError> {
        const SIGNS: [&str; 2] = ["not found", "not there"];
        let mut noted = self.noted();
        let lacking =
            |(id, _): &(String, _)| message.contains(id) && SIGNS.iter().any(|sign| message.contains(sign));
        match noted.first.take() {
            Some(first) => Some(first),
            None => noted.lacking.iter().position(lacking).map(|at| noted.lacking.swap_remove(at).1),
        }
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
