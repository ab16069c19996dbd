//! The syntax of a pipeline file: nodes, arguments and properties with their places, no meaning.
//!
//! A [`Document`] is flat: three vectors and one text, so that reading a cached one allocates
//! four times however many nodes it has. It is taken before interpolation and depends on the
//! file's bytes alone, so it may be cached by their digest. Knows neither the `kdl` crate
//! (`reader` does) nor what any node means ([`super::decode`] does).

use serde::{Deserialize, Serialize};

use crate::pipeline::diagnostic::{Diagnostics, SourceFile};
use crate::pipeline::model::Span;
use crate::pipeline::reader;

/// Opens the encoded form. The number changes with the layout, so an old cache reads as absent.
const MAGIC: &[u8] = b"osgraph-syntax 1\n";

/// A slice of [`Document::text`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Text {
    pub start: u32,
    pub length: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct NodeData {
    pub name: Text,
    pub span: Span,
    /// In the file, from the span's start; quotes count.
    pub name_length: u32,
    /// Its entries end where those of the next node in `nodes` begin.
    pub first_entry: u32,
    /// One past its last descendant in `nodes`.
    pub end: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum ValueKind {
    String,
    /// Decimal digits, perhaps after a minus.
    Integer,
    /// As written; nothing here computes with fractions.
    Float,
    True,
    False,
    Null,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EntryData {
    pub span: Span,
    /// A property's name and its length in the file.
    pub name: Option<(Text, u32)>,
    /// Where the value begins in the file; it ends with the span.
    pub value_start: u32,
    pub kind: ValueKind,
    pub value: Text,
}

/// A whole file. Nodes stand in the order of the file, each before its children.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    pub(super) text: String,
    pub(super) nodes: Vec<NodeData>,
    pub(super) entries: Vec<EntryData>,
}

/// A cached document that cannot be read: of another version, or damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cached pipeline of this version")]
pub struct DecodeError;

/// A node of a [`Document`].
#[derive(Clone, Copy, Debug)]
pub struct SyntaxNode<'d> {
    document: &'d Document,
    index: usize,
}

/// An argument or property of a [`SyntaxNode`].
#[derive(Clone, Copy, Debug)]
pub struct Entry<'d> {
    /// None for an argument.
    pub name: Option<&'d str>,
    pub name_span: Span,
    pub value: Value<'d>,
    pub value_span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'d> {
    String(&'d str),
    Integer(i128),
    /// As written.
    Float(&'d str),
    Bool(bool),
    Null,
}

impl Value<'_> {
    /// The value's type with its article, for messages.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::String(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a fraction",
            Self::Bool(_) => "a boolean",
            Self::Null => "`#null`",
        }
    }
}

impl Document {
    /// Reads a pipeline file. Every mistake of its syntax is reported at once.
    pub fn parse(source: &SourceFile) -> Result<Self, Diagnostics> {
        reader::read(source)
    }

    /// The top-level nodes in the order of the file.
    pub fn nodes(&self) -> impl Iterator<Item = SyntaxNode<'_>> {
        self.siblings(0, self.nodes.len())
    }

    fn siblings(&self, from: usize, end: usize) -> impl Iterator<Item = SyntaxNode<'_>> {
        let mut next = from;
        std::iter::from_fn(move || {
            let index = next;
            next = self.nodes.get(index).filter(|_| index < end)?.end as usize;
            Some(SyntaxNode { document: self, index })
        })
    }

    fn slice(&self, text: Text) -> &str {
        &self.text[text.start as usize..][..text.length as usize]
    }

    /// The form that is cached by the digest of the file.
    pub fn encode(&self) -> Vec<u8> {
        let room = MAGIC.len() + self.text.len() + self.nodes.len() * 20 + self.entries.len() * 16;
        let mut bytes = Vec::with_capacity(room);
        bytes.extend_from_slice(MAGIC);
        // Fails only for what postcard cannot write (maps, unsized sequences); nothing here is.
        postcard::to_extend(self, bytes).expect("plain vectors are always encodable")
    }

    /// Reads back what [`Document::encode`] wrote. Every offset in it is checked, so that a
    /// damaged cache is an error and not a panic later.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let body = bytes.strip_prefix(MAGIC).ok_or(DecodeError)?;
        let (document, rest) = postcard::take_from_bytes::<Self>(body).map_err(|_| DecodeError)?;
        if rest.is_empty() && document.is_sound() { Ok(document) } else { Err(DecodeError) }
    }

    fn is_sound(&self) -> bool {
        let within = |text: Text| {
            let start = text.start as usize;
            start.checked_add(text.length as usize).is_some_and(|end| self.text.get(start..end).is_some())
        };
        let placed = |span: Span| span.offset.checked_add(span.length).is_some();
        // The ends of the nodes that the current one stands in.
        let mut around: Vec<usize> = Vec::new();
        let mut entry = 0;
        for (index, node) in self.nodes.iter().enumerate() {
            while around.last().is_some_and(|end| *end <= index) {
                around.pop();
            }
            let (first, end) = (node.first_entry as usize, node.end as usize);
            let inside = end > index && end <= around.last().copied().unwrap_or(self.nodes.len());
            let ordered = first >= entry && first <= self.entries.len() && (index > 0 || first == 0);
            if !inside
                || !ordered
                || !within(node.name)
                || !placed(node.span)
                || node.name_length > node.span.length
            {
                return false;
            }
            entry = first;
            around.push(end);
        }
        self.entries.iter().all(|entry| {
            let end = entry.span.offset.checked_add(entry.span.length);
            let number = entry.kind != ValueKind::Integer;
            within(entry.value)
                && entry.name.is_none_or(|(name, length)| within(name) && length <= entry.span.length)
                && end.is_some_and(|end| (entry.span.offset..=end).contains(&entry.value_start))
                && (number || self.slice(entry.value).parse::<i128>().is_ok())
        })
    }
}

impl<'d> SyntaxNode<'d> {
    fn data(&self) -> &'d NodeData {
        &self.document.nodes[self.index]
    }

    pub fn name(&self) -> &'d str {
        self.document.slice(self.data().name)
    }

    pub fn name_span(&self) -> Span {
        let data = self.data();
        Span { offset: data.span.offset, length: data.name_length }
    }

    /// The whole node with its children.
    pub fn span(&self) -> Span {
        self.data().span
    }

    fn entries(&self) -> impl Iterator<Item = Entry<'d>> + use<'d> {
        let document = self.document;
        let first = self.data().first_entry as usize;
        let end = document
            .nodes
            .get(self.index + 1)
            .map_or(document.entries.len(), |next| next.first_entry as usize);
        document.entries[first..end].iter().map(move |entry| document.entry(entry))
    }

    pub fn arguments(&self) -> impl Iterator<Item = Entry<'d>> + use<'d> {
        self.entries().filter(|entry| entry.name.is_none())
    }

    pub fn properties(&self) -> impl Iterator<Item = Entry<'d>> + use<'d> {
        self.entries().filter(|entry| entry.name.is_some())
    }

    pub fn property(&self, name: &str) -> Option<Entry<'d>> {
        self.properties().find(|entry| entry.name == Some(name))
    }

    pub fn children(&self) -> impl Iterator<Item = SyntaxNode<'d>> + use<'d> {
        let document: &'d Document = self.document;
        document.siblings(self.index + 1, self.data().end as usize)
    }

    pub fn has_children(&self) -> bool {
        self.data().end as usize > self.index + 1
    }
}

impl Document {
    fn entry<'d>(&'d self, entry: &EntryData) -> Entry<'d> {
        let text = self.slice(entry.value);
        let value = match entry.kind {
            ValueKind::String => Value::String(text),
            // Digits of an i128 were written; `is_sound` checks what was read back.
            ValueKind::Integer => Value::Integer(text.parse().unwrap_or_default()),
            ValueKind::Float => Value::Float(text),
            ValueKind::True => Value::Bool(true),
            ValueKind::False => Value::Bool(false),
            ValueKind::Null => Value::Null,
        };
        let name_length = entry.name.map_or(0, |(_, length)| length);
        Entry {
            name: entry.name.map(|(name, _)| self.slice(name)),
            name_span: Span { offset: entry.span.offset, length: name_length },
            value,
            value_span: Span {
                offset: entry.value_start,
                length: entry.span.offset + entry.span.length - entry.value_start,
            },
        }
    }
}
