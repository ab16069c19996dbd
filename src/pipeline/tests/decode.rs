use std::time::Duration;

use super::{World, resolve};
use crate::pipeline::{
    ArchiveFormat, Command, DistFlavor, Kind, Linking, Pipeline, Recipe, SecretSource, Source, Work,
};

const EXAMPLE: &str = r#"
pipeline "orangescrum" {
    param "source"  default="../apps/orangescrum-v4"
    param "version" from-file="VERSION"
    param "php"     default="8.3.29"
    param "arch"    default="host"
    default "dist-docker" "dist-native"
}
source-archive "source" {
    git "${source}" ref="HEAD"
    exclude ".github/" "tests/"
    overlay "common/config" into="config"
}
base-image "base" {
    context "builder"
    dockerfile "builder/base-build.Dockerfile"
    arg "PHP_VERSION" "${php}"
    secret "github-token" env="GITHUB_TOKEN" required=#false
    tag "orangescrum-cloud-base"
    keep "store"
    platform "linux/${arch}"
    timeout "90m"
    retries 2
}
app-embed "embed" {
    base "base"
    app "source" into="package"
    context "builder"
    dockerfile "builder/app-embed.Dockerfile"
}
binary-extract "binary" {
    image "embed"
    path "/dist/app"
    output "common/orangescrum-app/osv4-prod"
    expect elf=#true min-size="50MiB"
    check "version"
}
dist-docker {
    output "dist-docker"
    copy "targets/docker"
    copy "common/config" into="config"
    binary "binary" into="orangescrum-app/osv4-prod" mode="755"
    seed-once ".env" from=".env.example"
    archive "dist/orangescrum-docker-${version}-${arch}.tar.gz" keep=3
}
dist-native {
    output "dist-native"
    copy "targets/native"
    binary "binary" into="orangescrum-app/osv4-prod"
}
"#;

fn example() -> Pipeline {
    let mut world = World::default();
    world.files.insert("VERSION".into(), b"4.2\n".to_vec());
    world.resolve(EXAMPLE).unwrap_or_else(|mistakes| panic!("{:#?}", mistakes.list))
}

fn command(body: &str) -> Command {
    let pipeline = resolve(&format!("pipeline \"p\"\n{body}")).unwrap_or_else(|e| panic!("{:#?}", e.list));
    match pipeline.nodes.into_iter().next().map(|node| node.work) {
        Some(Work::Command(command)) => command,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_example_is_read_in_full() {
    let pipeline = example();
    assert_eq!(pipeline.name, "orangescrum");
    assert_eq!(
        pipeline.defaults.iter().map(|name| name.value.0.as_str()).collect::<Vec<_>>(),
        ["dist-docker", "dist-native"]
    );
    let kinds: Vec<_> = pipeline.nodes.iter().map(|node| (node.kind(), node.name.0.as_str())).collect();
    assert_eq!(kinds[0], (Kind::SourceArchive, "source"));
    assert_eq!(kinds[4], (Kind::DistDocker, "dist-docker"));
    assert_eq!(kinds[5], (Kind::DistNative, "dist-native"));

    let Work::SourceArchive(source) = &pipeline.nodes[0].work else { unreachable!() };
    let Source::Git { path, reference, submodules } = &source.source else { unreachable!() };
    assert_eq!(
        (path.value.as_str(), reference.value.as_str(), *submodules),
        ("../apps/orangescrum-v4", "HEAD", false)
    );
    assert_eq!(
        source.excludes.iter().map(|glob| glob.value.as_str()).collect::<Vec<_>>(),
        [".github/", "tests/"]
    );
    assert_eq!(
        (source.overlays[0].from.value.as_str(), source.overlays[0].into.as_str()),
        ("common/config", "config")
    );

    let Work::BaseImage(base) = &pipeline.nodes[1].work else { unreachable!() };
    let Recipe::Docker(docker) = &base.recipe else { unreachable!() };
    assert_eq!((docker.args[0].0.value.as_str(), docker.args[0].1.as_str()), ("PHP_VERSION", "8.3.29"));
    assert_eq!(docker.platform.as_ref().unwrap().value, "linux/amd64");
    assert!(docker.keep_in_store && !docker.secrets[0].required);
    assert!(matches!(&docker.secrets[0].from, SecretSource::Environment(name) if name == "GITHUB_TOKEN"));
    assert_eq!((base.limits.timeout, base.limits.retries), (Some(Duration::from_secs(5400)), 2));

    let Work::AppEmbed(embed) = &pipeline.nodes[2].work else { unreachable!() };
    assert_eq!(
        (embed.base.as_ref().unwrap().value.0.as_str(), embed.app.value.0.as_str(), embed.into.as_str()),
        ("base", "source", "package")
    );

    let Work::BinaryExtract(binary) = &pipeline.nodes[3].work else { unreachable!() };
    assert_eq!((binary.path.value.as_str(), binary.from.value.0.as_str()), ("dist/app", "embed"));
    assert_eq!((binary.expect.elf, binary.expect.min_size), (true, Some(50 << 20)));
    assert_eq!(
        (binary.checks[0].args.as_slice(), binary.checks[0].timeout),
        (&["version".to_owned()][..], Duration::from_secs(30))
    );

    let Work::Dist(dist) = &pipeline.nodes[4].work else { unreachable!() };
    assert_eq!((dist.flavor, dist.output.value.as_str()), (DistFlavor::Docker, "dist-docker"));
    assert_eq!(dist.manifest.as_str(), "build-manifest.json");
    assert!(dist.binaries[0].executable);
    assert_eq!(
        (dist.seeds[0].path.value.as_str(), dist.seeds[0].from.value.as_str()),
        (".env", ".env.example")
    );
    let archive = &dist.archives[0];
    assert_eq!(
        (archive.path.value.as_str(), archive.format, archive.keep),
        ("dist/orangescrum-docker-4.2-amd64.tar.gz", ArchiveFormat::TarGz, Some(3))
    );
    assert_eq!(archive.pattern, "dist/orangescrum-docker-${version}-${arch}.tar.gz");
}

#[test]
fn places_of_nodes_are_those_of_the_file() {
    let pipeline = example();
    for node in &pipeline.nodes {
        let at = |span: crate::pipeline::Span| &EXAMPLE[span.offset as usize..][..span.length as usize];
        assert!(at(node.span).starts_with(node.kind().word()) && at(node.span).ends_with('}'));
        assert_eq!(at(node.name_span).trim_matches('"'), node.name.0);
    }
}

#[test]
fn a_command_may_spell_its_recipe_directly_or_in_a_block() {
    let direct = command(
        r#"command "c" isolate=#false { input "a" "b"; run "cc" "-c"; run "ld"; output "o" "p"; tool "cc" identify="cc --version"
           env "A" "1"; pass-env "B" "C"; secret "s" file="/etc/s" version="2"; timeout "10s"; retries 1; after "c2" }
           command "c2" { run "x" }"#,
    );
    let block = command(
        r#"command "c" { input "a"; host isolate=#false { input "b"; run "cc" "-c"; run "ld"; output "o" "p"
           tool "cc" identify="cc --version"; env "A" "1"; pass-env "B" "C"; secret "s" file="/etc/s" version="2" }
           timeout "10s"; retries 1; after "c2" }
           command "c2" { run "x" }"#,
    );
    for command in [&direct, &block] {
        let recipe = &command.recipe;
        assert_eq!(recipe.inputs.iter().map(|path| path.value.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(
            recipe.runs.iter().map(|run| run.value.clone()).collect::<Vec<_>>(),
            [vec!["cc", "-c"], vec!["ld"]]
        );
        assert_eq!(recipe.outputs.len(), 2);
        assert_eq!(recipe.tools[0].identify.as_deref(), Some(&["cc".to_owned(), "--version".to_owned()][..]));
        assert_eq!((recipe.env[0].0.value.as_str(), recipe.env[0].1.as_str()), ("A", "1"));
        assert_eq!(recipe.pass_env.len(), 2);
        assert_eq!(recipe.secrets[0].version.as_deref(), Some("2"));
        assert!(!recipe.isolate && recipe.secrets[0].required);
        assert_eq!((command.limits.timeout, command.limits.retries), (Some(Duration::from_secs(10)), 1));
        assert_eq!(command.after[0].value.0, "c2");
    }
    assert!(command("command { run \"x\" }").recipe.isolate);
}

#[test]
fn an_image_may_be_made_on_the_host() {
    let text = r#"pipeline "p"
        base-image "base" { context "builder"; input "x"; host { run "sh" "b.sh"; output "sysroot"; tool "rustc" } }"#;
    let pipeline = resolve(text).unwrap();
    let Work::BaseImage(base) = &pipeline.nodes[0].work else { unreachable!() };
    let Recipe::Host(host) = &base.recipe else { panic!("{base:?}") };
    assert_eq!(host.inputs.iter().map(|path| path.value.as_str()).collect::<Vec<_>>(), ["x", "builder"]);
    assert!(host.tools[0].identify.is_none());
}

#[test]
fn a_source_is_a_commit_a_folder_or_whichever_is_there() {
    let source = |child: &str| {
        let pipeline = resolve(&format!("pipeline \"p\"\nsource-archive {{ {child} }}")).unwrap();
        match pipeline.nodes.into_iter().next().map(|node| node.work) {
            Some(Work::SourceArchive(archive)) => archive.source,
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(source("dir \"../x\""), Source::Dir { path } if path.value == "../x"));
    assert!(matches!(
        source("auto \"../x\""),
        Source::Auto { path, reference, submodules: false }
            if path.value == "../x" && reference.value == "HEAD"
    ));
    assert!(matches!(
        source("auto \"/x\" ref=\"v1\" submodules=#true"),
        Source::Auto { path, reference, submodules: true }
            if path.value == "/x" && reference.value == "v1"
    ));
}

#[test]
fn a_source_is_the_first_that_is_not_empty() {
    let source = |folder: &str, git: &str| {
        let text = format!(
            "pipeline \"p\" {{ param \"folder\" default=\"{folder}\"; param \"git\" default=\"{git}\" }}
             source-archive {{ dir \"${{folder}}\"; git \"${{git}}\"; auto \"../last\" }}"
        );
        match resolve(&text).unwrap().nodes.into_iter().next().map(|node| node.work) {
            Some(Work::SourceArchive(archive)) => archive.source,
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(source("../plain", "../app"), Source::Dir { path } if path.value == "../plain"));
    assert!(matches!(source("", "../app"), Source::Git { path, .. } if path.value == "../app"));
    assert!(matches!(source("", ""), Source::Auto { path, .. } if path.value == "../last"));
}

#[test]
fn what_is_empty_is_as_if_it_were_not_written() {
    let text = r#"pipeline "p" { param "none" default="" }
        base-image { context "b"; tag "x" "${none}"; push "${none}"; pull "${none}"; cache-from "${none}" "type=local,src=x"; cache-to "${none}" }"#;
    let pipeline = resolve(text).unwrap();
    let docker = pipeline.nodes[0].docker().unwrap();
    assert_eq!(docker.tags.len(), 1);
    assert!(docker.push.is_none() && docker.pull.is_none() && docker.cache_to.is_empty());
    assert_eq!(docker.cache_from, ["type=local,src=x"]);
}

#[test]
fn linking_is_asked_by_its_name_or_by_a_libc() {
    let expect = |asked: &str| {
        let text = format!(
            "pipeline \"p\" {{ param \"libc\" default=\"glibc\" }}
             base-image \"b\" {{ context \"c\" }}
             binary-extract \"x\" {{ image \"b\"; path \"a\"; expect {asked} }}"
        );
        match resolve(&text).unwrap().nodes.into_iter().last().map(|node| node.work) {
            Some(Work::BinaryExtract(extract)) => (extract.expect.elf, extract.expect.linking),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(expect("static=#true"), (true, Some(Linking::Static)));
    assert_eq!(expect("libc=\"musl\""), (true, Some(Linking::Static)));
    assert_eq!(expect("static=#true libc=\"musl\""), (true, Some(Linking::Static)));
    assert_eq!(expect("libc=\"${libc}\""), (true, Some(Linking::Glibc)));
    assert_eq!(expect("static=#false libc=\"glibc\""), (true, Some(Linking::Glibc)));
    assert_eq!(expect("static=#false max-size=5"), (false, None));
}

#[test]
fn an_application_may_be_all_that_an_image_is_made_of() {
    let text = r#"pipeline "p"
        source-archive "s" { dir "a" }
        dist-docker { output "o"; copy "t" }
        app-embed "image" { app "dist-docker"; dockerfile "t/Dockerfile" }
        app-embed "other" { app "s" into="x"; context "c" }"#;
    let pipeline = resolve(text).unwrap();
    let Work::AppEmbed(embed) = &pipeline.nodes[2].work else { unreachable!() };
    assert!(embed.base.is_none() && embed.into.is_root());
    let docker = pipeline.nodes[2].docker().unwrap();
    assert!(docker.context.is_none());
    assert_eq!(docker.dockerfile.value.as_str(), "t/Dockerfile");
    assert_eq!(pipeline.nodes[3].docker().unwrap().dockerfile.value.as_str(), "c/Dockerfile");
}

#[test]
fn an_archive_may_be_named_by_its_content() {
    let text = r#"pipeline "p" { param "build" default="{digest}" }
        dist-native { output "o"; archive "d/x-${build}.tar.gz"; archive "d/y-{digest}.tar" }
        command { run "echo" "{digest}" }"#;
    let pipeline = resolve(text).unwrap();
    let Work::Dist(dist) = &pipeline.nodes[0].work else { unreachable!() };
    let tree = crate::tree::Tree::from_leaves(&crate::tree::Leaves::new()).root;
    let name = tree.0.hex()[..12].to_owned();
    let paths = dist.archives.iter().map(|one| one.of(tree).path.value.to_string()).collect::<Vec<_>>();
    assert_eq!(paths, [format!("d/x-{name}.tar.gz"), format!("d/y-{name}.tar")]);
    let Work::Command(command) = &pipeline.nodes[1].work else { unreachable!() };
    assert_eq!(command.recipe.runs[0].value, ["echo", "{digest}"]);
}

#[test]
fn every_option_of_a_docker_build_is_read() {
    let text = r#"pipeline "p"
        base-image { context "b"; target "t"; label "a" "b"; network "none"; tag "x:1" "y"; push "r.io/x:1"; pull "r.io/x@sha256:00"
        cache-from "type=registry,ref=x"; cache-to "type=inline"; ssh "default"; secret "f" file="~/x" }"#;
    let pipeline = resolve(text).unwrap();
    let Work::BaseImage(base) = &pipeline.nodes[0].work else { unreachable!() };
    let Recipe::Docker(docker) = &base.recipe else { unreachable!() };
    assert_eq!(docker.dockerfile.value.as_str(), "b/Dockerfile");
    assert_eq!((docker.target.as_deref(), docker.network.as_deref()), (Some("t"), Some("none")));
    assert_eq!(docker.labels, [("a".to_owned(), "b".to_owned())]);
    assert_eq!(docker.tags.iter().map(|tag| tag.value.as_str()).collect::<Vec<_>>(), ["x:1", "y"]);
    assert_eq!(
        (docker.push.as_ref().unwrap().value.as_str(), docker.pull.as_ref().unwrap().value.as_str()),
        ("r.io/x:1", "r.io/x@sha256:00")
    );
    assert_eq!((docker.cache_from.len(), docker.cache_to.len(), docker.ssh.len()), (1, 1, 1));
}
