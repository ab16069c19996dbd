//! Sends a context the way BuildKit's receiver wants it.
//!
//! First a description of every entry, in order, then an empty one; meanwhile the receiver asks for
//! the files whose description is new to it, by their place in that list, and gets their bytes in
//! pieces, an empty piece last. It says when it has all. Does not know which entries were chosen.
//!
//! **Times.** The receiver keeps what it got last time and compares size, mode and time alone. With
//! one constant time, a file edited without a change of size would be taken for the old one. So the
//! nanoseconds tell contents apart. Layers keep whole seconds only, so images come out the same.

use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError, mpsc as sync};

use bollard::fsutil::types::packet::PacketType;
use bollard::fsutil::types::{Packet, Stat};
use tokio::sync::mpsc;
use tonic::{Status, Streaming};

use crate::digest::Digest;
use crate::run::archive::MTIME;
use crate::run::docker::buildkit::context::{Context, ContextEntry, EntryKind, Moved};
use crate::run::docker::buildkit::error::BuildError;
use crate::run::docker::buildkit::faults::Faults;
use crate::run::docker::buildkit::tasks::Spawner;

/// Bytes of a file in one packet.
const PIECE: usize = 128 << 10;
/// Packets that wait for the stream. With [`PIECE`], the most memory a transfer takes.
const WAITING: usize = 32;
/// Files that are read side by side.
const LANES: usize = 4;

/// As Go's `os.FileMode` has them.
const FOLDER: u32 = 1 << 31;
const LINK: u32 = 1 << 27;

type Outgoing = mpsc::Sender<Result<Packet, Status>>;

/// Starts to send the `chosen` entries; yields the packets to go out.
pub(super) fn send(
    context: Arc<dyn Context>,
    chosen: Vec<usize>,
    incoming: Streaming<Packet>,
    faults: Faults,
    spawner: &Spawner,
) -> mpsc::Receiver<Result<Packet, Status>> {
    let (outgoing, packets) = mpsc::channel(WAITING);
    let chosen: Arc<[usize]> = chosen.into();
    spawner.spawn(async move {
        let described = describe(&*context, &chosen, &outgoing);
        let reader = Reader {
            context: Arc::clone(&context),
            chosen: Arc::clone(&chosen),
            faults,
            outgoing: outgoing.clone(),
        };
        tokio::join!(described, answer(incoming, reader));
    });
    packets
}

async fn describe(context: &dyn Context, chosen: &[usize], outgoing: &Outgoing) {
    for at in chosen {
        let stat = Some(stat(&context.entries()[*at]));
        if outgoing.send(Ok(Packet { stat, ..packet(PacketType::PacketStat) })).await.is_err() {
            return;
        }
    }
    // Nobody is left to hear of it when this fails: the engine has gone.
    let _ = outgoing.send(Ok(packet(PacketType::PacketStat))).await;
}

/// Takes the receiver's requests until it has enough.
async fn answer(mut incoming: Streaming<Packet>, reader: Reader) {
    let (jobs, queue) = sync::channel::<u32>();
    let queue = Arc::new(Mutex::new(queue));
    let mut lanes = 0;
    // An end without a word means that the engine has gone, and the solve says why.
    while let Ok(Some(packet)) = incoming.message().await {
        match packet.r#type() {
            PacketType::PacketReq => {
                if lanes < LANES {
                    lanes += 1;
                    let (reader, queue) = (reader.clone(), Arc::clone(&queue));
                    tokio::task::spawn_blocking(move || reader.work(&queue));
                }
                // The lanes live as long as this end of their queue.
                let _ = jobs.send(packet.id);
            }
            PacketType::PacketFin => {
                let _ = reader.outgoing.send(Ok(self::packet(PacketType::PacketFin))).await;
                return;
            }
            PacketType::PacketErr => return,
            PacketType::PacketStat | PacketType::PacketData => {}
        }
    }
}

/// Reads files, on a thread of its own.
#[derive(Clone)]
struct Reader {
    context: Arc<dyn Context>,
    chosen: Arc<[usize]>,
    faults: Faults,
    outgoing: Outgoing,
}

impl Reader {
    fn work(self, queue: &Mutex<sync::Receiver<u32>>) {
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).recv().ok();
        while let Some(id) = next() {
            match self.send_file(id) {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    let _ = self.outgoing.blocking_send(Err(self.faults.note(error)));
                    return;
                }
            }
        }
    }

    /// Whether anybody still listens.
    fn send_file(&self, id: u32) -> Result<bool, BuildError> {
        let asked = self.chosen.get(id as usize).map(|at| (*at, &self.context.entries()[*at]));
        let Some((at, ContextEntry { path, kind: EntryKind::File { size, .. } })) = asked else {
            return Err(BuildError::Entry {
                path: format!("#{id}"),
                problem: "is no file, but was asked for",
            });
        };
        let moved = || BuildError::Moved { path: path.clone() };
        let unread = |source: std::io::Error| match source.get_ref().is_some_and(|error| error.is::<Moved>())
        {
            true => moved(),
            false => BuildError::Read { path: path.clone(), source },
        };
        let mut file = self.context.open(at).map_err(unread)?;
        let mut left = *size;
        loop {
            // One byte more than is expected tells whether the file has grown.
            let room = left.saturating_add(1).min(PIECE as u64) as usize;
            let mut data = Vec::with_capacity(room);
            file.by_ref().take(room as u64).read_to_end(&mut data).map_err(unread)?;
            let got = data.len() as u64;
            if got > left || (got == 0 && left > 0) {
                return Err(moved());
            }
            left -= got;
            let last = data.is_empty();
            let piece = Packet { id, data, ..packet(PacketType::PacketData) };
            if self.outgoing.blocking_send(Ok(piece)).is_err() {
                return Ok(false);
            }
            if last {
                return Ok(true);
            }
        }
    }
}

fn packet(kind: PacketType) -> Packet {
    Packet { r#type: kind.into(), stat: None, id: 0, data: Vec::new() }
}

fn stat(entry: &ContextEntry) -> Stat {
    let ContextEntry { path, kind } = entry;
    let (mode, size, linkname, nanos) = match kind {
        EntryKind::File { size, executable, content } => {
            (if *executable { 0o755 } else { 0o644 }, *size as i64, String::new(), fingerprint(content))
        }
        EntryKind::Directory => (FOLDER | 0o755, 0, String::new(), 0),
        EntryKind::Symlink { target } => (LINK | 0o777, target.len() as i64, target.clone(), 0),
    };
    let mod_time = MTIME as i64 * 1_000_000_000 + nanos;
    Stat { path: path.clone(), mode, size, mod_time, linkname, ..Stat::default() }
}

/// Less than half a second, so that nobody who rounds arrives at another second.
fn fingerprint(content: &Digest) -> i64 {
    let [a, b, c, d, e, f, g, h, ..] = *content.as_bytes();
    (u64::from_le_bytes([a, b, c, d, e, f, g, h]) % 499_999_999) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &[u8]) -> ContextEntry {
        let kind =
            EntryKind::File { size: content.len() as u64, executable: true, content: Digest::of(content) };
        ContextEntry { path: "a/b".to_owned(), kind }
    }

    #[test]
    fn contents_of_one_size_have_times_of_their_own_in_one_second() {
        let (one, other) = (stat(&file(b"1")), stat(&file(b"2")));
        assert_eq!(one.size, other.size);
        assert_ne!(one.mod_time, other.mod_time);
        assert_eq!(one.mod_time / 500_000_000, other.mod_time / 500_000_000);
        assert_eq!(one, stat(&file(b"1")));
    }

    #[test]
    fn kinds_are_told_as_go_tells_them() {
        let of = |kind| stat(&ContextEntry { path: "x".to_owned(), kind });
        assert_eq!(stat(&file(b"1")).mode, 0o755);
        assert_eq!(of(EntryKind::Directory).mode, 0x8000_01ed);
        let link = of(EntryKind::Symlink { target: "../y".to_owned() });
        assert_eq!((link.mode, link.size, link.linkname.as_str()), (0x0800_01ff, 4, "../y"));
    }
}
