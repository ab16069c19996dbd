//! Pages about OrangeScrum: links lead somewhere, commands and scripts exist, nothing of the old builder is left out.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};

use clap::Parser;
use osgraph::commands::args::{Cli, Command};
use osgraph::path::RelPath;
use osgraph::pipeline::{Document, Overrides, Pipeline, SourceFile};

/// One page for each subject that a person may look for.
const WANTED: [&str; 22] = [
    "README.md",
    "docs/ORANGESCRUM.md",
    "docs/FROM_BUILD_PY.md",
    "docs/QUICK_REFERENCE.md",
    "docs/REPOSITORY_STRUCTURE.md",
    "docs/FRANKENPHP_CLI_BEHAVIOR.md",
    "docs/GIT_SETUP_GUIDE.md",
    "docs/REDIS_QUEUE_SETUP.md",
    "docs/BUILD_OPTIMIZATION.md",
    "docs/DATABASE_TESTING.md",
    "docs/PERSISTENCE_SOLUTION.md",
    "docs/VOLUME_SAFETY.md",
    "docs/UPDATING.md",
    "docs/CI.md",
    "common/docs/DEPLOYMENT.md",
    "common/docs/ENVIRONMENT_CONFIGURATION.md",
    "common/docs/PRODUCTION_DEPLOYMENT.md",
    "common/docs/PRODUCTION_DEPLOYMENT_DOCKER.md",
    "common/docs/PRODUCTION_DEPLOYMENT_NATIVE.md",
    "common/docs/TROUBLESHOOTING.md",
    "targets/docker/README.md",
    "targets/native/README.md",
];

/// What the Python builder had: commands, flags, files. Each has a row that says what there is now.
const OLD: &str = "build.py --skip-base --rebuild-base --skip-archive --skip-deploy --keep-package --clean --check --verify \
    --config --version --env-file --app-port --app-bind-ip --db-host --db-port --db-username --db-password --db-name \
    build.conf VERSION dist-*.sh build-*.sh clean.sh deploy.sh latest BUILD builder/docker-compose.yaml builder/package/ \
    requirements.txt orangescrum-ee/ durango-pg/ ../apps/orangescrum-v4 common/orangescrum-app/osv4-prod dist-docker/ \
    dist-native/ builder/base-build.Dockerfile builder/app-embed.Dockerfile builder/Caddyfile builder/php.ini HEAD \
    Dockerfile docker-compose.yaml docker-compose.services.yml entrypoint.sh .dockerignore .env run.sh package.sh \
    caddy.sh systemd/ .env.example .env.full.example config/ docs/ helpers/ helpers/cake.sh helpers/queue-worker.sh \
    helpers/validate-env.sh CONFIGS.md README.md *.example.php x86_64";

/// Files of the old packages, which the new ones have under the same names.
const DOCKER: &str = "Dockerfile docker-compose.yaml docker-compose.services.yml entrypoint.sh .dockerignore";
const NATIVE: &str = "run.sh package.sh caddy.sh systemd";
const BOTH: &str = ".env.example .env.full.example config docs helpers helpers/cake.sh helpers/queue-worker.sh \
    helpers/validate-env.sh CONFIGS.md README.md";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All pages about OrangeScrum, as paths from the repository's top, with their text.
fn pages() -> Vec<(String, String)> {
    let mut paths: BTreeSet<String> = WANTED.iter().map(|path| (*path).to_owned()).collect();
    for folder in ["docs", "common", "common/docs", "builder"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            // Pages about osgraph alone are in lower case; other tests read them. The comparison is of
            // tools, on a project of its own.
            let is_of_tools = name == "EXPLAIN_COMPARED.md";
            if name.ends_with(".md") && name.starts_with(char::is_uppercase) && !is_of_tools {
                paths.insert(format!("{folder}/{name}"));
            }
        }
    }
    paths.into_iter().map(|path| (path.clone(), read(&path))).collect()
}

/// Lines of fenced blocks, and what stands in backticks elsewhere.
fn code(page: &str) -> Vec<String> {
    let mut code = Vec::new();
    let mut fenced = false;
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            code.push(line.trim().to_owned());
        } else {
            code.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    code
}

/// The commands of a line, each as its words: without comments, assignments before it, and what YAML puts there.
fn commands(line: &str) -> Vec<Vec<String>> {
    let line = line.split(" #").next().unwrap_or_default();
    let line = ["- run: ", "- ", "$ "].iter().fold(line, |line, ornament| line.trim_start_matches(ornament));
    line.split("&&")
        .flat_map(|part| part.split(['|', ';']))
        .map(|command| {
            let words = command.split_whitespace().map(|word| word.trim_matches(['\'', '"']).to_owned());
            words
                .skip_while(|word| {
                    word == "sudo" || word.split_once('=').is_some_and(|(name, _)| variable(name))
                })
                .collect()
        })
        .filter(|words: &Vec<String>| !words.is_empty())
        .collect()
}

fn variable(name: &str) -> bool {
    name.len() > 1
        && name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.chars().all(|each| each.is_ascii_uppercase() || each.is_ascii_digit() || each == '_')
}

fn pipeline() -> Pipeline {
    let source = SourceFile { name: "pipeline.kdl".into(), text: read("pipeline.kdl").into() };
    let read_file = |path: &RelPath| fs::read(root().join(path.as_str()));
    let overrides = Overrides { set: Vec::new(), env: &|_| None, read_file: &read_file, host_arch: "x86_64" };
    let pipeline = Document::parse(&source).and_then(|document| document.resolve(&source, &overrides));
    pipeline.unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
}

/// A path without `.` and `..`; none if it leads out of the repository.
fn lexical(path: &Path) -> Option<PathBuf> {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => out.push(name),
            Component::ParentDir if !out.pop() => return None,
            Component::ParentDir => {}
            _ => {}
        }
    }
    Some(out)
}

/// The anchors of a page's headings, as code hosts make them.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let text = line.trim_start_matches('#').trim().to_lowercase();
            let kept = text.chars().filter(|each| each.is_alphanumeric() || matches!(each, ' ' | '-' | '_'));
            kept.map(|each| if each == ' ' { '-' } else { each }).collect()
        })
        .collect()
}

#[test]
fn every_subject_has_its_page() {
    for path in WANTED {
        assert!(read(path).lines().count() > 10, "`{path}` says nothing");
    }
}

#[test]
fn links_lead_somewhere() {
    let mut count = 0;
    for (path, text) in pages() {
        let folder = Path::new(&path).parent().unwrap();
        let mut fenced = false;
        for line in text.lines() {
            fenced ^= line.trim_start().starts_with("```");
            let links = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
            for link in links.filter(|link| !fenced && !link.starts_with("http")) {
                count += 1;
                let (to, anchor) = link.split_once('#').unwrap_or((link, ""));
                let target =
                    if to.is_empty() { Some(PathBuf::from(&path)) } else { lexical(&folder.join(to)) };
                let target = target.unwrap_or_else(|| panic!("{path}: `{link}` leads out of the repository"));
                // A target's page stands at the top of its package, beside what comes from `common`.
                let packed = path.starts_with("targets/").then(|| Path::new("common").join(to));
                let target = if root().join(&target).exists() { target } else { packed.unwrap_or(target) };
                assert!(root().join(&target).exists(), "{path}: `{link}` leads nowhere");
                // These pages are in the packages, where the repository is not.
                assert!(
                    !path.starts_with("common/") || target.starts_with("common"),
                    "{path}: `{link}` is in no package"
                );
                if !anchor.is_empty() {
                    let there = anchors(&read(target.to_str().unwrap()));
                    assert!(there.contains(anchor), "{path}: there is no heading for `{link}`");
                }
            }
        }
    }
    assert!(count > 50, "only {count} links were found");
}

#[test]
fn commands_parse_and_name_what_the_pipeline_has() {
    let pipeline = pipeline();
    let nodes: BTreeSet<&str> = pipeline.nodes.iter().map(|node| node.name.0.as_str()).collect();
    let parameters: BTreeSet<&str> = pipeline.params.iter().map(|param| param.name.as_str()).collect();
    let mut count = 0;
    for (path, text) in pages() {
        for line in code(&text) {
            for words in commands(&line).into_iter().filter(|words| words[0] == "osgraph" && words.len() > 1)
            {
                count += 1;
                let told = words.join(" ");
                let cli =
                    Cli::try_parse_from(&words).unwrap_or_else(|error| panic!("{path}: `{told}`: {error}"));
                let mut named: Vec<&String> = Vec::new();
                match &cli.command {
                    Some(Command::Run(run)) => {
                        named.extend(run.targets.iter().chain(&run.force).chain(&run.rebuild));
                        named.extend(run.assume_fresh.iter().chain(&run.expect_fresh));
                    }
                    Some(Command::Explain(explain)) => named.extend(&explain.targets),
                    Some(Command::Clean(clean)) => named.extend(&clean.targets),
                    _ => {}
                }
                for name in named {
                    assert!(nodes.contains(name.as_str()), "{path}: `{told}`: there is no node `{name}`");
                }
                for pair in words.windows(2).filter(|pair| pair[0] == "--set") {
                    let name = pair[1].split('=').next().unwrap();
                    assert!(parameters.contains(name), "{path}: `{told}`: there is no parameter `{name}`");
                }
            }
            for rest in line.split("OSGRAPH_PARAM_").skip(1) {
                let name: String =
                    rest.chars().take_while(|each| each.is_ascii_uppercase() || *each == '_').collect();
                let name = name.to_lowercase().replace('_', "-");
                assert!(
                    name == "name" || parameters.contains(name.as_str()),
                    "{path}: no parameter is called `{name}`"
                );
            }
        }
    }
    assert!(count > 80, "only {count} commands were found");
}

/// Where a script that a page names may lie: in a package or in the repository.
fn script(name: &str) -> Option<PathBuf> {
    let name = name.trim_start_matches("./");
    let name = [
        "examples/quickstart/dist-native/",
        "dist-docker/",
        "dist-native/",
        "/opt/orangescrum/current/",
        "current/",
        "/srv/orangescrum/",
    ]
    .iter()
    .fold(name, |name, folder| name.trim_start_matches(folder));
    [
        "",
        "common/",
        "common/helpers/",
        "targets/docker/",
        "targets/native/",
        "examples/quickstart/targets/native/",
    ]
    .iter()
    .map(|folder| root().join(folder).join(name))
    .find(|path| path.is_file())
}

#[test]
fn scripts_exist_and_know_their_options() {
    let mut count = 0;
    for (path, text) in pages() {
        // In this one, the first column tells what there used to be.
        let text: String = text
            .lines()
            .map(
                |line| {
                    if path == "docs/FROM_BUILD_PY.md" { line.splitn(3, '|').last().unwrap() } else { line }
                },
            )
            .fold(String::new(), |text, line| text + line + "\n");
        for line in code(&text) {
            for words in commands(&line) {
                let Some(at) = words.iter().position(|word| {
                    Path::new(word).extension() == Some(OsStr::new("sh"))
                        && !word.contains(['*', '{', '$', ':'])
                }) else {
                    continue;
                };
                count += 1;
                let told = words.join(" ");
                let file =
                    script(&words[at]).unwrap_or_else(|| panic!("{path}: `{told}`: there is no such script"));
                // Options may be read by what a script hands over to.
                let mut body = fs::read_to_string(&file).unwrap();
                if file.ends_with("run.sh") {
                    if let Some(role) =
                        words.get(at + 1).filter(|role| role.chars().all(|each| each.is_ascii_lowercase()))
                    {
                        let known = body.lines().any(|line| {
                            line.split_once(')')
                                .is_some_and(|(cases, _)| cases.split('|').any(|case| case.trim() == role))
                        });
                        assert!(known, "{path}: `{told}`: run.sh has no command `{role}`");
                    }
                    for below in ["common/helpers", "targets/native/lib"] {
                        for entry in fs::read_dir(root().join(below)).unwrap() {
                            let entry = entry.unwrap().path();
                            body += &if entry.is_file() {
                                fs::read_to_string(entry).unwrap()
                            } else {
                                String::new()
                            };
                        }
                    }
                } else if file.ends_with("rollback.sh") {
                    body += &read("targets/native/upgrade.sh");
                }
                // A target may have one of the same name in front of it.
                for target in ["targets/docker", "targets/native"] {
                    let there = root().join(target).join(file.file_name().unwrap());
                    body += &fs::read_to_string(there).unwrap_or_default();
                }
                for option in words[at + 1..].iter().filter(|word| word.starts_with("--")) {
                    assert!(
                        body.contains(option.as_str()),
                        "{path}: `{told}`: {} has no `{option}`",
                        file.display()
                    );
                }
            }
        }
    }
    assert!(count > 80, "only {count} scripts were found");
}

#[test]
fn variables_are_those_of_the_list() {
    let list = read("common/.env.full.example");
    let listed: BTreeSet<&str> = list
        .lines()
        .filter_map(|line| line.strip_prefix('#').unwrap_or(line).split_once('='))
        .map(|(name, _)| name)
        .filter(|name| variable(name))
        .collect();
    // A secret's file is named after its secret; this one is no secret's.
    let wanted: BTreeSet<&str> =
        listed.iter().copied().filter(|name| !name.ends_with("_FILE") || *name == "SSL_CERT_FILE").collect();
    let page = read("common/docs/ENVIRONMENT_CONFIGURATION.md");
    let (_, tables) = page.split_once("<!-- variables -->").unwrap();
    let shown: BTreeSet<&str> = tables
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(shown, wanted);

    // What all pages name: variables of the list, or of compose files, scripts and the builder.
    let mut others = read("docs/cli.md");
    for folder in [
        "targets/docker",
        "targets/docker/lib",
        "targets/native",
        "targets/native/lib",
        "common/helpers/lib",
        "builder",
        "tests/shell/lib",
    ] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() && path.extension() != Some(OsStr::new("md")) {
                others += &fs::read_to_string(&path).unwrap();
            }
        }
    }
    for (path, text) in pages().iter().filter(|(path, _)| path != "README.md") {
        for span in code(text) {
            let name = span.split('=').next().unwrap();
            if variable(name) && name.contains('_') && !name.starts_with("OSGRAPH_PARAM_") {
                let known =
                    listed.contains(name) || others.contains(name) || read("pipeline.kdl").contains(name);
                // A constant of PHP, and what stands in templates.
                let known = known || ["CHANGE_ME", "PHP_BINARY"].contains(&name);
                assert!(known, "{path} names `{name}`, which nothing reads");
            }
        }
    }
}

#[test]
fn nothing_of_the_old_builder_is_left_out() {
    let page = read("docs/FROM_BUILD_PY.md");
    let first: Vec<Vec<String>> = page
        .lines()
        .filter(|line| line.starts_with("| "))
        .map(|line| {
            let cell = line.trim_start_matches("| ").split(" |").next().unwrap();
            let spans = cell.split('`').skip(1).step_by(2).flat_map(str::split_whitespace).map(str::to_owned);
            spans.chain(cell.split([' ', ',', ':']).map(str::to_owned)).collect()
        })
        .collect();
    for item in OLD.split_whitespace() {
        assert!(
            first.iter().any(|words| words.iter().any(|word| word == item)),
            "no row says what became of `{item}`"
        );
    }
    for (files, folder) in [(DOCKER, "targets/docker"), (NATIVE, "targets/native"), (BOTH, "common")] {
        for file in files.split_whitespace() {
            assert!(root().join(folder).join(file).exists(), "packages lack `{file}`, which they had");
        }
    }
}
