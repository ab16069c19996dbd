//! Laws over made-up text.

use proptest::prelude::*;

use super::{ask, try_read};
use crate::dockerfile::{Analysis, Ignore, Reach, through_links};

/// Lines that mean something to the reader, in any order and number.
fn fragment() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "FROM alpine",
        "FROM scratch AS a",
        "FROM a",
        "FROM $X AS b",
        "FROM --platform=$BUILDPLATFORM x:1 AS c",
        "ARG X",
        "ARG X=1 Y=${X:-2}",
        "ENV A=$X B='c d'",
        "ENV A b c",
        "COPY a b",
        "COPY --from=a / /",
        "COPY --from=0 / /",
        "COPY [\"a b\", \"c\"]",
        "COPY ${A:-${B}} $X /",
        "COPY <<EOF /x",
        "EOF",
        "RUN <<-EOF",
        "\tEOF",
        "RUN cat <<'EOF' > x",
        "RUN --mount=type=secret,id=x --mount=from=a,target=/x true",
        "RUN --mount=source=x,target=y true \\",
        "  && more \\",
        "# comment",
        "",
        "ONBUILD COPY x y",
        "\\",
        "\\ ",
        "# escape=`",
        "# syntax=x",
        "ADD https://x.org/y z /",
        "COPY --parents a/**/[b-c]? /",
        "\u{feff}",
        "WORKDIR /",
    ]);
    prop_oneof![8 => known.prop_map(str::to_owned), 1 => "[ -~]{0,24}", 1 => "\\PC{0,12}"]
}

/// What is left when places are taken away.
fn without_places(mut analysis: Analysis) -> Analysis {
    let Analysis {
        bases,
        reads,
        everything,
        remotes,
        args: _,
        idle_args: _,
        unused_args: _,
        secrets,
        ssh,
        triggers,
        syntax,
        globals: _,
        steps,
    } = &mut analysis;
    bases.iter_mut().for_each(|x| (x.line, x.span) = (0, 0..0));
    reads.iter_mut().for_each(|x| (x.line, x.span) = (0, 0..0));
    everything.iter_mut().for_each(|x| (x.line, x.span) = (0, 0..0));
    remotes.iter_mut().for_each(|x| (x.line, x.span) = (0, 0..0));
    secrets.iter_mut().for_each(|x| x.line = 0);
    ssh.iter_mut().for_each(|x| x.line = 0);
    triggers.iter_mut().for_each(|x| x.line = 0);
    syntax.iter_mut().for_each(|x| (x.line, x.span) = (0, 0..0));
    steps.iter_mut().for_each(|x| x.line = 0);
    analysis
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,80}|[ -~\n\r\t]{0,200}", path in "[a-c/*.]{0,12}") {
        if let Ok(analysis) = try_read(&text) {
            Reach::new(&analysis).counts(&path);
        }
        if let Ok(ignore) = Ignore::parse(&text) {
            ignore.excludes(&path);
            ignore.may_reinclude_below(&path);
        }
    }

    #[test]
    fn every_place_lies_in_the_text(lines in prop::collection::vec(fragment(), 0..24), end in "\n|\r\n") {
        let text = lines.join(&end);
        match ask(&text, &[("X", "x"), ("Z", "z")], None) {
            Ok(analysis) => {
                let spans = analysis.bases.iter().map(|x| (&x.span, x.line))
                    .chain(analysis.reads.iter().map(|x| (&x.span, x.line)))
                    .chain(analysis.remotes.iter().map(|x| (&x.span, x.line)))
                    .chain(analysis.everything.iter().map(|x| (&x.span, x.line)));
                for (span, line) in spans {
                    prop_assert!(text.get(span.clone()).is_some_and(|text| !text.is_empty()));
                    prop_assert!(line as usize <= text[..span.start].matches('\n').count() + 1);
                }
                for read in &analysis.reads {
                    prop_assert!(!read.pattern.starts_with('/') && !read.pattern.is_empty());
                }
            }
            Err(mistake) => prop_assert!(text.get(mistake.span).is_some()),
        }
    }

    #[test]
    fn comments_and_blank_lines_change_nothing(
        lines in prop::collection::vec(prop::sample::select(vec![
            "COPY a b", "COPY c/* \\\n  d /", "RUN x \\\n  && y", "ARG X=1", "ENV A=$X", "COPY $A /", "FROM x AS y",
            "RUN <<EOF\n# kept\n\nEOF", "RUN --mount=type=secret,id=s true", "ONBUILD COPY x y",
        ]), 0..10),
        noise in prop::collection::vec(prop::sample::select(vec!["", "  ", "# c", "  # COPY no no", "#"]), 0..10),
    ) {
        let plain = format!("FROM base\n{}\n", lines.join("\n"));
        let mut noisy = String::from("# first\nFROM base\n");
        for (at, line) in lines.iter().enumerate() {
            let words = noise.get(at).copied().unwrap_or_default();
            noisy.push_str(words);
            noisy.push('\n');
            // Between continued lines, too; but not inside of a here-document.
            if line.contains("<<") {
                noisy.push_str(line);
            } else {
                noisy.push_str(&line.replace("\\\n", &format!("\\\n{words}\n")));
            }
            noisy.push('\n');
        }
        let (plain, noisy) = (try_read(&plain).unwrap(), try_read(&noisy).unwrap());
        prop_assert_eq!(without_places(plain), without_places(noisy));
    }

    #[test]
    fn what_is_pruned_holds_nothing_that_is_kept(
        rules in prop::collection::vec("!?[ab*?/]{1,6}|!?(\\*\\*/)?[ab]{1,2}(/\\*\\*)?", 1..6),
        path in "[ab]{1,2}(/[ab]{1,2}){1,3}",
    ) {
        if let Ok(ignore) = Ignore::parse(&rules.join("\n")) {
            for (at, _) in path.match_indices('/') {
                let folder = &path[..at];
                if ignore.excludes(folder) && !ignore.may_reinclude_below(folder) {
                    prop_assert!(ignore.excludes(&path), "{:?} below `{}`", rules, folder);
                }
            }
        }
    }

    #[test]
    fn what_is_not_walked_holds_nothing_that_counts(
        source in "[ab*?]{1,3}(/[ab*?]{1,3}){0,3}",
        parents in any::<bool>(),
        path in "[ab]{1,3}(/[ab]{1,3}){1,3}",
    ) {
        let flag = if parents { "--parents " } else { "" };
        let analysis = try_read(&format!("FROM x\nCOPY {flag}{source} /\n")).unwrap();
        let reach = Reach::new(&analysis);
        for (at, _) in path.match_indices('/') {
            prop_assert!(reach.may_count_below(&path[..at]) || !reach.counts(&path));
        }
    }

    #[test]
    fn links_end(links in prop::collection::vec(("[ab](/[ab]){0,2}", "/?(\\.\\./)?[ab*](/[ab]){0,2}"), 0..6)) {
        let analysis = try_read("FROM x\nCOPY a/b */a b /\n").unwrap();
        let links = links.iter().map(|(link, target)| (&**link, &**target));
        prop_assert!(through_links(&analysis, links).len() <= 1001);
    }
}

#[test]
fn hostile_text_takes_no_time() {
    let started = std::time::Instant::now();
    let stars = "*a".repeat(60);
    let ignore = Ignore::parse(&format!("{}\n{}b\n", "**/".repeat(40) + "x", stars)).unwrap();
    assert!(!ignore.excludes(&"a".repeat(2000)));
    let wide = format!("FROM x\nCOPY {} /\n", "a ".repeat(100_000));
    assert_eq!(try_read(&wide).unwrap().reads.len(), 100_000);
    let long = format!("FROM x\n{}COPY a /\n", "RUN \\\n".repeat(50_000));
    assert_eq!(try_read(&long).unwrap().steps.len(), 2);
    let nested = format!("FROM x\nCOPY {} /\n", "[".repeat(100_000));
    assert!(try_read(&nested).unwrap().everything.is_some());
    let open = format!("FROM x\n{}", "RUN <<E\n".repeat(10_000));
    assert!(try_read(&open).is_err());
    // Generous: an exponential way to match would not end at all.
    assert!(started.elapsed().as_secs() < 20);
}
