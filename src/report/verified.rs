//! What `osgraph verify` says of a package. Plain data is handed in.

use serde::Serialize;

use crate::report::colour::Palette;
use crate::report::json::answer;
use crate::report::quantity::count;

/// A package, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Package {
    pub path: String,
    pub kind: &'static str,
    /// Whether it is what its manifest says.
    pub holds: bool,
    /// Whether anything in it was taken as it was.
    pub assumed: bool,
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

/// The text, with a line's end at its end.
pub fn text(package: &Package, palette: Palette) -> String {
    let Package { path, kind, holds, assumed, listed, missing, altered, extra, checksum } = package;
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
