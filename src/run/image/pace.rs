//! How far a build has come and how long it still takes, by what its instructions took before.
//!
//! Knows no engine and asks no clock: the engine's reports and the time are arguments. Pure.

use std::collections::HashMap;
use std::time::Duration;

use crate::dockerfile::Analysis;
use crate::plan::Estimate;
use crate::run::docker::buildkit::Progress;

/// What BuildKit calls the last thing that it does, which takes the results of all others.
const EXPORT: &str = "exporting to image";

/// What else is timed of what stands in no Dockerfile.
const CONTEXT: &str = "[internal] load build context";

pub struct Pace<'a> {
    analysis: &'a Analysis,
    /// Of the instructions, in their order.
    names: Vec<String>,
    history: HashMap<String, Estimate>,
    /// By the number that the engine's reports give them.
    steps: Vec<Step>,
}

#[derive(Clone, Default)]
struct Step {
    /// None: not timed.
    name: Option<String>,
    /// Whether it is an instruction, and so one of those that are counted.
    is_counted: bool,
    /// Takes no time of its own: an image that is there, or one that another stage asked for, too.
    is_from: bool,
    inputs: Vec<usize>,
    begun: Option<Duration>,
    is_over: bool,
    /// What it took; none for what was cached.
    took: Option<Duration>,
}

/// Where a build stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stand {
    /// Instructions that have begun, and how many there are.
    pub step: usize,
    pub steps: usize,
    /// What is left, where any of it was timed.
    pub left: Option<Estimate>,
    /// Instructions still to come that no run timed: they are not in `left`.
    pub untimed: usize,
}

impl<'a> Pace<'a> {
    /// `times`: milliseconds by lasting name, as [`Pace::times`] gave them in earlier builds.
    pub fn new(analysis: &'a Analysis, times: &HashMap<String, Vec<u64>>) -> Self {
        let history =
            times.iter().filter_map(|(name, times)| Some((name.clone(), Estimate::of(times.clone())?)));
        Self { analysis, names: analysis.names(), history: history.collect(), steps: Vec::new() }
    }

    pub fn take(&mut self, progress: &Progress, now: Duration) {
        match progress {
            Progress::StepKnown { step, place, name, inputs } => {
                let at = place
                    .as_ref()
                    .and_then(|place| self.analysis.step_at(&place.stage, place.index, place.total));
                let name = match at {
                    Some(at) => Some(self.names[at].clone()),
                    None => [EXPORT, CONTEXT].contains(&name.as_str()).then(|| name.clone()),
                };
                let is_from = at.is_some_and(|at| self.analysis.steps[at].word == "FROM");
                let known = self.step(*step);
                (known.name, known.is_counted, known.inputs) = (name, place.is_some(), inputs.clone());
                known.is_from = is_from;
            }
            Progress::StepStarted { step, .. } => {
                self.step(*step).begun.get_or_insert(now);
            }
            Progress::StepFinished { step, duration, cached, error } => {
                let known = self.step(*step);
                known.is_over = true;
                known.took = (!cached && error.is_none()).then_some(*duration);
            }
            Progress::Log { .. } | Progress::Transferred { .. } => {}
        }
    }

    fn step(&mut self, at: usize) -> &mut Step {
        if self.steps.len() <= at {
            self.steps.resize(at + 1, Step::default());
        }
        &mut self.steps[at]
    }

    pub fn stand(&self, now: Duration) -> Stand {
        let counted = || self.steps.iter().filter(|step| step.is_counted);
        let open = || self.steps.iter().filter(|step| !step.is_over);
        let ahead = self.export_ahead();
        let used = open().filter_map(|step| self.expected(step)).chain(ahead);
        let left = used.map(|estimate| estimate.samples).min().map(|samples| Estimate {
            median_ms: self.left(now, |one| one.median_ms),
            low_ms: self.left(now, |one| one.low_ms),
            high_ms: self.left(now, |one| one.high_ms),
            samples,
        });
        Stand {
            step: counted().filter(|step| step.begun.is_some() || step.is_over).count(),
            steps: counted().count(),
            left,
            untimed: open()
                .filter(|step| step.is_counted && !step.is_from && self.expected(step).is_none())
                .count(),
        }
    }

    fn expected(&self, step: &Step) -> Option<Estimate> {
        self.history.get(step.name.as_ref()?).copied()
    }

    /// Of the export, as long as the engine has not spoken of it.
    fn export_ahead(&self) -> Option<Estimate> {
        let told = self.steps.iter().any(|step| step.name.as_deref() == Some(EXPORT));
        if told { None } else { self.history.get(EXPORT).copied() }
    }

    /// Milliseconds along the longest chain: stages that do not need each other are built side by side.
    fn left(&self, now: Duration, of: fn(&Estimate) -> u64) -> u64 {
        let mut known = vec![None; self.steps.len()];
        let (mut chain, mut export) = (0, self.export_ahead().as_ref().map_or(0, of));
        for (at, step) in self.steps.iter().enumerate() {
            let rest = self.rest(at, now, of, &mut known);
            if step.name.as_deref() == Some(EXPORT) { export = rest } else { chain = chain.max(rest) }
        }
        chain + export
    }

    fn rest(&self, at: usize, now: Duration, of: fn(&Estimate) -> u64, known: &mut Vec<Option<u64>>) -> u64 {
        let Some(step) = self.steps.get(at).filter(|step| !step.is_over) else { return 0 };
        if let Some(rest) = known[at] {
            return rest;
        }
        // Reports may be anything: a circle must not lead on for ever.
        known[at] = Some(0);
        let spent = step.begun.map_or(0, |begun| now.saturating_sub(begun).as_millis() as u64);
        let own = self.expected(step).map_or(0, |expected| of(&expected.after(spent)));
        let before = step.inputs.iter().map(|up| self.rest(*up, now, of, known)).max().unwrap_or(0);
        known[at] = Some(own + before);
        own + before
    }

    /// Milliseconds of what was done, by lasting name; what came from the engine's cache took none.
    pub fn times(&self) -> Vec<(String, u64)> {
        let time = |step: &Step| Some((step.name.clone()?, step.took?.as_millis() as u64));
        self.steps.iter().filter_map(time).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::{Question, analyse};
    use crate::run::docker::buildkit::place;

    const TEXT: &str = "FROM a AS one\nRUN long\nFROM a AS two\nRUN short\nCOPY --from=one /x /x\n";

    fn analysis() -> Analysis {
        let question =
            Question { text: TEXT, args: &[], target: None, platform: Some("linux/amd64"), builder: None };
        analyse(&question).unwrap()
    }

    fn known(step: usize, name: &str, inputs: &[usize]) -> Progress {
        Progress::StepKnown { step, place: place(name), name: name.to_owned(), inputs: inputs.to_vec() }
    }

    fn started(step: usize) -> Progress {
        Progress::StepStarted { step, place: None, name: String::new() }
    }

    fn finished(step: usize, seconds: u64, cached: bool) -> Progress {
        Progress::StepFinished { step, duration: Duration::from_secs(seconds), cached, error: None }
    }

    /// Two stages side by side, the second of which takes the first's result.
    fn told(pace: &mut Pace<'_>) {
        for one in [
            known(0, "[one 1/2] FROM a", &[]),
            known(1, "[one 2/2] RUN long", &[0]),
            known(2, "[two 2/3] RUN short", &[0]),
            known(3, "[two 3/3] COPY --from=one /x /x", &[1, 2]),
        ] {
            pace.take(&one, Duration::ZERO);
        }
    }

    fn minutes(stand: &Stand) -> Option<f64> {
        stand.left.map(|left| left.median_ms as f64 / 60_000.0)
    }

    #[test]
    fn a_first_build_has_a_place_and_no_end_in_sight() {
        let analysis = analysis();
        let mut pace = Pace::new(&analysis, &HashMap::new());
        told(&mut pace);
        pace.take(&finished(0, 0, true), Duration::ZERO);
        pace.take(&started(1), Duration::ZERO);
        let stand = pace.stand(Duration::from_secs(60));
        assert_eq!((stand.step, stand.steps, stand.left, stand.untimed), (2, 4, None, 3));
    }

    #[test]
    fn stages_side_by_side_take_as_long_as_the_longer() {
        let times = [("one: RUN long", 600), ("two: RUN short", 120), ("two: COPY --from=one /x /x", 60)];
        let mut times: HashMap<String, Vec<u64>> =
            times.into_iter().map(|(name, seconds)| (name.to_owned(), vec![seconds * 1_000])).collect();
        times.insert(EXPORT.to_owned(), vec![30_000]);
        let analysis = analysis();
        let mut pace = Pace::new(&analysis, &times);
        told(&mut pace);
        pace.take(&finished(0, 0, true), Duration::ZERO);
        pace.take(&started(1), Duration::ZERO);
        pace.take(&started(2), Duration::ZERO);
        // Ten minutes, then one, then the export.
        assert_eq!(minutes(&pace.stand(Duration::ZERO)), Some(11.5));
        assert_eq!(minutes(&pace.stand(Duration::from_secs(240))), Some(7.5));
        assert_eq!(minutes(&pace.stand(Duration::from_secs(3_600))), Some(1.5), "late is not negative");
        pace.take(&finished(1, 300, false), Duration::from_secs(300));
        pace.take(&finished(2, 100, false), Duration::from_secs(300));
        pace.take(&known(4, EXPORT, &[]), Duration::from_secs(300));
        assert_eq!(minutes(&pace.stand(Duration::from_secs(300))), Some(1.5), "it is not counted twice");
    }

    #[test]
    fn only_what_was_done_is_timed() {
        let analysis = analysis();
        let mut pace = Pace::new(&analysis, &HashMap::new());
        told(&mut pace);
        pace.take(&finished(0, 0, true), Duration::ZERO);
        pace.take(&finished(1, 7, false), Duration::ZERO);
        let failed = Progress::StepFinished {
            step: 2,
            duration: Duration::from_secs(1),
            cached: false,
            error: Some("no".into()),
        };
        pace.take(&failed, Duration::ZERO);
        assert_eq!(pace.times(), [("one: RUN long".to_owned(), 7_000)]);
    }

    #[test]
    fn reports_in_a_circle_come_to_an_end() {
        let analysis = analysis();
        let mut pace = Pace::new(&analysis, &HashMap::from([("one: RUN long".to_owned(), vec![1_000])]));
        pace.take(&known(0, "[one 2/2] RUN long", &[1]), Duration::ZERO);
        pace.take(&known(1, "odd", &[0, 7]), Duration::ZERO);
        assert_eq!(pace.stand(Duration::ZERO).left.unwrap().median_ms, 1_000);
    }
}
