use super::*;
use crate::digest::Digest;
use crate::key::{Facet, Value};
use crate::path::RelPath;
use crate::pipeline::Kind;
use crate::plan::{Baseline, Code, Estimate, Layer, Reason};
use crate::record::RunId;
use crate::tree::{Change, ChangeKind, Entry};

const NOW: i64 = 1_795_450_000;

fn node(name: &str) -> NodeName {
    NodeName(name.into())
}

fn explanation(name: &str, verdict: Verdict<NodeName>) -> Explanation {
    Explanation {
        node: node(name),
        kind: Kind::Command,
        verdict,
        key: None,
        baseline: Some(Baseline {
            run: RunId(41),
            revision: Some("main@9f2c".into()),
            started: NOW - 3 * 3_600,
            duration_ms: 125_000,
            last_success: true,
        }),
        unchanged: [3, 0, 2],
        estimate: None,
        identical: None,
        instructions: vec![],
        upstreams: vec![],
        downstream: vec![],
        notes: vec![],
        edits: vec![],
    }
}

fn estimate(median_ms: u64) -> Option<Estimate> {
    Some(Estimate { median_ms, low_ms: median_ms - 15_000, high_ms: median_ms + 25_000, samples: 14 })
}

fn changed(path: &str, sizes: (u64, u64)) -> Change {
    let file = |size: u64| Entry::File { digest: Digest::of(&size.to_le_bytes()), size, executable: false };
    Change {
        path: RelPath::parse(path).unwrap(),
        kind: ChangeKind::Modified,
        old: Some(file(sizes.0)),
        new: Some(file(sizes.1)),
    }
}

/// A pipeline in which one source file was edited.
fn edited() -> Vec<Explanation> {
    let mut input = Reason::new(Code::InputChanged, Facet::Own, "input app");
    input.changes = vec![changed("src/A.php", (4_200, 4_400)), changed("src/B.php", (10, 20))];
    input.line = Some(30);
    input.uncommitted = vec![1];
    let mut embed = explanation("embed", Verdict::Stale(vec![input]));
    embed.estimate = estimate(125_000);
    embed.unchanged = [7, 5, 1];
    embed.upstreams = vec![(node("base"), "fresh")];
    embed.downstream = vec![node("binary"), node("dist")];
    embed.notes = vec!["1 file is not committed".into()];

    let mut binary = explanation("binary", Verdict::Waiting(vec![node("embed")]));
    binary.estimate = estimate(30_000);
    binary.downstream = vec![node("dist")];
    let mut dist = explanation("dist", Verdict::Waiting(vec![node("binary"), node("source")]));
    dist.baseline = None;

    let mut missing = Reason::new(Code::OutputMissing, Facet::Own, "dist-native");
    let mut altered = Reason::new(Code::OutputAltered, Facet::Own, "dist-native/config");
    altered.changes = vec![changed("x.php", (1, 2))];
    missing.line = Some(50);
    let native = explanation("native", Verdict::Restorable(vec![missing, altered]));
    vec![explanation("base", Verdict::Fresh), embed, binary, dist, native]
}

fn shown(explanations: &[Explanation], palette: Palette) -> String {
    along(explanations, &Course::default(), palette)
}

fn along(explanations: &[Explanation], course: &Course, palette: Palette) -> String {
    text(
        explanations,
        course,
        &Context { now: NOW, file: "pipeline.kdl", params: &[], palette, columns: None },
    )
}

#[test]
fn an_edit_is_explained_from_cause_to_cascade() {
    let critical = vec![node("embed"), node("binary")];
    let course = Course { estimate: estimate(155_000), untimed: 1, jobs: 2, critical };
    assert_eq!(
        along(&edited(), &course, Palette::PLAIN),
        "\
1 root cause
  embed  `input app` changed: `src/A.php` and 1 more path
1 node runs (~2m05s), up to 2 may follow (~30s more, 1 never timed), 1 is restored, 1 is fresh
~2m35s (2m20s–3m00s) with 2 nodes at a time, along embed → binary

embed   REBUILD  ~2m05s (1m50s–2m30s over 14 runs)  compared with run 41, main@9f2c, 3 h ago
  own          `input app` changed: 2 paths
               M  src/A.php   4.1 → 4.3 KiB
               M  src/B.php   10 → 20 B   uncommitted
               └ pipeline.kdl:30
  environment  unchanged (5)
  upstream     `base` fresh
  downstream   binary, dist — fresh if `embed` comes out identical
  note         1 file is not committed

binary  PERHAPS  ~30s (15s–55s over 14 runs)  compared with run 41, main@9f2c, 3 h ago
  upstream     fresh if `embed` comes out identical
  downstream   dist — fresh if `binary` comes out identical

dist    PERHAPS  no history yet
  upstream     fresh if `binary` and `source` come out identical

native  RESTORE  as in run 41, main@9f2c, 3 h ago, made in 2m05s; same: 3 own, 2 upstream
  outputs      output `dist-native` is missing
               └ pipeline.kdl:50
               output `dist-native/config` was altered: 1 path
               M  x.php   1 → 2 B

base    FRESH    as in run 41, main@9f2c, 3 h ago, made in 2m05s; same: 3 own, 2 upstream
"
    );
}

#[test]
fn a_node_stale_through_others_is_no_root_cause() {
    let mut upstream = Reason::new(Code::UpstreamStale, Facet::Upstream, "base");
    upstream.node = Some(node("base"));
    let mut embed = explanation("embed", Verdict::Stale(vec![upstream]));
    embed.upstreams = vec![(node("base"), "stale"), (node("app"), "fresh")];
    embed.unchanged = [4, 0, 1];
    let mut base = explanation("base", Verdict::Stale(vec![Reason::new(Code::NeverBuilt, Facet::Own, "")]));
    base.baseline = None;
    base.unchanged = [0; 3];
    assert_eq!(
        shown(&[embed, base], Palette::PLAIN),
        "\
1 root cause
  base  never built
2 nodes run

base   REBUILD  no history yet
  because      never built

embed  REBUILD  no history yet  compared with run 41, main@9f2c, 3 h ago
  own          unchanged (4)
  upstream     `base` must run first
               `app` fresh
"
    );
}

#[test]
fn the_nearest_record_is_named_as_such_and_the_environment_has_its_block() {
    let mut tool = Reason::new(Code::EnvironmentChanged, Facet::Environment, "tool cc");
    tool.old = Some(Value::Text("cc 13".into()));
    tool.new = Some(Value::Text("cc 14".into()));
    let mut node = explanation("a", Verdict::Stale(vec![tool]));
    node.baseline.as_mut().unwrap().last_success = false;
    assert_eq!(
        shown(&[node], Palette::PLAIN),
        "\
1 root cause
  a  `tool cc` changed: \"cc 13\" → \"cc 14\"
1 node runs

a  REBUILD  no history yet  nearest is run 41, main@9f2c, 3 h ago
  own          unchanged (3)
  environment  `tool cc` changed: \"cc 13\" → \"cc 14\"
"
    );
}

#[test]
fn long_lists_are_counted() {
    let mut input = Reason::new(Code::InputChanged, Facet::Own, "input app");
    input.changes = (0..100).map(|n| changed(&format!("f{n:03}"), (1, 2))).collect();
    input.more = true;
    let shown = shown(&[explanation("a", Verdict::Stale(vec![input]))], Palette::PLAIN);
    assert!(shown.contains("`input app` changed: more than 100 paths\n"), "{shown}");
    assert!(shown.contains("M  f009   1 → 2 B\n               … and more than 90 more\n"), "{shown}");
    assert!(!shown.contains("f010"), "{shown}");
}

#[test]
fn all_fresh_is_short() {
    let all = [explanation("a", Verdict::Fresh), explanation("b", Verdict::Fresh)];
    assert!(shown(&all, Palette::PLAIN).starts_with("2 nodes are fresh\n\na  FRESH  "));
    assert_eq!(shown(&all, Palette::PLAIN).lines().count(), 4, "fresh nodes stand close");
    assert_eq!(shown(&[], Palette::PLAIN), "no nodes\n");
}

#[test]
fn a_lost_package_of_a_thousand_files_is_short() {
    let reasons =
        (0..1_000).map(|n| Reason::new(Code::OutputMissing, Facet::Own, format!("o/{n:03}"))).collect();
    let shown = shown(&[explanation("a", Verdict::Restorable(reasons))], Palette::PLAIN);
    assert!(shown.contains("output `o/009` is missing\n               … and 990 more\n"), "{shown}");
    assert!(!shown.contains("o/010"), "{shown}");
}

#[test]
fn what_follows_a_verdict_is_broken_where_a_terminal_ends() {
    let context =
        Context { now: NOW, file: "pipeline.kdl", params: &[], palette: Palette::PLAIN, columns: Some(60) };
    let mut fresh = explanation("a", Verdict::Fresh);
    fresh.unchanged = [3, 1, 2];
    let shown = text(&[fresh], &Course::default(), &context);
    assert!(shown.lines().all(|line| crate::report::text::width(line) <= 60), "{shown}");
    let turned: Vec<&str> = shown.lines().filter(|line| line.starts_with("            ")).collect();
    assert!(
        !turned.is_empty() && turned.iter().all(|line| line.find(char::is_alphanumeric) == Some(12)),
        "{shown}"
    );
}

#[test]
fn parameters_stand_below() {
    let param = Param { name: "version".into(), value: "1".into(), origin: "default", from: None };
    let context = Context {
        now: NOW,
        file: "pipeline.kdl",
        params: std::slice::from_ref(&param),
        palette: Palette::PLAIN,
        columns: None,
    };
    let shown = text(&[explanation("a", Verdict::Fresh)], &Course::default(), &context);
    assert!(shown.ends_with("\n\nparameters\n  version  1  default\n"), "{shown}");
    assert!(
        json(&[], "p", &[param], &Course::default())
            .contains(r#""params":[{"name":"version","value":"1","origin":"default"}]"#)
    );
}

#[test]
fn colours_change_nothing_else() {
    let coloured = shown(&edited(), Palette::COLOURED);
    assert!(coloured.contains("\x1b[33mREBUILD\x1b[0m"), "{coloured}");
    let bare: Vec<_> = coloured.lines().map(crate::report::text::clean).collect();
    assert_eq!(bare.join("\n") + "\n", shown(&edited(), Palette::PLAIN));
}

#[test]
fn json_is_stable() {
    let mut stale = explanation("a", Verdict::Stale(vec![Reason::new(Code::Forced, Facet::Own, "x")]));
    stale.upstreams = vec![(node("b"), "fresh")];
    let waiting = Explanation { baseline: None, ..explanation("c", Verdict::Waiting(vec![node("a")])) };
    assert_eq!(
        json(&[stale, waiting, explanation("d", Verdict::Fresh)], "pipeline.kdl", &[], &Course::default()),
        concat!(
            r#"{"v":1,"file":"pipeline.kdl","params":[],"course":{"untimed":0,"jobs":0,"critical":[]},"nodes":["#,
            r#"{"node":"a","kind":"command","verdict":{"stale":[{"code":"forced","facet":"own","label":"x","more":false}]},"#,
            r#""baseline":{"run":41,"revision":"main@9f2c","started":1795439200,"duration_ms":125000,"last_success":true},"#,
            r#""unchanged":[3,0,2],"upstreams":[["b","fresh"]],"downstream":[],"notes":[]},"#,
            r#"{"node":"c","kind":"command","verdict":{"waiting":["a"]},"#,
            r#""unchanged":[3,0,2],"upstreams":[],"downstream":[],"notes":[]},"#,
            r#"{"node":"d","kind":"command","verdict":"fresh","#,
            r#""baseline":{"run":41,"revision":"main@9f2c","started":1795439200,"duration_ms":125000,"last_success":true},"#,
            r#""unchanged":[3,0,2],"upstreams":[],"downstream":[],"notes":[]}]}"#,
            "\n"
        )
    );
}

#[test]
fn the_longest_instructions_are_listed_as_they_stand() {
    let instruction = |line: u32, text: &str, seconds: Option<u64>| Layer {
        line,
        text: text.to_owned(),
        estimate: seconds.and_then(|seconds| estimate(seconds * 1_000)),
    };
    let mut base = explanation("base", Verdict::Stale(vec![]));
    base.unchanged = [0; 3];
    base.instructions = vec![
        instruction(2, "COPY a /a", None),
        instruction(3, "RUN apt-get install", Some(60)),
        instruction(4, &format!("RUN make {}", "x".repeat(99)), Some(660)),
        instruction(9, "RUN strip", Some(15)),
    ];
    let list = shown(&[base.clone()], Palette::PLAIN);
    let expected = "\
  dockerfile   4 instructions, 1 never timed; the longest, unless the engine has them:
               ~1m00s (45s–1m25s over 14 runs)       RUN apt-get install   line 3
               ~11m00s (10m45s–11m25s over 14 runs)  RUN make xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…   line 4
               ~15s (0 ms–40s over 14 runs)          RUN strip   line 9
";
    assert!(list.ends_with(expected), "{list}");
    base.instructions.iter_mut().for_each(|one| one.estimate = None);
    let list = shown(&[base], Palette::PLAIN);
    assert!(list.ends_with("  dockerfile   4 instructions, no history yet\n"), "{list}");
}
