//! The state file: what a run that does nothing reads, in one go, instead of everything else.
//!
//! ```text
//! MAGIC                     16 bytes, with the version of the format
//! lengths                   8 × u64 little-endian: meta, five parts of the index, document, keys
//! checksum                  BLAKE3 of lengths, meta and index
//! meta, index               meta is filled up to a multiple of 8
//! document, keys            the compiled pipeline and the nodes' keys: doing nothing leaves them unread
//! ```
//! Disposable: a file that is missing, damaged, from another boot or another version is no error,
//! the survey then reads what it must. Written to a temporary name and renamed.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::inputs::Index;
use crate::inputs::index::Mapping;
use crate::inputs::input::{GitAnswer, GitQuestion, ToolQuestion};
use crate::key::Key;
use crate::run::gates::Unproven;

const MAGIC: &[u8; 16] = b"osgraph-state 5\n";

/// What the index does not hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// Stats of another boot are not trusted: what was not flushed may be gone.
    pub boot: String,
    /// The version of the program that wrote this.
    pub program: String,
    /// Of the pipeline file that `document` was compiled from.
    pub pipeline: Option<Digest>,
    /// Environment names that give parameters.
    pub names: Vec<String>,
    /// The last question whose answer was "everything is fresh".
    pub answer: Option<Answer>,
}

/// A question that was answered by "fresh", and what must still hold besides the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Digest of targets, parameters given, project and store.
    pub question: Digest,
    pub nodes: usize,
    /// Commands and the identity they printed.
    pub tools: Vec<(ToolQuestion, String)>,
    /// Git references and what they came to.
    pub sources: Vec<(GitQuestion, GitAnswer)>,
    /// References and ids of images, and the ids that the engine had for them.
    pub images: Vec<(String, Option<String>)>,
    /// Binaries whose checks could not be run: to be told again.
    pub unproven: Vec<Unproven>,
    /// The machine that could not, where there are some.
    pub machine: Option<Digest>,
}

impl Answer {
    /// Whether it is one to this question, here: a machine that now runs what it could not run has
    /// checks to run. It is asked for only where there are some.
    pub fn answers(&self, question: Digest, machine: &dyn Fn() -> Digest) -> bool {
        self.question == question && self.machine.is_none_or(|known| known == machine())
    }
}

/// A state file read back.
#[derive(Default)]
pub struct Snapshot {
    pub meta: Meta,
    pub index: Index,
    file: Option<File>,
    /// Where the compiled pipeline lies in it, and where the keys: offset and length.
    document: (u64, u64),
    keys: (u64, u64),
}

impl Snapshot {
    /// Reads the state at `path`; the empty one when it cannot be used.
    pub fn read(path: &Path, boot: &str, program: &str) -> Self {
        Self::try_read(path)
            .filter(|found| found.meta.boot == boot && found.meta.program == program)
            .unwrap_or_default()
    }

    fn try_read(path: &Path) -> Option<Self> {
        let mut file = File::open(path).ok()?;
        let mut head = [0; 16 + 8 * 8 + 32];
        file.read_exact(&mut head).ok()?;
        if head[..16] != *MAGIC {
            return None;
        }
        let mut lengths = [0u64; 8];
        for (length, bytes) in lengths.iter_mut().zip(head[16..80].chunks_exact(8)) {
            *length = u64::from_le_bytes(bytes.try_into().ok()?);
        }
        let [meta_length, rest @ ..] = lengths;
        let size = file.metadata().ok()?.len();
        let total = lengths.iter().try_fold(head.len() as u64, |sum, length| sum.checked_add(*length))?;
        if total != size {
            return None;
        }
        let read = size - rest[5] - rest[6];
        let mapping = Arc::new(Mapping::of(&file, usize::try_from(read).ok()?).ok()?);
        let start = head.len().checked_add(usize::try_from(meta_length).ok()?)?;
        let meta = mapping.bytes().get(head.len()..start)?;
        let index = Index::mapped(&mapping, start, [rest[0], rest[1], rest[2], rest[3], rest[4]])?;
        if head[80..] != *checksum(&head[16..80], meta, &index).as_bytes() {
            return None;
        }
        let meta: Meta = postcard::from_bytes(meta).ok()?;
        let (document, keys) = ((read, rest[5]), (read + rest[5], rest[6]));
        Some(Self { meta, index, file: Some(file), document, keys })
    }

    /// The compiled pipeline's bytes, if it was compiled from a file with this digest.
    pub fn document(&mut self, pipeline: &Digest) -> Option<Vec<u8>> {
        if self.meta.pipeline != Some(*pipeline) {
            return None;
        }
        self.part(self.document)
    }

    /// The keys of all nodes in question of the answer, upstreams first; none for a group. Empty where they
    /// were not all known.
    pub fn keys(&mut self) -> Vec<Option<Key>> {
        let bytes = self.part(self.keys).unwrap_or_default();
        let keys = bytes.as_chunks::<32>().0.iter();
        keys.map(|key| (*key != [0; 32]).then(|| Key(Digest::from_bytes(*key)))).collect()
    }

    /// A part that is only read when somebody wants it.
    fn part(&mut self, (offset, length): (u64, u64)) -> Option<Vec<u8>> {
        let file = self.file.as_mut().filter(|_| length > 0)?;
        file.seek(SeekFrom::Start(offset)).ok()?;
        let mut bytes = vec![0; usize::try_from(length).ok()?];
        file.read_exact(&mut bytes).ok()?;
        // The first 32 bytes are the digest of the rest.
        let (digest, rest) = bytes.split_at_checked(32)?;
        (digest == Digest::of(rest).as_bytes()).then(|| rest.to_vec())
    }
}

/// Writes the state, replacing the one at `path`. `keys` are those of all nodes in question.
pub fn write(
    path: &Path,
    meta: &Meta,
    index: &Index,
    document: &[u8],
    keys: &[Option<Key>],
) -> io::Result<()> {
    let mut meta = postcard::to_stdvec(meta).map_err(io::Error::other)?;
    // The index's rows are aligned.
    meta.resize(meta.len().next_multiple_of(8), 0);
    let parts = index.parts().0;
    let keys: Vec<u8> = keys.iter().flat_map(|key| key.map_or([0; 32], |key| *key.0.as_bytes())).collect();
    let mut lengths = Vec::with_capacity(64);
    lengths.extend_from_slice(&(meta.len() as u64).to_le_bytes());
    for part in parts {
        lengths.extend_from_slice(&(part.len() as u64).to_le_bytes());
    }
    for part in [document, &keys] {
        let length = if part.is_empty() { 0 } else { part.len() as u64 + 32 };
        lengths.extend_from_slice(&length.to_le_bytes());
    }
    let temporary = path.with_extension(format!("tmp-{}", std::process::id()));
    let result = (|| {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(&temporary)?);
        out.write_all(MAGIC)?;
        out.write_all(&lengths)?;
        out.write_all(checksum(&lengths, &meta, index).as_bytes())?;
        out.write_all(&meta)?;
        for part in parts {
            out.write_all(part)?;
        }
        for part in [document, &keys].into_iter().filter(|part| !part.is_empty()) {
            out.write_all(Digest::of(part).as_bytes())?;
            out.write_all(part)?;
        }
        out.into_inner().map_err(io::IntoInnerError::into_error)?;
        fs::rename(&temporary, path)
    })();
    if result.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    result
}

fn checksum(lengths: &[u8], meta: &[u8], index: &Index) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher.update(lengths);
    hasher.update(meta);
    for part in index.parts().0 {
        hasher.update(part);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::index::{Builder, Loose};

    const KEYS: [Option<Key>; 2] = [Some(Key(Digest::from_bytes([7; 32]))), None];

    fn sample() -> (Meta, Index) {
        let mut builder = Builder::default();
        builder.add_loose(Path::new("/a/b"), Loose::Absent);
        let meta = Meta {
            boot: "boot".into(),
            program: "1".into(),
            pipeline: Some(Digest::of(b"kdl")),
            ..Meta::default()
        };
        (meta, builder.finish())
    }

    #[test]
    fn what_is_written_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let (meta, index) = sample();
        write(&path, &meta, &index, b"document", &KEYS).unwrap();
        let mut found = Snapshot::read(&path, "boot", "1");
        assert_eq!(found.meta, meta);
        assert_eq!(found.index.file_count(), 1);
        assert_eq!(found.document(&Digest::of(b"kdl")).unwrap(), b"document");
        assert_eq!(found.document(&Digest::of(b"other")), None);
        assert_eq!(found.keys(), KEYS);
    }

    #[test]
    fn any_flipped_or_missing_byte_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let (meta, index) = sample();
        write(&path, &meta, &index, b"document", &KEYS).unwrap();
        let good = fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(&path, &bad).unwrap();
            let mut found = Snapshot::read(&path, "boot", "1");
            let read = found.meta == meta && found.document(&Digest::of(b"kdl")).is_some();
            assert!(!read || found.keys().is_empty(), "byte {at}");
            fs::write(&path, &good[..at]).unwrap();
            let mut found = Snapshot::read(&path, "boot", "1");
            assert!(found.document(&Digest::of(b"kdl")).is_none(), "cut at {at}");
        }
    }

    #[test]
    fn an_answer_holds_for_its_question_and_where_checks_were_not_run_for_its_machine() {
        let [asked, here, there] = [&b"question"[..], b"here", b"there"].map(Digest::of);
        let answer = |machine| Answer {
            question: asked,
            nodes: 1,
            tools: Vec::new(),
            sources: Vec::new(),
            images: Vec::new(),
            unproven: Vec::new(),
            machine,
        };
        assert!(answer(None).answers(asked, &|| unreachable!("nobody needs to know")));
        assert!(!answer(None).answers(here, &|| here));
        assert!(answer(Some(here)).answers(asked, &|| here));
        assert!(!answer(Some(there)).answers(asked, &|| here));
    }

    #[test]
    fn another_boot_or_program_starts_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let (meta, index) = sample();
        write(&path, &meta, &index, b"", &[]).unwrap();
        assert_eq!(Snapshot::read(&path, "later boot", "1").meta, Meta::default());
        assert_eq!(Snapshot::read(&path, "boot", "2").meta, Meta::default());
    }
}
