//! Manual pages, from the definition of the command line that the help is made from, too.

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

/// A page: what its file is called, and its text for roff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub name: String,
    pub text: String,
}

/// osgraph's own page first, then one for each command: `osgraph.1`, `osgraph-run.1`.
pub fn pages(mut command: Command) -> Vec<Page> {
    command.build();
    let mut pages = Vec::new();
    collect(&command, "osgraph", true, &mut pages);
    pages
}

fn collect(command: &Command, name: &str, is_first: bool, pages: &mut Vec<Page>) {
    pages.push(page(command, name, is_first));
    for below in below(command) {
        collect(below, &format!("{name}-{}", below.get_name()), false, pages);
    }
}

/// Commands that have a page: `help` is what a page is.
fn below(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|below| !below.is_hide_set() && below.get_name() != "help")
}

fn page(command: &Command, name: &str, is_first: bool) -> Page {
    let own = match is_first {
        true => command.clone(),
        false => command.clone().mut_args(|argument| {
            let general = argument.get_help_heading() == Some("General options");
            argument.hide(general)
        }),
    };
    let said = own.get_after_long_help().or_else(|| own.get_after_help()).map(ToString::to_string);
    let names: Vec<String> = below(&own).map(|below| format!("{name}-{}", below.get_name())).collect();
    let title = name.to_uppercase();
    let man = Man::new(own).title(title).section("1").date(" ").source("osgraph").manual("osgraph");
    let mut text = Vec::new();
    let written = man
        .render_title(&mut text)
        .and_then(|()| man.render_name_section(&mut text))
        .and_then(|()| man.render_synopsis_section(&mut text))
        .and_then(|()| man.render_description_section(&mut text))
        .and_then(|()| man.render_options_section(&mut text));
    let mut text = written.map(|()| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default();
    text.push_str(&examples(said.as_deref().unwrap_or_default()));
    text.push_str(&also(&names, is_first));
    Page { name: format!("{name}.1"), text }
}

/// What stands below a command's help, as it is there.
fn examples(said: &str) -> String {
    let mut roff = Roff::new();
    let mut is_open = false;
    for line in said.lines() {
        match line.strip_suffix(':').filter(|title| !title.starts_with(' ')) {
            Some(title) => {
                if is_open {
                    roff.control("EE", []);
                }
                roff.control("SH", [title.to_uppercase().as_str()]);
                roff.control("EX", []);
                is_open = true;
            }
            None => {
                roff.text([roman(line)]);
            }
        }
    }
    if is_open {
        roff.control("EE", []);
    }
    roff.render()
}

fn also(names: &[String], is_first: bool) -> String {
    let mut roff = Roff::new();
    let title = if is_first { "COMMANDS" } else { "SEE ALSO" };
    roff.control("SH", [title]);
    let mut all: Vec<String> = names.iter().map(|name| format!("{name}(1)")).collect();
    if !is_first {
        all.insert(0, "osgraph(1)".to_owned());
    }
    let last = all.len().saturating_sub(1);
    for (at, one) in all.iter().enumerate() {
        roff.text([bold(one.as_str()), roman(if at == last { "" } else { "," })]);
    }
    roff.render()
}
