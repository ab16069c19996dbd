//! From the command line to an exit code.

use std::ffi::OsString;
use std::time::Instant;

use clap::{CommandFactory as _, Parser as _};

use crate::commands::args::{Cli, Command, Doctor};
use crate::commands::exit::Exit;
use crate::commands::fault::Fault;
use crate::commands::ground::Ground;
use crate::commands::screen::Screen;
use crate::commands::{
    care, check, clean, complete, diff, doctor, explain, gc, graph, history, init, lock, man, outdated,
    report, run, schema, verify, watch, whence,
};

/// Does what `arguments` ask, the program's name being the first.
pub fn start(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let start = Instant::now();
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let Some(exit) = complete::answer(&arguments) {
        return exit;
    }
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers; everything else is a mistake in the command line.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    let screen = Screen::of(&cli, start);
    let Some(command) = &cli.command else {
        screen.answer(&Cli::command().render_long_help().to_string());
        return Exit::Done;
    };
    match act(&cli, command, &screen, start) {
        Ok(exit) => exit,
        Err(fault) => {
            screen.fault(&fault);
            fault.exit()
        }
    }
}

fn act(cli: &Cli, command: &Command, screen: &Screen, start: Instant) -> Result<Exit, Fault> {
    let here = cli.general.directory.clone().unwrap_or_default();
    // These need no project.
    match command {
        Command::Completions(args) => return Ok(complete::script(args, screen)),
        Command::Doctor(Doctor {}) => return Ok(doctor::run(screen)),
        Command::Man(args) => return man::run(args, &here, screen),
        Command::Schema(args) => return schema::run(args, screen),
        Command::Verify(args) => return verify::run(args, &here, screen),
        _ => {}
    }
    let ground = Ground::of(cli)?;
    match command {
        Command::Run(args) => run::run(&ground, args, screen, start),
        Command::Watch(args) => watch::run(&ground, args, screen),
        Command::Explain(args) => explain::run(&ground, args, screen),
        Command::Check(_) => check::check(&ground, screen),
        Command::Graph(args) => graph::run(&ground, args, screen),
        Command::Log(args) => history::log(&ground, args, screen),
        Command::Runs(args) => history::runs(&ground, args, screen),
        Command::Diff(args) => diff::run(&ground, args, screen),
        Command::Whence(args) => whence::run(&ground, args, screen),
        Command::Report(args) => report::run(&ground, args, screen),
        Command::Ps(_) => history::ps(&ground, screen),
        Command::Stats(args) => history::stats(&ground, args, screen),
        Command::Clean(args) => clean::run(&ground, args, screen),
        Command::Gc(args) => gc::gc(&ground, args, screen),
        Command::Cache(args) => care::cache(&ground, args, screen),
        Command::Init(args) => init::init(&ground, args, screen),
        Command::Lock(args) => lock::run(&ground, args, screen),
        Command::Outdated(_) => outdated::run(&ground, screen),
        Command::Verify(args) => verify::run(args, &ground.here, screen),
        Command::Doctor(Doctor {}) => Ok(doctor::run(screen)),
        Command::Completions(args) => Ok(complete::script(args, screen)),
        Command::Man(args) => man::run(args, &ground.here, screen),
        Command::Schema(args) => schema::run(args, screen),
    }
}
