//! `osgraph man`: manual pages of every command.

use std::path::Path;

use clap::CommandFactory as _;

use crate::commands::args::{Cli, Format, Man};
use crate::commands::exit::Exit;
use crate::commands::fault::Fault;
use crate::commands::screen::Screen;
use crate::report::json::answer;
use crate::report::manual::{Page, pages};
use crate::report::quantity::count;

/// Answers in any folder: it needs no pipeline.
pub fn run(args: &Man, here: &Path, screen: &Screen) -> Result<Exit, Fault> {
    let all = pages(Cli::command());
    let Some(folder) = &args.folder else {
        screen.answer(all.first().map_or("", |page| page.text.as_str()));
        return Ok(Exit::Done);
    };
    let place = here.join(folder);
    let wrong =
        |source| Fault::Io { action: format!("write manual pages to `{}`", folder.display()), source };
    std::fs::create_dir_all(&place).map_err(wrong)?;
    for Page { name, text } in &all {
        std::fs::write(place.join(name), text).map_err(wrong)?;
    }
    match screen.format {
        Format::Json => {
            let names: Vec<&str> = all.iter().map(|page| page.name.as_str()).collect();
            screen.answer(&answer(&serde_json::json!({ "folder": folder, "pages": names })));
        }
        Format::Text if screen.is_quiet() => {}
        Format::Text => {
            screen.answer(&format!("wrote {} to {}\n", count(all.len(), "page"), folder.display()))
        }
    }
    Ok(Exit::Done)
}
