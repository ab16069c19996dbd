//! `osgraph lock`: writes down which content upstream images have.

use std::collections::BTreeSet;

use crate::commands::args::{Format, Lock as Args};
use crate::commands::exit::Exit;
use crate::commands::fault::Fault;
use crate::commands::ground::Ground;
use crate::commands::load;
use crate::commands::registries::Registries;
use crate::commands::screen::Screen;
use crate::commands::upstreams::{self, LockFile, Upstream};
use crate::digest::Digest;
use crate::pipeline::{Lock, suggest};
use crate::reference::Reference;
use crate::report::lock::{self as report, Change, Line, Outcome};
use crate::survey::snapshot::Snapshot;

/// What `--update` takes for every image.
const ALL: &str = "all";

pub fn run(ground: &Ground, args: &Args, screen: &Screen) -> Result<Exit, Fault> {
    let loaded = load::load(ground, &mut Snapshot::default())?;
    let file = LockFile::read(ground)?;
    let registries = Registries::new(ground);
    let upstreams = upstreams::find(ground, &loaded, &|| registries.platform())?;
    let updated = updated(&args.update, &upstreams)?;
    let meter = screen.meter(|| "asking registries".to_owned());
    let new = settled(&file.lock, &upstreams, &updated, &registries);
    drop(meter);
    let new = new?;
    let text = new.render();
    // A pipeline that builds on nobody's images needs no file.
    let is_needed = file.digest.is_some() || !new.is_empty();
    let differs = is_needed && file.digest != Some(Digest::of(text.as_bytes()));
    if differs && !args.dry_run {
        file.write(&text)?;
    }
    let outcome = Outcome {
        file: file.shown.clone(),
        dry_run: args.dry_run,
        written: differs && !args.dry_run,
        images: lines(&file.lock, &new),
    };
    match screen.format {
        Format::Json => screen.answer(&report::json(&outcome)),
        Format::Text if screen.is_quiet() => {}
        Format::Text => screen.answer(&report::locked(&outcome, screen.palette)),
    }
    Ok(Exit::Done)
}

/// The images that `names` mean, in full.
fn updated(names: &[String], upstreams: &[Upstream]) -> Result<BTreeSet<String>, Fault> {
    let known: BTreeSet<&str> = upstreams.iter().map(|one| one.image.as_str()).collect();
    let mut updated = BTreeSet::new();
    for name in names {
        if name == ALL {
            updated.extend(known.iter().map(|image| (*image).to_owned()));
            continue;
        }
        let reference =
            Reference::parse(name).map_err(|error| Fault::usage(error.to_string(), error.help()))?;
        let image = reference.to_string();
        if !known.contains(image.as_str()) {
            let near = suggest::nearest(&image, known.iter().copied());
            let help = near.map_or_else(
                || "`osgraph lock -n` lists those that are built on".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            return Err(Fault::usage(format!("no node builds on `{name}`"), help));
        }
        updated.insert(image);
    }
    Ok(updated)
}

/// The new lock: what is missing is added, what nobody uses is dropped, and what is to be updated has
/// the digest that the registry has now. Nothing else moves.
fn settled(
    old: &Lock,
    upstreams: &[Upstream],
    updated: &BTreeSet<String>,
    registries: &Registries<'_>,
) -> Result<Lock, Fault> {
    let mut new = old.clone();
    new.retain(|entry| upstreams::is_used(entry, upstreams));
    for Upstream { image, reference, platform, .. } in upstreams {
        let digest = if updated.contains(image) {
            registries.wanted(reference, platform)?.digest
        } else if new.digest_of(image, platform).is_some() {
            continue;
        } else {
            adopted(&new, image, reference, platform, registries)?
        };
        note(&mut new, image, platform, &digest)?;
    }
    // Entries of other engines' platforms follow: one image is one content on all of them.
    for entry in new.clone().iter().filter(|entry| updated.contains(entry.image)) {
        let reference =
            Reference::parse(entry.image).map_err(|error| Fault::usage(error.to_string(), error.help()))?;
        let digest = registries.wanted(&reference, entry.platform)?.digest;
        note(&mut new, entry.image, entry.platform, &digest)?;
    }
    Ok(new)
}

/// The digest of an image that is new in the lock: the one that it has for another platform, where
/// that is a list that has this platform too; else what the registry has.
fn adopted(
    lock: &Lock,
    image: &str,
    reference: &Reference,
    platform: &str,
    registries: &Registries<'_>,
) -> Result<String, Fault> {
    for other in lock.iter().filter(|entry| entry.image == image) {
        if let Ok(pinned) = reference.at(other.digest)
            && let Some(remote) = registries.ask(&pinned)?
            && remote.has(platform)
        {
            return Ok(remote.digest);
        }
    }
    Ok(registries.wanted(reference, platform)?.digest)
}

fn note(lock: &mut Lock, image: &str, platform: &str, digest: &str) -> Result<(), Fault> {
    if lock.insert(image, platform, digest) {
        return Ok(());
    }
    Err(Fault::usage(
        format!("the registry's digest of `{image}` cannot be locked: `{digest}`"),
        "only sha256 digests can; name an image of another registry",
    ))
}

/// Every entry of either lock, and what became of it.
fn lines(old: &Lock, new: &Lock) -> Vec<Line> {
    let all: BTreeSet<(&str, &str)> =
        old.iter().chain(new.iter()).map(|entry| (entry.image, entry.platform)).collect();
    let line = |(image, platform): (&str, &str)| {
        let digest = |lock: &Lock| lock.digest_of(image, platform).map(str::to_owned);
        let (old, new) = (digest(old), digest(new));
        let change = match (&old, &new) {
            (None, _) => Change::Added,
            (_, None) => Change::Dropped,
            (Some(old), Some(new)) if old == new => Change::Kept,
            _ => Change::Moved,
        };
        Line { image: image.to_owned(), platform: platform.to_owned(), change, old, new }
    };
    all.into_iter().map(line).collect()
}
