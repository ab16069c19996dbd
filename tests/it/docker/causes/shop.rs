//! A project whose base, embed and binary are made in containers.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::super::engine::{containers_with, docker, image, remove_image, try_docker};
use super::super::fixture::Fixture;
use crate::causes::project::Project;

/// Begins the names of everything that these tests make in the engine.
const PREFIX: &str = "osgraph-test-causes";

/// Carried by every image that a test builds.
const LABEL: &str = "org.example.test";

pub struct Shop {
    pub project: Project,
    /// Begins the names of its images.
    pub name: String,
}

pub const BASE: &str = r#"# The base.
ARG IMAGE
FROM ${IMAGE} AS spare
RUN echo spare > /spare

FROM ${IMAGE} AS tools
ARG WORD
COPY parts /parts
COPY current/data.txt tool.sh /tools/
RUN echo "$WORD" > /word \
 && chmod 644 /word
"#;

const EMBED: &str = r#"FROM NAME-base
COPY package /package
RUN mkdir /out && cat /word /parts/a.txt /package/page.txt > /out/app
"#;

/// `PLACE` stands where a test puts options in.
const BASE_NODE: &str = r#"
base-image "base" {
    context "builder"
    dockerfile "builder/base.Dockerfile"
    arg "IMAGE" "NAME-from"
    arg "WORD" "one"
    arg "SPARE" "one"
    label "org.example.test" "NAME"
    label "colour" "red"
    secret "token" env="TOKEN" required=#false version="1"
    network "none"
    tag "NAME-base"
}
"#;

const OTHERS: &str = r#"
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
binary-extract "binary" {
    image "embed"
    path "/out/app"
    output "build/app"
}
"#;

impl Shop {
    /// A base, built.
    pub fn base() -> Self {
        let shop = Self::with(BASE_NODE);
        shop.project.runs(&["base"]);
        shop.project.is_fresh();
        shop
    }

    /// A base, an embed and a binary, built.
    pub fn whole() -> Self {
        let shop = Self::with(&format!("{BASE_NODE}{OTHERS}"));
        shop.project.runs(&["base", "binary", "embed", "source"]);
        shop.project.is_fresh();
        shop
    }

    /// A base of this Dockerfile; not built yet.
    pub fn of(dockerfile: &str, options: &str) -> Self {
        let node = r#"
base-image "base" {
    context "builder"
    label "org.example.test" "NAME"
    network "none"
    tag "NAME-base"
"#;
        let shop = Self::with(&format!("{node}{options}\n}}\n"));
        shop.write("builder/Dockerfile", dockerfile);
        shop
    }

    /// With these nodes; not built yet. `NAME` stands for the beginning of images' names.
    pub fn with(nodes: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        // The engine's cache remembers what was built under a name, and numbers of processes recur.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() % 10_000_000;
        let name = format!("{PREFIX}-{now}-{}-{count}", std::process::id());
        let project = Project::new(&format!("pipeline \"shop\"\n{}", nodes.replace("NAME", &name)));
        docker(&["tag", Fixture::busybox(), &format!("{name}-from")]);
        let shop = Self { project, name };
        shop.write("builder/base.Dockerfile", BASE);
        shop.write("builder/embed.Dockerfile", EMBED);
        shop.write("builder/.dockerignore", "*.tmp\nparts/secret.txt\n");
        shop.write("builder/parts/a.txt", "a\n");
        shop.write("builder/parts/b.txt", "b\n");
        shop.write("builder/parts/secret.txt", "left out\n");
        shop.project.link("a.txt", "builder/parts/link");
        shop.write("builder/releases/1/data.txt", "data\n");
        shop.write("builder/releases/2/data.txt", "other\n");
        shop.project.link("releases/1", "builder/current");
        shop.write("builder/tool.sh", "echo tool\n");
        shop.write("builder/notes.txt", "notes\n");
        shop.write("app/page.txt", "page\n");
        shop
    }

    pub fn write(&self, below: &str, text: &str) {
        self.project.write(below, &text.replace("NAME", &self.name));
    }

    /// Replaces text in a file; it must be there.
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let text = self.project.read(file);
        assert!(text.contains(from), "{from} is not in {file}");
        self.write(file, &text.replace(from, to));
    }

    pub fn tag(&self, node: &str) -> String {
        format!("{}-{node}", self.name)
    }

    /// The image behind a node's tag.
    #[track_caller]
    pub fn id(&self, node: &str) -> String {
        image(&self.tag(node)).unwrap_or_else(|| panic!("{} is not there", self.tag(node)))
    }

    /// Removes a node's image with all its names.
    pub fn prune(&self, node: &str) {
        docker(&["image", "rm", "--force", &self.id(node)]);
    }

    /// Another image under the name that the base is built from.
    pub fn move_from(&self) {
        let from = self.tag("from");
        let container = docker(&["create", "--network=none", &from, "true"]);
        docker(&["commit", "--change", "ENV MOVED=1", &container, &from]);
        docker(&["rm", &container]);
    }

    /// Prints what a container of the node's image does.
    pub fn inside(&self, node: &str, script: &str) -> String {
        docker(&["run", "--rm", "--network=none", &self.tag(node), "sh", "-c", script])
    }

    /// Ids of all images that this project has in the engine, with or without names.
    pub fn images(&self) -> Vec<String> {
        let label = format!("label={LABEL}={}", self.name);
        let ids = docker(&["image", "ls", "--all", "--quiet", "--no-trunc", "--filter", &label]);
        let mut ids: Vec<String> = ids.lines().map(str::to_owned).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// Containers made of its images, also those that never ran.
    pub fn containers(&self) -> Vec<String> {
        let ids = containers_with(&format!("{LABEL}={}", self.name));
        ids.lines().map(str::to_owned).collect()
    }

    /// What `explain` says of a node.
    pub fn explained(&self, node: &str) -> Value {
        let output = self.project.osgraph(&["explain", "--format", "json"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let all: Value = serde_json::from_slice(&output.stdout).unwrap();
        let nodes = all["nodes"].as_array().unwrap();
        nodes.iter().find(|one| one["node"] == node).unwrap_or_else(|| panic!("no {node}: {all}")).clone()
    }

    /// Both streams of a command and its exit code.
    pub fn says(&self, args: &[&str]) -> (i32, String) {
        let output = self.project.osgraph(args);
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.code().unwrap_or(-1), text)
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        for id in self.images() {
            remove_image(&id);
        }
        let names =
            docker(&["image", "ls", "--format", "{{.Repository}}:{{.Tag}}", &format!("{}-*", self.name)]);
        for name in names.lines() {
            let _ = try_docker(&["image", "rm", name]);
        }
    }
}
