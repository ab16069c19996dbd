//! The shape of the command line: every command, option and example, and nothing that acts.
//!
//! `docs/cli.md` is made from this file's help; a test keeps them equal.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::report::{ColourChoice, LogStyle, Verbosity};

mod begin;
mod care;
mod history;
mod values;

pub use begin::{Completions, Doctor, Init, Man, Schema};
pub use care::{Cache, CacheCommand, Clean, Gc, Verify};
pub use history::{Diff, Log, Ps, Report, ReportAs, Runs, Stats, Whence};
pub use values::Setting;

const GENERAL: &str = "General options";

/// Build what changed, know why, and never build the same thing twice.
///
/// osgraph reads a pipeline from `pipeline.kdl`, works out which of its nodes are not fresh, and
/// runs only those. Everything that a node ever yielded is kept in the store by its content.
///
/// Called without a command, osgraph prints this help and exits with 0.
#[derive(Debug, Parser)]
#[command(name = "osgraph", version, propagate_version = false, max_term_width = 100)]
#[command(after_long_help = "\
Examples:
  osgraph init                     write a pipeline to begin with
  osgraph run                      build the default targets
  osgraph explain                  say what would run, and why
  osgraph run dist-docker -n       show the plan for one target

Exit codes:
  0  done, or nothing had to be done    3  something the run needs is not there
  1  a node failed                      4  an expectation was not met
  2  pipeline or command line is wrong  5  osgraph's own fault
  130, 143  interrupted, ended by a signal")]
pub struct Cli {
    #[command(flatten)]
    pub general: General,

    #[command(flatten)]
    pub settings: Settings,

    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options of every command; they may stand before or after its name.
#[derive(Debug, Args)]
pub struct General {
    /// Work as if started in DIR
    #[arg(short = 'C', long = "directory", value_name = "DIR", global = true, help_heading = GENERAL)]
    pub directory: Option<PathBuf>,

    /// The pipeline file; its folder is the project
    #[arg(short, long, value_name = "FILE", global = true, help_heading = GENERAL)]
    #[arg(env = "OSGRAPH_FILE", hide_env_values = true, default_value = "pipeline.kdl")]
    pub file: PathBuf,

    /// The store [default: `cache` beside the pipeline file]
    #[arg(long, value_name = "DIR", global = true, help_heading = GENERAL)]
    #[arg(env = "OSGRAPH_STORE", hide_env_values = true)]
    pub store: Option<PathBuf>,

    /// Show fresh nodes and everything that recipes print
    #[arg(short, long, global = true, help_heading = GENERAL)]
    pub verbose: bool,

    /// Show failures only
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = GENERAL)]
    pub quiet: bool,

    /// When to colour: NO_COLOR and CLICOLOR_FORCE are heeded by `auto`
    #[arg(long, value_enum, value_name = "WHEN", default_value_t, global = true, help_heading = GENERAL)]
    pub color: ColourChoice,

    /// Answer as text or as JSON
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t, global = true, help_heading = GENERAL)]
    pub format: Format,

    /// Short for `--format json`
    #[arg(long, global = true, conflicts_with = "format", help_heading = GENERAL)]
    pub json: bool,
}

impl General {
    pub const fn format(&self) -> Format {
        if self.json { Format::Json } else { self.format }
    }

    pub const fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, true) => Verbosity::Verbose,
            (false, false) => Verbosity::Normal,
        }
    }
}

/// `--format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: versioned, one object, or one a line for `run`.
    Json,
}

/// Parameters of the pipeline. Not a global option, because clap lets those given after a
/// command's name replace those before it; [`Cli::settings`] has both.
#[derive(Debug, Default, Args)]
pub struct Settings {
    /// Give a parameter of the pipeline a value (may be repeated)
    #[arg(long = "set", value_name = "NAME=VALUE", help_heading = GENERAL)]
    pub set: Vec<Setting>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Run(Run),
    Watch(Watch),
    Explain(Explain),
    Check(Check),
    Graph(Graph),
    Log(Log),
    Runs(Runs),
    Report(Report),
    Ps(Ps),
    Stats(Stats),
    Diff(Diff),
    Whence(Whence),
    Verify(Verify),
    Clean(Clean),
    Gc(Gc),
    Cache(Cache),
    Lock(Lock),
    Outdated(Outdated),
    Doctor(Doctor),
    Completions(Completions),
    Man(Man),
    Schema(Schema),
    Init(Init),
}

/// Build targets: run what is not fresh, put back what is missing
///
/// Without TARGET: the pipeline's defaults, or every node that no other node reads.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
Examples:
  osgraph run                           build the defaults
  osgraph run dist-docker -j 4          one target, four nodes at a time
  osgraph run -n                        what would be done, without doing it
  osgraph run --force app-embed         run that node again, whatever its record
  osgraph run --assume-fresh base       take base as it is, however old
  osgraph run --set version=2.1         with a parameter's value
  osgraph run --no-archive              packages as folders alone, for a quick look
  osgraph run --expect-fresh base --budget 5m
                                        fail at once rather than build for long")]
pub struct Run {
    /// Nodes to build, with all that they need
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,

    /// Say what would be done, do nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    /// Nodes that run at the same time [default: the number of processors]
    #[arg(short, long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,

    /// Run NODE again even if it is fresh (may be repeated)
    #[arg(long, value_name = "NODE", value_delimiter = ',')]
    pub force: Vec<String>,

    /// As --force, and without the engine's layer cache (may be repeated)
    #[arg(long, value_name = "NODE", value_delimiter = ',')]
    pub rebuild: Vec<String>,

    /// Take NODE's latest artifact without asking whether it is fresh (may be repeated)
    ///
    /// Nothing is recorded for what is built from it in this way; an error where there is none.
    #[arg(long, value_name = "NODE", value_delimiter = ',')]
    pub assume_fresh: Vec<String>,

    /// Make packages without their archives; older ones stay as they are
    ///
    /// The next run without it makes what is missing, and runs nothing for that.
    #[arg(long)]
    pub no_archive: bool,

    /// Go on with nodes that do not need what failed
    #[arg(short, long)]
    pub keep_going: bool,

    /// Exit with 4, before anything runs, unless NODE is fresh (may be repeated)
    #[arg(long, value_name = "NODE", value_delimiter = ',')]
    pub expect_fresh: Vec<String>,

    /// Exit with 4, before anything runs, if it is expected to take longer, as 5m or 1h30m
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    pub budget: Option<Duration>,

    /// Write what the run knew of its nodes to FILE: manifests, artifacts, folders, no secrets
    ///
    /// `osgraph explain --against FILE` compares with it, on this machine or another.
    #[arg(long, value_name = "FILE")]
    pub receipt: Option<PathBuf>,

    /// How the run is shown [default: by terminal and CI machine]
    #[arg(long, value_enum, value_name = "STYLE")]
    pub log_style: Option<LogStyle>,

    #[command(flatten)]
    pub settings: Settings,
}

/// Build targets, and again whenever something changes that counts
///
/// What counts is what counts for `run`; outputs never do. A change is built when it has come to rest,
/// and a build that failed is tried again when something else is there.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  osgraph watch                  the defaults
  osgraph watch dist-native -k   one target, as far as it goes")]
pub struct Watch {
    /// Nodes to build, with all that they need
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,

    /// Go on with nodes that do not need what failed
    #[arg(short, long)]
    pub keep_going: bool,

    #[command(flatten)]
    pub settings: Settings,
}

/// Say why each node is fresh or not, without changing anything
///
/// Root causes come first, then what follows from them, with the expected time. Each node is
/// compared with a named past run.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  osgraph explain                    the defaults
  osgraph explain app-embed          one target and all that it needs
  osgraph explain --last             why each node last ran, as it was told then
  osgraph explain --against ci.json  what differs from what a CI machine built
  osgraph explain --path builder/Caddyfile
                                     what that file counts for, and through which line
  osgraph explain --if-changed composer.lock
                                     what would run if it had other content
  osgraph explain --json | jq '.nodes[] | select(.verdict.stale?)'")]
pub struct Explain {
    /// Nodes to explain, with all that they need
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,

    /// Say why each node last ran, from the history of runs, whatever has changed since
    #[arg(long, conflicts_with = "against")]
    pub last: bool,

    /// Say what differs from RECEIPT, which a run wrote with --receipt, perhaps elsewhere
    #[arg(long, value_name = "RECEIPT")]
    pub against: Option<PathBuf>,

    /// Say what PATH, there or not, counts for, or why it counts for nothing (may be repeated)
    ///
    /// Of all nodes, or those that TARGET needs. Neither this nor --if-changed reads a file's content.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["last", "against"])]
    pub path: Vec<PathBuf>,

    /// Say what would run if PATH alone had other content (may be repeated)
    #[arg(long, value_name = "PATH", conflicts_with_all = ["last", "against"])]
    pub if_changed: Vec<PathBuf>,

    #[command(flatten)]
    pub settings: Settings,
}

/// Check the pipeline file and report every mistake in it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  osgraph check
  osgraph check -f other.kdl --set arch=arm64")]
pub struct Check {
    #[command(flatten)]
    pub settings: Settings,
}

/// Show the nodes and who needs whom
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  osgraph graph                              a tree of the whole pipeline
  osgraph graph dist-docker --as mermaid     for a README
  osgraph graph --verdicts                   and what would become of each node now
  osgraph graph --verdicts --as svg > g.svg  a picture")]
pub struct Graph {
    /// Nodes to show, with all that they need [default: all]
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,

    /// The notation
    #[arg(long = "as", value_enum, value_name = "NOTATION", default_value_t)]
    pub notation: Notation,

    /// Look at inputs, as `explain` does, and colour each node by its verdict
    #[arg(long)]
    pub verdicts: bool,

    #[command(flatten)]
    pub settings: Settings,
}

/// `graph --as`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Notation {
    /// An indented tree.
    #[default]
    Text,
    /// Graphviz.
    Dot,
    /// Mermaid, which many web pages draw.
    Mermaid,
    /// A picture that stands alone.
    Svg,
}

/// Write down which content the images have that Dockerfiles build on
///
/// `pipeline.lock`, beside the pipeline file, names the digest of every image in FROM, COPY --from
/// and --mount=from that no node makes. What is missing is asked of its registry, through the
/// container engine, and added; what nobody uses is dropped; what is there never moves by itself.
/// The file belongs under version control.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  osgraph lock                           add what is missing, drop what nobody uses
  osgraph lock --update php:8.3-cli      take what the registry has now
  osgraph lock --update all --dry-run    what that would change")]
pub struct Lock {
    /// Adopt what the registry has now under NAME, an image, or `all` (may be repeated)
    #[arg(long, value_name = "NAME", value_delimiter = ',', num_args = 1..)]
    pub update: Vec<String>,

    /// Say what would be written, write nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    #[command(flatten)]
    pub settings: Settings,
}

/// Say which locked images have moved in their registries, and what adopting them would cost
///
/// The cost is what would run at most, and its time in past runs, one after the other. Days are
/// those on which images were made, where the engine has them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  osgraph outdated
  osgraph outdated --json | jq -r '.images[] | select(.state == \"moved\").image'")]
pub struct Outdated {
    #[command(flatten)]
    pub settings: Settings,
}

impl Cli {
    /// Every `--set`, in the order of the command line: a later one wins.
    pub fn settings(&self) -> impl Iterator<Item = &Setting> {
        let below: &[Setting] = match &self.command {
            Some(Command::Run(Run { settings, .. }))
            | Some(Command::Watch(Watch { settings, .. }))
            | Some(Command::Explain(Explain { settings, .. }))
            | Some(Command::Check(Check { settings }))
            | Some(Command::Graph(Graph { settings, .. }))
            | Some(Command::Log(Log { settings, .. }))
            | Some(Command::Runs(Runs { settings, .. }))
            | Some(Command::Report(Report { settings, .. }))
            | Some(Command::Ps(Ps { settings }))
            | Some(Command::Stats(Stats { settings, .. }))
            | Some(Command::Diff(Diff { settings, .. }))
            | Some(Command::Whence(Whence { settings, .. }))
            | Some(Command::Clean(Clean { settings, .. }))
            | Some(Command::Lock(Lock { settings, .. }))
            | Some(Command::Outdated(Outdated { settings }))
            | Some(Command::Gc(Gc { settings, .. }))
            | Some(Command::Cache(Cache {
                command: CacheCommand::Info { settings } | CacheCommand::Verify { settings, .. },
            })) => &settings.set,
            Some(
                Command::Completions(_)
                | Command::Doctor(_)
                | Command::Init(_)
                | Command::Man(_)
                | Command::Schema(_)
                | Command::Verify(_),
            )
            | None => &[],
        };
        self.settings.set.iter().chain(below)
    }
}

#[cfg(test)]
mod tests;
