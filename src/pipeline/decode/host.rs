//! The children of a recipe that runs programs on this machine.

use crate::path::RelPath;
use crate::pipeline::decode::secret;
use crate::pipeline::diagnostic::Diagnostic;
use crate::pipeline::model::{HostRecipe, Secret, Span, Spanned, Tool};
use crate::pipeline::scope::{Scope, Seen};
use crate::pipeline::syntax::SyntaxNode;

pub(super) const CHILDREN: [&str; 7] = ["run", "output", "tool", "env", "pass-env", "secret", "input"];

/// What was read so far.
#[derive(Default)]
pub(super) struct Host {
    pub inputs: Vec<Spanned<RelPath>>,
    runs: Vec<Spanned<Vec<String>>>,
    outputs: Vec<Spanned<RelPath>>,
    tools: Vec<Tool>,
    env: Vec<(Spanned<String>, String)>,
    pass_env: Vec<Spanned<String>>,
    secrets: Vec<Secret>,
    isolate: Option<bool>,
}

impl Host {
    /// Takes a `host` block.
    pub fn block(&mut self, scope: &Scope, block: &SyntaxNode) {
        scope.no_arguments(block);
        scope.properties(block, &["isolate"]);
        self.isolation(scope, block);
        let mut seen = Seen::default();
        for child in block.children() {
            if !self.child(scope, &mut seen, &child) {
                scope.unknown_child(block, &child, &CHILDREN);
            }
        }
        scope.require(&seen, block, "run", "run \"program\" \"argument\"");
    }

    /// Takes `isolate=#false` where it is written.
    pub fn isolation(&mut self, scope: &Scope, node: &SyntaxNode) {
        self.isolate = scope.boolean(node, "isolate").or(self.isolate);
    }

    /// Takes `child` if it is one of these.
    pub fn child<'d>(&mut self, scope: &Scope, seen: &mut Seen<'d>, child: &SyntaxNode<'d>) -> bool {
        if !CHILDREN.contains(&child.name()) {
            return false;
        }
        seen.note(child);
        if !matches!(child.name(), "tool" | "secret") {
            scope.shape(child, &[]);
        }
        match child.name() {
            "run" => self.runs.extend(run(scope, child)),
            "output" => self.outputs.extend(scope.paths(child)),
            "tool" => self.tools.extend(tool(scope, child)),
            "env" => self.env.extend(scope.pair(child).filter(|(name, _)| is_variable(scope, name))),
            "pass-env" => self
                .pass_env
                .extend(scope.arguments(child).into_iter().filter(|name| is_variable(scope, name))),
            "secret" => self.secrets.extend(secret::decode(scope, child)),
            _ => self.inputs.extend(scope.paths(child)),
        }
        true
    }

    /// The recipe, once all children are read. `span` is where it is written.
    pub fn finish(self, scope: &Scope, span: Span) -> HostRecipe {
        fn text(text: &Spanned<String>) -> (&str, Span) {
            (&text.value, text.span)
        }
        fn path(path: &Spanned<RelPath>) -> (&str, Span) {
            (path.value.as_str(), path.span)
        }
        scope.distinct("input", self.inputs.iter().map(path));
        scope.distinct("output", self.outputs.iter().map(path));
        scope.distinct("tool", self.tools.iter().map(|tool| text(&tool.program)));
        scope.distinct(
            "variable",
            self.env.iter().map(|(name, _)| text(name)).chain(self.pass_env.iter().map(text)),
        );
        scope.distinct("secret", self.secrets.iter().map(|secret| text(&secret.id)));
        HostRecipe {
            inputs: self.inputs,
            runs: self.runs,
            outputs: self.outputs,
            tools: self.tools,
            env: self.env,
            pass_env: self.pass_env,
            secrets: self.secrets,
            isolate: self.isolate.unwrap_or(true),
            span,
        }
    }
}

fn run(scope: &Scope, node: &SyntaxNode) -> Option<Spanned<Vec<String>>> {
    let count = node.arguments().count();
    let mut words = scope.arguments(node).into_iter();
    let program = scope.filled(words.next()?)?;
    let words: Vec<String> = std::iter::once(program).chain(words).map(|word| word.value).collect();
    // A word that is wrong was reported; without it this would be another command.
    (words.len() == count).then(|| Spanned::new(words, node.span()))
}

fn tool(scope: &Scope, node: &SyntaxNode) -> Option<Tool> {
    scope.shape(node, &["identify"]);
    let program = scope.argument(node).and_then(|program| scope.filled(program));
    let identify = match node.property("identify") {
        None => None,
        Some(entry) => {
            let line = scope.text(&entry)?;
            match words(&line.value) {
                Ok(words) if !words.is_empty() => Some(words),
                Ok(_) => {
                    scope.filled(Spanned::new(String::new(), line.span));
                    return None;
                }
                Err(quote) => {
                    let message = format!("a {quote} is not closed in the command");
                    let mistake = Diagnostic::new(
                        "unclosed-quote",
                        message,
                        line.span,
                        "split into words, without a shell",
                    );
                    scope.report(mistake);
                    return None;
                }
            }
        }
    };
    Some(Tool { program: program?, identify })
}

fn is_variable(scope: &Scope, name: &Spanned<String>) -> bool {
    let fine = !name.value.is_empty() && !name.value.contains(['=', '\0']);
    if !fine {
        let message = format!("`{}` cannot be the name of a variable", name.value.escape_debug());
        scope.bad_value(name.span, message, "a name without `=`");
    }
    fine
}

/// Splits a command line at blanks; quotes and backslashes keep them, nothing else is special.
fn words(line: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('\'') => break,
                        Some(c) => word.push(c),
                        None => return Err("single quote"),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('"') => break,
                        Some('\\') => word.extend(chars.next()),
                        Some(c) => word.push(c),
                        None => return Err("double quote"),
                    }
                }
            }
            '\\' => word.get_or_insert_default().extend(chars.next()),
            c if c.is_whitespace() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn commands_split_at_blanks_and_keep_quoted_ones() {
        assert_eq!(words("rustc -vV").unwrap(), ["rustc", "-vV"]);
        assert_eq!(
            words(r#" sh -c 'a  b' "c \"d\"" e\ f '' "#).unwrap(),
            ["sh", "-c", "a  b", "c \"d\"", "e f", ""]
        );
        assert_eq!(words(r"a'b'c").unwrap(), ["abc"]);
        assert!(words("  ").unwrap().is_empty());
        assert_eq!(words("a 'b"), Err("single quote"));
        assert_eq!(words("a \"b"), Err("double quote"));
    }
}
