use super::*;

/// A binary made by hand: one loaded segment that is the whole file, and what a test puts in.
#[derive(Clone, Copy)]
struct Made<'a> {
    wide: bool,
    big: bool,
    interpreter: Option<&'a str>,
    needed: &'a [&'a str],
    dynamic: bool,
}

const STATIC: Made<'_> = Made { wide: true, big: false, interpreter: None, needed: &[], dynamic: false };

impl Made<'_> {
    fn put(self, bytes: &mut Vec<u8>, value: u64, width: usize) {
        let all = value.to_le_bytes();
        let field = &all[..width];
        if self.big { bytes.extend(field.iter().rev()) } else { bytes.extend(field) }
    }

    fn bytes(self) -> Vec<u8> {
        const BASE: u64 = 0x40_0000;
        let word = if self.wide { 8 } else { 4 };
        let (header, entry) = if self.wide { (64, 56) } else { (52, 32) };
        let is_dynamic = self.dynamic || !self.needed.is_empty();
        let count = 1 + usize::from(self.interpreter.is_some()) + usize::from(is_dynamic);
        let begin = header + count * entry;
        let mut tail = Vec::new();
        let mut segments = Vec::new();
        if let Some(interpreter) = self.interpreter {
            segments.push((PT_INTERP, begin, interpreter.len() + 1));
            tail.extend_from_slice(interpreter.as_bytes());
            tail.push(0);
        }
        if is_dynamic {
            let names = begin + tail.len();
            let mut places = Vec::new();
            let table = tail.len();
            for name in self.needed {
                places.push(tail.len() - table);
                tail.extend_from_slice(name.as_bytes());
                tail.push(0);
            }
            let size = tail.len() - table;
            segments.push((PT_DYNAMIC, begin + tail.len(), 2 * word * (places.len() + 3)));
            for place in places {
                self.put(&mut tail, DT_NEEDED, word);
                self.put(&mut tail, place as u64, word);
            }
            for (tag, value) in [(DT_STRTAB, BASE + names as u64), (DT_STRSZ, size as u64), (DT_NULL, 0)] {
                self.put(&mut tail, tag, word);
                self.put(&mut tail, value, word);
            }
        }
        segments.push((PT_LOAD, 0, begin + tail.len()));
        let mut bytes = b"\x7fELF".to_vec();
        bytes.extend([if self.wide { 2 } else { 1 }, if self.big { 2 } else { 1 }, 1]);
        bytes.resize(16, 0);
        // Type, machine, version; entry, program headers, section headers; flags; sizes and counts.
        for (value, width) in
            [(2, 2), (62, 2), (1, 4), (BASE, word), (header as u64, word), (0, word), (0, 4)]
        {
            self.put(&mut bytes, value, width);
        }
        for value in [header, entry, count, 0, 0, 0] {
            self.put(&mut bytes, value as u64, 2);
        }
        for (kind, offset, size) in segments {
            let (offset, size) = (offset as u64, size as u64);
            self.put(&mut bytes, kind.into(), 4);
            if self.wide {
                self.put(&mut bytes, 4, 4);
            }
            for value in [offset, BASE + offset, BASE + offset, size, size] {
                self.put(&mut bytes, value, word);
            }
            if !self.wide {
                self.put(&mut bytes, 4, 4);
            }
            self.put(&mut bytes, 1, word);
        }
        assert_eq!(bytes.len(), begin);
        bytes.extend(tail);
        bytes
    }
}

fn of(bytes: &[u8]) -> Result<Linkage, LinkageError> {
    Linkage::read(&|into, at| {
        let from = usize::try_from(at).ok().and_then(|at| bytes.get(at..)).unwrap_or_default();
        let length = from.len().min(into.len());
        into[..length].copy_from_slice(&from[..length]);
        Ok(length)
    })
}

fn broken(bytes: &[u8]) -> String {
    match of(bytes) {
        Err(Broken(why)) => why.to_owned(),
        other => panic!("{other:?}"),
    }
}

/// Every class and byte order.
fn shapes() -> impl Iterator<Item = Made<'static>> {
    [(true, false), (true, true), (false, false), (false, true)].into_iter().map(|(wide, big)| Made {
        wide,
        big,
        ..STATIC
    })
}

#[test]
fn static_binaries_want_nothing() {
    for shape in shapes() {
        for dynamic in [false, true] {
            // With a dynamic section and no libraries: position-independent, and static all the same.
            let linkage = of(&Made { dynamic, ..shape }.bytes()).unwrap();
            assert!(linkage.is_static(), "{linkage:?}");
        }
    }
}

#[test]
fn interpreter_and_libraries_are_named() {
    for shape in shapes() {
        let made = Made { interpreter: Some("/lib/ld.so"), needed: &["libm.so.6", "libc.so.6"], ..shape };
        let linkage = of(&made.bytes()).unwrap();
        assert_eq!(linkage.interpreter.as_deref(), Some("/lib/ld.so"));
        assert_eq!(linkage.needed, ["libm.so.6", "libc.so.6"]);
        assert!(!linkage.is_static());
        // Either of them is one too many.
        assert!(!of(&Made { needed: &[], ..made }.bytes()).unwrap().is_static());
        assert!(!of(&Made { interpreter: None, ..made }.bytes()).unwrap().is_static());
    }
}

#[test]
fn programs_of_this_machine_are_understood() {
    use std::os::unix::fs::FileExt;
    let file = std::fs::File::open("/bin/sh").unwrap();
    let linkage = Linkage::read(&|into, at| file.read_at(into, at)).unwrap();
    assert_eq!(linkage.is_static(), linkage.needed.is_empty(), "{linkage:?}");
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_refused_or_understood_without_what_is_missing() {
    for shape in shapes() {
        let bytes = Made { interpreter: Some("/lib/ld.so"), needed: &["libc.so.6"], ..shape }.bytes();
        for length in 0..bytes.len() {
            assert!(of(&bytes[..length]).is_err(), "{length} of {}", bytes.len());
        }
    }
}

#[test]
fn no_byte_whatever_its_value_makes_it_panic_or_ask_for_much() {
    for shape in shapes() {
        let good = Made { interpreter: Some("/lib/ld.so"), needed: &["libc.so.6"], ..shape }.bytes();
        for at in 0..good.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff, good[at] ^ 1] {
                let mut bytes = good.clone();
                bytes[at] = value;
                let _ = Linkage::read(&|into, at| {
                    assert!(into.len() <= LARGEST_TABLE, "{} bytes at once", into.len());
                    let from = usize::try_from(at).ok().and_then(|at| bytes.get(at..)).unwrap_or_default();
                    let length = from.len().min(into.len());
                    into[..length].copy_from_slice(&from[..length]);
                    Ok(length)
                });
            }
        }
    }
}

#[test]
fn impossible_headers_are_refused_with_their_reason() {
    let good = Made { interpreter: Some("/lib/ld.so"), needed: &["libc.so.6"], ..STATIC }.bytes();
    let with = |at: usize, field: &[u8]| {
        let mut bytes = good.clone();
        bytes[at..at + field.len()].copy_from_slice(field);
        broken(&bytes)
    };
    assert_eq!(with(54, &[0, 0]), "its program headers have no possible size");
    assert_eq!(with(54, &[57, 0]), "its program headers have no possible size");
    assert_eq!(with(56, &[0, 0]), "it has no program headers");
    assert_eq!(with(56, &[0xff, 0xff]), "its program headers have no possible size");
    assert_eq!(with(32, &[0xff; 8]), "it ends too early");
    assert_eq!(with(4, &[9]), "its header is none of ELF");
    // Of the first header, the interpreter's: its place and its size.
    assert_eq!(with(64 + 8, &[0xff; 8]), "it ends too early");
    assert_eq!(with(64 + 32, &[0xff; 8]), "its interpreter has no possible name");
    assert_eq!(with(64 + 32, &[1, 0, 0, 0, 0, 0, 0, 0]), "its interpreter has no possible name");
    // Of the second, the dynamic section's.
    assert_eq!(with(64 + 56 + 32, &[0xff; 8]), "its dynamic section is larger than any");
    // Of the third, which shows where names stand.
    assert_eq!(with(64 + 2 * 56, &[0; 4]), "its dynamic section has no names");
}

#[test]
fn a_name_cannot_speak_to_a_terminal() {
    let made = Made { interpreter: Some("/lib/\x1b[2Jld"), ..STATIC };
    assert_eq!(of(&made.bytes()).unwrap().interpreter.as_deref(), Some("/lib/\\u{1b}[2Jld"));
}
