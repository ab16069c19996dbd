//! KDL text to a [`Document`]: the only module that knows the `kdl` crate.
//!
//! The text is split into top-level nodes by [`super::scan`]; these are parsed by `kdl` on all
//! cores, and each syntax tree of that crate (some 50 bytes for every byte of text) is dropped as
//! soon as its node is taken over. So a file of 20 MB needs little more memory than its
//! [`Document`]. Knows nothing of what nodes mean.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use kdl::{KdlDiagnostic, KdlDocument, KdlEntry, KdlNode, KdlValue};

use crate::pipeline::diagnostic::{Diagnostic, Diagnostics, SourceFile};
use crate::pipeline::lexer::span;
use crate::pipeline::model::Span;
use crate::pipeline::scan::{self, MAX_MISTAKES};
use crate::pipeline::syntax::{Document, EntryData, NodeData, Text, ValueKind};

/// Larger files are refused: at 1 MB a second and core nobody would wait for them.
pub(super) const MAX_FILE: usize = 64 << 20;

/// What one thread takes at a time, in bytes of text: small enough to spread the work evenly.
const BLOCK: usize = 64 << 10;

/// [`scan::MAX_DEPTH`] nested nodes need under 1 MiB; only touched pages cost anything.
const STACK: usize = 16 << 20;

impl SourceFile {
    /// Takes a file as it was read. What is not UTF-8 is shown with a replacement character.
    pub fn from_bytes(name: impl Into<String>, bytes: Vec<u8>) -> Result<Self, Diagnostics> {
        let name = name.into();
        if bytes.len() > MAX_FILE {
            let source = Self { name, text: "".into() };
            return Err(too_large(&source, bytes.len()));
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self { name, text: text.into() }),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let source = Self { name, text: String::from_utf8_lossy(error.as_bytes()).into() };
                let mistake = Diagnostic::new(
                    "not-utf-8",
                    "the file is not UTF-8",
                    span(at, at + '\u{fffd}'.len_utf8()),
                    format!("byte {at} fits no character"),
                );
                Err(Diagnostics::new(&source, vec![mistake.help("save the file as UTF-8")]))
            }
        }
    }
}

fn too_large(source: &SourceFile, size: usize) -> Diagnostics {
    let message = format!("the file has {size} bytes, more than the {MAX_FILE} that are read");
    Diagnostics::new(source, vec![Diagnostic::new("file-too-large", message, Span::default(), "")])
}

/// Reads a whole file.
pub(super) fn read(source: &SourceFile) -> Result<Document, Diagnostics> {
    let text: &str = &source.text;
    if text.len() > MAX_FILE {
        return Err(too_large(source, text.len()));
    }
    let scanned = scan::scan(text);
    let (document, mut mistakes) = parse_all(text, &scanned.chunks);
    mistakes.extend(scanned.mistakes);
    mistakes.truncate(MAX_MISTAKES);
    if mistakes.is_empty() { Ok(document) } else { Err(Diagnostics::new(source, mistakes)) }
}

fn parse_all(text: &str, chunks: &[Range<usize>]) -> (Document, Vec<Diagnostic>) {
    let blocks = blocks(chunks);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(block) = blocks.get(index) else { return done };
            let mut builder = Builder::new(text);
            for chunk in *block {
                builder.chunk(chunk.clone());
            }
            done.push((index, builder.document, builder.mistakes));
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(blocks.len());
    let mut parts = thread::scope(|scope| {
        let spawn =
            |_| thread::Builder::new().name("kdl".to_owned()).stack_size(STACK).spawn_scoped(scope, work);
        let workers: Vec<_> = (0..threads).filter_map(|index| spawn(index).ok()).collect();
        // A machine that grants no thread at all still gets its answer, on this one's stack.
        let mut parts = if workers.is_empty() { work() } else { Vec::new() };
        for worker in workers {
            parts.extend(worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        parts
    });
    parts.sort_by_key(|(index, ..)| *index);
    let mut all = Document::default();
    let mut mistakes = Vec::new();
    for (_, part, wrong) in parts {
        append(&mut all, part);
        mistakes.extend(wrong);
    }
    (all, mistakes)
}

/// Groups neighbouring chunks into blocks of about [`BLOCK`] bytes.
fn blocks(chunks: &[Range<usize>]) -> Vec<&[Range<usize>]> {
    let mut blocks = Vec::new();
    let mut rest = chunks;
    while let Some(first) = rest.first() {
        let count = rest.iter().take_while(|chunk| chunk.start < first.start + BLOCK).count();
        let (block, others) = rest.split_at(count);
        blocks.push(block);
        rest = others;
    }
    blocks
}

fn append(all: &mut Document, part: Document) {
    let (text, node, entry) = (all.text.len() as u32, all.nodes.len() as u32, all.entries.len() as u32);
    let moved = |slice: Text| Text { start: slice.start + text, ..slice };
    all.text.push_str(&part.text);
    all.nodes.extend(part.nodes.into_iter().map(|data| NodeData {
        name: moved(data.name),
        first_entry: data.first_entry + entry,
        end: data.end + node,
        ..data
    }));
    all.entries.extend(part.entries.into_iter().map(|data| EntryData {
        name: data.name.map(|(name, length)| (moved(name), length)),
        value: moved(data.value),
        ..data
    }));
}

/// Builds a document out of chunks.
struct Builder<'t> {
    source: &'t str,
    document: Document,
    /// Names are few and repeat in every node.
    names: HashMap<String, Text>,
    mistakes: Vec<Diagnostic>,
}

impl<'t> Builder<'t> {
    fn new(source: &'t str) -> Self {
        Self { source, document: Document::default(), names: HashMap::new(), mistakes: Vec::new() }
    }

    fn chunk(&mut self, chunk: Range<usize>) {
        match KdlDocument::parse_v2(&self.source[chunk.clone()]) {
            Ok(parsed) => parsed.nodes().iter().for_each(|node| self.node(node, chunk.start)),
            Err(error) => {
                let mut seen = None;
                for diagnostic in error.diagnostics.iter().take(MAX_MISTAKES) {
                    // One fault often comes as several reports of the same place.
                    if seen != Some(diagnostic.span.offset()) {
                        seen = Some(diagnostic.span.offset());
                        self.mistakes.push(self.translate(diagnostic, &chunk));
                    }
                }
            }
        }
    }

    /// A mistake in `kdl`'s words.
    fn translate(&self, diagnostic: &KdlDiagnostic, chunk: &Range<usize>) -> Diagnostic {
        let start = self.floor(chunk.start + diagnostic.span.offset(), chunk);
        let end = self.floor(start + diagnostic.span.len(), chunk);
        let said = diagnostic.message.as_deref().unwrap_or("this is not KDL");
        let mut letters = said.chars();
        let message: String =
            letters.next().into_iter().flat_map(char::to_lowercase).chain(letters).collect();
        let label = diagnostic.label.as_deref().unwrap_or("here");
        let translated = Diagnostic::new("kdl-syntax", message, span(start, end), label);
        match &diagnostic.help {
            Some(help) => translated.help(help),
            None => translated,
        }
    }

    /// The character boundary in `chunk` at or before `at`: `kdl`'s places are not always exact.
    fn floor(&self, at: usize, chunk: &Range<usize>) -> usize {
        self.source.floor_char_boundary(at.clamp(chunk.start, chunk.end))
    }

    fn push_text(&mut self, text: &str) -> Text {
        let start = self.document.text.len() as u32;
        self.document.text.push_str(text);
        Text { start, length: text.len() as u32 }
    }

    fn name(&mut self, name: &str) -> Text {
        if let Some(known) = self.names.get(name) {
            return *known;
        }
        let text = self.push_text(name);
        self.names.insert(name.to_owned(), text);
        text
    }

    fn node(&mut self, node: &KdlNode, base: usize) {
        let start = base + node.span().offset();
        // kdl counts the blanks up to the line's end into the node.
        let length = self.source[start..start + node.span().len()].trim_end().len();
        let index = self.document.nodes.len();
        let name = self.name(node.name().value());
        self.document.nodes.push(NodeData {
            name,
            span: span(start, start + length),
            name_length: node.name().span().len() as u32,
            first_entry: self.document.entries.len() as u32,
            end: 0,
        });
        for entry in node.entries() {
            self.entry(entry, base);
        }
        self.repeated_properties(index);
        for child in node.children().map_or(&[][..], KdlDocument::nodes) {
            self.node(child, base);
        }
        self.document.nodes[index].end = self.document.nodes.len() as u32;
    }

    fn entry(&mut self, entry: &KdlEntry, base: usize) {
        let start = base + entry.span().offset();
        let end = start + entry.span().len();
        let written = entry.format().map_or(0, |format| format.value_repr.len());
        let name = entry.name().map(|name| (self.name(name.value()), name.span().len() as u32));
        let (kind, value) = match entry.value() {
            KdlValue::String(text) => (ValueKind::String, self.push_text(text)),
            KdlValue::Integer(number) => (ValueKind::Integer, self.push_text(&number.to_string())),
            KdlValue::Float(_) => (ValueKind::Float, self.push_text(&self.source[end - written..end])),
            KdlValue::Bool(true) => (ValueKind::True, self.push_text("")),
            KdlValue::Bool(false) => (ValueKind::False, self.push_text("")),
            KdlValue::Null => (ValueKind::Null, self.push_text("")),
        };
        let value_start = (end - written) as u32;
        self.document.entries.push(EntryData { span: span(start, end), name, value_start, kind, value });
    }

    /// KDL lets the last of several equal properties win; here that hides a mistake.
    fn repeated_properties(&mut self, index: usize) {
        let entries = &self.document.entries[self.document.nodes[index].first_entry as usize..];
        let mut seen: HashMap<Text, Span> = HashMap::new();
        for entry in entries {
            let Some((name, length)) = entry.name else { continue };
            let place = Span { offset: entry.span.offset, length };
            if let Some(first) = seen.insert(name, place) {
                let word = &self.document.text[name.start as usize..][..name.length as usize];
                let message = format!("property `{word}` is given twice");
                let mistake = Diagnostic::new("repeated-property", message, place, "given again");
                self.mistakes.push(mistake.label(first, "first given here"));
            }
        }
    }
}
