//! The dialects of CI machines.

use std::fs;
use std::process::Output;

use crate::causes::project::Project;

const PIPELINE: &str = r#"pipeline "shop"

command "good" {
    run "sh" "-c" "echo ::set-env name=X::1; echo fine > good"
    output "good"
}

command "bad" isolate=#false {
    from "good"
    secret "deploy" env="DEPLOY"
    run "sh" "-c" "echo the word is $DEPLOY | tee /dev/stderr; exit 3"
    output "bad"
}

command "after" { from "bad"; run "sh" "-c" "cat bad > after"; output "after"; }
"#;

/// A project below a repository's root, with the variables of a GitHub runner.
fn on_github() -> (Project, std::path::PathBuf) {
    let mut project = Project::new(PIPELINE);
    let summary = project.folder.path().join("summary.md");
    let workspace = project.folder.path().display().to_string();
    for (name, value) in [
        ("GITHUB_ACTIONS", "true"),
        ("CI", "true"),
        ("GITHUB_WORKSPACE", &workspace),
        ("GITHUB_STEP_SUMMARY", &summary.display().to_string()),
        ("DEPLOY", "planted-secret"),
    ] {
        project.env.insert(name.to_owned(), value.to_owned());
    }
    (project, summary)
}

fn log(project: &Project, args: &[&str], code: i32) -> String {
    let Output { status, stderr, .. } = project.osgraph(args);
    let text = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(code), "{text}");
    text
}

#[test]
fn github_gets_groups_annotations_at_lines_and_a_page() {
    let (project, summary) = on_github();
    fs::write(&summary, "what another step of the job wrote\n").unwrap();
    let text = log(&project, &["run"], 1);
    assert_eq!(text.matches("::group::").count(), text.matches("::endgroup::").count(), "{text}");
    assert!(text.contains("::group::output of good\n| ::set-env name=X::1\n::endgroup::\n"), "{text}");
    let mark = "::error file=work/pipeline.kdl,line=11,title=bad failed::`sh -c ";
    assert!(text.lines().any(|line| line.starts_with(mark)), "{mark} is not in {text}");
    assert!(!text.contains("planted-secret"), "{text}");

    let page = fs::read_to_string(&summary).unwrap();
    assert!(
        page.starts_with("what another step of the job wrote\n### shop failed: 1 failed, 1 skipped, 1 ran"),
        "{page}"
    );
    for part in [
        "**`bad` failed**: `sh -c",
        "at `pipeline.kdl:11`",
        "\n| `good` | ran | ",
        "| never built |\n",
        "\n| `bad` | **failed** | ",
        "\n| `after` | skipped |  | `bad` failed |\n",
    ] {
        assert!(page.contains(part), "{part:?} is not in {page}");
    }
    assert!(!page.contains("planted-secret"), "{page}");
}

#[test]
fn github_is_told_of_runs_that_do_nothing_and_of_mistakes() {
    let (project, summary) = on_github();
    log(&project, &["run", "good"], 0);
    fs::write(&summary, "").unwrap();
    for _ in 0..2 {
        log(&project, &["run", "good"], 0);
    }
    let page = fs::read_to_string(&summary).unwrap();
    assert_eq!(page.matches(" fresh: 1 node (").count(), 2, "{page}");
    project.edit_pipeline("run \"sh\"", "rum \"sh\"");
    let text = log(&project, &["run"], 2);
    assert!(text.contains("::error file="), "{text}");
}

#[test]
fn a_page_that_is_full_is_left_as_it_is() {
    let (project, summary) = on_github();
    let full = "x".repeat(1 << 20);
    fs::write(&summary, &full).unwrap();
    log(&project, &["run", "good"], 0);
    assert!(fs::read_to_string(&summary).unwrap() == full);
    // A page that cannot be written is no reason to fail.
    fs::remove_file(&summary).unwrap();
    fs::create_dir(&summary).unwrap();
    log(&project, &["run", "good", "--force", "good"], 0);
}

#[test]
fn gitlab_gets_sections_with_a_begin_and_an_end() {
    let (mut project, summary) = on_github();
    for name in ["GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"] {
        project.env.remove(name);
    }
    project.env.insert("GITLAB_CI".into(), "true".into());
    let mut command = project.command(&["run"]);
    command.env_remove("GITHUB_ACTIONS").env_remove("GITHUB_STEP_SUMMARY");
    let text = String::from_utf8(command.output().unwrap().stderr).unwrap();
    let marks = |kind: &str| -> Vec<(i64, String)> {
        let of = |line: &str| {
            let rest = line.split(&format!("\x1b[0K{kind}:")).nth(1)?.to_owned();
            let (time, id) = rest.split_once(':')?;
            let id = id.split(['[', '\r']).next()?;
            Some((time.parse().unwrap(), id.to_owned()))
        };
        text.lines().filter_map(of).collect()
    };
    let (starts, ends) = (marks("section_start"), marks("section_end"));
    assert!(starts.len() >= 2, "{text:?}");
    let ids = |marks: &[(i64, String)]| marks.iter().map(|(_, id)| id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&starts), ids(&ends), "{text:?}");
    for ((start, id), (end, _)) in starts.iter().zip(&ends) {
        assert!(end >= start && id.starts_with("osgraph_"), "{id}: {start} {end}");
    }
    assert!(!text.contains("planted-secret") && !summary.exists(), "{text:?}");
}
