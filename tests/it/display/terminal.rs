//! A pseudo terminal of a given size, and the screen that a person would see on it.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::termios::{Winsize, tcsetwinsize};

/// A program on a terminal of its own.
pub struct Terminal {
    child: Child,
    master: OwnedFd,
    written: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

fn size(columns: u16, rows: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

impl Terminal {
    pub fn start(command: &mut Command, columns: u16, rows: u16) -> Self {
        let (mut master, mut slave) = (0, 0);
        let null = std::ptr::null_mut();
        // SAFETY: both numbers are written to, and null means that nothing more is asked for.
        let made = unsafe { libc::openpty(&mut master, &mut slave, null, null.cast(), null.cast()) };
        assert_eq!(made, 0, "a pseudo terminal");
        // SAFETY: they were opened just now and belong to nobody else.
        let (master, slave) = unsafe { (OwnedFd::from_raw_fd(master), OwnedFd::from_raw_fd(slave)) };
        tcsetwinsize(&master, size(columns, rows)).unwrap();
        command.stdin(Stdio::null()).stdout(slave.try_clone().unwrap()).stderr(slave);
        let child = command.spawn().unwrap();
        // It holds the terminal's other end open, and there would be no end to be read.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let written: Arc<Mutex<Vec<u8>>> = Arc::default();
        let (mut source, sink) = (File::from(master.try_clone().unwrap()), written.clone());
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // The end is an error here: nobody has the other side open any more.
            while let Ok(count @ 1..) = source.read(&mut buffer) {
                sink.lock().unwrap().extend_from_slice(&buffer[..count]);
            }
        });
        Self { child, master, written, reader: Some(reader) }
    }

    pub fn resize(&self, columns: u16, rows: u16) {
        tcsetwinsize(self.master.as_fd(), size(columns, rows)).unwrap();
    }

    /// All that was written so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.written.lock().unwrap()).into_owned()
    }

    /// Waits, for as long as a busy machine may need, until what is written meets `wanted`.
    #[track_caller]
    pub fn until(&self, wanted: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(120);
        while !wanted(&self.text()) {
            assert!(Instant::now() < deadline, "it does not come: {:?}", self.text());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits for the end; what was written in all.
    pub fn end(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
        (status, self.text())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Only where a test failed is it still there.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A screen that obeys what osgraph writes, and refuses all else.
pub struct Screen {
    columns: usize,
    lines: Vec<Vec<char>>,
    row: usize,
    column: usize,
    /// Every line that ever stood there, as it was when the cursor left it.
    pub seen: Vec<String>,
}

impl Screen {
    /// What a terminal of so many columns shows in the end.
    pub fn of(text: &str, columns: usize) -> Self {
        let mut screen = Self { columns, lines: vec![Vec::new()], row: 0, column: 0, seen: Vec::new() };
        screen.feed(text);
        screen
    }

    fn feed(&mut self, text: &str) {
        let mut chars = text.chars();
        while let Some(char) = chars.next() {
            match char {
                '\r' => self.column = 0,
                '\n' => self.next_line(),
                '\x1b' => {
                    assert_eq!(chars.next(), Some('['), "{text:?}");
                    let sequence: String = chars.by_ref().take_while_inclusive(|c| !c.is_ascii_alphabetic());
                    let (number, kind) = sequence.split_at(sequence.len() - 1);
                    match kind {
                        "A" => self.row -= number.parse::<usize>().unwrap().min(self.row),
                        "J" => {
                            self.lines.truncate(self.row + 1);
                            self.lines[self.row].truncate(self.column);
                        }
                        "m" => {}
                        other => panic!("`{number}{other}` is not known: {text:?}"),
                    }
                }
                char => {
                    if self.column == self.columns {
                        self.column = 0;
                        self.next_line();
                    }
                    let line = &mut self.lines[self.row];
                    line.resize(line.len().max(self.column + 1), ' ');
                    line[self.column] = char;
                    self.column += 1;
                }
            }
        }
    }

    fn next_line(&mut self) {
        self.seen.push(self.lines[self.row].iter().collect());
        self.row += 1;
        if self.lines.len() == self.row {
            self.lines.push(Vec::new());
        }
    }

    pub fn shown(&self) -> String {
        let lines: Vec<String> = self.lines.iter().map(|line| line.iter().collect()).collect();
        lines.join("\n").trim_end().to_owned()
    }
}

trait TakeWhileInclusive: Iterator<Item = char> {
    fn take_while_inclusive(self, goes_on: impl Fn(&char) -> bool) -> String;
}

impl<I: Iterator<Item = char>> TakeWhileInclusive for I {
    fn take_while_inclusive(mut self, goes_on: impl Fn(&char) -> bool) -> String {
        let mut out = String::new();
        for char in self.by_ref() {
            out.push(char);
            if !goes_on(&char) {
                break;
            }
        }
        out
    }
}
