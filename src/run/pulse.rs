//! The one thread that tells, while a run goes on, how far long work has come and what is left of all.
//!
//! Work itself only counts (see [`Tally`]); here somebody looks a few times a second. So the telling
//! costs the same however much is moved, and silent nodes are told of, too.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::event::{CRITICAL, Event, Sink};
use crate::pipeline::NodeName;
use crate::plan::outlook::Outlook;
use crate::plan::schedule::Expected;
use crate::tally::Tally;

/// Between two looks.
const BEAT: Duration = Duration::from_millis(200);

/// What is over sooner needs no telling.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is left is told again so often though nothing happened: whoever reads may have come late.
const REMINDER: Duration = Duration::from_secs(10);

/// Ends with its owner.
pub struct Pulse {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    ended: Condvar,
    sink: Arc<dyn Sink>,
    /// When the run began.
    begun: Instant,
}

struct State {
    moving: Vec<Moving>,
    /// Names for the next.
    next: u64,
    outlook: Outlook,
    /// Whether the outlook is another than when it was told.
    has_news: bool,
    told: Option<Instant>,
    over: bool,
}

struct Moving {
    id: u64,
    node: NodeName,
    what: String,
    tally: Arc<Tally>,
    since: Instant,
    /// How much was done when it was told of.
    told: Option<u64>,
}

impl Moving {
    fn event(&mut self) -> Event {
        let (done, total) = self.tally.look();
        self.told = Some(done);
        Event::BytesMoved { node: self.node.clone(), what: self.what.clone(), done, total }
    }
}

impl Pulse {
    pub fn new(sink: Arc<dyn Sink>, outlook: Outlook, begun: Instant) -> Self {
        let state = State { moving: Vec::new(), next: 0, outlook, has_news: true, told: None, over: false };
        let shared = Arc::new(Shared { state: Mutex::new(state), ended: Condvar::new(), sink, begun });
        let looked = shared.clone();
        // Without a thread to be had, nobody is told, and the work goes on.
        let thread = std::thread::Builder::new().name("osgraph-pulse".into()).spawn(move || beat(&looked));
        Self { shared, thread: thread.ok() }
    }

    /// When the run began.
    pub fn begun(&self) -> Instant {
        self.shared.begun
    }

    /// Takes note of what is said anyway.
    pub fn hear(&self, event: &Event) {
        let now = self.shared.begun.elapsed().as_millis() as u64;
        let note = |change: &dyn Fn(&mut Outlook)| {
            let mut state = self.shared.lock();
            change(&mut state.outlook);
            state.has_news = true;
        };
        match event {
            Event::NodeStarted { node, .. } => note(&|outlook| outlook.began(node, now)),
            Event::NodeFinished { node, .. }
            | Event::NodeFailed { node, .. }
            | Event::NodeSkipped { node, .. } => note(&|outlook| outlook.ended(node)),
            Event::BuildAdvanced { node, left: Some(left), .. } => {
                note(&|outlook| outlook.told(node, *left, now));
            }
            _ => {}
        }
    }

    /// Tells of `tally` until the answer is dropped.
    pub fn moving(&self, node: &NodeName, what: impl Into<String>, tally: &Arc<Tally>) -> Watched {
        let mut state = self.shared.lock();
        let id = state.next;
        state.next += 1;
        let (node, what, tally) = (node.clone(), what.into(), tally.clone());
        state.moving.push(Moving { id, node, what, tally, since: Instant::now(), told: None });
        Watched { shared: self.shared.clone(), id }
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.shared.lock().over = true;
        self.shared.ended.notify_all();
        if let Some(thread) = self.thread.take() {
            // One that panicked has nothing left to tell.
            let _ = thread.join();
        }
    }
}

/// Work that is told of while this lives.
pub struct Watched {
    shared: Arc<Shared>,
    id: u64,
}

impl Drop for Watched {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        let Some(at) = state.moving.iter().position(|one| one.id == self.id) else { return };
        let mut moving = state.moving.swap_remove(at);
        drop(state);
        // Whoever saw it begin sees it end: what was done is all there was, where nobody knew.
        if moving.told.is_some() {
            let (done, total) = moving.tally.look();
            moving.tally.set(done, total.unwrap_or(done));
            self.shared.sink.emit(moving.event());
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn beat(shared: &Shared) {
    let mut state = shared.lock();
    while !state.over {
        let events = state.news(shared.begun);
        if !events.is_empty() {
            // Whoever takes them may be slow, and work must not wait for that.
            drop(state);
            events.into_iter().for_each(|event| shared.sink.emit(event));
            state = shared.lock();
        }
        if state.over {
            break;
        }
        state = shared.ended.wait_timeout(state, BEAT).unwrap_or_else(PoisonError::into_inner).0;
    }
}

impl State {
    fn news(&mut self, begun: Instant) -> Vec<Event> {
        let long = self.moving.iter_mut().filter(|one| one.since.elapsed() >= PATIENCE);
        let mut events: Vec<Event> =
            long.filter(|one| one.told != Some(one.tally.look().0)).map(Moving::event).collect();
        events.extend(self.forecast(begun));
        events
    }

    /// What is left, when it is worth telling.
    fn forecast(&mut self, begun: Instant) -> Option<Event> {
        let pause = if self.has_news { PATIENCE } else { REMINDER };
        if begun.elapsed() < PATIENCE || self.told.is_some_and(|told| told.elapsed() < pause) {
            return None;
        }
        self.has_news = false;
        self.told = Some(Instant::now());
        let Expected { estimate, untimed, critical } = self.outlook.look(begun.elapsed().as_millis() as u64);
        // What is left of a moment is no news.
        let left = estimate.filter(|left| left.high_ms >= PATIENCE.as_millis() as u64);
        if left.is_none() && estimate.is_some() {
            return None;
        }
        let name = |at: usize| self.outlook.name(at).clone();
        Some(Event::RunProgressed {
            left,
            untimed,
            critical: critical.into_iter().take(CRITICAL).map(name).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Kind;
    use crate::plan::Estimate;
    use crate::plan::schedule::Job;

    #[derive(Default)]
    struct Heard(Mutex<Vec<Event>>);

    impl Sink for Heard {
        fn emit(&self, event: Event) {
            self.0.lock().unwrap().push(event);
        }
    }

    impl Heard {
        /// Waits, for as long as a busy machine may need, until something was said that `wanted` names.
        fn until<T>(&self, wanted: impl Fn(&Event) -> Option<T>) -> T {
            let deadline = Instant::now() + Duration::from_secs(60);
            loop {
                if let Some(found) = self.0.lock().unwrap().iter().find_map(&wanted) {
                    return found;
                }
                assert!(Instant::now() < deadline, "it is not said");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }

    fn node(name: &str) -> NodeName {
        NodeName(name.into())
    }

    #[test]
    fn long_work_is_told_of_to_its_end_and_short_work_is_not() {
        let heard = Arc::new(Heard::default());
        let pulse = Pulse::new(heard.clone(), Outlook::default(), Instant::now());
        let (long, short) = (Arc::new(Tally::of(10)), Arc::new(Tally::of(10)));
        drop(pulse.moving(&node("short"), "copying", &short));
        let watched = pulse.moving(&node("long"), "packing x", &long);
        long.add(4);
        heard.until(|event| matches!(event, Event::BytesMoved { done: 4, .. }).then_some(()));
        long.add(6);
        drop(watched);
        let all: Vec<String> = heard
            .0
            .lock()
            .unwrap()
            .iter()
            .map(|event| match event {
                Event::BytesMoved { node, what, done, total } => format!("{node} {what} {done} {total:?}"),
                Event::RunProgressed { .. } => "left".to_owned(),
                other => panic!("{other:?}"),
            })
            .filter(|line| line != "left")
            .collect();
        assert_eq!(all.last().unwrap(), "long packing x 10 Some(10)");
        assert!(all.iter().all(|line| line.starts_with("long ")), "{all:?}");
    }

    #[test]
    fn what_is_left_is_told_of_silent_nodes_too() {
        let heard = Arc::new(Heard::default());
        let estimate = Estimate { median_ms: 600_000, low_ms: 500_000, high_ms: 700_000, samples: 3 };
        let job = |after: Vec<usize>| Job { estimate: Some(estimate), after };
        let jobs = vec![(node("a"), job(vec![])), (node("b"), job(vec![0]))];
        let pulse = Pulse::new(heard.clone(), Outlook::new(jobs, 2), Instant::now());
        let left = |names: &'static [&'static str]| {
            heard.until(move |event| match event {
                Event::RunProgressed { left: Some(left), critical, untimed: 0 } => {
                    let same = critical.iter().map(AsRef::as_ref).eq(names.iter().copied());
                    same.then_some(left.median_ms)
                }
                _ => None,
            })
        };
        let (kind, reasons) = (Kind::Command, Vec::new());
        pulse.hear(&Event::NodeStarted { node: node("a"), kind, reasons, estimate: None, attempt: 1 });
        assert!(left(&["a", "b"]) > 1_100_000);
        let because = node("x");
        pulse.hear(&Event::NodeSkipped { node: node("a"), because });
        assert_eq!(left(&["b"]), 600_000);
    }
}
