//! What `osgraph verify` says of a package. Plain data is handed in.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::report::colour::Palette;
use crate::report::json::answer;
use crate::report::quantity::count;
use crate::report::text as screen;

/// A package, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Package {
    pub path: String,
    pub kind: &'static str,
    /// Whether it is what its manifest says.
    pub holds: bool,
    /// Whether anything in it was taken as it was.
    pub assumed: bool,
    /// What its manifest tells of the build, by name; left out where it tells nothing.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
    /// What nodes were that went into it, by name; left out where it tells nothing.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub provenance: BTreeMap<String, Origin>,
    /// Entries of the manifest.
    pub listed: usize,
    pub missing: Vec<String>,
    /// Path, and what differs: `content`, `mode`, `target` or `kind`.
    pub altered: Vec<(String, &'static str)>,
    pub extra: Vec<String>,
    /// Of an archive with a checksum beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<bool>,
}

/// What a node was that went into a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// The commit that its tree was taken from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Of its artifact.
    pub digest: String,
}

/// The text, with a line's end at its end.
pub fn text(package: &Package, palette: Palette) -> String {
    let Package { path, kind, holds, assumed, facts, provenance, listed, missing, altered, extra, checksum } =
        package;
    let word = if *holds { palette.green("ok") } else { palette.red("differs") };
    let sum = match checksum {
        Some(true) => ", checksum right",
        Some(false) => ", checksum wrong",
        None => "",
    };
    let mut out = format!("{word}  {}  {kind}, {}{sum}\n", palette.bold(path), count(*listed, "path"));
    if *assumed {
        out.push_str("  made from what was assumed to be fresh\n");
    }
    let width = facts.keys().chain(provenance.keys()).map(|name| screen::width(name)).max().unwrap_or(0);
    // A package may come from anywhere: what it says of itself must not draw on the screen.
    let mut tell = |name: &str, value: &str| {
        let name = palette.dim(screen::pad(&screen::clean(name), width));
        out.push_str(&format!("  {name}  {}\n", screen::clean(value)));
    };
    for (name, value) in facts {
        tell(name, value);
    }
    for (node, Origin { commit, digest }) in provenance {
        match commit {
            Some(commit) => tell(node, &format!("commit {commit}")),
            None => tell(node, &format!("digest {digest}")),
        }
    }
    for one in missing {
        out.push_str(&format!("  {}  {one}\n", palette.red("missing")));
    }
    for (one, what) in altered {
        out.push_str(&format!("  {}  {one}  ({what})\n", palette.red("altered")));
    }
    for one in extra {
        out.push_str(&format!("  {}    {one}\n", palette.dim("extra")));
    }
    out
}

/// `{"v":1,"packages":[…]}`
pub fn json(packages: &[Package]) -> String {
    #[derive(Serialize)]
    struct Document<'a> {
        packages: &'a [Package],
    }
    answer(&Document { packages })
}
