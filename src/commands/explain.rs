//! `osgraph explain` and `osgraph run --dry-run`: why, without changing anything.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::commands::args::{Explain, Format};
use crate::commands::exit::Exit;
use crate::commands::fault::Fault;
use crate::commands::ground::Ground;
use crate::commands::load;
use crate::commands::prepare::{self, Prepared};
use crate::commands::run::expect::outlook;
use crate::commands::screen::{Screen, now};
use crate::inputs::hash::cores;
use crate::inputs::observe::Progress;
use crate::pipeline::Pipeline;
use crate::plan::Explanation;
use crate::plan::judge::Judged;
use crate::plan::schedule::Expected;
use crate::report::explain;
use crate::report::params::Param;
use crate::report::quantity::{count, size};

mod against;
mod last;
mod oracle;
mod settled;

pub fn run(ground: &Ground, args: &Explain, screen: &Screen) -> Result<Exit, Fault> {
    if args.last {
        return last::run(ground, args, screen);
    }
    if !args.path.is_empty() || !args.if_changed.is_empty() {
        return oracle::run(ground, args, screen);
    }
    let mut doubt = match settled::look(ground, args) {
        settled::Look::Fresh(mut settled) => {
            let loaded = load::load(ground, &mut settled.snapshot)?;
            if let Some(explanations) = settled::explanations(ground, &loaded, &args.targets, &mut settled)? {
                // Nothing runs.
                let course = explain::Course { jobs: cores(), ..explain::Course::default() };
                return tell(ground, &explanations, &course, &loaded.pipeline, screen);
            }
            ground.doubt()
        }
        settled::Look::Doubtful(doubt) => *doubt,
    };
    let loaded = load::load(ground, &mut doubt.snapshot)?;
    let progress = Arc::new(Progress::default());
    let seen = progress.clone();
    let meter = screen.meter(move || {
        let (files, bytes) = (seen.files.load(Ordering::Relaxed), seen.bytes.look().0);
        format!("reading inputs  {}, {}", count(files as usize, "file"), size(bytes))
    });
    let judged = prepare::judged(ground, loaded, doubt, &args.targets, &progress);
    drop(meter);
    let (prepared, judged) = judged?;
    if let Some(file) = &args.against {
        // As the reader wrote it: what lies here needs no `./`.
        let path = ground.here.join(file);
        let path = path.strip_prefix(".").unwrap_or(&path);
        return against::run(path, ground, &prepared, &judged, screen);
    }
    show(ground, &prepared, &judged, cores(), screen)
}

/// What an answer in words goes by.
fn context<'a>(ground: &'a Ground, screen: &Screen, params: &'a [Param]) -> explain::Context<'a> {
    explain::Context {
        now: now(),
        file: &ground.shown,
        params,
        palette: screen.palette,
        columns: screen.columns(),
    }
}

/// Shows every node's explanation, and what is expected of all of them with `jobs` at a time.
pub fn show(
    ground: &Ground,
    prepared: &Prepared,
    judged: &[Judged],
    jobs: usize,
    screen: &Screen,
) -> Result<Exit, Fault> {
    let outlook = outlook(prepared, judged, jobs);
    let Expected { estimate, untimed, critical } = outlook.look(0);
    let critical = critical.into_iter().map(|at| outlook.name(at).clone()).collect();
    let course = explain::Course { estimate, untimed, jobs, critical };
    tell(ground, &prepared.explain(ground, judged), &course, &prepared.loaded.pipeline, screen)
}

fn tell(
    ground: &Ground,
    explanations: &[Explanation],
    course: &explain::Course,
    pipeline: &Pipeline,
    screen: &Screen,
) -> Result<Exit, Fault> {
    let params: Vec<Param> = pipeline.params.iter().map(Param::of).collect();
    let text = match screen.format {
        Format::Json => explain::json(explanations, &ground.shown, &params, course),
        Format::Text => {
            let context = context(ground, screen, &params);
            explain::text(explanations, course, &context)
        }
    };
    screen.answer(&text);
    Ok(Exit::Done)
}
