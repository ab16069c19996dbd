//! `osgraph watch`: builds again whenever something changed that counts.
//!
//! Looks as a run that does nothing looks, again and again: a few milliseconds, the same judge, so
//! what counts is what counts for `run`, and outputs of its own never do. It pauses for so long that
//! looking takes a small share of one processor.

use std::time::{Duration, Instant};

use crate::commands::args::{Run, Watch};
use crate::commands::exit::Exit;
use crate::commands::fault::Fault;
use crate::commands::ground::Ground;
use crate::commands::load;
use crate::commands::prepare::{self};
use crate::commands::run;
use crate::commands::screen::Screen;
use crate::digest::Digest;
use crate::inputs::observe::Progress;
use crate::plan::Verdict;
use crate::plan::judge::Order;
use crate::report::quantity::count;
use crate::run::signals::Pauses;
use crate::survey::idle::{self, Idle};

/// The shortest pause between two looks.
const PAUSE: Duration = Duration::from_millis(200);

/// The pause is this many times what a look takes: looking costs a twentieth of a processor at most.
const SHARE: u32 = 20;

/// What a look found.
enum Look {
    /// Everything is fresh.
    Fresh,
    /// Fresh, but it took a survey to know: what it saw is to be kept.
    Settled,
    /// Something would run or be put back; two looks with the same `state` found the same, and with the
    /// same `inputs` whatever was built in between.
    Work { inputs: Digest, state: Digest, nodes: usize },
    /// The pipeline or an input cannot be read.
    Wrong { state: Digest, fault: Fault },
}

pub fn run(ground: &Ground, args: &Watch, screen: &Screen) -> Result<Exit, Fault> {
    let build = Run { targets: args.targets.clone(), keep_going: args.keep_going, ..Run::default() };
    let muted = screen.muted();
    let io = |source| Fault::Io { action: "listen to signals".to_owned(), source };
    let mut pauses = Pauses::new().map_err(io)?;
    // What was found when the last build ended, or could not begin.
    let mut done: Option<Digest> = None;
    // What the look before found: a change is built when it has come to rest.
    let mut before: Option<Digest> = None;
    if !screen.is_quiet() {
        screen.remark("watching: Ctrl-C ends\n");
    }
    loop {
        let started = Instant::now();
        let found = look(ground, args);
        let pause = (started.elapsed() * SHARE).max(PAUSE);
        match found {
            Look::Fresh => (done, before) = (None, None),
            Look::Settled => {
                run::run(ground, &build, &muted, Instant::now())?;
                (done, before) = (None, None);
            }
            Look::Work { state, .. } | Look::Wrong { state, .. } if done == Some(state) => {}
            Look::Work { state, .. } | Look::Wrong { state, .. } if before != Some(state) => {
                before = Some(state);
            }
            Look::Work { inputs: built, nodes, .. } => {
                if !screen.is_quiet() {
                    screen.remark(&format!("\nchanged  {} to look after\n", count(nodes, "node")));
                }
                match run::run(ground, &build, screen, Instant::now()) {
                    Ok(Exit::Done) => {}
                    Ok(exit @ (Exit::Interrupted | Exit::Terminated)) => return Ok(exit),
                    Ok(_) => {}
                    Err(fault) => screen.fault(&fault),
                }
                // A build that failed is tried again when something else is there, not before. What came
                // since the build looked is something else.
                done = match look(ground, args) {
                    Look::Work { inputs, state, .. } if inputs == built => Some(state),
                    _ => None,
                };
                before = None;
            }
            Look::Wrong { state, fault } => {
                screen.fault(&fault);
                (done, before) = (Some(state), None);
            }
        }
        if let Some(terminated) = pauses.pause(pause) {
            return Ok(if terminated { Exit::Terminated } else { Exit::Interrupted });
        }
    }
}

fn look(ground: &Ground, args: &Watch) -> Look {
    match ground.idle(&args.targets, false) {
        Idle::Fresh(_) => Look::Fresh,
        Idle::Doubtful(doubt) => survey(ground, args, *doubt).unwrap_or_else(|fault| {
            // With the file itself: a mistake in another place has the same words.
            let text = std::fs::read(&ground.file).unwrap_or_default();
            let state = Digest::of(&[fault.to_string().as_bytes(), &text].concat());
            Look::Wrong { state, fault }
        }),
    }
}

fn survey(ground: &Ground, args: &Watch, mut doubt: idle::Doubt) -> Result<Look, Fault> {
    let loaded = load::load(ground, &mut doubt.snapshot)?;
    let (prepared, judged) = prepare::judged(ground, loaded, doubt, &args.targets, &Progress::default())?;
    let (mut inputs, mut state) = (Vec::new(), Vec::new());
    let mut nodes = 0;
    for (subject, one) in prepared.subjects.iter().zip(&judged) {
        if subject.order == Order::Nothing {
            continue;
        }
        inputs.extend_from_slice(subject.own.own_digest().as_bytes());
        state.extend_from_slice(one.verdict.word().as_bytes());
        nodes += usize::from(!matches!(one.verdict, Verdict::Fresh));
    }
    let inputs = Digest::of(&inputs);
    state.extend_from_slice(inputs.as_bytes());
    Ok(if nodes == 0 { Look::Settled } else { Look::Work { inputs, state: Digest::of(&state), nodes } })
}
