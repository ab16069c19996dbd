//! The waste ledger: which causes made work again and again, what that cost, and how often it gave
//! what was there already.
//!
//! A function of the history. The time of a node that ran because of another counts for what made
//! that other one run.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::pipeline::NodeName;
use crate::plan::{Code, Reason};
use crate::record::{Outcome, RunId, Step};

/// More changed paths of one folder than this count for the folder, not for each path.
const PATHS: usize = 3;

/// What all past runs of a project come to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ledger {
    /// Runs in which something was worked on.
    pub runs: usize,
    /// All work, first builds among it.
    pub work_ms: u64,
    /// Work that gave what was there already.
    pub identical_ms: u64,
    /// The dearest first.
    pub causes: Vec<Cause>,
}

/// One cause, over all runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// A path, else the label of what changed.
    pub what: String,
    /// The node that it belongs to.
    pub node: NodeName,
    /// How often it made that node run.
    pub rebuilds: usize,
    /// Of that node and of all that ran because of it; shared with other causes of the same step.
    pub time_ms: u64,
    /// How often that node then gave what it had given before.
    pub identical: usize,
}

/// `steps` in any order; those that did not run are passed over.
pub fn ledger(steps: &[Step]) -> Ledger {
    let mut by_run: BTreeMap<RunId, Vec<(&Step, Vec<Reason>)>> = BTreeMap::new();
    for step in steps.iter().filter(|step| step.outcome == Outcome::Ran) {
        let reasons = serde_json::from_str(&step.why.reasons).unwrap_or_default();
        by_run.entry(step.run).or_default().push((step, reasons));
    }
    let mut out = Ledger { runs: by_run.len(), ..Ledger::default() };
    let mut causes: HashMap<(NodeName, String), Cause> = HashMap::new();
    for steps in by_run.values() {
        let run: HashMap<&NodeName, &[Reason]> =
            steps.iter().map(|(step, reasons)| (&step.node, reasons.as_slice())).collect();
        for (step, reasons) in steps {
            out.work_ms += step.duration_ms;
            if step.same == Some(true) {
                out.identical_ms += step.duration_ms;
            }
            let roots = roots(&step.node, reasons, &run, 0);
            for (node, what) in &roots {
                let cause = causes.entry((node.clone(), what.clone())).or_insert_with(|| Cause {
                    what: what.clone(),
                    node: node.clone(),
                    rebuilds: 0,
                    time_ms: 0,
                    identical: 0,
                });
                cause.time_ms += step.duration_ms / roots.len() as u64;
                if *node == step.node {
                    cause.rebuilds += 1;
                    cause.identical += usize::from(step.same == Some(true));
                }
            }
        }
    }
    out.causes = causes.into_values().collect();
    out.causes.sort_by(|a, b| {
        (b.time_ms, b.rebuilds, &a.node, &a.what).cmp(&(a.time_ms, a.rebuilds, &b.node, &b.what))
    });
    out
}

/// What made a node run: its own causes, else those of the nodes that it ran because of.
fn roots(
    node: &NodeName,
    reasons: &[Reason],
    run: &HashMap<&NodeName, &[Reason]>,
    depth: usize,
) -> Vec<(NodeName, String)> {
    let mut own: Vec<(NodeName, String)> = reasons
        .iter()
        // A first build is no waste.
        .filter(|reason| reason.code != Code::NeverBuilt && !is_from_above(reason))
        .flat_map(names)
        .map(|what| (node.clone(), what))
        .collect();
    // A history that names nodes in a circle is not one that a run wrote.
    if own.is_empty() && depth < run.len() {
        for up in reasons.iter().filter(|reason| is_from_above(reason)).filter_map(|r| r.node.as_ref()) {
            if let Some(reasons) = run.get(up) {
                own.extend(roots(up, reasons, run, depth + 1));
            }
        }
    }
    own.sort();
    own.dedup();
    own
}

fn is_from_above(reason: &Reason) -> bool {
    matches!(reason.code, Code::UpstreamChanged | Code::UpstreamStale)
}

/// What is said of a reason: its changed paths where these are few, else what it is called.
fn names(reason: &Reason) -> Vec<String> {
    match reason.code {
        Code::Forced => return vec!["--force".to_owned()],
        Code::Rebuild => return vec!["--rebuild".to_owned()],
        _ => {}
    }
    let place = place(&reason.label);
    if reason.changes.is_empty() || reason.changes.len() > PATHS || reason.more {
        return vec![place.unwrap_or(&reason.label).to_owned()];
    }
    let below = |path: &str| match place {
        Some(place) => format!("{place}/{path}"),
        None => path.to_owned(),
    };
    reason.changes.iter().map(|change| below(change.path.as_str())).collect()
}

/// The project path in a label: `input src`, `copy 0 common`, `overlay 1 common/config`.
fn place(label: &str) -> Option<&str> {
    match label.split_once(' ')? {
        ("input" | "context", path) => Some(path),
        ("copy" | "overlay", rest) => rest.split_once(' ').map(|(_, path)| path),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Facet;
    use crate::path::RelPath;
    use crate::record::Why;
    use crate::tree::{Change, ChangeKind};

    fn step(run: i64, node: &str, duration_ms: u64, same: bool, reasons: &[Reason]) -> Step {
        let reasons = serde_json::to_string(reasons).unwrap();
        Step {
            run: RunId(run),
            node: NodeName(node.into()),
            outcome: Outcome::Ran,
            began_ms: 0,
            duration_ms,
            why: Why { reasons, ..Why::default() },
            key: None,
            same: Some(same),
            log: None,
        }
    }

    fn changed(label: &str, paths: &[&str]) -> Reason {
        let mut reason = Reason::new(Code::InputChanged, Facet::Own, label);
        let change = |path: &&str| Change {
            path: RelPath::parse(path).unwrap(),
            kind: ChangeKind::Modified,
            old: None,
            new: None,
        };
        reason.changes = paths.iter().map(change).collect();
        reason
    }

    fn because_of(node: &str) -> Reason {
        let mut reason = Reason::new(Code::UpstreamChanged, Facet::Upstream, "base");
        reason.node = Some(NodeName(node.into()));
        reason
    }

    #[test]
    fn the_time_of_a_cascade_counts_for_its_root() {
        let first = Reason::new(Code::NeverBuilt, Facet::Own, "record");
        let edit = changed("input builder", &["Caddyfile"]);
        let steps = [
            step(1, "base", 5_000, false, &[first]),
            step(2, "base", 1_000, false, std::slice::from_ref(&edit)),
            step(2, "embed", 100, false, &[because_of("base")]),
            step(2, "dist", 10, true, &[because_of("embed")]),
            step(3, "base", 1_000, true, &[edit]),
        ];
        let ledger = ledger(&steps);
        assert_eq!((ledger.runs, ledger.work_ms, ledger.identical_ms), (3, 7_110, 1_010));
        let expected = Cause {
            what: "builder/Caddyfile".to_owned(),
            node: NodeName("base".into()),
            rebuilds: 2,
            time_ms: 2_110,
            identical: 1,
        };
        assert_eq!(ledger.causes, [expected]);
    }

    #[test]
    fn causes_of_one_step_share_its_time_and_many_paths_count_for_their_folder() {
        let many = changed("copy 0 common", &["a", "b", "c", "d"]);
        let option = Reason::new(Code::OptionChanged, Facet::Own, "run 0");
        let ledger = ledger(&[step(1, "dist", 100, false, &[many, option])]);
        let causes: Vec<_> = ledger.causes.iter().map(|one| (one.what.as_str(), one.time_ms)).collect();
        assert_eq!(causes, [("common", 50), ("run 0", 50)]);
    }

    #[test]
    fn a_history_that_goes_in_a_circle_ends() {
        let steps = [step(1, "a", 1, false, &[because_of("b")]), step(1, "b", 1, false, &[because_of("a")])];
        assert_eq!(ledger(&steps).causes, []);
    }
}
