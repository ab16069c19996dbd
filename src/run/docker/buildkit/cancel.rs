//! A request to stop a build, for whoever waits in async code.
//!
//! Does not know what is stopped.

use tokio::sync::watch;

/// Cheap to clone; once cancelled, for ever.
#[derive(Clone, Debug)]
pub struct CancelToken(watch::Sender<bool>);

impl CancelToken {
    pub fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Callable from any thread, any number of times.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }

    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once it is cancelled.
    pub async fn cancelled(&self) {
        // It cannot close while `self` lives, so an error cannot come before the value.
        let _ = self.0.subscribe().wait_for(|cancelled| *cancelled).await;
    }
}

impl Default for CancelToken {
    fn default() -> Self {
        Self::new()
    }
}
