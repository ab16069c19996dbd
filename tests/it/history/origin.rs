//! `whence`: what made a file.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::history::world::{World, has};

/// Names of the nodes that something was made from, top first.
fn line(made: &Value) -> Vec<String> {
    let mut names = vec![made["node"].as_str().unwrap().to_owned()];
    if let Some(first) = made["from"].get(0) {
        names.extend(line(first));
    }
    names
}

#[test]
fn a_published_file_is_from_the_node_that_published_it() {
    let world = World::shop();
    world.run();
    let text = world.ok(&["whence", "lines.txt"]);
    has(
        &text,
        &[
            "lines.txt  2 B  ",
            "is `lines.txt` in the artifact of `lines`",
            "lines  run 1, main@",
            "  app  run 1, main@",
            "    source  run 1, main@",
        ],
    );
    let json = world.json(&["whence", "lines.txt"]);
    assert_eq!((&json["file"], &json["size"]), (&json!("lines.txt"), &json!(2)));
    assert_eq!(json["origin"]["member"], "lines.txt");
    assert_eq!(line(&json["origin"]["made"]), ["lines", "app", "source"]);
    assert_eq!(json["origin"]["made"]["run"]["id"], 1);
    assert!(json.get("altered").is_none());
    // The same content in a package is the package's, and from elsewhere the first that had it.
    let json = world.json(&["whence", "pack/bin/lines"]);
    assert_eq!(
        (&json["origin"]["member"], &json["origin"]["made"]["node"]),
        (&json!("bin/lines"), &json!("pack"))
    );
    fs::copy(world.path("lines.txt"), world.path("copied.json")).unwrap();
    has(&world.ok(&["whence", "copied.json"]), &["in the artifact of `"]);
}

#[test]
fn archives_their_checksums_and_what_was_unpacked_from_them_are_known() {
    let world = World::shop();
    world.run();
    has(&world.ok(&["whence", "dist/shop-1.0.tar.gz"]), &["is an archive of `pack`", "  lines  run 1"]);
    let json = world.json(&["whence", "dist/shop-1.0.tar.gz"]);
    assert_eq!(json["origin"]["is_archive"], true);
    has(&world.ok(&["whence", "dist/shop-1.0.tar.gz.sha256"]), &["is the checksum of an archive of `pack`"]);
    assert_eq!(world.json(&["whence", "dist/shop-1.0.tar.gz.sha256"])["origin"]["is_checksum"], true);

    // On another place of the machine, as after a deployment.
    let elsewhere = tempfile::tempdir_in("/var/tmp").unwrap();
    let tar = Command::new("tar")
        .arg("-xzf")
        .arg(world.path("dist/shop-1.0.tar.gz"))
        .arg("-C")
        .arg(elsewhere.path())
        .status()
        .unwrap();
    assert!(tar.success());
    let member = elsewhere.path().join("shop-1.0/read.me");
    let member = member.to_str().unwrap();
    has(&world.ok(&["whence", member]), &[member, "is `read.me` in the artifact of `pack`"]);
    let copy = elsewhere.path().join("copy.tar.gz");
    fs::copy(world.path("dist/source-1.0.tar.gz"), &copy).unwrap();
    has(&world.ok(&["whence", copy.to_str().unwrap()]), &["is an archive of `source`"]);
}

#[test]
fn what_was_put_back_is_from_the_run_that_made_it() {
    let world = World::shop();
    world.run();
    let first = fs::read(world.path("dist/shop-1.0.tar.gz")).unwrap();
    world.edit("src/a", "1\n2\n");
    assert_ne!(fs::read(world.path("dist/shop-1.0.tar.gz")).unwrap(), first);
    world.edit("src/a", "one\n");
    assert_eq!(fs::read(world.path("dist/shop-1.0.tar.gz")).unwrap(), first);
    for file in ["dist/shop-1.0.tar.gz", "pack/bin/lines", "lines.txt"] {
        let json = world.json(&["whence", file]);
        assert_eq!(json["origin"]["made"]["run"]["id"], 1, "{json}");
    }
}

#[test]
fn an_altered_file_is_told_from_an_unknown_one() {
    let world = World::shop();
    world.run();
    for file in ["pack/bin/lines", "lines.txt"] {
        world.write(file, "mine\n");
        let (code, out, err) = world.say(&["whence", file]);
        assert_eq!(code, 1, "{out}{err}");
        has(
            &out,
            &["altered since `", "was published here in run 1", "nothing in this store has that content"],
        );
        let (_, out, _) = world.say(&["whence", file, "--json"]);
        let json: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((&json["altered"]["run"], &json["origin"]), (&json!(1), &json!(null)));
    }
    for file in ["pack/mine", "files/notes"] {
        world.write(file, "something else\n");
        let (code, out, err) = world.say(&["whence", file]);
        assert_eq!(code, 1, "{out}{err}");
        assert!(!out.contains("altered") && out.contains("nothing in this store"), "{out}");
    }
}

#[test]
fn what_is_no_file_is_refused_with_a_mend() {
    let world = World::shop();
    world.run();
    let (code, said) = world.refused(&["whence", "nowhere"]);
    assert!(code == 3 && said.contains("there is no `nowhere`"), "{said}");
    let (code, said) = world.refused(&["whence", "pack"]);
    assert!(code == 2 && said.contains("`pack` is no file"), "{said}");
}

#[test]
fn a_pipeline_of_diamonds_is_told_once() {
    let mut pipeline = "pipeline \"p\"\ncommand \"n0\" { run \"touch\" \"o0\"; output \"o0\"; }\n".to_owned();
    for n in 1..=24 {
        let up = n - 1;
        pipeline.push_str(&format!(
            "command \"l{n}\" {{ from \"n{up}\"; run \"sh\" \"-c\" \"echo l{n} > l{n}\"; output \"l{n}\"; }}\n\
             command \"r{n}\" {{ from \"n{up}\"; run \"sh\" \"-c\" \"echo r{n} > r{n}\"; output \"r{n}\"; }}\n\
             command \"n{n}\" {{ from \"l{n}\"; from \"r{n}\"; run \"sh\" \"-c\" \"cat l{n} r{n} > o{n}\"; output \"o{n}\"; }}\n",
        ));
    }
    let world = World::new(&pipeline);
    world.run();
    let text = world.ok(&["whence", "o24"]);
    // Two ways lead through each of 24: sixteen million lines, were each told.
    assert!(text.lines().count() < 1_000, "{}", text.lines().count());
    has(&text, &["is `o24` in the artifact of `n24`", "(told above)"]);
}
