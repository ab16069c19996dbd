//! Which older archives a `keep` lets go: a pure choice among paths that osgraph recorded.
//!
//! Nothing that is not in the record is ever chosen, however much it looks like an archive; what
//! is on disk is not known here.

use std::collections::BTreeMap;

use crate::path::RelPath;
use crate::pipeline::Archive;
use crate::record::RunId;

/// An archive's path as written in the pipeline, with `${…}` where values go, and `{digest}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// The text between the holes: one more than there are holes.
    literals: Vec<String>,
}

/// An archive that was once published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    pub path: RelPath,
    /// The run that published it.
    pub run: RunId,
}

impl Pattern {
    pub fn new(written: &str) -> Self {
        // Spelled as the recorded paths are. A pattern that no path can have matches none of them.
        let normal = RelPath::parse(written).map_or(written.to_owned(), |path| path.as_str().to_owned());
        let mut literals = vec![String::new()];
        let mut rest = normal.as_str();
        while let Some((before, after)) = rest.split_once("${") {
            let Some((_, after)) = after.split_once('}') else { break };
            split_at_digests(before, &mut literals);
            literals.push(String::new());
            rest = after;
        }
        split_at_digests(rest, &mut literals);
        Self { literals }
    }

    /// The path of an archive that is published now, with the digest of its content where that
    /// names it.
    pub fn of_path(path: &RelPath) -> Self {
        let mut literals = vec![String::new()];
        split_at_digests(path.as_str(), &mut literals);
        Self { literals }
    }

    /// Whether `path` is this pattern with any text, but some, in each hole.
    pub fn matches(&self, path: &RelPath) -> bool {
        let text = path.as_str();
        let [first, middle @ .., last] = self.literals.as_slice() else {
            return self.literals.first().is_some_and(|only| only == text);
        };
        let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
        // Each literal at its first place after some text: if any choice of places fits, so does
        // this one, for it leaves the most to the rest.
        for literal in middle {
            let Some(skipped) = rest.chars().next().map(char::len_utf8) else { return false };
            let Some(at) = rest[skipped..].find(literal.as_str()) else { return false };
            rest = &rest[skipped + at + literal.len()..];
        }
        rest.len() > last.len() && rest.ends_with(last.as_str())
    }

    /// How much of the pattern is said outright.
    fn literal(&self) -> usize {
        self.literals.iter().map(String::len).sum()
    }
}

/// Continues the last of `literals` with `text`, in which each digest is a hole.
fn split_at_digests(text: &str, literals: &mut Vec<String>) {
    for (at, part) in text.split(Archive::DIGEST).enumerate() {
        match literals.last_mut() {
            Some(last) if at == 0 => last.push_str(part),
            _ => literals.push(part.to_owned()),
        }
    }
}

/// The recorded archives of `pattern` to remove, each followed by its checksum file, so that the
/// `keep` newest stay. `newest` was just published and always stays; so does everything in
/// `current`, which other nodes and archives publish now.
///
/// `rivals` are the patterns of the other archives in the pipeline: `app-${version}.tar.gz` also
/// fits what `app-docker-${version}.tar.gz` wrote. A path belongs to the pattern that says the most
/// of it outright.
///
/// Newer is what a later run published; of one run, the later path in the order of names.
pub fn expired(
    pattern: &Pattern,
    rivals: &[Pattern],
    newest: &RelPath,
    keep: u32,
    published: &[Published],
    current: &[Pattern],
) -> Vec<RelPath> {
    // A path that was published again counts once, by its latest run.
    let mut latest: BTreeMap<&RelPath, RunId> = BTreeMap::new();
    for Published { path, run } in published {
        let belongs = pattern.matches(path)
            && !rivals.iter().any(|rival| rival.literal() > pattern.literal() && rival.matches(path));
        if belongs && path != newest {
            let known = latest.entry(path).or_insert(*run);
            *known = (*known).max(*run);
        }
    }
    let mut older: Vec<(RunId, &RelPath)> = latest.into_iter().map(|(path, run)| (run, path)).collect();
    older.sort_by(|a, b| b.cmp(a));
    let stay = (keep as usize).saturating_sub(1);
    older
        .into_iter()
        .skip(stay)
        .map(|(_, path)| path)
        .filter(|path| !current.iter().any(|current| current.matches(path)))
        .flat_map(|path| [path.clone(), checksum_of(path)])
        .collect()
}

/// Where the checksum of the archive at `path` stands.
pub fn checksum_of(path: &RelPath) -> RelPath {
    let name = format!("{}.sha256", path.file_name().unwrap_or_default());
    path.parent().unwrap_or_else(RelPath::root).child(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelPath {
        RelPath::parse(text).unwrap()
    }

    fn published(entries: &[(&str, i64)]) -> Vec<Published> {
        entries.iter().map(|(text, run)| Published { path: path(text), run: RunId(*run) }).collect()
    }

    fn gone(keep: u32, newest: &str, entries: &[(&str, i64)]) -> Vec<String> {
        let pattern = Pattern::new("./dist/app-${version}-${arch}.tar.gz");
        expired(&pattern, &[], &path(newest), keep, &published(entries), &[])
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    const FOUR: [(&str, i64); 4] = [
        ("dist/app-1.9-amd64.tar.gz", 1),
        ("dist/app-1.10-amd64.tar.gz", 2),
        ("dist/app-1.8-amd64.tar.gz", 3),
        ("dist/app-2.0-amd64.tar.gz", 4),
    ];

    #[test]
    fn the_newest_by_run_stay_whatever_their_names() {
        let newest = "dist/app-2.0-amd64.tar.gz";
        assert_eq!(gone(3, newest, &FOUR), ["dist/app-1.9-amd64.tar.gz", "dist/app-1.9-amd64.tar.gz.sha256"]);
        assert_eq!(gone(1, newest, &FOUR).len(), 6);
        assert_eq!(gone(4, newest, &FOUR).len(), 0);
        // The newest stays even where none is to be kept, and before it is recorded.
        assert_eq!(gone(0, newest, &FOUR[..3]).len(), 6);
        assert_eq!(gone(3, newest, &FOUR[..3]).len(), 2);
    }

    #[test]
    fn publishing_again_makes_it_new() {
        let mut entries = FOUR.to_vec();
        entries.push(("dist/app-1.9-amd64.tar.gz", 5));
        let gone = gone(2, "dist/app-1.9-amd64.tar.gz", &entries);
        assert_eq!(gone[..2], ["dist/app-1.8-amd64.tar.gz", "dist/app-1.8-amd64.tar.gz.sha256"]);
        assert!(!gone.contains(&"dist/app-2.0-amd64.tar.gz".to_owned()));
    }

    #[test]
    fn other_paths_are_left_alone() {
        let entries = [("dist/app-1.tar.gz", 1), ("dist/other-1-2.tar.gz", 1), ("other/app-1-2.tar.gz", 1)];
        assert_eq!(gone(1, "dist/app-2.0-amd64.tar.gz", &entries).len(), 0);
    }

    #[test]
    fn a_more_exact_pattern_keeps_its_own() {
        let all = published(&[
            ("app-1.tar", 1),
            ("app-docker-1.tar", 1),
            ("app-docker-2.tar", 2),
            ("app-2.tar", 2),
        ]);
        let (wide, exact) = (Pattern::new("app-${v}.tar"), Pattern::new("app-docker-${v}.tar"));
        let gone = expired(&wide, std::slice::from_ref(&exact), &path("app-2.tar"), 1, &all, &[]);
        assert_eq!(gone, [path("app-1.tar"), path("app-1.tar.sha256")]);
        let gone = expired(&exact, &[wide], &path("app-docker-2.tar"), 1, &all, &[]);
        assert_eq!(gone[0], path("app-docker-1.tar"));
        assert_eq!(gone.len(), 2);
    }

    #[test]
    fn what_is_published_now_stays() {
        let pattern = Pattern::new("a-${v}.tar");
        let all = published(&[("a-1.tar", 1), ("a-2.tar", 2)]);
        assert!(
            expired(&pattern, &[], &path("a-3.tar"), 1, &all, &["a-1.tar", "a-2.tar"].map(Pattern::new))
                .is_empty()
        );
        let by_content = Pattern::of_path(&path("a-2{digest}.tar"));
        let all = published(&[("a-1.tar", 1), ("a-2abc.tar", 2)]);
        let gone = expired(&pattern, &[], &path("a-3.tar"), 1, &all, &[by_content]);
        assert_eq!(gone, [path("a-1.tar"), path("a-1.tar.sha256")]);
    }

    #[test]
    fn holes_hold_some_text() {
        let matches = |pattern: &str, text: &str| Pattern::new(pattern).matches(&path(text));
        assert!(matches("a-${v}.tar", "a-1.tar"));
        assert!(!matches("a-${v}.tar", "a-.tar"));
        assert!(!matches("a-${v}-${w}.tar", "a--.tar"));
        assert!(matches("${a}${b}", "xy"));
        assert!(!matches("${a}${b}", "x"));
        assert!(matches("${a}.tar", "dist/x.tar"));
        assert!(matches("a-${v}-b-${w}", "a-b-b-b-b"));
        assert!(matches("plain.tar", "plain.tar"));
        assert!(!matches("plain.tar", "plain.tar.gz"));
        assert!(matches("${ä}é${x}", "öéü"));
        assert!(matches("a-${v}-{digest}.tar", "a-1-0123.tar"));
        assert!(!matches("a-${v}-{digest}.tar", "a-1.tar"));
    }
}
