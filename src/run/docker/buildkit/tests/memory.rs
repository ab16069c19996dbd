//! Large contexts and outputs pass through, and do not pile up.

use std::env;

use super::*;

/// No other file of these tests has this size.
const SIZE: u64 = 150_000_017;
/// Kibibytes for everything: program, runtime, buffers. About 30,000 are used.
const MOST: u64 = 50_000;
const INSIDE: &str = "OSGRAPH_TEST_MEASURED";

/// Bytes that differ everywhere, made while they are read.
struct Made(u64);

impl Read for Made {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = (buffer.len() as u64).min(self.0) as usize;
        for (at, chunk) in buffer[..count].chunks_mut(8).enumerate() {
            let word = (self.0 + at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        self.0 -= count as u64;
        Ok(count)
    }
}

struct Large([ContextEntry; 1]);

impl Context for Large {
    fn entries(&self) -> &[ContextEntry] {
        &self.0
    }

    fn open(&self, _: usize) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Made(SIZE)))
    }
}

struct Counted(Arc<Mutex<u64>>);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        *self.0.lock().unwrap() += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// In a process of its own, as the peak of a process is that of all its tests.
#[test]
fn a_large_context_and_output_do_not_pile_up() {
    if env::var_os(INSIDE).is_some() {
        return measured();
    }
    let (_, module) = module_path!().split_once("::").unwrap();
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "--nocapture", &format!("{module}::a_large_context_and_output_do_not_pile_up")])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let peak = said.lines().find_map(|line| line.split_once("VmHWM:")).map(|(_, peak)| peak);
    let peak = peak.unwrap_or_else(|| panic!("{said}")).trim().trim_end_matches(" kB");
    assert!(peak.parse::<u64>().unwrap() < MOST, "{peak} kB");
}

fn measured() {
    let _freed = Freed(SIZE);
    let kind = EntryKind::File { size: SIZE, executable: false, content: Digest::of(b"made") };
    let context = Arc::new(Large([ContextEntry { path: "large".to_owned(), kind }]));
    let mut build = Build::new(context, "FROM scratch\nCOPY large /\n", name());
    let count = Arc::new(Mutex::new(0));
    build.output = Output::Tar(Box::new(Counted(Arc::clone(&count))));
    built(build);
    assert!(*count.lock().unwrap() > SIZE);
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    eprintln!("{}", status.lines().find(|line| line.starts_with("VmHWM:")).unwrap());
}
