//! Parameters: what a pipeline declares, and where each value comes from.
//!
//! `--set` goes before `OSGRAPH_PARAM_NAME`, before `from-file`, before `default`. The
//! environment, files and machine are handed in as [`Overrides`]; nothing here looks at them by
//! itself. Values are taken literally: no parameter refers to another.

use std::collections::HashMap;
use std::io;

use crate::path::RelPath;
use crate::pipeline::diagnostic::Diagnostic;
use crate::pipeline::model::{ParamOrigin, ParamValue, Pipeline, Span, Spanned};
use crate::pipeline::scope::{Names, Scope, Seen};
use crate::pipeline::suggest;
use crate::pipeline::syntax::{Document, Entry, SyntaxNode, Value};

const ENV_PREFIX: &str = "OSGRAPH_PARAM_";

/// The world outside the file, as far as parameters ask for it.
pub struct Overrides<'a> {
    /// `--set name=value`, in the order given: the last of a name wins.
    pub set: Vec<(String, String)>,
    pub env: &'a dyn Fn(&str) -> Option<String>,
    pub read_file: &'a dyn Fn(&RelPath) -> io::Result<Vec<u8>>,
    /// This machine, as `x86_64` or `amd64`: what `host` means for a parameter named `arch`.
    pub host_arch: &'a str,
}

/// A declared parameter, before anybody asked for its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    pub name: String,
    /// The parameter's name in the file.
    pub span: Span,
    pub default: Option<String>,
    pub from_file: Option<Spanned<RelPath>>,
}

impl Declaration {
    /// The environment variable that sets it.
    pub fn variable(&self) -> String {
        variable(&self.name)
    }
}

fn variable(name: &str) -> String {
    format!("{ENV_PREFIX}{}", name.to_uppercase().replace('-', "_"))
}

impl Document {
    /// The parameters of a sound file: which variables and files its meaning depends on.
    pub fn parameters(&self) -> Vec<Declaration> {
        let unread = Scope::literal();
        let headers = self.nodes().filter(|node| node.name() == "pipeline");
        headers.flat_map(|header| declarations(&unread, &header)).collect()
    }
}

impl Pipeline {
    /// The files that parameters were read from. Each is an input of what the pipeline means.
    pub fn parameter_files(&self) -> impl Iterator<Item = &RelPath> {
        self.params.iter().filter_map(|param| match &param.origin {
            ParamOrigin::FromFile(path) => Some(path),
            _ => None,
        })
    }
}

/// Reads the `param` children of the `pipeline` node.
pub(super) fn declarations(scope: &Scope, header: &SyntaxNode) -> Vec<Declaration> {
    let params = header.children().filter(|child| child.name() == "param");
    let declared: Vec<Declaration> = params.filter_map(|child| declaration(scope, &child)).collect();
    let mut variables: HashMap<String, &Declaration> = HashMap::new();
    for param in &declared {
        let variable = param.variable();
        let Some(first) = variables.get(&variable) else {
            variables.insert(variable, param);
            continue;
        };
        let mistake = if first.name == param.name {
            let message = format!("parameter `{}` is declared twice", param.name);
            Diagnostic::new("repeated-parameter", message, param.span, "declared again")
        } else {
            let message = format!("`{}` and `{}` are both set by `{variable}`", first.name, param.name);
            let mistake = Diagnostic::new("colliding-parameters", message, param.span, "rename this one");
            mistake.help("upper and lower case, and `-` and `_`, are the same in the name of a variable")
        };
        scope.report(mistake.label(first.span, "first declared here"));
    }
    declared
}

fn declaration(scope: &Scope, node: &SyntaxNode) -> Option<Declaration> {
    scope.shape(node, &["default", "from-file"]);
    let argument = scope.single(node)?;
    let name = scope.literal_text(&argument)?;
    let well_formed = name.value.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.value.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if !well_formed {
        let message = format!("`{}` cannot be the name of a parameter", name.value);
        let mistake = Diagnostic::new("bad-parameter-name", message, name.span, "not a name");
        scope.report(mistake.help("use letters, digits, `-` and `_`, beginning with a letter"));
        return None;
    }
    let default = match node.property("default") {
        Some(entry) => Some(default(scope, &entry)?.value),
        None => None,
    };
    let from_file = match node.property("from-file") {
        Some(entry) => Some(scope.to_path(scope.literal_text(&entry)?)?),
        None => None,
    };
    Some(Declaration { name: name.value, span: name.span, default, from_file })
}

fn default(scope: &Scope, entry: &Entry) -> Option<Spanned<String>> {
    let text = scope.literal_text(entry)?;
    if text.value.contains("${") && matches!(entry.value, Value::String(_)) {
        let message = "a parameter's value cannot refer to another parameter";
        let mistake = Diagnostic::new("nested-parameter", message, text.span, "taken literally");
        scope.report(mistake.help("write `${…}` where the parameter is used"));
        return None;
    }
    Some(text)
}

/// Finds each parameter's value; those without one are reported and [`None`] in `names`.
pub(super) fn values(
    scope: &Scope,
    header: &SyntaxNode,
    declared: &[Declaration],
    overrides: &Overrides,
) -> (Vec<ParamValue>, Names) {
    unknown_overrides(scope, header, declared, overrides);
    let mut values = Vec::with_capacity(declared.len());
    let mut names = Names::default();
    for param in declared {
        let found = value(scope, param, overrides).map(|(mut value, origin)| {
            if param.name == "arch" && value == "host" {
                value = architecture(overrides.host_arch).to_owned();
            }
            ParamValue { name: param.name.clone(), value, origin, span: param.span }
        });
        names.insert(param.name.clone(), found.as_ref().map(|found| found.value.clone()));
        values.extend(found);
    }
    (values, names)
}

/// The name that container platforms use for a machine.
fn architecture(machine: &str) -> &str {
    match machine {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn value(scope: &Scope, param: &Declaration, overrides: &Overrides) -> Option<(String, ParamOrigin)> {
    if let Some((_, value)) = overrides.set.iter().rev().find(|(name, _)| *name == param.name) {
        return Some((value.clone(), ParamOrigin::CommandLine));
    }
    let variable = param.variable();
    if let Some(value) = (overrides.env)(&variable) {
        return Some((value, ParamOrigin::Environment(variable)));
    }
    if let Some(path) = &param.from_file {
        match (overrides.read_file)(&path.value).and_then(first_line) {
            Ok(line) => return Some((line, ParamOrigin::FromFile(path.value.clone()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound && param.default.is_some() => {}
            Err(error) => {
                let message = format!("`{}` cannot be read: {error}", path.value);
                let mistake =
                    Diagnostic::new("unreadable-parameter", message, path.span, "read for this parameter");
                scope.report(mistake.help(how_to_set(param)));
                return None;
            }
        }
    }
    if let Some(default) = &param.default {
        return Some((default.clone(), ParamOrigin::Default));
    }
    let message = format!("parameter `{}` has no value", param.name);
    let mistake =
        Diagnostic::new("unset-parameter", message, param.span, "neither `default` nor `from-file`");
    scope.report(mistake.help(how_to_set(param)));
    None
}

fn how_to_set(param: &Declaration) -> String {
    format!("give one with `--set {}=…` or `{}=…`", param.name, param.variable())
}

fn first_line(bytes: Vec<u8>) -> io::Result<String> {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let text =
        std::str::from_utf8(line).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    Ok(text.trim_end().to_owned())
}

fn unknown_overrides(scope: &Scope, header: &SyntaxNode, declared: &[Declaration], overrides: &Overrides) {
    let known: Vec<&str> = declared.iter().map(|param| param.name.as_str()).collect();
    // A parameter whose declaration is broken is not unknown as well.
    let written: Seen = header.children().filter(|child| child.name() == "param").collect();
    for (name, _) in overrides.set.iter().filter(|(name, _)| !known.contains(&name.as_str())) {
        if written.len() != known.len() {
            continue;
        }
        let message = format!("`--set {name}=…` names no parameter of this pipeline");
        let place = header.arguments().next().map_or(header.name_span(), |argument| argument.value_span);
        let mistake = Diagnostic::new("unknown-override", message, place, "its parameters are declared here");
        scope.report(mistake.help(suggest::help(name, &known)));
    }
}
