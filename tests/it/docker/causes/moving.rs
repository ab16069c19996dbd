//! Images of others that move between two looks at them: when the run begins, and when it builds.

use std::io::Write;
use std::process::{Command, Stdio};

use super::super::engine::{docker, image, remove_image};
use super::super::registry::registry;
use super::super::world::{do_now, layer};
use super::shop::Shop;
use super::stopping::until_ready;

const NODES: &str = r#"
base-image "base" {
    context "builder"
    label "org.example.test" "NAME"
    network "none"
    tag "NAME-base" "NAME-second"
}
source-archive "source" { dir "app" }
app-embed "embed" {
    base "base"
    app "source" into="package"
    context "builder"
    dockerfile "builder/embed.Dockerfile"
    label "org.example.test" "NAME"
    network "none"
    tag "NAME-embed"
}
binary-extract "binary" { image "embed"; path "/file"; output "build/app" }
"#;

/// An image with one file.
fn import(name: &str, text: &str) {
    let mut import = Command::new("docker");
    let mut import =
        import.args(["import", "-", name]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    import.stdin.take().unwrap().write_all(&layer(text)).unwrap();
    assert!(import.wait().unwrap().success());
}

/// Removes all images that have, or had, a name.
struct Gone(String);

impl Drop for Gone {
    fn drop(&mut self) {
        let repository = self.0.rsplit_once(':').map_or(&*self.0, |(repository, _)| repository);
        for id in docker(&["image", "ls", "--all", "--quiet", repository]).lines() {
            remove_image(id);
        }
    }
}

const WARNING: &str = "an input changed while the node ran: its result is used, but not recorded";

#[test]
fn image_that_moves_while_a_run_is_under_way_is_never_taken_for_the_old_one() {
    let shop = Shop::with(NODES);
    let other = shop.tag("other");
    import(&other, "one\n");
    shop.write("builder/Dockerfile", "FROM NAME-from\nRUN echo ready; sleep 2; : NAME\n");
    shop.write("builder/embed.Dockerfile", "FROM NAME-base\nCOPY --from=NAME-other /folder/file /file\n");
    let mut run = until_ready(&shop.project);
    import(&other, "two\n");
    assert!(run.wait().unwrap().success());
    assert_eq!(shop.project.read("build/app"), "two\n");
    import(&other, "one\n");
    shop.project.runs(&["binary", "embed"]);
    assert_eq!(shop.project.read("build/app"), "one\n");
    shop.project.is_fresh();
    import(&other, "two\n");
    let said = shop.project.run();
    assert!(said.ran.contains(&"embed".to_owned()), "{}", said.text);
    assert_eq!(shop.project.read("build/app"), "two\n");
    shop.project.is_fresh();
}

#[test]
fn image_that_goes_away_while_its_node_builds_is_not_believed_in() {
    let shop = Shop::of("FROM NAME-from\nRUN echo ready; sleep 2; : NAME\n", "");
    let mut run = until_ready(&shop.project);
    docker(&["image", "rm", &shop.tag("from")]);
    assert!(run.wait().unwrap().success());
    docker(&["tag", super::super::fixture::Fixture::busybox(), &shop.tag("from")]);
    shop.project.runs(&["base"]);
    shop.project.is_fresh();
}

#[test]
fn base_under_two_names_is_one_image() {
    let shop = Shop::with(NODES);
    shop.write("builder/Dockerfile", "FROM NAME-from\nCOPY parts/a.txt /word\n");
    shop.write("builder/embed.Dockerfile", "FROM NAME-base\nCOPY --from=NAME-second:latest /word /file\n");
    shop.project.runs(&["base", "binary", "embed", "source"]);
    shop.project.is_fresh();
    shop.write("builder/parts/a.txt", "changed\n");
    shop.project.runs(&["base", "binary", "embed"]);
    assert_eq!(shop.project.read("build/app"), "changed\n");
    shop.project.is_fresh();
}

/// It counts as what it was; the registry has another one by now.
#[test]
fn image_below_that_was_pruned_and_moved_in_its_registry_makes_no_false_record() {
    let registry = registry(false);
    let name = format!("{}/osgraph-test-moving:1", registry.host);
    let _gone = Gone(name.clone());
    let put = |text: &str, keep: bool| {
        import(&name, text);
        do_now(Command::new("docker").args(["push", "--quiet", &name]));
        if !keep {
            remove_image(&image(&name).unwrap());
        }
    };
    put("one\n", true);
    let shop = Shop::of(
        &format!("FROM {name}\nENV A=1\n"),
        "}\nbinary-extract \"binary\" { image \"base\"; path \"/folder/file\"; output \"build/app\"",
    );
    shop.project.runs(&["base", "binary"]);
    put("two\n", false);
    shop.project.is_fresh();

    // The image that is there now is pulled, so the next run sees it.
    shop.edit("builder/Dockerfile", "A=1", "A=2");
    let said = shop.project.runs(&["base", "binary"]);
    assert!(said.warnings.iter().any(|warning| warning == WARNING), "{}", said.text);
    assert_eq!(shop.project.read("build/app"), "two\n");
    let said = shop.project.run();
    assert_eq!((&*said.ran, &*said.warnings), (&["base".to_owned()][..], &[] as &[String]), "{}", said.text);
    shop.project.is_fresh();

    // One that has not moved is pulled as well, and nobody is told.
    remove_image(&image(&name).unwrap());
    shop.edit("builder/Dockerfile", "A=2", "A=3");
    let said = shop.project.run();
    assert_eq!(
        (&*said.ran, &*said.warnings),
        (&["base".to_owned(), "binary".to_owned()][..], &[] as &[String]),
        "{}",
        said.text
    );
    shop.project.is_fresh();
}
