//! The shape of the source tree, held by reading it: layers, owners, sizes.
//!
//! A small lexer takes comments, literals and test modules away first, so that a word in a
//! message or in a doc comment is no import.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Low to high. A module imports from its own layer or a lower one, never in a circle.
const LAYERS: &[&[&str]] = &[
    &["base64", "canonical", "copy", "digest", "dockerfile", "path", "reference", "tally", "tree"],
    &["pipeline"],
    &["graph", "inputs"],
    &["key", "record"],
    &["plan", "store"],
    &["event"],
    &["run", "report"],
    &["survey"],
    &["commands"],
];

/// Pairs of one layer that do not know each other.
const STRANGERS: &[(&str, &str)] = &[("plan", "store"), ("run", "report")];

/// A crate, and the only place that may name it.
const OWNERS: &[(&str, &str)] = &[
    ("rusqlite", "src/store/db"),
    ("kdl", "src/pipeline/reader"),
    ("bollard", "src/run/docker"),
    ("hyper", "src/run/docker"),
    ("rustls", "src/run/docker"),
    ("tonic", "src/run/docker"),
];

/// Functions of their arguments: no file system, no database, no clock.
const PURE: &[&str] =
    &["base64", "digest", "dockerfile", "event", "graph", "key", "path", "plan", "record", "reference"];

/// Folders at the root, whose names say something else than a module would.
const ROOT_FOLDERS: &[&str] = &["builder", "cache", "common", "targets"];

const MOST_LINES: usize = 500;

/// A source file without its comments, literals and test modules.
struct Source {
    /// From the project's root: `src/plan/reason.rs`.
    path: String,
    text: String,
    /// Line structure kept; comments and the insides of literals are blank.
    code: String,
    /// The insides of string literals.
    literals: Vec<String>,
}

impl Source {
    /// The top-level module it belongs to: `plan`; none for the crate's roots.
    fn module(&self) -> Option<&str> {
        let below = self.path.strip_prefix("src/")?;
        let name = below.split('/').next()?;
        let name = name.strip_suffix(".rs").unwrap_or(name);
        (name != "lib" && name != "main").then_some(name)
    }

    /// How many `super::` lead from this file to the crate's root.
    fn depth(&self) -> usize {
        let names = self.path.split('/').count() - 1;
        if self.path.ends_with("/mod.rs") { names - 1 } else { names }
    }

    fn is_within(&self, place: &str) -> bool {
        self.path.strip_prefix(place).is_some_and(|rest| rest.starts_with(['/', '.', '_']))
    }

    /// Whether `word` stands in the code as a whole word.
    fn names(&self, word: &str) -> bool {
        self.code.match_indices(word).any(|(at, _)| whole(&self.code, at, word.len()))
    }
}

fn whole(code: &str, at: usize, length: usize) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    !code[..at].ends_with(part) && !code[at + length..].starts_with(part)
}

/// Every source file that is no test.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    find(&root.join("src"), &mut files);
    files.sort();
    assert!(!files.is_empty(), "no sources found");
    files
        .iter()
        .map(|file| {
            let text = fs::read_to_string(file).unwrap();
            let path = file.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            let (code, literals) = strip(&text);
            Source { path, code: without_tests(&code), text, literals }
        })
        .filter(|source| !source.path.ends_with("/tests.rs") && !source.path.contains("/tests/"))
        .collect()
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Blanks comments and the insides of literals; also yields the latter.
fn strip(text: &str) -> (String, Vec<String>) {
    let chars: Vec<char> = text.chars().collect();
    let (mut code, mut literals, mut at) = (String::with_capacity(text.len()), Vec::new(), 0);
    let starts = |at: usize, word: &str| word.chars().enumerate().all(|(i, c)| chars.get(at + i) == Some(&c));
    let blank = |c: char| if c == '\n' { '\n' } else { ' ' };
    while at < chars.len() {
        if starts(at, "//") {
            while at < chars.len() && chars[at] != '\n' {
                code.push(' ');
                at += 1;
            }
        } else if starts(at, "/*") {
            let mut open = 0;
            loop {
                let step = if starts(at, "/*") {
                    open += 1;
                    2
                } else if starts(at, "*/") {
                    open -= 1;
                    2
                } else {
                    1
                };
                for c in chars.iter().skip(at).take(step) {
                    code.push(blank(*c));
                }
                at += step;
                if open == 0 || at >= chars.len() {
                    break;
                }
            }
        } else if let Some(hashes) = raw_string(&chars, at, &code) {
            let close: String = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
            let begin = at + 2 + hashes;
            let end = (begin..chars.len()).find(|at| starts(*at, &close)).unwrap_or(chars.len());
            literals.push(chars[begin..end].iter().collect());
            code.push('"');
            code.extend(chars[begin..end].iter().map(|c| blank(*c)));
            code.push('"');
            at = end + close.len();
        } else if chars[at] == '"' {
            let begin = at + 1;
            at = begin;
            while at < chars.len() && chars[at] != '"' {
                at += if chars[at] == '\\' { 2 } else { 1 };
            }
            let inside = &chars[begin..at.min(chars.len())];
            literals.push(inside.iter().collect());
            code.push('"');
            code.extend(inside.iter().map(|c| blank(*c)));
            code.push('"');
            at += 1;
        } else if chars[at] == '\'' && (chars.get(at + 1) == Some(&'\\') || chars.get(at + 2) == Some(&'\''))
        {
            // A character; a lifetime has no closing quote.
            at += if chars[at + 1] == '\\' { 3 } else { 2 };
            while at < chars.len() && chars[at] != '\'' {
                at += 1;
            }
            at += 1;
            code.push_str("' '");
        } else {
            code.push(chars[at]);
            at += 1;
        }
    }
    (code, literals)
}

/// How many `#` a raw string that starts here has; none where none starts.
fn raw_string(chars: &[char], at: usize, before: &str) -> Option<usize> {
    if chars[at] != 'r'
        || before.ends_with(|c: char| (c.is_alphanumeric() && c != 'b' && c != 'c') || c == '_')
    {
        return None;
    }
    let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
    (chars.get(at + 1 + hashes) == Some(&'"')).then_some(hashes)
}

/// Cuts every item that `#[cfg(test)]` stands before.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let (mut out, mut rest) = (String::with_capacity(code.len()), code);
    while let Some(at) = rest.find(MARK) {
        out.push_str(&rest[..at]);
        rest = &rest[at + MARK.len()..];
        let mut open = 0usize;
        let end = rest.char_indices().find_map(|(at, c)| match c {
            '{' => {
                open += 1;
                None
            }
            '}' => {
                open = open.saturating_sub(1);
                (open == 0).then_some(at + 1)
            }
            ';' if open == 0 => Some(at + 1),
            _ => None,
        });
        rest = &rest[end.unwrap_or(rest.len())..];
    }
    out.push_str(rest);
    out
}

/// The first names after every `crate::`, of `crate::a::B` as of `crate::{a::B, c::{D, E}}`.
fn imports(code: &str) -> BTreeSet<String> {
    const PREFIX: &str = "crate::";
    let name = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let mut out = BTreeSet::new();
    for (at, _) in code.match_indices(PREFIX).filter(|(at, _)| whole(code, *at, "crate".len())) {
        let rest = &code[at + PREFIX.len()..];
        if !rest.starts_with('{') {
            out.insert(name(rest));
            continue;
        }
        let (mut open, mut begins) = (0, true);
        for (at, c) in rest.char_indices() {
            match c {
                '{' => open += 1,
                '}' if open == 1 => break,
                '}' => open -= 1,
                ',' if open == 1 => begins = true,
                c if open == 1 && begins && !c.is_whitespace() => {
                    out.insert(name(&rest[at..]));
                    begins = false;
                }
                _ => {}
            }
        }
    }
    out.remove("");
    out
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// Who imports whom, among top-level modules.
fn edges() -> BTreeMap<String, BTreeSet<String>> {
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources() {
        if let Some(module) = source.module() {
            let known = edges.entry(module.to_owned()).or_default();
            known.extend(imports(&source.code).into_iter().filter(|name| name != module));
        }
    }
    edges
}

fn none(faults: Vec<String>) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

fn files_where(fault: &str, wrong: impl Fn(&Source) -> bool) {
    none(sources().iter().filter(|s| wrong(s)).map(|s| format!("{}: {fault}", s.path)).collect());
}

#[test]
fn imports_point_down_only() {
    let mut faults = Vec::new();
    for (module, imported) in edges() {
        let Some(own) = layer(&module) else {
            faults.push(format!("`{module}` has no layer yet: give it one in LAYERS"));
            continue;
        };
        for other in imported {
            match layer(&other) {
                None => faults.push(format!("`{module}` imports `crate::{other}`, which is in no layer")),
                Some(at) if at > own => faults.push(format!("`{module}` imports `{other}` from above")),
                Some(_) => {}
            }
            if STRANGERS.iter().any(|pair| *pair == (&*module, &*other) || *pair == (&*other, &*module)) {
                faults.push(format!("`{module}` imports `{other}`, and neither shall know the other"));
            }
        }
    }
    none(faults);
}

#[test]
fn modules_import_in_no_circle() {
    let mut left = edges();
    // What imports nothing that is left can be taken away; a circle cannot.
    while let Some(free) =
        left.iter().find(|(_, to)| to.iter().all(|m| !left.contains_key(m))).map(|(m, _)| m.clone())
    {
        left.remove(&free);
    }
    assert!(left.is_empty(), "circles among {:?}", left.keys());
}

#[test]
fn no_super_path_leaves_its_top_level_module() {
    files_where("`super::` reaches the crate's root; write `crate::`", |source| {
        source.module().is_some() && source.code.contains(&"super::".repeat(source.depth()))
    });
}

#[test]
fn foreign_crates_stay_with_their_owner() {
    let faults = sources().into_iter().flat_map(|source| {
        let wrong = OWNERS.iter().filter(|(name, owner)| source.names(name) && !source.is_within(owner));
        wrong.map(|(name, owner)| format!("{}: `{name}` belongs to {owner}", source.path)).collect::<Vec<_>>()
    });
    none(faults.collect());
}

#[test]
fn sql_stands_in_the_database_module_only() {
    const OPENINGS: &[&str] =
        &["select ", "insert into ", "insert or ", "update ", "delete from ", "create table ", "pragma "];
    files_where("SQL outside src/store/db", |source| {
        let sql = |text: &String| {
            let upper = text.trim_start();
            OPENINGS.iter().any(|word| upper.starts_with(&word.to_uppercase()))
        };
        source.literals.iter().any(sql) && !source.is_within("src/store/db")
    });
}

#[test]
fn pure_modules_touch_nothing() {
    const WORLD: &[&str] = &["fs", "fs_err", "Instant", "net", "process", "rusqlite", "SystemTime", "tokio"];
    let faults = sources()
        .into_iter()
        .filter(|source| source.module().is_some_and(|m| PURE.contains(&m)))
        .flat_map(|source| {
            let found = WORLD.iter().filter(|word| source.names(word));
            found.map(|word| format!("{}: `{word}` in a pure module", source.path)).collect::<Vec<_>>()
        });
    none(faults.collect());
}

#[test]
fn only_report_and_commands_print() {
    files_where("prints outside src/report and src/commands", |source| {
        let prints = ["print!", "println!", "eprint!", "eprintln!", "dbg!"].iter().any(|name| {
            source.code.match_indices(name).any(|(at, _)| whole(&source.code, at, name.len() - 1))
        });
        let may = ["src/report", "src/commands", "src/main"].iter().any(|place| source.is_within(place));
        prints && !may
    });
}

#[test]
fn no_module_is_named_like_a_root_folder() {
    files_where("named like a folder at the root", |source| {
        source.path.split(['/', '.']).skip(1).any(|name| ROOT_FOLDERS.contains(&name))
    });
}

#[test]
fn every_module_opens_by_saying_what_it_is_for() {
    files_where("does not open with `//!`", |source| !source.text.starts_with("//! "));
}

#[test]
fn no_file_is_two() {
    none(
        sources()
            .iter()
            .map(|source| (source, source.code.lines().count()))
            .filter(|(_, lines)| *lines > MOST_LINES)
            .map(|(source, lines)| format!("{}: {lines} lines without its tests", source.path))
            .collect(),
    );
}

#[test]
fn wildcards_are_for_tests() {
    files_where("`use super::*` outside tests", |source| source.code.contains("use super::*"));
}

mod of_the_reader_itself {
    use super::{imports, strip, without_tests};

    #[test]
    fn imports_are_found_in_every_spelling() {
        let code = "use crate::a::{B, c::D};\nuse crate::{\n e::{F, G}, h, i::J as K};\nlet x = crate::l::m();\n\
                    pub(crate) fn n() { mycrate::o(); }";
        assert_eq!(imports(code).into_iter().collect::<Vec<_>>(), ["a", "e", "h", "i", "l"]);
    }

    #[test]
    fn comments_and_literals_are_no_code() {
        let text = "// kdl::a\nlet a = \"kdl \\\" b\"; /* kdl /* c */ kdl */ let b = r#\"SELECT \"x\" \"#; \
                    let c: &'static str = b'\"'; kdl";
        let (code, literals) = strip(text);
        assert_eq!(code.matches("kdl").count(), 1, "{code}");
        assert_eq!(literals, ["kdl \\\" b", "SELECT \"x\" "]);
        assert_eq!(code.lines().count(), text.lines().count());
    }

    #[test]
    fn test_modules_are_cut() {
        let code = "a;\n#[cfg(test)]\nmod tests;\nb;\n#[cfg(test)]\nmod more { fn c() { {} } }\nd;";
        let left = without_tests(code);
        assert!(left.contains("a;") && left.contains("b;") && left.contains("d;"));
        assert!(!left.contains("tests") && !left.contains("more"));
    }
}
