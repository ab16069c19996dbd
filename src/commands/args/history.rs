//! Commands that look back: logs, runs, reports, and what made what.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::commands::args::Settings;

/// Print what a node printed when it last ran, or the whole log of a run
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  osgraph log app-embed    the node's last log
  osgraph log 41           all logs of run 41")]
pub struct Log {
    /// A node's name, or a run's number
    #[arg(value_name = "NODE|RUN")]
    pub of: String,

    #[command(flatten)]
    pub settings: Settings,
}

/// List past runs, or the steps of one
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  osgraph runs              the latest runs
  osgraph runs --limit 100
  osgraph runs 41           the steps of run 41, each with its cause")]
pub struct Runs {
    /// A run's number
    #[arg(value_name = "RUN")]
    pub run: Option<i64>,

    /// How many runs to list, the latest first
    #[arg(long, value_name = "N", default_value = "20", conflicts_with = "run")]
    pub limit: NonZeroUsize,

    #[command(flatten)]
    pub settings: Settings,
}

/// Show a past run as one HTML page: graph, timeline, every reason, sizes, a search
///
/// The page holds all that it shows and loads nothing, so it can be sent, kept and read anywhere.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  osgraph report -o run.html           the latest run that did something
  osgraph report 41 > run-41.html
  osgraph report 41 --as trace -o run.json
                                       for chrome://tracing and Perfetto")]
pub struct Report {
    /// A run's number [default: the latest that did something]
    #[arg(value_name = "RUN")]
    pub run: Option<i64>,

    /// Write to FILE; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// The form
    #[arg(long = "as", value_enum, value_name = "FORM", default_value_t)]
    pub notation: ReportAs,

    #[command(flatten)]
    pub settings: Settings,
}

/// `report --as`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ReportAs {
    /// A page for a browser.
    #[default]
    Html,
    /// A trace in Chrome's format.
    Trace,
}

/// Say what is being made on this store now, by any run
///
/// A run that needs what another is making waits for it, shows its output as it comes, and shares the
/// result.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  osgraph ps
  watch -n1 osgraph ps --json")]
pub struct Ps {
    #[command(flatten)]
    pub settings: Settings,
}

/// Say what made work again and again, and how much of it gave what was there already
///
/// Drawn from past runs of the project. The time of a node that ran because of another counts for
/// what made that other one run.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  osgraph stats                the dearest causes
  osgraph stats --limit 100
  osgraph stats --json | jq '.causes[] | select(.identical == .rebuilds)'
                               work that was always for nothing")]
pub struct Stats {
    /// How many causes to list, the dearest first
    #[arg(long, value_name = "N", default_value = "20")]
    pub limit: NonZeroUsize,

    #[command(flatten)]
    pub settings: Settings,
}

/// Say what two runs, or one node in two runs, made differently, and why
///
/// For each node: what differed in what went in, and what differs in what came out.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  osgraph diff 41 42              every node
  osgraph diff embed@41 embed@42  one node")]
pub struct Diff {
    /// A run's number, or NODE@RUN
    #[arg(value_name = "OLD")]
    pub old: String,

    /// A run's number, or NODE@RUN
    #[arg(value_name = "NEW")]
    pub new: String,

    #[command(flatten)]
    pub settings: Settings,
}

/// Say which run, commit and inputs made a file, by its content
///
/// Exits with 1 where nothing in the store has that content.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  osgraph whence dist/shop-1.4.tar.gz
  osgraph whence /srv/shop/bin/app --json")]
pub struct Whence {
    /// The file, anywhere on this machine
    #[arg(value_name = "FILE")]
    pub path: PathBuf,

    #[command(flatten)]
    pub settings: Settings,
}
