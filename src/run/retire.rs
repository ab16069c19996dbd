//! Removes archives that retention lets go, where they are still what was published. Which ones, it
//! asks of [`retention`](crate::run::retention).

use crate::pipeline::Node;
use crate::record::Artifact;
use crate::run::retention::{Pattern, Published as Recorded, expired};
use crate::run::standing::{Found, look};
use crate::run::task::{Context, TaskError};
use crate::run::wanted;
use crate::store::Published;
use crate::tree::{Entry, Leaf};

/// Removes archives that retention lets go.
pub fn retire(node: &Node, artifact: &Artifact, context: &Context) -> Result<(), TaskError> {
    let list = wanted::archives_of(&node.work, artifact);
    if list.iter().all(|one| one.keep.is_none()) {
        return Ok(());
    }
    let recorded = (context.archives)();
    let history: Vec<Recorded> = recorded
        .iter()
        .filter(|one| one.what == Published::Archive)
        .map(|one| Recorded { path: one.path.clone(), run: one.run })
        .collect();
    // Where one is named by its content, what another node has there now is any of that name.
    let others = context.archive_paths.iter().filter(|(other, _)| *other != node.name);
    let mut current: Vec<Pattern> = others.map(|(_, path)| Pattern::of_path(path)).collect();
    current.extend(list.iter().map(|one| Pattern::of_path(&one.path.value)));
    for one in &list {
        let Some(keep) = one.keep else { continue };
        let gone = expired(
            &Pattern::new(&one.pattern),
            &context.archive_patterns,
            &one.path.value,
            keep,
            &history,
            &current,
        );
        for path in gone {
            let there = path.under(&context.project);
            if there.symlink_metadata().is_err() {
                continue;
            }
            // What someone put in an old archive's place is not ours to remove.
            let leaf = recorded.iter().find(|one| one.path == path).and_then(|one| match one.entry {
                Some(Entry::File { digest, size, executable }) => {
                    Some(Leaf::File { digest, size, executable })
                }
                _ => None,
            });
            let known = &*context.known;
            let ours = leaf
                .is_some_and(|leaf| matches!(look(&context.project, &path, &leaf, known), Found::Right(_)));
            if ours {
                context.store.discard([&there])?;
            } else {
                let message = format!("`{path}` is not what was published there: left alone");
                context.warn(&node.name, message, None);
            }
        }
    }
    Ok(())
}
