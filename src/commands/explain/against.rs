//! `osgraph explain --against RECEIPT`: what differs from what another run knew.

use std::path::Path;

use crate::commands::args::Format;
use crate::commands::exit::Exit;
use crate::commands::explain::context;
use crate::commands::fault::Fault;
use crate::commands::ground::Ground;
use crate::commands::prepare::Prepared;
use crate::commands::screen::Screen;
use crate::plan::judge::{Judged, Order};
use crate::plan::receipt::Receipt;
use crate::report::explain::against::{Compared, Origin, json, text};

pub fn run(
    file: &Path,
    ground: &Ground,
    prepared: &Prepared,
    judged: &[Judged],
    screen: &Screen,
) -> Result<Exit, Fault> {
    let bytes = std::fs::read(file).map_err(Fault::reading(file))?;
    let receipt = Receipt::from_bytes(&bytes).map_err(|error| {
        let message = format!("`{}` cannot be compared with: {error}", file.display());
        Fault::usage(message, "name a file that `osgraph run --receipt FILE` of this version wrote")
    })?;
    let mut historian = prepared.historian();
    historian.brought = receipt.directories();
    let nodes: Vec<Compared> = (0..prepared.nodes.len())
        .filter(|at| prepared.subjects[*at].order != Order::Nothing)
        .map(|at| {
            let old = receipt.manifest(&prepared.names[at]);
            Compared {
                node: prepared.names[at].clone(),
                kind: prepared.nodes[at].kind(),
                known: old.is_some(),
                whole: judged[at].manifest.is_some(),
                reasons: old
                    .map(|old| historian.against(&prepared.case(at, judged), &old))
                    .unwrap_or_default(),
            }
        })
        .collect();
    let origin = Origin {
        file: file.display().to_string(),
        run: receipt.run,
        revision: receipt.revision,
        started: receipt.started,
    };
    screen.answer(&match screen.format {
        Format::Json => json(&origin, &nodes),
        Format::Text => {
            let context = context(ground, screen, &[]);
            text(&origin, &nodes, &context)
        }
    });
    Ok(Exit::Done)
}
