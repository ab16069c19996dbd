//! `osgraph cache`: looking into the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::commands::args::{Cache, CacheCommand, Format};
use crate::commands::exit::Exit;
use crate::commands::fault::Fault;
use crate::commands::ground::Ground;
use crate::commands::screen::Screen;
use crate::report::care::{self, Damage, Info, Verified};
use crate::report::json::answer;
use crate::report::quantity::{count, size};
use crate::store::{DamageKind, ExclusiveLease, Store, StoreInfo};

pub fn cache(ground: &Ground, args: &Cache, screen: &Screen) -> Result<Exit, Fault> {
    match &args.command {
        CacheCommand::Info { settings: _ } => {
            let StoreInfo {
                root,
                read_only: _,
                contents,
                bytes,
                disk_bytes,
                blobs,
                packs,
                dead_bytes,
                database_bytes,
                unpacked_trees,
                records,
                runs,
                projects,
            } = Store::open_read_only(&ground.store)?.info()?;
            let info = Info {
                path: if root.exists() {
                    root.display().to_string()
                } else {
                    format!("{} (not there yet)", root.display())
                },
                contents,
                bytes,
                disk_bytes,
                packs,
                blobs,
                dead_bytes,
                database_bytes,
                trees: unpacked_trees,
                records,
                runs,
                projects,
            };
            show(screen, &info, care::info);
            Ok(Exit::Done)
        }
        CacheCommand::Verify { repair, settings: _ } => verify(ground, *repair, screen),
    }
}

fn verify(ground: &Ground, repair: bool, screen: &Screen) -> Result<Exit, Fault> {
    let start = Instant::now();
    let store = if repair { Store::open(&ground.store)? } else { Store::open_read_only(&ground.store)? };
    let lease = if repair { Some(exclusive(&store, screen)?) } else { None };
    let reached = Arc::new((AtomicU64::new(0), AtomicU64::new(0)));
    let seen = reached.clone();
    let meter = screen.meter(move || {
        let (done, all) = (seen.0.load(Ordering::Relaxed), seen.1.load(Ordering::Relaxed));
        format!("checking the store  {} of {}", size(done), size(all))
    });
    let found = store.verify(lease.as_ref(), &|done, all| {
        reached.0.fetch_max(done, Ordering::Relaxed);
        reached.1.store(all, Ordering::Relaxed);
    });
    drop(meter);
    let found = found?;
    let sound = found.is_sound();
    let problem = |kind| match kind {
        DamageKind::Missing => "is missing",
        DamageKind::Altered => "has other bytes than it should",
    };
    let mut damages: Vec<Damage> = found
        .damaged
        .iter()
        .map(|one| Damage { what: one.digest.short(), problem: problem(one.kind).to_owned() })
        .collect();
    if found.bad_records > 0 {
        let problem = format!("has {} that cannot be read", count(found.bad_records as usize, "record"));
        damages.push(Damage { what: "osgraph.db".to_owned(), problem });
    }
    damages.extend(
        found.database.iter().map(|text| Damage { what: "osgraph.db".to_owned(), problem: text.clone() }),
    );
    let report = Verified {
        contents: found.contents,
        bytes: found.bytes,
        duration_ms: start.elapsed().as_millis() as u64,
        damages,
        repaired: found.repaired,
    };
    show(screen, &report, care::verified);
    Ok(if sound || repair { Exit::Done } else { Exit::Internal })
}

/// Waits until nobody else uses the store, saying so once.
pub(super) fn exclusive(store: &Store, screen: &Screen) -> Result<ExclusiveLease, Fault> {
    let mut said = false;
    let lease = store.exclusive_lease(&mut || {
        if !std::mem::replace(&mut said, true) {
            screen.remark("waiting for runs that use the store\n");
        }
        true
    })?;
    lease.ok_or_else(|| Fault::usage("the store is in use", "wait for the runs that `osgraph ps` shows"))
}

pub(super) fn show<T: serde::Serialize>(
    screen: &Screen,
    report: &T,
    text: impl Fn(&T, crate::report::Palette) -> String,
) {
    match screen.format {
        Format::Json => screen.answer(&answer(report)),
        Format::Text => screen.answer(&text(report, screen.palette)),
    }
}
