//! A run as a trace in Chrome's format, for `chrome://tracing`, Perfetto and their like.

use serde_json::json;

use crate::record::Outcome;
use crate::report::page::Page;

/// One JSON object; times in microseconds, as the format has them.
pub fn json(page: &Page) -> String {
    let worked = page.nodes.iter().filter(|row| !matches!(row.outcome, Outcome::Fresh | Outcome::Skipped));
    let mut events: Vec<_> = worked
        .map(|row| {
            json!({
                "name": row.node,
                "cat": row.kind,
                "ph": "X",
                "ts": row.began_ms * 1_000,
                "dur": row.duration_ms * 1_000,
                "pid": 1,
                "tid": row.lane + 1,
                "args": { "outcome": row.outcome, "cause": row.cause, "same": row.same },
            })
        })
        .collect();
    events.push(json!({
        "name": "process_name", "ph": "M", "pid": 1, "args": { "name": format!("osgraph run {}", page.run.id) },
    }));
    format!("{}\n", json!({ "displayTimeUnit": "ms", "traceEvents": events }))
}
