//! Dockerfiles for every rule, and laws over made-up ones.

mod ignore;
mod laws;
mod reach;
mod reads;
mod stages;
mod syntax;
mod variables;

use super::{Analysis, Mistake, Question, analyse};

/// Analyses for `linux/amd64`, the last stage, no arguments.
fn try_read(text: &str) -> Result<Analysis, Mistake> {
    ask(text, &[], None)
}

fn read(text: &str) -> Analysis {
    try_read(text).unwrap()
}

fn ask(text: &str, args: &[(&str, &str)], target: Option<&str>) -> Result<Analysis, Mistake> {
    let args: Vec<_> = args.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let platform = Some("linux/amd64");
    analyse(&Question { text, args: &args, target, platform, builder: None })
}

fn patterns(analysis: &Analysis) -> Vec<&str> {
    analysis.reads.iter().map(|read| &*read.pattern).collect()
}

fn bases(analysis: &Analysis) -> Vec<&str> {
    analysis.bases.iter().map(|base| &*base.reference).collect()
}

/// What a mistake says, where it points, and what would mend it.
fn mistake(text: &str) -> (String, String, Option<String>) {
    let mistake = try_read(text).unwrap_err();
    let place = text.get(mistake.span.clone()).unwrap().to_owned();
    (format!("{}: {mistake}", mistake.line), place, mistake.help())
}
