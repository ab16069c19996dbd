//! What a job prints: bytes to redacted lines, to the log and to a listener alike.
//!
//! Does not know processes; it is fed whatever was read, in any portions.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::error::HostError;
use super::redact::Redactor;

/// A line longer than this is given in pieces.
const LONGEST_LINE: usize = 64 * 1024;

/// Takes a job's output as it comes.
pub(super) struct Output<'a> {
    redactor: Redactor,
    /// Redacted bytes on their way; empty between calls.
    clear: Vec<u8>,
    line: Line,
    log: Log<'a>,
    on_line: &'a mut dyn FnMut(&str),
}

impl<'a> Output<'a> {
    pub fn new(redact: &[String], log: &'a Path, on_line: &'a mut dyn FnMut(&str)) -> Self {
        Self {
            redactor: Redactor::new(redact),
            clear: Vec::new(),
            line: Line::default(),
            log: Log { path: log, file: None, written: 0 },
            on_line,
        }
    }

    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), HostError> {
        if self.redactor.is_idle() {
            self.split(bytes)?;
        } else {
            let mut clear = std::mem::take(&mut self.clear);
            self.redactor.feed(bytes, &mut clear);
            self.split(&clear)?;
            clear.clear();
            self.clear = clear;
        }
        // The log can be followed while the job runs.
        self.log.flush()
    }

    /// One program's output has ended: gives what is held back and the line without an end.
    pub fn finish(&mut self) -> Result<(), HostError> {
        let mut clear = Vec::new();
        self.redactor.finish(&mut clear);
        self.split(&clear)?;
        if !self.line.bytes.is_empty() {
            self.give()?;
        }
        self.line = Line::default();
        self.log.flush()
    }

    /// Bytes in the log so far.
    pub fn printed(&self) -> u64 {
        self.log.written
    }

    fn split(&mut self, bytes: &[u8]) -> Result<(), HostError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let end = rest.iter().position(|&byte| byte == b'\n' || byte == b'\r').unwrap_or(rest.len());
            self.text(&rest[..end])?;
            match rest.get(end) {
                Some(b'\n') => self.give()?,
                Some(_) => self.line.returned = true,
                None => {}
            }
            rest = rest.get(end + 1..).unwrap_or_default();
        }
        Ok(())
    }

    fn text(&mut self, mut text: &[u8]) -> Result<(), HostError> {
        if !text.is_empty() && self.line.returned {
            // What follows a carriage return replaces the line, as on a terminal.
            self.line = Line::default();
        }
        while self.line.bytes.len() + text.len() > LONGEST_LINE {
            let mut cut = LONGEST_LINE - self.line.bytes.len();
            // Not inside a UTF-8 sequence, which has at most 3 bytes after its first.
            for _ in 0..3 {
                if cut > 0 && text[cut] & 0xC0 == 0x80 {
                    cut -= 1;
                }
            }
            self.line.bytes.extend_from_slice(&text[..cut]);
            text = &text[cut..];
            self.give()?;
        }
        self.line.bytes.extend_from_slice(text);
        Ok(())
    }

    fn give(&mut self) -> Result<(), HostError> {
        self.log.line(&self.line.bytes)?;
        (self.on_line)(&String::from_utf8_lossy(&self.line.bytes));
        self.line.bytes.clear();
        self.line.returned = false;
        Ok(())
    }
}

#[derive(Default)]
struct Line {
    bytes: Vec<u8>,
    /// A carriage return came, and nothing since.
    returned: bool,
}

/// The log file, made by the first line: most commands print nothing.
struct Log<'a> {
    path: &'a Path,
    file: Option<BufWriter<File>>,
    written: u64,
}

impl Log<'_> {
    fn line(&mut self, line: &[u8]) -> Result<(), HostError> {
        let result = self.write(line);
        self.named(result)
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(BufWriter::new(File::create(self.path)?)),
        };
        file.write_all(line)?;
        file.write_all(b"\n")?;
        self.written += line.len() as u64 + 1;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), HostError> {
        let result = self.file.as_mut().map_or(Ok(()), BufWriter::flush);
        self.named(result)
    }

    fn named(&self, result: io::Result<()>) -> Result<(), HostError> {
        result.map_err(|source| HostError::Log { path: self.path.to_path_buf(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines and the log's content after `chunks`.
    fn lines(redact: &[&str], chunks: &[&[u8]]) -> (Vec<String>, Option<Vec<u8>>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let redact: Vec<String> = redact.iter().map(|&text| text.to_owned()).collect();
        let mut lines = Vec::new();
        let mut listen = |line: &str| lines.push(line.to_owned());
        let mut output = Output::new(&redact, &path, &mut listen);
        for chunk in chunks {
            output.feed(chunk).unwrap();
        }
        output.finish().unwrap();
        let printed = output.printed();
        let log = std::fs::read(&path).ok();
        assert_eq!(printed, log.as_ref().map_or(0, |log| log.len() as u64));
        (lines, log)
    }

    #[test]
    fn silence_makes_no_log() {
        assert_eq!(lines(&[], &[b""]), (vec![], None));
    }

    #[test]
    fn lines_are_given_whole_and_the_last_without_its_end() {
        let (lines, log) = lines(&[], &[b"on", b"e\n\ntw", b"o"]);
        assert_eq!(lines, ["one", "", "two"]);
        assert_eq!(log.unwrap(), b"one\n\ntwo\n");
    }

    #[test]
    fn progress_is_collapsed_to_its_last_state() {
        let (lines, log) = lines(&[], &[b"10%\r20%\r", b"100%\r\ndone\r\n", b"\rx\r"]);
        assert_eq!(lines, ["100%", "done", "x"]);
        assert_eq!(log.unwrap(), b"100%\ndone\nx\n");
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_shown_and_logged_as_they_are() {
        let (lines, log) = lines(&[], &[b"a\xff\xfeb\n"]);
        assert_eq!(lines, ["a\u{fffd}\u{fffd}b"]);
        assert_eq!(log.unwrap(), b"a\xff\xfeb\n");
    }

    #[test]
    fn a_long_line_is_split_between_characters() {
        let long = "é".repeat(LONGEST_LINE);
        let (lines, _) = lines(&[], &[b"x", long.as_bytes()]);
        assert!(lines.iter().all(|line| line.len() <= LONGEST_LINE && !line.contains('\u{fffd}')));
        assert_eq!(lines.concat(), format!("x{long}"));
    }

    #[test]
    fn a_secret_in_a_split_line_is_replaced() {
        let mut text = vec![b'x'; LONGEST_LINE - 3];
        text.extend_from_slice(b"hunter2\n");
        let (lines, log) = lines(&["hunter2"], &[&text[..LONGEST_LINE - 1], &text[LONGEST_LINE - 1..]]);
        assert!(lines.concat().ends_with("x***"));
        assert!(!String::from_utf8(log.unwrap()).unwrap().contains("hunter2"));
    }
}
