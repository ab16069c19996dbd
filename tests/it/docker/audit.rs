//! What is odd about a Dockerfile, and the edits that put an end to it: each is applied, and the note
//! goes.

use serde_json::Value;

use crate::causes::project::Project;

/// Notes and edits of the node `embed`.
fn embed(project: &Project) -> (Vec<String>, Vec<Value>) {
    let output = project.osgraph(&["explain", "embed", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let all: Value = serde_json::from_slice(&output.stdout).unwrap();
    let nodes = all["nodes"].as_array().unwrap();
    let node = nodes.iter().find(|one| one["node"] == "embed").unwrap();
    let notes = node["notes"].as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned());
    (notes.collect(), node["edits"].as_array().cloned().unwrap_or_default())
}

/// Does to the pipeline file what an edit says.
fn apply(project: &Project, edit: &Value) {
    let words = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned()).collect()
    };
    let text = project.read("pipeline.kdl");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let at = edit["line"].as_u64().unwrap() as usize - 1;
    let remove = words(&edit["remove"]);
    assert_eq!(lines[at..at + remove.len()], remove, "{edit}");
    lines.splice(at..at + remove.len(), words(&edit["add"]));
    project.write("pipeline.kdl", &(lines.join("\n") + "\n"));
}

/// Applies one edit after the other, each of which must take its note away and bring none; yields the
/// notes that were mended and what is left.
fn mend(project: &Project) -> (Vec<String>, Vec<String>) {
    let mut mended = Vec::new();
    loop {
        let (notes, edits) = embed(project);
        let Some(edit) = edits.first() else { return (mended, notes) };
        let note = notes[edit["note"].as_u64().unwrap() as usize].clone();
        apply(project, edit);
        let (after, _) = embed(project);
        let rest: Vec<&String> = notes.iter().filter(|one| **one != note).collect();
        assert_eq!(after.iter().collect::<Vec<_>>(), rest, "{note}: {edit}");
        mended.push(note);
    }
}

const SOURCE: &str = "source-archive \"source\" {\n    dir \"app\"\n}\n";

fn project_of(pipeline: &str, dockerfile: &str) -> Project {
    let project = Project::new(&format!("pipeline \"p\"\n{SOURCE}{pipeline}"));
    project.write("b/Dockerfile", dockerfile);
    for file in ["app/src/a", "app/docs/page", "app/docs/deep/x", "app/README.md"] {
        project.write(file, file);
    }
    project
}

#[test]
fn applied_edits_put_an_end_to_what_is_odd() {
    let project = project_of(
        r#"base-image "tools" { context "b"; dockerfile "b/tools.Dockerfile"; tag "osgraph-test-audit:1"; }
app-embed "embed" {
    app "source" into="package"
    context "b"
    dockerfile "b/Dockerfile"
    arg "UNUSED" "1"; arg "USED" "1"
    secret "idle" env="IDLE"
    ssh "idle"
}
"#,
        "FROM osgraph-test-audit:1\nARG USED\nCOPY package/src /app\n\
         RUN --mount=type=secret,id=a-key --mount=type=ssh true\n",
    );
    project.write("b/tools.Dockerfile", "FROM scratch\nCOPY Dockerfile /\n");
    let (mended, left) = mend(&project);
    assert_eq!(left, [""; 0]);
    let beginnings = [
        "build argument `UNUSED` is used by nothing",
        "secret `idle` is mounted by no RUN",
        "RUN mounts secret `a-key`, which is not declared",
        "RUN mounts ssh agent `default`, which is not declared",
        "ssh agent `idle` is mounted by no RUN",
        "`README.md`, `docs/` of `source` never reach the image",
        "`osgraph-test-audit:1` is made by `tools`, which this node does not wait for",
    ];
    assert_eq!(mended.len(), beginnings.len(), "{mended:?}");
    for (note, beginning) in mended.iter().zip(beginnings) {
        assert!(note.starts_with(beginning), "{note}");
    }
    let text = project.read("pipeline.kdl");
    for line in [
        "    dir \"app\"\n    exclude \"/README.md\" \"/docs/\"\n",
        "    arg \"USED\" \"1\"\n",
        "    secret \"a-key\" env=\"A_KEY\" required=#false\n",
        "    base \"tools\"\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    // And what was left out runs nothing any more.
    let said = |path: &str| {
        let output = project.osgraph(&["explain", "--path", path, "--json"]);
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    assert_eq!(said("app/docs/page")["runs"], serde_json::json!([]));
    assert_eq!(said("app/src/a")["runs"][0]["node"], "source");
}

#[test]
fn what_another_node_reads_is_not_taken_from_it() {
    let project = project_of(
        "app-embed \"embed\" { app \"source\" into=\"package\"; context \"b\"; dockerfile \"b/Dockerfile\"; }\n\
         command \"other\" { from \"source\"; run \"sh\" \"-c\" \"cp source/README.md other\"; output \"other\"; }\n",
        "FROM scratch\nCOPY package/src /app\n",
    );
    let (notes, edits) = embed(&project);
    assert!(notes.len() == 1 && notes[0].contains("never reach the image"), "{notes:?}");
    assert_eq!(edits, [] as [Value; 0]);
}

#[test]
fn place_that_nothing_reads_and_context_that_nothing_copies_are_mended() {
    let project = project_of(
        "app-embed \"embed\" { app \"source\" into=\"package\"; context \"b\"; dockerfile \"b/Dockerfile\"; }\n",
        "FROM scratch\nCOPY site /site\n",
    );
    let (mended, left) = mend(&project);
    assert_eq!((mended.len(), left.len()), (1, 0), "{mended:?} {left:?}");
    assert!(project.read("pipeline.kdl").contains("app \"source\" into=\"site\";"));

    let project = project_of(
        "app-embed \"embed\" {\n    app \"source\"\n    context \"b\"\n    dockerfile \"b/Dockerfile\"\n}\n",
        "FROM scratch\nENV A=1\n",
    );
    let (mended, left) = mend(&project);
    assert!(mended.len() == 1 && mended[0].contains("copies nothing of the context"), "{mended:?}");
    assert!(left.len() == 1 && left[0].starts_with("`source` stands at `.`"), "{left:?}");
    assert!(!project.read("pipeline.kdl").contains("context"));
}

#[test]
fn edit_is_shown_as_a_difference() {
    let project = project_of(
        "app-embed \"embed\" {\n    app \"source\" into=\"package\"\n    context \"b\"\n    dockerfile \"b/Dockerfile\"\n}\n",
        "FROM scratch\nCOPY package/src /app\n",
    );
    let text = String::from_utf8(project.osgraph(&["explain", "embed"]).stdout).unwrap();
    let file = project.path("pipeline.kdl").display().to_string();
    let expected =
        format!("               └ {file}:4\n                 +     exclude \"/README.md\" \"/docs/\"\n");
    assert!(text.contains(&expected), "{text}");
}
