//! What this machine can do at best: the floor under every build tool's figures.
//!
//! `limits stat DIR…`             stat of every known file and folder below DIRs, two threads
//! `limits hash DIR`              read and BLAKE3 of every file below DIR, two threads
//! `limits hash-files FILE…`      BLAKE3 of large files, one after another, two threads each
//! `limits copies DIR FILE…`      a kernel copy of each FILE to a new name in DIR, two threads
//! `limits replace DIR FILE…`     the same where each copy takes the place of an older one
//! `limits spawn-copies IN OUT`   one `cp` process for every file below IN, two in flight
//!
//! Each prints the median and the least of several rounds in milliseconds, and the units of one.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a program of its own, for the benchmarks"
)]
#![allow(clippy::print_stdout, reason = "its output is its result")]

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

const THREADS: usize = 2;
const BUFFER: usize = 1 << 20;

fn main() {
    // `cargo test --benches` and `cargo bench` add arguments of their own.
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let paths: Vec<PathBuf> = args.iter().skip(1).map(PathBuf::from).collect();
    match (args.first().map(String::as_str), paths.as_slice()) {
        (Some("stat"), dirs @ [_, ..]) => {
            let known: Vec<PathBuf> = dirs.iter().flat_map(|dir| below(dir, true)).collect();
            report(15, known.len(), || (), || each(&known, |path| stat(path)));
        }
        (Some("hash"), [dir]) => {
            let files = below(dir, false);
            report(7, files.len(), || (), || each(&files, |file| hash(file)));
        }
        (Some("hash-files"), files @ [_, ..]) => {
            report(5, files.len(), || (), || files.iter().for_each(|file| hash_in_two(file)));
        }
        (Some("copies"), [dir, files @ ..]) => {
            let jobs = targets(dir, files);
            let wipe = || jobs.iter().for_each(|(_, to)| remove(to));
            report(5, jobs.len(), wipe, || each(&jobs, |(from, to)| copy(from, to)));
            wipe();
        }
        (Some("replace"), [dir, files @ ..]) => {
            let jobs = targets(dir, files);
            let wipe = || jobs.iter().for_each(|(_, to)| remove(&aside(to)));
            jobs.iter().for_each(|(from, to)| copy(from, to));
            report(5, jobs.len(), wipe, || {
                // The old one is renamed away and unlinked later: freeing its pages takes a while.
                each(&jobs, |(from, to)| {
                    fs::rename(to, aside(to)).unwrap();
                    copy(from, to);
                });
            });
            wipe();
            jobs.iter().for_each(|(_, to)| remove(to));
        }
        (Some("spawn-copies"), [from, to]) => {
            let files = below(from, false);
            let jobs: Vec<_> =
                files.iter().map(|file| (file, to.join(file.strip_prefix(from).unwrap()))).collect();
            for (_, to) in &jobs {
                fs::create_dir_all(to.parent().unwrap()).unwrap();
            }
            let wipe = || jobs.iter().for_each(|(_, to)| remove(to));
            report(3, jobs.len(), wipe, || {
                each_by(1, &jobs, |(from, to)| {
                    assert!(Command::new("cp").arg(from).arg(to).status().unwrap().success());
                });
            });
            wipe();
        }
        _ => println!("see the top of benches/limits.rs; benches/run.py is what is usually started"),
    }
}

fn report(rounds: usize, units: usize, mut prepare: impl FnMut(), mut work: impl FnMut()) {
    let mut taken: Vec<f64> = Vec::new();
    for _ in 0..rounds {
        prepare();
        let begin = Instant::now();
        work();
        taken.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    taken.sort_by(f64::total_cmp);
    println!("{:.3} {:.3} {units}", taken[rounds / 2], taken[0]);
}

/// Every file below `dir`, and with `folders` every folder and `dir` itself, in order.
fn below(dir: &Path, folders: bool) -> Vec<PathBuf> {
    let (mut found, mut todo) = (Vec::new(), vec![dir.to_path_buf()]);
    while let Some(dir) = todo.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                todo.push(entry.path());
            } else {
                found.push(entry.path());
            }
        }
        if folders {
            found.push(dir);
        }
    }
    found.sort();
    found
}

fn each<T: Sync>(items: &[T], work: impl Fn(&T) + Sync) {
    each_by(if items.len() > 1000 { 64 } else { 1 }, items, work);
}

/// Works on `items` in order, on all threads, each taking `step` of them at a time.
fn each_by<T: Sync>(step: usize, items: &[T], work: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(step, Ordering::Relaxed);
                    if at >= items.len() {
                        break;
                    }
                    items[at..items.len().min(at + step)].iter().for_each(&work);
                }
            });
        }
    });
}

thread_local!(static PAGE: std::cell::RefCell<Vec<u8>> = std::cell::RefCell::new(vec![0; BUFFER]));

fn stat(path: &Path) {
    std::hint::black_box(path.symlink_metadata().unwrap());
}

fn hash(path: &Path) {
    hash_part(path, 0, u64::MAX);
}

/// Hashes up to `length` bytes from `begin`, in one reused buffer.
fn hash_part(path: &Path, begin: u64, length: u64) {
    use std::io::{Seek, SeekFrom};
    let mut file = File::open(path).unwrap();
    if begin > 0 {
        file.seek(SeekFrom::Start(begin)).unwrap();
    }
    let mut file = file.take(length);
    let mut hasher = blake3::Hasher::new();
    PAGE.with_borrow_mut(|page| {
        loop {
            let read = file.read(page).unwrap();
            if read == 0 {
                break;
            }
            hasher.update(&page[..read]);
        }
    });
    std::hint::black_box(hasher.finalize());
}

/// BLAKE3 is a tree, so two threads can hash the halves of one file; joining them costs nothing.
fn hash_in_two(path: &Path) {
    let half = path.metadata().unwrap().len() / 2;
    std::thread::scope(|scope| {
        scope.spawn(|| hash_part(path, 0, half));
        scope.spawn(|| hash_part(path, half, u64::MAX));
    });
}

/// Copies inside the kernel.
fn copy(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap();
}

fn targets(dir: &Path, files: &[PathBuf]) -> Vec<(PathBuf, PathBuf)> {
    fs::create_dir_all(dir).unwrap();
    files.iter().enumerate().map(|(i, file)| (file.clone(), dir.join(format!("copy-{i}")))).collect()
}

fn aside(path: &Path) -> PathBuf {
    path.with_extension("aside")
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{}", path.display());
    }
}
