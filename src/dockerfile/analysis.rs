//! The facts that an analysis yields: plain data, in the order of the file.
//!
//! All of it is about the stages that the target needs; what other stages do is left out.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::{Deserialize, Serialize};

/// What a build of one target reads and uses. Lines count from 1, spans are bytes of the text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Analysis {
    /// External images, one entry for each place that names one.
    pub bases: Vec<Base>,
    /// What is read of the build context.
    pub reads: Vec<Read>,
    /// Why the whole context counts, where a source cannot be told.
    pub everything: Option<Dynamic>,
    /// What `ADD` fetches. Without a checksum nobody can tell whether it is still the same.
    pub remotes: Vec<Remote>,
    /// Names of the build arguments that are used, whether or not the caller gives them. An `ARG` in
    /// a stage counts as used: every `RUN` sees it. Proxies count only where an `ARG` names them.
    pub args: BTreeSet<String>,
    /// Names of the arguments that stand in the `FROM` of stages which are not built. They change
    /// nothing, but without them BuildKit cannot read the file.
    pub idle_args: BTreeSet<String>,
    /// Arguments that the caller gives and no stage uses.
    pub unused_args: Vec<String>,
    pub secrets: Vec<SecretUse>,
    pub ssh: Vec<SshUse>,
    /// `ONBUILD` of these stages. They run in builds on this image; those of a stage that another
    /// stage is built on have been followed.
    pub triggers: Vec<Trigger>,
    pub syntax: Option<Syntax>,
    /// The `ARG`s before the first `FROM` that are used: their lines, and texts as [`Step::text`] has them.
    pub globals: Vec<(u32, String)>,
    pub steps: Vec<Step>,
}

impl Analysis {
    /// All instructions that are carried out, a line or more for each: what counts of the file.
    pub fn script(&self) -> String {
        self.instructions().map(|(_, text)| text).collect::<Vec<_>>().join("\n")
    }

    /// All instructions that are carried out, with their lines in the file.
    pub fn instructions(&self) -> impl Iterator<Item = (u32, &str)> {
        let globals = self.globals.iter().map(|(line, text)| (*line, text.as_str()));
        globals.chain(self.steps.iter().map(|step| (step.line, step.text.as_str())))
    }
}

/// An external image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// With variables put in: `php:8.3-alpine`.
    pub reference: String,
    pub line: u32,
    /// The reference as written, or the flag that holds it where quotes or escapes are in the way.
    pub span: Range<usize>,
    /// From `--platform`; none where nothing is said, or the builder's own is meant and not known.
    pub platform: Option<String>,
    pub used_by: BaseUse,
}

/// How an external image is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BaseUse {
    /// `FROM`
    From,
    /// `COPY --from`
    Copy,
    /// `RUN --mount=from=…`
    Mount,
}

/// A part of the build context that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// From the context's root, normalised; `.` is all of it. A folder stands for all below it.
    pub pattern: String,
    pub kind: ReadKind,
    pub line: u32,
    /// The source as written.
    pub span: Range<usize>,
}

/// What reads, which decides how the pattern is meant. `--exclude` is not looked at: what it leaves
/// out counts all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReadKind {
    Copy,
    /// `COPY --parents`: `**` stands for any number of folders.
    CopyParents,
    Add,
    /// `RUN --mount=type=bind`: no wildcards.
    Mount,
}

impl ReadKind {
    /// The instruction's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Copy | Self::CopyParents => "COPY",
            Self::Add => "ADD",
            Self::Mount => "RUN",
        }
    }
}

/// Something that cannot be told from the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dynamic {
    pub why: String,
    pub line: u32,
    pub span: Range<usize>,
}

/// A source that `ADD` takes from the network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remote {
    pub url: String,
    /// Of `--checksum`.
    pub checksum: Option<String>,
    pub line: u32,
    pub span: Range<usize>,
}

/// A secret that a `RUN` mounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretUse {
    pub id: String,
    pub required: bool,
    pub line: u32,
}

/// An agent's socket that a `RUN` mounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SshUse {
    /// `default` where nothing is said.
    pub id: String,
    pub required: bool,
    pub line: u32,
}

/// The `# syntax=` line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Syntax {
    pub image: String,
    pub line: u32,
    pub span: Range<usize>,
}

/// An `ONBUILD` instruction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    pub text: String,
    pub line: u32,
}

/// One instruction of a stage that is built.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub line: u32,
    /// In capitals: `COPY`.
    pub word: String,
    /// Continuations joined, comments gone, here-documents below it.
    pub text: String,
    /// As BuildKit names it in `[build 2/5]`: the stage's name or `stage-1`; empty where there is
    /// only one.
    pub stage: String,
    /// Its number in the stage and how many there are; none for what has no layer.
    pub number: Option<(u32, u32)>,
}
