//! Where nothing moved since everything was fresh, the records say it all: no input is looked at beyond
//! the idle check, and nothing is judged again.

use crate::commands::args::Explain;
use crate::commands::fault::Fault;
use crate::commands::ground::Ground;
use crate::commands::history;
use crate::commands::load::Loaded;
use crate::key::Key;
use crate::pipeline::{Node, NodeName, Work};
use crate::plan::{Baseline, Explanation, Verdict};
use crate::store::Store;
use crate::survey::idle::{self, Doubt, Idle, Settled};
use crate::survey::snapshot::Answer;

/// What the idle check comes to.
pub enum Look {
    Fresh(Box<Settled>),
    Doubtful(Box<Doubt>),
}

/// Asks whether anything moved, where the answer would be enough: repositories and Dockerfiles have more
/// to be said of them than whether they are as they were.
pub fn look(ground: &Ground, args: &Explain) -> Look {
    let snapshot = ground.snapshot();
    let is_enough =
        |answer: &Answer| answer.sources.is_empty() && answer.images.is_empty() && answer.unproven.is_empty();
    if args.against.is_some() || !snapshot.meta.answer.as_ref().is_some_and(is_enough) {
        return Look::Doubtful(Box::new(idle::doubt(snapshot)));
    }
    match ground.idle_of(snapshot, &args.targets, false) {
        Idle::Fresh(settled) => Look::Fresh(settled),
        Idle::Doubtful(doubt) => Look::Doubtful(doubt),
    }
}

/// Every node as its record has it; none where a record is gone, or a node wants looking at.
pub fn explanations(
    ground: &Ground,
    loaded: &Loaded,
    targets: &[String],
    settled: &mut Settled,
) -> Result<Option<Vec<Explanation>>, Fault> {
    let graph = &loaded.graph;
    let order = graph.closure(&graph.targets(targets)?);
    let keys: Vec<Option<Key>> = settled.snapshot.keys();
    if keys.len() != order.len() {
        return Ok(None);
    }
    let store = Store::open_read_only(&ground.store)?;
    let mut known = history::Known::new(&store);
    let mut found = Vec::new();
    for (index, key) in order.into_iter().zip(keys) {
        let node: &Node = &loaded.pipeline.nodes[index.index()];
        if matches!(node.work, Work::Group(_)) {
            continue;
        }
        let record = match key {
            Some(key) if node.docker().is_none() => store.record_by_key(&key)?,
            _ => None,
        };
        let Some(record) = record else { return Ok(None) };
        let mut unchanged = [0; 3];
        for component in record.manifest.components() {
            unchanged[component.facet as usize] += 1;
        }
        let baseline = known.run(record.run)?.map(|run| Baseline {
            run: record.run,
            revision: run.revision,
            started: run.started,
            duration_ms: record.duration_ms,
            last_success: record.node == node.name,
        });
        let upstreams = graph.upstreams(index).into_iter().filter(|up| up.role.is_read());
        let fresh = Verdict::<NodeName>::Fresh;
        found.push(Explanation {
            node: node.name.clone(),
            kind: node.kind(),
            key: Some(record.key.to_string()),
            baseline,
            unchanged,
            estimate: None,
            instructions: Vec::new(),
            identical: None,
            upstreams: upstreams.map(|up| (graph.name(up.node).clone(), fresh.word())).collect(),
            downstream: Vec::new(),
            notes: Vec::new(),
            edits: Vec::new(),
            verdict: fresh,
        });
    }
    Ok(Some(found))
}
