//! Reading one syntax node: its arguments, properties and children, with types and names checked.
//!
//! A [`Scope`] holds what all decoders share: the values of parameters, and the mistakes found.
//! A getter that returns nothing has said why, unless its absence is for the caller to judge.
//! Knows nothing of any node kind.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::path::{PathError, RelPath};
use crate::pipeline::diagnostic::Diagnostic;
use crate::pipeline::model::{Archive, NodeName, NodeRef, Span, Spanned};
use crate::pipeline::suggest;
use crate::pipeline::syntax::{Entry, SyntaxNode, Value};
use crate::pipeline::template::{self, Lookup, TemplateError};

/// Parameters by name; none for one that is declared but has no value.
pub(super) type Names = HashMap<String, Option<String>>;

pub(super) struct Scope<'s> {
    source: &'s str,
    /// None while the parameters are not known: then nothing is said about names.
    names: Option<Names>,
    mistakes: RefCell<Vec<Diagnostic>>,
}

/// The children of a node that were met so far, by name.
#[derive(Default)]
pub(super) struct Seen<'d>(Vec<(&'d str, Span)>);

impl<'d> FromIterator<SyntaxNode<'d>> for Seen<'d> {
    fn from_iter<I: IntoIterator<Item = SyntaxNode<'d>>>(nodes: I) -> Self {
        Self(nodes.into_iter().map(|node| (node.name(), node.name_span())).collect())
    }
}

impl<'d> Seen<'d> {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn place(&self, name: &str) -> Option<Span> {
        self.0.iter().find(|(seen, _)| *seen == name).map(|(_, span)| *span)
    }

    pub fn has(&self, name: &str) -> bool {
        self.place(name).is_some()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&'d str, Span)> {
        self.0.iter().copied()
    }

    pub fn note(&mut self, child: &SyntaxNode<'d>) {
        self.0.push((child.name(), child.name_span()));
    }
}

impl<'s> Scope<'s> {
    pub fn new(source: &'s str) -> Self {
        Self { source, names: None, mistakes: RefCell::default() }
    }

    /// For reading what is already known to be sound.
    pub fn literal() -> Scope<'static> {
        Scope::new("")
    }

    pub fn set_names(&mut self, names: Names) {
        self.names = Some(names);
    }

    pub fn report(&self, mistake: Diagnostic) {
        self.mistakes.borrow_mut().push(mistake);
    }

    /// How many mistakes were reported so far.
    pub fn count(&self) -> usize {
        self.mistakes.borrow().len()
    }

    pub fn into_mistakes(self) -> Vec<Diagnostic> {
        self.mistakes.into_inner()
    }

    // --- the shape of a node ---

    /// Reports properties other than `properties`, and children: for nodes that have none.
    pub fn shape(&self, node: &SyntaxNode, properties: &[&str]) {
        self.properties(node, properties);
        if let Some(child) = node.children().next() {
            let message = format!("`{}` has no block", node.name());
            self.report(Diagnostic::new("unexpected-block", message, child.span(), "not expected here"));
        }
    }

    /// Reports properties other than `allowed`.
    pub fn properties(&self, node: &SyntaxNode, allowed: &[&str]) {
        for entry in node.properties() {
            let name = entry.name.unwrap_or_default();
            if !allowed.contains(&name) {
                let message = format!("`{}` has no property `{name}`", node.name());
                let mistake = Diagnostic::new("unknown-property", message, entry.name_span, "not known here");
                self.report(mistake.help(suggest::help(name, allowed)));
            }
        }
    }

    /// Reports every argument after the first `count`.
    pub fn at_most(&self, node: &SyntaxNode, count: usize) {
        if let Some(extra) = node.arguments().nth(count) {
            let takes = match count {
                0 => "no argument",
                1 => "one argument",
                _ => "two arguments",
            };
            let message = format!("`{}` takes {takes}", node.name());
            self.report(Diagnostic::new("unexpected-argument", message, extra.value_span, "one too many"));
        }
    }

    pub fn no_arguments(&self, node: &SyntaxNode) {
        self.at_most(node, 0);
    }

    pub fn unknown_child(&self, node: &SyntaxNode, child: &SyntaxNode, allowed: &[&str]) {
        let message = format!("`{}` has no `{}`", node.name(), child.name());
        let mistake = Diagnostic::new("unknown-child", message, child.name_span(), "not known here");
        self.report(mistake.help(suggest::help(child.name(), allowed)));
    }

    /// Notes a child that may stand only once.
    pub fn once<'d>(&self, seen: &mut Seen<'d>, child: &SyntaxNode<'d>) {
        if let Some(first) = seen.place(child.name()) {
            let message = format!("`{}` is given twice", child.name());
            let mistake = Diagnostic::new("repeated-child", message, child.name_span(), "given again");
            self.report(mistake.label(first, "first given here"));
        }
        seen.note(child);
    }

    pub fn require(&self, seen: &Seen, node: &SyntaxNode, child: &str, example: &str) {
        if !seen.has(child) {
            let message = format!("`{}` needs `{child}`", node.name());
            let mistake =
                Diagnostic::new("missing-child", message, node.name_span(), format!("has no `{child}`"));
            self.report(mistake.help(format!("add `{example}`")));
        }
    }

    /// Reports what stands twice in a list whose members must differ.
    pub fn distinct<'i>(&self, what: &str, items: impl Iterator<Item = (&'i str, Span)>) {
        let mut items = items.peekable();
        let Some(first) = items.next() else { return };
        // Most lists have one member, and there are several for every node: no table for those.
        if items.peek().is_none() {
            return;
        }
        let mut places: HashMap<&str, Span> = HashMap::from([first]);
        for (item, span) in items {
            if let Some(first) = places.get(item) {
                let message = format!("{what} `{item}` is given twice");
                let mistake = Diagnostic::new("repeated-value", message, span, "given again");
                self.report(mistake.label(*first, "first given here"));
            } else {
                places.insert(item, span);
            }
        }
    }

    pub fn bad_value(&self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.report(Diagnostic::new("bad-value", message, span, "not accepted").help(help));
    }

    // --- entries ---

    /// The one argument of a node.
    pub fn single<'d>(&self, node: &SyntaxNode<'d>) -> Option<Entry<'d>> {
        self.at_most(node, 1);
        let first = node.arguments().next();
        if first.is_none() {
            self.missing_argument(node);
        }
        first
    }

    pub fn missing_argument(&self, node: &SyntaxNode) {
        let message = format!("`{}` needs an argument", node.name());
        self.report(Diagnostic::new("missing-argument", message, node.name_span(), "nothing follows"));
    }

    pub fn missing_property(&self, node: &SyntaxNode, name: &str, example: &str) {
        let message = format!("`{}` needs the property `{name}`", node.name());
        let mistake = Diagnostic::new("missing-property", message, node.span(), format!("has no `{name}`"));
        self.report(mistake.help(format!("add `{example}`")));
    }

    fn wrong_type(&self, entry: &Entry, wanted: &str) {
        let of = entry.name.map_or_else(|| "the argument".to_owned(), |name| format!("`{name}`"));
        let message = format!("{of} must be {wanted}, not {}", entry.value.type_name());
        let mistake = Diagnostic::new("wrong-type", message, entry.value_span, format!("expected {wanted}"));
        let text = self.written(entry.value_span);
        self.report(match (wanted, entry.value) {
            ("a string", Value::Integer(_) | Value::Float(_)) => mistake.help(format!("write `\"{text}\"`")),
            ("a boolean", Value::String("true" | "false")) => {
                mistake.help(format!("write `#{}`", text.trim_matches('"')))
            }
            _ => mistake,
        });
    }

    fn written(&self, span: Span) -> &str {
        self.source.get(span.offset as usize..(span.offset + span.length) as usize).unwrap_or_default()
    }

    /// A string, taken as it is.
    pub fn literal_text(&self, entry: &Entry) -> Option<Spanned<String>> {
        match entry.value {
            Value::String(text) => Some(Spanned::new(text.to_owned(), entry.value_span)),
            _ => {
                self.wrong_type(entry, "a string");
                None
            }
        }
    }

    /// A string with its parameters replaced.
    pub fn text(&self, entry: &Entry) -> Option<Spanned<String>> {
        let text = self.text_of_archive(entry)?;
        // As it is written here it is the author's; in a parameter it was meant for an archive.
        if text.value.contains(Archive::DIGEST)
            && let Value::String(written) = entry.value
            && text.value.matches(Archive::DIGEST).count() > written.matches(Archive::DIGEST).count()
        {
            let message = "`{digest}` in a parameter is only known to the path of an `archive`";
            let mistake =
                Diagnostic::new("digest-elsewhere", message, text.span, "needed before it is known");
            self.report(mistake.help("give this place a parameter of its own"));
            return None;
        }
        Some(text)
    }

    /// As [`Scope::text`], where `{digest}` may come from a parameter.
    pub fn text_of_archive(&self, entry: &Entry) -> Option<Spanned<String>> {
        let Value::String(text) = entry.value else {
            self.wrong_type(entry, "a string");
            return None;
        };
        let lookup = |name: &str| match self.names.as_ref().map(|names| names.get(name)) {
            None | Some(Some(None)) => Lookup::Unset,
            Some(Some(Some(value))) => Lookup::Value(value),
            Some(None) => Lookup::Unknown,
        };
        match template::expand(text, lookup) {
            Ok(text) => Some(Spanned::new(text.into_owned(), entry.value_span)),
            Err(errors) => {
                errors
                    .iter()
                    .for_each(|error| self.report(self.template_mistake(error, text, entry.value_span)));
                None
            }
        }
    }

    fn template_mistake(&self, error: &TemplateError, text: &str, span: Span) -> Diagnostic {
        // Where the string has no escapes its text stands in the file as it is.
        let inside = self.written(span).find(text).map_or(span, |start| {
            let at = error.at();
            Span { offset: span.offset + (start + at.start) as u32, length: at.len() as u32 }
        });
        let message = error.to_string();
        match error {
            TemplateError::Unknown { name, .. } => {
                let names = self.names.iter().flat_map(|names| names.keys());
                let mut known: Vec<&str> = names.map(String::as_str).collect();
                known.sort_unstable();
                let help = match known.as_slice() {
                    [] => format!("declare it in the pipeline: `param \"{name}\" default=\"…\"`"),
                    known => suggest::help(name, known),
                };
                Diagnostic::new("unknown-parameter", message, inside, "not declared").help(help)
            }
            _ => Diagnostic::new("bad-template", message, inside, "here")
                .help("write `${name}`, or `$${` for a literal `${`"),
        }
    }

    /// The one argument, a string.
    pub fn argument(&self, node: &SyntaxNode) -> Option<Spanned<String>> {
        self.text(&self.single(node)?)
    }

    /// One or more arguments, all strings.
    pub fn arguments(&self, node: &SyntaxNode) -> Vec<Spanned<String>> {
        if node.arguments().next().is_none() {
            self.missing_argument(node);
        }
        node.arguments().filter_map(|entry| self.text(&entry)).collect()
    }

    /// A name and a value: `arg "NAME" "value"`.
    pub fn pair(&self, node: &SyntaxNode) -> Option<(Spanned<String>, String)> {
        self.shape(node, &[]);
        self.at_most(node, 2);
        let mut arguments = node.arguments();
        let (Some(name), Some(value)) = (arguments.next(), arguments.next()) else {
            let message = format!("`{}` needs a name and a value", node.name());
            let mistake =
                Diagnostic::new("missing-argument", message, node.span(), "two arguments belong here");
            self.report(mistake.help(format!("write `{} \"NAME\" \"value\"`", node.name())));
            return None;
        };
        let (name, value) = (self.text(&name), self.text(&value));
        let name = self.filled(name?)?;
        Some((name, value?.value))
    }

    pub fn property(&self, node: &SyntaxNode, name: &str) -> Option<Spanned<String>> {
        self.text(&node.property(name)?)
    }

    pub fn boolean(&self, node: &SyntaxNode, name: &str) -> Option<bool> {
        let entry = node.property(name)?;
        match entry.value {
            Value::Bool(value) => Some(value),
            _ => {
                self.wrong_type(&entry, "a boolean");
                None
            }
        }
    }

    /// A whole number of at least `least`.
    pub fn number(&self, entry: &Entry, least: u32) -> Option<u32> {
        let Value::Integer(value) = entry.value else {
            self.wrong_type(entry, "an integer");
            return None;
        };
        let number = u32::try_from(value).ok().filter(|number| *number >= least);
        if number.is_none() {
            self.bad_value(
                entry.value_span,
                format!("`{value}` is out of range"),
                format!("at least {least}"),
            );
        }
        number
    }

    // --- what strings stand for ---

    /// Refuses the empty string.
    pub fn filled(&self, text: Spanned<String>) -> Option<Spanned<String>> {
        if !text.value.is_empty() {
            return Some(text);
        }
        self.report(Diagnostic::new("empty-value", "the text is empty", text.span, "something belongs here"));
        None
    }

    /// A path inside the project or the node's own tree.
    pub fn to_path(&self, text: Spanned<String>) -> Option<Spanned<RelPath>> {
        match RelPath::parse(&text.value) {
            Ok(path) => Some(Spanned::new(path, text.span)),
            Err(error) => {
                let mistake = Diagnostic::new("bad-path", error.to_string(), text.span, "not accepted");
                self.report(match error {
                    PathError::Absolute(_) | PathError::Leaves(_) => mistake
                        .help("only a source's `git` and `dir` and a secret's `file` may lie elsewhere"),
                    PathError::Empty => mistake.help("write `.` for the folder itself"),
                    PathError::Nul(_) => mistake,
                });
                None
            }
        }
    }

    pub fn path(&self, node: &SyntaxNode) -> Option<Spanned<RelPath>> {
        self.to_path(self.argument(node)?)
    }

    pub fn paths(&self, node: &SyntaxNode) -> Vec<Spanned<RelPath>> {
        self.arguments(node).into_iter().filter_map(|text| self.to_path(text)).collect()
    }

    /// `into="…"`: the root of the node's tree where it is absent, nothing where it is wrong.
    pub fn into(&self, node: &SyntaxNode) -> Option<RelPath> {
        match node.property("into") {
            None => Some(RelPath::root()),
            Some(entry) => Some(self.to_path(self.text(&entry)?)?.value),
        }
    }

    pub fn references(&self, node: &SyntaxNode) -> Vec<NodeRef> {
        self.arguments(node).into_iter().map(|name| Spanned::new(NodeName(name.value), name.span)).collect()
    }

    pub fn reference(&self, node: &SyntaxNode) -> Option<NodeRef> {
        let name = self.argument(node)?;
        Some(Spanned::new(NodeName(name.value), name.span))
    }
}
