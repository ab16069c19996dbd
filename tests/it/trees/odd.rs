//! Trees with everything in them that a file system and git allow.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::project::write;

/// Names that quoting, sorting, globbing or splitting by someone on the way would spoil.
const NAMES: [&str; 24] = [
    "with space.php",
    " space at both ends ",
    "(brackets) [1] {2}.txt",
    "it's \"quoted\".js",
    "new\nline",
    "tab\there",
    "-rf",
    "--help",
    "#comment",
    "!bang",
    "*",
    "what?",
    "back\\slash",
    "C:\\colon",
    "semi;colon&and|pipe",
    "$HOME `id` $(id) %PATH%",
    "übersicht.html",
    "u\u{308}bersicht.html",
    "日本語",
    "🦀.rs",
    "...",
    "~",
    "a.b",
    "a-b",
];

/// The next of a fixed sequence of numbers.
pub fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// `size` bytes that hardly compress.
pub fn noise(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        bytes.extend_from_slice(&next(&mut state).to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

/// Fills `root` with about `files` files. No empty folders: git does not know them.
pub fn fill(root: &Path, files: usize) {
    let mut state = 1;
    for at in 0..files {
        let group = at / 7;
        let folder = root.join(format!("src/{}{}/part {}", NAMES[group % 24], group % 40, group / 40));
        let size = (next(&mut state) % 900) as usize;
        let mut content = format!("<?php // file {at}\n").into_bytes();
        content.extend(noise(next(&mut state), if at % 11 == 0 { 0 } else { size }));
        write(&folder.join(format!("f{at}.php")), content);
    }
    for name in NAMES {
        write(&root.join("names").join(name), name);
        write(&root.join("folders").join(name).join("inside"), name);
    }
    // Sorted by name or by whole path, these come in different orders.
    for path in ["sort/a-b", "sort/a/b", "sort/a.c", "sort/a0", "sort/ab"] {
        write(&root.join(path), path);
    }
    sizes(root);
    long(root);
    modes(root);
    links(root);
}

fn sizes(root: &Path) {
    for size in [0, 1, 511, 512, 513, 65_535, 65_536, 65_537, 1 << 20, 3 << 20] {
        write(&root.join(format!("sizes/{size}")), noise(size as u64, size));
        write(&root.join(format!("sizes/{size}.same")), noise(size as u64, size));
    }
    write(&root.join("sizes/zeros"), vec![0; 300_000]);
    write(&root.join("empty/one"), "");
    write(&root.join("empty/two"), "");
}

/// Around the lengths at which tar's headers overflow: 100 for a name, 155 and 100 for a split
/// one, 255 for one name on disk.
fn long(root: &Path) {
    for length in [98, 99, 100, 101, 154, 155, 156, 254, 255] {
        let name = "n".repeat(length);
        write(&root.join("long").join(&name), &name);
        write(&root.join("long folders").join(&name).join(&name), &name);
    }
    let mut deep = root.join("deep");
    for level in 0..12 {
        deep.push(format!("{level}-{}", "level ".repeat(10)));
    }
    write(&deep.join("bottom"), "deep");
    write(&root.join("long/ü").join("ä".repeat(120)), "240 bytes, 120 letters");
}

fn modes(root: &Path) {
    for mode in [0o644, 0o755, 0o444, 0o555, 0o600, 0o700, 0o640, 0o777, 0o664] {
        let path = root.join(format!("modes/{mode:o}"));
        write(&path, format!("{mode:o}"));
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
}

fn links(root: &Path) {
    let folder = root.join("links/below");
    fs::create_dir_all(&folder).unwrap();
    write(&folder.join("target"), "target");
    let long = format!("../../long/{}", "n".repeat(255));
    for (name, target) in [
        ("to file", "target"),
        ("to folder", "../../names"),
        ("to root", "../.."),
        ("to itself", "to itself"),
        ("dangling", "nowhere/at all"),
        ("by dots", "./.././below/target"),
        ("odd\nname", "../../names/new\nline"),
        ("ünicode", "../../names/übersicht.html"),
        ("trailing slash", "../below/"),
        ("long", long.as_str()),
    ] {
        symlink(target, folder.join(name)).unwrap();
    }
}
