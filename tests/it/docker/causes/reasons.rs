//! Every reason that only an image gives, provoked; see `causes::reasons`.

use serde_json::{Value, json};

use super::super::engine::docker;
use super::super::fixture::Fixture;
use super::shop::Shop;
use crate::causes::reasons::{Cause, reasons};

const BASE: &[&str] = &["explain", "base"];

pub const CAUSES: &[Cause<Shop>] = &[
    Cause {
        code: "dockerfile-changed",
        ask: BASE,
        node: "base",
        provoke: |shop| {
            // Other lines, and the same instructions.
            shop.edit("builder/base.Dockerfile", "# The base.\n", "# The base,\n\n# said otherwise.\n");
            shop.project.is_fresh();
            shop.edit("builder/base.Dockerfile", "COPY parts /parts", "COPY parts /pieces");
        },
        label: "dockerfile",
        old: "SCRIPT",
        new: "SCRIPT",
        line: 5,
    },
    Cause {
        code: "from-moved",
        ask: BASE,
        node: "base",
        provoke: Shop::move_from,
        label: "from NAME-from",
        old: "image",
        new: "image",
        line: 5,
    },
    Cause {
        code: "platform-changed",
        ask: BASE,
        node: "base",
        provoke: |shop| shop.project.edit_pipeline("    tag \"", "    platform \"linux/s390x\"\n    tag \""),
        label: "platform",
        old: "OWN",
        new: "\"linux/s390x\"",
        line: 13,
    },
    Cause {
        code: "image-missing",
        ask: BASE,
        node: "base",
        provoke: |shop| shop.prune("base"),
        label: "artifact",
        old: "-",
        new: "-",
        line: 0,
    },
    Cause {
        code: "tag-missing",
        ask: BASE,
        node: "base",
        provoke: |shop| drop(docker(&["image", "rm", &shop.tag("base")])),
        label: "NAME-base",
        old: "-",
        new: "-",
        line: 13,
    },
    Cause {
        code: "tag-moved",
        ask: BASE,
        node: "base",
        provoke: |shop| drop(docker(&["tag", Fixture::busybox(), &shop.tag("base")])),
        label: "NAME-base",
        old: "-",
        new: "-",
        line: 13,
    },
];

fn ask(shop: &Shop, args: &[&str]) -> Value {
    let output = shop.project.osgraph(&[args, &["--json"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn every_reason_of_images_is_told_with_its_values_its_line_and_its_mend() {
    let own = docker(&["version", "--format", "{{.Server.Os}}/{{.Server.Arch}}"]);
    for cause in CAUSES {
        let shop = Shop::base();
        (cause.provoke)(&shop);
        let plain = |text: &str| match text.replace(&shop.name, "NAME").replace(&own, "OWN") {
            script if script.contains("COPY parts") => "SCRIPT".to_owned(),
            platform if platform == "\"OWN\"" => "OWN".to_owned(),
            other => other,
        };
        let one = cause.check(&ask(&shop, cause.ask), plain);
        assert!(one["mend"].is_string(), "{one}");
        let (_, text) = shop.says(cause.ask);
        assert!(text.contains(&format!("mend: {}\n", one["mend"].as_str().unwrap())), "{text}");
        let file = "builder/base.Dockerfile";
        let told = match cause.code {
            "dockerfile-changed" => {
                json!([{ "file": file, "line": 10, "old": "COPY parts /parts", "new": "COPY parts /pieces" }])
            }
            "from-moved" => json!([{ "file": file, "line": 6, "new": "FROM ${IMAGE} AS tools" }]),
            _ => Value::Null,
        };
        assert_eq!(one["instructions"], told, "{one}");
    }
}

#[test]
fn changed_file_of_a_context_is_told_with_the_instruction_that_copies_it() {
    let shop = Shop::base();
    shop.write("builder/parts/a.txt", "changed\n");
    shop.write("builder/releases/1/data.txt", "changed\n");
    let all = reasons(&ask(&shop, BASE), "base");
    assert_eq!((all.len(), &all[0]["label"], &all[0]["line"]), (1, &json!("context"), &json!(4)), "{all:?}");
    let file = "builder/base.Dockerfile";
    assert_eq!(
        all[0]["instructions"],
        json!([
            { "file": file, "line": 8, "new": "COPY parts /parts", "changes": [0] },
            // It is reached through a link.
            { "file": file, "line": 9, "new": "COPY current/data.txt tool.sh /tools/", "changes": [1] },
        ]),
        "{all:?}"
    );
    let (_, text) = shop.says(BASE);
    let line =
        ":4, by `COPY parts /parts` at builder/base.Dockerfile:8, by `COPY current/data.txt tool.sh /tools/`";
    assert!(text.contains(line), "{text}");
}
