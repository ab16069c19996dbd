//! `.dockerignore`: patterns against paths, by the rules that Docker documents.

use crate::dockerfile::Ignore;

fn ignore(text: &str) -> Ignore {
    Ignore::parse(text).unwrap()
}

#[test]
fn single_patterns() {
    for (pattern, path, excluded) in [
        // Names and folders.
        ("foo", "foo", true),
        ("foo", "foo/bar/baz", true),
        ("foo", "bar/foo", false),
        ("foo", "foobar", false),
        ("foo/", "foo", true),
        ("foo/", "foo/bar", true),
        ("/foo", "foo", true),
        ("/foo", "bar/foo", false),
        ("./foo", "foo", true),
        ("foo/../bar", "bar", true),
        ("foo//bar/.", "foo/bar/x", true),
        ("../foo", "foo", false),
        ("/", "foo", false),
        (".", "foo", false),
        // `*` and `?` stay within a name.
        ("*", "foo", true),
        ("*", "foo/bar", true),
        ("*.md", "a.md", true),
        ("*.md", "docs/a.md", false),
        ("*/a.md", "docs/a.md", true),
        ("*/temp*", "somedir/temporary.txt", true),
        ("*/*/temp*", "somedir/subdir/temporary.txt", true),
        ("temp?", "tempa", true),
        ("temp?", "temp", false),
        ("temp?", "temp/", false),
        ("a/*/b", "a/x/b", true),
        ("a/*/b", "a/x/y/b", false),
        ("a/*/b", "a/x/b/c", true),
        ("a/*/b", "a/b", false),
        ("foo*", "foo", true),
        ("a*b*c", "aXbYbZc", true),
        ("a*b*c", "aXbYbZ", false),
        // `**` is any number of folders.
        ("**", "foo/bar", true),
        ("**/", "foo", true),
        ("**/foo", "foo", true),
        ("**/foo", "a/foo", true),
        ("**/foo", "a/b/foo", true),
        ("**/foo", "a/b/foo/c", true),
        ("**/foo", "a/bfoo", false),
        ("**/*.go", "x.go", true),
        ("**/*.go", "a/b/x.go", true),
        ("**/*.go", "a/b/x.gox", false),
        ("foo/**", "foo", false),
        ("foo/**", "foo/a", true),
        ("foo/**", "foo/a/b", true),
        ("foo/**/bar", "foo/bar", true),
        ("foo/**/bar", "foo/a/b/bar", true),
        ("foo/**/bar", "foo/a/b/bart", false),
        ("foo**", "foobar/baz", true),
        ("**foo", "a/bfoo", true),
        ("**foo*", "a/bfoo", false),
        ("**foo*", "a/food", true),
        ("**/a/**/b", "x/a/y/z/b", true),
        ("a***b", "axb", true),
        ("a***b", "ax/yb", true),
        ("**/**", "foo/bar", true),
        // Classes and escapes.
        ("[a-c]x", "bx", true),
        ("[a-c]x", "dx", false),
        ("[^a-c]x", "dx", true),
        ("[!a]x", "!x", true),
        ("[!a]x", "bx", false),
        ("a[^b]c", "a/c", true),
        ("[\\]a]", "]", true),
        ("a]b", "a]b", true),
        ("\\*", "*", true),
        ("\\*", "x", false),
        ("\\#foo", "#foo", true),
        ("\\!foo", "!foo", true),
        ("a.b", "axb", false),
        ("a+(b)|{c}$", "a+(b)|{c}$", true),
        ("a.b*", "a.bc", true),
        ("a^b", "a^b", true),
        ("a^b*", "a^b", false),
        ("f[o]ö?", "foöü", true),
        // Letters count as they are.
        ("Foo", "foo", false),
        ("foo bar", "foo bar", true),
    ] {
        assert_eq!(ignore(pattern).excludes(path), excluded, "`{pattern}` on `{path}`");
    }
}

#[test]
fn the_last_line_that_applies_wins() {
    for (text, path, excluded) in [
        ("*\n!keep", "keep", false),
        ("*\n!keep", "keep/a/b", false),
        ("*\n!keep", "other/keep", true),
        ("!keep\n*", "keep", true),
        ("*.md\n!README*.md\nREADME-secret.md", "README.md", false),
        ("*.md\n!README*.md\nREADME-secret.md", "README-secret.md", true),
        ("*.md\nREADME-secret.md\n!README*.md", "README-secret.md", false),
        ("docs\n!docs/README.md", "docs/README.md", false),
        ("docs/\n!docs/README.md", "docs/other.md", true),
        ("docs/*\n!docs/README.md", "docs/README.md", false),
        ("**\n!util/web", "util/web/foo", false),
        ("**\n!util/web\nutil/web/foo", "util/web/foo", true),
        ("**\n!dist/*.whl", "dist/a+b.whl", false),
        ("**/node_modules\n!**/node_modules/keep", "a/node_modules/keep/x", false),
        ("a\n!a/b\na/b/c", "a/b/c/d", true),
        ("!a", "a", false),
        // When the exception is asked about the folder, nothing has left that out.
        ("a/b\n!a", "a/b", true),
        ("a/*\n!a", "a/b/c", true),
        ("*\n!a\na/b", "a/b", true),
        ("*\n!**/keep", "a/keep/x", false),
    ] {
        assert_eq!(ignore(text).excludes(path), excluded, "`{text}` on `{path}`");
    }
}

#[test]
fn lines_are_cleaned() {
    for text in [
        "foo",
        "\u{feff}foo",
        "  foo\t ",
        "\r\n# comment\r\nfoo\r\n",
        "\n\n   \nfoo/\n",
        "#bar\nfoo",
        "*\n! bar\n!  /baz/ ",
    ] {
        let ignore = ignore(text);
        assert!(ignore.excludes("foo"), "{text:?}");
        assert!(!ignore.excludes("baz"), "{text:?}");
    }
    // A comment begins at the line's first sign.
    assert!(ignore(" #foo").excludes("#foo"));
    assert!(!ignore("\u{feff}#foo").excludes("#foo"));
    assert!(ignore("").is_empty() && ignore("# nothing\n").is_empty());
}

#[test]
fn what_is_no_pattern_is_told() {
    for pattern in [
        "!",
        "! ",
        "!/",
        "[",
        "a[",
        "[]a]",
        "[-x]",
        "[x-]",
        "[a-b-c]",
        "[^",
        "\\",
        "[b-a]",
        "\\d",
        "[*]",
        "[[:alpha:]]",
    ] {
        let bad = Ignore::parse(&format!("ok\n{pattern}\n")).unwrap_err();
        assert_eq!((&*bad.pattern, bad.line), (pattern.trim(), 2));
        assert!(!bad.help().is_empty());
    }
}

#[test]
fn walks_look_only_where_something_may_be_kept() {
    for (text, folder, may) in [
        ("*", "a", false),
        ("*\n!keep", "other", false),
        ("*\n!a/b/c", "a", true),
        ("*\n!a/b/c", "a/b", true),
        ("*\n!a/b/c", "a/b/c", false),
        ("*\n!a/b/c", "ab", false),
        ("*\n!*.md", "docs", false),
        ("*\n!*/x", "docs", true),
        ("*\n!*/x", "docs/deep", false),
        ("*\n!d*/x", "other", false),
        ("*\n!**/x", "docs/deep", true),
        ("*\n!a/**", "a/b", true),
        ("*\n!a/**", "b", false),
        ("*\n!a/**/*.md", "a/b/c", true),
        ("*\n!a/**/*.md", "b", false),
        ("*\n!a/?/x", "a", true),
        ("*\n!a/?/x", "a/bc", false),
        ("*\n!x", "", true),
    ] {
        assert_eq!(ignore(text).may_reinclude_below(folder), may, "`{text}` below `{folder}`");
    }
}

#[test]
fn a_dockerfile_has_its_own_file() {
    assert_eq!(Ignore::own_name("docker/app.Dockerfile"), "docker/app.Dockerfile.dockerignore");
    assert_eq!(Ignore::NAME, ".dockerignore");
}

#[test]
fn the_line_that_decides_is_the_last_that_applies() {
    let rules = ignore("# notes\n*.md\ndocs\n!docs/keep.md\n\n*.md\n");
    assert_eq!(rules.by("a.md"), Some((2, "*.md")));
    assert_eq!(rules.by("docs/x.txt"), Some((3, "docs")));
    assert_eq!(rules.by("docs/keep.md"), None);
    assert_eq!(rules.by("src/a"), None);
}
