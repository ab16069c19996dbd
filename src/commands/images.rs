//! The engine's images, for a survey that may not need an engine at all.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::digest::Digest;
use crate::key::Manifest;
use crate::pipeline::{Lock, NodeName};
use crate::run::docker::{EngineError, ImageFacts, Service};
use crate::store::Store;
use crate::survey::dockerfiles::Images;

/// Asks the engine when first wanted.
pub struct EngineImages<'a> {
    pub service: &'a Service,
    pub store: &'a Store,
    pub project_id: &'a str,
    pub lock: &'a Lock,
    platform: RefCell<Option<String>>,
    seen: RefCell<HashMap<String, Option<ImageFacts>>>,
}

impl<'a> EngineImages<'a> {
    pub fn new(service: &'a Service, store: &'a Store, project_id: &'a str, lock: &'a Lock) -> Self {
        Self { service, store, project_id, lock, platform: RefCell::default(), seen: RefCell::default() }
    }
}

/// On a thread of its own: the caller may be in the loop of a runtime, where nothing may be waited
/// for.
fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| match scope.spawn(work).join() {
        Ok(done) => done,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

/// What the engine has, in the order of the references.
pub fn look(service: &Service, references: &[&str]) -> Result<Vec<Option<ImageFacts>>, EngineError> {
    apart(|| {
        let session = service.session()?;
        session.wait(session.engine().inspect_all(references))
    })
}

impl Images for EngineImages<'_> {
    fn look(&self, references: &[&str]) -> Result<Vec<Option<ImageFacts>>, EngineError> {
        let mut open: Vec<&str> = Vec::new();
        for reference in references {
            if !self.seen.borrow().contains_key(*reference) && !open.contains(reference) {
                open.push(reference);
            }
        }
        if !open.is_empty() {
            let found = look(self.service, &open)?;
            let mut seen = self.seen.borrow_mut();
            seen.extend(open.into_iter().map(str::to_owned).zip(found));
        }
        let seen = self.seen.borrow();
        Ok(references.iter().map(|reference| seen.get(*reference).cloned().flatten()).collect())
    }

    fn platform(&self) -> Result<String, EngineError> {
        if let Some(known) = &*self.platform.borrow() {
            return Ok(known.clone());
        }
        let found = apart(|| {
            let session = self.service.session()?;
            let facts = session.wait(session.engine().facts())?;
            Ok::<_, EngineError>(format!("{}/{}", facts.os, facts.arch))
        })?;
        *self.platform.borrow_mut() = Some(found.clone());
        Ok(found)
    }

    fn locked(&self, reference: &str, platform: &str) -> Option<String> {
        self.lock.digest_of(reference, platform).map(str::to_owned)
    }

    fn is_refused(&self, image: &Digest) -> bool {
        self.service.is_refused(image)
    }

    fn latest(&self, node: &NodeName) -> Option<Manifest> {
        self.store.latest_record(self.project_id, node).ok().flatten().map(|record| record.manifest)
    }
}
