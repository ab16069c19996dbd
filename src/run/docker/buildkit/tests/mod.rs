//! Builds on the engine of this machine. What they make there, they remove.

mod caching;
mod copying;
mod failing;
mod memory;
mod mounts;
mod output;
mod ways;

use std::fmt::Write as _;
use std::io::{self, Cursor, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::{Arc, Mutex};

use super::*;
use crate::digest::Digest;
use crate::run::docker::{Address, ApiVersion, Dialer};

const SOCKET: &str = "/var/run/docker.sock";
const API: ApiVersion = ApiVersion::OLDEST;

/// A context in memory.
#[derive(Clone, Default)]
struct Files {
    entries: Vec<ContextEntry>,
    contents: Vec<Vec<u8>>,
}

impl Files {
    fn file(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.put(path, content.into(), false);
        self
    }

    fn program(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.put(path, content.into(), true);
        self
    }

    fn link(mut self, path: &str, target: &str) -> Self {
        self.add(path, EntryKind::Symlink { target: target.to_owned() }, Vec::new());
        self
    }

    fn folder(mut self, path: &str) -> Self {
        self.add(path, EntryKind::Directory, Vec::new());
        self
    }

    /// For many files in order: a folder, and a name in it.
    fn put_last(&mut self, folder: &str, name: &str, content: String) {
        if self
            .entries
            .iter()
            .rev()
            .find(|entry| entry.kind == EntryKind::Directory)
            .is_none_or(|last| last.path != folder)
        {
            self.entries.push(ContextEntry { path: folder.to_owned(), kind: EntryKind::Directory });
            self.contents.push(Vec::new());
        }
        let content = content.into_bytes();
        let kind =
            EntryKind::File { size: content.len() as u64, executable: false, content: Digest::of(&content) };
        self.entries.push(ContextEntry { path: format!("{folder}/{name}"), kind });
        self.contents.push(content);
    }

    fn put(&mut self, path: &str, content: Vec<u8>, executable: bool) {
        let kind = EntryKind::File { size: content.len() as u64, executable, content: Digest::of(&content) };
        self.add(path, kind, content);
    }

    /// In its place in the order, with the folders above it.
    fn add(&mut self, path: &str, kind: EntryKind, content: Vec<u8>) {
        if let Some((parent, _)) = path.rsplit_once('/')
            && !self.entries.iter().any(|entry| entry.path == parent)
        {
            self.add(parent, EntryKind::Directory, Vec::new());
        }
        let at = self.entries.partition_point(|entry| ContextEntry::order(&entry.path, path).is_lt());
        self.entries.insert(at, ContextEntry { path: path.to_owned(), kind });
        self.contents.insert(at, content);
    }

    fn context(self) -> Arc<dyn Context> {
        Arc::new(self)
    }
}

impl Context for Files {
    fn entries(&self) -> &[ContextEntry] {
        &self.entries
    }

    fn open(&self, entry: usize) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Cursor::new(self.contents[entry].clone())))
    }
}

/// A sink that can be looked into afterwards.
#[derive(Clone, Default)]
struct Bucket(Arc<Mutex<Vec<u8>>>);

impl Write for Bucket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Bucket {
    /// The paths in a tar stream, with kind and mode, target or content.
    fn listing(&self) -> Vec<(String, String)> {
        let bytes = self.0.lock().unwrap().clone();
        let mut archive = tar::Archive::new(Cursor::new(bytes));
        let mut out = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
            let header = entry.header().clone();
            let mut text = format!("{:o} ", header.mode().unwrap() & 0o777);
            match header.entry_type() {
                tar::EntryType::Directory => text.push_str("folder"),
                tar::EntryType::Symlink => {
                    text = format!("-> {}", entry.link_name().unwrap().unwrap().display());
                }
                _ => {
                    let mut content = Vec::new();
                    entry.read_to_end(&mut content).unwrap();
                    write!(text, "{} {}", content.len(), Digest::of(&content).short()).unwrap();
                }
            }
            out.push((path.trim_end_matches('/').to_owned(), text));
        }
        out
    }
}

/// A name that no other test uses, nor used before: the engine remembers builds.
fn name() -> String {
    format!("osgraph-test-buildkit-{}", super::serve::unique_id())
}

fn dialer() -> Dialer {
    Dialer::new(&Address::Unix(SOCKET.into())).unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Builds, and yields also what was told meanwhile.
fn told(build: Build) -> (Result<Built, BuildError>, Vec<Progress>) {
    let events = Mutex::new(Vec::new());
    let on = |event| events.lock().unwrap().push(event);
    let outcome = runtime().block_on(super::build(&dialer(), API, build, &on, CancelToken::new()));
    (outcome, events.into_inner().unwrap())
}

fn built(build: Build) -> Built {
    told(build).0.unwrap()
}

fn plain(files: Files, dockerfile: &str) -> Build {
    with_id(files, dockerfile, &format!("{} ü\n", name()))
}

/// Without a network: no step of these tests needs one, nor the engine's rights to make one.
fn with_id(files: Files, dockerfile: &str, id: &str) -> Build {
    let mut build = Build::new(files.context(), dockerfile, id);
    build.network = Some("none".to_owned());
    build
}

fn with_tar(mut build: Build) -> (Build, Bucket) {
    let bucket = Bucket::default();
    build.output = Output::Tar(Box::new(bucket.clone()));
    (build, bucket)
}

/// One HTTP request to the engine, without the client under test.
fn engine_bytes(method: &str, path: &str, body: &[u8]) -> Vec<u8> {
    let mut stream = UnixStream::connect(SOCKET).expect("these tests need a container engine");
    let length = body.len();
    write!(stream, "{method} {path} HTTP/1.0\r\nHost: engine\r\nContent-Length: {length}\r\n\r\n").unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let (head, body) = (String::from_utf8_lossy(&answer[..end]), &answer[end + 4..]);
    assert!(head.contains(" 200 ") || method == "DELETE", "{method} {path}: {head}");
    body.to_vec()
}

fn engine(method: &str, path: &str, body: &[u8]) -> String {
    String::from_utf8(engine_bytes(method, path, body)).unwrap()
}

/// An image of the engine, removed in the end.
struct Image(String);

impl Image {
    /// Taken over from a build.
    fn named(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// A shell and little else.
    fn busybox() -> Self {
        const PROGRAM: &str = "/bin/busybox";
        let list = Command::new(PROGRAM).arg("--list").output().expect("these tests need busybox-static");
        let mut archive = tar::Builder::new(Vec::new());
        archive.append_path_with_name(PROGRAM, "bin/busybox").unwrap();
        for applet in String::from_utf8(list.stdout).unwrap().lines().filter(|name| *name != "busybox") {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_size(0);
            archive.append_link(&mut header, format!("bin/{applet}"), "busybox").unwrap();
        }
        let name = name();
        // Builds on an image of its own find nothing in the engine's cache.
        let mut header = tar::Header::new_gnu();
        header.set_size(name.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, "name", name.as_bytes()).unwrap();
        let path = format!("/images/create?fromSrc=-&repo={name}&tag=base");
        engine("POST", &path, &archive.into_inner().unwrap());
        Self(format!("{name}:base"))
    }

    fn inspect(&self) -> serde_json::Value {
        serde_json::from_str(&engine("GET", &format!("/images/{}/json", self.0), b"")).unwrap()
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        engine("DELETE", &format!("/images/{}?force=true", self.0), b"");
    }
}

/// Frees the engine's build cache of records that have exactly this size.
struct Freed(u64);

impl Drop for Freed {
    fn drop(&mut self) {
        let usage: serde_json::Value = serde_json::from_str(&engine("GET", "/system/df", b"")).unwrap();
        let records = usage["BuildCache"].as_array().unwrap();
        for id in records.iter().filter(|record| record["Size"] == self.0).map(|record| &record["ID"]) {
            let id = id.as_str().unwrap();
            // {"id":{"…":true}}
            engine("POST", &format!("/build/prune?all=1&filters=%7B%22id%22:%7B%22{id}%22:true%7D%7D"), b"");
        }
    }
}
