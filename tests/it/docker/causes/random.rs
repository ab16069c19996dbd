//! The law of all builds with images: whatever is edited, however often it is run in between, what
//! comes out is what a clean run yields elsewhere, without any cache.
//!
//! `OSGRAPH_TEST_SEQUENCES` asks for more sequences than the default run takes, `OSGRAPH_TEST_SEED`
//! for one that failed.

use std::path::Path;
use std::process::Command;

use super::super::bootstrap::do_now;
use super::shop::Shop;
use crate::metamorphic::Random;

const SEQUENCES: u64 = 2;
const STEPS: usize = 6;

const PIPELINE: &str = r#"
source-archive "source" { dir "app" }
base-image "base" {
    context "builder"
    dockerfile "builder/base.Dockerfile"
    arg "IMAGE" "FIRST-from"
    arg "WORD" "one"
    label "org.example.test" "NAME"
    network "none"
    tag "NAME-base"
}
app-embed "embed" {
    base "base"
    app "source" into="package"
    context "builder"
    dockerfile "builder/embed.Dockerfile"
    label "org.example.test" "NAME"
    network "none"
}
binary-extract "binary" { image "embed"; path "/out"; output "build/app" }
"#;

/// All that can be seen of the folders, but for times.
const SHOW: &str = r#"show() { find "$@" | sort | while read -r path; do
    stat -c '%a %F %n' "$path"; [ -L "$path" ] && readlink "$path"; [ -f "$path" ] && cat "$path"; done; true; }"#;

struct World {
    shop: Shop,
    word: usize,
    /// Lines that are in the base's Dockerfile, or not.
    steps: [bool; 5],
}

const STEPS_OF_BASE: [&str; 5] = [
    "# A comment.",
    "COPY tool.sh /parts/",
    "COPY current/data.txt /parts/",
    "ENV COLOUR=red",
    "RUN echo step > /parts/step",
];

impl World {
    fn new() -> Self {
        let shop = Shop::with("");
        let world = Self { shop, word: 1, steps: [true, true, false, false, true] };
        world.settle();
        world
    }

    /// Writes what the choices come to.
    fn settle(&self) {
        let name = &self.shop.name;
        let pipeline = PIPELINE.replace("FIRST", name).replace("\"one\"", &format!("\"word {}\"", self.word));
        self.shop.write("pipeline.kdl", &format!("pipeline \"random\"\n{pipeline}"));
        let steps = STEPS_OF_BASE.iter().zip(self.steps).filter(|(_, is_in)| *is_in);
        let steps: Vec<&str> = steps.map(|(step, _)| *step).collect();
        self.shop.write(
            "builder/base.Dockerfile",
            &format!(
                "ARG IMAGE\nFROM ${{IMAGE}}\nARG WORD\nCOPY parts /parts\n{}\nRUN echo \"$WORD\" > /word\n",
                steps.join("\n")
            ),
        );
        self.shop.write(
            "builder/embed.Dockerfile",
            &format!(
                "FROM NAME-base\nCOPY package /package\nRUN {}; show /parts /package > /out; cat /word >> /out; echo \"$COLOUR\" >> /out\n",
                SHOW.replace('\n', " ")
            ),
        );
    }

    fn edit(&mut self, random: &mut Random) -> String {
        let number = random.below(30);
        let project = &self.shop.project;
        match random.below(11) {
            0 => {
                self.word = number % 3;
                self.settle();
                format!("the argument becomes {}", self.word)
            }
            1 | 2 => {
                let at = number % self.steps.len();
                self.steps[at] = !self.steps[at];
                self.settle();
                format!("{} turns", STEPS_OF_BASE[at])
            }
            3 => {
                let file = random.pick(&[
                    "parts/a.txt",
                    "parts/new.txt",
                    "parts/deep/x.txt",
                    "tool.sh",
                    "unused.txt",
                ]);
                project.write(&format!("builder/{file}"), &format!("text {number:02}\n"));
                format!("write builder/{file}")
            }
            4 => {
                let file = random.pick(&["page.txt", "new.txt", "deep/er/x.txt", "blank name.txt"]);
                project.write(&format!("app/{file}"), &format!("page {number:02}\n"));
                format!("write app/{file}")
            }
            5 => {
                let file = random.pick(&["builder/parts/b.txt", "builder/parts/new.txt", "app/new.txt"]);
                let is_there = project.exists(file);
                if is_there {
                    project.remove(file);
                }
                format!("remove {file}: {is_there}")
            }
            6 => {
                let (file, mode) =
                    (random.pick(&["builder/parts/a.txt", "builder/tool.sh", "app/page.txt"]), number % 2);
                project.chmod(file, [0o644, 0o755][mode]);
                format!("mode of {file}: {mode}")
            }
            7 => {
                let target = random.pick(&["a.txt", "b.txt", "nowhere"]);
                project.link(target, "builder/parts/link");
                format!("link to {target}")
            }
            8 => {
                let target = random.pick(&["releases/1", "releases/2"]);
                project.link(target, "builder/current");
                format!("current is {target}")
            }
            9 => {
                let rules = random.pick(&[
                    "",
                    "parts/secret.txt\n",
                    "parts/*\n!parts/a.txt\n",
                    "**/new.txt\n",
                    "# none\n",
                ]);
                project.write("builder/.dockerignore", rules);
                format!("ignore {rules:?}")
            }
            _ => {
                project.write(
                    &format!("builder/releases/{}/data.txt", 1 + number % 2),
                    &format!("data {number}\n"),
                );
                "write a release".to_owned()
            }
        }
    }

    /// What a clean run elsewhere yields.
    fn clean(&self) -> String {
        let other = Shop::with("");
        for folder in ["builder", "app"] {
            other.project.remove(folder);
            let (from, to) = (self.shop.project.path(folder), other.project.path(folder));
            copy(&from, &to);
        }
        for file in ["pipeline.kdl", "builder/embed.Dockerfile"] {
            let text = self.shop.project.read(file).replace(&self.shop.name, &other.name);
            other.project.write(file, &text);
        }
        other.project.run_with(&["--rebuild", "base", "--rebuild", "embed"]);
        other.project.read("build/app")
    }
}

fn copy(from: &Path, to: &Path) {
    do_now(Command::new("cp").arg("--archive").arg(from).arg(to));
}

fn sequence(seed: u64) {
    let mut random = Random::new(seed);
    let mut world = World::new();
    let mut story = Vec::new();
    for step in 0..=STEPS {
        if step > 0 {
            // Now and then several edits come between two runs.
            for _ in 0..1 + random.below(4) / 3 {
                story.push(world.edit(&mut random));
            }
        }
        let told = || format!("OSGRAPH_TEST_SEED={seed}, after {story:#?}");
        let said = world.shop.project.try_run(&[]);
        assert_eq!(said.code, 0, "{}: {}", told(), said.text);
        let (found, clean) = (world.shop.project.read("build/app"), world.clean());
        assert_eq!(found, clean, "{}", told());
        world.shop.project.is_fresh();
        story.push("(run)".to_owned());
    }
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

#[test]
fn incremental_builds_yield_what_a_clean_build_yields() {
    if let Some(seed) = variable("OSGRAPH_TEST_SEED") {
        return sequence(seed);
    }
    (0..variable("OSGRAPH_TEST_SEQUENCES").unwrap_or(SEQUENCES)).for_each(sequence);
}
