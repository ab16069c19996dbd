//! What makes an image be built again.

use super::super::engine::docker;
use super::super::fixture::Fixture;
use super::shop::Shop;

/// A base runs again after `change`, and the change undone runs nothing.
#[track_caller]
fn rebuilds(change: impl FnOnce(&Shop)) -> Shop {
    let shop = Shop::base();
    change(&shop);
    shop.project.runs(&["base"]);
    shop.project.is_fresh();
    shop
}

#[test]
fn changed_build_arg_that_is_used_rebuilds() {
    let shop = rebuilds(|shop| shop.project.edit_pipeline("\"WORD\" \"one\"", "\"WORD\" \"two\""));
    assert_eq!(shop.inside("base", "cat /word"), "two");
    let built = shop.id("base");
    shop.project.edit_pipeline("\"WORD\" \"two\"", "\"WORD\" \"one\"");
    shop.project.restores(&["base"]);
    assert_ne!(shop.id("base"), built);
    assert_eq!(shop.inside("base", "cat /word"), "one");
}

#[test]
fn changed_instruction_rebuilds() {
    let shop = rebuilds(|shop| shop.edit("builder/base.Dockerfile", "> /word", ">/word2; cp /word2 /word"));
    assert_eq!(shop.inside("base", "cat /word2"), "one");
}

#[test]
fn changed_file_that_is_copied_rebuilds() {
    let shop = rebuilds(|shop| shop.write("builder/parts/a.txt", "A\n"));
    assert_eq!(shop.inside("base", "cat /parts/a.txt"), "A", "of the same size as before");
}

#[test]
fn file_added_to_a_copied_folder_rebuilds() {
    let shop = rebuilds(|shop| shop.write("builder/parts/deep/c.txt", "c\n"));
    assert_eq!(shop.inside("base", "cat /parts/deep/c.txt"), "c");
}

#[test]
fn empty_folder_added_to_a_copied_folder_rebuilds() {
    let shop = rebuilds(|shop| std::fs::create_dir(shop.project.path("builder/parts/empty")).unwrap());
    assert_eq!(shop.inside("base", "ls -A /parts/empty | wc -l").trim(), "0");
}

#[test]
fn file_removed_from_a_copied_folder_rebuilds() {
    let shop = rebuilds(|shop| shop.project.remove("builder/parts/b.txt"));
    assert_eq!(shop.inside("base", "ls /parts"), "a.txt\nlink");
}

#[test]
fn file_renamed_in_a_copied_folder_rebuilds() {
    let shop = rebuilds(|shop| shop.project.rename("builder/parts/b.txt", "builder/parts/c.txt"));
    assert_eq!(shop.inside("base", "ls /parts"), "a.txt\nc.txt\nlink");
}

#[test]
fn executable_bit_rebuilds() {
    let shop = rebuilds(|shop| shop.project.chmod("builder/tool.sh", 0o755));
    assert_eq!(shop.inside("base", "stat -c %a /tools/tool.sh"), "755");
}

#[test]
fn target_of_a_copied_link_rebuilds() {
    let shop = rebuilds(|shop| shop.project.link("b.txt", "builder/parts/link"));
    assert_eq!(shop.inside("base", "readlink /parts/link"), "b.txt");
}

#[test]
fn file_reached_through_a_link_rebuilds() {
    let shop = rebuilds(|shop| shop.write("builder/releases/1/data.txt", "DATA\n"));
    assert_eq!(shop.inside("base", "cat /tools/data.txt"), "DATA");
}

#[test]
fn link_that_leads_elsewhere_rebuilds() {
    let shop = rebuilds(|shop| shop.project.link("releases/2", "builder/current"));
    assert_eq!(shop.inside("base", "cat /tools/data.txt"), "other");
}

#[test]
fn ignore_file_that_lets_a_file_in_rebuilds() {
    let shop = rebuilds(|shop| shop.write("builder/.dockerignore", "*.tmp\n"));
    assert_eq!(shop.inside("base", "cat /parts/secret.txt"), "left out");
}

#[test]
fn ignore_file_of_the_dockerfile_itself_goes_first() {
    let shop = rebuilds(|shop| shop.write("builder/base.Dockerfile.dockerignore", "parts/b.txt\n"));
    assert_eq!(shop.inside("base", "ls /parts"), "a.txt\nlink\nsecret.txt");
    shop.project.remove("builder/base.Dockerfile.dockerignore");
    shop.project.restores(&["base"]);
    assert_eq!(shop.inside("base", "ls /parts"), "a.txt\nb.txt\nlink");
}

#[test]
fn version_of_a_secret_rebuilds() {
    rebuilds(|shop| shop.project.edit_pipeline("version=\"1\"", "version=\"2\""));
}

#[test]
fn label_rebuilds() {
    let shop = rebuilds(|shop| shop.project.edit_pipeline("\"red\"", "\"blue\""));
    let label = docker(&["image", "inspect", "--format", "{{.Config.Labels.colour}}", &shop.tag("base")]);
    assert_eq!(label, "blue");
}

#[test]
fn network_rebuilds() {
    rebuilds(|shop| shop.project.edit_pipeline("network \"none\"", "network \"default\""));
}

#[test]
fn target_rebuilds() {
    let shop = rebuilds(|shop| shop.project.edit_pipeline("tag \"", "target \"spare\"\n    tag \""));
    assert_eq!(shop.inside("base", "cat /spare"), "spare");
}

#[test]
fn platform_rebuilds_and_the_engines_own_need_not_be_said() {
    let shop = Shop::of("FROM scratch\nCOPY parts /parts\n", "    platform \"PLATFORM\"");
    let own = docker(&["version", "--format", "{{.Server.Os}}/{{.Server.Arch}}"]);
    let other = if own == "linux/arm64" { "linux/amd64" } else { "linux/arm64" };
    shop.project.edit_pipeline("platform \"PLATFORM\"", "");
    shop.project.runs(&["base"]);
    shop.project.edit_pipeline("tag \"", &format!("platform \"{own}\"; tag \""));
    shop.project.is_fresh();
    shop.project.edit_pipeline(&own, other);
    shop.project.runs(&["base"]);
    let platform = docker(&["image", "inspect", "--format", "{{.Os}}/{{.Architecture}}", &shop.tag("base")]);
    assert_eq!(platform, other);
}

#[test]
fn moved_tag_of_the_image_below_rebuilds() {
    let shop = rebuilds(Shop::move_from);
    assert_eq!(shop.inside("base", "echo $MOVED"), "1");
    docker(&["tag", Fixture::busybox(), &shop.tag("from")]);
    shop.project.restores(&["base"]);
    assert_eq!(shop.inside("base", "echo $MOVED"), "");
}

#[test]
fn image_that_is_only_copied_from_counts_too() {
    let shop = Shop::of("FROM scratch\nCOPY --from=NAME-from /bin/busybox /bin/busybox\n", "");
    shop.project.runs(&["base"]);
    shop.project.is_fresh();
    shop.move_from();
    shop.project.runs(&["base"]);
}

#[test]
fn changed_application_reruns_the_embed_alone() {
    let shop = Shop::whole();
    shop.write("app/page.txt", "another page\n");
    shop.project.runs(&["binary", "embed", "source"]);
    assert_eq!(shop.project.read("build/app"), "one\na\nanother page\n");
    shop.project.is_fresh();
    shop.write("app/page.txt", "page\n");
    let said = shop.project.run();
    assert_eq!(said.ran, [] as [&str; 0], "{}", said.text);
    assert_eq!(shop.project.read("build/app"), "one\na\npage\n");
}

#[test]
fn different_base_reruns_the_embed() {
    let shop = Shop::whole();
    shop.project.edit_pipeline("\"WORD\" \"one\"", "\"WORD\" \"two\"");
    shop.project.runs(&["base", "binary", "embed"]);
    assert_eq!(shop.project.read("build/app"), "two\na\npage\n");
    shop.project.is_fresh();
}

#[test]
fn base_of_other_layers_reruns_the_embed_even_if_the_binary_is_the_same() {
    let shop = Shop::whole();
    shop.write("builder/parts/b.txt", "B\n");
    let said = shop.project.run();
    assert_eq!(said.ran, ["base", "binary", "embed"], "{}", said.text);
    assert_eq!(shop.project.read("build/app"), "one\na\npage\n");
    shop.project.is_fresh();
}

#[test]
fn base_is_known_however_the_dockerfile_names_it() {
    let shop = Shop::whole();
    let from = format!("FROM {}", shop.tag("base"));
    // The engine's cache gives the same image each time.
    shop.edit("builder/embed.Dockerfile", &from, &format!("{from}:latest AS named"));
    shop.project.runs(&["embed"]);
    shop.edit("builder/embed.Dockerfile", &from, &format!("ARG BELOW={}\nFROM ${{BELOW}}", shop.tag("base")));
    shop.project.runs(&["embed"]);
    let text = format!("FROM {}\nCOPY --from={} /word /out/app\n", shop.tag("from"), shop.tag("base"));
    shop.write("builder/embed.Dockerfile", &text);
    shop.project.runs(&["binary", "embed"]);
    assert_eq!(shop.project.read("build/app"), "one\n");
    // Whatever else is called so meanwhile.
    shop.project.edit_pipeline("\"WORD\" \"one\"", "\"WORD\" \"two\"");
    docker(&["tag", Fixture::busybox(), &shop.tag("base")]);
    shop.project.runs(&["base", "binary", "embed"]);
    assert_eq!(shop.project.read("build/app"), "two\n");
    shop.project.is_fresh();
}

#[test]
fn application_at_the_root_lies_over_the_context() {
    let shop = Shop::whole();
    shop.project.edit_pipeline(" into=\"package\"", "");
    let show =
        "FROM NAME-base\nCOPY . /all\nRUN mkdir /out; cd /all; cat tool.sh parts notes.txt/deep >/out/app\n";
    shop.write("builder/embed.Dockerfile", show);
    // A file over a file, over a folder, and a folder over a file.
    for (path, text) in [("tool.sh", "tool of app\n"), ("parts", "no folder\n"), ("notes.txt/deep", "deep\n")]
    {
        shop.write(&format!("app/{path}"), text);
    }
    shop.project.runs(&["binary", "embed", "source"]);
    assert_eq!(shop.project.read("build/app"), "tool of app\nno folder\ndeep\n");
    assert_eq!(
        shop.inside("embed", "ls /all/releases/1 /all/page.txt"),
        "/all/page.txt\n\n/all/releases/1:\ndata.txt"
    );
    shop.project.is_fresh();
}
