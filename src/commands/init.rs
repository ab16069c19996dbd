//! `osgraph init` and `osgraph completions`: files to begin with.

use std::io::Write as _;

use clap::CommandFactory as _;

use crate::commands::args::{Cli, Completions, Init};
use crate::commands::exit::Exit;
use crate::commands::fault::Fault;
use crate::commands::ground::Ground;
use crate::commands::screen::Screen;
use crate::report::init::TEMPLATE;

pub fn init(ground: &Ground, args: &Init, screen: &Screen) -> Result<Exit, Fault> {
    let wrong = |source| Fault::Io { action: format!("write `{}`", ground.shown), source };
    let mut options = std::fs::File::options();
    options.write(true);
    if args.force {
        // Replaced as a whole: what was there is gone only when the new one stands.
        let temporary = ground.file.with_extension("kdl.new");
        std::fs::write(&temporary, TEMPLATE).map_err(wrong)?;
        std::fs::rename(&temporary, &ground.file).map_err(wrong)?;
    } else {
        match options.create_new(true).open(&ground.file) {
            Ok(mut file) => file.write_all(TEMPLATE.as_bytes()).map_err(wrong)?,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                return Err(Fault::Exists { path: ground.file.clone() });
            }
            Err(error) => return Err(wrong(error)),
        }
    }
    if !screen.is_quiet() {
        screen.answer(&format!("wrote {}: read it, then `osgraph run`\n", ground.shown));
    }
    Ok(Exit::Done)
}

pub fn completions(args: &Completions, screen: &Screen) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "osgraph", &mut script);
    screen.answer(&String::from_utf8_lossy(&script));
    Exit::Done
}
