//! The engine for callers that are plain functions: found and connected when first wanted.

use std::collections::HashSet;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Runtime;

use crate::digest::Digest;
use crate::run::docker::endpoint::{Choice, EndpointError};
use crate::run::docker::engine::Engine;
use crate::run::docker::error::EngineError;
use crate::run::docker::search::{self, Tried};

type Choose = Box<dyn Fn() -> Result<Choice, EndpointError> + Send + Sync>;

/// An engine that may never be needed. To be shared between threads; not to be used on a thread
/// that drives a tokio runtime itself.
pub struct Service {
    choose: Choose,
    connected: Mutex<Option<Connected>>,
    /// Images that could not be had from where they were believed to be.
    refused: Mutex<HashSet<Digest>>,
}

#[derive(Clone)]
struct Connected {
    runtime: Arc<Home>,
    engine: Arc<Engine>,
    tried: Arc<[Tried]>,
}

/// Where connections live. May be dropped anywhere, also where a tokio runtime itself may not.
struct Home(Option<Runtime>);

impl Home {
    fn wait<F: Future>(&self, work: F) -> F::Output {
        self.0.as_ref().expect("it is taken by `drop` alone").block_on(work)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// A connected engine and the runtime that its connections live in.
#[derive(Clone)]
pub struct Session {
    runtime: Arc<Home>,
    engine: Arc<Engine>,
}

impl Service {
    /// Does nothing yet; `choose` says where to look, when the time has come.
    pub fn new(choose: impl Fn() -> Result<Choice, EndpointError> + Send + Sync + 'static) -> Self {
        Self { choose: Box::new(choose), connected: Mutex::new(None), refused: Mutex::default() }
    }

    /// The engine. A failure is not remembered: it may have been started meanwhile.
    ///
    /// # Errors
    /// When there is none.
    pub fn session(&self) -> Result<Session, EngineError> {
        self.connected().map(|Connected { runtime, engine, tried: _ }| Session { runtime, engine })
    }

    /// The engine, and the places that were tried before it, it being the last.
    ///
    /// # Errors
    /// When there is none.
    pub fn search(&self) -> Result<(Session, Arc<[Tried]>), EngineError> {
        self.connected().map(|Connected { runtime, engine, tried }| (Session { runtime, engine }, tried))
    }

    /// Notes that an image cannot be fetched, so that it is not believed in once more.
    pub fn refuse(&self, image: Digest) {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).insert(image);
    }

    pub fn is_refused(&self, image: &Digest) -> bool {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).contains(image)
    }

    fn connected(&self) -> Result<Connected, EngineError> {
        // Held while it connects: of several nodes that want it at once, one asks.
        let mut connected = self.connected.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connected) = &*connected {
            return Ok(connected.clone());
        }
        let choice = (self.choose)()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| EngineError::failed("start a runtime", error))?;
        let runtime = Home(Some(runtime));
        let found = runtime.wait(search::find(choice))?;
        let fresh = Connected {
            runtime: Arc::new(runtime),
            engine: Arc::new(found.engine),
            tried: found.tried.into(),
        };
        *connected = Some(fresh.clone());
        Ok(fresh)
    }
}

impl Session {
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Does something with the engine and waits for it: `session.wait(session.engine().facts())`.
    pub fn wait<F: Future>(&self, work: F) -> F::Output {
        self.runtime.wait(work)
    }
}
