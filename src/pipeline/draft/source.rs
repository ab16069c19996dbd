//! The node `source`: what of the folder counts, as an archive.

use crate::pipeline::draft::words::comment;
use crate::pipeline::draft::{Folder, Param, Part, Value};
use crate::pipeline::edit::quoted;

/// Folders that tools fill, in a folder that no version control knows.
const MADE: [(&str, &str); 3] =
    [("package.json", "node_modules/"), ("composer.json", "/vendor/"), ("Cargo.toml", "/target/")];

pub fn source(folder: &Folder, out: &str) -> Part {
    let slug = folder.slug();
    let mut text = comment(
        "",
        match folder.committed {
            true => {
                "What is committed. With `dir \".\"` in the place of `git`, files count as they lie here, \
                 committed or not."
            }
            false => "The files of this folder, without ignored ones.",
        },
    );
    text.push_str("source-archive \"source\" {\n");
    text.push_str(if folder.committed { "    git \".\" ref=\"HEAD\"\n" } else { "    dir \".\"\n" });
    let mut exclude = vec!["/pipeline.kdl".to_owned()];
    if !folder.committed {
        exclude.extend(MADE.iter().filter(|(file, _)| folder.has(file)).map(|(_, made)| (*made).to_owned()));
    }
    let exclude: Vec<String> = exclude.iter().map(|pattern| quoted(pattern)).collect();
    text.push_str(&format!("    exclude {}\n", exclude.join(" ")));
    text.push_str(&comment(
        "    ",
        "The same files give the same archive. The three newest versions are kept.",
    ));
    text.push_str(&format!("    archive \"{out}/{slug}-${{version}}.tar.gz\" keep=3\n}}\n"));
    Part {
        params: vec![version(folder)],
        node: Some(("source".to_owned(), true)),
        text,
        found: if folder.committed { "a git repository" } else { "files" }.to_owned(),
        open: Vec::new(),
    }
}

/// Its version, from where the project says it.
fn version(folder: &Folder) -> Param {
    let is_sound = |text: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || ".+-_".contains(c);
        !text.is_empty() && text.chars().all(fits)
    };
    let first = folder.text("VERSION").and_then(|text| text.lines().next());
    if first.is_some_and(|line| is_sound(line.trim_end())) {
        let comment = "The first line of VERSION; another with `osgraph run --set version=…`.".to_owned();
        return Param { name: "version".to_owned(), default: Value::File("VERSION"), comment };
    }
    let json = |path: &str| {
        let value: serde_json::Value = serde_json::from_str(folder.text(path)?).ok()?;
        Some(value.get("version")?.as_str()?.to_owned())
    };
    let cargo = folder.text("Cargo.toml").and_then(|text| toml(text, "package", "version"));
    let known = [
        ("Cargo.toml", cargo),
        ("package.json", json("package.json")),
        ("composer.json", json("composer.json")),
    ];
    let known = known.into_iter().find_map(|(path, version)| Some((path, version.filter(|v| is_sound(v))?)));
    let (default, comment) = match known {
        Some((path, version)) => {
            (version, format!("As {path} has it; another with `osgraph run --set version=…`."))
        }
        None => ("0.1.0".to_owned(), "Another with `osgraph run --set version=…`.".to_owned()),
    };
    Param { name: "version".to_owned(), default: Value::Text(default), comment }
}

/// A plain string of a TOML file: `key = "value"` in `[section]`.
pub fn toml(text: &str, section: &str, key: &str) -> Option<String> {
    let mut within = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            within = line.trim_matches(['[', ']']) == section;
        } else if within
            && let Some((name, value)) = line.split_once('=')
            && name.trim() == key
        {
            let value = value.trim().strip_prefix('"')?;
            return Some(value[..value.find('"')?].to_owned());
        }
    }
    None
}
