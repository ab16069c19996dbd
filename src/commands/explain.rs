//! `osgraph explain` and `osgraph run --dry-run`: why, without changing anything.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::commands::args::{Explain, Format};
use crate::commands::exit::Exit;
use crate::commands::fault::Fault;
use crate::commands::ground::Ground;
use crate::commands::load;
use crate::commands::prepare::{self, Prepared};
use crate::commands::screen::{Screen, now};
use crate::inputs::observe::Progress;
use crate::pipeline::Pipeline;
use crate::plan::Explanation;
use crate::plan::judge::Judged;
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
                return tell(ground, &explanations, &loaded.pipeline, screen);
            }
            ground.doubt()
        }
        settled::Look::Doubtful(doubt) => *doubt,
    };
    let loaded = load::load(ground, &mut doubt.snapshot)?;
    let progress = Arc::new(Progress::default());
    let seen = progress.clone();
    let meter = screen.meter(move || {
        let (files, bytes) = (seen.files.load(Ordering::Relaxed), seen.bytes.load(Ordering::Relaxed));
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
    show(ground, &prepared, &judged, screen)
}

/// Shows every node's explanation.
pub fn show(ground: &Ground, prepared: &Prepared, judged: &[Judged], screen: &Screen) -> Result<Exit, Fault> {
    tell(ground, &prepared.explain(ground, judged), &prepared.loaded.pipeline, screen)
}

fn tell(
    ground: &Ground,
    explanations: &[Explanation],
    pipeline: &Pipeline,
    screen: &Screen,
) -> Result<Exit, Fault> {
    let params: Vec<Param> = pipeline.params.iter().map(Param::of).collect();
    let text = match screen.format {
        Format::Json => explain::json(explanations, &ground.shown, &params),
        Format::Text => {
            let context = explain::Context {
                now: now(),
                file: &ground.shown,
                params: &params,
                palette: screen.palette,
            };
            explain::text(explanations, &context)
        }
    };
    screen.answer(&text);
    Ok(Exit::Done)
}
