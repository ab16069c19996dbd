//! Each answer of the real binary.

use std::collections::BTreeSet;
use std::fs;

use osgraph::report::schema::all;
use serde_json::Value;

use crate::history::world::{SHOP, World};
use crate::schema::assert_fits;

/// Asks, whatever the exit code; each line of the answer has to fit.
fn ask(world: &World, name: &str, args: &[&str], seen: &mut BTreeSet<String>) -> Vec<Value> {
    let (_, out, err) = world.say(&[args, &["--json"]].concat());
    let lines: Vec<Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{args:?}: {error}: {line}")))
        .collect();
    assert!(!lines.is_empty(), "{args:?} answers nothing: {err}");
    lines.iter().for_each(|line| assert_fits(name, line));
    seen.insert(name.to_owned());
    lines
}

/// A shop with a node that fails once, one that is skipped by it, an ignored file that is declared, and a
/// package with facts.
fn world() -> World {
    let world = World::shop();
    world.write(
        "pipeline.kdl",
        &format!(
            "{}\ncommand \"bad\" {{ input \"src/a\"; run \"sh\" \"-c\" \"echo no; ! grep -q one src/a && touch bad.txt\"; output \"bad.txt\"; retries 1; }}\n\
             command \"skipped\" {{ from \"bad\"; input \"src/a\"; tool \"sh\"; secret \"id\" env=\"UNSET\" required=#false; run \"true\"; }}\n\
             group \"everything\" {{ member \"pack\" \"skipped\"; }}\n",
            SHOP.replace("    binary \"lines\"", "    fact \"version\" \"${version}\"\n    provenance \"source\"\n    binary \"lines\"")
                .replace("dir \"src\"", "git \".\"\n    exclude \"/files/\"\n    overlay \"src\""),
        ),
    );
    world.commit();
    world
}

#[test]
fn every_answer_is_what_its_schema_says() {
    let world = world();
    let seen = &mut BTreeSet::new();
    ask(&world, "check", &["check"], seen);
    ask(&world, "graph", &["graph"], seen);
    ask(&world, "explain", &["explain", "everything"], seen);
    ask(&world, "explain", &["run", "-n", "everything"], seen);
    for name in ["explain-last", "stats", "ps", "runs"] {
        let args: &[&str] = if name == "explain-last" { &["explain", "--last"] } else { &[name] };
        ask(&world, name, args, seen);
    }
    let events = ask(&world, "event", &["run", "everything", "-k"], seen);
    assert!(events.iter().any(|event| event["event"] == "node_failed"), "{events:?}");
    assert!(events.iter().any(|event| event["event"] == "node_skipped"), "{events:?}");
    // What differs is of every kind: edited, added, removed; options, parameters, outputs.
    world.write("src/a", "two\n");
    world.write("src/new", "new\n");
    fs::remove_file(world.path("src/b")).unwrap();
    world.write("src/b", "");
    world.write("files/link.txt", "x");
    std::os::unix::fs::symlink("read.me", world.path("files/link")).unwrap();
    ask(&world, "explain", &["explain", "everything", "--set", "token=other"], seen);
    ask(&world, "graph", &["graph", "--verdicts"], seen);
    world.commit();
    ask(&world, "event", &["run", "everything", "--receipt", "r.json"], seen);
    fs::remove_file(world.path("lines.txt")).unwrap();
    ask(&world, "explain", &["explain"], seen);
    ask(&world, "event", &["run", "--force", "app"], seen);
    ask(&world, "event", &["run"], seen);

    let receipt: Value = serde_json::from_str(&world.read("r.json")).unwrap();
    assert_fits("receipt", &receipt);
    seen.insert("receipt".to_owned());
    let manifest: Value = serde_json::from_str(&world.read("pack/build-manifest.json")).unwrap();
    assert!(
        manifest["facts"]["version"] == "1.0" && manifest["provenance"]["source"]["commit"].is_string(),
        "{manifest}"
    );
    assert_fits("build-manifest", &manifest);
    seen.insert("build-manifest".to_owned());

    ask(&world, "explain-against", &["explain", "--against", "r.json"], seen);
    world.write("src/a", "three\n");
    ask(&world, "explain-against", &["explain", "everything", "--against", "r.json"], seen);
    ask(&world, "explain-last", &["explain", "--last", "everything"], seen);
    for path in ["src/a", "src", ".gitignore", "pipeline.kdl", "cache", "nowhere", "pack/bin/lines"] {
        ask(&world, "explain-path", &["explain", "--path", path], seen);
    }
    ask(&world, "stats", &["stats"], seen);
    ask(&world, "runs", &["runs"], seen);
    for run in ["1", "2", "3"] {
        ask(&world, "runs-one", &["runs", run], seen);
        ask(&world, "report", &["report", run], seen);
    }
    ask(&world, "diff", &["diff", "1", "2"], seen);
    ask(&world, "diff", &["diff", "pack@1", "pack@2"], seen);
    ask(&world, "log", &["log", "app"], seen);
    ask(&world, "log", &["log", "lines"], seen);
    ask(&world, "log", &["log", "1"], seen);
    for file in
        ["dist/shop-1.0.tar.gz", "dist/shop-1.0.tar.gz.sha256", "pack/bin/lines", "src/a", ".gitignore"]
    {
        ask(&world, "whence", &["whence", file], seen);
    }
    ask(&world, "verify", &["verify", "pack", "dist/shop-1.0.tar.gz"], seen);
    world.write("pack/read.me", "mine\n");
    world.write("pack/mine", "mine\n");
    ask(&world, "verify", &["verify", "pack"], seen);
    ask(&world, "whence", &["whence", "pack/read.me"], seen);
    ask(&world, "clean", &["clean", "-n"], seen);
    ask(&world, "clean", &["clean"], seen);
    ask(&world, "event", &["run", "pack"], seen);
    ask(&world, "gc", &["gc", "-n"], seen);
    ask(&world, "gc", &["gc", "--max-size", "1KiB"], seen);
    ask(&world, "cache-info", &["cache", "info"], seen);
    ask(&world, "cache-verify", &["cache", "verify"], seen);
    ask(&world, "lock", &["lock", "-n"], seen);
    ask(&world, "lock", &["lock"], seen);
    world.write("pipeline.lock", "lock version=1\n");
    ask(&world, "outdated", &["outdated"], seen);
    ask(&world, "doctor", &["doctor"], seen);
    ask(&world, "init", &["init", "-n"], seen);
    ask(&world, "man", &["man", "pages"], seen);
    ask(&world, "schemas", &["schema"], seen);

    let all: BTreeSet<String> = all().into_iter().map(|one| one.name).collect();
    let unseen: Vec<&String> = all.difference(seen).collect();
    assert!(unseen.is_empty(), "no answer was held to {unseen:?}");
}

#[test]
fn a_damaged_store_and_a_running_node_fit_as_well() {
    let world = World::new(
        "pipeline \"p\"\ncommand \"slow\" isolate=#false { run \"sh\" \"-c\" \"echo begun; while [ ! -e go ]; do sleep 0.05; done; touch o\"; output \"o\"; timeout \"2m\"; }\n",
    );
    let seen = &mut BTreeSet::new();
    let mut run = world.command(&["-q", "run"]).spawn().unwrap();
    let started = std::time::Instant::now();
    while ask(&world, "ps", &["ps"], seen)[0]["running"].as_array().unwrap().is_empty() {
        assert!(started.elapsed() < std::time::Duration::from_secs(60), "it does not begin");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    world.write("go", "");
    assert!(run.wait().unwrap().success());
    // Whatever stands in the store is flipped.
    for folder in ["packs", "blobs"] {
        for entry in fs::read_dir(world.path("cache").join(folder)).unwrap().flatten() {
            if let Ok(mut bytes) = fs::read(entry.path()) {
                bytes.iter_mut().for_each(|byte| *byte ^= 1);
                fs::write(entry.path(), bytes).unwrap();
            }
        }
    }
    let found = ask(&world, "cache-verify", &["cache", "verify"], seen);
    assert!(!found[0]["damages"].as_array().unwrap().is_empty(), "{found:?}");
}
