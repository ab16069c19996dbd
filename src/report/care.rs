//! What `osgraph cache` says. The numbers are handed in as plain data: this module
//! knows no store.

use serde::Serialize;

use crate::report::colour::Palette;
use crate::report::lines::word;
use crate::report::quantity::{count, grouped, millis, size};

/// What the store holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Info {
    /// Its folder, as shown.
    pub path: String,
    /// Distinct contents and their bytes.
    pub contents: u64,
    pub bytes: u64,
    /// What they take on disk, in packs and in files of their own.
    pub disk_bytes: u64,
    pub packs: u64,
    pub blobs: u64,
    /// Bytes in packs that nothing refers to any more.
    pub dead_bytes: u64,
    pub database_bytes: u64,
    /// Unpacked trees, which can be made again.
    pub trees: u64,
    pub records: u64,
    pub runs: u64,
    /// Pipelines that use the store.
    pub projects: u64,
}

/// `osgraph cache info`
pub fn info(info: &Info, palette: Palette) -> String {
    let line = |name: &str, text: String| format!("{}{text}\n", palette.dim(format!("{name:10}")));
    [
        line("store", info.path.clone()),
        line("contents", format!("{}, {}", grouped(info.contents), size(info.bytes))),
        line(
            "on disk",
            format!(
                "{} in {} and {}, {} of it dead",
                size(info.disk_bytes),
                count(info.packs as usize, "pack"),
                count(info.blobs as usize, "blob"),
                size(info.dead_bytes)
            ),
        ),
        line("database", size(info.database_bytes)),
        line("trees", count(info.trees as usize, "unpacked tree")),
        line("records", grouped(info.records)),
        line("runs", grouped(info.runs)),
        line("projects", grouped(info.projects)),
    ]
    .concat()
}

/// One damaged or missing content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// What is damaged, by digest or file name.
    pub what: String,
    /// Why: `has other bytes`, `is missing`.
    pub problem: String,
}

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verified {
    pub contents: u64,
    pub bytes: u64,
    pub duration_ms: u64,
    pub damages: Vec<Damage>,
    pub repaired: bool,
}

/// `osgraph cache verify`
pub fn verified(report: &Verified, palette: Palette) -> String {
    let Verified { contents, bytes, duration_ms, damages, repaired } = report;
    let mut out = String::new();
    for Damage { what, problem } in damages {
        let opening = word(palette, if *repaired { "removed" } else { "failed" });
        out.push_str(&format!("{opening}  `{what}` {problem}\n"));
    }
    let checked =
        format!("{}, {} in {}", count(*contents as usize, "content"), size(*bytes), millis(*duration_ms));
    match (damages.len(), repaired) {
        (0, _) => out.push_str(&format!("{}  {checked}: all sound\n", word(palette, "done"))),
        (damaged, true) => {
            out.push_str(&format!("{}  {checked}: {damaged} damaged, removed\n", word(palette, "done")));
        }
        (damaged, false) => {
            out.push_str(&format!("{}  {checked}: {damaged} damaged\n", word(palette, "failed")));
            let help = "`osgraph cache verify --repair` forgets what is damaged, so that it is built anew";
            out.push_str(&format!("{}  {help}\n", word(palette, "help")));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::json::answer;

    #[test]
    fn info_is_a_short_list() {
        let report = Info {
            path: "/p/cache".into(),
            contents: 20_000,
            bytes: 3 << 30,
            disk_bytes: 1 << 30,
            packs: 1,
            blobs: 3,
            dead_bytes: 0,
            database_bytes: 100 << 20,
            trees: 0,
            records: 1_200,
            runs: 41,
            projects: 1,
        };
        assert_eq!(
            info(&report, Palette::PLAIN),
            "\
store     /p/cache
contents  20,000, 3.0 GiB
on disk   1.0 GiB in 1 pack and 3 blobs, 0 B of it dead
database  100 MiB
trees     0 unpacked trees
records   1,200
runs      41
projects  1
"
        );
        assert!(answer(&report).starts_with(r#"{"v":1,"path":"/p/cache","contents":20000,"#));
    }

    #[test]
    fn damage_is_named_with_its_mend() {
        let sound = Verified { contents: 2, bytes: 10, duration_ms: 3, damages: vec![], repaired: false };
        assert_eq!(verified(&sound, Palette::PLAIN), "done      2 contents, 10 B in 3 ms: all sound\n");
        let damage = Damage { what: "0123".into(), problem: "is missing".into() };
        let damaged = Verified { damages: vec![damage], ..sound };
        assert_eq!(
            verified(&damaged, Palette::PLAIN),
            "\
failed    `0123` is missing
failed    2 contents, 10 B in 3 ms: 1 damaged
help      `osgraph cache verify --repair` forgets what is damaged, so that it is built anew
"
        );
        let repaired = Verified { repaired: true, ..damaged };
        assert!(verified(&repaired, Palette::PLAIN).ends_with("1 damaged, removed\n"));
    }
}
