//! gzip on all cores, as one ordinary member that every reader takes.
//!
//! The input is cut into blocks of a fixed size. Each is deflated on its own, with the 32 KiB
//! before it as its dictionary, so that little is lost at the cuts, and ends on a byte boundary;
//! put together they are one deflate stream, and their checksums combine into its checksum.
//! (Separate members would be simpler, but readers exist that stop after the first.) Blocks, and
//! so the bytes, do not depend on the number of threads.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use flate2::{Compress, Compression, Crc, FlushCompress, Status};

/// Bytes deflated at a time. Larger blocks gain next to nothing, and each is held twice.
const BLOCK: usize = 512 * 1024;
/// How far back deflate can refer.
const WINDOW: usize = 32 * 1024;
/// The last level before each next one costs far more than it gains. Of a 418 MB source tree:
/// level 2 makes 135 MB for 4.0 s of processor time, 3: 130 MB, 4.7 s, 4: 126 MB, 8.0 s,
/// 6: 118 MB, 15.5 s. Whoever wants it smaller takes zstd, which is both.
const LEVEL: u32 = 3;
/// More threads would be faster than the reader that feeds them, and hold more memory.
const MOST_THREADS: usize = 8;
/// Deflate, no name, no time, fastest-or-best unsaid, unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// A block on its way to a thread.
struct Block {
    data: Vec<u8>,
    dictionary: Vec<u8>,
    last: bool,
    reply: SyncSender<io::Result<Deflated>>,
}

struct Deflated {
    bytes: Vec<u8>,
    crc: Crc,
}

/// Compresses what is written to it. Nothing is complete without [`Self::finish`].
pub(super) struct Gzip<W: Write> {
    out: W,
    block: Vec<u8>,
    dictionary: Vec<u8>,
    crc: Crc,
    /// Modulo 2³², as the trailer has it.
    size: u32,
    /// None once there is nothing more to come.
    queue: Option<Sender<Block>>,
    /// In the order of the blocks.
    waiting: VecDeque<Receiver<io::Result<Deflated>>>,
    most_waiting: usize,
    threads: Vec<JoinHandle<()>>,
}

impl<W: Write> Gzip<W> {
    pub fn new(mut out: W, threads: NonZeroUsize) -> io::Result<Self> {
        out.write_all(&HEADER)?;
        let count = threads.get().min(MOST_THREADS);
        let (queue, blocks) = channel::<Block>();
        let blocks = Arc::new(Mutex::new(blocks));
        let mut threads = Vec::with_capacity(count);
        for _ in 0..count {
            let blocks = Arc::clone(&blocks);
            threads
                .push(thread::Builder::new().name("deflate".to_owned()).spawn(move || deflate_all(&blocks))?);
        }
        Ok(Self {
            out,
            block: Vec::with_capacity(BLOCK),
            dictionary: Vec::new(),
            crc: Crc::new(),
            size: 0,
            queue: Some(queue),
            waiting: VecDeque::new(),
            most_waiting: count + 2,
            threads,
        })
    }

    /// Compresses what is left and writes the trailer.
    pub fn finish(mut self) -> io::Result<()> {
        self.send(true)?;
        self.queue = None;
        while let Some(block) = self.waiting.pop_front() {
            self.take(&block)?;
        }
        self.out.write_all(&self.crc.sum().to_le_bytes())?;
        self.out.write_all(&self.size.to_le_bytes())?;
        self.out.flush()
    }

    fn send(&mut self, last: bool) -> io::Result<()> {
        while self.waiting.len() >= self.most_waiting {
            if let Some(block) = self.waiting.pop_front() {
                self.take(&block)?;
            }
        }
        let data = std::mem::replace(&mut self.block, Vec::with_capacity(if last { 0 } else { BLOCK }));
        let window = data[data.len().saturating_sub(WINDOW)..].to_vec();
        let dictionary = std::mem::replace(&mut self.dictionary, window);
        self.size = self.size.wrapping_add(data.len() as u32);
        let (reply, answer) = sync_channel(1);
        let block = Block { data, dictionary, last, reply };
        let sent = self.queue.as_ref().is_some_and(|queue| queue.send(block).is_ok());
        if !sent {
            return Err(gone());
        }
        self.waiting.push_back(answer);
        Ok(())
    }

    fn take(&mut self, answer: &Receiver<io::Result<Deflated>>) -> io::Result<()> {
        let deflated = answer.recv().map_err(|_| gone())??;
        self.crc.combine(&deflated.crc);
        self.out.write_all(&deflated.bytes)
    }
}

impl<W: Write> Write for Gzip<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(BLOCK - self.block.len());
        self.block.extend_from_slice(&bytes[..count]);
        if self.block.len() == BLOCK {
            self.send(false)?;
        }
        Ok(count)
    }

    /// Does nothing: a block that is not full would change the bytes.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write> Drop for Gzip<W> {
    fn drop(&mut self) {
        self.queue = None;
        self.waiting.clear();
        for thread in self.threads.drain(..) {
            // A thread that panicked has already cost its block, and that was reported.
            let _ = thread.join();
        }
    }
}

fn gone() -> io::Error {
    io::Error::other("a compressing thread has stopped")
}

fn deflate_all(blocks: &Mutex<Receiver<Block>>) {
    loop {
        let next = match blocks.lock() {
            Ok(blocks) => blocks.recv(),
            Err(_) => return,
        };
        let Ok(block) = next else { return };
        let deflated = deflate(&block);
        // Nobody waits for it any more: the archive was given up.
        let _ = block.reply.send(deflated);
    }
}

fn deflate(block: &Block) -> io::Result<Deflated> {
    let mut crc = Crc::new();
    crc.update(&block.data);
    // A new one each time, although a reset one would do for correct data: resetting leaves the
    // window as it was, and the last bytes of a dictionary are hashed together with what lies
    // behind them. A block's bytes then depended on which blocks its thread had seen before.
    let mut compress = Compress::new(Compression::new(LEVEL), false);
    if !block.dictionary.is_empty() {
        compress.set_dictionary(&block.dictionary).map_err(io::Error::other)?;
    }
    let flush = if block.last { FlushCompress::Finish } else { FlushCompress::Sync };
    let mut bytes = Vec::with_capacity(block.data.len() / 2 + 1024);
    let mut input = block.data.as_slice();
    loop {
        let before = compress.total_in();
        let status = compress.compress_vec(input, &mut bytes, flush).map_err(io::Error::other)?;
        input = &input[(compress.total_in() - before) as usize..];
        // Room that is left means that everything came out, the flush too.
        let all_out = input.is_empty() && bytes.len() < bytes.capacity();
        if status == Status::StreamEnd || (!block.last && all_out) {
            return Ok(Deflated { bytes, crc });
        }
        bytes.reserve(block.data.len() / 4 + 1024);
    }
}
