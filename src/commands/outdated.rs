//! `osgraph outdated`: which upstream images have moved on, and what adopting them would cost.

use crate::commands::args::Format;
use crate::commands::exit::Exit;
use crate::commands::fault::Fault;
use crate::commands::ground::Ground;
use crate::commands::load::{self, Loaded};
use crate::commands::registries::Registries;
use crate::commands::screen::Screen;
use crate::commands::upstreams::{self, LockFile, Upstream};
use crate::pipeline::Work;
use crate::pipeline::lock::Locked;
use crate::reference::Reference;
use crate::report::outdated::{self as report, Age, Cost, Image, Outdated, State, Unlocked};
use crate::run::docker::error::chain;
use crate::store::Store;
use crate::survey::snapshot::Snapshot;
use crate::survey::why::Historian;

pub fn run(ground: &Ground, screen: &Screen) -> Result<Exit, Fault> {
    let loaded = load::load(ground, &mut Snapshot::default())?;
    let file = LockFile::read(ground)?;
    let registries = Registries::new(ground);
    let found = upstreams::find(ground, &loaded, &|| registries.platform());
    // Where there is nothing to lock, `osgraph lock` writes no file, and none is missing.
    if file.digest.is_none() && !found.as_ref().is_ok_and(Vec::is_empty) {
        return Err(Fault::NoLock(file.shown));
    }
    let upstreams = found?;
    let store = Store::open_read_only(&ground.store)?;
    let project = ground.project_id();
    let historian = Historian::new(&store, &project, &loaded.source.text);
    let meter = screen.meter(|| "asking registries".to_owned());
    let mut images = Vec::new();
    let mut fault = None;
    for entry in file.lock.iter() {
        let (state, age) = match present(entry, &registries) {
            Ok(found) => found,
            // Without an engine there is nobody to ask about the others either.
            Err(Fault::Registry(error)) if error.is_of_engine() => return Err(Fault::Registry(error)),
            Err(error) => {
                let state = State::Unknown { error: chain(&error) };
                fault = Some(error);
                (state, Age::default())
            }
        };
        images.push(Image {
            image: entry.image.to_owned(),
            platform: entry.platform.to_owned(),
            locked: entry.digest.to_owned(),
            state,
            age,
            cost: cost(entry, &upstreams, &loaded, &historian),
        });
    }
    drop(meter);
    let unlocked = upstreams.iter().filter(|one| file.lock.digest_of(&one.image, &one.platform).is_none());
    let unlocked = unlocked.map(|one| Unlocked { image: one.image.clone(), platform: one.platform.clone() });
    let answer = Outdated { file: file.shown.clone(), images, unlocked: unlocked.collect() };
    screen.answer(&match screen.format {
        Format::Json => report::json(&answer),
        Format::Text => report::text(&answer, screen.palette),
    });
    Ok(if let Some(fault) = fault {
        if let Some(help) = fault.help() {
            screen.remark(&format!("help: {help}\n"));
        }
        fault.exit()
    } else {
        Exit::Done
    })
}

/// What the registry has now for an entry.
fn present(entry: Locked<'_>, registries: &Registries<'_>) -> Result<(State, Age), Fault> {
    let reference =
        Reference::parse(entry.image).map_err(|error| Fault::usage(error.to_string(), error.help()))?;
    let created = |digest: &str| registries.created(&reference.at(digest).ok()?);
    let locked = created(entry.digest);
    let Some(remote) = registries.ask(&reference)? else {
        return Ok((State::Gone, Age { locked, present: None }));
    };
    if remote.digest == entry.digest {
        return Ok((State::Same, Age { present: locked.clone(), locked }));
    }
    let present = created(&remote.digest);
    Ok((State::Moved { present: remote.digest }, Age { locked, present }))
}

/// The nodes that build on an image, all that read them, and how long these take.
fn cost(entry: Locked<'_>, upstreams: &[Upstream], loaded: &Loaded, historian: &Historian<'_>) -> Cost {
    let uses = upstreams.iter().filter(|one| one.image == entry.image && one.platform == entry.platform);
    let roots: Vec<_> = uses.flat_map(|one| one.nodes.iter().copied()).collect();
    let mut cost = Cost::default();
    for index in loaded.graph.affected(&roots) {
        let node = &loaded.pipeline.nodes[index.index()];
        if matches!(node.work, Work::Group(_)) {
            continue;
        }
        match historian.estimate(&node.name) {
            Some(estimate) => cost.expected_ms += estimate.median_ms,
            None => cost.untimed += 1,
        }
        cost.nodes.push(node.name.clone());
    }
    cost
}
