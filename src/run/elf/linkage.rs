//! What an ELF binary asks of the machine that starts it: an interpreter, and libraries by name.
//!
//! Reads the program headers and the dynamic section, of either class and byte order. Nobody
//! vouches for the file, so every offset is checked and everything has a limit: the kernel's own
//! where it has one. Sections, symbols and versions are not looked at.

use std::io;

/// What one program header table may have, as the kernel has it.
const LARGEST_TABLE: usize = 64 << 10;
/// The longest path that an interpreter can have, and more than any library's name.
const LONGEST_NAME: u64 = 4096;
/// Many times what any dynamic section has.
const LARGEST_DYNAMIC: u64 = 64 << 10;

const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;

const DT_NULL: u64 = 0;
const DT_NEEDED: u64 = 1;
const DT_STRTAB: u64 = 5;
const DT_STRSZ: u64 = 10;

/// How a binary is linked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Linkage {
    /// The path of the program that loads it.
    pub interpreter: Option<String>,
    /// Libraries by name, in the file's order.
    pub needed: Vec<String>,
}

/// Why a binary's linkage is not known.
#[derive(Debug, thiserror::Error)]
pub enum LinkageError {
    #[error("it cannot be read")]
    Read(#[from] io::Error),
    #[error("{0}")]
    Broken(&'static str),
}

use LinkageError::Broken;

/// Gives bytes from an offset on: how many there were, at most as many as fit.
pub type ReadAt<'a> = dyn Fn(&mut [u8], u64) -> io::Result<usize> + 'a;

impl Linkage {
    /// Whether it starts on any machine of its kind: alone, in one piece or position-independent.
    pub fn is_static(&self) -> bool {
        self.interpreter.is_none() && self.needed.is_empty()
    }

    /// Of an ELF file.
    pub fn read(read: &ReadAt<'_>) -> Result<Self, LinkageError> {
        let file = Elf::open(read)?;
        let segments = file.segments()?;
        let mut linkage = Self::default();
        for segment in &segments {
            match segment.kind {
                PT_INTERP if linkage.interpreter.is_none() => {
                    if !(2..=LONGEST_NAME).contains(&segment.size) {
                        return Err(Broken("its interpreter has no possible name"));
                    }
                    linkage.interpreter = Some(text(&file.bytes(segment.offset, segment.size)?)?);
                }
                PT_DYNAMIC => linkage.needed.extend(file.needed(segment, &segments)?),
                _ => {}
            }
        }
        Ok(linkage)
    }
}

/// A part of the file that a program header describes.
struct Segment {
    kind: u32,
    offset: u64,
    /// Where it stands in memory.
    address: u64,
    /// In the file.
    size: u64,
}

impl Segment {
    /// Where in the file stands what is at `address` in memory, and how much of it there is.
    fn locate(&self, address: u64) -> Option<(u64, u64)> {
        let into = address.checked_sub(self.address).filter(|into| *into < self.size)?;
        Some((self.offset.checked_add(into)?, self.size - into))
    }
}

/// A file whose header was understood.
struct Elf<'a> {
    read: &'a ReadAt<'a>,
    header: Vec<u8>,
    wide: bool,
    big: bool,
}

impl<'a> Elf<'a> {
    fn open(read: &'a ReadAt<'a>) -> Result<Self, LinkageError> {
        let mut file = Self { read, header: Vec::new(), wide: false, big: false };
        let start = file.bytes(0, 6)?;
        file.wide = match (&start[..4], start[4]) {
            (b"\x7fELF", 1) => false,
            (b"\x7fELF", 2) => true,
            _ => return Err(Broken("its header is none of ELF")),
        };
        file.big = match start[5] {
            1 => false,
            2 => true,
            _ => return Err(Broken("its header has no known byte order")),
        };
        file.header = file.bytes(0, if file.wide { 64 } else { 52 })?;
        Ok(file)
    }

    fn segments(&self) -> Result<Vec<Segment>, LinkageError> {
        let head = &self.header;
        let (table, size, count, expected) = if self.wide {
            (self.word(head, 32), self.half(head, 54), self.half(head, 56), 56)
        } else {
            (self.word(head, 28), self.half(head, 42), self.half(head, 44), 32)
        };
        if count == 0 {
            return Err(Broken("it has no program headers"));
        }
        if size != expected || size * count > LARGEST_TABLE {
            return Err(Broken("its program headers have no possible size"));
        }
        let table = self.bytes(table, (size * count) as u64)?;
        let segment = |entry: &[u8]| {
            let kind = self.number(entry, 0, 4) as u32;
            let (offset, address, size) = if self.wide { (8, 16, 32) } else { (4, 8, 16) };
            let [offset, address, size] = [offset, address, size].map(|at| self.word(entry, at));
            Segment { kind, offset, address, size }
        };
        Ok(table.chunks_exact(size).map(segment).collect())
    }

    /// The libraries that a dynamic section names.
    fn needed(&self, dynamic: &Segment, all: &[Segment]) -> Result<Vec<String>, LinkageError> {
        if dynamic.size > LARGEST_DYNAMIC {
            return Err(Broken("its dynamic section is larger than any"));
        }
        let section = self.bytes(dynamic.offset, dynamic.size)?;
        let half = if self.wide { 8 } else { 4 };
        let entries = || {
            let entries = section.chunks_exact(2 * half);
            entries
                .map(|entry| (self.word(entry, 0), self.word(entry, half)))
                .take_while(|(tag, _)| *tag != DT_NULL)
        };
        let value = |wanted| entries().find(|(tag, _)| *tag == wanted).map(|(_, value)| value);
        let names: Vec<u64> = entries().filter(|(tag, _)| *tag == DT_NEEDED).map(|(_, name)| name).collect();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let lost = Broken("its dynamic section has no names");
        let Some(address) = value(DT_STRTAB) else { return Err(lost) };
        let loaded = all.iter().filter(|segment| segment.kind == PT_LOAD);
        let Some((start, there)) = loaded.filter_map(|one| one.locate(address)).next() else {
            return Err(lost);
        };
        let length = value(DT_STRSZ).unwrap_or(there).min(there);
        let name = |at: u64| {
            let left = length.checked_sub(at).filter(|left| *left > 0);
            let (Some(left), Some(at)) = (left, start.checked_add(at)) else {
                return Err(Broken("a library's name lies outside of it"));
            };
            text(&self.up_to(at, left.min(LONGEST_NAME))?)
        };
        names.into_iter().map(name).collect()
    }

    /// Exactly `length` bytes; the caller has seen to it that they are few.
    fn bytes(&self, offset: u64, length: u64) -> Result<Vec<u8>, LinkageError> {
        let bytes = self.up_to(offset, length)?;
        if bytes.len() as u64 == length { Ok(bytes) } else { Err(Broken("it ends too early")) }
    }

    /// `length` bytes, fewer where the file ends.
    fn up_to(&self, offset: u64, length: u64) -> Result<Vec<u8>, LinkageError> {
        let mut bytes = vec![0; usize::try_from(length).map_err(|_| Broken("it ends too early"))?];
        let mut have = 0;
        while have < bytes.len() {
            let at = offset.checked_add(have as u64).filter(|at| *at <= i64::MAX as u64);
            match (self.read)(&mut bytes[have..], at.ok_or(Broken("it ends too early"))?) {
                Ok(0) => break,
                Ok(more) => have += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        bytes.truncate(have);
        Ok(bytes)
    }

    fn half(&self, bytes: &[u8], at: usize) -> usize {
        self.number(bytes, at, 2) as usize
    }

    /// An address or a size, as wide as the class has them.
    fn word(&self, bytes: &[u8], at: usize) -> u64 {
        self.number(bytes, at, if self.wide { 8 } else { 4 })
    }

    fn number(&self, bytes: &[u8], at: usize, width: usize) -> u64 {
        let add = |sum: u64, byte: &u8| (sum << 8) | u64::from(*byte);
        let field = &bytes[at..at + width];
        if self.big { field.iter().fold(0, add) } else { field.iter().rev().fold(0, add) }
    }
}

/// Text up to its zero byte, with nothing in it that a terminal would obey.
fn text(bytes: &[u8]) -> Result<String, LinkageError> {
    let end = bytes.iter().position(|byte| *byte == 0).ok_or(Broken("a name in it has no end"))?;
    let text = String::from_utf8_lossy(&bytes[..end]);
    Ok(if text.contains(char::is_control) { text.escape_debug().to_string() } else { text.into_owned() })
}

#[cfg(test)]
mod tests;
