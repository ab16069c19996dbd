//! The way from KDL text to a checked pipeline, one test per cause.

mod decode;
mod mistakes;
mod params;
mod syntax;

use std::collections::HashMap;
use std::io;

use crate::path::RelPath;
use crate::pipeline::{Diagnostic, Diagnostics, Document, Overrides, Pipeline, SourceFile};

pub(crate) fn source(text: &str) -> SourceFile {
    SourceFile { name: "pipeline.kdl".to_owned(), text: text.into() }
}

/// What stands around a pipeline in a test.
#[derive(Default)]
pub(crate) struct World {
    pub set: Vec<(String, String)>,
    pub env: HashMap<String, String>,
    pub files: HashMap<String, Vec<u8>>,
}

impl World {
    pub fn resolve(&self, text: &str) -> Result<Pipeline, Diagnostics> {
        let source = source(text);
        let env = |name: &str| self.env.get(name).cloned();
        let read_file = |path: &RelPath| {
            self.files.get(path.as_str()).cloned().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
        };
        let overrides =
            Overrides { set: self.set.clone(), env: &env, read_file: &read_file, host_arch: "x86_64" };
        Document::parse(&source)?.resolve(&source, &overrides)
    }
}

pub(crate) fn resolve(text: &str) -> Result<Pipeline, Diagnostics> {
    World::default().resolve(text)
}

/// The mistakes of `text`, which must have some.
pub(crate) fn mistakes(text: &str) -> Vec<Diagnostic> {
    match resolve(text) {
        Ok(_) => panic!("no mistake was found in:\n{text}"),
        Err(mistakes) => mistakes.list,
    }
}

/// What of `text` a mistake's first label marks.
pub(crate) fn marked<'t>(text: &'t str, mistake: &Diagnostic) -> &'t str {
    let span = mistake.labels[0].0;
    &text[span.offset as usize..][..span.length as usize]
}

/// Asserts that `text` has exactly one mistake: its code, what it marks, and a part of its help.
#[track_caller]
pub(crate) fn one(text: &str, code: &str, place: &str, help: &str) {
    let found = mistakes(text);
    let shown: Vec<_> =
        found.iter().map(|m| (m.code, marked(text, m), m.message.as_str(), m.help.clone())).collect();
    assert_eq!(found.len(), 1, "{shown:#?}");
    assert_eq!((found[0].code, marked(text, &found[0])), (code, place), "{shown:#?}");
    assert!(found[0].help.as_deref().unwrap_or_default().contains(help), "{shown:#?}");
}
