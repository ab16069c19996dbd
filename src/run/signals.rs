//! Requests to stop: Ctrl-C, a polite request to end, and a closed terminal, which recipes that lead
//! groups of their own would not hear of.
//!
//! Once somebody has listened, the kernel's own answer to these signals is gone for the rest of the
//! process: whoever goes on afterwards has to listen, too.

use std::io;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Hears them from [`Self::listen`] on, also while nobody waits.
pub struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
    /// None where it is ignored, as under `nohup`, and is to stay so.
    hangup: Option<Signal>,
}

impl StopSignals {
    pub fn listen() -> io::Result<Self> {
        let hangup = if ignores_hangup() { None } else { Some(signal(SignalKind::hangup())?) };
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup,
        })
    }

    /// Resolves when asked to stop: whether it was by something else than Ctrl-C.
    pub async fn asked(&mut self) -> bool {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => false,
            _ = self.terminate.recv() => true,
            _ = hangup => true,
        }
    }
}

/// Whether whoever started this process had it ignore SIGHUP. Where that cannot be told: no.
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // Bit 0 is signal 1, which is SIGHUP.
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

/// Pauses of a program without a runtime of its own, which a request to stop ends.
pub struct Pauses {
    runtime: Runtime,
    signals: StopSignals,
}

impl Pauses {
    pub fn new() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let signals = runtime.block_on(async { StopSignals::listen() })?;
        Ok(Self { runtime, signals })
    }

    /// Waits; tells of a request to stop that came meanwhile or since the last pause, as
    /// [`StopSignals::asked`] does.
    pub fn pause(&mut self, length: Duration) -> Option<bool> {
        self.runtime.block_on(async { tokio::time::timeout(length, self.signals.asked()).await.ok() })
    }
}
