use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::key::Facet;
use crate::pipeline::{Kind, NodeName};
use crate::plan::{Code, Estimate, Reason};
use crate::report::colour::Palette;
use crate::report::output::testing::Shared as Written;
use crate::report::style::LogStyle;
use crate::report::text;

/// A terminal of the few sequences that are used: it shows what a person would see.
#[derive(Default)]
struct Screen {
    lines: Vec<String>,
    row: usize,
    column: usize,
}

impl Screen {
    fn feed(&mut self, text: &str) {
        let mut chars = text.chars().peekable();
        while let Some(char) = chars.next() {
            match char {
                '\n' => (self.row, self.column) = (self.row + 1, 0),
                '\r' => self.column = 0,
                '\x1b' => {
                    assert_eq!(chars.next(), Some('['));
                    let mut number = String::new();
                    while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                        number.push(digit);
                    }
                    match chars.next() {
                        Some('A') => self.row -= number.parse::<usize>().unwrap(),
                        Some('J') => self.lines.truncate(self.row),
                        Some('m') => {}
                        other => panic!("unknown sequence {other:?}"),
                    }
                }
                char => {
                    if self.lines.len() <= self.row {
                        self.lines.resize(self.row + 1, String::new());
                    }
                    assert_eq!(self.lines[self.row].chars().count(), self.column, "overwrites");
                    self.lines[self.row].push(char);
                    self.column += 1;
                }
            }
        }
        assert_eq!(self.column, 0, "the cursor rests at the start of a line");
    }
}

struct Stage {
    live: Live,
    written: Written,
    millis: Arc<AtomicU64>,
    width: Arc<AtomicU64>,
    screen: Screen,
}

impl Stage {
    fn new(verbosity: Verbosity, palette: Palette) -> Self {
        let (millis, width) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(60)));
        let (clock, columns) = (millis.clone(), width.clone());
        let clock = Clock {
            elapsed: Box::new(move || Duration::from_millis(clock.load(Ordering::Relaxed))),
            now: Box::new(|| 0),
        };
        let width_now = Box::new(move || columns.load(Ordering::Relaxed) as usize);
        let options = Options {
            style: LogStyle::Live,
            palette,
            verbosity,
            width: width_now,
            height: Box::new(|| 24),
            project: String::new(),
        };
        let written = Written::default();
        let live = Live::without_ticker(options, Box::new(written.clone()), clock);
        Self { live, written, millis, width, screen: Screen::default() }
    }

    fn emit(&mut self, event: Event) {
        self.live.emit(event);
        self.screen.feed(&self.written.take());
    }

    /// What the ticker does, after `millis` more.
    fn pass(&mut self, millis: u64) {
        let now = self.millis.fetch_add(millis, Ordering::Relaxed) + millis;
        self.live.shared.lock().draw(Duration::from_millis(now));
        self.screen.feed(&self.written.take());
    }

    fn seen(&self) -> String {
        self.screen.lines.join("\n")
    }
}

fn node(name: &str) -> NodeName {
    NodeName(name.into())
}

fn started(name: &str, estimate: Option<Estimate>) -> Event {
    let reasons = vec![Reason::new(Code::OptionChanged, Facet::Own, "run 0")];
    Event::NodeStarted { node: node(name), kind: Kind::Command, reasons, estimate, attempt: 1 }
}

fn printed(name: &str, line: &str) -> Event {
    Event::NodePrinted { node: node(name), line: line.into() }
}

fn finished(name: &str, outcome: Outcome) -> Event {
    let duration = Duration::from_secs(3);
    Event::NodeFinished { node: node(name), outcome, duration, same_artifact: false }
}

fn run_started(nodes: usize) -> Event {
    Event::RunStarted { pipeline: "p".into(), targets: vec![], nodes }
}

const ESTIMATE: Estimate = Estimate { median_ms: 125_000, low_ms: 110_000, high_ms: 150_000, samples: 14 };

#[test]
fn a_run_from_start_to_end() {
    let mut stage = Stage::new(Verbosity::Normal, Palette::COLOURED);
    stage.emit(run_started(3));
    stage.emit(finished("source", Outcome::Fresh));
    stage.emit(started("base", Some(ESTIMATE)));
    stage.emit(started("x", None));
    assert_eq!(stage.seen(), "", "nothing is drawn at first");
    stage.pass(63_000);
    assert_eq!(
        stage.seen(),
        "⠋ base  1m03s of ~2m05s  `run 0` changed\n\
         ⠋ x     1m03s            `run 0` changed\n  1 of 3 done, 1m03s"
    );
    stage.emit(printed("x", "\x1b[1mcompiling\x1b[0m a very long line of output, longer than this"));
    stage.emit(printed("x", "  "));
    stage.emit(finished("base", Outcome::Ran));
    assert_eq!(
        stage.seen(),
        "ran       base  3.0s  (`run 0` changed)\n\
         ⠋ x  1m03s  compiling a very long line of output, longer t…\n  2 of 3 done, 1m03s"
    );
    stage.emit(Event::RunFinished {
        run: None,
        outcome: Outcome::Ran,
        fresh: 1,
        restored: 0,
        ran: 2,
        failed: 0,
        skipped: 0,
        duration: Duration::from_secs(64),
    });
    assert_eq!(stage.seen(), "ran       base  3.0s  (`run 0` changed)\ndone      2 ran, 1 fresh  (1m04s)");
}

#[test]
fn a_short_run_has_only_result_lines() {
    let mut stage = Stage::new(Verbosity::Normal, Palette::PLAIN);
    stage.emit(run_started(2));
    stage.emit(started("a", None));
    stage.pass(150);
    stage.emit(finished("a", Outcome::Restored));
    assert_eq!(stage.seen(), "restored  a  3.0s  (`run 0` changed)");
    drop(stage.live);
    assert_eq!(stage.written.take(), "", "there was no frame to erase");
}

#[test]
fn output_is_shown_for_good_only_when_verbose() {
    for (verbosity, expected) in [
        (Verbosity::Verbose, "a | hello\n⠋ a  1s  hello"),
        (Verbosity::Normal, "⠋ a  1s  hello"),
        (Verbosity::Quiet, ""),
    ] {
        let mut stage = Stage::new(verbosity, Palette::PLAIN);
        stage.emit(started("a", None));
        stage.emit(printed("a", "hello"));
        stage.pass(1_500);
        assert_eq!(stage.seen(), expected, "{verbosity:?}");
    }
}

#[test]
fn no_line_is_as_wide_as_the_terminal() {
    let mut stage = Stage::new(Verbosity::Normal, Palette::PLAIN);
    stage.emit(run_started(2));
    stage.emit(started("a-name-of-some-length", Some(ESTIMATE)));
    stage.emit(printed("a-name-of-some-length", &"日本語".repeat(40)));
    for width in [1, 2, 8, 20, 44, 50, 80, 200] {
        stage.width.store(width, Ordering::Relaxed);
        let state = stage.live.shared.lock();
        for line in state.board.frame(Duration::from_secs(9), (width as usize, 24), Palette::PLAIN) {
            assert_eq!(line.columns, text::width(&line.text));
            assert!(line.columns < width as usize, "{width}: {line:?}");
        }
    }
}

#[test]
fn a_narrowed_window_is_erased_whole() {
    let mut stage = Stage::new(Verbosity::Normal, Palette::PLAIN);
    stage.emit(started("a", None));
    stage.emit(printed("a", &"x".repeat(100)));
    stage.pass(1_000);
    assert_eq!(text::width(&stage.seen()), 59);
    stage.width.store(30, Ordering::Relaxed);
    stage.live.emit(finished("a", Outcome::Ran));
    assert!(stage.written.take().starts_with("\r\x1b[2A\x1b[J"), "59 columns are two rows of 30");
}

#[test]
fn many_nodes_are_counted_and_late_ones_marked() {
    let mut stage = Stage::new(Verbosity::Normal, Palette::COLOURED);
    for number in 0..14 {
        stage.emit(started(&format!("n{number}"), Some(ESTIMATE)));
    }
    stage.pass(149_000);
    assert_eq!(stage.screen.lines.len(), 11);
    assert_eq!(stage.screen.lines[10], "  and 4 more");
    let now = Duration::from_millis(150_001);
    let frame = stage.live.shared.lock().board.frame(now, (60, 24), Palette::COLOURED);
    assert!(frame[0].text.contains("\x1b[33m2m30s of ~2m05s\x1b[0m"), "{:?}", frame[0]);
}

#[test]
fn reading_inputs_is_shown_until_the_plan_is_made() {
    let mut stage = Stage::new(Verbosity::Normal, Palette::PLAIN);
    stage.emit(Event::SurveyProgressed { files: 20_000, bytes: 400 << 20 });
    stage.pass(300);
    assert_eq!(stage.seen(), "⠋ reading inputs  20,000 files, 400 MiB");
    stage.emit(Event::Planned {
        fresh: 6,
        restorable: 0,
        stale: 0,
        waiting: 0,
        estimate: None,
        untimed: 0,
        critical: vec![],
    });
    assert_eq!(stage.seen(), "");
}

#[test]
fn a_dropped_display_takes_its_frame_away() {
    let mut stage = Stage::new(Verbosity::Normal, Palette::PLAIN);
    stage.emit(started("a", None));
    stage.pass(1_000);
    assert_ne!(stage.seen(), "");
    drop(stage.live);
    stage.screen.feed(&stage.written.take());
    assert_eq!(stage.screen.lines.join("\n"), "");
}

#[test]
fn the_ticker_draws_by_itself_and_ends_with_the_display() {
    let written = Written::default();
    let clock = Clock { elapsed: Box::new(|| Duration::from_secs(5)), now: Box::new(|| 0) };
    let options = Options {
        style: LogStyle::Live,
        palette: Palette::PLAIN,
        verbosity: Verbosity::Normal,
        width: Box::new(|| 60),
        height: Box::new(|| 24),
        project: String::new(),
    };
    let live = Live::new(options, Box::new(written.clone()), clock);
    live.emit(started("a", None));
    written.take();
    let mut tries = 0;
    while written.text().is_empty() && tries < 100 {
        std::thread::sleep(Duration::from_millis(20));
        tries += 1;
    }
    assert!(written.text().contains(" a  0s"), "{:?}", written.text());
    drop(live);
    assert!(written.text().ends_with("\r\x1b[1A\x1b[J"), "{:?}", written.text());
}

fn estimate(minutes: u64) -> Estimate {
    let ms = minutes * 60_000;
    Estimate { median_ms: ms, low_ms: ms, high_ms: ms, samples: 3 }
}

#[test]
fn a_build_and_the_whole_say_what_is_left() {
    let mut stage = Stage::new(Verbosity::Normal, Palette::PLAIN);
    stage.width.store(80, Ordering::Relaxed);
    stage.emit(run_started(4));
    stage.emit(started("base", Some(ESTIMATE)));
    let advanced = |left: Option<Estimate>, untimed| Event::BuildAdvanced {
        node: node("base"),
        step: 9,
        steps: 17,
        instruction: "RUN make".into(),
        left,
        untimed,
    };
    stage.emit(advanced(Some(estimate(11)), 0));
    let critical = ["base", "embed", "binary", "dist-docker"].map(node).to_vec();
    stage.emit(Event::RunProgressed { left: Some(estimate(14)), untimed: 0, critical });
    stage.pass(60_000);
    assert_eq!(
        stage.seen(),
        "⠋ base  1m00s, step 9 of 17, about 10 min left  RUN make\n  \
         0 of 4 done, 1m00s, about 13 min left  base → embed → binary → dist-docker"
    );
    stage.emit(printed("base", "cc -c x.c"));
    stage.emit(advanced(None, 3));
    stage.emit(Event::RunProgressed { left: None, untimed: 4, critical: vec![] });
    stage.pass(1_000);
    assert_eq!(stage.seen(), "⠋ base  1m01s, step 9 of 17, no history yet  RUN make\n  0 of 4 done, 1m01s");
}

#[test]
fn bytes_have_a_bar_where_there_is_room() {
    let mut stage = Stage::new(Verbosity::Normal, Palette::PLAIN);
    stage.emit(started("dist", None));
    let moved = |done| Event::BytesMoved {
        node: node("dist"),
        what: "packing x.tar.gz".into(),
        done,
        total: Some(400 << 20),
    };
    stage.emit(moved(100 << 20));
    stage.pass(2_000);
    assert_eq!(stage.seen(), "⠋ dist  2s  packing x.tar.gz 100 MiB of 400 MiB (25%)");
    stage.width.store(120, Ordering::Relaxed);
    stage.pass(1_000);
    assert_eq!(stage.seen(), "⠋ dist  3s  packing x.tar.gz ━━━━━─────────────── 100 MiB of 400 MiB (25%)");
    // What is whole is over, and so is what comes after the node's end.
    stage.emit(moved(400 << 20));
    stage.pass(1_000);
    assert_eq!(stage.seen(), "⠋ dist  4s  `run 0` changed");
    stage.emit(finished("dist", Outcome::Ran));
    stage.emit(moved(400 << 20));
    stage.pass(1_000);
    assert_eq!(stage.seen(), "ran       dist  3.0s  (`run 0` changed)");
}

#[test]
fn the_frame_is_lower_than_the_window() {
    let mut stage = Stage::new(Verbosity::Normal, Palette::PLAIN);
    stage.emit(run_started(20));
    for number in 0..14 {
        stage.emit(started(&format!("n{number}"), None));
    }
    let board = &stage.live.shared.lock().board;
    for height in 1..30 {
        let lines = board.frame(Duration::from_secs(9), (60, height), Palette::PLAIN).len();
        assert!(lines < height.max(4), "{lines} lines in {height} rows");
    }
}

#[test]
fn names_leave_room_in_a_narrow_terminal() {
    let mut stage = Stage::new(Verbosity::Normal, Palette::PLAIN);
    stage.width.store(40, Ordering::Relaxed);
    stage.emit(started("a-name-of-some-length-and-more", None));
    stage.emit(printed("a-name-of-some-length-and-more", "compiling"));
    stage.pass(3_000);
    assert_eq!(stage.seen(), "⠋ a-name-of-some-len…  3s  compiling");
}

#[test]
fn lines_that_come_at_once_are_written_together() {
    let written = Written::default();
    let clock = Clock { elapsed: Box::new(|| Duration::from_secs(5)), now: Box::new(|| 0) };
    let options = Options {
        style: LogStyle::Live,
        palette: Palette::PLAIN,
        verbosity: Verbosity::Normal,
        width: Box::new(|| 60),
        height: Box::new(|| 24),
        project: String::new(),
    };
    let live = Live::without_ticker(options, Box::new(written.clone()), clock);
    live.shared.lock().is_ticking = true;
    live.emit(finished("a", Outcome::Ran));
    assert_eq!(written.take(), "ran       a  3.0s\n", "the first is not held back");
    live.emit(finished("b", Outcome::Ran));
    live.emit(finished("c", Outcome::Ran));
    assert_eq!(written.take(), "");
    drop(live);
    assert_eq!(written.take(), "ran       b  3.0s\nran       c  3.0s\n", "nothing is lost");
}
