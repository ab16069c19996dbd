//! `osgraph init`: a pipeline to begin with.

use std::io::Write as _;
use std::path::Path;

use crate::commands::args::{Format, Init};
use crate::commands::exit::Exit;
use crate::commands::fault::Fault;
use crate::commands::ground::Ground;
use crate::commands::screen::Screen;
use crate::pipeline::draft::{Draft, draft};
use crate::report::init::{self, Written};

mod look;

pub fn init(ground: &Ground, args: &Init, screen: &Screen) -> Result<Exit, Fault> {
    if !args.dry_run && !args.force && ground.file.exists() {
        return Err(Fault::Exists { path: ground.file.clone() });
    }
    let drafted = if args.example { None } else { draft(&look::folder(ground)) };
    let text = drafted.as_ref().map_or(init::TEMPLATE, |draft| &draft.text);
    if !args.dry_run {
        write(&ground.file, text, args.force).map_err(|source| match source.kind() {
            std::io::ErrorKind::AlreadyExists => Fault::Exists { path: ground.file.clone() },
            _ => Fault::Io { action: format!("write `{}`", ground.shown), source },
        })?;
    }
    let Draft { text: _, found, open, nodes } = drafted.clone().unwrap_or_else(init::example);
    let written = Written { file: &ground.shown, dry_run: args.dry_run, text, found, open, nodes };
    match screen.format {
        Format::Json => screen.answer(&init::json(&written)),
        Format::Text => {
            if args.dry_run {
                screen.answer(text);
            }
            if !screen.is_quiet() {
                screen.remark(&init::text(&written));
            }
        }
    }
    Ok(Exit::Done)
}

fn write(file: &Path, text: &str, replace: bool) -> std::io::Result<()> {
    if replace {
        // Replaced as a whole: what was there is gone only when the new one stands.
        let temporary = file.with_extension("kdl.new");
        std::fs::write(&temporary, text)?;
        return std::fs::rename(&temporary, file);
    }
    std::fs::File::options().write(true).create_new(true).open(file)?.write_all(text.as_bytes())
}
