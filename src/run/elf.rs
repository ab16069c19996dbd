//! What a file is, from its first bytes: an ELF binary and for which machine, or what else.
//!
//! Knows the identification and machine fields alone; how a binary is linked, [`Linkage`] reads.

use std::fmt;

mod linkage;

pub use linkage::{Linkage, LinkageError};

/// How many of a file's first bytes [`identify`] wants.
pub const HEAD: usize = 64;

/// What the first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Elf(Machine),
    MachO,
    /// A Windows program.
    Pe,
    /// Begins with `#!`.
    Script,
    Gzip,
    Zip,
    Empty,
    Unknown,
}

/// The machine an ELF binary runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    Amd64,
    Arm64,
    /// The number in the header, as the ELF specification assigns it.
    Other(u16),
}

impl Machine {
    /// The machine a pipeline means by `arch`.
    pub fn named(arch: &str) -> Option<Self> {
        match arch {
            "amd64" | "x86_64" => Some(Self::Amd64),
            "arm64" | "aarch64" => Some(Self::Arm64),
            _ => None,
        }
    }

    /// Whether it is the one that this program was made for.
    pub fn is_here(self) -> bool {
        Self::named(std::env::consts::ARCH) == Some(self)
    }

    /// What this machine is called, as pipelines call it where they do.
    pub fn here() -> String {
        Self::named(std::env::consts::ARCH)
            .map_or_else(|| std::env::consts::ARCH.to_owned(), |machine| machine.to_string())
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Amd64 => f.write_str("amd64"),
            Self::Arm64 => f.write_str("arm64"),
            Self::Other(number) => write!(f, "machine {number}"),
        }
    }
}

/// With its article, as the object of "it is".
impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elf(machine) => write!(f, "an ELF binary for {machine}"),
            Self::MachO => f.write_str("a macOS binary"),
            Self::Pe => f.write_str("a Windows binary"),
            Self::Script => f.write_str("a script"),
            Self::Gzip => f.write_str("a gzip file"),
            Self::Zip => f.write_str("a zip file"),
            Self::Empty => f.write_str("an empty file"),
            Self::Unknown => f.write_str("of no known format"),
        }
    }
}

/// Recognises a file by its first bytes; fewer than [`HEAD`] when it is shorter.
pub fn identify(head: &[u8]) -> Format {
    match head {
        [] => Format::Empty,
        [0x7f, b'E', b'L', b'F', ..] => machine(head).map_or(Format::Unknown, Format::Elf),
        [0xcf | 0xce, 0xfa, 0xed, 0xfe, ..] | [0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, ..] => Format::MachO,
        [b'M', b'Z', ..] => Format::Pe,
        [b'#', b'!', ..] => Format::Script,
        [0x1f, 0x8b, ..] => Format::Gzip,
        [b'P', b'K', 3, 4, ..] => Format::Zip,
        _ => Format::Unknown,
    }
}

/// The machine of an ELF header; none when the header is cut off or is none.
fn machine(head: &[u8]) -> Option<Machine> {
    let (class, order) = (*head.get(4)?, *head.get(5)?);
    let header_size = match class {
        1 => 52,
        2 => 64,
        _ => return None,
    };
    if head.len() < header_size {
        return None;
    }
    let field = [head[18], head[19]];
    let number = match order {
        1 => u16::from_le_bytes(field),
        2 => u16::from_be_bytes(field),
        _ => return None,
    };
    Some(match (number, class) {
        (62, 2) => Machine::Amd64,
        (183, 2) => Machine::Arm64,
        (other, _) => Machine::Other(other),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elf(class: u8, order: u8, machine: [u8; 2]) -> Vec<u8> {
        let mut head = vec![0; HEAD];
        head[..4].copy_from_slice(b"\x7fELF");
        head[4..6].copy_from_slice(&[class, order]);
        head[18..20].copy_from_slice(&machine);
        head
    }

    #[test]
    fn this_test_is_an_elf_binary_for_this_machine() {
        let bytes = std::fs::read("/proc/self/exe").unwrap();
        let here = Machine::named(std::env::consts::ARCH).unwrap();
        assert_eq!(identify(&bytes[..HEAD]), Format::Elf(here));
        assert_eq!(identify(&bytes), Format::Elf(here));
    }

    #[test]
    fn machines_are_read_in_the_headers_byte_order() {
        assert_eq!(identify(&elf(2, 1, [183, 0])), Format::Elf(Machine::Arm64));
        assert_eq!(identify(&elf(2, 2, [0, 22])), Format::Elf(Machine::Other(22)));
        // The x32 ABI has amd64's number in a 32-bit header; it does not run everywhere amd64 does.
        assert_eq!(identify(&elf(1, 1, [62, 0])), Format::Elf(Machine::Other(62)));
    }

    #[test]
    fn broken_headers_are_of_no_known_format() {
        assert_eq!(identify(&elf(2, 1, [62, 0])[..63]), Format::Unknown);
        assert_eq!(identify(b"\x7fELF"), Format::Unknown);
        assert_eq!(identify(&elf(3, 1, [62, 0])), Format::Unknown);
        assert_eq!(identify(&elf(2, 0, [62, 0])), Format::Unknown);
    }

    #[test]
    fn other_files_are_told_apart() {
        assert_eq!(identify(b""), Format::Empty);
        assert_eq!(identify(b"#!/bin/sh\n"), Format::Script);
        assert_eq!(identify(b"\x1f\x8b\x08"), Format::Gzip);
        assert_eq!(identify(b"\xcf\xfa\xed\xfe\x0c"), Format::MachO);
        assert_eq!(identify(b"text"), Format::Unknown);
    }
}
