//! `osgraph gc`: makes room in the store, and in the engine where images of this pipeline lie.
//!
//! In the engine only names are taken away that osgraph gave for this very pipeline and store; an
//! image goes with its last name, as engines have it.

use std::collections::HashSet;
use std::time::Instant;

use crate::commands::args::Gc;
use crate::commands::care::{exclusive, show};
use crate::commands::exit::Exit;
use crate::commands::fault::Fault;
use crate::commands::ground::Ground;
use crate::commands::load;
use crate::commands::screen::Screen;
use crate::digest::Digest;
use crate::report::collected::{BuildCache, Collected, Images, Looked, Untagged, collected};
use crate::run::docker::error::chain;
use crate::run::docker::{EngineError, Listed, PROJECT_LABEL, Session};
use crate::run::image::{KEEPERS, keeper_of};
use crate::store::{GcOptions, GcReport, Store};

pub fn gc(ground: &Ground, args: &Gc, screen: &Screen) -> Result<Exit, Fault> {
    let options = GcOptions { max_size: args.max_size, max_age: args.max_age, keep_cost: args.keep_cost };
    let report = if args.dry_run {
        let report = Store::open_read_only(&ground.store)?.gc_preview(&options)?;
        summary(ground, report, true)
    } else {
        let store = Store::open(&ground.store)?;
        // Held until the engine is done with, too: a run may be naming images.
        let lease = exclusive(&store, screen)?;
        let start = Instant::now();
        let _meter = screen.meter(move || format!("collecting  {}s", start.elapsed().as_secs()));
        let report = summary(ground, store.gc(&options, &lease)?, false);
        store.finish_trash();
        report
    };
    show(screen, &report, collected);
    Ok(Exit::Done)
}

fn summary(ground: &Ground, report: GcReport, dry_run: bool) -> Collected {
    Collected {
        dry_run,
        records: report.records,
        contents: report.contents,
        freed: report.freed_bytes,
        left: report.kept_bytes,
        rebuild_ms: report.rebuild_ms,
        images: images(ground, &report.kept_images, dry_run),
    }
}

/// None for a pipeline that builds no images, and where there is no pipeline.
fn images(ground: &Ground, kept: &HashSet<Digest>, dry_run: bool) -> Option<Images> {
    let not_looked = |fault: String, help| Some(Images::NotLooked { fault, help });
    let mut snapshot = ground.snapshot();
    match load::load(ground, &mut snapshot) {
        Ok(loaded) if loaded.pipeline.nodes.iter().all(|node| node.docker().is_none()) => return None,
        Err(Fault::NoPipeline { .. }) => return None,
        Err(_) => {
            let help = "`osgraph check` shows what is wrong with it".to_owned();
            return not_looked("the pipeline file cannot be used".to_owned(), Some(help));
        }
        Ok(_) => {}
    }
    let session = match ground.engine.session() {
        Ok(session) => session,
        Err(error) => return not_looked(chain(&error), error.help()),
    };
    let kept = kept.iter().map(keeper_of).collect();
    let mut looked = Looked::default();
    // What was done before a fault is told all the same.
    let done = untag(&session, &ground.engine_mark(), &kept, dry_run, &mut looked)
        .and_then(|()| measure(&session).map(|cache| looked.build_cache = Some(cache)));
    looked.fault = done.err().map(|error| chain(&error));
    looked.untagged.sort_by(|a, b| a.name.cmp(&b.name));
    looked.in_use.sort();
    Some(Images::Looked(looked))
}

/// Takes the names of images away that are not to be kept.
fn untag(
    session: &Session,
    mark: &str,
    kept: &HashSet<String>,
    dry_run: bool,
    looked: &mut Looked,
) -> Result<(), EngineError> {
    let engine = session.engine();
    for image in session.wait(engine.list_labelled(&format!("{PROJECT_LABEL}={mark}")))? {
        // An image that somebody built on ours has our label, too, but none of our names.
        let Some(name) = keeper(&image) else { continue };
        if kept.contains(&name) {
            looked.kept += 1;
            continue;
        }
        let removed = if dry_run {
            image.tags.len() == 1
        } else {
            match session.wait(engine.untag(&name)) {
                Ok(_) => session.wait(engine.inspect(&image.id)).is_ok_and(|found| found.is_none()),
                Err(EngineError::Refused { status: 409, .. }) => {
                    looked.in_use.push(name);
                    continue;
                }
                Err(error) => return Err(error),
            }
        };
        looked.untagged.push(Untagged { name, bytes: image.bytes, removed });
    }
    Ok(())
}

fn measure(session: &Session) -> Result<BuildCache, EngineError> {
    let mut cache = BuildCache::default();
    for record in session.wait(session.engine().build_cache())? {
        cache.records += 1;
        cache.bytes += record.bytes;
        cache.idle += if record.in_use || record.shared { 0 } else { record.bytes };
    }
    Ok(cache)
}

/// The name that osgraph gave to an image. Podman may put its own word before it.
fn keeper(image: &Listed) -> Option<String> {
    let plain = image.tags.iter().map(|tag| tag.strip_prefix("localhost/").unwrap_or(tag));
    plain.filter(|tag| tag.starts_with(KEEPERS)).map(str::to_owned).next()
}
