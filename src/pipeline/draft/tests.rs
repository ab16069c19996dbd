//! Every draft is a sound pipeline, whatever the folder holds.

use proptest::prelude::*;

use super::*;
use crate::graph::Graph;
use crate::pipeline::Pipeline;
use crate::pipeline::tests::{World, source as file};

fn folder(files: &[(&str, &str)]) -> Folder {
    let mut folder = Folder { name: "My Shop".into(), ..Folder::default() };
    for (path, text) in files {
        for (at, _) in path.match_indices('/') {
            folder.paths.insert(path[..=at].to_owned());
        }
        folder.paths.insert((*path).to_owned());
        folder.texts.insert((*path).to_owned(), (*text).to_owned());
    }
    folder.programs =
        ["cargo", "rustc", "go", "npm", "node", "composer", "php", "make"].map(str::to_owned).into();
    folder
}

/// The draft, which must be sound.
fn sound(folder: &Folder) -> (Draft, Pipeline) {
    let draft = draft(folder).expect("something was found");
    let files = folder.texts.iter().map(|(path, text)| (path.clone(), text.clone().into_bytes())).collect();
    let world = World { files, ..World::default() };
    let pipeline = world.resolve(&draft.text).unwrap_or_else(|error| panic!("{error:?}\n{}", draft.text));
    Graph::build(&pipeline, &file(&draft.text)).unwrap();
    let names: Vec<&str> = pipeline.nodes.iter().map(|node| node.name.0.as_str()).collect();
    assert_eq!(names, draft.nodes);
    (draft, pipeline)
}

fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
}

#[test]
fn a_folder_that_says_nothing_has_no_draft() {
    assert_eq!(draft(&folder(&[("notes.txt", "")])), None);
}

#[test]
fn a_repository_alone_is_a_source() {
    let folder = Folder { committed: true, ..folder(&[("notes.txt", "")]) };
    let (draft, _) = sound(&folder);
    has(
        &draft.text,
        &[
            "pipeline \"my-shop\"",
            "git \".\" ref=\"HEAD\"",
            "archive \"dist/my-shop-${version}.tar.gz\" keep=3",
        ],
    );
    assert_eq!(draft.nodes, ["source"]);
    has(&draft.open.join("\n"), &["add it to `.gitignore`"]);
}

#[test]
fn a_dockerfile_is_an_image_with_its_arguments_context_and_secrets() {
    let text = "ARG BASE=debian:12\nFROM ${BASE}\nARG TOKEN_URL\nARG LABEL=\"a ${BASE}\"\nARG VERSION=3\n\
                COPY app/ /app\nRUN --mount=type=secret,id=npm-token --mount=type=ssh echo $TOKEN_URL\n";
    let folder = Folder { has_engine: true, ..folder(&[("docker/web/Dockerfile", text), ("app/a", "")]) };
    let (draft, _) = sound(&folder);
    has(
        &draft.text,
        &[
            "base-image \"image-docker-web\"",
            "context \".\"",
            "dockerfile \"docker/web/Dockerfile\"",
            "param \"base\" default=\"debian:12\"",
            "arg \"BASE\" \"${base}\"",
            "param \"token-url\" default=\"\"",
            // `version` is the project's own.
            "param \"image-docker-web-version\" default=\"3\"",
            "secret \"npm-token\" env=\"NPM_TOKEN\" required=#false",
            "ssh \"default\"",
            "tag \"my-shop-docker-web:osgraph\"",
            "default \"source\" \"image-docker-web\"",
        ],
    );
    assert!(!draft.text.contains("\"LABEL\""), "it follows from the others");
    has(
        &draft.open.join("\n"),
        &["argument `TOKEN_URL` of `docker/web/Dockerfile` has no default", "`NPM_TOKEN`"],
    );
}

#[test]
fn an_image_is_built_in_its_own_folder_where_that_has_what_it_copies() {
    let (draft, _) =
        sound(&folder(&[("web/Dockerfile", "FROM scratch\nCOPY *.conf a/ /\n"), ("web/a/b", "")]));
    has(&draft.text, &["context \"web\"\n"]);
    let (draft, _) = sound(&folder(&[("web/Dockerfile", "FROM scratch\nCOPY nowhere /\n")]));
    has(&draft.open.join("\n"), &["copies `nowhere`, which is not there"]);
    // No engine: it is written, and not built by default.
    has(&draft.text, &["default \"source\"\n", "Not yet, for want of what they need here:"]);
    has(&draft.open.join("\n"), &["needs a container engine"]);
}

#[test]
fn a_dockerfile_that_cannot_be_read_is_left_out_and_told() {
    let (draft, _) = sound(&folder(&[("Dockerfile", "FROM scratch\n"), ("b.Dockerfile", "NONSENSE\n")]));
    assert_eq!(draft.nodes, ["source", "image"]);
    has(&draft.open.join("\n"), &["`b.Dockerfile:1` cannot be built, so it is left out"]);
}

#[test]
fn two_dockerfiles_share_a_parameter_only_where_it_means_the_same() {
    let (draft, _) = sound(&folder(&[
        ("a.Dockerfile", "ARG PHP=8.3\nARG OS=debian\nFROM $OS\n"),
        ("b.Dockerfile", "ARG PHP=8.4\nARG OS=debian\nFROM $OS\n"),
    ]));
    has(&draft.text, &["param \"php\" default=\"8.3\"", "param \"image-b-php\" default=\"8.4\""]);
    assert_eq!(draft.text.matches("param \"os\"").count(), 1);
}

#[test]
fn programs_and_libraries_are_told_apart() {
    let cargo = "[package]\nname = \"shop\"\nversion = \"1.2.3\"\n[dependencies]\nversion = \"9\"\n";
    let (draft, _) = sound(&folder(&[("Cargo.toml", cargo), ("Cargo.lock", ""), ("src/main.rs", "")]));
    has(
        &draft.text,
        &["param \"version\" default=\"1.2.3\"", "cargo build --release --locked", "output \"dist/cargo\""],
    );
    let (draft, _) = sound(&folder(&[("Cargo.toml", cargo), ("src/lib.rs", "")]));
    has(&draft.text, &["command \"cargo-test\"", "cargo test --target-dir"]);
    has(&draft.open.join("\n"), &["there is no `Cargo.lock`"]);
    let (draft, _) = sound(&folder(&[("go.mod", "module x\n"), ("cmd/x/main.go", "package main\n")]));
    has(&draft.text, &["go build -trimpath", "output \"dist/go\""]);
    let (draft, _) = sound(&folder(&[("go.mod", "module x\n"), ("x.go", "package x\n")]));
    has(&draft.text, &["go test ./..."]);
}

#[test]
fn scripts_of_a_package_say_where_they_write() {
    let draft_of = |json: &str| sound(&folder(&[("package.json", json)])).0;
    let vite =
        draft_of(r#"{"version":"2.0.0","scripts":{"build":"vite build"},"devDependencies":{"vite":"1"}}"#);
    has(
        &vite.text,
        &["npm install; npm run build", "mv dist ../dist/web", "output \"dist/web\"", "default=\"2.0.0\""],
    );
    let said = draft_of(r#"{"scripts":{"build":"node make.js --out public"}}"#);
    has(&said.text, &["cd work; npm run build; mkdir -p ../dist && mv public ../dist/web\""]);
    let unknown = draft_of(r#"{"scripts":{"build":"node make.js"}}"#);
    assert!(!unknown.text.contains("output"), "{}", unknown.text);
    has(&unknown.open.join("\n"), &["cannot be told where the script `build` writes"]);
    let none =
        folder(&[("package.json", r#"{"scripts":{"test":"echo \"Error: no test specified\" && exit 1"}}"#)]);
    assert_eq!(draft(&none), None);
}

#[test]
fn results_go_where_nothing_lies_yet() {
    let (draft, _) =
        sound(&folder(&[("go.mod", ""), ("main.go", "package main"), ("dist/a", ""), ("out", "")]));
    has(&draft.text, &["archive \"artifacts/", "output \"artifacts/go\""]);
}

#[test]
fn what_this_machine_lacks_is_written_and_not_built_by_default() {
    let folder = Folder { programs: ["make".to_owned()].into(), ..folder(&[("composer.json", "{}")]) };
    let (draft, _) = sound(&folder);
    has(&draft.text, &["command \"vendor\"", "default \"source\"\n"]);
    has(
        &draft.open.join("\n"),
        &["`vendor` needs `composer`, which is not on PATH here", "`vendor` needs `php`"],
    );
}

#[test]
fn a_makefile_is_called_where_nothing_else_is_known() {
    let (draft, _) = sound(&folder(&[("Makefile", "all:\n\ttrue\ntest: all\n\ttrue\n")]));
    has(&draft.text, &["cd work; make test"]);
    let (draft, _) = sound(&folder(&[("Makefile", "all:\n\ttrue\n"), ("go.mod", "")]));
    assert_eq!(draft.nodes, ["source", "go-test"]);
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-zA-Z0-9 ._$\"{}\\\\-]{1,12}", "\\PC{1,8}"]
        .prop_filter("a name", |name| !name.contains('/') && name != "." && name != "..")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Names, versions and values may be anything.
    #[test]
    fn no_name_and_no_value_breaks_a_draft(
        project in name(),
        above in name(),
        argument in "[A-Za-z_][A-Za-z0-9_]{0,8}",
        value in "[ -~]{0,12}",
        version in "\\PC{0,12}",
        committed: bool,
    ) {
        let path = format!("{above}/Dockerfile");
        let dockerfile = format!("FROM scratch\nARG {argument}={value}\nCOPY x /x\n");
        let mut folder = folder(&[(&path, &dockerfile), ("VERSION", &version), ("composer.json", "{}"), ("dist", "")]);
        folder.name = project;
        folder.committed = committed;
        sound(&folder);
    }
}
