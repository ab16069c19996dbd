//! Changes of a pipeline file that are proposed to a person: what to say otherwise, and which lines
//! that takes. Text in, lines out; nothing is written.

use std::ops::Range;

use serde::Serialize;

use crate::pipeline::model::Span;
use crate::pipeline::syntax::{Document, SyntaxNode, Value};

/// What is to be said otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The option that holds this place goes.
    Remove(Span),
    /// Of this node the option with this one argument goes.
    RemoveNamed { node: Span, option: &'static str, argument: String },
    /// The node gets an option: after the last that is called `after`, or at its end.
    Add { node: Span, after: &'static str, option: String },
    /// The option that holds this place gets a property, or another value of it.
    Set { at: Span, property: &'static str, value: String },
}

/// Lines of the file that become others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Edit {
    /// The first of them, from 1; where nothing goes, the one before which lines come.
    pub line: u32,
    pub remove: Vec<String>,
    pub add: Vec<String>,
}

/// A string that means `text` itself: nothing in it is a parameter.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out.replace("${", "$${")
}

/// The lines that a change takes; none where there is no such option, or no place for one.
pub fn edit(document: &Document, text: &str, change: &Change) -> Option<Edit> {
    let (range, new) = match change {
        Change::Remove(at) => (without(text, option_at(document, *at)?), String::new()),
        Change::RemoveNamed { node, option, argument } => {
            let option = node_at(document, *node)?.children().find(|one| {
                let mut arguments = one.arguments();
                let is_it = arguments
                    .next()
                    .is_some_and(|found| matches!(found.value, Value::String(text) if text == argument));
                one.name() == *option && is_it && arguments.next().is_none()
            })?;
            (without(text, option), String::new())
        }
        Change::Add { node, after, option } => {
            let node = node_at(document, *node)?;
            let beside = node.children().filter(|one| one.name() == *after).last();
            with(text, beside.or(node.children().last())?, option)
        }
        Change::Set { at, property, value } => {
            let option = option_at(document, *at)?;
            match option.property(property) {
                Some(known) => (range(known.value_span), quoted(value)),
                None => {
                    let last =
                        option.arguments().chain(option.properties()).map(|one| range(one.value_span).end);
                    let end = last.max().unwrap_or(range(option.name_span()).end);
                    (end..end, format!(" {property}={}", quoted(value)))
                }
            }
        }
    };
    let changed = format!("{}{new}{}", text.get(..range.start)?, text.get(range.end..)?);
    Some(lines(text, &changed))
}

fn range(span: Span) -> Range<usize> {
    span.offset as usize..(span.offset + span.length) as usize
}

fn node_at(document: &Document, at: Span) -> Option<SyntaxNode<'_>> {
    document.nodes().find(|node| range(node.span()).contains(&(at.offset as usize)))
}

fn option_at(document: &Document, at: Span) -> Option<SyntaxNode<'_>> {
    node_at(document, at)?.children().find(|one| range(one.span()).contains(&(at.offset as usize)))
}

/// Where an option stands, without what ends it.
fn own(text: &str, option: SyntaxNode<'_>) -> Range<usize> {
    let Range { start, end } = range(option.span());
    let end = end.min(text.len());
    let kept = text.get(start..end).unwrap_or_default();
    start..start + kept.trim_end_matches(|c: char| c.is_whitespace() || c == ';').len()
}

/// What goes with an option: what ends it, and the line where it stands alone.
fn without(text: &str, option: SyntaxNode<'_>) -> Range<usize> {
    let Range { start, mut end } = own(text, option);
    let rest = &text[end..];
    let blank = |text: &str| text.len() - text.trim_start_matches([' ', '\t']).len();
    let gap = blank(rest);
    if rest[gap..].starts_with(';') {
        end += gap + 1;
        end += blank(&text[end..]);
    }
    let line = text[..start].rfind('\n').map_or(0, |at| at + 1);
    if text[line..start].trim().is_empty()
        && text[end..].trim_start_matches([' ', '\t', '\r']).starts_with('\n')
    {
        let close = text[end..].find('\n').map_or(text.len(), |at| end + at + 1);
        return line..close;
    }
    start..end
}

/// Where a new option goes after a known one: on a line of its own where that has one.
fn with(text: &str, beside: SyntaxNode<'_>, option: &str) -> (Range<usize>, String) {
    let Range { start, end } = own(text, beside);
    let line = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let close = text[end..].find('\n').map_or(text.len(), |at| end + at);
    let indent = &text[line..start];
    if indent.trim().is_empty() && !text[end..close].contains('}') {
        return (close..close, format!("\n{indent}{option}"));
    }
    (end..end, format!("; {option}"))
}

/// The lines in which two texts differ.
fn lines(old: &str, new: &str) -> Edit {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let before = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[before..], &new[before..]);
    let after = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let some = |list: &[&str]| list[..list.len() - after].iter().map(|line| (*line).to_owned()).collect();
    Edit { line: before as u32 + 1, remove: some(old), add: some(new) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::SourceFile;

    const TEXT: &str = "pipeline \"p\"\n\
        base-image \"a\" {\n    context \"b\" // here\n    arg \"X\" \"1\"\n    ssh \"k\"\n}\n\
        app-embed \"e\" { app \"s\" into=\"x\"; arg \"Y\" \"1\"; tag \"t\" }\n";

    /// The file after a change, and what is shown of it.
    fn told(change: &Change) -> (String, Edit) {
        let source = SourceFile { name: "p.kdl".into(), text: TEXT.into() };
        let edit = edit(&Document::parse(&source).unwrap(), TEXT, change).unwrap();
        let mut all: Vec<&str> = TEXT.lines().collect();
        let at = edit.line as usize - 1;
        assert_eq!(
            all[at..at + edit.remove.len()],
            edit.remove.iter().map(String::as_str).collect::<Vec<_>>()
        );
        all.splice(at..at + edit.remove.len(), edit.add.iter().map(String::as_str));
        let text = all.join("\n") + "\n";
        let source = SourceFile { name: "p.kdl".into(), text: text.clone().into() };
        Document::parse(&source).unwrap();
        (text, edit)
    }

    fn at(word: &str) -> Span {
        Span { offset: TEXT.find(word).unwrap() as u32, length: word.len() as u32 }
    }

    #[test]
    fn an_option_goes_with_its_line_or_alone() {
        let (text, edit) = told(&Change::Remove(at("\"X\"")));
        assert_eq!(text, TEXT.replace("    arg \"X\" \"1\"\n", ""));
        assert_eq!((edit.line, edit.remove.len(), edit.add.len()), (4, 1, 0));
        let (text, _) = told(&Change::Remove(at("\"Y\"")));
        assert_eq!(text, TEXT.replace("arg \"Y\" \"1\"; ", ""));
        let (text, _) = told(&Change::Remove(at("\"t\"")));
        assert_eq!(text, TEXT.replace("tag \"t\" }", " }"));
        let node = at("base-image");
        let (text, _) = told(&Change::RemoveNamed { node, option: "ssh", argument: "k".into() });
        assert_eq!(text, TEXT.replace("    ssh \"k\"\n", ""));
    }

    #[test]
    fn an_option_comes_where_its_like_stand() {
        let add =
            |word: &str, after| told(&Change::Add { node: at(word), after, option: "secret \"z\"".into() }).0;
        assert_eq!(add("base-image", "context"), TEXT.replace("// here\n", "// here\n    secret \"z\"\n"));
        assert_eq!(add("base-image", "none"), TEXT.replace("\"k\"\n", "\"k\"\n    secret \"z\"\n"));
        assert_eq!(add("app-embed", "app"), TEXT.replace("into=\"x\"", "into=\"x\"; secret \"z\""));
    }

    #[test]
    fn a_property_is_replaced_or_added() {
        let set = |word: &str, property| told(&Change::Set { at: at(word), property, value: "w\"".into() }).0;
        assert_eq!(set("\"s\"", "into"), TEXT.replace("into=\"x\"", "into=\"w\\\"\""));
        assert_eq!(set("\"b\"", "into"), TEXT.replace("context \"b\"", "context \"b\" into=\"w\\\"\""));
    }

    #[test]
    fn what_is_quoted_means_itself() {
        assert_eq!(quoted("a \"b\" \\ c"), "\"a \\\"b\\\" \\\\ c\"");
        assert_eq!(quoted("${x}\n\u{1b}"), "\"$${x}\\n\\u{1b}\"");
    }
}
