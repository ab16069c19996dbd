//! What a run is expected to be and to take, before it begins.

use std::collections::HashMap;
use std::time::Duration;

use crate::commands::args::Run;
use crate::commands::fault::Fault;
use crate::commands::prepare::{self, Prepared};
use crate::plan::Verdict;
use crate::plan::judge::{Judged, Order};
use crate::plan::outlook::Outlook;
use crate::plan::schedule::Job;
use crate::report::{quantity, words};

/// `--expect-fresh` and `--budget`: fail before time is spent.
pub fn expectations(args: &Run, prepared: &Prepared, judged: &[Judged]) -> Result<(), Fault> {
    for name in &prepare::spelled_out(&args.expect_fresh, &prepared.loaded.pipeline) {
        let Some(at) = prepared.names.iter().position(|known| known.0 == *name) else {
            prepared.loaded.graph.targets(std::slice::from_ref(name))?;
            return Err(Fault::not_needed(name));
        };
        if !judged[at].is_known() {
            let (reasons, _) = prepared.historian().reasons(&prepared.case(at, judged));
            let why = if reasons.is_empty() {
                "an upstream runs first".to_owned()
            } else {
                words::headline(&reasons)
            };
            return Err(Fault::expectation(
                format!("`{name}` is expected to be fresh and is not: {why}"),
                format!("`osgraph explain {name}` says more; `osgraph run {name}` builds it"),
            ));
        }
    }
    if let Some(budget) = args.budget {
        let Some(estimate) = outlook(prepared, judged, slots(args)).look(0).estimate else { return Ok(()) };
        if Duration::from_millis(estimate.median_ms) > budget {
            return Err(Fault::expectation(
                format!(
                    "the run is expected to take {}, more than the budget of {}",
                    quantity::total(&estimate),
                    quantity::duration(budget)
                ),
                "`osgraph explain` says what takes it; name fewer targets, or a larger `--budget`",
            ));
        }
    }
    Ok(())
}

/// What is expected of all nodes that may run, at most `slots` at a time.
pub fn outlook(prepared: &Prepared, judged: &[Judged], slots: usize) -> Outlook {
    let historian = prepared.historian();
    let mut places: HashMap<usize, usize> = HashMap::new();
    let mut list = Vec::new();
    for (at, one) in judged.iter().enumerate() {
        let may_run = matches!(one.verdict, Verdict::Stale(_) | Verdict::Waiting(_));
        let subject = &prepared.subjects[at];
        if !may_run || subject.order == Order::Nothing {
            continue;
        }
        places.insert(at, list.len());
        let upstreams = subject.reads.iter().map(|read| &read.up).chain(&subject.follows);
        let job = Job {
            estimate: historian.estimate(&prepared.names[at]),
            after: upstreams.filter_map(|up| places.get(up).copied()).collect(),
        };
        list.push((prepared.names[at].clone(), job));
    }
    Outlook::new(list, slots)
}

pub fn slots(args: &Run) -> usize {
    args.jobs.map_or_else(crate::inputs::hash::cores, |jobs| jobs.get())
}
