//! The project under edit, and the comparison with a clean run.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::Random;
use crate::causes::project::{Project, listing};

/// Where the pipeline publishes.
pub const OUTPUTS: [&str; 8] =
    ["out", "extracted", "common/bin", "package", "place.txt", "dist", "tree", "summary"];

pub struct World {
    pub project: Project,
    pub options: Options,
}

/// Everything in the pipeline that an edit may turn.
#[derive(Clone, Debug)]
pub struct Options {
    pub exclude: &'static str,
    pub overlay_into: &'static str,
    pub word: &'static str,
    pub environment: &'static str,
    pub extracted: &'static str,
    pub package: &'static str,
    pub archive: &'static str,
    pub executable: bool,
    pub min_size: u32,
    pub seed: bool,
    pub version: u32,
    pub retries: u32,
    pub fact: &'static str,
    pub provenance: &'static str,
}

impl Options {
    fn pipeline(&self) -> String {
        let Self {
            exclude,
            overlay_into,
            word,
            environment,
            extracted,
            package,
            archive,
            executable,
            min_size,
            seed,
            version,
            retries,
            fact,
            provenance,
        } = self;
        let mode = if *executable { "755" } else { "644" };
        let seed = if *seed { "seed-once \".env\" from=\"seed.example\"" } else { "" };
        format!(
            r##"
pipeline "metamorphic" {{ param "version" default="{version}" }}
source-archive "source" {{
    dir "app"
    exclude "{exclude}"
    overlay "overlay" into="{overlay_into}"
    output "tree"
    archive "dist/source.tar.zst"
}}
command "list" {{
    from "source" into="source"
    input "common"
    env "COLOUR" "{environment}"
    run "sh" "-c" "mkdir -p out; cd source; {{ find . | LC_ALL=C sort; find . -type f -perm -u+x | LC_ALL=C sort; find . -type f | LC_ALL=C sort | tr '\\n' '\\0' | xargs -0 -r cat; find . -type l | LC_ALL=C sort | tr '\\n' '\\0' | xargs -0 -r -n1 readlink; echo {word} $COLOUR; }} > ../out/listing; cd ../common; find . | LC_ALL=C sort > ../out/common"
    run "sh" "-c" "wc -c < out/listing > out/size; mkdir -p out/empty; ln -s size out/link"
    output "out"
    retries {retries}
}}
command "place" {{
    input "common/seed.example"
    after "list"
    host isolate=#false {{
        run "sh" "-c" "cat common/seed.example > place.txt; echo {word} >> place.txt"
        output "place.txt"
    }}
}}
binary-extract "binary" {{
    from "list"
    path "out/listing"
    output "{extracted}"
    expect min-size="{min_size}"
}}
command "summary" {{
    from "binary" into="in"
    input "common/config"
    run "sh" "-c" "head -c 40 in > summary; cat common/config/* >> summary 2>/dev/null; true"
    output "summary"
}}
dist-native {{
    output "{package}"
    copy "common"
    copy "common/seed.example"
    copy "overlay" into="more"
    exclude "{exclude}"
    binary "binary" into="bin/listing" mode="{mode}"
    {seed}
    fact "version" "${{version}}"
    fact "{fact}" "{word}"
    provenance {provenance}
    archive "dist/{archive}-${{version}}.tar.gz"
    archive "dist/{archive}.tar"
}}
"##
        )
    }
}

impl World {
    pub fn new(random: &mut Random) -> Self {
        let options = Options {
            exclude: "*.tmp",
            overlay_into: "config",
            word: "one",
            environment: "red",
            extracted: "extracted",
            package: "package",
            archive: "app",
            executable: true,
            min_size: 1,
            seed: random.below(2) == 0,
            version: 1,
            retries: 0,
            fact: "word",
            provenance: "\"source\"",
        };
        let project = Project::new("");
        let world = Self { project, options };
        let project = &world.project;
        for (path, text) in [
            ("app/a.txt", "alpha"),
            ("app/b.txt", "beta!"),
            ("app/lib/c.txt", "gamma"),
            ("app/lib/deep/d.txt", "delta"),
            ("app/e.log", "ignored"),
            ("app/f.tmp", "excluded"),
            ("overlay/o.txt", "over"),
            ("common/config/x.conf", "x"),
            ("common/seed.example", "SEED=\n"),
            (".gitignore", "*.log\n"),
        ] {
            project.write(path, text);
        }
        project.chmod("app/b.txt", 0o755);
        project.link("a.txt", "app/link");
        world.write_pipeline();
        world
    }

    pub fn write_pipeline(&self) {
        self.project.write("pipeline.kdl", &self.options.pipeline());
    }

    /// Runs here and, from nothing, in a copy; compares.
    pub fn check(&self) -> Result<(), String> {
        let said = self.project.try_run(&[]);
        if said.code != 0 {
            return Err(format!("the incremental run failed\n{}", said.text));
        }
        let clean = Project::new("");
        copy(&self.project.root, &clean.root, true, &self.outputs());
        let other = clean.try_run(&[]);
        if other.code != 0 {
            return Err(format!("the clean run failed\n{}", other.text));
        }
        let (here, there) = (self.published(&self.project), self.published(&clean));
        if here != there {
            return Err(differences(&here, &there) + &said.text);
        }
        for _ in 0..2 {
            let again = self.project.try_run(&[]);
            if again.finished["outcome"] != "fresh" || !again.ran.is_empty() || !again.restored.is_empty() {
                return Err(format!("a second run is not fresh\n{}", again.text));
            }
        }
        Ok(())
    }

    fn outputs(&self) -> Vec<String> {
        let mut all: Vec<String> = OUTPUTS.iter().map(|path| (*path).to_owned()).collect();
        for own in [self.options.package, self.options.extracted] {
            all.push(own.to_owned());
        }
        all.push("cache".to_owned());
        all
    }

    /// Everything at the places where the present pipeline publishes. Archives of earlier versions
    /// are kept, and so are looked at by name.
    fn published(&self, project: &Project) -> BTreeMap<String, String> {
        let Options { package, extracted, archive, version, .. } = &self.options;
        let mut all = BTreeMap::new();
        let archives = [
            "dist/source.tar.zst".to_owned(),
            format!("dist/{archive}-{version}.tar.gz"),
            format!("dist/{archive}.tar"),
        ];
        let sums: Vec<String> = archives.iter().map(|path| format!("{path}.sha256")).collect();
        let folders = ["out", "tree", "place.txt", "summary", *package, *extracted];
        let places = folders.iter().map(|path| (*path).to_owned());
        for place in places.chain(archives).chain(sums) {
            for (path, what) in listing(&project.path(&place), false) {
                match (path == ".env", self.options.seed) {
                    (false, _) => drop(all.insert(format!("{place}/{path}"), what)),
                    // Once it stands it is the user's, and as old as it is.
                    (true, true) => drop(all.insert(format!("{place}/{path}"), "a seed".to_owned())),
                    (true, false) => {}
                }
            }
        }
        all
    }
}

fn differences(here: &BTreeMap<String, String>, there: &BTreeMap<String, String>) -> String {
    let mut text = "incremental and clean differ:\n".to_owned();
    let paths: std::collections::BTreeSet<&String> = here.keys().chain(there.keys()).collect();
    for path in paths {
        let (a, b) = (here.get(path), there.get(path));
        if a != b {
            text.push_str(&format!("  {path}: {a:?}, clean {b:?}\n"));
        }
    }
    text
}

/// Copies a project without what was published in it.
fn copy(from: &Path, to: &Path, top: bool, leave: &[String]) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let (source, target) = (entry.path(), to.join(&name));
        let kind = entry.file_type().unwrap();
        if leave
            .iter()
            .any(|path| if top { *path == name } else { source.ends_with(path) && path.contains('/') })
        {
            continue;
        }
        if kind.is_dir() {
            copy(&source, &target, false, leave);
        } else if kind.is_symlink() {
            symlink(fs::read_link(&source).unwrap(), &target).unwrap();
        } else {
            fs::copy(&source, &target).unwrap();
        }
    }
}
