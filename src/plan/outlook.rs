//! What is still to be expected of a run that goes on: what past runs took, less what is done.
//!
//! Is told of nodes as they begin and end. Pure: times are milliseconds of the run, and arguments.

use std::collections::HashMap;

use crate::pipeline::NodeName;
use crate::plan::Estimate;
use crate::plan::schedule::{Expected, Job, expected};

/// The nodes that may run, and how far each has come.
#[derive(Clone, Debug, Default)]
pub struct Outlook {
    names: Vec<NodeName>,
    places: HashMap<NodeName, usize>,
    jobs: Vec<Job>,
    states: Vec<State>,
    slots: usize,
}

#[derive(Clone, Debug)]
enum State {
    Ahead,
    /// Since then it takes so long.
    Running(u64, Option<Estimate>),
    Over,
}

impl Outlook {
    /// Upstreams first; [`Job::after`] are positions among `jobs`.
    pub fn new(jobs: Vec<(NodeName, Job)>, slots: usize) -> Self {
        let (names, jobs): (Vec<NodeName>, Vec<Job>) = jobs.into_iter().unzip();
        let places = names.iter().enumerate().map(|(at, name)| (name.clone(), at)).collect();
        Self { states: vec![State::Ahead; jobs.len()], names, places, jobs, slots }
    }

    pub fn began(&mut self, node: &NodeName, now_ms: u64) {
        if let Some(at) = self.places.get(node) {
            self.states[*at] = State::Running(now_ms, self.jobs[*at].estimate);
        }
    }

    /// The node itself knows better: `left` from now on.
    pub fn told(&mut self, node: &NodeName, left: Estimate, now_ms: u64) {
        if let Some(at) = self.places.get(node) {
            self.states[*at] = State::Running(now_ms, Some(left));
        }
    }

    pub fn ended(&mut self, node: &NodeName) {
        if let Some(at) = self.places.get(node) {
            self.states[*at] = State::Over;
        }
    }

    pub fn name(&self, at: usize) -> &NodeName {
        &self.names[at]
    }

    /// What is left. [`Expected::critical`] are positions for [`Outlook::name`].
    pub fn look(&self, now_ms: u64) -> Expected {
        // Who has a place keeps it: what runs comes before what waits.
        let is_running = |at: &usize| matches!(self.states[*at], State::Running(..));
        let is_ahead = |at: &usize| matches!(self.states[*at], State::Ahead);
        let all = 0..self.jobs.len();
        let open: Vec<usize> = all.clone().filter(is_running).chain(all.filter(is_ahead)).collect();
        let mut places = vec![None; self.jobs.len()];
        for (place, at) in open.iter().enumerate() {
            places[*at] = Some(place);
        }
        let job = |at: &usize| {
            let job = &self.jobs[*at];
            match self.states[*at] {
                // It runs: it waits for nobody.
                State::Running(since, estimate) => {
                    let estimate = estimate.map(|all| all.after(now_ms.saturating_sub(since)));
                    Job { estimate, after: Vec::new() }
                }
                _ => Job {
                    estimate: job.estimate,
                    after: job.after.iter().filter_map(|up| places[*up]).collect(),
                },
            }
        };
        let jobs: Vec<Job> = open.iter().map(job).collect();
        let Expected { estimate, untimed, critical } = expected(&jobs, self.slots);
        Expected { estimate, untimed, critical: critical.into_iter().map(|place| open[place]).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str) -> NodeName {
        NodeName(name.into())
    }

    fn estimate(ms: u64) -> Estimate {
        Estimate { median_ms: ms, low_ms: ms, high_ms: ms, samples: 2 }
    }

    /// `a` 10, `b` 4, `c` 3 after both.
    fn outlook() -> Outlook {
        let job = |ms, after: &[usize]| Job { estimate: Some(estimate(ms)), after: after.to_vec() };
        let jobs = vec![(node("a"), job(10, &[])), (node("b"), job(4, &[])), (node("c"), job(3, &[0, 1]))];
        Outlook::new(jobs, 2)
    }

    fn seen(outlook: &Outlook, now_ms: u64) -> (u64, String) {
        let Expected { estimate, critical, .. } = outlook.look(now_ms);
        let names: Vec<&str> = critical.iter().map(|at| outlook.name(*at).as_ref()).collect();
        (estimate.map_or(0, |estimate| estimate.median_ms), names.join(" "))
    }

    #[test]
    fn time_goes_by_and_nodes_end() {
        let mut outlook = outlook();
        assert_eq!(seen(&outlook, 0), (13, "a c".into()));
        outlook.began(&node("a"), 0);
        outlook.began(&node("b"), 0);
        assert_eq!(seen(&outlook, 6), (7, "a c".into()));
        outlook.ended(&node("a"));
        outlook.ended(&node("b"));
        outlook.began(&node("c"), 11);
        assert_eq!(seen(&outlook, 12), (2, "c".into()));
        outlook.ended(&node("c"));
        assert_eq!(outlook.look(13), Expected::default());
    }

    #[test]
    fn a_node_that_knows_better_is_believed() {
        let mut outlook = outlook();
        outlook.began(&node("a"), 0);
        outlook.told(&node("a"), estimate(100), 5);
        assert_eq!(seen(&outlook, 15), (93, "a c".into()));
        outlook.told(&node("nobody"), estimate(100), 5);
    }
}
