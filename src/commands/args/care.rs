//! Commands that look after what was made: packages, outputs, the store.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::commands::args::{Settings, values};

/// Say whether packages, folders or archives, are what their build manifests say
///
/// Needs no pipeline. Every listed file is hashed; what is missing or altered is named, and the command
/// ends with 1. Files that are not listed, as a person's own `.env`, are told and do no harm. Of an
/// archive the `.sha256` beside it is checked as well.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  osgraph verify dist-native
  osgraph verify dist/shop-native-1.4.tar.gz --strict
  osgraph verify /opt/shop --json")]
pub struct Verify {
    /// Folders, or archives: .tar, .tar.gz, .tgz, .tar.zst
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,

    /// The build manifest's name in the package
    #[arg(long, value_name = "NAME", default_value = "build-manifest.json")]
    pub manifest: String,

    /// Files that are not listed are a failure, too
    #[arg(long)]
    pub strict: bool,
}

/// Remove published outputs; the store and seeded files stay
///
/// What osgraph did not make in an output folder is left alone. `osgraph run` puts everything
/// back without running anything.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  osgraph clean -n             what would be removed
  osgraph clean dist-docker    one node's outputs")]
pub struct Clean {
    /// Nodes whose outputs are removed [default: all]
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,

    /// Say what would be removed, remove nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    #[command(flatten)]
    pub settings: Settings,
}

/// Make the store smaller, by age, by size and by what is cheap to rebuild
///
/// Where the pipeline builds images, also the engine: names that osgraph gave and that no record knows
/// any more are taken away, and an image goes with its last name. What others made stays, and so does
/// the engine's build cache, whose size is told.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  osgraph gc                                    what nothing refers to
  osgraph gc --max-size 20GiB --max-age 30d
  osgraph gc --max-size 5GiB -n                 what that would cost in rebuild time")]
pub struct Gc {
    /// Remove until the store is no larger, as 20GiB
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    pub max_size: Option<u64>,

    /// Remove what no run has used for longer, as 30d or 12h
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    pub max_age: Option<Duration>,

    /// Keep whatever took at least this long to build, as 10m
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    pub keep_cost: Option<Duration>,

    /// Say what would be removed, remove nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    #[command(flatten)]
    pub settings: Settings,
}

/// Look into the store
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  osgraph cache info
  osgraph cache verify --repair")]
pub struct Cache {
    #[command(subcommand)]
    pub command: CacheCommand,
}

#[derive(Debug, Subcommand)]
pub enum CacheCommand {
    /// Say where the store is, what it holds and how large it is
    #[command(after_help = "Example:\n  osgraph cache info --json")]
    Info {
        #[command(flatten)]
        settings: Settings,
    },
    /// Hash everything in the store again and report what is damaged
    #[command(after_help = "\
Examples:
  osgraph cache verify
  osgraph cache verify --repair    forget what is damaged, so that it is built anew")]
    Verify {
        /// Remove damaged contents and the records that need them
        #[arg(long)]
        repair: bool,

        #[command(flatten)]
        settings: Settings,
    },
}
