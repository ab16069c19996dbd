//! The wish of a run to stop, for work that the engine does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::run::docker::buildkit::CancelToken;
use crate::run::task::Context;

/// How often it is asked for.
const HEARTBEAT: Duration = Duration::from_millis(50);

/// Watches for as long as it lives.
pub struct Stop {
    token: CancelToken,
    done: Arc<AtomicBool>,
    watcher: Option<JoinHandle<()>>,
}

impl Stop {
    pub fn new(context: &Context) -> Self {
        Self::after(None, context)
    }

    /// Also when so much time has gone by.
    pub fn after(limit: Option<Duration>, context: &Context) -> Self {
        let started = Instant::now();
        let (token, done) = (CancelToken::new(), Arc::new(AtomicBool::new(false)));
        let watcher = std::thread::spawn({
            let (token, done, cancel) = (token.clone(), Arc::clone(&done), context.cancel.clone());
            move || {
                while !done.load(Ordering::Relaxed) {
                    if cancel.is_cancelled() || limit.is_some_and(|limit| started.elapsed() >= limit) {
                        token.cancel();
                        return;
                    }
                    std::thread::park_timeout(HEARTBEAT);
                }
            }
        });
        Self { token, done, watcher: Some(watcher) }
    }

    pub fn token(&self) -> &CancelToken {
        &self.token
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(watcher) = self.watcher.take() {
            watcher.thread().unpark();
            let _ = watcher.join();
        }
    }
}
