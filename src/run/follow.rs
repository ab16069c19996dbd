//! Follows the log of another run that makes the same, for as long as this one waits for it.

use std::fs::File;
use std::io::Read;

use crate::event::Event;
use crate::key::Key;
use crate::pipeline::NodeName;
use crate::run::task::Context;

/// Bytes taken at once; the rest comes at the next look.
const CHUNK: usize = 64 << 10;

/// What has been read of the other's log so far.
pub struct Follower<'a> {
    node: &'a NodeName,
    key: &'a Key,
    context: &'a Context,
    log: Option<File>,
    /// A line whose end has not come yet.
    rest: Vec<u8>,
}

impl<'a> Follower<'a> {
    pub fn new(node: &'a NodeName, key: &'a Key, context: &'a Context) -> Self {
        Self { node, key, context, log: None, rest: Vec::new() }
    }

    /// Passes on what came since the last look. An open log is read to its end even when the other
    /// has unlinked it.
    pub fn look(&mut self) {
        if self.log.is_none() {
            let other = self.context.store.announced(self.key);
            self.log = other.and_then(|other| File::open(other.log).ok());
        }
        let mut bytes = vec![0; CHUNK];
        while let Some(read) = self.log.as_mut().and_then(|log| log.read(&mut bytes).ok()) {
            if read == 0 {
                return;
            }
            self.rest.extend_from_slice(&bytes[..read]);
            while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                self.say(&line[..end]);
            }
        }
    }

    /// The last line, which may have no end.
    pub fn finish(mut self) {
        self.look();
        let rest = std::mem::take(&mut self.rest);
        if !rest.is_empty() {
            self.say(&rest);
        }
    }

    fn say(&self, line: &[u8]) {
        let line = String::from_utf8_lossy(line).into_owned();
        self.context.say(Event::NodePrinted { node: self.node.clone(), line });
    }
}
