//! Builds that fail, and recipes with mistakes in them.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::super::engine::image;
use super::shop::Shop;

/// The first event of that name.
fn event(text: &str, name: &str) -> Value {
    let events = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let found = events.into_iter().find(|event| event["event"] == name);
    found.unwrap_or_else(|| panic!("no {name}: {text}"))
}

#[test]
fn failed_step_is_shown_with_its_line_and_its_last_words() {
    let shop = Shop::of("FROM NAME-from\n\nRUN echo begun\nRUN echo last words >&2; false\n", "");
    let said = shop.project.try_run(&[]);
    assert_eq!((said.code, &*said.failed), (1, &["base".to_owned()][..]), "{}", said.text);
    let failed = event(&said.text, "node_failed");
    let message = failed["message"].as_str().unwrap();
    assert!(message.contains("builder/Dockerfile:4"), "{failed}");
    assert!(message.contains("RUN echo last words"), "{failed}");
    let tail: Vec<&str> =
        failed["tail"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    assert!(tail.iter().any(|line| line.ends_with("last words")), "{failed}");
    let log = fs::read_to_string(failed["log"].as_str().unwrap()).unwrap();
    assert!(log.contains("begun") && log.contains("last words"), "{log}");
    assert_eq!(image(&shop.tag("base")), None);
    assert_eq!(shop.images(), [] as [&str; 0]);

    let (code, text) = shop.says(&["run"]);
    assert_eq!(code, 1, "tried again: {text}");
    for words in ["builder/Dockerfile:4", "last words", ".log"] {
        assert!(text.contains(words), "{words} in {text}");
    }
    shop.edit("builder/Dockerfile", "; false", "");
    shop.project.runs(&["base"]);
    shop.project.is_fresh();
}

#[test]
fn step_that_fails_without_a_word_is_shown_without_the_engines_talk() {
    let shop = Shop::of("FROM scratch\nCOPY parts /parts\nCOPY nothing /\n", "");
    let said = shop.project.try_run(&[]);
    let failed = event(&said.text, "node_failed");
    let message = failed["message"].as_str().unwrap();
    assert!(message.contains("builder/Dockerfile:3: `COPY nothing /` failed: "), "{failed}");
    assert_eq!(failed["tail"].as_array().unwrap().len(), 0, "{failed}");
}

#[test]
fn failed_base_skips_what_is_built_on_it_and_keeps_the_old_names() {
    let shop = Shop::whole();
    let before = ["base", "embed"].map(|node| shop.id(node));
    shop.edit("builder/base.Dockerfile", "RUN echo \"$WORD\"", "RUN false && echo \"$WORD\"");
    let said = shop.project.try_run(&[]);
    assert_eq!((said.code, &*said.failed, said.ran.len()), (1, &["base".to_owned()][..], 0), "{}", said.text);
    assert_eq!(["base", "embed"].map(|node| shop.id(node)), before);
    assert_eq!(shop.project.read("build/app"), "one\na\npage\n");
}

#[test]
fn failed_step_is_tried_as_often_as_asked() {
    let shop = Shop::of("FROM NAME-from\nRUN false\n", "retries 2");
    let said = shop.project.try_run(&[]);
    assert_eq!(said.code, 1, "{}", said.text);
    assert_eq!(said.text.matches("\"node_retried\"").count(), 2, "{}", said.text);
}

#[track_caller]
fn is_wrong(shop: &Shop, words: &[&str]) {
    for args in [&["run"][..], &["run", "-n"], &["explain"]] {
        let (code, text) = shop.says(args);
        assert_eq!(code, 2, "{args:?}: {text}");
        for words in words {
            assert!(text.contains(words), "{args:?}: {words} in {text}");
        }
    }
    assert_eq!(shop.images(), [] as [&str; 0]);
}

#[test]
fn mistake_in_the_dockerfile_is_found_before_anything_runs() {
    let shop = Shop::of("FROM NAME-from\nRUN true\nCOPY parts\n", "");
    is_wrong(&shop, &["builder/Dockerfile:3"]);
    shop.write("builder/Dockerfile", "FROM NAME-from\nRUM true\n");
    is_wrong(&shop, &["builder/Dockerfile:2", "RUM"]);
    shop.write("builder/Dockerfile", "");
    is_wrong(&shop, &["builder/Dockerfile:1"]);
}

#[test]
fn pattern_of_the_ignore_file_that_is_none_is_found_before_anything_runs() {
    let shop = Shop::of("FROM NAME-from\nCOPY parts /parts\n", "");
    shop.write("builder/.dockerignore", "*.tmp\n[a\n");
    is_wrong(&shop, &[".dockerignore:2", "[a"]);
}

#[test]
fn target_that_is_no_stage_is_found_before_anything_runs() {
    let shop = Shop::of("FROM NAME-from AS one\nRUN true\n", "target \"two\"");
    is_wrong(&shop, &["builder/Dockerfile:", "two"]);
}

#[test]
fn embed_that_does_not_build_on_its_base_is_found_before_anything_runs() {
    let shop = Shop::whole();
    let before = shop.images();
    shop.edit(
        "builder/embed.Dockerfile",
        "FROM NAME-base".replace("NAME", &shop.name).as_str(),
        "FROM NAME-from",
    );
    let (code, text) = shop.says(&["run"]);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("no `FROM`") && text.contains(&format!("FROM {}", shop.tag("base"))), "{text}");
    assert_eq!(shop.images(), before);
}

#[test]
fn engine_that_is_not_there_ends_the_run_before_any_work() {
    let mut shop = Shop::whole();
    let nowhere = shop.project.path("nowhere.sock");
    shop.project.env.insert("DOCKER_HOST".to_owned(), format!("unix://{}", nowhere.display()));
    shop.write("app/page.txt", "another\n");
    let said = shop.project.try_run(&[]);
    assert_eq!(said.code, 3, "{}", said.text);
    assert!(said.ran.is_empty(), "{}", said.text);
    assert!(said.text.contains("nowhere.sock") && said.text.contains("DOCKER_HOST"), "{}", said.text);
}

/// Where the recipe leaves nothing to ask an engine for.
#[test]
fn engine_that_is_not_there_ends_the_run_before_any_work_whatever_the_recipe() {
    let mut shop = Shop::of("FROM scratch\nCOPY package /package\n", "");
    let embed = "app-embed \"embed\" {\n base \"base\"; app \"source\" into=\"package\"; context \"builder\"\n \
                 platform \"linux/amd64\"; dockerfile \"builder/own.Dockerfile\"\n label \"org.example.test\" \"NAME\" }\n";
    let pipeline = shop.project.read("pipeline.kdl").replace("tag \"", "platform \"linux/amd64\"; tag \"");
    let source = "source-archive \"source\" { dir \"app\" }\n";
    shop.write("pipeline.kdl", &format!("{pipeline}{source}{embed}"));
    shop.write("builder/own.Dockerfile", "FROM NAME-base\nCOPY package /package\n");
    shop.write("builder/Dockerfile", "FROM scratch\nCOPY parts /parts\n");
    let nowhere = shop.project.path("nowhere.sock");
    shop.project.env.insert("DOCKER_HOST".to_owned(), format!("unix://{}", nowhere.display()));
    let said = shop.project.try_run(&[]);
    assert_eq!(said.code, 3, "{}", said.text);
    assert!(said.ran.is_empty() && said.text.contains("nowhere.sock"), "{}", said.text);
    shop.project.env.clear();
    shop.project.runs(&["base", "embed", "source"]);
}

#[test]
fn engine_is_not_needed_for_what_needs_none() {
    let mut shop = Shop::whole();
    let nowhere = shop.project.path("nowhere.sock");
    shop.project.env.insert("DOCKER_HOST".to_owned(), format!("unix://{}", nowhere.display()));
    let said = shop.project.run_with(&["source"]);
    assert_eq!(said.finished["outcome"], "fresh", "{}", said.text);
}

#[test]
fn build_that_takes_too_long_is_ended() {
    let shop = Shop::of("FROM NAME-from\nRUN sleep 61\n", "timeout \"2s\"");
    let began = Instant::now();
    let said = shop.project.try_run(&[]);
    assert_eq!(said.code, 1, "{}", said.text);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    let failed = event(&said.text, "node_failed");
    assert!(failed["message"].as_str().unwrap().contains("2s"), "{failed}");
    assert!(failed["help"].as_str().unwrap().contains("timeout"), "{failed}");
    assert_eq!(shop.images(), [] as [&str; 0]);
}
