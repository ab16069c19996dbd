//! `osgraph report`: a run as one HTML page that loads nothing, for a browser without a network.

use serde::Serialize;

use crate::graph::svg::escaped;
use crate::pipeline::Kind;
use crate::record::{Outcome, Run};
use crate::report::json::answer;

const TEMPLATE: &str = include_str!("page/template.html");

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
    /// Said beside the picture of the graph.
    pub graph_note: String,
}

/// One node of the page.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    pub node: String,
    pub kind: Kind,
    pub outcome: Outcome,
    pub began_ms: u64,
    pub duration_ms: u64,
    pub lane: usize,
    pub same: Option<bool>,
    pub cause: String,
    /// In lines, as `explain` has them.
    pub reasons: Vec<String>,
    /// What is worth knowing of it and is no cause.
    pub notes: Vec<String>,
    /// What such work usually takes.
    pub usual: Option<String>,
    pub baseline: Option<i64>,
    pub key: Option<String>,
    /// Of the artifact, in bytes.
    pub size: Option<u64>,
    /// Positions of what it needs.
    pub up: Vec<usize>,
    /// The end of its output, where it failed.
    pub tail: Vec<String>,
}

/// The page, with `graph` as its picture: SVG, or nothing.
pub fn html(page: &Page, graph: &str) -> String {
    // In a script element nothing may look like its end or like a comment.
    let data = answer(page).replace('<', "\\u003c");
    let title = escaped(&format!("{}: run {}", page.pipeline, page.run.id));
    let (head, rest) = TEMPLATE.split_once("GRAPH").unwrap_or((TEMPLATE, ""));
    let (middle, tail) = rest.split_once("DATA").unwrap_or((rest, ""));
    let head = head.replacen("<title>osgraph report</title>", &format!("<title>{title}</title>"), 1);
    [head.as_str(), graph, middle, &data, tail].concat()
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
            same: None,
            cause: hostile.to_owned(),
            reasons: vec![hostile.to_owned()],
            notes: vec![hostile.to_owned()],
            usual: None,
            baseline: None,
            key: None,
            size: None,
            up: Vec::new(),
            tail: Vec::new(),
        };
        let page = Page {
            pipeline: hostile.to_owned(),
            run,
            nodes: vec![row],
            critical: vec![0],
            saved_ms: 0,
            graph_note: String::new(),
        };
        let html = html(&page, "<svg></svg>");
        assert!(!html.contains("<script>alert"), "{html}");
        assert_eq!(html.matches("</script>").count(), TEMPLATE.matches("</script>").count());
        assert!(html.contains("<svg></svg>"));
    }

    #[test]
    fn the_page_names_no_other_place() {
        let names_elsewhere = ["http://", "https://", "src=", "@import", "url("];
        assert!(names_elsewhere.iter().all(|one| !TEMPLATE.contains(one)));
    }
}
