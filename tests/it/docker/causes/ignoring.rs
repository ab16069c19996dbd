//! What does not make an image be built again.

use std::fs::File;
use std::time::{Duration, SystemTime};

use super::super::engine::{docker, image};
use super::shop::Shop;

/// A base is fresh after `change`.
#[track_caller]
fn ignores(change: impl FnOnce(&mut Shop)) {
    let mut shop = Shop::base();
    let before = shop.images();
    change(&mut shop);
    shop.project.is_fresh();
    assert_eq!(shop.images(), before);
}

#[test]
fn comment_in_the_dockerfile_does_not_count() {
    ignores(|shop| shop.edit("builder/base.Dockerfile", "# The base.", "# What all is built on."));
}

#[test]
fn blank_line_in_the_dockerfile_does_not_count() {
    ignores(|shop| shop.edit("builder/base.Dockerfile", "ARG WORD\n", "\n\nARG WORD\n\n"));
}

#[test]
fn continuation_in_the_dockerfile_does_not_count() {
    ignores(|shop| {
        shop.edit("builder/base.Dockerfile", "COPY parts /parts", "COPY parts \\\n# Where to:\n/parts")
    });
}

#[test]
fn argument_that_no_stage_uses_does_not_count() {
    ignores(|shop| shop.project.edit_pipeline("\"SPARE\" \"one\"", "\"SPARE\" \"two\""));
}

#[test]
fn stage_that_the_target_does_not_need_does_not_count() {
    ignores(|shop| shop.edit("builder/base.Dockerfile", "echo spare", "echo other"));
}

#[test]
fn file_that_is_not_copied_does_not_count() {
    ignores(|shop| {
        shop.write("builder/notes.txt", "other notes\n");
        shop.write("builder/more.txt", "more\n");
        shop.write("builder/releases/2/data.txt", "changed\n");
    });
}

#[test]
fn file_that_is_left_out_by_the_ignore_file_does_not_count() {
    ignores(|shop| {
        shop.write("builder/parts/secret.txt", "changed\n");
        shop.write("builder/tool.tmp", "new\n");
    });
}

#[test]
fn rule_of_the_ignore_file_that_matches_nothing_does_not_count() {
    ignores(|shop| shop.write("builder/.dockerignore", "# Rules.\nparts/secret.txt\n*.tmp\nnone\n"));
}

#[test]
fn value_and_presence_of_a_secret_do_not_count() {
    ignores(|shop| drop(shop.project.env.insert("TOKEN".to_owned(), "first".to_owned())));
    ignores(|shop| {
        shop.project.env.insert("TOKEN".to_owned(), "second".to_owned());
        shop.project.edit_pipeline("required=#false ", "");
    });
}

#[test]
fn timeouts_and_retries_do_not_count() {
    ignores(|shop| shop.project.edit_pipeline("network", "timeout \"1h\"; retries 3; network"));
}

#[test]
fn another_tag_names_the_image_anew_and_does_not_run() {
    let shop = Shop::base();
    let (old, new) = (shop.tag("base"), shop.tag("second"));
    shop.project.edit_pipeline(&old, &format!("{old}\" \"{new}"));
    shop.project.restores(&["base"]);
    assert_eq!(image(&new), image(&old));
    shop.project.is_fresh();
}

#[test]
fn times_of_files_do_not_count() {
    ignores(|shop| {
        for path in ["builder/parts/a.txt", "builder/base.Dockerfile", "builder/tool.sh", "builder/parts"] {
            let file = File::open(shop.project.path(path)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(3600)).unwrap();
        }
    });
}

#[test]
fn name_of_the_node_does_not_count() {
    ignores(|shop| shop.project.edit_pipeline("base-image \"base\"", "base-image \"ground\""));
}

#[test]
fn caches_to_take_from_and_give_to_do_not_count() {
    let caches = "cache-from \"type=registry,ref=127.0.0.1:1/none\"; cache-to \"type=inline\"; network";
    ignores(|shop| shop.project.edit_pipeline("network", caches));
}

#[test]
fn base_rebuilt_to_the_same_image_leaves_the_embed_fresh() {
    let shop = Shop::whole();
    let embed = shop.id("embed");
    // Nothing is in it but a file that is copied, whose time is constant, so it comes out the same.
    shop.write("builder/base.Dockerfile", "ARG IMAGE\nFROM ${IMAGE}\nCOPY parts/a.txt /word\n");
    shop.edit("builder/embed.Dockerfile", "cat /word /parts/a.txt", "cat /word");
    shop.project.runs(&["base", "binary", "embed"]);
    assert_ne!(shop.id("embed"), embed);
    shop.edit("builder/base.Dockerfile", " /word", " word");
    shop.project.runs(&["base"]);
    shop.project.is_fresh();
    let said = shop.project.run_with(&["--rebuild", "base"]);
    assert_eq!(said.ran, ["base"], "{}", said.text);
    shop.project.is_fresh();
}

#[test]
fn image_below_that_is_pruned_does_not_count() {
    let shop = Shop::base();
    docker(&["image", "rm", &shop.tag("from")]);
    shop.project.is_fresh();
    docker(&["tag", super::super::fixture::Fixture::busybox(), &shop.tag("from")]);
    shop.project.is_fresh();
}
