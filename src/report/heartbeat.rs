//! A sign of life now and then, for readers of a log: what runs, how far it is, what is left.
//!
//! Is told every event and the time; remembers what runs. Pure.

use std::time::Duration;

use crate::event::Event;
use crate::pipeline::NodeName;
use crate::plan::Estimate;
use crate::report::colour::Palette;
use crate::report::lines;
use crate::report::quantity;
use crate::report::roster::Roster;

/// Between two signs, and before the first.
const PAUSE: Duration = Duration::from_secs(15);

/// Running nodes that are told of one by one; more are counted.
const SHOWN: usize = 4;

#[derive(Default)]
pub struct Heartbeat {
    running: Roster<Running>,
    left: Option<(Estimate, usize, Vec<NodeName>)>,
    told: Duration,
}

struct Running {
    since: Duration,
    step: Option<Step>,
    moved: Option<String>,
}

struct Step {
    step: usize,
    steps: usize,
    /// Milliseconds that were left then.
    left: Option<(Duration, u64)>,
    untimed: usize,
}

impl Heartbeat {
    /// Lines without their last end, when it is time.
    pub fn take(&mut self, event: &Event, now: Duration, palette: Palette) -> Option<String> {
        match event {
            Event::NodeStarted { node, .. } => {
                self.running.remove(node);
                self.running.entry(node.clone(), || Running { since: now, step: None, moved: None });
                return None;
            }
            Event::NodeFinished { node, .. }
            | Event::NodeFailed { node, .. }
            | Event::NodeSkipped { node, .. } => {
                self.running.remove(node);
                return None;
            }
            Event::BuildAdvanced { node, step, steps, left, untimed, instruction: _ } => {
                let one = self.running.get_mut(node)?;
                let left = left.map(|left| (now, left.median_ms));
                one.step = Some(Step { step: *step, steps: *steps, left, untimed: *untimed });
                one.moved = None;
            }
            Event::BytesMoved { node, what, done, total } => {
                let one = self.running.get_mut(node)?;
                let is_over = *total == Some(*done);
                one.moved = (!is_over).then(|| format!("{what}: {}", quantity::moved(*done, *total)));
            }
            Event::RunProgressed { left, untimed, critical } => {
                self.left = left.map(|left| (left, *untimed, critical.clone()));
            }
            _ => return None,
        }
        if self.running.is_empty() || now.saturating_sub(self.told) < PAUSE {
            return None;
        }
        self.told = now;
        Some(self.lines(now, palette))
    }

    fn lines(&self, now: Duration, palette: Palette) -> String {
        let mut out: Vec<String> =
            self.running.iter().take(SHOWN).map(|(node, one)| one.line(node, now, palette)).collect();
        if self.running.len() > SHOWN {
            let more = quantity::grouped((self.running.len() - SHOWN) as u64);
            out.push(format!("{}  and {more} more", lines::word(palette, "running")));
        }
        if let Some((left, untimed, critical)) = &self.left {
            out.push(lines::left(palette, left, *untimed, critical));
        }
        out.join("\n")
    }
}

impl Running {
    /// `running   base  12m03s, step 9 of 17, about 11 min left`
    fn line(&self, node: &NodeName, now: Duration, palette: Palette) -> String {
        let elapsed = Duration::from_secs(now.saturating_sub(self.since).as_secs());
        let mut line = format!(
            "{}  {}  {}",
            lines::word(palette, "running"),
            palette.bold(node),
            quantity::duration(elapsed)
        );
        if let Some(Step { step, steps, left, untimed }) = self.step {
            let left = left.map(|(at, ms)| ms.saturating_sub(now.saturating_sub(at).as_millis() as u64));
            line.push_str(&format!(", {}", lines::step_of(step, steps, left, untimed)));
        }
        if let Some(moved) = &self.moved {
            line.push_str(&format!(", {moved}"));
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Kind;

    fn node(name: &str) -> NodeName {
        NodeName(name.into())
    }

    fn started(name: &str) -> Event {
        let (kind, reasons) = (Kind::Command, Vec::new());
        Event::NodeStarted { node: node(name), kind, reasons, estimate: None, attempt: 1 }
    }

    fn progressed(minutes: Option<u64>) -> Event {
        let left = minutes.map(|minutes| {
            let ms = minutes * 60_000;
            Estimate { median_ms: ms, low_ms: ms, high_ms: ms, samples: 1 }
        });
        let critical = if left.is_some() { vec![node("base"), node("embed")] } else { vec![] };
        Event::RunProgressed { left, untimed: 0, critical }
    }

    #[test]
    fn a_sign_of_life_comes_now_and_then_and_no_oftener() {
        let mut beat = Heartbeat::default();
        let mut at = |seconds, event: &Event| beat.take(event, Duration::from_secs(seconds), Palette::PLAIN);
        assert_eq!(at(1, &started("base")), None);
        assert_eq!(at(10, &progressed(None)), None, "too early");
        assert_eq!(at(20, &progressed(None)).unwrap(), "running   base  19s");
        assert_eq!(at(21, &progressed(None)), None, "too soon after it");
        let left = Estimate { median_ms: 660_000, low_ms: 1, high_ms: 1, samples: 2 };
        let advanced = Event::BuildAdvanced {
            node: node("base"),
            step: 9,
            steps: 17,
            instruction: "RUN make".into(),
            left: Some(left),
            untimed: 0,
        };
        assert_eq!(at(30, &advanced), None);
        let moved = Event::BytesMoved { node: node("dist"), what: "packing".into(), done: 1, total: None };
        assert_eq!(at(31, &moved), None, "of a node that does not run nothing is told");
        assert_eq!(
            at(90, &progressed(Some(14))).unwrap(),
            "running   base  1m29s, step 9 of 17, about 10 min left\n\
             left      about 14 min  base → embed"
        );
        let finished = Event::NodeSkipped { node: node("base"), because: node("x") };
        assert_eq!(at(100, &finished), None);
        assert_eq!(at(130, &progressed(Some(1))), None, "nothing runs");
    }

    #[test]
    fn many_are_counted_and_bytes_are_shown_until_they_are_all_there() {
        let mut beat = Heartbeat::default();
        for name in ["a", "b", "c", "d", "e", "f"] {
            beat.take(&started(name), Duration::ZERO, Palette::PLAIN);
        }
        let mut moved = |seconds, done| {
            let event =
                Event::BytesMoved { node: node("a"), what: "packing".into(), done, total: Some(4096) };
            beat.take(&event, Duration::from_secs(seconds), Palette::PLAIN).unwrap()
        };
        let text = moved(15, 1024);
        assert!(
            text.starts_with("running   a  15s, packing: 1.0 KiB of 4.0 KiB (25%)\nrunning   b  15s\n"),
            "{text}"
        );
        assert!(text.ends_with("running   and 2 more"), "{text}");
        assert!(moved(30, 4096).starts_with("running   a  30s\n"));
    }
}
