//! The typed nodes of a pipeline, as written after interpolation.
//!
//! Which option plays which role in freshness is said at each field: *dirtying* (in the key),
//! *publishing* (publish again), *gating* (verify again) or *policy* (never looked at).
//! Names, spans and spelling never count.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::path::RelPath;

mod archive;

pub use archive::{Archive, ArchiveFormat};

pub use crate::pipeline::span::{Span, Spanned};

/// A node's name: unique in its pipeline, chosen by its author or defaulting to the kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NodeName(pub String);

impl std::fmt::Display for NodeName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for NodeName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// A whole pipeline after interpolation.
#[derive(Clone, Debug)]
pub struct Pipeline {
    pub name: String,
    /// Targets of a `run` that names none; empty means every node that no other node reads.
    pub defaults: Vec<Spanned<NodeName>>,
    /// In the order of the file.
    pub nodes: Vec<Node>,
    /// Every parameter with its value and where that came from, in the order of the file.
    pub params: Vec<ParamValue>,
}

/// A parameter's value and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamValue {
    pub name: String,
    pub value: String,
    pub origin: ParamOrigin,
    pub span: Span,
}

/// Where a parameter's value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParamOrigin {
    Default,
    /// The file's first line, without trailing white space.
    FromFile(RelPath),
    /// `OSGRAPH_PARAM_NAME`.
    Environment(String),
    /// `--set name=value`.
    CommandLine,
}

#[derive(Clone, Debug)]
pub struct Node {
    pub name: NodeName,
    /// The whole node in the file.
    pub span: Span,
    /// Its name there, or its kind where it has no name.
    pub name_span: Span,
    pub work: Work,
}

/// What a node does.
#[derive(Clone, Debug)]
pub enum Work {
    SourceArchive(SourceArchive),
    BaseImage(BaseImage),
    AppEmbed(AppEmbed),
    BinaryExtract(BinaryExtract),
    Dist(Dist),
    Command(Command),
    Group(Group),
}

impl Work {
    /// The archives that are made of its tree.
    pub fn archives(&self) -> &[Archive] {
        match self {
            Self::SourceArchive(source) => &source.archives,
            Self::Dist(dist) => &dist.archives,
            _ => &[],
        }
    }

    /// The same without archives: these only publish.
    pub fn without_archives(mut self) -> Self {
        match &mut self {
            Self::SourceArchive(source) => source.archives.clear(),
            Self::Dist(dist) => dist.archives.clear(),
            _ => {}
        }
        self
    }
}

/// The word that opens a node in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    SourceArchive,
    BaseImage,
    AppEmbed,
    BinaryExtract,
    DistDocker,
    DistNative,
    Command,
    Group,
}

impl Kind {
    pub const ALL: [Self; 8] = [
        Self::SourceArchive,
        Self::BaseImage,
        Self::AppEmbed,
        Self::BinaryExtract,
        Self::DistDocker,
        Self::DistNative,
        Self::Command,
        Self::Group,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            Self::SourceArchive => "source-archive",
            Self::BaseImage => "base-image",
            Self::AppEmbed => "app-embed",
            Self::BinaryExtract => "binary-extract",
            Self::DistDocker => "dist-docker",
            Self::DistNative => "dist-native",
            Self::Command => "command",
            Self::Group => "group",
        }
    }
}

/// Where an artifact stands in the project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublishedPlace {
    /// Every output at its own path.
    Own,
    /// The whole of it at one path.
    At(RelPath),
    /// In the store alone.
    Nowhere,
}

impl Node {
    /// Where its artifact stands for a reader that names no place: an extracted binary at its
    /// output or by its file's name, a tree in a folder called as the node. None for a command,
    /// whose outputs stand at their own paths.
    pub fn natural_place(&self) -> Option<RelPath> {
        let named = |name: &str| RelPath::root().child(name);
        match &self.work {
            Work::Command(_) => None,
            Work::BinaryExtract(extract) => Some(match (&extract.output, extract.path.value.file_name()) {
                (Some(output), _) => output.value.clone(),
                (None, name) => named(name.unwrap_or(&self.name.0)),
            }),
            _ => Some(named(&self.name.0)),
        }
    }

    /// Where the project itself has its artifact.
    pub fn published_place(&self) -> PublishedPlace {
        let at = |output: &Spanned<RelPath>| PublishedPlace::At(output.value.clone());
        match &self.work {
            Work::Command(_) => PublishedPlace::Own,
            Work::BaseImage(_) | Work::AppEmbed(_) => match self.host() {
                Some(recipe) if !recipe.isolate => PublishedPlace::Own,
                _ => PublishedPlace::Nowhere,
            },
            Work::SourceArchive(source) => source.output.as_ref().map_or(PublishedPlace::Nowhere, at),
            Work::BinaryExtract(extract) => extract.output.as_ref().map_or(PublishedPlace::Nowhere, at),
            Work::Dist(dist) => at(&dist.output),
            Work::Group(_) => PublishedPlace::Nowhere,
        }
    }

    pub fn kind(&self) -> Kind {
        match &self.work {
            Work::SourceArchive(_) => Kind::SourceArchive,
            Work::BaseImage(_) => Kind::BaseImage,
            Work::AppEmbed(_) => Kind::AppEmbed,
            Work::BinaryExtract(_) => Kind::BinaryExtract,
            Work::Dist(dist) => match dist.flavor {
                DistFlavor::Docker => Kind::DistDocker,
                DistFlavor::Native => Kind::DistNative,
            },
            Work::Command(_) => Kind::Command,
            Work::Group(_) => Kind::Group,
        }
    }

    /// The programs that it runs on this machine, if it runs any.
    pub fn host(&self) -> Option<&HostRecipe> {
        match &self.work {
            Work::BaseImage(BaseImage { recipe: Recipe::Host(host), .. })
            | Work::AppEmbed(AppEmbed { recipe: Recipe::Host(host), .. }) => Some(host),
            Work::Command(command) => Some(&command.recipe),
            _ => None,
        }
    }

    /// The Dockerfile build that it is, if it is one.
    pub fn docker(&self) -> Option<&DockerRecipe> {
        match &self.work {
            Work::BaseImage(BaseImage { recipe: Recipe::Docker(docker), .. })
            | Work::AppEmbed(AppEmbed { recipe: Recipe::Docker(docker), .. }) => Some(docker),
            _ => None,
        }
    }
}

/// `source-archive`: the application's tree.
#[derive(Clone, Debug)]
pub struct SourceArchive {
    /// Dirtying, by content: the place itself never counts.
    pub source: Source,
    /// Glob patterns of the gitignore kind, relative to the tree's root. Dirtying.
    pub excludes: Vec<Spanned<String>>,
    /// Laid over the tree in order. Dirtying, by content.
    pub overlays: Vec<Placed>,
    /// A folder to publish the tree at. Publishing.
    pub output: Option<Spanned<RelPath>>,
    /// Publishing.
    pub archives: Vec<Archive>,
}

/// Where a source tree comes from. Paths may leave the project: `../apps/x`, `/srv/x`.
#[derive(Clone, Debug)]
pub enum Source {
    /// The committed tree of a git reference.
    Git { path: Spanned<String>, reference: Spanned<String>, submodules: bool },
    /// The working tree: tracked files and untracked ones that are not ignored.
    Dir { path: Spanned<String> },
    /// The committed tree where the path is the top of a git repository, else the folder.
    Auto { path: Spanned<String>, reference: Spanned<String>, submodules: bool },
}

/// A project path and where its content goes inside the node's own tree.
#[derive(Clone, Debug)]
pub struct Placed {
    pub from: Spanned<RelPath>,
    /// The root of the node's tree unless said otherwise.
    pub into: RelPath,
}

/// A node that another one reads, and where it was named.
pub type NodeRef = Spanned<NodeName>;

/// `base-image`: the slow step.
#[derive(Clone, Debug)]
pub struct BaseImage {
    pub recipe: Recipe,
    pub limits: Limits,
}

/// `app-embed`: the fast step that puts the application into the base.
#[derive(Clone, Debug)]
pub struct AppEmbed {
    /// None where it builds on what its recipe names alone.
    pub base: Option<NodeRef>,
    pub app: NodeRef,
    /// Where the application's tree stands in the context or work folder. Dirtying.
    pub into: RelPath,
    pub recipe: Recipe,
    pub limits: Limits,
}

/// How a node's artifact is made.
#[derive(Clone, Debug)]
pub enum Recipe {
    Host(HostRecipe),
    Docker(DockerRecipe),
}

/// A Dockerfile build. All dirtying but `tags` and `push` (publishing), `keep`, `pull`, the caches and
/// `ssh` (policy).
#[derive(Clone, Debug)]
pub struct DockerRecipe {
    /// None where another node's tree is all that there is to be copied.
    pub context: Option<Spanned<RelPath>>,
    pub dockerfile: Spanned<RelPath>,
    pub args: Vec<(Spanned<String>, String)>,
    pub secrets: Vec<Secret>,
    pub target: Option<String>,
    pub platform: Option<Spanned<String>>,
    pub labels: Vec<(String, String)>,
    pub network: Option<String>,
    pub tags: Vec<Spanned<String>>,
    pub keep_in_store: bool,
    pub push: Option<Spanned<String>>,
    pub pull: Option<Spanned<String>>,
    pub cache_from: Vec<String>,
    pub cache_to: Vec<String>,
    pub ssh: Vec<String>,
    /// Where the image can be taken from instead of built, for a node that only names one.
    pub span: Span,
}

/// A recipe that runs programs on this machine.
#[derive(Clone, Debug)]
pub struct HostRecipe {
    /// Project files and folders it may see, at their own paths. Dirtying, by content.
    /// A path that another node writes is taken from that node (see [`crate::graph`]).
    pub inputs: Vec<Spanned<RelPath>>,
    /// Programs with their arguments, run one after another. Dirtying.
    pub runs: Vec<Spanned<Vec<String>>>,
    /// Files or folders it makes, relative to the work folder. Dirtying.
    pub outputs: Vec<Spanned<RelPath>>,
    pub tools: Vec<Tool>,
    /// Dirtying.
    pub env: Vec<(Spanned<String>, String)>,
    /// Names taken from the caller's environment. Neither names nor values count.
    pub pass_env: Vec<Spanned<String>>,
    pub secrets: Vec<Secret>,
    /// A private work folder (`true`) or the project itself (`false`). Dirtying.
    pub isolate: bool,
    pub span: Span,
}

/// A program whose version counts.
#[derive(Clone, Debug)]
pub struct Tool {
    pub program: Spanned<String>,
    /// A command whose output is the tool's identity; its file's content where absent. Dirtying.
    pub identify: Option<Vec<String>>,
}

/// A secret handed to a recipe. Only `id` and `version` count; the value goes nowhere else.
#[derive(Clone, Debug)]
pub struct Secret {
    pub id: Spanned<String>,
    pub from: SecretSource,
    pub required: bool,
    pub version: Option<String>,
}

#[derive(Clone, Debug)]
pub enum SecretSource {
    Environment(String),
    /// May lie outside the project.
    File(String),
}

/// Policy: never looked at for freshness.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    pub timeout: Option<Duration>,
    pub retries: u32,
}

/// `binary-extract`: one file out of an artifact.
#[derive(Clone, Debug)]
pub struct BinaryExtract {
    pub from: NodeRef,
    /// Inside the artifact; a leading slash in the file is dropped. Dirtying.
    pub path: Spanned<RelPath>,
    /// Publishing.
    pub output: Option<Spanned<RelPath>>,
    /// Gating.
    pub expect: Expect,
    /// Arguments with which the binary must exit 0. Gating.
    pub checks: Vec<Check>,
}

/// What an extracted binary must be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expect {
    pub elf: bool,
    /// ELF machine, as `amd64` or `arm64`.
    pub arch: Option<Spanned<String>>,
    /// Bytes.
    pub min_size: Option<u64>,
    /// Bytes.
    pub max_size: Option<u64>,
    /// Means ELF.
    pub linking: Option<Linking>,
}

/// What a binary may ask of the machine that it runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linking {
    /// Nothing: no interpreter and no libraries. `static=#true`, and `libc="musl"`, which is linked in.
    Static,
    /// glibc, and with it the compiler's own libraries; nothing else. `libc="glibc"`.
    Glibc,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub args: Vec<String>,
    pub timeout: Duration,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DistFlavor {
    Docker,
    Native,
}

/// `dist-docker`, `dist-native`: a deployable folder and its archives.
#[derive(Clone, Debug)]
pub struct Dist {
    pub flavor: DistFlavor,
    /// Publishing.
    pub output: Spanned<RelPath>,
    /// Laid over one another in order. Dirtying, by content.
    pub copies: Vec<Placed>,
    /// Glob patterns of the gitignore kind, relative to the dist's root. Dirtying.
    pub excludes: Vec<Spanned<String>>,
    pub binaries: Vec<DistBinary>,
    /// Publishing.
    pub seeds: Vec<Seed>,
    /// Publishing.
    pub archives: Vec<Archive>,
    /// Where the build manifest stands in the dist. Dirtying.
    pub manifest: RelPath,
    /// Names and values that the build manifest tells. Dirtying.
    pub facts: Vec<(Spanned<String>, String)>,
    /// Nodes of which the build manifest tells what they were, by name. Dirtying, names too.
    pub provenance: Vec<NodeRef>,
}

/// A file artifact placed into a dist. Dirtying.
#[derive(Clone, Debug)]
pub struct DistBinary {
    pub node: NodeRef,
    pub into: RelPath,
    /// 644 or 755.
    pub executable: bool,
}

/// A file that is made once and then belongs to the user: never overwritten, archived or removed.
#[derive(Clone, Debug)]
pub struct Seed {
    pub path: Spanned<RelPath>,
    /// Inside the assembled dist.
    pub from: Spanned<RelPath>,
}

/// `command`: any programs, outputs published at their own paths in the project.
#[derive(Clone, Debug)]
pub struct Command {
    pub recipe: HostRecipe,
    pub froms: Vec<From>,
    /// Nodes that must be done before, but whose artifacts are not read. Policy.
    pub after: Vec<NodeRef>,
    pub limits: Limits,
}

/// A node whose artifact a command reads.
#[derive(Clone, Debug)]
pub struct From {
    pub node: NodeRef,
    /// Its natural place unless said otherwise: a command's outputs at their own paths, an
    /// extracted binary at its output, a tree in a folder named after its node. Dirtying.
    pub into: Option<RelPath>,
}

/// `group`: a name for several nodes.
#[derive(Clone, Debug)]
pub struct Group {
    pub members: Vec<NodeRef>,
}
