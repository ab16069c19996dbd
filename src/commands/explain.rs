//! `osgraph explain` and `osgraph run --dry-run`: why, without changing anything.

use crate::commands::args::{Explain, Format};
use crate::commands::exit::Exit;
use crate::commands::fault::Fault;
use crate::commands::ground::Ground;
use crate::commands::prepare::{self, Orders, PROGRAM, Prepared};
use crate::commands::screen::{Screen, now};
use crate::inputs::observe::Progress;
use crate::inputs::stat::boot_id;
use crate::pipeline::Span;
use crate::plan::judge::{Judged, judge};
use crate::report::explain;
use crate::store::Store;
use crate::survey::idle;

pub fn run(ground: &Ground, args: &Explain, screen: &Screen) -> Result<Exit, Fault> {
    let mut doubt = idle::reread(&ground.state(), &boot_id(), PROGRAM);
    let loaded = prepare::load(ground, &mut doubt.snapshot)?;
    prepare::refuse_tracked(ground, &loaded)?;
    let store = std::sync::Arc::new(Store::open_read_only(&ground.store)?);
    let orders = Orders { targets: &args.targets, ..Orders::default() };
    let prepared = prepare::prepare(ground, loaded, doubt, store, &orders, &Progress::default())?;
    let judged = judge(&prepared.subjects, &prepared.facts(ground));
    show(ground, &prepared, &judged, screen)
}

/// Shows every node's explanation.
pub fn show(ground: &Ground, prepared: &Prepared, judged: &[Judged], screen: &Screen) -> Result<Exit, Fault> {
    let explanations = prepared.explain(ground, judged);
    let text = match screen.format {
        Format::Json => explain::json(&explanations),
        Format::Text => {
            let source = prepared.loaded.source.text.clone();
            let line = move |span: Span| {
                let before = source.get(..span.offset as usize)?;
                Some(before.bytes().filter(|byte| *byte == b'\n').count() as u32 + 1)
            };
            let context =
                explain::Context { now: now(), file: &ground.shown, line: &line, palette: screen.palette };
            explain::text(&explanations, &context)
        }
    };
    screen.answer(&text);
    Ok(Exit::Done)
}
