//! `osgraph clean`: removes published outputs, and nothing that osgraph did not make.

use std::collections::BTreeSet;

use crate::commands::args::{Clean, Format};
use crate::commands::exit::Exit;
use crate::commands::fault::Fault;
use crate::commands::ground::Ground;
use crate::commands::load;
use crate::commands::screen::Screen;
use crate::inputs::observe::Known;
use crate::path::RelPath;
use crate::report::quantity::count;
use crate::run::standing::{Found, look};
use crate::run::wanted::{self, Wanted};
use crate::store::Store;
use crate::tree::Leaf;

pub fn run(ground: &Ground, args: &Clean, screen: &Screen) -> Result<Exit, Fault> {
    let mut doubt = ground.doubt();
    let named = if args.targets.is_empty() {
        None
    } else {
        let loaded = load::load(ground, &mut doubt.snapshot)?;
        let targets = loaded.graph.targets(&args.targets)?;
        Some(targets.iter().map(|index| loaded.graph.name(*index).clone()).collect::<BTreeSet<_>>())
    };
    let store =
        if args.dry_run { Store::open_read_only(&ground.store)? } else { Store::open(&ground.store)? };
    let known = Known::new(doubt.index);
    let mut removed = Vec::new();
    let mut altered = Vec::new();
    let mut folders = BTreeSet::new();
    for one in store.publications(&ground.project_id())? {
        if named.as_ref().is_some_and(|named| !named.contains(&one.node)) {
            continue;
        }
        // A seed has no entry: it is the user's.
        let Some(entry) = one.entry else { continue };
        let root = one.path.clone();
        let wanted = Wanted { path: one.path, what: one.what, entry };
        let Ok(leaves) = wanted::leaves(&wanted, &store) else { continue };
        for (path, leaf) in leaves {
            match look(&ground.project, &path, &leaf, &|path, stat| known.digest(path, stat)) {
                Found::Missing => {}
                Found::Folder(_) => drop(folders.insert(path.clone())),
                Found::Right(_) => removed.push(path.clone()),
                // Someone changed it: it may be work that is nowhere else.
                Found::Altered => altered.push(path.clone()),
            }
            let mut above = path.parent();
            while let Some(folder) = above
                && folder.is_within(&root)
            {
                above = folder.parent();
                folders.insert(folder);
            }
            if leaf == Leaf::EmptyDirectory {
                folders.insert(path);
            }
        }
    }
    if !args.dry_run {
        let paths: Vec<_> = removed.iter().map(|path: &RelPath| path.under(&ground.project)).collect();
        store.discard(&paths)?;
        for folder in folders.iter().rev() {
            // Fails where something else is in it, which is as it should be.
            let _ = std::fs::remove_dir(folder.under(&ground.project));
        }
        store.finish_trash();
    }
    answer(args, &removed, &altered, screen);
    Ok(Exit::Done)
}

fn answer(args: &Clean, removed: &[RelPath], altered: &[RelPath], screen: &Screen) {
    if screen.format == Format::Json {
        let answer = serde_json::json!({
            "v": crate::event::VERSION, "dry_run": args.dry_run, "removed": removed, "altered": altered,
        });
        return screen.answer(&format!("{answer}\n"));
    }
    let mut text = String::new();
    if args.dry_run {
        for path in removed {
            text.push_str(&format!("would remove  {path}\n"));
        }
    }
    for path in altered {
        text.push_str(&format!("left alone    {path}  (changed since it was published)\n"));
    }
    let word = if args.dry_run { "would be removed" } else { "removed" };
    match removed.len() {
        0 => text.push_str("nothing to remove\n"),
        1 => text.push_str(&format!("1 file {word}; `osgraph run` puts it back\n")),
        files => text.push_str(&format!("{} {word}; `osgraph run` puts them back\n", count(files, "file"))),
    }
    if !screen.is_quiet() {
        screen.answer(&text);
    }
}
