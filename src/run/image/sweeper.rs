//! Takes away what processes that died left behind in the engine, once in a run and beside its work.
//!
//! A run that needs no engine never gets here, so that doing nothing costs nothing.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;

use crate::event::Event;
use crate::run::docker::error::chain;
use crate::run::docker::{EngineError, PROJECT_LABEL, Session, is_left_behind};
use crate::run::image::keeper::keeper_of;
use crate::run::task::Context;
use crate::store::{Store, StoreError};

/// Sweeps when first asked to, on a thread of its own.
#[derive(Default)]
pub struct Sweeper(OnceLock<Mutex<Option<JoinHandle<()>>>>);

impl Sweeper {
    /// Begins, unless that was done before. Whoever asks need not wait: nothing that is swept is of
    /// any process that lives.
    pub fn begin(&self, context: &Context) {
        self.0.get_or_init(|| Mutex::new(start(context)));
    }

    /// Waits for the end of what was begun.
    pub fn finish(&self) {
        let Some(begun) = self.0.get() else { return };
        let thread = begun.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Its panic was shown already, and is none of this run's work.
        let _ = thread.map(JoinHandle::join);
    }
}

fn start(context: &Context) -> Option<JoinHandle<()>> {
    let session = context.engine.session().ok()?;
    let (store, sink) = (Arc::clone(&context.store), Arc::clone(&context.sink));
    let mark = context.engine_mark.clone();
    Some(std::thread::spawn(move || {
        let (message, help) = match sweep(&session, &store, &mark) {
            Ok(gone) if gone == Gone::default() => return,
            Ok(Gone { containers, names }) => {
                let (containers, names) =
                    (counted(containers, "container"), counted(names, "temporary name"));
                let left = "removed what a run that was killed left in the engine";
                (format!("{left}: {containers}, {names}"), None)
            }
            Err(error) => {
                let message = format!("could not clear up in the engine: {}", chain(&error));
                (message, Some("a later run tries again".to_owned()))
            }
        };
        sink.emit(Event::Warned { node: None, message, help });
    }))
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

#[derive(Debug, thiserror::Error)]
enum SweepError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How much was removed.
#[derive(Default, PartialEq, Eq)]
struct Gone {
    containers: usize,
    names: usize,
}

fn sweep(session: &Session, store: &Store, mark: &str) -> Result<Gone, SweepError> {
    let engine = session.engine();
    let swept = session.wait(engine.sweep(mark))?;
    let mut gone = Gone { containers: swept.containers.len(), names: swept.tags.len() };
    // Images that nobody else names. Those of other projects are for their own runs to judge.
    let ours =
        swept.orphans.iter().filter(|orphan| orphan.labels.get(PROJECT_LABEL).is_some_and(|l| l == mark));
    let ours: Vec<&str> = ours.map(|orphan| orphan.id.as_str()).collect();
    if ours.is_empty() {
        return Ok(gone);
    }
    let known = store.images()?;
    for facts in session.wait(engine.inspect_all(&ours))?.into_iter().flatten() {
        let digest = facts.digest();
        if known.contains(&digest) {
            // Somebody took its other names away; a record stands on it.
            session.wait(engine.tag(&facts.id, &keeper_of(&digest)))?;
        }
        for name in facts.tags.iter().filter(|name| is_left_behind(name)) {
            gone.names += usize::from(session.wait(engine.untag(name))?);
        }
    }
    Ok(gone)
}
