//! What should stand published for a node, given its artifact: pure but for directory look-ups.

use crate::digest::Digest;
use crate::path::RelPath;
use crate::pipeline::{Archive, ArchiveFormat, Command, Node, Recipe, Seed, Spanned, Work};
use crate::record::Artifact;
use crate::run::archive::{self, Sha256, checksum_line};
use crate::run::task::tree_of;
use crate::store::{Published, Store};
use crate::tree::{Entry, Leaf, Leaves, TreeDigest};

/// One path and what should be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub path: RelPath,
    pub what: Published,
    pub entry: Entry,
}

/// An archive that was made of a tree before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packed {
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
    pub sha256: Sha256,
}

/// Everything a node should have published.
#[derive(Clone, Debug, Default)]
pub struct Publishing {
    pub wanted: Vec<Wanted>,
    /// Archives that no memo knows: they must be packed before they can be published.
    pub unpacked: Vec<Archive>,
    pub seeds: Vec<Seed>,
}

/// The store does not have a directory that is needed to tell.
#[derive(Debug)]
pub struct Unknown;

/// Whether a recipe's outputs are published: a command's always, another's when it runs in place.
pub fn published_outputs(node: &Node) -> &[Spanned<RelPath>] {
    match &node.work {
        Work::Command(Command { recipe, .. }) => &recipe.outputs,
        Work::BaseImage(image) => in_place(&image.recipe),
        Work::AppEmbed(embed) => in_place(&embed.recipe),
        _ => &[],
    }
}

fn in_place(recipe: &Recipe) -> &[Spanned<RelPath>] {
    match recipe {
        Recipe::Host(host) if !host.isolate => &host.outputs,
        _ => &[],
    }
}

/// Whether a node runs in the project itself.
pub fn runs_in_place(node: &Node) -> bool {
    match &node.work {
        Work::Command(Command { recipe, .. }) => !recipe.isolate,
        _ => !published_outputs(node).is_empty(),
    }
}

pub fn publishing(node: &Node, artifact: &Artifact, store: &Store) -> Result<Publishing, Unknown> {
    let mut out = Publishing::default();
    let Artifact::Entry(entry) = artifact else { return Ok(out) };
    let mut put =
        |path: &RelPath, what, entry: Entry| out.wanted.push(Wanted { path: path.clone(), what, entry });
    match &node.work {
        Work::SourceArchive(source) => {
            if let Some(output) = &source.output {
                put(&output.value, Published::Output, entry.clone());
            }
            archives(&source.archives, artifact, store, &mut out)?;
        }
        Work::BinaryExtract(extract) => {
            if let Some(output) = &extract.output {
                put(&output.value, Published::Output, entry.clone());
            }
        }
        Work::Dist(dist) => {
            put(&dist.output.value, Published::Output, entry.clone());
            out.seeds.clone_from(&dist.seeds);
            archives(&dist.archives, artifact, store, &mut out)?;
        }
        Work::Command(_) | Work::BaseImage(_) | Work::AppEmbed(_) => {
            for output in published_outputs(node) {
                let found = find(artifact, &output.value, store)?.ok_or(Unknown)?;
                put(&output.value, Published::Command, found);
            }
        }
        Work::Group(_) => {}
    }
    Ok(out)
}

/// The entry at `path` inside a tree artifact.
pub fn find(artifact: &Artifact, path: &RelPath, store: &Store) -> Result<Option<Entry>, Unknown> {
    let Some(root) = tree_of(artifact) else { return Ok(None) };
    let mut at = Entry::Directory { digest: root };
    for name in path.names() {
        let Entry::Directory { digest } = at else { return Ok(None) };
        let directory = store.directory(digest).ok_or(Unknown)?;
        match directory.get(name) {
            Some(entry) => at = entry.clone(),
            None => return Ok(None),
        }
    }
    Ok(Some(at))
}

fn archives(
    list: &[Archive],
    artifact: &Artifact,
    store: &Store,
    out: &mut Publishing,
) -> Result<(), Unknown> {
    let Some(tree) = tree_of(artifact) else { return Ok(()) };
    for one in list {
        let one = one.of(tree);
        match Packed::recall(store, tree, &one) {
            Some(packed) => out.wanted.extend(both(&one, &packed)),
            None => out.unpacked.push(one),
        }
    }
    Ok(())
}

/// The archives of a node, each at the path that it has for this artifact.
pub fn archives_of(work: &Work, artifact: &Artifact) -> Vec<Archive> {
    tree_of(artifact).map(|tree| work.archives().iter().map(|one| one.of(tree)).collect()).unwrap_or_default()
}

/// What stands in the store's memos for "the archive of this tree". The top folder's name is in
/// it, the archive's own place is not.
pub fn memo(tree: TreeDigest, archive: &Archive) -> Digest {
    let format = match archive.format {
        ArchiveFormat::Tar => "tar",
        ArchiveFormat::TarGz => "tar.gz",
        ArchiveFormat::TarZst => "tar.zst",
    };
    let top = archive::stem(&archive.path.value, archive.format);
    Digest::of(format!("archive 1 {format} {tree} {top}").as_bytes())
}

/// An archive and its checksum file.
pub fn both(archive: &Archive, packed: &Packed) -> [Wanted; 2] {
    let path = &archive.path.value;
    let line = checksum(path, packed);
    let file = |digest, size| Entry::File { digest, size, executable: false };
    [
        Wanted { path: path.clone(), what: Published::Archive, entry: file(packed.digest, packed.size) },
        Wanted {
            path: crate::run::retention::checksum_of(path),
            what: Published::Checksum,
            entry: file(Digest::of(line.as_bytes()), line.len() as u64),
        },
    ]
}

/// The text of an archive's checksum file.
pub fn checksum(path: &RelPath, packed: &Packed) -> String {
    checksum_line(&packed.sha256, path.file_name().unwrap_or_default())
}

impl Packed {
    /// What the store remembers of this tree's archive, and still has: the memo outlives a
    /// content that was damaged, or whose run was killed before it was recorded.
    pub fn recall(store: &Store, tree: TreeDigest, archive: &Archive) -> Option<Self> {
        Self::from_bytes(&store.memo_get(&memo(tree, archive)).ok().flatten()?)
            .filter(|packed| store.contains(&packed.digest))
    }

    /// Digest, size (little-endian), SHA-256.
    pub fn to_bytes(self) -> Vec<u8> {
        let mut bytes = self.digest.as_bytes().to_vec();
        bytes.extend_from_slice(&self.size.to_le_bytes());
        bytes.extend_from_slice(&self.sha256.0);
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (digest, rest) = bytes.split_first_chunk::<32>()?;
        let (size, sha256) = rest.split_first_chunk::<8>()?;
        Some(Self {
            digest: Digest::from_bytes(*digest),
            size: u64::from_le_bytes(*size),
            sha256: Sha256(sha256.try_into().ok()?),
        })
    }
}

/// The leaves of a wanted entry, at project paths.
pub fn leaves(wanted: &Wanted, store: &Store) -> Result<Leaves, Unknown> {
    let leaf = match &wanted.entry {
        Entry::File { digest, size, executable } => {
            Leaf::File { digest: *digest, size: *size, executable: *executable }
        }
        Entry::Symlink { target } => Leaf::Symlink { target: target.clone() },
        Entry::Directory { digest } => {
            let tree = store.tree(*digest).map_err(|_| Unknown)?;
            return Ok(tree
                .leaves()
                .into_iter()
                .map(|(path, leaf)| (wanted.path.join(&path), leaf))
                .collect());
        }
    };
    Ok(Leaves::from([(wanted.path.clone(), leaf)]))
}
