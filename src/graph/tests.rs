use std::fmt::Write;

use super::*;
use crate::pipeline::tests::{marked, resolve, source};

fn build(body: &str) -> (String, Result<Graph, Diagnostics>) {
    let text = format!("pipeline \"p\"\n{body}");
    let pipeline = resolve(&text).unwrap_or_else(|mistakes| panic!("{:#?}", mistakes.list));
    let graph = Graph::build(&pipeline, &source(&text));
    (text, graph)
}

fn graph(body: &str) -> Graph {
    build(body).1.unwrap_or_else(|mistakes| panic!("{:#?}", mistakes.list))
}

fn names(graph: &Graph, nodes: &[NodeIndex]) -> Vec<String> {
    nodes.iter().map(|node| graph.name(*node).0.clone()).collect()
}

fn reads(graph: &Graph, name: &str) -> Vec<(String, String)> {
    let upstreams = graph.upstreams(graph.find(name).unwrap());
    upstreams.iter().map(|up| (graph.name(up.node).0.clone(), up.role.to_string())).collect()
}

fn pair(a: &str, b: &str) -> (String, String) {
    (a.to_owned(), b.to_owned())
}

const EMBED: &str = r#"
dist-docker { output "dist"; binary "binary" into="app/run" }
binary-extract "binary" { image "embed"; path "/dist/app"; output "common/app" }
app-embed "embed" { base "base"; app "source"; context "b" }
source-archive "source" { dir "app" }
base-image "base" { context "b"; tag "base" }
command "lint" { run "x"; after "source" }
group "all" { member "dist-docker" "lint" }
"#;

#[test]
fn upstreams_are_labelled_by_their_role() {
    let graph = graph(EMBED);
    assert_eq!(reads(&graph, "dist-docker"), [pair("binary", "binary app/run")]);
    assert_eq!(reads(&graph, "binary"), [pair("embed", "image")]);
    assert_eq!(reads(&graph, "embed"), [pair("base", "base"), pair("source", "app")]);
    assert_eq!(reads(&graph, "lint"), [pair("source", "after")]);
    assert_eq!(reads(&graph, "all"), [pair("dist-docker", "member"), pair("lint", "member")]);
    let source = graph.find("source").unwrap();
    let readers: Vec<_> =
        graph.downstreams(source).iter().map(|down| graph.name(down.node).0.clone()).collect();
    assert_eq!(readers, ["embed", "lint"]);
}

#[test]
fn a_dist_tells_only_of_what_went_into_it() {
    let told = |names: &str| {
        let binary = "binary \"binary\" into=\"app/run\"";
        EMBED.replace(binary, &format!("{binary}; provenance {names}"))
    };
    let graph = graph(&told("\"source\" \"base\""));
    let both = [pair("binary", "binary app/run"), pair("source", "provenance"), pair("base", "provenance")];
    assert_eq!(reads(&graph, "dist-docker"), both);
    // What only comes before, or is told of itself, is no part.
    let lint = "command \"lint\" { run \"x\"; output \"l\"; after \"source\" }";
    let other = "dist-native { output \"n\"; provenance \"source\" }";
    let text = told("\"lint\"").replace("command \"lint\" { run \"x\"; after \"source\" }", lint) + other;
    let (text, built) = build(&text);
    let found = built.unwrap_err().list;
    let shown: Vec<_> =
        found.iter().map(|one| (one.code, marked(&text, one), one.message.as_str())).collect();
    assert_eq!(
        shown,
        [
            ("not-in-dist", "\"lint\"", "`lint` does not go into `dist-docker`"),
            ("not-in-dist", "\"source\"", "`source` does not go into `dist-native`")
        ]
    );
}

#[test]
fn artifacts_stand_at_their_natural_places() {
    let graph = graph(
        r#"command "c" { run "x"; output "o/a" "o/b" }
           binary-extract "e" { image "c"; path "/x/app"; output "bin/app" }
           binary-extract "f" { image "c"; path "/x/tool" }
           source-archive "s" { dir "app" }
           command "r" { run "x"; from "c"; from "e"; from "f"; from "s"; from "c" into="elsewhere" }"#,
    );
    let labels: Vec<_> = reads(&graph, "r").into_iter().map(|(_, label)| label).collect();
    assert_eq!(labels, ["from o/a, o/b", "from bin/app", "from tool", "from s", "from elsewhere"]);
}

#[test]
fn two_artifacts_in_one_place_are_refused() {
    let (text, built) = build(
        r#"source-archive "a" { dir "x" }
           source-archive "b" { dir "y" }
           command "c" { run "x"; from "a" into="t"; from "b" into="t" }"#,
    );
    let found = built.unwrap_err().list;
    assert_eq!((found.len(), found[0].code, marked(&text, &found[0])), (1, "same-place", "\"b\""));
}

#[test]
fn an_input_that_another_node_writes_is_read_from_that_node() {
    let graph = graph(
        r#"command "gen" { run "x"; output "out/gen" }
           command "a" { run "x"; input "out/gen" }
           command "b" { run "x"; input "out/gen/part/file" }
           command "c" { run "x"; input "out" }
           command "d" { run "x"; input "out/generated" }"#,
    );
    assert_eq!(reads(&graph, "a"), [pair("gen", "input out/gen")]);
    assert_eq!(reads(&graph, "b"), [pair("gen", "input out/gen/part/file")]);
    assert!(reads(&graph, "c").is_empty(), "a folder that holds outputs is read without them");
    assert!(reads(&graph, "d").is_empty());
}

#[test]
fn closures_are_in_order_and_ties_follow_the_file() {
    let graph = graph(EMBED);
    let all = graph.targets(&[]).unwrap();
    assert_eq!(names(&graph, &all), ["all"]);
    let order = names(&graph, &graph.closure(&all));
    assert_eq!(order, ["source", "base", "embed", "binary", "dist-docker", "lint", "all"]);
    let base = graph.find("base").unwrap();
    assert_eq!(names(&graph, &graph.affected(&[base])), ["base", "embed", "binary", "dist-docker", "all"]);
}

#[test]
fn targets_are_names_or_defaults_or_all_that_nobody_reads() {
    let text = "pipeline \"p\" { default \"b\" }\ncommand \"a\" { run \"x\" }\ncommand \"b\" { run \"x\" }";
    let with_default = Graph::build(&resolve(text).unwrap(), &source(text)).unwrap();
    assert_eq!(names(&with_default, &with_default.targets(&[]).unwrap()), ["b"]);
    let graph = graph("command \"alpha\" { run \"x\" }\ncommand \"beta\" { run \"x\" }");
    assert_eq!(names(&graph, &graph.targets(&[]).unwrap()), ["alpha", "beta"]);
    let twice = ["beta".to_owned(), "beta".to_owned()];
    assert_eq!(names(&graph, &graph.targets(&twice).unwrap()), ["beta"]);
    let unknown = graph.targets(&["alhpa".to_owned(), "zzz".to_owned()]).unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "no node is called `alhpa` (did you mean `alpha`?); no node is called `zzz`"
    );
}

#[test]
fn a_cycle_is_shown_as_a_path_with_every_reference() {
    let (text, built) = build(
        r#"command "free" { run "x" }
           command "a" { run "x"; output "oa"; after "free"; from "b" }
           command "b" { run "x"; output "ob"; input "oc" }
           command "c" { run "x"; output "oc"; after "a" }
           command "behind" { run "x"; after "a" }
           command "self" { run "x"; after "self" }"#,
    );
    let found = built.unwrap_err().list;
    let messages: Vec<_> = found.iter().map(|mistake| mistake.message.as_str()).collect();
    assert_eq!(messages, ["nodes need one another: a → b → c → a", "nodes need one another: self → self"]);
    let labels: Vec<_> = found[0]
        .labels
        .iter()
        .map(|(span, label)| (&text[span.offset as usize..][..span.length as usize], label.as_str()))
        .collect();
    assert_eq!(labels, [("\"b\"", "`a` needs `b`"), ("\"oc\"", "`b` needs `c`"), ("\"a\"", "`c` needs `a`")]);
    assert_eq!(marked(&text, &found[1]), "\"self\"");
}

#[test]
fn long_chains_and_long_cycles_overflow_nothing() {
    const LENGTH: usize = 20_000;
    let mut body = String::new();
    for n in 0..LENGTH {
        let _ = writeln!(body, "command \"n{n}\" {{ run \"x\"; after \"n{}\" }}", (n + 1) % LENGTH);
    }
    let found = build(&body).1.unwrap_err().list;
    assert_eq!(found.len(), 1);
    let message = "nodes need one another: n0 → n1 → n2 → n3 → n4 → n5 → … 19994 more … → n0";
    assert_eq!((found[0].message.as_str(), found[0].labels.len()), (message, 6));

    let chain = body.replacen(&format!("after \"n{}\"", 1), "", 1);
    let graph = graph(&chain);
    let order = graph.closure(&graph.targets(&[]).unwrap());
    assert_eq!((graph.name(order[0]).0.as_str(), order.len()), ("n0", LENGTH));
}

#[test]
fn renderings_show_nodes_roles_and_what_is_shared() {
    let graph = graph(
        r#"command "a" { run "x"; output "o" }
           command "b" { run "x"; output "p"; from "a" }
           command "c" { run "x"; from "a"; from "b"; after "b" }"#,
    );
    let targets = graph.targets(&[]).unwrap();
    let expected = "c\n  a [from o]\n  b [from p]\n    a [from o]\n  b [after] (shown above)\n";
    assert_eq!(render::text(&graph, &targets, &|_, name| name.to_owned()), expected);
    let closure = graph.closure(&targets);
    let dot = render::dot(&graph, &closure, &|_| None);
    assert!(dot.starts_with("digraph osgraph {") && dot.ends_with("}\n"));
    assert!(dot.contains("    \"a\" -> \"b\" [label=\"from o\"];\n"), "{dot}");
    assert!(dot.contains("    \"b\" -> \"c\" [label=\"after\", style=dashed];\n"), "{dot}");
    let mermaid = render::mermaid(&graph, &closure, &|_| None);
    assert!(mermaid.starts_with("flowchart LR\n    n0[\"a\"]\n"), "{mermaid}");
    assert!(mermaid.contains("    n0 -->|\"from o\"| n1\n"), "{mermaid}");
    assert!(mermaid.contains("    n1 -.->|\"after\"| n2\n"), "{mermaid}");
}

#[test]
fn odd_characters_break_no_drawing() {
    let graph = graph(
        r#"binary-extract "e" { image "c"; path "a"; output "x\"]|y" }
           command "c" { run "x"; output "o" }
           command "end" { run "x"; from "e" }"#,
    );
    let all = graph.order().to_vec();
    assert!(render::dot(&graph, &all, &|_| None).contains(r#"[label="from x\"]|y"]"#));
    assert!(render::mermaid(&graph, &all, &|_| None).contains("|\"from x#34;]#124;y\"|"));
}

#[test]
fn pictures_are_coloured_by_verdict() {
    use render::Shade;
    let graph = graph(EMBED);
    let all: Vec<NodeIndex> = graph.order().to_vec();
    let base = graph.find("base").unwrap();
    let shade = |node: NodeIndex| Some(if node == base { Shade::Rebuild } else { Shade::Fresh });
    let dot = render::dot(&graph, &all, &shade);
    assert!(dot.contains("\"base\" [style=filled, fillcolor=\"#ffe3b3\""), "{dot}");
    let mermaid = render::mermaid(&graph, &all, &shade);
    assert!(mermaid.contains(&format!("n{}[\"base\"]:::rebuild", base.index())), "{mermaid}");
    assert_eq!(mermaid.matches("classDef").count(), 2, "{mermaid}");
    let svg = svg::svg(&graph, &all, &shade);
    assert!(svg.contains("<g class=\"rebuild\" data-node=\"base\"><title>base: rebuild</title>"), "{svg}");
    // All edges but the three of groups and orders are solid.
    assert_eq!(svg.matches("<path").count(), 7, "{svg}");
    assert_eq!(svg.matches("class=\"after\"").count(), 3, "{svg}");
}

#[test]
fn a_picture_has_each_node_right_of_what_it_needs_and_no_two_in_one_place() {
    let graph = graph(EMBED);
    let all: Vec<NodeIndex> = graph.order().to_vec();
    let places = layout::layout(&graph, &all);
    for node in &all {
        for up in graph.upstreams(*node) {
            assert!(places[&up.node].column < places[node].column);
        }
    }
    let mut taken: Vec<_> = places.values().map(|place| (place.column, place.row)).collect();
    taken.sort_unstable();
    taken.dedup();
    assert_eq!(taken.len(), all.len());
    assert_eq!(layout::layout(&graph, &all), places);
}
