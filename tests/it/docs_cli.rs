//! `docs/cli.md` holds every command's own help, so the two cannot drift apart.
//!
//! `UPDATE_DOCS=1 cargo test --test it docs_cli` writes it anew.

use std::fmt::Write;
use std::path::Path;

use clap::{Command, CommandFactory};
use osgraph::commands::args::Cli;
use osgraph::commands::exit::Exit;

const OPEN: &str = "```text\n$ ";
const CLOSE: &str = "\n```\n";

/// Every command with its help, as wide as the page.
fn helps() -> Vec<(String, String)> {
    fn collect(command: &mut Command, out: &mut Vec<(String, String)>) {
        let name = command.get_bin_name().unwrap_or("osgraph").to_owned();
        let help = command.clone().term_width(96).render_long_help().to_string();
        let mut tidy = String::new();
        for line in help.trim_end().lines() {
            writeln!(tidy, "{}", line.trim_end()).unwrap();
        }
        out.push((format!("{name} --help"), tidy.trim_end().to_owned()));
        for below in command.get_subcommands_mut().filter(|below| below.get_name() != "help") {
            // The general options are shown once, with osgraph's own help.
            *below = below.clone().mut_args(|argument| {
                let general = argument.get_help_heading() == Some("General options");
                argument.hide(general)
            });
            collect(below, out);
        }
    }
    let mut command = Cli::command();
    command.build();
    let mut out = Vec::new();
    collect(&mut command, &mut out);
    out
}

/// The page with every block replaced by what `help` says of its command.
fn regenerate(page: &str, helps: &[(String, String)]) -> String {
    let mut out = String::new();
    let mut rest = page;
    while let Some(at) = rest.find(OPEN) {
        let (before, block) = rest.split_at(at + OPEN.len());
        out.push_str(before);
        let end = block.find(CLOSE).expect("a block is closed");
        let asked = block.lines().next().unwrap_or("");
        let (_, help) = helps
            .iter()
            .find(|(name, _)| name == asked)
            .unwrap_or_else(|| panic!("`docs/cli.md` shows `{asked}`, which is no command"));
        write!(out, "{asked}\n{help}").unwrap();
        rest = &block[end..];
    }
    out.push_str(rest);
    out
}

#[test]
fn the_reference_is_the_help() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cli.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let helps = helps();
    for (name, _) in &helps {
        assert!(page.contains(&format!("{OPEN}{name}\n")), "`docs/cli.md` has no block for `{name}`");
    }
    let wanted = regenerate(&page, &helps);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, wanted).unwrap();
        return;
    }
    assert!(page == wanted, "`docs/cli.md` is out of date: UPDATE_DOCS=1 cargo test --test it docs_cli");
}

#[test]
fn every_exit_code_is_in_the_reference() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cli.md")).unwrap();
    for exit in Exit::ALL {
        let row = format!("| {} | {} |", exit.code(), exit.meaning());
        assert!(page.contains(&row), "`docs/cli.md` lacks {row}");
    }
}

#[test]
fn every_command_has_examples_and_every_option_is_described() {
    fn check(command: &Command) {
        let name = command.get_bin_name().unwrap_or("osgraph");
        let after = command.get_after_long_help().or(command.get_after_help());
        let after = after.map(ToString::to_string).unwrap_or_default();
        assert!(after.contains("Example"), "`{name}` has no examples");
        assert!(command.get_about().is_some(), "`{name}` is not described");
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "`{}` of `{name}` is not described", argument.get_id());
        }
        command.get_subcommands().filter(|below| below.get_name() != "help").for_each(check);
    }
    let mut command = Cli::command();
    command.build();
    check(&command);
}
