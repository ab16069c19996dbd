//! What osgraph leaves in an engine is kept in order, and what others have there is not touched.

use std::fs;
use std::os::unix::net::UnixListener;
use std::process::Command;

use osgraph::run::docker::Owner;
use serde_json::{Value, json};

use super::engine::{docker, image, remove_image};
use super::world::layer;
use crate::causes::project::Project;

const PREFIX: &str = "osgraph-test-gc";

/// A project that builds one image, called as the test, and everything of it in the engine.
struct Built {
    project: Project,
    tag: String,
    /// Further names to be removed.
    names: Vec<String>,
}

impl Built {
    fn new(test: &str) -> Self {
        let tag = format!("{PREFIX}-{test}");
        let pipeline = format!("pipeline \"p\"\nbase-image \"base\" {{ context \"b\"; tag \"{tag}\"; }}\n");
        let project = Project::new(&pipeline);
        // So that no other test makes the same image, nor an earlier run of this one.
        let text = format!("FROM scratch\nLABEL of=\"{test} {}\"\nCOPY a /a\n", std::process::id());
        project.write("b/Dockerfile", &text);
        project.write("b/a", "one");
        Self { project, tag, names: Vec::new() }
    }

    /// Builds with this content. The keeper and the id of the image.
    fn build(&self, content: &str) -> (String, String) {
        self.project.write("b/a", content);
        self.project.runs(&["base"]);
        let id = image(&self.tag).unwrap();
        let names = names(&id);
        let keeper = names.iter().find(|name| name.starts_with("osgraph/image:"));
        (keeper.unwrap_or_else(|| panic!("{names:?}")).clone(), id)
    }

    fn gc(&self, args: &[&str]) -> Value {
        let output = self.project.osgraph(&[&["gc", "--json"], args].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Bytes that just do not hold all records: the one that no node stands on goes first.
    fn a_little_less(&self) -> String {
        let all = self.gc(&["--dry-run"])["left"].as_u64().unwrap();
        format!("--max-size={}", all - 1)
    }

    /// What marks this project's things.
    fn mark(&self) -> String {
        docker(&[
            "image",
            "inspect",
            "--format",
            "{{index .Config.Labels \"org.osgraph.project\"}}",
            &self.tag,
        ])
    }

    /// An image of one file, named so, as `docker import` makes it.
    fn import(&mut self, name: &str, changes: &[&str]) -> String {
        let archive = self.project.folder.path().join("layer.tar");
        fs::write(&archive, layer(name)).unwrap();
        let changes = changes.iter().flat_map(|change| ["--change", change]);
        let args = ["import"].into_iter().chain(changes).chain([archive.to_str().unwrap(), name]);
        docker(&args.collect::<Vec<_>>());
        self.names.push(name.to_owned());
        image(name).unwrap()
    }
}

impl Drop for Built {
    fn drop(&mut self) {
        let filter = format!("label=org.osgraph.project={}", self.mark_or_nothing());
        let ids = docker(&["image", "ls", "--quiet", "--no-trunc", "--filter", &filter]);
        for name in self.names.iter().map(String::as_str).chain(ids.lines()).chain([self.tag.as_str()]) {
            remove_image(name);
        }
    }
}

impl Built {
    fn mark_or_nothing(&self) -> String {
        image(&self.tag).map_or_else(|| "none".to_owned(), |_| self.mark())
    }
}

/// All names of an image.
fn names(id: &str) -> Vec<String> {
    let said = docker(&["image", "inspect", "--format", "{{join .RepoTags \" \"}}", id]);
    said.split(' ').map(|name| name.trim_end_matches(":latest").to_owned()).collect()
}

fn exists(name: &str) -> bool {
    super::engine::try_docker(&["image", "inspect", name]).status.success()
}

#[test]
fn gc_takes_the_names_of_forgotten_images_and_nothing_else() {
    let mut built = Built::new("forgotten");
    let (old, old_id) = built.build("one");
    let (new, new_id) = built.build("two");
    let mark = built.mark();

    // Of others: an image built on ours, which has its labels; names like ours with no label, and
    // with that of another project.
    let derived = format!("{}-derived", built.tag);
    let folder = built.project.folder.path().join("derived");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("Dockerfile"), format!("FROM {old}\nLABEL mine=1\n")).unwrap();
    let mut build = Command::new("docker");
    build.env("DOCKER_BUILDKIT", "0").args(["build", "--quiet", "--tag", &derived]);
    super::world::do_now(build.arg(&folder));
    built.names.push(derived.clone());
    assert!(docker(&["image", "inspect", &derived]).contains(&mark), "labels are inherited");
    let strange = format!("osgraph/image:{:032x}", std::process::id());
    let strange_id = built.import(&strange, &[]);
    let foreign = format!("osgraph/image:{:032x}", u128::from(std::process::id()) << 64);
    let foreign_id = built.import(&foreign, &["LABEL org.osgraph.project=ffffffffffff"]);

    let nothing = built.gc(&[]);
    assert_eq!((&nothing["images"]["untagged"], &nothing["images"]["kept"]), (&json!([]), &json!(2)));

    let less = built.a_little_less();
    let planned = built.gc(&[&less, "--dry-run"]);
    assert_eq!(planned["records"], 1, "{planned}");
    let listed = planned["images"]["untagged"].as_array().unwrap();
    assert_eq!(listed.iter().map(|one| &one["name"]).collect::<Vec<_>>(), [&json!(old)], "{planned}");
    assert_eq!(listed[0]["removed"], true);
    assert_eq!(names(&old_id), [&*old], "nothing was done");

    let done = built.gc(&[&less]);
    assert_eq!(done["images"]["untagged"][0]["name"], json!(old), "{done}");
    assert_eq!(done["images"]["kept"], 1);
    assert!(!exists(&old));
    assert_eq!(names(&new_id), [built.tag.clone(), new]);
    for (name, id) in [(&strange, &strange_id), (&foreign, &foreign_id)] {
        assert_eq!(image(name).as_ref(), Some(id));
    }
    assert!(exists(&derived));
    built.project.is_fresh();

    // What went is built anew.
    built.project.write("b/a", "one");
    built.project.runs(&["base"]);
    assert!(exists(&old));
}

#[test]
fn gc_leaves_an_image_its_other_names_and_what_a_container_uses() {
    let mut built = Built::new("names");
    let (old, old_id) = built.build("one");
    let own_name = format!("{}-kept-by-hand", built.tag);
    docker(&["tag", &old, &own_name]);
    built.names.push(own_name.clone());
    let (used, used_id) = built.build("two");
    let container = docker(&["create", "--network=none", &used, "/a"]);
    built.build("three");
    // As after a store that was thrown away.
    fs::remove_dir_all(built.project.path("cache")).unwrap();
    let done = built.gc(&[]);
    docker(&["rm", &container]);
    let images = &done["images"];
    assert_eq!(images["in_use"], json!([used]), "{done}");
    assert!(exists(&used_id));
    assert_eq!(names(&old_id), [own_name]);
    let untagged = images["untagged"].as_array().unwrap();
    assert_eq!(untagged.len(), 2, "{done}");
    assert!(untagged.iter().all(|one| one["removed"] == false), "{done}");
    assert_eq!(names(&built.tag), [built.tag.clone()], "a name that people gave");
    // Now that it is not used any more.
    assert_eq!(built.gc(&[])["images"]["untagged"], json!([{"name": used, "bytes": 3, "removed": true}]));
}

#[test]
fn projects_on_one_engine_do_not_see_each_other() {
    let (one, two) = (Built::new("apart-one"), Built::new("apart-two"));
    let ((keeper, _), (other, _)) = (one.build("one"), two.build("one"));
    assert_ne!(one.mark(), two.mark());
    fs::remove_dir_all(one.project.path("cache")).unwrap();
    let done = one.gc(&[]);
    assert_eq!(done["images"]["untagged"].as_array().unwrap().len(), 1, "{done}");
    assert!(!exists(&keeper) && exists(&other));
    two.project.is_fresh();
}

#[test]
fn several_at_once_measure_one_after_another() {
    let built = Built::new("at-once");
    built.build("one");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let images = &built.gc(&["--dry-run"])["images"];
                assert_eq!((images.get("fault"), &images["kept"]), (None, &json!(1)), "{images}");
                assert!(images["build_cache"]["records"].as_u64() > Some(0), "{images}");
            });
        }
    });
}

#[test]
fn gc_without_an_engine_looks_after_the_store_and_says_so() {
    let mut built = Built::new("absent");
    built.build("one");
    built.project.env.insert("DOCKER_HOST".to_owned(), "unix:///nowhere/docker.sock".to_owned());
    let done = built.gc(&[]);
    assert!(done["images"]["fault"].as_str().unwrap().contains("cannot be used"), "{done}");
    let output = built.project.osgraph(&["gc"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("\nimages    not looked at: the container engine"), "{text}");

    built.project.write("pipeline.kdl", "pipeline");
    let fault = &built.gc(&[])["images"]["fault"];
    assert_eq!(fault, "the pipeline file cannot be used");
}

#[test]
fn gc_asks_no_engine_for_a_pipeline_without_images() {
    let mut project =
        Project::new("pipeline \"p\"\ncommand { run \"sh\" \"-c\" \"echo a > o\"; output \"o\"; }\n");
    let socket = project.folder.path().join("engine");
    let listener = UnixListener::bind(&socket).unwrap();
    listener.set_nonblocking(true).unwrap();
    project.env.insert("DOCKER_HOST".to_owned(), format!("unix://{}", socket.display()));
    project.runs(&["command"]);
    for args in [&["gc", "--json"][..], &["gc", "--json", "--dry-run"]] {
        let output = project.osgraph(args);
        assert!(output.status.success());
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(said.get("images"), None, "{said}");
    }
    let asked = listener.accept();
    assert!(asked.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock));
}

/// A process that has ended, as temporary names and labels have it.
fn dead() -> String {
    let mut child = Command::new("sleep").arg("60").spawn().unwrap();
    let owner = Owner::of(child.id()).to_string();
    child.kill().unwrap();
    child.wait().unwrap();
    owner
}

#[test]
fn a_run_that_works_clears_up_after_one_that_was_killed() {
    let mut built = Built::new("killed");
    let (keeper, id) = built.build("one");
    let (mark, dead) = (built.mark(), dead());
    let label = format!("LABEL org.osgraph.project={mark}");
    let temporary = |what: &str| format!("osgraph/tmp-gc{what}:{dead}");
    // Killed before the image had another name; after it had one; and a container of such a run.
    built.import(&temporary("unknown"), &[&label]);
    docker(&["tag", &id, &temporary("known")]);
    let owner = format!("org.osgraph.owner={dead}");
    let project = format!("org.osgraph.project={mark}");
    let container =
        docker(&["create", "--network=none", "--label", &owner, "--label", &project, &built.tag, "/a"]);
    // Not to be touched: of another project, and of a process that lives.
    let foreign = built.import(&temporary("foreign"), &["LABEL org.osgraph.project=ffffffffffff"]);
    let living = format!("osgraph/tmp-gcliving:{}", Owner::this());
    built.import(&living, &[&label]);

    built.project.is_fresh();
    assert!(exists(&temporary("unknown")), "a run that does nothing does nothing");

    built.project.write("b/a", "two");
    let said = built.project.runs(&["base"]);
    // Names beside others may have been taken away by any run of osgraph on this engine.
    let told = "removed what a run that was killed left in the engine: 1 container, ";
    assert!(said.warnings.len() == 1 && said.warnings[0].starts_with(told), "{}", said.text);
    assert!(!exists(&temporary("unknown")) && !exists(&temporary("known")));
    assert!(!super::engine::try_docker(&["container", "inspect", &container]).status.success());
    assert!(exists(&keeper) && exists(&living));
    assert_eq!(image(&temporary("foreign")), Some(foreign));

    // An image of which a record tells, but that has only such a name left.
    let only = temporary("only");
    docker(&["tag", &keeper, &only]);
    docker(&["image", "rm", &keeper]);
    built.project.write("b/a", "three");
    built.project.runs(&["base"]);
    assert_eq!(names(&id), [keeper], "it has its own name again");
    assert!(!exists(&only));
}
