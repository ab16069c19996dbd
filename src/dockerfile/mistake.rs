//! What is wrong with a Dockerfile: what, where, and what would mend it.
//!
//! Only what hinders the analysis and would end the build anyway; the rest is left to BuildKit.

use std::ops::Range;

/// One mistake and its place in the text that was given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct Mistake {
    pub fault: Fault,
    /// Bytes of the text.
    pub span: Range<usize>,
    /// From 1.
    pub line: u32,
}

impl Mistake {
    pub(super) fn new(fault: Fault, span: Range<usize>, line: u32) -> Self {
        Self { fault, span, line }
    }

    /// What would mend it, where that can be told.
    pub fn help(&self) -> Option<String> {
        match &self.fault {
            Fault::TooLong { .. } => Some("move what it carries into files of the context".to_owned()),
            Fault::NoStage => Some("begin with `FROM` and the image to build on".to_owned()),
            Fault::BeforeFrom(_) => Some("only `ARG` may stand before the first `FROM`".to_owned()),
            Fault::UnknownTarget { stages, .. } if stages.is_empty() => {
                Some("no stage has a name: add `AS name` to its `FROM`".to_owned())
            }
            Fault::UnknownTarget { stages, .. } => {
                let list: Vec<String> = stages.iter().map(|stage| format!("`{stage}`")).collect();
                Some(format!("stages here: {}", list.join(", ")))
            }
            Fault::StageIndex { stages, .. } => Some(format!("stages are counted from 0 to {}", stages - 1)),
            Fault::LaterStage(_) => Some("move that stage before the one that reads it".to_owned()),
            Fault::VariableInFrom(_) => {
                Some("name a stage instead: `FROM $IMAGE AS name` may use an `ARG`".to_owned())
            }
            Fault::RemoteCopy(_) => Some("use `ADD` for what comes from the network".to_owned()),
            Fault::UnknownBase { .. } => Some("give the variable a value, or name the platform".to_owned()),
            Fault::UnendedHeredoc(word) => Some(format!("end it with a line `{word}`")),
            _ => None,
        }
    }
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("the Dockerfile has more than {limit} bytes")]
    TooLong { limit: usize },
    #[error("no `FROM` in the Dockerfile")]
    NoStage,
    #[error("`{0}` stands before the first `FROM`")]
    BeforeFrom(String),
    #[error("no stage `{target}`")]
    UnknownTarget { target: String, stages: Vec<String> },
    #[error("no stage with the number {index}")]
    StageIndex { index: String, stages: usize },
    #[error("stage `{0}` is read before it is made")]
    LaterStage(String),
    #[error("unknown instruction `{0}`")]
    UnknownInstruction(String),
    #[error("`{0}` lacks an argument")]
    MissingArgument(String),
    #[error("`FROM` takes an image, or an image and `AS name`")]
    BadFrom,
    #[error("`{0}` is no name for a stage")]
    BadStageName(String),
    #[error("a list in brackets holds strings only")]
    BadList,
    #[error("`{0}` has no value")]
    FlagWithoutValue(String),
    #[error("`--mount` cannot be read: {0}")]
    BadMount(String),
    #[error("`{0}` in `from` is not put in: no variables there")]
    VariableInFrom(String),
    #[error("`COPY` cannot read `{0}`")]
    RemoteCopy(String),
    #[error("here-document `{0}` has no end")]
    UnendedHeredoc(String),
    #[error("directive `{0}` stands twice")]
    DirectiveTwice(String),
    #[error("`{0}` cannot be the escape character: it is a backslash or a backquote")]
    BadEscape(String),
    #[error("`{word}` cannot be read: {why}")]
    BadWord { word: String, why: String },
    #[error("`{0}` is not of the form `name=value`")]
    BadPair(String),
    #[error("the image in `{0}` has an empty name")]
    BlankBase(String),
    #[error("the image in `{written}` cannot be told: {why}")]
    UnknownBase { written: String, why: String },
    #[error("`ONBUILD` cannot hold `{0}`")]
    BadTrigger(String),
    #[error("`{0}` is no platform")]
    BadPlatform(String),
}
