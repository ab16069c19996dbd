//! What `osgraph lock` says. The entries are handed in as plain data: this module knows no registry.

use serde::Serialize;

use crate::report::colour::Palette;
use crate::report::json::answer;
use crate::report::lines::word;
use crate::report::quantity::count;
use crate::report::table::{Align, Table};

/// Digits of a digest that are shown: enough to tell two apart.
const SHOWN: usize = 12;

/// What became of the lock file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// As the reader knows it.
    pub file: String,
    pub dry_run: bool,
    pub written: bool,
    pub images: Vec<Line>,
}

/// One entry of the old file or the new one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    pub image: String,
    pub platform: String,
    pub change: Change,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Added,
    Moved,
    Dropped,
    Kept,
}

impl Change {
    const fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Moved => "moved",
            Self::Dropped => "dropped",
            Self::Kept => "kept",
        }
    }
}

/// `0123456789ab` of `sha256:0123456789ab…`.
pub(super) fn short(digest: &str) -> &str {
    let digits = digest.split_once(':').map_or(digest, |(_, digits)| digits);
    digits.get(..SHOWN).unwrap_or(digits)
}

/// What changed, one line each, and what it came to.
pub fn locked(outcome: &Outcome, palette: Palette) -> String {
    let Outcome { file, dry_run, written, images } = outcome;
    let mut table = Table::new([
        ("", Align::Left),
        ("image", Align::Left),
        ("platform", Align::Left),
        ("digest", Align::Left),
    ]);
    let changed: Vec<&Line> = images.iter().filter(|line| line.change != Change::Kept).collect();
    for Line { image, platform, change, old, new } in &changed {
        let digest = match (old, new) {
            (Some(old), Some(new)) => format!("{} → {}", short(old), short(new)),
            (old, new) => short(new.as_ref().or(old.as_ref()).map_or("", String::as_str)).to_owned(),
        };
        table.row([change.word().to_owned(), image.clone(), platform.clone(), digest]);
    }
    let mut out = if changed.is_empty() { String::new() } else { table.text(palette) };
    let locked = images.iter().filter(|line| line.new.is_some()).count();
    let images = count(locked, "image");
    out.push_str(&match (written, dry_run) {
        (true, _) => format!("{}  `{file}`: {images}\n", word(palette, "wrote")),
        (false, true) if !changed.is_empty() => {
            format!("{}  `{file}` would have {images}\n", word(palette, "plan"))
        }
        (false, _) => format!("{}  `{file}`: {images}, nothing to do\n", word(palette, "fresh")),
    });
    out
}

/// `{"v":1,"file","dry_run","written","images":[…]}`
pub fn json(outcome: &Outcome) -> String {
    answer(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(image: &str, change: Change, old: Option<&str>, new: Option<&str>) -> Line {
        let digest = |text: &str| format!("sha256:{}", text.repeat(64));
        Line {
            image: image.to_owned(),
            platform: "linux/amd64".to_owned(),
            change,
            old: old.map(digest),
            new: new.map(digest),
        }
    }

    fn outcome(dry_run: bool, written: bool, images: Vec<Line>) -> Outcome {
        Outcome { file: "pipeline.lock".into(), dry_run, written, images }
    }

    #[test]
    fn changes_are_listed_and_what_stays_is_counted() {
        let images = vec![
            line("a:1", Change::Added, None, Some("a")),
            line("b:1", Change::Moved, Some("b"), Some("c")),
            line("c:1", Change::Dropped, Some("d"), None),
            line("d:1", Change::Kept, Some("e"), Some("e")),
        ];
        let table = "         image  platform     digest
added    a:1    linux/amd64  aaaaaaaaaaaa
moved    b:1    linux/amd64  bbbbbbbbbbbb → cccccccccccc
dropped  c:1    linux/amd64  dddddddddddd
";
        let said = |dry_run, written| locked(&outcome(dry_run, written, images.clone()), Palette::PLAIN);
        assert_eq!(said(false, true), format!("{table}wrote     `pipeline.lock`: 3 images\n"));
        assert_eq!(said(true, false), format!("{table}plan      `pipeline.lock` would have 3 images\n"));
        let kept = outcome(false, false, images[3..].to_vec());
        assert_eq!(locked(&kept, Palette::PLAIN), "fresh     `pipeline.lock`: 1 image, nothing to do\n");
    }

    #[test]
    fn json_is_stable() {
        let outcome = outcome(false, true, vec![line("a:1", Change::Added, None, Some("a"))]);
        let digest = "a".repeat(64);
        assert_eq!(
            json(&outcome),
            format!(
                r#"{{"v":1,"file":"pipeline.lock","dry_run":false,"written":true,"images":[{{"image":"a:1","platform":"linux/amd64","change":"added","new":"sha256:{digest}"}}]}}"#
            ) + "\n"
        );
    }
}
