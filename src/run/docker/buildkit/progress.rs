//! What the engine tells of a build, made into events and a summary.
//!
//! The engine repeats itself: each report of a step carries all that is known of it. Pure.

use std::collections::HashMap;
use std::time::Duration;

use bollard::moby::buildkit::v1::{StatusResponse, Vertex};

use crate::run::docker::buildkit::build::{Place, StepTime};
use crate::run::docker::buildkit::error::Failure;

/// The end of a step's output that an error shows.
const LOG_KEPT: usize = 8 << 10;

/// Something happened in a build. Steps are numbered from 0 as they become known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is part of the build. All are told before any of them begins.
    StepKnown {
        step: usize,
        place: Option<Place>,
        name: String,
        /// The steps whose results it takes; all of them are told of, too.
        inputs: Vec<usize>,
    },
    StepStarted {
        step: usize,
        place: Option<Place>,
        name: String,
    },
    StepFinished {
        step: usize,
        duration: Duration,
        cached: bool,
        error: Option<String>,
    },
    /// As the step printed it: any bytes, lines may be cut anywhere.
    Log {
        step: usize,
        bytes: Vec<u8>,
    },
    /// Bytes of `what` that have gone over; `total` where it is known.
    Transferred {
        step: usize,
        what: String,
        current: u64,
        total: Option<u64>,
    },
}

#[derive(Default)]
pub(super) struct Tracker {
    steps: Vec<Step>,
    by_digest: HashMap<String, usize>,
}

#[derive(Default)]
struct Step {
    name: String,
    place: Option<Place>,
    /// Nanoseconds since 1970, by the engine's clock.
    started: Option<i128>,
    completed: Option<i128>,
    cached: bool,
    error: String,
    log: Vec<u8>,
}

impl Step {
    fn duration(&self) -> Duration {
        let nanos = self.completed.zip(self.started).map_or(0, |(end, begin)| end - begin);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(0))
    }
}

impl Tracker {
    pub(super) fn absorb(&mut self, report: StatusResponse, on: &(dyn Fn(Progress) + Send + Sync)) {
        for vertex in report.vertexes {
            self.vertex(vertex, on);
        }
        for status in report.statuses {
            let current = u64::try_from(status.current).unwrap_or(0);
            let total = u64::try_from(status.total).ok().filter(|total| *total > 0);
            if current > 0 {
                let what = status.id.trim_end_matches(':').to_owned();
                on(Progress::Transferred { step: self.step(&status.vertex), what, current, total });
            }
        }
        for log in report.logs {
            let step = self.step(&log.vertex);
            let kept = &mut self.steps[step].log;
            kept.extend_from_slice(&log.msg);
            // Cut rarely: a step may print a hundred megabytes.
            if kept.len() > 4 * LOG_KEPT {
                kept.drain(..kept.len() - LOG_KEPT);
            }
            on(Progress::Log { step, bytes: log.msg });
        }
    }

    fn vertex(&mut self, vertex: Vertex, on: &(dyn Fn(Progress) + Send + Sync)) {
        let nanos = |seconds: i64, nanos: i32| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
        let started = vertex.started.as_ref().map(|at| nanos(at.seconds, at.nanos));
        let completed = vertex.completed.as_ref().map(|at| nanos(at.seconds, at.nanos));
        let at = self.step(&vertex.digest);
        let inputs: Vec<usize> = vertex.inputs.iter().map(|input| self.step(input)).collect();
        let step = &mut self.steps[at];
        let (was_started, was_completed) = (step.started.is_some(), step.completed.is_some());
        if step.name.is_empty() && !vertex.name.is_empty() {
            step.place = place(&vertex.name);
            step.name = vertex.name;
            let (place, name) = (step.place.clone(), step.name.clone());
            on(Progress::StepKnown { step: at, place, name, inputs });
        }
        // A step that goes on after a pause is one step, from the first beginning to the last end.
        step.started = step.started.or(started);
        step.completed = completed.max(step.completed);
        step.cached |= vertex.cached;
        if !vertex.error.is_empty() {
            step.error = vertex.error;
        }
        if !was_started && step.started.is_some() {
            on(Progress::StepStarted { step: at, place: step.place.clone(), name: step.name.clone() });
        }
        if !was_completed && step.completed.is_some() {
            let error = Some(step.error.clone()).filter(|error| !error.is_empty());
            on(Progress::StepFinished { step: at, duration: step.duration(), cached: step.cached, error });
        }
    }

    fn step(&mut self, digest: &str) -> usize {
        if let Some(at) = self.by_digest.get(digest) {
            return *at;
        }
        self.steps.push(Step::default());
        self.by_digest.insert(digest.to_owned(), self.steps.len() - 1);
        self.steps.len() - 1
    }

    /// The step that failed by itself, rather than being stopped because another did.
    pub(super) fn failure(&self) -> Option<Failure> {
        let own = |step: &&Step| !step.error.is_empty() && !step.error.contains("context canceled");
        self.steps.iter().find(own).map(|step| {
            let log = &step.log[step.log.len().saturating_sub(LOG_KEPT)..];
            Failure {
                step: step.name.clone(),
                message: step.error.clone(),
                log: String::from_utf8_lossy(log).into_owned(),
            }
        })
    }

    pub(super) fn into_steps(self) -> Vec<StepTime> {
        let mut begun: Vec<Step> = self.steps.into_iter().filter(|step| step.started.is_some()).collect();
        begun.sort_by_key(|step| step.started);
        let time = |step: Step| StepTime {
            duration: step.duration(),
            name: step.name,
            place: step.place,
            cached: step.cached,
        };
        begun.into_iter().map(time).collect()
    }
}

/// Where a step stands, by its name: of `[linux/arm64 build 2/7] RUN make` the numbers tell.
pub fn place(name: &str) -> Option<Place> {
    let (inside, _) = name.strip_prefix('[')?.split_once(']')?;
    let (stage, numbers) = inside.rsplit_once(' ').unwrap_or(("", inside));
    let (index, total) = numbers.split_once('/')?;
    Some(Place { stage: stage.trim().to_owned(), index: index.parse().ok()?, total: total.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use bollard::moby::buildkit::v1::VertexLog;

    use super::*;

    fn vertex(name: &str, started: i64, completed: i64) -> Vertex {
        let mut vertex = Vertex { digest: name.to_owned(), name: name.to_owned(), ..Vertex::default() };
        if started > 0 {
            vertex.started.get_or_insert_default().seconds = started;
        }
        if completed > 0 {
            vertex.completed.get_or_insert_default().seconds = completed;
        }
        vertex
    }

    fn report(vertexes: Vec<Vertex>) -> StatusResponse {
        StatusResponse { vertexes, ..StatusResponse::default() }
    }

    fn told(reports: Vec<StatusResponse>) -> (Tracker, Vec<Progress>) {
        let (mut tracker, events) = (Tracker::default(), Mutex::new(Vec::new()));
        for report in reports {
            tracker.absorb(report, &|event| events.lock().unwrap().push(event));
        }
        (tracker, events.into_inner().unwrap())
    }

    #[test]
    fn a_step_that_is_told_again_and_again_begins_and_ends_once() {
        let name = "[build 2/3] RUN make";
        let (tracker, events) = told(vec![
            report(vec![vertex(name, 0, 0)]),
            report(vec![vertex(name, 10, 0)]),
            report(vec![vertex(name, 10, 13)]),
            report(vec![vertex(name, 10, 13)]),
        ]);
        let place = Some(Place { stage: "build".to_owned(), index: 2, total: 3 });
        let duration = Duration::from_secs(3);
        assert_eq!(
            events,
            [
                Progress::StepKnown { step: 0, place: place.clone(), name: name.to_owned(), inputs: vec![] },
                Progress::StepStarted { step: 0, place: place.clone(), name: name.to_owned() },
                Progress::StepFinished { step: 0, duration, cached: false, error: None },
            ]
        );
        let steps = tracker.into_steps();
        assert_eq!(steps, [StepTime { name: name.to_owned(), place, duration, cached: false }]);
    }

    #[test]
    fn steps_name_those_whose_results_they_take() {
        let mut last = vertex("[2/2] RUN b", 0, 0);
        last.inputs = vec!["[1/2] RUN a".to_owned(), "local".to_owned()];
        let (_, events) = told(vec![report(vec![last, vertex("[1/2] RUN a", 0, 0)])]);
        let inputs: Vec<(usize, Vec<usize>)> = events
            .into_iter()
            .filter_map(|event| match event {
                Progress::StepKnown { step, inputs, .. } => Some((step, inputs)),
                _ => None,
            })
            .collect();
        assert_eq!(inputs, [(0, vec![1, 2]), (1, vec![])]);
    }

    #[test]
    fn the_failure_is_the_step_that_failed_by_itself() {
        let stopped = Vertex { error: "context canceled".to_owned(), ..vertex("[1/2] RUN sleep", 1, 2) };
        let failed = Vertex { error: "exit code: 3".to_owned(), ..vertex("[2/2] RUN false", 1, 2) };
        let log = VertexLog {
            vertex: failed.digest.clone(),
            msg: [vec![b'x'; 9 * LOG_KEPT], b"the end".to_vec()].concat(),
            ..VertexLog::default()
        };
        let logs = StatusResponse { logs: vec![log], ..StatusResponse::default() };
        let (tracker, _) = told(vec![report(vec![stopped, failed]), logs]);
        let failure = tracker.failure().unwrap();
        assert_eq!((failure.step.as_str(), failure.message.as_str()), ("[2/2] RUN false", "exit code: 3"));
        assert!(failure.log.ends_with("xthe end") && failure.log.len() == LOG_KEPT);
    }

    #[test]
    fn places_are_read_out_of_names() {
        let read = |name| place(name).map(|place| (place.stage, place.index, place.total));
        assert_eq!(read("[2/7] RUN make"), Some((String::new(), 2, 7)));
        assert_eq!(read("[linux/arm64 base 1/3] FROM x"), Some(("linux/arm64 base".to_owned(), 1, 3)));
        assert_eq!(read("[internal] load build context"), None);
        assert_eq!(read("exporting to image"), None);
    }
}
