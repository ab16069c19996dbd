//! Takes away what processes that died left behind in an engine, and nothing else.

use crate::run::docker::container::{ListedContainer, OWNER_LABEL};
use crate::run::docker::engine::Engine;
use crate::run::docker::error::EngineError;
use crate::run::docker::image::Listed;
use crate::run::docker::owner::Owner;

/// What names for the time of one build begin with.
const TEMPORARY: &str = "osgraph/tmp-";

/// What was removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// By id.
    pub containers: Vec<String>,
    pub tags: Vec<String>,
    /// Not removed: images that have no other names. They would go with the last one, and only who
    /// knows the records can tell whether they are garbage or somebody's base.
    pub orphans: Vec<Listed>,
}

/// A name for an image for as long as this process needs it. `what` is lower-case letters and
/// digits.
pub fn temporary_name(what: &str) -> String {
    format!("{TEMPORARY}{what}:{}", Owner::this())
}

impl Engine {
    /// Removes a project's containers and everybody's temporary names whose makers are surely gone.
    pub async fn sweep(&self, project: &str) -> Result<Swept, EngineError> {
        let this = Owner::this();
        let mut swept = Swept::default();
        for ListedContainer { id, labels } in self.list_containers(project).await? {
            let owner = labels.get(OWNER_LABEL).and_then(|text| Owner::parse(text));
            if owner.is_some_and(|owner| owner.is_gone(&this)) {
                self.remove_container(&id).await?;
                swept.containers.push(id);
            }
        }
        for image in self.list("reference", &format!("{TEMPORARY}*")).await? {
            // The list may show only the names that were asked for.
            let all = self.inspect(&image.id).await?.map(|found| found.tags).unwrap_or_default();
            let (gone, left): (Vec<_>, Vec<_>) =
                all.into_iter().partition(|tag| maker(tag).is_some_and(|owner| owner.is_gone(&this)));
            if gone.is_empty() {
                continue;
            }
            if left.is_empty() {
                swept.orphans.push(image);
                continue;
            }
            for tag in gone {
                if self.untag(&tag).await? {
                    swept.tags.push(tag);
                }
            }
        }
        Ok(swept)
    }
}

/// Whether it is a temporary name whose maker is surely gone.
pub fn is_left_behind(name: &str) -> bool {
    maker(name).is_some_and(|owner| owner.is_gone(&Owner::this()))
}

/// Who made a temporary name; none when it is no such name.
fn maker(name: &str) -> Option<Owner> {
    // Podman may put this before names that have no registry.
    let name = name.strip_prefix("localhost/").unwrap_or(name);
    let (_, owner) = name.strip_prefix(TEMPORARY)?.split_once(':')?;
    Owner::parse(owner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_names_know_their_maker() {
        let name = temporary_name("abc");
        assert!(name.starts_with("osgraph/tmp-abc:"), "{name}");
        assert_eq!(maker(&name), Some(Owner::this()));
        assert_eq!(maker(&format!("localhost/{name}")), Some(Owner::this()));
        for other in ["osgraph/tmp-abc:latest", "osgraph/base:m-b-s-7-100", "x/osgraph/tmp-a:m-b-s-7-100"] {
            assert_eq!(maker(other), None, "{other}");
        }
    }
}
