//! `osgraph ps`: what is being made on this store.

use serde::Serialize;

use crate::plan::Estimate;
use crate::report::colour::Palette;
use crate::report::json::answer;
use crate::report::quantity::{estimate, millis};
use crate::report::table::{Align, Table};

/// A node that a run is making.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    pub node: String,
    pub project: String,
    pub run: i64,
    pub pid: u32,
    /// Seconds since 1970.
    pub since: i64,
    pub log: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
}

/// The text, with a line's end at its end; `now` in seconds since 1970.
pub fn text(lines: &[Line], now: i64, palette: Palette) -> String {
    if lines.is_empty() {
        return "nothing is being made\n".to_owned();
    }
    let mut table = Table::new([
        ("node", Align::Left),
        ("for", Align::Right),
        ("expected", Align::Left),
        ("run", Align::Right),
        ("pid", Align::Right),
        ("project", Align::Left),
    ]);
    for line in lines {
        let since = now.saturating_sub(line.since).max(0).cast_unsigned();
        table.row([
            line.node.clone(),
            millis(since * 1_000),
            line.estimate.as_ref().map_or_else(|| "no history yet".to_owned(), estimate),
            line.run.to_string(),
            line.pid.to_string(),
            line.project.clone(),
        ]);
    }
    table.text(palette)
}

/// `{"v":1,"running":[…]}`
pub fn json(lines: &[Line]) -> String {
    #[derive(Serialize)]
    struct Document<'a> {
        running: &'a [Line],
    }
    answer(&Document { running: lines })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_node_has_a_line() {
        let line = Line {
            node: "base".into(),
            project: "/p/pipeline.kdl".into(),
            run: 41,
            pid: 7,
            since: 1_000,
            log: "/p/cache/logs/41-base.log".into(),
            estimate: None,
        };
        assert_eq!(
            text(&[line], 1_065, Palette::PLAIN),
            "node    for  expected        run  pid  project\n\
             base  1m05s  no history yet   41    7  /p/pipeline.kdl\n"
        );
        assert_eq!(text(&[], 0, Palette::PLAIN), "nothing is being made\n");
    }
}
