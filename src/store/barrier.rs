//! Flushing to disk, beside the work.
//!
//! A killed process needs none: the kernel keeps what it wrote. A machine that loses power does:
//! until a barrier has passed, contents carry the start of the machine under which they were
//! written, and another start hashes them before it uses them.

use std::fs::File;

use crate::store::db::Db;
use crate::store::error::StoreError;
use crate::store::open::Store;

impl Store {
    /// Flushes the store's file system and then trusts everything recorded before. Slow when
    /// much is unwritten.
    pub fn barrier(&self) -> Result<(), StoreError> {
        self.flush()?;
        let root = File::open(self.root()).map_err(|e| self.layout.error("open", self.root(), e))?;
        run(&self.db, &root, &self.boot)
            .and_then(|flushed| flushed.map_err(|e| self.layout.error("flush", self.root(), e)))
    }

    /// Starts a barrier in a thread of its own when something is unflushed. Nobody waits for it:
    /// a process that ends earlier only leaves the work to the next one.
    pub fn start_barrier(&self) -> Result<(), StoreError> {
        if self.read_only {
            return Ok(());
        }
        let unflushed = self.db.unflushed(&self.boot)?;
        if !unflushed && !self.db.has_long_log() {
            return Ok(());
        }
        let (layout, boot) = (self.layout.clone(), self.boot.clone());
        std::thread::spawn(move || {
            // A connection of its own, so that no statement of the run waits for the disk. A
            // failure leaves the contents marked, which is safe.
            if let (Ok(db), Ok(root)) =
                (Db::open(layout.root(), &layout.database(), false), File::open(layout.root()))
            {
                if unflushed {
                    let _ = run(&db, &root, &boot);
                }
                let _ = db.checkpoint();
            }
        });
        Ok(())
    }
}

fn run(db: &Db, root: &File, boot: &str) -> Result<std::io::Result<()>, StoreError> {
    let barrier = db.begin_barrier(boot)?;
    if let Err(error) = sync(root) {
        return Ok(Err(error));
    }
    db.end_barrier(barrier).map(Ok)
}

#[cfg(target_os = "linux")]
fn sync(root: &File) -> std::io::Result<()> {
    Ok(rustix::fs::syncfs(root)?)
}

#[cfg(not(target_os = "linux"))]
fn sync(_: &File) -> std::io::Result<()> {
    // The only call that covers files which this process no longer has open.
    rustix::fs::sync();
    Ok(())
}
