//! The images of others that a node is built on: that they are those by which its key was made.
//!
//! They are looked at when a run begins, and the engine looks again when it builds, which may be much
//! later: by then a tag may mean another image. What is locked or made by a node cannot move.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::inputs::input::{DockerfileInput, UNRESOLVED};
use crate::key::{Facet, Value};
use crate::reference::Reference;
use crate::run::docker::{EngineError, RegistryError, Session};
use crate::run::image::keeper::moving;
use crate::run::task::{Context, Task, TaskError};

/// What counted of an image.
struct Other<'a> {
    /// None for what the registry has.
    what: Option<Digest>,
    platform: &'a str,
}

/// By reference.
pub struct Others<'a>(BTreeMap<&'a str, Other<'a>>);

impl<'a> Others<'a> {
    pub fn of(task: &'a Task, file: &'a DockerfileInput) -> Self {
        let counted = |reference: &str| match task.composed.own.get(Facet::Environment, &from(reference))? {
            Value::Image(digest) => Some(Some(*digest)),
            Value::Text(text) if text == UNRESOLVED => Some(None),
            // A digest that it was locked to once.
            _ => None,
        };
        let open = file.analysis.bases.iter().filter_map(|base| {
            let is_locked = file.locked.iter().any(|(locked, _)| *locked == base.reference);
            let what = counted(&base.reference).filter(|_| !is_locked)?;
            let platform = base.platform.as_deref().unwrap_or(&file.platform);
            Some((base.reference.as_str(), Other { what, platform }))
        });
        Self(open.collect())
    }

    /// Pulls those that were cleared away since: they count as what they were, and the engine's
    /// builder would not tell what a registry gave it instead. Where that fails, the build says why.
    pub fn fetch(&self, task: &Task, session: &Session, context: &Context) -> Result<(), TaskError> {
        let node = &task.node.name;
        for (name, other) in self.0.iter().filter(|(_, other)| other.what.is_some()) {
            if session.wait(session.engine().inspect(name))?.is_some() {
                continue;
            }
            let Ok(reference) = Reference::parse(name) else { continue };
            let auth = (context.keyring)()?.of(reference.registry());
            let pulled = moving(&format!("pulling {reference}"), node, context, |watch| {
                session.wait(session.engine().pull(&reference, Some(other.platform), &auth, watch))
            });
            if let Err(RegistryError::Cancelled { .. }) = pulled {
                return Err(TaskError::Cancelled);
            }
        }
        Ok(())
    }

    /// Whether they are still what counted.
    pub fn stood(&self, session: &Session) -> Result<bool, EngineError> {
        let names: Vec<&str> = self.0.keys().copied().collect();
        let found = session.wait(session.engine().inspect_all(&names))?;
        let now = found.into_iter().map(|facts| facts.map(|facts| facts.digest()));
        Ok(self.0.values().zip(now).all(|(other, now)| other.what == now))
    }
}

/// How a manifest calls what an image is.
fn from(reference: &str) -> String {
    format!("from {reference}")
}
