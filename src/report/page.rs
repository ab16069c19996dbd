//! `osgraph report`: a run as one HTML page that loads nothing, for a browser without a network.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::base64;
use crate::graph::layout::Place;
use crate::graph::svg::escaped;
use crate::pipeline::Kind;
use crate::record::{Outcome, Run};
use crate::report::json::answer;

const SKELETON: &str = include_str!("page/skeleton.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = concat!(
    "\"use strict\";\n",
    include_str!("page/data.js"),
    include_str!("page/header.js"),
    include_str!("page/timeline.js"),
    include_str!("page/graph.js"),
    include_str!("page/list.js"),
    include_str!("page/detail.js"),
    include_str!("page/start.js"),
);

/// A run and its nodes.
#[derive(Clone, Debug, Serialize)]
pub struct Page {
    pub pipeline: String,
    pub run: Run,
    /// Upstreams first.
    pub nodes: Vec<Row>,
    /// Positions of the nodes that the end waited for, first to last.
    pub critical: Vec<usize>,
    /// What the nodes that were fresh or put back took when they were made.
    pub saved_ms: u64,
}

/// One node of the page. What is zero or absent is left out: a large run's page is mostly this.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    pub node: String,
    pub kind: Kind,
    pub outcome: Outcome,
    #[serde(skip_serializing_if = "is_zero")]
    pub began_ms: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub duration_ms: u64,
    /// In the timeline.
    #[serde(skip_serializing_if = "is_first")]
    pub lane: usize,
    /// In the picture of the graph.
    #[serde(flatten)]
    pub place: Place,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same: Option<bool>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cause: String,
    /// In lines, as `explain` has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// What is worth knowing of it and is no cause.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What such work usually takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usual: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Of the artifact, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Positions of what it needs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub up: Vec<usize>,
    /// Those of them that it reads nothing from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<usize>,
    /// The end of its output, where it failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tail: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_first(number: &usize) -> bool {
    *number == 0
}

/// The page. Names and output are data in it, never markup, and its policy lets a browser run this
/// script and no other, and load nothing: what slipped through would still do nothing.
pub fn html(page: &Page) -> String {
    let policy = format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; base-uri 'none'; form-action 'none'",
        source(SCRIPT),
        source(STYLE)
    );
    let title = format!("{}: run {}", page.pipeline, page.run.id);
    // In a script element nothing may look like its end or like a comment.
    let data = answer(page).replace('<', "\\u003c");
    filled(SKELETON, &|name| match name {
        "POLICY" => policy.clone(),
        "TITLE" => escaped(&title),
        "STYLE" => STYLE.to_owned(),
        "DATA" => data.clone(),
        "SCRIPT" => SCRIPT.to_owned(),
        other => format!("@{other}@"),
    })
}

/// A script or style as a policy names it.
fn source(text: &str) -> String {
    format!("sha256-{}", base64::encode(&Sha256::digest(text)))
}

/// `text` with each `@NAME@` replaced. What is put in is not looked at again.
fn filled(text: &str, value: &dyn Fn(&str) -> String) -> String {
    let mut parts = text.split('@');
    let mut out = parts.next().unwrap_or_default().to_owned();
    while let (Some(name), Some(after)) = (parts.next(), parts.next()) {
        out.push_str(&value(name));
        out.push_str(after);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::RunId;

    #[test]
    fn nothing_in_a_name_or_a_cause_can_leave_its_place() {
        let hostile = "</script><script>alert(1)</script><!--";
        let run = Run {
            id: RunId(1),
            started: 0,
            duration_ms: 5,
            outcome: Outcome::Ran,
            targets: vec![hostile.to_owned()],
            revision: None,
        };
        let row = Row {
            node: hostile.to_owned(),
            kind: Kind::Command,
            outcome: Outcome::Ran,
            began_ms: 0,
            duration_ms: 5,
            lane: 0,
            place: Place::default(),
            same: None,
            cause: hostile.to_owned(),
            reasons: vec![hostile.to_owned()],
            notes: vec![hostile.to_owned()],
            usual: None,
            baseline: None,
            key: None,
            size: None,
            up: Vec::new(),
            after: Vec::new(),
            tail: Vec::new(),
        };
        let page =
            Page { pipeline: hostile.to_owned(), run, nodes: vec![row], critical: vec![0], saved_ms: 0 };
        let html = html(&page);
        assert!(!html.contains("<script>alert"), "{html}");
        assert_eq!(html.matches("</script>").count(), 2);
        let gaps = ["@POLICY@", "@TITLE@", "@STYLE@", "@DATA@", "@SCRIPT@"];
        assert!(gaps.iter().all(|gap| SKELETON.contains(gap) && !html.contains(gap)));
        assert_eq!(SKELETON.matches('@').count(), 2 * gaps.len() + 2, "the title stands twice, nothing else");
    }

    #[test]
    fn what_is_put_into_the_page_is_not_looked_at_again() {
        let value = |name: &str| format!("[{name}: @B@]");
        assert_eq!(filled("a @A@ b @B@ c", &value), "a [A: @B@] b [B: @B@] c");
    }

    #[test]
    fn the_page_names_no_other_place() {
        let names_elsewhere = ["http://", "https://", "src=", "@import", "url("];
        for part in [SKELETON, STYLE, SCRIPT] {
            assert!(names_elsewhere.iter().all(|one| !part.contains(one)));
        }
    }

    #[test]
    fn nothing_in_the_skeleton_needs_what_its_policy_forbids() {
        for forbidden in ["style=", "onclick=", "onload=", "javascript:"] {
            assert!(!SKELETON.contains(forbidden), "{forbidden}");
        }
        assert!(!SCRIPT.contains("innerHTML") && !SCRIPT.contains("eval("));
        assert!(!SCRIPT.contains("</") && !STYLE.contains("</"), "would end their element");
    }
}
