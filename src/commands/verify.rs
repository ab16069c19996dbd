//! `osgraph verify`: whether packages are what their build manifests say. Needs no pipeline.

use crate::commands::args::{Format, Verify};
use crate::commands::exit::Exit;
use crate::commands::fault::Fault;
use crate::commands::screen::Screen;
use crate::report::verified::{Origin, Package, json, text};
use crate::run::build_manifest::Provenance;
use crate::run::verify::{Difference, Verified, VerifyError, verify};

pub fn run(args: &Verify, here: &std::path::Path, screen: &Screen) -> Result<Exit, Fault> {
    let mut packages = Vec::new();
    for shown in &args.paths {
        let path = here.join(shown);
        if !path.exists() {
            return Err(Fault::absent(shown));
        }
        let meter = screen.meter(|| "verifying".to_owned());
        let found = verify(&path, &args.manifest);
        drop(meter);
        let found = found.map_err(|error| Fault::Unverified {
            path: shown.clone(),
            // Without a manifest there is nothing to verify by.
            missing: matches!(error, VerifyError::NoManifest(_)),
            source: error,
        })?;
        packages.push(package(shown.display().to_string(), found, args.strict));
    }
    match screen.format {
        Format::Json => screen.answer(&json(&packages)),
        Format::Text => packages.iter().for_each(|one| screen.answer(&text(one, screen.palette))),
    }
    let all = packages.iter().all(|one| one.holds);
    Ok(if all { Exit::Done } else { Exit::NodeFailed })
}

fn package(path: String, found: Verified, strict: bool) -> Package {
    let holds = found.holds() && (!strict || found.extra.is_empty());
    let Verified { kind, assumed, facts, provenance, listed, missing, altered, extra, checksum } = found;
    let origin = |Provenance { commit, digest }| Origin { commit, digest: digest.to_string() };
    let word = |difference| match difference {
        Difference::Kind => "kind",
        Difference::Content => "content",
        Difference::Mode => "mode",
        Difference::Target => "target",
    };
    Package {
        path,
        kind: kind.word(),
        holds,
        assumed,
        facts,
        provenance: provenance.into_iter().map(|(node, one)| (node, origin(one))).collect(),
        listed,
        missing: missing.iter().map(ToString::to_string).collect(),
        altered: altered.into_iter().map(|(path, what)| (path.to_string(), word(what))).collect(),
        extra: extra.iter().map(ToString::to_string).collect(),
        checksum,
    }
}
