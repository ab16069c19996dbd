//! A static web server that carries its web site at its own end.
//!
//! Built alone it is the slow, generic part. `server pack FOLDER OUT` writes a copy of itself
//! with the folder appended: one file that runs anywhere and unpacks nothing. No dependencies.
//!
//! Layout of a packed server, all integers little-endian:
//!
//! ```text
//! the executable | archive | offset u64 | length u64 | FNV-1a 64 of the archive u64 | "SITEEND1"
//! archive:  count u32, then per entry, sorted by path:
//!           kind u8 (0 file, 1 executable, 2 symlink) | path length u32 | path | length u64 | content
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

const MAGIC: &[u8; 8] = b"SITEEND1";
const TRAILER: u64 = 32;
const WORKERS: usize = 32;
/// How long a connection may stay silent between two requests.
const IDLE: Duration = Duration::from_secs(5);
/// How long a request's head may take, however slowly it trickles in.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// Bytes of a request's head.
const HEAD_SIZE: u64 = 16 << 10;
/// Symlinks followed before a path counts as a loop.
const MOST_LINKS: usize = 16;

const USAGE: &str = "\
usage: server [serve] [--listen ADDR:PORT]   serve the packed site (or set PORT; default 127.0.0.1:8080)
       server pack FOLDER OUT                write a copy of this server that carries FOLDER
       server list                           what is packed
       server version                        what this is
       server health [ADDR:PORT]             exit 0 when a server answers there
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        [] | ["serve"] => address(None).and_then(serve),
        ["--listen", at] | ["serve", "--listen", at] => address(Some(at)).and_then(serve),
        ["pack", folder, out] => pack(Path::new(folder), Path::new(out)),
        ["list"] => Site::load().and_then(|site| site.list(&mut io::stdout().lock())),
        ["version" | "--version"] => Site::load().and_then(|site| site.describe(&mut io::stdout().lock())),
        ["health"] => address(None).and_then(health),
        ["health", at] => address(Some(at)).and_then(health),
        ["help" | "--help" | "-h"] => io::stdout().write_all(USAGE.as_bytes()),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("server: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Where to listen: the argument, else `PORT`, else port 8080, on this machine only.
fn address(given: Option<&str>) -> io::Result<SocketAddr> {
    let text = match (given, std::env::var("PORT")) {
        (Some(given), _) => given.to_owned(),
        (None, Ok(port)) => format!("127.0.0.1:{port}"),
        (None, Err(_)) => "127.0.0.1:8080".to_owned(),
    };
    text.parse().map_err(|_| invalid(format!("`{text}` is no address of the form 127.0.0.1:8080 or [::1]:8080")))
}

fn invalid(message: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.into())
}

fn about(path: &Path) -> impl Fn(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

// ---------------------------------------------------------------- packing

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    File = 0,
    Executable = 1,
    Symlink = 2,
}

fn pack(folder: &Path, out: &Path) -> io::Result<()> {
    let mut entries = BTreeMap::new();
    collect(folder, "", &mut entries)?;
    let mut archive = Vec::new();
    archive.extend(small(entries.len())?.to_le_bytes());
    for (path, (kind, content)) in &entries {
        archive.push(*kind as u8);
        archive.extend(small(path.len())?.to_le_bytes());
        archive.extend(path.as_bytes());
        archive.extend((content.len() as u64).to_le_bytes());
        archive.extend(content);
    }
    // Refuse here what the packed server would refuse at its start.
    let site = Site::parse(&archive)?;
    for (path, (kind, _)) in &entries {
        if *kind == Kind::Symlink && site.resolve(path).is_none() && !site.is_folder_link(path) {
            return Err(invalid(format!("symlink `{path}` leads nowhere inside the site")));
        }
    }

    let own = std::env::current_exe()?;
    let mut program = File::open(&own).map_err(about(&own))?;
    let end = match trailer(&mut program)? {
        Some(trailer) => trailer.offset,
        None => program.metadata()?.len(),
    };
    if let Some(parent) = out.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).map_err(about(parent))?;
    }
    let mut staged = out.as_os_str().to_owned();
    staged.push(".part");
    let staged = PathBuf::from(staged);
    let mut file = File::create(&staged).map_err(about(&staged))?;
    program.seek(SeekFrom::Start(0))?;
    io::copy(&mut program.take(end), &mut file)?;
    file.write_all(&archive)?;
    for number in [end, archive.len() as u64, fnv(&archive)] {
        file.write_all(&number.to_le_bytes())?;
    }
    file.write_all(MAGIC)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o755))?;
    drop(file);
    std::fs::rename(&staged, out).map_err(about(out))?;
    println!("packed {} entries, {} bytes, into {}", entries.len(), archive.len(), out.display());
    Ok(())
}

fn small(length: usize) -> io::Result<u32> {
    u32::try_from(length).map_err(|_| invalid("more than the archive's format can hold"))
}

fn collect(folder: &Path, prefix: &str, into: &mut BTreeMap<String, (Kind, Vec<u8>)>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder).map_err(about(folder))? {
        let at = entry?.path();
        let name = at.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| invalid(format!("{} is not UTF-8", at.display())))?;
        let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
        let meta = at.symlink_metadata().map_err(about(&at))?;
        if meta.is_dir() {
            collect(&at, &path, into)?;
        } else if meta.is_symlink() {
            let target = std::fs::read_link(&at).map_err(about(&at))?;
            let target = target.to_str().ok_or_else(|| invalid(format!("{} is not UTF-8", target.display())))?;
            into.insert(path, (Kind::Symlink, target.as_bytes().to_vec()));
        } else if meta.is_file() {
            let kind = if meta.permissions().mode() & 0o100 != 0 { Kind::Executable } else { Kind::File };
            into.insert(path, (kind, std::fs::read(&at).map_err(about(&at))?));
        } else {
            return Err(invalid(format!("{} is no file, folder or symlink", at.display())));
        }
    }
    Ok(())
}

// ---------------------------------------------------------------- the packed site

struct Trailer {
    offset: u64,
    length: u64,
    sum: u64,
}

/// Reads the last bytes of `file`; none when nothing was packed into it.
fn trailer(file: &mut File) -> io::Result<Option<Trailer>> {
    let size = file.metadata()?.len();
    if size < TRAILER {
        return Ok(None);
    }
    let mut bytes = [0; TRAILER as usize];
    file.seek(SeekFrom::Start(size - TRAILER))?;
    file.read_exact(&mut bytes)?;
    if bytes[24..] != *MAGIC {
        return Ok(None);
    }
    let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
    let found = Trailer { offset: number(0), length: number(8), sum: number(16) };
    match found.offset.checked_add(found.length).and_then(|end| end.checked_add(TRAILER)) {
        Some(end) if end == size => Ok(Some(found)),
        _ => Err(invalid("the packed site is cut off or something was added behind it")),
    }
}

struct Entry<'a> {
    kind: Kind,
    content: &'a [u8],
    etag: String,
}

/// The site's files by path, and every folder that holds one; `""` is the top.
struct Site<'a> {
    entries: BTreeMap<&'a str, Entry<'a>>,
    folders: BTreeSet<&'a str>,
    sum: u64,
}

impl Site<'static> {
    /// The site packed into the running program; an empty one when there is none.
    fn load() -> io::Result<Self> {
        let own = std::env::current_exe()?;
        let mut file = File::open(&own).map_err(about(&own))?;
        let Some(trailer) = trailer(&mut file)? else { return Site::parse(&[0, 0, 0, 0]) };
        file.seek(SeekFrom::Start(trailer.offset))?;
        let mut archive = Vec::new();
        file.take(trailer.length).read_to_end(&mut archive)?;
        if fnv(&archive) != trailer.sum {
            return Err(invalid("the packed site is damaged: its checksum does not match"));
        }
        // It is read once and used until the process ends.
        Site::parse(Vec::leak(archive))
    }
}

impl<'a> Site<'a> {
    fn parse(archive: &'a [u8]) -> io::Result<Self> {
        fn take<'a>(rest: &mut &'a [u8], length: usize) -> io::Result<&'a [u8]> {
            let (head, tail) = rest.split_at_checked(length).ok_or_else(|| invalid("the archive is cut off"))?;
            *rest = tail;
            Ok(head)
        }
        fn number<const N: usize>(rest: &mut &[u8]) -> io::Result<[u8; N]> {
            take(rest, N).map(|bytes| bytes.try_into().expect("as many bytes as were taken"))
        }
        let mut rest = archive;
        let mut site = Self { entries: BTreeMap::new(), folders: BTreeSet::from([""]), sum: fnv(archive) };
        for _ in 0..u32::from_le_bytes(number(&mut rest)?) {
            let kind = match number::<1>(&mut rest)? {
                [0] => Kind::File,
                [1] => Kind::Executable,
                [2] => Kind::Symlink,
                [other] => return Err(invalid(format!("the archive holds an entry of unknown kind {other}"))),
            };
            let length = u32::from_le_bytes(number(&mut rest)?) as usize;
            let path = std::str::from_utf8(take(&mut rest, length)?).map_err(|_| invalid("a path is not UTF-8"))?;
            let length = u64::from_le_bytes(number(&mut rest)?);
            let length = usize::try_from(length).map_err(|_| invalid("the archive is cut off"))?;
            let content = take(&mut rest, length)?;
            for (at, _) in path.match_indices('/') {
                site.folders.insert(&path[..at]);
            }
            site.entries.insert(path, Entry { kind, content, etag: format!("\"{:016x}\"", fnv(content)) });
        }
        Ok(site)
    }

    /// Follows symlinks that stay inside; none where they do not, or where there is nothing.
    fn resolve(&self, path: &str) -> Option<(String, &Entry<'a>)> {
        let path = self.follow(path)?;
        let entry = self.entries.get(path.as_str())?;
        Some((path, entry))
    }

    fn is_folder_link(&self, path: &str) -> bool {
        self.follow(path).is_some_and(|path| self.folders.contains(path.as_str()))
    }

    /// The path with every symlink on its way replaced.
    fn follow(&self, path: &str) -> Option<String> {
        let mut todo: Vec<String> = path.rsplit('/').map(str::to_owned).collect();
        let mut at: Vec<String> = Vec::new();
        let mut links = 0;
        while let Some(name) = todo.pop() {
            match name.as_str() {
                "" | "." => continue,
                ".." => {
                    at.pop()?;
                    continue;
                }
                _ => at.push(name),
            }
            if let Some(Entry { kind: Kind::Symlink, content, .. }) = self.entries.get(at.join("/").as_str()) {
                links += 1;
                let target = std::str::from_utf8(content).ok()?;
                if links > MOST_LINKS || target.starts_with('/') {
                    return None;
                }
                at.pop();
                todo.extend(target.rsplit('/').map(str::to_owned));
            }
        }
        Some(at.join("/"))
    }

    fn list(&self, out: &mut impl Write) -> io::Result<()> {
        for (path, entry) in &self.entries {
            match entry.kind {
                Kind::File => writeln!(out, "644 {:>10}  {path}", entry.content.len())?,
                Kind::Executable => writeln!(out, "755 {:>10}  {path}", entry.content.len())?,
                Kind::Symlink => writeln!(out, "->  {:>10}  {path} -> {}", "", String::from_utf8_lossy(entry.content))?,
            }
        }
        Ok(())
    }

    fn describe(&self, out: &mut impl Write) -> io::Result<()> {
        let bytes: usize = self.entries.values().map(|entry| entry.content.len()).sum();
        let count = self.entries.len();
        let noun = if count == 1 { "entry" } else { "entries" };
        writeln!(out, "site server 1; site {:016x}: {count} {noun}, {bytes} bytes", self.sum)
    }
}

// ---------------------------------------------------------------- serving

unsafe extern "C" {
    fn signal(number: i32, handler: extern "C" fn(i32)) -> usize;
    fn _exit(code: i32) -> !;
}

extern "C" fn leave(number: i32) {
    // SAFETY: `_exit` is one of the few calls that are allowed in a signal handler.
    unsafe { _exit(128 + number) }
}

fn serve(at: SocketAddr) -> io::Result<()> {
    let site = Arc::new(Site::load()?);
    if site.entries.is_empty() {
        return Err(invalid("no site is packed into this server; `server pack FOLDER OUT` makes one that has"));
    }
    // As process 1 of a container a program without handlers is deaf to SIGTERM and SIGINT.
    for number in [2, 15] {
        // SAFETY: `leave` does nothing but end the process.
        unsafe { signal(number, leave) };
    }
    let listener = TcpListener::bind(at).map_err(|error| io::Error::new(error.kind(), format!("{at}: {error}")))?;
    println!("listening on http://{}/", listener.local_addr()?);
    io::stdout().flush()?;
    let mut workers = Vec::new();
    for _ in 0..WORKERS {
        let (listener, site) = (listener.try_clone()?, Arc::clone(&site));
        workers.push(std::thread::Builder::new().stack_size(256 << 10).spawn(move || {
            loop {
                match listener.accept() {
                    // A peer that goes away is its own affair.
                    Ok((stream, _)) => drop(converse(&site, &stream)),
                    // Out of descriptors, most likely: let some come back.
                    Err(_) => std::thread::sleep(Duration::from_millis(50)),
                }
            }
        })?);
    }
    for worker in workers {
        worker.join().map_err(|_| invalid("a worker died"))?;
    }
    Ok(())
}

struct Request {
    method: String,
    target: String,
    if_none_match: Option<String>,
    /// Whether the connection ends with this request.
    last: bool,
}

struct Response<'a> {
    status: &'static str,
    content_type: &'static str,
    /// Complete header lines.
    headers: String,
    body: &'a [u8],
}

impl<'a> Response<'a> {
    fn plain(status: &'static str, body: &'a str) -> Self {
        Self { status, content_type: "text/plain; charset=utf-8", headers: String::new(), body: body.as_bytes() }
    }
}

fn converse(site: &Site, stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(HEAD_TIME))?;
    let mut reader = BufReader::new(stream);
    loop {
        let (response, head_only, last) = match read_request(&mut reader, stream) {
            Ok(None) => return Ok(()),
            Ok(Some(request)) => (answer(site, &request), request.method == "HEAD", request.last),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                (Response::plain("400 Bad Request", "bad request\n"), false, true)
            }
            Err(error) => return Err(error),
        };
        write_response(stream, &response, head_only, last)?;
        if last {
            return Ok(());
        }
    }
}

/// The next request of a connection; none when the peer is done.
fn read_request(reader: &mut BufReader<&TcpStream>, stream: &TcpStream) -> io::Result<Option<Request>> {
    stream.set_read_timeout(Some(IDLE))?;
    match reader.fill_buf() {
        Ok([]) => return Ok(None),
        Ok(_) => {}
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => return Ok(None),
        Err(error) => return Err(error),
    }
    let deadline = Instant::now() + HEAD_TIME;
    let mut lines: Vec<String> = Vec::new();
    let mut left = HEAD_SIZE;
    loop {
        if Instant::now() > deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let mut line = Vec::new();
        let read = reader.by_ref().take(left).read_until(b'\n', &mut line)?;
        left -= read as u64;
        if line.pop() != Some(b'\n') {
            return Err(invalid("the head is cut off or too long"));
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        let line = String::from_utf8(line).map_err(|_| invalid("the head is not UTF-8"))?;
        match (line.is_empty(), lines.is_empty()) {
            (true, true) => continue,
            (true, false) => break,
            (false, _) => lines.push(line),
        }
    }
    let words: Vec<&str> = lines[0].split(' ').collect();
    let [method, target, version @ ("HTTP/1.1" | "HTTP/1.0")] = words[..] else {
        return Err(invalid("no HTTP/1 request line"));
    };
    let header = |wanted: &str| {
        lines[1..].iter().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim().to_owned())
        })
    };
    if version == "HTTP/1.1" && header("host").is_none() {
        return Err(invalid("no Host"));
    }
    let connection = header("connection").unwrap_or_default().to_ascii_lowercase();
    // A body is not read, so nothing that follows it could be told from it.
    let body = header("transfer-encoding").is_some() || header("content-length").is_some_and(|length| length != "0");
    let last = body || connection == "close" || (version == "HTTP/1.0" && connection != "keep-alive");
    Ok(Some(Request {
        method: method.to_owned(),
        target: target.to_owned(),
        if_none_match: header("if-none-match"),
        last,
    }))
}

fn answer<'a>(site: &'a Site, request: &Request) -> Response<'a> {
    if request.method != "GET" && request.method != "HEAD" {
        let mut response = Response::plain("405 Method Not Allowed", "only GET and HEAD\n");
        response.headers.push_str("Allow: GET, HEAD\r\n");
        return response;
    }
    let Some(path) = requested_path(&request.target) else {
        return Response::plain("400 Bad Request", "bad request\n");
    };
    if path == "healthz" {
        let mut response = Response::plain("200 OK", "ok\n");
        response.headers.push_str("Cache-Control: no-store\r\n");
        return response;
    }
    let (folder, wants_folder) = match path.strip_suffix('/') {
        Some(folder) => (folder, true),
        None => (path.as_str(), path.is_empty()),
    };
    if site.is_folder_link(folder) {
        if !wants_folder {
            let mut response = Response::plain("301 Moved Permanently", "moved\n");
            let _ = write!(response.headers, "Location: /{}/\r\n", encoded(folder));
            return response;
        }
        let index = if folder.is_empty() { "index.html".to_owned() } else { format!("{folder}/index.html") };
        return match site.resolve(&index) {
            Some((name, entry)) => file(&name, entry, request),
            None => missing(site),
        };
    }
    match site.resolve(folder) {
        Some((name, entry)) if !wants_folder => file(&name, entry, request),
        _ => missing(site),
    }
}

/// The decoded path without its leading slash; none where it is malformed or tries to climb.
/// Nothing outside the archive could be reached anyway: there is no file system behind it.
fn requested_path(target: &str) -> Option<String> {
    let target = match target.split_once("://") {
        Some(("http", rest)) => &rest[rest.find('/').unwrap_or(rest.len())..],
        _ => target,
    };
    let target = target.split(['?', '#']).next().unwrap_or_default();
    if !target.is_empty() && !target.starts_with('/') {
        return None;
    }
    let mut bytes = Vec::with_capacity(target.len());
    let mut rest = target.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let [high, low, tail @ ..] = rest else { return None };
        let digit = |byte: u8| char::from(byte).to_digit(16);
        bytes.push((digit(*high)? * 16 + digit(*low)?) as u8);
        rest = tail;
    }
    let path = String::from_utf8(bytes).ok()?;
    let bad = path.contains('\0') || path.split('/').any(|name| matches!(name, "." | ".."));
    (!bad).then(|| path.trim_start_matches('/').to_owned())
}

fn encoded(path: &str) -> String {
    path.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            _ => drop(write!(out, "%{byte:02X}")),
        }
        out
    })
}

fn file<'a>(name: &str, entry: &'a Entry, request: &Request) -> Response<'a> {
    let headers = format!("ETag: {}\r\nCache-Control: no-cache\r\n", entry.etag);
    let known = request.if_none_match.as_deref().is_some_and(|tags| {
        tags.split(',').map(|tag| tag.trim().trim_start_matches("W/")).any(|tag| tag == "*" || tag == entry.etag)
    });
    let (status, body) = if known { ("304 Not Modified", &[][..]) } else { ("200 OK", entry.content) };
    Response { status, content_type: content_type(name), headers, body }
}

fn missing<'a>(site: &'a Site) -> Response<'a> {
    match site.resolve("404.html") {
        Some((name, entry)) => Response {
            status: "404 Not Found",
            content_type: content_type(&name),
            headers: String::new(),
            body: entry.content,
        },
        None => Response::plain("404 Not Found", "not found\n"),
    }
}

fn content_type(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    match extension.as_deref().unwrap_or_default() {
        "html" | "htm" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "txt" | "md" | "sh" => "text/plain; charset=utf-8",
        "xml" => "application/xml",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/x-icon",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        "pdf" => "application/pdf",
        "wasm" => "application/wasm",
        "mp4" => "video/mp4",
        "mp3" => "audio/mpeg",
        _ => "application/octet-stream",
    }
}

fn write_response(mut stream: &TcpStream, response: &Response, head_only: bool, last: bool) -> io::Result<()> {
    let Response { status, content_type, headers, body } = response;
    let mut head = format!("HTTP/1.1 {status}\r\n{headers}X-Content-Type-Options: nosniff\r\n");
    // A 304 has no body, and its Content-Length would have to be that of the full answer.
    if !status.starts_with("304") {
        let _ = write!(head, "Content-Type: {content_type}\r\nContent-Length: {}\r\n", body.len());
    }
    head.push_str(if last { "Connection: close\r\n\r\n" } else { "\r\n" });
    let mut message = head.into_bytes();
    // Small answers go out in one packet; large ones are not copied.
    if head_only {
        stream.write_all(&message)
    } else if body.len() <= 16 << 10 {
        message.extend_from_slice(body);
        stream.write_all(&message)
    } else {
        stream.write_all(&message)?;
        stream.write_all(body)
    }
}

/// Asks a running server whether it is well: a container without a shell can check itself.
fn health(at: SocketAddr) -> io::Result<()> {
    let wait = Duration::from_secs(3);
    let mut stream = TcpStream::connect_timeout(&at, wait)?;
    stream.set_read_timeout(Some(wait))?;
    stream.set_write_timeout(Some(wait))?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut said = String::new();
    stream.take(HEAD_SIZE).read_to_string(&mut said)?;
    if said.starts_with("HTTP/1.1 200 ") { Ok(()) } else { Err(invalid(format!("{at} is not well"))) }
}
