//! What each kind of node is made of, written out: a meaning that changes shows here, and its kind's
//! version must change with it.

use std::convert::Infallible;

use super::*;
use crate::digest::Digest;
use crate::pipeline::{Document, Overrides, Pipeline, SourceFile};
use crate::tree::TreeDigest;

/// A disk on which every path is a folder that is called like its path.
struct Paper;

fn entry(name: &str) -> Entry {
    Entry::Directory { digest: TreeDigest(Digest::of(name.as_bytes())) }
}

impl World for Paper {
    type Input = String;
    type Error = Infallible;

    fn path(&mut self, path: &Spanned<RelPath>) -> Result<(Entry, String), Infallible> {
        Ok((entry(path.value.as_str()), path.value.to_string()))
    }

    fn source(&mut self, source: &Source, _: &[Spanned<String>]) -> Result<(Labelled, String), Infallible> {
        let (Source::Git { path, .. } | Source::Dir { path } | Source::Auto { path, .. }) = source;
        Ok((vec![("source".to_owned(), Value::Entry(entry(&path.value)))], path.value.clone()))
    }

    fn tool(&mut self, tool: &Tool, _: &[Spanned<String>]) -> Result<Value, Infallible> {
        Ok(Value::Text(format!("{} 1.0", tool.program.value)))
    }

    fn publisher(&self, path: &RelPath) -> Option<NodeName> {
        (path.as_str() == "made").then(|| NodeName("maker".to_owned()))
    }

    fn natural(&self, _: &NodeName) -> Stand {
        Stand::Own(Vec::new())
    }

    fn published(&self, _: &NodeName) -> Stand {
        Stand::Own(vec![RelPath::root().child("made")])
    }

    fn origin(&self, node: &NodeName) -> Option<Origin> {
        let commit = (node.0 == "app").then(|| "c0ffee".to_owned());
        (node.0 != "obscured").then_some(Origin { commit })
    }

    fn platform(&self) -> String {
        "linux/x86_64".to_owned()
    }

    fn dockerfile(
        &mut self,
        _: &NodeName,
        recipe: &DockerRecipe,
        _: Option<&NodeRef>,
        _: Option<&RelPath>,
    ) -> Result<Dockerfile<String>, Infallible> {
        Ok(Dockerfile {
            steps: "FROM debian".to_owned(),
            file: "the file".to_owned(),
            path: recipe.dockerfile.value.clone(),
            context: recipe
                .context
                .as_ref()
                .map(|context| (entry(context.value.as_str()), context.value.to_string())),
            args: BTreeSet::from(["USED".to_owned()]),
            images: vec![("debian".to_owned(), Value::Image(Digest::of(b"debian")))],
            platform: "linux/amd64".to_owned(),
        })
    }
}

fn pipeline(nodes: &str) -> Pipeline {
    let text = format!("pipeline \"p\"\n{nodes}");
    let source = SourceFile { name: "pipeline.kdl".to_owned(), text: text.into() };
    let overrides = Overrides {
        set: Vec::new(),
        env: &|_| None,
        read_file: &|_| Err(std::io::ErrorKind::NotFound.into()),
        host_arch: "x86_64",
    };
    let resolved = Document::parse(&source).and_then(|document| document.resolve(&source, &overrides));
    resolved.unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
}

fn composed(nodes: &str) -> Composed<String> {
    let pipeline = pipeline(nodes);
    let node = pipeline.nodes.iter().find(|node| node.name.0 == "it").unwrap();
    compose(node, &mut Paper).unwrap_or_else(|never| match never {})
}

/// Kind, components, and reads with where they stand.
fn shown(nodes: &str) -> String {
    let composed = composed(nodes);
    let mut out = format!("{}\n", composed.own.kind());
    for Component { facet, label, value } in composed.own.components() {
        let value = match value {
            Value::Text(text) => format!("{text:?}"),
            Value::Entry(Entry::Directory { .. }) => "tree".to_owned(),
            other => format!("{other:?}"),
        };
        out.push_str(&format!("{facet:?}  {label} = {value}\n"));
    }
    for Read { label, node, stand, executable } in composed.reads {
        let stand = match stand {
            Stand::Own(outputs) => format!("where it is made: {outputs:?}"),
            Stand::At(path) => format!("at {path}"),
            Stand::Told { commit } => format!("told of {commit:?}"),
        };
        let mode = executable.map_or("", |executable| if executable { ", 755" } else { ", 644" });
        out.push_str(&format!("reads {label} from {node}, {stand}{mode}\n"));
    }
    out
}

const HOST: &str = r#"
    host isolate=#false {
        input "src" "made"
        run "sh" "-c" "echo \"a b\""
        run "true"
        output "out" "lib"
        tool "cc" identify="cc --version"
        env "B" "2"
        pass-env "LANGUAGE"
        secret "token" env="TOKEN" version="3"
        secret "other" env="OTHER" required=#false
    }
    timeout "5m"
    retries 3
"#;

const MAKER: &str = "command \"maker\" { run \"true\"; output \"made\" }\n";

#[test]
fn source_archive() {
    insta::assert_snapshot!(shown(
        r#"source-archive "it" {
            dir "app"
            exclude "*.log"
            overlay "config" into="etc"
            overlay "into"
            output "tree"
            archive "dist/a.tar.gz" keep=3
        }"#
    ), @r#"
    source-archive 1
    Own  overlay 0 config = tree
    Own  overlay 1 into = tree
    Own  overlay into 0 = "etc"
    Own  overlay into 1 = ""
    Own  source = tree
    "#);
}

#[test]
fn base_image() {
    insta::assert_snapshot!(shown(&format!("{MAKER} base-image \"it\" {{ {HOST} }}")), @r#"
    base-image 1
    Own  input src = tree
    Own  isolate = "in place"
    Own  output lib = ""
    Own  output out = ""
    Own  run 0 = "\"sh\" \"-c\" \"echo \\\"a b\\\"\""
    Own  run 1 = "\"true\""
    Environment  env B = "2"
    Environment  platform = "linux/x86_64"
    Environment  secret other = ""
    Environment  secret token = "3"
    Environment  tool cc = "cc 1.0"
    reads input made from maker, where it is made: [`made`]
    "#);
}

#[test]
fn app_embed() {
    let up = r#"base-image "base" { host { run "true"; output "b" } }
        source-archive "app" { dir "app" }"#;
    let it = r#"app-embed "it" { base "base"; app "app" into="package"; host { run "true"; output "x" } }"#;
    insta::assert_snapshot!(shown(&format!("{up}\n{it}")), @r#"
    app-embed 1
    Own  app into = "package"
    Own  isolate = "private"
    Own  output x = ""
    Own  run 0 = "\"true\""
    Environment  platform = "linux/x86_64"
    reads base from base, where it is made: [`made`]
    reads app from app, at package
    "#);
}

#[test]
fn binary_extract() {
    insta::assert_snapshot!(shown(&format!(
        r#"{MAKER} binary-extract "it" {{
            image "maker"
            path "/made"
            output "bin/app"
            expect elf=#true min-size="1MiB"
            check "version"
        }}"#
    )), @r#"
    binary-extract 1
    Own  path = "made"
    reads image from maker, where it is made: []
    "#);
}

const DOCKER: &str = r#"
    context "builder"
    dockerfile "builder/it.Dockerfile"
    arg "USED" "1"
    arg "UNUSED" "2"
    secret "token" env="TOKEN" version="3"
    target "stage"
    platform "linux/amd64"
    label "a" "b"
    network "none"
    tag "it"
    keep "store"
    push "registry/it:1"
    pull "registry/it:1"
    cache-from "type=registry,ref=c"
    cache-to "type=registry,ref=c"
    ssh "default"
    timeout "5m"
    retries 3
"#;

#[test]
fn a_docker_base() {
    insta::assert_snapshot!(shown(&format!("base-image \"it\" {{ {DOCKER} }}")), @r#"
    base-image 1
    Own  context = tree
    Own  dockerfile = "FROM debian"
    Own  label a = "b"
    Own  network = "none"
    Environment  arg USED = "1"
    Environment  from debian = Image(Digest(230924e6c52c))
    Environment  platform = "linux/amd64"
    Environment  secret token = "3"
    "#);
}

#[test]
fn a_docker_embed() {
    let others = r#"base-image "base" { context "b"; tag "base" }
        source-archive "app" { dir "app" }"#;
    insta::assert_snapshot!(shown(&format!(
        "{others}\napp-embed \"it\" {{ base \"base\"\n app \"app\" into=\"package\"\n {DOCKER} }}"
    )), @r#"
    app-embed 1
    Own  app into = "package"
    Own  context = tree
    Own  dockerfile = "FROM debian"
    Own  label a = "b"
    Own  network = "none"
    Environment  arg USED = "1"
    Environment  from debian = Image(Digest(230924e6c52c))
    Environment  platform = "linux/amd64"
    Environment  secret token = "3"
    reads base from base, where it is made: [`made`]
    reads app from app, at package
    "#);
}

#[test]
fn dist() {
    insta::assert_snapshot!(shown(&format!(
        r#"{MAKER} dist-docker "it" {{
            output "dist/docker"
            copy "targets/docker"
            copy "config" into="etc"
            exclude "*.bak" "a\"b"
            binary "maker" into="bin/app" mode="755"
            seed-once ".env" from=".env.example"
            archive "dist/docker.tar.gz"
        }}"#
    )), @r#"
    dist 1
    Own  binary bin/app = "755"
    Own  copy 0 targets/docker = tree
    Own  copy 1 config = tree
    Own  copy into 0 = ""
    Own  copy into 1 = "etc"
    Own  exclude = "\"*.bak\" \"a\\\"b\""
    Own  flavor = "docker"
    Own  manifest = "build-manifest.json"
    reads binary bin/app from maker, at bin/app, 755
    "#);
}

#[test]
fn a_dist_that_tells_facts_and_where_it_is_from() {
    let others = r#"source-archive "app" { git "app" }
        command "obscured" { run "true"; output "b" }
        command "maker" { from "app"; from "obscured"; run "true"; output "made" }"#;
    insta::assert_snapshot!(shown(&format!(
        r#"{others}
        dist-native "it" {{
            output "dist/native"
            binary "maker" into="app"
            fact "version" "1.0"
            fact "php" ""
            provenance "maker" "app"
            provenance "obscured"
        }}"#
    )), @r#"
    dist 1
    Own  binary app = "755"
    Own  fact php = ""
    Own  fact version = "1.0"
    Own  flavor = "native"
    Own  manifest = "build-manifest.json"
    Own  provenance app commit = "c0ffee"
    reads binary app from maker, at app, 755
    reads provenance maker from maker, told of None
    reads provenance app from app, told of Some("c0ffee")
    "#);
}

#[test]
fn command() {
    let host = HOST.replace("host isolate=#false {", "").replacen("    }\n    timeout", "    timeout", 1);
    let from = r#"source-archive "app" { dir "app" }"#;
    insta::assert_snapshot!(shown(&format!(
        "{MAKER} {from}\ncommand \"it\" {{ from \"app\" into=\"package\"\n {host} }}"
    )), @r#"
    command 1
    Own  from 0 into = "at package"
    Own  input src = tree
    Own  isolate = "private"
    Own  output lib = ""
    Own  output out = ""
    Own  run 0 = "\"sh\" \"-c\" \"echo \\\"a b\\\"\""
    Own  run 1 = "\"true\""
    Environment  env B = "2"
    Environment  platform = "linux/x86_64"
    Environment  secret other = ""
    Environment  secret token = "3"
    Environment  tool cc = "cc 1.0"
    reads from 0 from app, at package
    reads input made from maker, where it is made: [`made`]
    "#);
}

#[test]
fn group() {
    insta::assert_snapshot!(shown(&format!("{MAKER} group \"it\" {{ member \"maker\" }}")), @"group 1");
}

#[test]
fn a_folder_may_be_called_like_an_option() {
    let copy = r#"dist-native "it" { output "dist"; copy "into"; copy "0"; copy "exclude" into="into" }"#;
    assert_eq!(composed(copy).inputs.len(), 3);
}

#[test]
fn names_of_nodes_and_places_in_the_file_do_not_count() {
    let key = |nodes: &str| composed(nodes).own.key();
    let one = r#"command "it" { from "a" into="x"; run "true"; output "o" }"#;
    let named = |name: &str| format!(r#"source-archive "{name}" {{ dir "app" }}"#);
    let other = format!("\n\n// moved\n{}\n{}", named("b"), one.replace("\"a\"", "\"b\""));
    assert_eq!(key(&format!("{}\n{one}", named("a"))), key(&other));
}

#[test]
fn no_two_lists_of_words_are_quoted_alike() {
    let words = |words: &[&str]| quoted(&words.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(words(&["a b", "c\"d", "e\\"]), r#""a b" "c\"d" "e\\""#);
    let lists: [&[&str]; 8] =
        [&[], &[""], &["", ""], &["a b"], &["a", "b"], &["a\" \"b"], &["a\\\" \\\"b"], &["a\\", "b"]];
    for (at, one) in lists.iter().enumerate() {
        for other in &lists[at + 1..] {
            assert_ne!(words(one), words(other));
        }
    }
}
