//! What past builds took, instruction by instruction, and what is told of the next one.

use serde_json::Value;

use super::shop::Shop;

const DOCKERFILE: &str = "FROM NAME-from AS tools\nRUN echo NAME tools > /tool\n\nFROM NAME-from\n\
                          COPY tool.sh /tool.sh\nRUN cat /tool.sh\nCOPY --from=tools /tool /tool\n";

fn advanced(text: &str) -> Vec<Value> {
    let events = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    events.filter(|event| event["event"] == "build_advanced").collect()
}

/// How many builds timed each instruction; none where no build did.
fn samples(shop: &Shop) -> Vec<(String, Option<u64>)> {
    let explained = shop.explained("base");
    let all = explained["instructions"].as_array().unwrap_or_else(|| panic!("{explained}"));
    all.iter()
        .map(|one| (one["text"].as_str().unwrap().to_owned(), one["estimate"]["samples"].as_u64()))
        .collect()
}

fn of(samples: &[(String, Option<u64>)], text: &str) -> Option<u64> {
    samples.iter().find(|(known, _)| known == text).unwrap_or_else(|| panic!("no {text}: {samples:?}")).1
}

#[test]
fn instructions_are_timed_and_what_the_engine_had_is_not() {
    let shop = Shop::of(DOCKERFILE, "");
    // No earlier run of this test has left it in the engine's cache.
    shop.write("builder/tool.sh", "echo NAME\n");
    let tools = format!("RUN echo {} tools > /tool", shop.name);
    let before = samples(&shop);
    assert!(before.iter().all(|(_, samples)| samples.is_none()), "{before:?}");
    let (_, text) = shop.says(&["explain"]);
    assert!(text.contains("4 instructions, no history yet\n"), "{text}");

    let first = advanced(&shop.project.runs(&["base"]).text);
    // Both stages are built on one image, which is one step.
    assert!(first.iter().all(|event| event["left"].is_null() && event["steps"] == 5), "{first:?}");
    assert_eq!(first.last().unwrap()["step"], 5, "{first:?}");
    let told = |event: &Value| event["instruction"] == tools.as_str() && event["node"] == "base";
    assert!(first.iter().any(told), "{first:?}");

    // The first stage comes out of the engine's cache.
    shop.write("builder/tool.sh", "echo NAME again\n");
    let known = samples(&shop);
    assert_eq!((of(&known, &tools), of(&known, "RUN cat /tool.sh")), (Some(1), Some(1)), "{known:?}");
    let second = advanced(&shop.project.runs(&["base"]).text);
    let cat = second.iter().find(|event| event["instruction"] == "RUN cat /tool.sh");
    let cat = cat.unwrap_or_else(|| panic!("{second:?}"));
    assert_eq!(cat["left"]["samples"], 1, "{second:?}");

    // A line above it moves its number, not its name; another text is another instruction.
    let moved = DOCKERFILE.replace("COPY tool.sh", "WORKDIR /x\nCOPY tool.sh").replace("cat /t", "ls /t");
    shop.write("builder/Dockerfile", &moved);
    let known = samples(&shop);
    assert_eq!(of(&known, &tools), Some(1), "what was cached took no time: {known:?}");
    assert_eq!(of(&known, "COPY tool.sh /tool.sh"), Some(2), "{known:?}");
    assert_eq!((of(&known, "RUN ls /tool.sh"), of(&known, "WORKDIR /x")), (None, None), "{known:?}");
}

#[test]
fn a_build_that_fails_leaves_the_times_of_what_went_well() {
    let shop = Shop::of("FROM NAME-from\nRUN echo NAME\nRUN false\n", "");
    assert_eq!(shop.project.try_run(&[]).code, 1);
    let known = samples(&shop);
    assert_eq!(of(&known, &format!("RUN echo {}", shop.name)), Some(1), "{known:?}");
    assert_eq!(of(&known, "RUN false"), None, "{known:?}");
}

#[test]
fn a_failed_instruction_is_annotated_in_the_dockerfile() {
    let mut shop = Shop::of("FROM NAME-from\nRUN true\nRUN false\n", "");
    shop.project.env.insert("GITHUB_ACTIONS".into(), "true".into());
    let (code, text) = shop.says(&["run"]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("\n::error file=builder/Dockerfile,line=3,title=base failed::"), "{text}");
    assert!(
        text.contains(
            "at        builder/Dockerfile:3\n            2 | RUN true\n          > 3 | RUN false\n"
        ),
        "{text}"
    );
}
