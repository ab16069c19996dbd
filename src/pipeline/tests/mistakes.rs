use super::{marked, mistakes, one, resolve};
use crate::path::RelPath;
use crate::pipeline::check::{self, Surroundings};

/// One mistake in the nodes of an otherwise sound pipeline.
#[track_caller]
fn node(body: &str, code: &str, place: &str, help: &str) {
    one(&format!("pipeline \"p\"\n{body}"), code, place, help);
}

#[test]
fn the_pipeline_node_is_there_once() {
    one("command { run \"x\" }", "missing-pipeline", "", "pipeline \"name\"");
    one("", "missing-pipeline", "", "");
    one("pipeline \"p\"\npipeline \"q\"", "repeated-pipeline", "pipeline", "");
    one("pipeline", "missing-argument", "pipeline", "");
    one("pipeline \"p\" { paramm \"x\" }", "unknown-child", "paramm", "did you mean `param`?");
    one("pipeline \"p\" { command { run \"x\" } }", "misplaced-node", "command", "move it out");
}

#[test]
fn unknown_words_suggest_known_ones() {
    node("comand { run \"x\" }", "unknown-kind", "comand", "did you mean `command`?");
    node("command { runn \"x\"; run \"x\" }", "unknown-child", "runn", "did you mean `run`?");
    node("command isolated=#true { run \"x\" }", "unknown-property", "isolated", "did you mean `isolate`?");
    node(
        "group { member \"g2\"; volume 1 }\ngroup \"g2\" { member \"c\" }\ncommand \"c\" { run \"x\" }",
        "unknown-child",
        "volume",
        "possible here: `member`",
    );
}

#[test]
fn types_and_counts_of_values_are_checked() {
    node("command { run \"x\" 1 }", "wrong-type", "1", "write `\"1\"`");
    node("command isolate=\"false\" { run \"x\" }", "wrong-type", "\"false\"", "write `#false`");
    node("command { run \"x\"; retries \"2\" }", "wrong-type", "\"2\"", "");
    node("command { run \"x\"; retries -1 }", "bad-value", "-1", "at least 0");
    node("command { run \"x\"; timeout \"soon\" }", "bad-value", "\"soon\"", "90s");
    node("command { run \"x\"; timeout \"0s\" }", "bad-value", "\"0s\"", "90s");
    node("command { run \"x\"; timeout \"1s\" \"2s\" }", "unexpected-argument", "\"2s\"", "");
    node("command { run }", "missing-argument", "run", "");
    node("command { run \"\" }", "empty-value", "\"\"", "");
    node("command { run \"x\" { y } }", "unexpected-block", "y", "");
    node("command { run \"x\"; env \"A\" }", "missing-argument", "env \"A\"", "env \"NAME\" \"value\"");
    node("command { run \"x\"; env \"A=B\" \"c\" }", "bad-value", "\"A=B\"", "");
    node("command { run \"x\"; tool \"t\" identify=\"a 'b\" }", "unclosed-quote", "\"a 'b\"", "");
    node("command \"a/b\" { run \"x\" }", "bad-node-name", "\"a/b\"", "letters");
    node("command \"a\" \"b\" { run \"x\" }", "unexpected-argument", "\"b\"", "");
}

#[test]
fn facts_have_plain_names_and_one_line() {
    let dist = |body: &str| format!("dist-native {{ output \"o\"; {body} }}");
    for name in ["PHP", "a b", "a_b", "ä"] {
        node(&dist(&format!("fact \"{name}\" \"1\"")), "bad-value", &format!("\"{name}\""), "lower-case");
    }
    node(&dist("fact \"a\" \"1\"; fact \"a\" \"1\""), "repeated-value", "\"a\"", "");
    node(&dist(r#"fact "a" "1\n2""#), "bad-value", r#""1\n2""#, "one line");
    node(&dist("fact \"a\""), "missing-argument", "fact \"a\"", "fact \"NAME\" \"value\"");
    node(&dist("fact \"\" \"1\""), "empty-value", "\"\"", "");
    one(
        "pipeline \"p\" { param \"build\" default=\"{digest}\" }\ndist-native { output \"o\"; fact \"build\" \"${build}\" }",
        "digest-elsewhere",
        "\"${build}\"",
        "",
    );
}

#[test]
fn provenance_names_nodes_that_make_something() {
    let dist = |body: &str| {
        format!(
            "command \"c\" {{ run \"x\"; output \"b\" }}\ndist-native {{ output \"o\"; binary \"c\" into=\"x\"; {body} }}"
        )
    };
    node(&dist("provenance \"d\""), "unknown-node", "\"d\"", "");
    node(&dist("provenance \"c\" \"c\""), "repeated-value", "\"c\"", "");
    node(&dist("provenance"), "missing-argument", "provenance", "");
    let group = "group \"g\" { member \"c\" }\n";
    node(&format!("{group}{}", dist("provenance \"g\"")), "wrong-kind", "\"g\"", "source-archive");
}

#[test]
fn children_are_there_and_once() {
    node("command", "missing-child", "command", "add `run");
    node("dist-docker { copy \"x\" }", "missing-child", "dist-docker", "add `output");
    node("base-image { dockerfile \"D\" }", "missing-child", "base-image", "add `context");
    let source = "source-archive \"s\" { dir \"a\" }\n";
    let embed = |body: &str| format!("{source}app-embed {{ {body} }}");
    node(&embed("app \"s\""), "missing-child", "app-embed", "add `dockerfile");
    node(&embed("app \"s\" into=\"x\"; dockerfile \"D\""), "missing-child", "app-embed", "add `context");
    node("group", "missing-child", "group", "add `member");
    node("source-archive", "missing-child", "source-archive", "`dir \"path\"`");
    node("source-archive { dir \"a\"; git \"b\" }", "mixed-source", "git", "");
    node("source-archive { auto \"a\"; dir \"b\" }", "mixed-source", "dir", "");
    node("source-archive { dir \"\" }", "empty-value", "\"\"", "repository or a folder");
    node("source-archive { auto \"a\"; auto \"b\" }", "repeated-child", "auto", "");
    node("source-archive { auto \"a\" ref=\"-x\" }", "bad-value", "\"-x\"", "branch");
    node("command { run \"x\"; timeout \"1s\"; timeout \"2s\" }", "repeated-child", "timeout", "");
    node("command { run \"x\"; input \"a\"; input \"b\" \"a\" }", "repeated-value", "\"a\"", "");
    node("command { run \"x\"; env \"A\" \"1\"; pass-env \"A\" }", "repeated-value", "\"A\"", "");
    node("base-image { context \"b\"; arg \"A\" \"1\"; arg \"A\" \"2\" }", "repeated-value", "\"A\"", "");
}

#[test]
fn a_source_without_any_place_names_all_of_them() {
    let text = "pipeline \"p\" { param \"a\" default=\"\"; param \"b\" default=\"\" }
        source-archive { dir \"${a}\"; git \"${b}\" }";
    one(text, "empty-value", "\"${a}\"", "");
    let all = mistakes(text);
    let marks: Vec<&str> =
        all[0].labels.iter().map(|(span, _)| &text[span.offset as usize..][..span.length as usize]).collect();
    assert_eq!(marks, ["\"${a}\"", "\"${b}\""]);
}

#[test]
fn a_digest_that_comes_by_a_parameter_is_for_archives_alone() {
    let text = "pipeline \"p\" { param \"build\" default=\"{digest}\" }
        command { run \"echo\" \"${build}\"; output \"x\" }";
    one(text, "digest-elsewhere", "\"${build}\"", "parameter of its own");
}

#[test]
fn recipes_are_not_mixed() {
    node(
        "base-image { dockerfile \"D\"; host { run \"x\"; output \"o\" } }",
        "mixed-recipe",
        "dockerfile",
        "",
    );
    node("base-image { context \"D\"; input \"x\" }", "mixed-recipe", "input", "context");
    node("base-image { host { run \"x\" } }", "missing-child", "host", "add `output");
    node("command { run \"x\"; host { run \"y\" } }", "mixed-recipe", "run", "");
}

#[test]
fn a_recipe_in_place_is_given_nothing() {
    let reader = |upstream: &str, from: &str, help: &str| {
        let text = format!("{upstream}\ncommand \"r\" isolate=#false {{ run \"x\"; from \"u\"{from} }}");
        node(&text, "not-in-place", "\"u\"", help);
    };
    reader("source-archive \"u\" { dir \"a\" }", "", "an `output`");
    reader("source-archive \"u\" { dir \"a\"; output \"o/u\" }", "", "into=\"o/u\"");
    reader("dist-native \"u\" { output \"o\" }", " into=\"p\"", "into=\"o\"");
    reader("command \"u\" { run \"y\"; output \"o\" }", " into=\"p\"", "leave `into` out");
    reader("base-image \"u\" { host { run \"y\"; output \"o\" } }", "", "`isolate=#false`");
    for fine in [
        "source-archive \"u\" { dir \"a\"; output \"u\" }",
        "command \"u\" { run \"y\"; output \"o\" }",
        "base-image \"u\" { host isolate=#false { run \"y\"; output \"o\" } }",
        "command \"v\" { run \"y\"; output \"o\" }\nbinary-extract \"u\" { from \"v\"; path \"o\"; output \"b\" }",
    ] {
        let text =
            format!("pipeline \"p\"\n{fine}\ncommand \"r\" isolate=#false {{ run \"x\"; from \"u\" }}");
        assert!(resolve(&text).is_ok(), "{fine}");
    }
}

#[test]
fn expectations_of_linking_are_possible_ones() {
    let expect = |asked: &str, code: &str, place: &str, help: &str| {
        let base = "base-image \"b\" { context \"c\" }";
        node(
            &format!("{base}\nbinary-extract {{ image \"b\"; path \"a\"; expect {asked} }}"),
            code,
            place,
            help,
        );
    };
    expect("libc=\"glib\"", "bad-value", "\"glib\"", "did you mean `glibc`?");
    expect("static=#true libc=\"glibc\"", "bad-value", "\"glibc\"", "leave out `static`");
    expect("static=\"true\"", "wrong-type", "\"true\"", "write `#true`");
    expect("statc=#true", "unknown-property", "statc", "did you mean `static`?");
}

#[test]
fn secrets_have_one_source() {
    node("command { run \"x\"; secret \"s\" }", "secret-source", "secret \"s\"", "env=");
    node(
        "command { run \"x\"; secret \"s\" env=\"A\" file=\"b\" }",
        "secret-source",
        "secret \"s\" env=\"A\" file=\"b\"",
        "",
    );
}

#[test]
fn paths_stay_inside() {
    node("command { run \"x\"; input \"../a\" }", "bad-path", "\"../a\"", "elsewhere");
    node("command { run \"x\"; output \"/a\" }", "bad-path", "\"/a\"", "elsewhere");
    node("command { run \"x\"; output \"\" }", "bad-path", "\"\"", "write `.`");
    node("dist-docker { output \"d\"; archive \"x.zip\" }", "unknown-archive", "\"x.zip\"", ".tar.gz");
    node("dist-docker { output \"d\"; archive \"x.tar\" keep=0 }", "bad-value", "0", "at least 1");
    node(
        "dist-docker { output \"d\"; seed-once \".env\" }",
        "missing-property",
        "seed-once \".env\"",
        "from=",
    );
    node("dist-docker { output \"d\"; seed-once \".env\" from=\".env\" }", "bad-value", "\".env\"", "");
}

#[test]
fn docker_words_are_checked() {
    node("base-image { context \"b\"; platform \"amd64\" }", "bad-value", "\"amd64\"", "linux/amd64");
    node("base-image { context \"b\"; tag \"a b\" }", "bad-value", "\"a b\"", "registry/name:tag");
    node("base-image { context \"b\"; keep \"stor\" }", "bad-value", "\"stor\"", "did you mean `store`?");
    node("base-image { context \"b\"; network \"hots\" }", "bad-value", "\"hots\"", "did you mean `host`?");
    node("source-archive { git \"a\" ref=\"--upload-pack\" }", "bad-value", "\"--upload-pack\"", "branch");
}

const BINARY: &str =
    "command \"c\" { run \"x\"; output \"c-out\" }\nbinary-extract { image \"c\"; path \"a\"; ";

#[test]
fn expectations_are_checked() {
    let extract = |body: &str| format!("{BINARY}{body} }}");
    node(&extract("expect min-size=\"big\""), "bad-value", "\"big\"", "50MiB");
    node(&extract("expect min-size=-1"), "bad-value", "-1", "50MiB");
    node(&extract("expect min-size=2 max-size=1"), "bad-value", "expect min-size=2 max-size=1", "");
    node(&extract("expect arch=\"arm46\""), "bad-value", "\"arm46\"", "did you mean `arm64`?");
    node(&extract("check \"v\" timeout=\"x\""), "bad-value", "\"x\"", "");
    node(&extract("path \"b\""), "repeated-child", "path", "");
    node(&extract("from \"c\""), "repeated-child", "from", "");
}

#[test]
fn a_file_tells_all_its_mistakes_in_order() {
    let text =
        "pipeline \"p\" { default \"nope\" }\ncommand { run 1 }\nbase-imag { }\ncommand \"d\" { runn \"x\" }";
    let codes: Vec<_> = mistakes(text).iter().map(|mistake| mistake.code).collect();
    assert_eq!(codes, ["unknown-node", "wrong-type", "unknown-kind", "missing-child", "unknown-child"]);
}

#[test]
fn names_mean_one_node() {
    node("command { run \"x\" }\ncommand { run \"y\" }", "repeated-name", "command", "command \"other\"");
    node(
        "command \"a\" { run \"x\" }\ngroup \"a\" { member \"b\" }\ncommand \"b\" { run \"x\" }",
        "repeated-name",
        "\"a\"",
        "",
    );
    node(
        "command \"embed\" { run \"x\"; after \"ebmed\" }",
        "unknown-node",
        "\"ebmed\"",
        "did you mean `embed`?",
    );
    one(
        "pipeline \"p\" { default \"a\"; default \"a\" }\ncommand \"a\" { run \"x\" }",
        "repeated-default",
        "\"a\"",
        "",
    );
    // A node that is only broken is not unknown as well.
    node("command \"a\" { run 1 }\ncommand \"b\" { run \"x\"; from \"a\" }", "wrong-type", "1", "");
}

#[test]
fn references_fit_their_role() {
    node(
        "group \"g\" { member \"c\" }\ncommand \"c\" { run \"x\"; from \"g\" }",
        "wrong-kind",
        "\"g\"",
        "`binary-extract`",
    );
    node(
        "source-archive \"s\" { dir \"a\" }\nbinary-extract { image \"s\"; path \"a\" }",
        "wrong-kind",
        "\"s\"",
        "`app-embed`",
    );
    node(
        "source-archive \"s\" { dir \"a\" }\ndist-native { output \"o\"; binary \"s\" into=\"b\" }",
        "wrong-kind",
        "\"s\"",
        "`binary-extract`",
    );
    node(
        "command \"a\" { run \"x\" }\ncommand \"b\" { run \"x\"; from \"a\" }",
        "nothing-to-read",
        "\"a\"",
        "after \"a\"",
    );
    node(
        "base-image \"b\" { context \"x\" }\nsource-archive \"s\" { dir \"a\" }\napp-embed { base \"b\"; app \"s\"; context \"x\" }",
        "untagged-base",
        "\"b\"",
        "`tag`",
    );
}

#[test]
fn outputs_stay_out_of_one_another() {
    let two = |a: &str, b: &str| {
        format!(
            "command \"a\" {{ run \"x\"; output \"{a}\" }}\ncommand \"b\" {{ run \"y\"; output \"{b}\" }}"
        )
    };
    node(&two("o", "./o/"), "same-output", "\"./o/\"", "");
    node(&two("o/p", "o"), "nested-output", "\"o/p\"", "");
    node(&two("o", "."), "output-is-project", "\".\"", "folder");
    node("dist-native { output \"d\"; archive \"d/x.tar\" }", "nested-output", "\"d/x.tar\"", "");
    node(
        "dist-native { output \"d\"; archive \"x.tar\"; archive \"x.tar\" }",
        "same-output",
        "\"x.tar\"",
        "",
    );
    node(
        "base-image { context \"b\"; tag \"t\" }\nbase-image \"c\" { context \"b\"; tag \"t\" }",
        "same-tag",
        "\"t\"",
        "",
    );
}

#[test]
fn outputs_do_not_overwrite_sources() {
    node(
        "dist-native { output \"targets\"; copy \"targets/native\" }",
        "overwrites-source",
        "\"targets/native\"",
        "another output",
    );
    node("command { run \"x\"; input \"a\"; output \"a\" }", "overwrites-source", "\"a\"", "another output");
    node("source-archive { dir \"app\"; output \"app\" }", "overwrites-source", "\"app\"", "");
    node(
        "command \"c\" { run \"x\"; output \"cfg\" }\ndist-native { output \"d\"; copy \"cfg\" }",
        "overwrites-source",
        "\"cfg\"",
        "name the node",
    );
    node(
        "dist-native { output \"d\"; archive \"x.tar\" }\ncommand { run \"x\"; input \"x.tar\" }",
        "input-is-archive",
        "\"x.tar\"",
        "from \"dist-native\"",
    );
    // An output inside a declared folder is cut from its walk, and no mistake.
    let text = "pipeline \"p\"\ncommand \"c\" { run \"x\"; output \"common/app/bin\" }\ndist-native { output \"d\"; copy \"common\" }";
    assert!(super::resolve(text).is_ok());
}

#[test]
fn files_of_a_dist_have_places_of_their_own() {
    let dist = |body: &str| format!("{BINARY} }}\ndist-native {{ output \"d\"; {body} }}");
    let binary = "binary \"binary-extract\" into=\"app\"";
    node(&dist(&format!("{binary}; seed-once \"app\" from=\"b\"")), "same-place", "\"app\"", "");
    node(&dist(&format!("{binary}; {binary}")), "same-place", "\"binary-extract\"", "");
    node(&dist("seed-once \"build-manifest.json\" from=\"b\""), "same-place", "\"build-manifest.json\"", "");
}

#[test]
fn the_pipeline_file_the_store_and_tracked_files_are_left_alone() {
    let text =
        "pipeline \"p\"\ncommand { run \"x\"; output \"ci/out\" \"cache/x\" \"pipeline.kdl\" \"README.md\" }";
    let pipeline = super::resolve(text).unwrap();
    let path = |text: &str| RelPath::parse(text).unwrap();
    let around = Surroundings { pipeline_file: Some(path("pipeline.kdl")), store: Some(path("cache")) };
    let found = check::surroundings(&pipeline, &super::source(text), &around).unwrap_err().list;
    let shown: Vec<_> = found.iter().map(|mistake| (mistake.code, marked(text, mistake))).collect();
    assert_eq!(shown, [("output-in-store", "\"cache/x\""), ("overwrites-pipeline", "\"pipeline.kdl\"")]);
    assert!(check::surroundings(&pipeline, &super::source(text), &Surroundings::default()).is_ok());
    let found = check::tracked_conflicts(&pipeline, &|path| path.as_str() == "README.md");
    assert_eq!(
        (found.len(), found[0].code, marked(text, &found[0])),
        (1, "overwrites-tracked", "\"README.md\"")
    );
}
