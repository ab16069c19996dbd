//! Odd ways into a build: arguments that no `ARG` names, rules beside the Dockerfile, modes, links.

use std::fs;

use super::shop::Shop;

#[test]
fn proxy_is_handed_on_without_an_argument_and_does_not_count() {
    let shop = Shop::of(
        "FROM NAME-from\nRUN echo \"$HTTP_PROXY $https_proxy\" > /proxy\n",
        "    arg \"HTTP_PROXY\" \"http://one.example\"\n    arg \"https_proxy\" \"http://two.example\"\n",
    );
    shop.project.runs(&["base"]);
    assert_eq!(shop.inside("base", "cat /proxy"), "http://one.example http://two.example");
    assert_eq!(shop.inside("base", "echo $HTTP_PROXY"), "", "it is not in the image");
    shop.project.edit_pipeline("one.example", "other.example");
    shop.project.is_fresh();
    shop.edit("builder/Dockerfile", "RUN", "ARG HTTP_PROXY\nRUN");
    shop.project.runs(&["base"]);
    shop.project.edit_pipeline("other.example", "third.example");
    shop.project.runs(&["base"]);
}

#[test]
fn ignore_file_beside_the_dockerfile_takes_the_place_of_the_contexts_own() {
    let shop = Shop::of("FROM NAME-from\nCOPY . /all\n", "");
    shop.write("builder/.dockerignore", "parts\n");
    shop.write("builder/Dockerfile.dockerignore", "notes.txt\nDockerfile*\n");
    shop.project.runs(&["base"]);
    let found = shop.inside("base", "cd /all; ls -A; cat parts/a.txt");
    assert_eq!(
        found.lines().collect::<Vec<_>>(),
        [
            ".dockerignore",
            "base.Dockerfile",
            "current",
            "embed.Dockerfile",
            "parts",
            "releases",
            "tool.sh",
            "a"
        ]
    );
    // There it is a file like any other, and copied.
    shop.write("builder/.dockerignore", "parts\ntool.sh\n");
    shop.project.runs(&["base"]);
    assert_eq!(shop.inside("base", "ls /all/tool.sh"), "/all/tool.sh");
    shop.write("builder/Dockerfile.dockerignore", ".dockerignore\nparts\nDockerfile*\n");
    shop.project.runs(&["base"]);
    assert_eq!(shop.inside("base", "ls -A /all | head -2; cat /all/notes.txt").lines().last(), Some("notes"));
    shop.project.is_fresh();
}

/// Only whether it can be run counts of a file's mode, so nothing else may arrive.
#[test]
fn modes_arrive_as_they_count() {
    let shop = Shop::of("FROM NAME-from\nCOPY parts /parts\nCOPY --chown=3:4 tool.sh /\n", "");
    for (file, mode) in [("a.txt", 0o600), ("b.txt", 0o4711), ("secret.txt", 0o666)] {
        shop.project.chmod(&format!("builder/parts/{file}"), mode);
    }
    shop.write("builder/.dockerignore", "");
    shop.project.chmod("builder/parts", 0o700);
    shop.project.runs(&["base"]);
    let modes = || shop.inside("base", "stat -c '%a %u %g' /parts /parts/* /tool.sh");
    assert_eq!(modes(), "755 0 0\n644 0 0\n755 0 0\n777 0 0\n644 0 0\n644 3 4");
    shop.project.chmod("builder/parts/a.txt", 0o644);
    shop.project.chmod("builder/parts/b.txt", 0o755);
    shop.project.chmod("builder/parts", 0o755);
    shop.project.is_fresh();
}

#[test]
fn context_behind_a_link_is_looked_into_and_links_out_of_it_lead_nowhere() {
    let shop = Shop::of("FROM NAME-from\nCOPY parts/a.txt outer /\n", "");
    shop.project.rename("builder", "real");
    shop.project.link("real", "builder");
    shop.write("real/parts/a.txt", "behind\n");
    shop.project.link("../app/page.txt", "real/outer");
    let said = shop.project.try_run(&[]);
    assert_eq!(said.code, 1, "{}", said.text);
    shop.write("real/app/page.txt", "inside\n");
    shop.project.runs(&["base"]);
    assert_eq!(shop.inside("base", "cat /a.txt /outer"), "behind\ninside");
    shop.write("real/app/page.txt", "changed\n");
    shop.project.runs(&["base"]);
    assert_eq!(shop.inside("base", "cat /outer"), "changed");
    fs::create_dir_all(shop.project.path("other/parts")).unwrap();
    shop.write("other/Dockerfile", "FROM NAME-from\nCOPY parts/a.txt /\n");
    shop.write("other/parts/a.txt", "other\n");
    shop.project.link("other", "builder");
    shop.project.runs(&["base"]);
    assert_eq!(shop.inside("base", "cat /a.txt"), "other");
    shop.project.is_fresh();
}

/// Two pipelines of one folder, whose nodes have the same names.
#[test]
fn pipelines_of_one_folder_do_not_take_each_others_images() {
    let shop = Shop::of("FROM NAME-from\nARG WORD\nRUN echo $WORD > /word\n", "    arg \"WORD\" \"one\"\n");
    let second =
        shop.project.read("pipeline.kdl").replace("\"one\"", "\"two\"").replace("-base\"", "-second\"");
    shop.project.write("second.kdl", &second);
    shop.project.runs(&["base"]);
    let said = shop.project.try_run(&["-f", "second.kdl"]);
    assert_eq!((said.code, &*said.ran), (0, &["base".to_owned()][..]), "{}", said.text);
    assert_eq!(shop.inside("base", "cat /word"), "one");
    assert_eq!(shop.inside("second", "cat /word"), "two");
    shop.project.is_fresh();
    // With one tag each takes it from the other, without a build.
    shop.project.write("second.kdl", &second.replace("-second\"", "-base\""));
    for (file, word) in [("second.kdl", "two"), ("pipeline.kdl", "one"), ("second.kdl", "two")] {
        let said = shop.project.try_run(&["-f", file]);
        assert_eq!((said.code, said.ran.len(), said.restored.len()), (0, 0, 1), "{}", said.text);
        assert_eq!(shop.inside("base", "cat /word"), word);
    }
}

/// What the image below will bring with it is known before that is built.
#[test]
fn base_that_comes_to_copy_in_builds_on_it_makes_the_whole_context_count() {
    let shop = Shop::whole();
    shop.edit("builder/base.Dockerfile", "COPY parts /parts\n", "COPY parts /parts\nONBUILD COPY . /all\n");
    shop.edit("builder/embed.Dockerfile", "cat /word", "cat /all/notes.txt /word");
    shop.project.runs(&["base", "binary", "embed"]);
    assert_eq!(shop.project.read("build/app"), "notes\none\na\npage\n");
    shop.project.is_fresh();
    shop.write("builder/notes.txt", "other notes\n");
    shop.project.runs(&["binary", "embed"]);
    assert_eq!(shop.project.read("build/app"), "other notes\none\na\npage\n");
    shop.prune("base");
    shop.write("builder/notes.txt", "last notes\n");
    shop.project.runs(&["base", "binary", "embed"]);
    assert_eq!(shop.project.read("build/app"), "last notes\none\na\npage\n");
    // The names that the old image still has say nothing of the new one.
    shop.edit("builder/base.Dockerfile", "ONBUILD COPY . /all\n", "");
    shop.edit("builder/embed.Dockerfile", "cat /all/notes.txt /word", "cat /word");
    shop.project.restores(&["base", "binary", "embed"]);
    shop.write("builder/notes.txt", "nobody copies them\n");
    shop.project.is_fresh();
}
