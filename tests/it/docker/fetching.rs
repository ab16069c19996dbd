//! Images that the engine lost, fetched from where they are: the cheapest mend is tried first, and
//! what cannot be had is built.

use std::process::Command;

use crate::causes::project::Project;
use crate::docker::engine::{docker, image, remove_image, try_docker};
use crate::docker::fixture::Fixture;
use crate::docker::registry::{Registry, registry};

struct Lost {
    project: Project,
    registry: Registry,
    name: String,
}

impl Lost {
    /// A base with these options, built. `HOST/NAME` is a place in the registry.
    fn new(topic: &str, options: &str) -> Self {
        let registry = registry(false);
        let name = format!("osgraph-test-fetching-{topic}-{}", std::process::id());
        let options = options.replace("HOST", &registry.host).replace("NAME", &name);
        let project = Project::new(&format!(
            "pipeline \"p\"\nbase-image \"base\" {{ context \"builder\"; network \"none\"; tag \"{name}\"\n{options}\n}}\n"
        ));
        project.write("builder/Dockerfile", &format!("FROM {}\nCOPY a /a\n", Fixture::busybox()));
        project.write("builder/a", &name);
        let lost = Self { project, registry, name };
        lost.project.runs(&["base"]);
        lost
    }

    fn prune(&self) {
        remove_image(&image(&self.name).expect("it was built"));
        assert_eq!(image(&self.name), None);
    }

    /// Asks for the base: whether it ran, and what was said.
    fn ask(&self) -> (bool, String) {
        let said = self.project.try_run(&["base"]);
        assert_eq!(said.code, 0, "{}", said.text);
        assert!(image(&self.name).is_some(), "{}", said.text);
        (said.ran == ["base"], said.text)
    }
}

impl Drop for Lost {
    fn drop(&mut self) {
        if let Some(id) = image(&self.name) {
            let _ = try_docker(&["image", "rm", "--force", &id]);
        }
    }
}

#[test]
fn what_was_pushed_comes_back_by_digest() {
    let lost = Lost::new("pushed", "push \"HOST/NAME:1\"");
    let there =
        Command::new("curl").args(["-s", &format!("http://{}/v2/_catalog", lost.registry.host)]).output();
    assert!(String::from_utf8(there.unwrap().stdout).unwrap().contains(&lost.name));
    let before = image(&lost.name);
    // Where the tag leads now does not matter.
    let pushed = format!("{}/{}:1", lost.registry.host, lost.name);
    docker(&["tag", Fixture::busybox(), &pushed]);
    docker(&["push", "--quiet", &pushed]);
    docker(&["image", "rm", &pushed]);
    lost.prune();
    let (ran, text) = lost.ask();
    assert!(!ran && text.contains("pulling"), "{text}");
    assert_eq!(image(&lost.name), before);
    lost.project.is_fresh();
}

#[test]
fn what_its_node_says_is_pulled_if_it_is_the_same_image() {
    let lost = Lost::new("pulled", "pull \"HOST/NAME:1\"");
    let before = image(&lost.name);
    let place = format!("{}/{}:1", lost.registry.host, lost.name);
    docker(&["tag", &lost.name, &place]);
    docker(&["push", "--quiet", &place]);
    lost.prune();
    let (ran, text) = lost.ask();
    assert!(!ran, "{text}");
    assert_eq!(image(&lost.name), before);

    // Another image under that name is not taken for it: the node is built, for a named reason.
    docker(&["tag", Fixture::busybox(), &place]);
    docker(&["push", "--quiet", &place]);
    lost.prune();
    let (ran, text) = lost.ask();
    assert!(ran, "{text}");
    assert!(text.contains("is another image than the one that is needed"), "{text}");
    assert!(text.contains("image-missing"), "{text}");
    docker(&["image", "rm", &place]);
}

#[test]
fn a_registry_that_is_gone_costs_a_build_and_a_warning() {
    let lost = Lost::new("gone", "pull \"127.0.0.1:9/NAME:1\"");
    lost.prune();
    let (ran, text) = lost.ask();
    assert!(ran && text.contains("cannot be reached"), "{text}");
}
