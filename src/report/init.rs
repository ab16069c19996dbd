//! `osgraph init`: the example pipeline, and what is said of one that is written.

use serde::Serialize;

use crate::pipeline::draft::Draft;
use crate::report::json::answer;

/// A commented pipeline that runs in any folder, on the host alone.
pub const TEMPLATE: &str = include_str!("init_template.kdl");

/// What was written, or would be.
#[derive(Debug, Serialize)]
pub struct Written<'a> {
    pub file: &'a str,
    pub dry_run: bool,
    pub text: &'a str,
    pub found: Vec<String>,
    pub open: Vec<String>,
    pub nodes: Vec<String>,
}

/// What there is to say of the example.
pub fn example() -> Draft {
    Draft {
        text: TEMPLATE.to_owned(),
        found: Vec::new(),
        open: Vec::new(),
        nodes: vec!["source".to_owned(), "checksums".to_owned()],
    }
}

/// The text, with a line's end at its end.
pub fn text(written: &Written<'_>) -> String {
    let Written { file, dry_run, text: _, found, open, nodes } = written;
    let mut out = match dry_run {
        true => format!("would write {file}: {}\n", nodes.join(", ")),
        false => format!("wrote {file}: {}\n", nodes.join(", ")),
    };
    match found.is_empty() {
        true => out.push_str("found  nothing that says how it is built: this is an example\n"),
        false => out.push_str(&format!("found  {}\n", found.join(", "))),
    }
    for one in open {
        out.push_str(&format!("open   {one}\n"));
    }
    if !dry_run {
        out.push_str("read it, then `osgraph run`\n");
    }
    out
}

/// `{"v":1,"file":…,"dry_run":…,"text":…,"found":[…],"open":[…],"nodes":[…]}`
pub fn json(written: &Written<'_>) -> String {
    answer(written)
}
