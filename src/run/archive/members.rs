//! Leaves as tar members: ustar headers, with pax records for what those cannot say.
//!
//! Knows nothing of compression.

use std::io::{self, Read, Write};

use tar::{EntryType, Header};

use super::{ArchiveError, Found, Request};
use crate::digest::Digest;
use crate::path::RelPath;
use crate::tree::Leaf;

/// The time of every member, in seconds since 1970. Not 0, which some readers take for "none" or
/// call implausibly old.
pub const MTIME: u64 = 1;

/// Opens a content. It must give exactly the bytes that its leaf's size says.
pub type Open<'a> = dyn Fn(&Digest) -> io::Result<Box<dyn Read + Send>> + Sync + 'a;

const BLOCK: usize = 512;
/// The largest size that eleven octal digits can say.
const LARGEST_USTAR: u64 = 0o777_7777_7777;

/// Writes all members and the end of the archive.
pub(super) fn write(request: &Request, out: &mut dyn Write) -> Result<(), ArchiveError> {
    let mut buffer = vec![0; 256 * 1024];
    folder(request.top, out)?;
    // Leaves are sorted by path, so all that lies in a folder comes in one go: the folders that
    // are open are those of the leaf before.
    let mut opened: Vec<RelPath> = Vec::new();
    for (path, leaf) in request.leaves {
        if (request.cancelled)() {
            return Err(ArchiveError::Cancelled);
        }
        opened.retain(|folder| path.is_within(folder));
        let mut above: Vec<RelPath> = std::iter::successors(path.parent(), RelPath::parent)
            .filter(|folder| !folder.is_root())
            .collect();
        above.reverse();
        for parent in above.into_iter().skip(opened.len()) {
            folder(&format!("{}/{parent}", request.top), out)?;
            opened.push(parent);
        }
        let name = format!("{}/{path}", request.top);
        match leaf {
            Leaf::EmptyDirectory if path.is_root() => {}
            Leaf::EmptyDirectory => folder(&name, out)?,
            Leaf::Symlink { target } => {
                header(&name, EntryType::Symlink, 0, 0o777, Some(target), out)?;
            }
            Leaf::File { digest, size, executable } => {
                let mode = if *executable { 0o755 } else { 0o644 };
                header(&name, EntryType::Regular, *size, mode, None, out)?;
                content(request, path, digest, *size, &mut buffer, out)?;
            }
        }
    }
    out.write_all(&[0; 2 * BLOCK])?;
    Ok(())
}

fn folder(name: &str, out: &mut dyn Write) -> io::Result<()> {
    header(&format!("{name}/"), EntryType::Directory, 0, 0o755, None, out)
}

fn content(
    request: &Request,
    path: &RelPath,
    digest: &Digest,
    size: u64,
    buffer: &mut [u8],
    out: &mut dyn Write,
) -> Result<(), ArchiveError> {
    let unread = |source| ArchiveError::Content { path: path.clone(), source };
    let other = |found| ArchiveError::Length { path: path.clone(), expected: size, found };
    let mut reader = (request.open)(digest).map_err(unread)?;
    let mut left = size;
    loop {
        if (request.cancelled)() {
            return Err(ArchiveError::Cancelled);
        }
        let count = match reader.read(buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(unread(error)),
        };
        left = left.checked_sub(count as u64).ok_or_else(|| other(Found::More))?;
        out.write_all(&buffer[..count])?;
    }
    if left > 0 {
        return Err(other(Found::Only(size - left)));
    }
    Ok(pad(size, out)?)
}

/// Fills the last block of something `size` bytes long.
fn pad(size: u64, out: &mut dyn Write) -> io::Result<()> {
    let over = (size % BLOCK as u64) as usize;
    if over > 0 { out.write_all(&[0; BLOCK][over..]) } else { Ok(()) }
}

fn header(
    name: &str,
    kind: EntryType,
    size: u64,
    mode: u32,
    link: Option<&str>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut block = plain(kind, size.min(LARGEST_USTAR), mode);
    let mut records = Vec::new();
    if !place(name, &mut block) {
        record(&mut records, "path", name);
    }
    if let Some(target) = link
        && !fits(target, link_field(&mut block))
    {
        record(&mut records, "linkpath", target);
    }
    if size > LARGEST_USTAR {
        record(&mut records, "size", &size.to_string());
    }
    if !records.is_empty() {
        let mut extended = plain(EntryType::XHeader, records.len() as u64, 0o644);
        let shown: String =
            name.trim_end_matches('/').chars().map(|c| if c.is_ascii() { c } else { '_' }).collect();
        fits_or_cut(&format!("PaxHeaders/{shown}"), &mut extended);
        extended.set_cksum();
        out.write_all(extended.as_bytes())?;
        out.write_all(&records)?;
        pad(records.len() as u64, out)?;
    }
    block.set_cksum();
    out.write_all(block.as_bytes())
}

/// A ustar header without a name.
fn plain(kind: EntryType, size: u64, mode: u32) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(MTIME);
    if let Some(ustar) = header.as_ustar_mut() {
        ustar.set_device_major(0);
        ustar.set_device_minor(0);
    }
    header
}

/// Puts `name` into the header: whole, or split at a slash. False when it does not fit or is not
/// ASCII; then as much of it as fits stands there for readers that know no pax.
fn place(name: &str, header: &mut Header) -> bool {
    if name.is_ascii() {
        if fits(name, &mut header.as_old_mut().name) {
            return true;
        }
        // The shortest prefix that leaves a short enough rest: a fixed choice.
        let splits = name.match_indices('/').map(|(at, _)| at);
        let split = splits.filter(|at| *at > 0).find(|at| (1..=100).contains(&(name.len() - at - 1)));
        if let (Some(at), Some(ustar)) = (split.filter(|at| *at <= 155), header.as_ustar_mut()) {
            fits(&name[..at], &mut ustar.prefix);
            fits(&name[at + 1..], &mut ustar.name);
            return true;
        }
    }
    let shown: String = name.chars().map(|c| if c.is_ascii() { c } else { '_' }).collect();
    fits_or_cut(&shown, header);
    false
}

fn link_field(header: &mut Header) -> &mut [u8] {
    &mut header.as_old_mut().linkname
}

/// Copies `text` into `field` if it is ASCII and short enough.
fn fits(text: &str, field: &mut [u8]) -> bool {
    let fits = text.is_ascii() && text.len() <= field.len();
    if fits {
        field[..text.len()].copy_from_slice(text.as_bytes());
    }
    fits
}

fn fits_or_cut(text: &str, header: &mut Header) {
    let field = &mut header.as_old_mut().name;
    let count = text.len().min(field.len());
    field[..count].copy_from_slice(&text.as_bytes()[..count]);
}

/// Appends a pax record, `LENGTH KEY=VALUE\n`, whose length counts its own digits.
fn record(records: &mut Vec<u8>, key: &str, value: &str) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while rest + length.to_string().len() != length {
        length = rest + length.to_string().len();
    }
    records.extend_from_slice(format!("{length} {key}={value}\n").as_bytes());
}
