//! The head of an explanation: root causes, then the cascade in nodes and expected time.

use crate::pipeline::NodeName;
use crate::plan::{Code, Explanation, Verdict};
use crate::report::colour::Palette;
use crate::report::explain::{Course, is_root};
use crate::report::lines::chain;
use crate::report::quantity::{about, count, total};
use crate::report::text::{pad, width};
use crate::report::words;

/// Nodes that were never built and are named; more are counted.
const NAMES: usize = 6;

/// ```text
/// 1 root cause
///   embed  `input app` changed: `src/a.php` modified, 4.1 → 4.3 KiB
/// 1 node runs (~2m05s), up to 3 may follow (~1m10s more), 1 is restored, 2 are fresh
/// ~3m00s (2m40s–3m30s) with 2 nodes at a time, along embed → binary
/// ```
pub fn text(explanations: &[Explanation], course: &Course, palette: Palette) -> String {
    let roots: Vec<&Explanation> = explanations.iter().filter(|e| is_root(e)).collect();
    let mut out = String::new();
    if !roots.is_empty() {
        let causes: usize =
            roots.iter().map(|e| e.reasons().iter().filter(|r| words::is_root(r.code)).count().max(1)).sum();
        out.push_str(&format!("{}\n", palette.bold(count(causes, "root cause"))));
        let (new, roots): (Vec<&Explanation>, Vec<&Explanation>) =
            roots.into_iter().partition(|e| e.reasons().iter().any(|r| r.code == Code::NeverBuilt));
        if !new.is_empty() {
            let names: Vec<NodeName> = new.iter().map(|e| e.node.clone()).collect();
            out.push_str(&format!("  {}  never built\n", palette.yellow(super::names(&names, NAMES))));
        }
        let columns = roots.iter().map(|e| width(e.node.as_ref())).max().unwrap_or(0);
        for root in roots {
            let name = palette.yellow(pad(root.node.as_ref(), columns)).to_string();
            out.push_str(&format!("  {name}  {}\n", words::headline(root.reasons())));
        }
    }
    out.push_str(&cascade(explanations));
    out.push('\n');
    out.push_str(&wall(course));
    out
}

/// `~2m35s (2m20s–3m00s) with 2 nodes at a time, along embed → binary`; nothing where there is no chain.
fn wall(course: &Course) -> String {
    const WIDE: usize = 100;
    let Some(estimate) = course.estimate.filter(|all| all.high_ms >= 1_000 && course.critical.len() > 1)
    else {
        return String::new();
    };
    let (time, jobs) = (total(&estimate), count(course.jobs, "node"));
    format!("{time} with {jobs} at a time, along {}\n", chain(&course.critical, WIDE))
}

fn cascade(explanations: &[Explanation]) -> String {
    let of = |wanted: fn(&Explanation) -> bool| -> Vec<&Explanation> {
        explanations.iter().filter(|e| wanted(e)).collect()
    };
    let runs = of(|e| matches!(e.verdict, Verdict::Stale(_)));
    let may = of(|e| matches!(e.verdict, Verdict::Waiting(_)));
    let restored = of(|e| matches!(e.verdict, Verdict::Restorable(_))).len();
    let fresh = of(|e| matches!(e.verdict, Verdict::Fresh)).len();
    let mut parts = Vec::new();
    if !runs.is_empty() {
        let verb = if runs.len() == 1 { "runs" } else { "run" };
        parts.push(format!("{} {verb}{}", count(runs.len(), "node"), time(&runs, "")));
    }
    if !may.is_empty() {
        let noun = if parts.is_empty() {
            format!("up to {} may run", count(may.len(), "node"))
        } else {
            format!("up to {} may follow", may.len())
        };
        parts.push(format!("{noun}{}", time(&may, " more")));
    }
    for (number, what) in [(restored, "restored"), (fresh, "fresh")] {
        match (number, parts.is_empty()) {
            (0, _) => {}
            (_, true) => {
                let verb = if number == 1 { "is" } else { "are" };
                parts.push(format!("{} {verb} {what}", count(number, "node")));
            }
            (1, false) => parts.push(format!("1 is {what}")),
            (_, false) => parts.push(format!("{number} are {what}")),
        }
    }
    if parts.is_empty() { "no nodes".to_owned() } else { parts.join(", ") }
}

/// ` (~2m05s)`, the sum of what is known; nodes that never ran are counted.
fn time(nodes: &[&Explanation], more: &str) -> String {
    let known: u64 = nodes.iter().filter_map(|e| e.estimate).map(|e| e.median_ms).sum();
    let unknown = nodes.iter().filter(|e| e.estimate.is_none()).count();
    match (nodes.len() - unknown, unknown) {
        (0, _) => String::new(),
        (_, 0) => format!(" ({}{more})", about(known)),
        (_, unknown) => format!(" ({}{more}, {unknown} never timed)", about(known)),
    }
}
