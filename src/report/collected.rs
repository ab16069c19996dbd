//! What `osgraph gc` says. Numbers and names are handed in as plain data.

use serde::Serialize;

use crate::report::colour::Palette;
use crate::report::lines::word;
use crate::report::quantity::{count, millis, size};

/// What a collection removed, or with `dry_run` would remove.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Collected {
    pub dry_run: bool,
    pub records: u64,
    pub contents: u64,
    /// Bytes on disk.
    pub freed: u64,
    /// Bytes on disk afterwards.
    pub left: u64,
    /// Recorded time of the work whose results are gone.
    pub rebuild_ms: u64,
    /// None for a pipeline that builds no images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images: Option<Images>,
}

/// The engine's part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Images {
    Looked(Looked),
    /// Why not.
    NotLooked {
        fault: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        help: Option<String>,
    },
}

/// What was found in the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Looked {
    pub untagged: Vec<Untagged>,
    /// Names that a container holds on to.
    pub in_use: Vec<String>,
    /// Images that records name.
    pub kept: u64,
    /// None where the engine does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build_cache: Option<BuildCache>,
    /// What kept it from looking further.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// A name that was taken away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Untagged {
    pub name: String,
    /// Of the whole image, layers that others share included.
    pub bytes: u64,
    /// Whether the image went with it, this being its last name.
    pub removed: bool,
}

/// What the engine's builder keeps for itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BuildCache {
    pub records: u64,
    pub bytes: u64,
    /// Bytes that no build and no image needs.
    pub idle: u64,
}

/// `osgraph gc`
pub fn collected(report: &Collected, palette: Palette) -> String {
    let mut out = of_store(report, palette);
    match &report.images {
        None => {}
        Some(Images::NotLooked { fault, help }) => {
            out.push_str(&format!("{}  not looked at: {fault}\n", word(palette, "images")));
            let help = help.iter().map(|help| format!("{}  {help}\n", word(palette, "help")));
            out.extend(help);
        }
        Some(Images::Looked(looked)) => out.push_str(&of_engine(looked, report.dry_run, palette)),
    }
    out
}

fn of_store(report: &Collected, palette: Palette) -> String {
    let Collected { dry_run, records, contents, freed, left, rebuild_ms, images: _ } = *report;
    let opening = if dry_run { "plan" } else { "removed" };
    if records == 0 && contents == 0 && freed == 0 {
        return format!("{}  nothing, {} in the store\n", word(palette, opening), size(left));
    }
    let lost = match rebuild_ms {
        0 => String::new(),
        ms if dry_run => format!("; building it again would take {}", millis(ms)),
        ms => format!("; building it again takes {}", millis(ms)),
    };
    format!(
        "{}  {}, {}, {}{lost}; {} left\n",
        word(palette, opening),
        count(records as usize, "record"),
        count(contents as usize, "content"),
        size(freed),
        size(left)
    )
}

fn of_engine(looked: &Looked, dry_run: bool, palette: Palette) -> String {
    let Looked { untagged, in_use, kept, build_cache, fault } = looked;
    let mut out = String::new();
    let mut line = |opening: &str, text: String| {
        out.push_str(&format!("{}  {text}\n", word(palette, opening)));
    };
    for Untagged { name, bytes, removed } in untagged {
        let what = match (removed, dry_run) {
            (true, _) => format!("image `{name}`, up to {}", size(*bytes)),
            (false, true) => format!("name `{name}`; its image has others, and stays"),
            (false, false) => format!("name `{name}`; its image has others, and stayed"),
        };
        line(if dry_run { "plan" } else { "removed" }, what);
    }
    for name in in_use {
        line("left", format!("image `{name}`: a container uses it"));
    }
    line("images", format!("{} kept", count(*kept as usize, "image")));
    if let Some(BuildCache { records, bytes, idle }) = *build_cache
        && records > 0
    {
        let held = format!("the engine's build cache holds {}, {} of it idle", size(bytes), size(idle));
        let why = "it does not say whose that is, so it is left to `docker builder prune`";
        line("cache", format!("{held}; {why}"));
    }
    if let Some(fault) = fault {
        line("warning", format!("the engine was not looked through: {fault}"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::json::answer;

    const NOTHING: Collected =
        Collected { dry_run: false, records: 0, contents: 0, freed: 0, left: 5, rebuild_ms: 0, images: None };

    #[test]
    fn a_collection_says_what_it_costs() {
        let report = Collected {
            dry_run: true,
            records: 1,
            contents: 300,
            freed: 340 << 20,
            left: 1 << 30,
            rebuild_ms: 1_800_000,
            images: None,
        };
        assert_eq!(
            collected(&report, Palette::PLAIN),
            "plan      1 record, 300 contents, 340 MiB; building it again would take 30m00s; 1.0 GiB left\n"
        );
        assert_eq!(collected(&NOTHING, Palette::PLAIN), "removed   nothing, 5 B in the store\n");
        assert!(!answer(&NOTHING).contains("images"));
    }

    #[test]
    fn images_are_named_with_what_becomes_of_them() {
        let untagged = |name: &str, removed| Untagged { name: name.to_owned(), bytes: 3 << 20, removed };
        let looked = Looked {
            untagged: vec![untagged("osgraph/image:1", true), untagged("osgraph/image:2", false)],
            in_use: vec!["osgraph/image:3".to_owned()],
            kept: 1,
            build_cache: Some(BuildCache { records: 7, bytes: 5 << 20, idle: 2 << 20 }),
            fault: None,
        };
        let report = Collected { images: Some(Images::Looked(looked)), ..NOTHING };
        assert_eq!(
            collected(&report, Palette::PLAIN),
            "\
removed   nothing, 5 B in the store
removed   image `osgraph/image:1`, up to 3.0 MiB
removed   name `osgraph/image:2`; its image has others, and stayed
left      image `osgraph/image:3`: a container uses it
images    1 image kept
cache     the engine's build cache holds 5.0 MiB, 2.0 MiB of it idle; it does not say whose that is, so it is left to `docker builder prune`
"
        );
        assert!(answer(&report).ends_with(
            "\"images\":{\"untagged\":[\
             {\"name\":\"osgraph/image:1\",\"bytes\":3145728,\"removed\":true},\
             {\"name\":\"osgraph/image:2\",\"bytes\":3145728,\"removed\":false}],\
             \"in_use\":[\"osgraph/image:3\"],\"kept\":1,\
             \"build_cache\":{\"records\":7,\"bytes\":5242880,\"idle\":2097152}}}\n"
        ));
    }

    #[test]
    fn what_was_done_before_a_fault_is_told() {
        let one = Untagged { name: "osgraph/image:1".to_owned(), bytes: 9, removed: true };
        let looked =
            Looked { untagged: vec![one], fault: Some("it hung up".to_owned()), ..Looked::default() };
        let report = Collected { images: Some(Images::Looked(looked)), ..NOTHING };
        assert_eq!(
            collected(&report, Palette::PLAIN),
            "\
removed   nothing, 5 B in the store
removed   image `osgraph/image:1`, up to 9 B
images    0 images kept
warning   the engine was not looked through: it hung up
"
        );
    }

    #[test]
    fn an_engine_that_is_not_there_is_no_failure() {
        let images = Images::NotLooked {
            fault: "no container engine answers".to_owned(),
            help: Some("start one".to_owned()),
        };
        let report = Collected { images: Some(images), ..NOTHING };
        assert_eq!(
            collected(&report, Palette::PLAIN),
            "\
removed   nothing, 5 B in the store
images    not looked at: no container engine answers
help      start one
"
        );
    }
}
