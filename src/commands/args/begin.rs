//! Commands to begin with: looking at the machine, a first pipeline, what shells, readers and programs
//! want to have.

use std::path::PathBuf;

use clap::Args;

/// Say which container engine is used, where it was looked for, and what is wrong with it
///
/// Engines are found as the docker CLI finds them: DOCKER_HOST, else the context that
/// DOCKER_CONTEXT or the CLI's configuration names, else the usual sockets of Docker and Podman.
/// Exits with 3 when none can be used.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  osgraph doctor
  DOCKER_HOST=ssh://me@build.example osgraph doctor --json")]
pub struct Doctor {}

/// Print a script that completes osgraph's command line in a shell
///
/// Names of nodes and parameters and numbers of runs are completed as well: the script asks osgraph,
/// which reads the pipeline at hand, heeding `-C` and `-f`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  osgraph completions bash > ~/.local/share/bash-completion/completions/osgraph
  osgraph completions zsh > ~/.zfunc/_osgraph
  osgraph completions fish > ~/.config/fish/completions/osgraph.fish")]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Write a commented pipeline to begin with, drafted from what lies in the folder
///
/// Looked at are git, Dockerfiles, Cargo.toml, go.mod, package.json, composer.json and Makefile, and
/// which programs and engine are there. What it could not tell is listed as `open`. A folder that says
/// nothing gets an example. Nothing is ever overwritten unless asked for.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  osgraph init && osgraph run
  osgraph init -n                   what would be written, without writing it
  osgraph init --example            the example, whatever lies here
  osgraph init -C ../other --force")]
pub struct Init {
    /// Print what would be written, write nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    /// Write the example that explains each part, whatever lies in the folder
    #[arg(long)]
    pub example: bool,

    /// Replace a pipeline that is there
    #[arg(long)]
    pub force: bool,
}

/// Write manual pages: one for osgraph and one for each command
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  osgraph man | man -l -                       read the first of them
  osgraph man ~/.local/share/man/man1          install them all for yourself
  sudo osgraph man /usr/local/share/man/man1   for everybody")]
pub struct Man {
    /// Where they are written [default: osgraph's own page to standard output]
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
}

/// Print the JSON Schema of an answer, an event, a receipt or a build manifest
///
/// They are those of draft 2020-12, and each stands alone. New fields come without notice, so unknown
/// ones pass.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  osgraph schema                  which there are
  osgraph schema explain > explain.schema.json")]
pub struct Schema {
    /// Whose schema [default: list them]
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
}
