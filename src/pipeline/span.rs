//! Places in the pipeline file, and what was written there.

use serde::{Deserialize, Serialize};

/// A place in the pipeline file: byte offset and length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    pub offset: u32,
    pub length: u32,
}

impl Span {
    /// The line of `text` that it starts in, from 1; none where the text ends before.
    pub fn line(self, text: &str) -> Option<u32> {
        let before = text.as_bytes().get(..self.offset as usize)?;
        Some(before.iter().filter(|byte| **byte == b'\n').count() as u32 + 1)
    }
}

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    pub value: T,
    pub span: Span,
}

impl<T> Spanned<T> {
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}
