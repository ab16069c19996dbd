//! The background tasks of one build, which end with it.
//!
//! Connections and calls spawn tasks; on a runtime that is only driven while somebody waits, a task
//! left behind would keep its socket open and the engine at work. Does not know what the tasks do.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::task::JoinSet;

/// Owns the tasks: they are stopped when it is dropped.
#[derive(Default)]
pub(super) struct Tasks(Arc<Mutex<JoinSet<()>>>);

/// Adds tasks, without keeping any alive.
#[derive(Clone)]
pub(super) struct Spawner(Weak<Mutex<JoinSet<()>>>);

impl Tasks {
    pub(super) fn spawner(&self) -> Spawner {
        Spawner(Arc::downgrade(&self.0))
    }

    /// Stops them all, and returns when they let go of what they held.
    pub(super) async fn end(self) {
        loop {
            let mut running = std::mem::take(&mut *lock(&self.0));
            if running.is_empty() {
                return;
            }
            running.shutdown().await;
        }
    }
}

impl Spawner {
    /// Does nothing once the build is over. Called from within a runtime.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(tasks) = self.0.upgrade() {
            let mut tasks = lock(&tasks);
            while tasks.try_join_next().is_some() {}
            tasks.spawn(task);
        }
    }
}

/// As hyper and tonic spawn.
impl<F: Future + Send + 'static> hyper::rt::Executor<F> for Spawner {
    fn execute(&self, future: F) {
        self.spawn(async {
            future.await;
        });
    }
}

fn lock(tasks: &Mutex<JoinSet<()>>) -> MutexGuard<'_, JoinSet<()>> {
    tasks.lock().unwrap_or_else(PoisonError::into_inner)
}
