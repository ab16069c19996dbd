//! The rows of an index: in memory, or in a file that is mapped into it.
//!
//! A run that does nothing looks at each row once. Mapped, the rows are neither copied nor is memory
//! for them asked for.

use std::fs::File;
use std::io;
use std::ops::{Deref, Range};
use std::ptr::NonNull;
use std::sync::Arc;

use bytemuck::Pod;
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// All pages at once, where that can be had: a fault for each costs more than the page.
#[cfg(target_os = "linux")]
const FLAGS: MapFlags = MapFlags::PRIVATE.union(MapFlags::POPULATE);
#[cfg(not(target_os = "linux"))]
const FLAGS: MapFlags = MapFlags::PRIVATE;

/// A whole file, readable as long as this lives. The file is one that nobody writes to: it is only
/// ever replaced by another.
#[derive(Debug)]
pub struct Mapping {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: the memory is only read, and belongs to this value alone.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps the first `length` bytes, which must be there and more than none.
    pub fn of(file: &File, length: usize) -> io::Result<Self> {
        if length == 0 {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        // SAFETY: a new mapping at a place of the kernel's choice touches nobody else's memory.
        let start = unsafe { mmap(std::ptr::null_mut(), length, ProtFlags::READ, FLAGS, file, 0) }?;
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Self { start, length })
    }

    pub fn bytes(&self) -> &[u8] {
        // SAFETY: that many readable bytes stay mapped until `drop`.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: nobody holds a reference into it any more.
        let _ = unsafe { munmap(self.start.as_ptr().cast(), self.length) };
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub enum Rows<T> {
    Owned(Vec<T>),
    /// Bytes of the mapping that are whole, aligned rows.
    Mapped(Arc<Mapping>, Range<usize>),
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self::Owned(Vec::new())
    }
}

impl<T: Pod> Rows<T> {
    /// None when the range is not within the mapping, or holds no whole, aligned rows.
    pub fn mapped(mapping: &Arc<Mapping>, range: Range<usize>) -> Option<Self> {
        let bytes = mapping.bytes().get(range.clone())?;
        bytemuck::try_cast_slice::<u8, T>(bytes).ok()?;
        Some(Self::Mapped(Arc::clone(mapping), range))
    }

    /// Rows that can be changed; those of a file are copied first.
    pub fn edit(&mut self) -> &mut Vec<T> {
        if let Self::Mapped(..) = self {
            *self = Self::Owned(self.to_vec());
        }
        match self {
            Self::Owned(rows) => rows,
            Self::Mapped(..) => unreachable!("they were copied"),
        }
    }
}

impl<T: Pod> Deref for Rows<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::Owned(rows) => rows,
            Self::Mapped(mapping, range) => bytemuck::cast_slice(&mapping.bytes()[range.clone()]),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn rows_of_a_file_are_those_that_were_written() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytemuck::cast_slice(&[1u64, 2, 3])).unwrap();
        let mapping = Arc::new(Mapping::of(&file, 24).unwrap());
        let mut rows: Rows<u64> = Rows::mapped(&mapping, 8..24).unwrap();
        assert_eq!(*rows, [2, 3]);
        rows.edit().push(4);
        assert_eq!(*rows, [2, 3, 4]);
        for odd in [4..20, 8..20, 16..32] {
            assert!(Rows::<u64>::mapped(&mapping, odd).is_none());
        }
        assert!(Mapping::of(&file, 0).is_err());
    }
}
