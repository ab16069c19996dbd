//! Whether a package, a folder or an archive of one, is what its build manifest says.
//!
//! One pass over an archive; nothing is unpacked, and of a file no more than a buffer is in memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::digest::Digest;
use crate::inputs::hash;
use crate::path::RelPath;
use crate::pipeline::Kind;
use crate::run::build_manifest::{BuildManifest, BuildManifestError, ListedEntry, Mode, Provenance};

/// A manifest is a list; one that is larger than this is none.
const LARGEST: u64 = 256 << 20;

/// What was found of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    pub kind: Kind,
    /// Whether anything in it was taken as it was (`--assume-fresh`).
    pub assumed: bool,
    /// What its manifest tells of the build.
    pub facts: BTreeMap<String, String>,
    pub provenance: BTreeMap<String, Provenance>,
    /// What its manifest lists.
    pub listed: usize,
    /// Listed, and not there.
    pub missing: Vec<RelPath>,
    /// There, and not as listed: what differs.
    pub altered: Vec<(RelPath, Difference)>,
    /// There, and not listed: a person's own files, in a folder.
    pub extra: Vec<RelPath>,
    /// Of an archive, whether it is what the checksum beside it says; none without one.
    pub checksum: Option<bool>,
}

/// What differs in a listed entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// A file, link or folder where something else is listed.
    Kind,
    Content,
    /// 755 or 644.
    Mode,
    /// Where a link leads.
    Target,
}

/// Why a package cannot be verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("there is no `{0}` in it")]
    NoManifest(String),
    #[error("its build manifest cannot be used")]
    Manifest(#[from] BuildManifestError),
    #[error("`{0}` is no path that may stand in an archive")]
    Path(String),
    #[error("`{0}` stands in it twice")]
    Twice(RelPath),
    #[error("it is no archive that can be read: name ends in .tar, .tar.gz, .tgz or .tar.zst")]
    Name,
    #[error("it cannot be read to its end")]
    Read(#[source] io::Error),
    #[error("`{0}` cannot be read")]
    File(PathBuf, #[source] io::Error),
}

/// A path as it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Found {
    File { digest: Digest, executable: bool },
    Link(String),
    Folder,
}

impl Verified {
    /// Whether everything listed is as listed; files that a person added do not count.
    pub fn holds(&self) -> bool {
        self.missing.is_empty() && self.altered.is_empty() && self.checksum != Some(false)
    }
}

/// Verifies the folder or archive at `path`, whose manifest is called `manifest`.
pub fn verify(path: &Path, manifest: &str) -> Result<Verified, VerifyError> {
    if path.is_dir() { folder(path, manifest) } else { archive(path, manifest) }
}

fn folder(root: &Path, manifest: &str) -> Result<Verified, VerifyError> {
    let place = root.join(manifest);
    let bytes = match std::fs::read(&place) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(VerifyError::NoManifest(manifest.to_owned()));
        }
        Err(error) => return Err(VerifyError::File(place, error)),
    };
    let listed = BuildManifest::from_bytes(&bytes)?;
    let mut paths = Vec::new();
    collect(root, &RelPath::root(), &mut paths)?;
    let found = hash::each(&paths, |(path, kind), _| {
        let place = path.under(root);
        let wrong = |error| VerifyError::File(place.clone(), error);
        Ok::<_, VerifyError>((
            path.clone(),
            match kind {
                Seen::Link => {
                    let target = std::fs::read_link(&place).map_err(wrong)?;
                    Found::Link(target.to_string_lossy().into_owned())
                }
                Seen::Folder => Found::Folder,
                Seen::File { executable } => {
                    let digest = content(File::open(&place).map_err(wrong)?).map_err(wrong)?;
                    Found::File { digest, executable: *executable }
                }
            },
        ))
    });
    let found = found.into_iter().collect::<Result<BTreeMap<RelPath, Found>, VerifyError>>()?;
    Ok(compare(listed, found, manifest, None))
}

enum Seen {
    File {
        executable: bool,
    },
    Link,
    /// With nothing in it: others are known by what they hold.
    Folder,
}

fn collect(root: &Path, at: &RelPath, out: &mut Vec<(RelPath, Seen)>) -> Result<(), VerifyError> {
    let place = at.under(root);
    let wrong = |error| VerifyError::File(place.clone(), error);
    let mut empty = true;
    for entry in std::fs::read_dir(&place).map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        empty = false;
        let below = at.child(&entry.file_name().to_string_lossy());
        let meta = entry.metadata().map_err(wrong)?;
        if meta.is_dir() {
            collect(root, &below, out)?;
        } else if meta.is_symlink() {
            out.push((below, Seen::Link));
        } else {
            let mode = std::os::unix::fs::PermissionsExt::mode(&meta.permissions());
            out.push((below, Seen::File { executable: mode & 0o100 != 0 }));
        }
    }
    if empty && !at.is_root() {
        out.push((at.clone(), Seen::Folder));
    }
    Ok(())
}

fn archive(path: &Path, manifest: &str) -> Result<Verified, VerifyError> {
    let wrong = |error| VerifyError::File(path.to_owned(), error);
    let mut source = Summed { file: File::open(path).map_err(wrong)?, sum: Sha256::new() };
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let entries = if name.ends_with(".tar.gz") || name.ends_with(".tgz") {
        read(&mut flate2::read::MultiGzDecoder::new(&mut source), manifest)
    } else if name.ends_with(".tar.zst") {
        let decoder = zstd::stream::read::Decoder::new(&mut source).map_err(VerifyError::Read)?;
        read(&mut { decoder }, manifest)
    } else if name.ends_with(".tar") {
        read(&mut source, manifest)
    } else {
        return Err(VerifyError::Name);
    };
    let (found, bytes) = entries?;
    // What stands behind the archive's end counts in its checksum, too.
    io::copy(&mut source, &mut io::sink()).map_err(VerifyError::Read)?;
    let listed =
        BuildManifest::from_bytes(&bytes.ok_or_else(|| VerifyError::NoManifest(manifest.to_owned()))?)?;
    let sum: String = source.sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let beside = path.with_file_name(format!("{name}.sha256"));
    let checksum =
        std::fs::read_to_string(beside).ok().map(|text| text.trim_start_matches('\\').starts_with(&sum));
    Ok(compare(listed, found, manifest, checksum))
}

type Entries = (BTreeMap<RelPath, Found>, Option<Vec<u8>>);

/// Every entry, without the one folder that archives have at their top, and the manifest's bytes.
fn read(source: &mut dyn Read, manifest: &str) -> Result<Entries, VerifyError> {
    let mut archive = tar::Archive::new(source);
    let mut found = BTreeMap::new();
    let mut bytes = None;
    for entry in archive.entries().map_err(VerifyError::Read)? {
        let mut entry = entry.map_err(VerifyError::Read)?;
        let named = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let kind = entry.header().entry_type();
        let path =
            RelPath::parse(named.trim_end_matches('/')).map_err(|_| VerifyError::Path(named.clone()))?;
        let Some((_, below)) = path.as_str().split_once('/') else {
            // The top folder itself.
            if kind.is_dir() {
                continue;
            }
            return Err(VerifyError::Path(named));
        };
        let below = RelPath::parse(below).map_err(|_| VerifyError::Path(named.clone()))?;
        let one = match kind {
            tar::EntryType::Directory => Found::Folder,
            tar::EntryType::Symlink => {
                let target = entry.link_name_bytes().unwrap_or_default();
                Found::Link(String::from_utf8_lossy(&target).into_owned())
            }
            tar::EntryType::Regular | tar::EntryType::Continuous => {
                let executable = entry.header().mode().map_err(VerifyError::Read)? & 0o100 != 0;
                let digest = if below.as_str() == manifest {
                    let mut text = Vec::new();
                    entry.by_ref().take(LARGEST).read_to_end(&mut text).map_err(VerifyError::Read)?;
                    let digest = Digest::of(&text);
                    bytes = Some(text);
                    digest
                } else {
                    content(&mut entry).map_err(VerifyError::Read)?
                };
                Found::File { digest, executable }
            }
            _ => return Err(VerifyError::Path(named)),
        };
        if found.insert(below.clone(), one).is_some() && !kind.is_dir() {
            return Err(VerifyError::Twice(below));
        }
    }
    Ok((found, bytes))
}

fn content(source: impl Read) -> io::Result<Digest> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(source)?;
    Ok(hasher.finalize().into())
}

fn compare(
    listed: BuildManifest,
    mut found: BTreeMap<RelPath, Found>,
    manifest: &str,
    checksum: Option<bool>,
) -> Verified {
    let mut verified = Verified {
        kind: listed.kind,
        assumed: listed.assumed,
        facts: listed.facts,
        provenance: listed.provenance,
        listed: listed.files.len(),
        missing: Vec::new(),
        altered: Vec::new(),
        extra: Vec::new(),
        checksum,
    };
    for one in listed.files {
        let difference = match (found.remove(&one.path), &one.entry) {
            (None, ListedEntry::EmptyFolder) if found.keys().any(|path| path.is_within(&one.path)) => {
                // Somebody put something into it, which is told as extra.
                None
            }
            (None, _) => {
                verified.missing.push(one.path);
                continue;
            }
            (Some(Found::File { digest, executable }), ListedEntry::File { size: _, mode, blake3 }) => {
                if digest != *blake3 {
                    Some(Difference::Content)
                } else if executable != (*mode == Mode::Executable) {
                    Some(Difference::Mode)
                } else {
                    None
                }
            }
            (Some(Found::Link(there)), ListedEntry::Link { target }) => {
                (there != *target).then_some(Difference::Target)
            }
            (Some(Found::Folder), ListedEntry::EmptyFolder) => None,
            (Some(_), _) => Some(Difference::Kind),
        };
        verified.altered.extend(difference.map(|difference| (one.path, difference)));
    }
    let is_extra = |(path, what): &(RelPath, Found)| *what != Found::Folder && path.as_str() != manifest;
    verified.extra = found.into_iter().filter(is_extra).map(|(path, _)| path).collect();
    verified
}

/// Reads a file and sums up what was read.
struct Summed {
    file: File,
    sum: Sha256,
}

impl Read for Summed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.sum.update(&buffer[..read]);
        Ok(read)
    }
}
