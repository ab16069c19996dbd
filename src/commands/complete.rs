//! Completion in a shell: the script that it loads, and what the script asks while somebody types.
//!
//! The library knows words of the command line; names of nodes and parameters and numbers of runs are
//! looked up here, where the typed line says that the pipeline is. A line that is not finished and a
//! pipeline that is broken are the usual case: then there is nothing to propose, and nothing is said.

use std::ffi::{OsStr, OsString};
use std::sync::Arc;

use clap::{Arg, Command, CommandFactory as _, Parser as _};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::Shells;
use clap_complete::{CompleteEnv, Shell};

use crate::commands::args::{Cli, Completions};
use crate::commands::exit::Exit;
use crate::commands::ground::{Ground, environment};
use crate::commands::load::{self, Loaded};
use crate::commands::screen::{Screen, now};
use crate::pipeline::params::Declaration;
use crate::pipeline::{Document, SourceFile};
use crate::report::lines::outcome_word;
use crate::report::quantity::age;
use crate::store::Store;
use crate::survey::snapshot::Snapshot;

/// Set by the script when it asks. A name of our own, so that nobody else's variable turns a build into
/// a completion.
const VARIABLE: &str = "OSGRAPH_COMPLETE";

/// From a folder of `fpath`, zsh runs the script when somebody completes for the first time: then it has
/// to complete as well.
const AUTOLOADED: &str = "if [[ ${funcstack[1]} == _osgraph ]]; then
    _clap_dynamic_completer_osgraph \"$@\"
fi
";

/// Runs that are proposed, the latest first.
const RUNS: usize = 30;

/// `osgraph completions SHELL`
pub fn script(args: &Completions, screen: &Screen) -> Exit {
    let mut script = Vec::new();
    if let Some(shell) = Shells::builtins().completer(&args.shell.to_string()) {
        // Into memory: nothing in here can fail.
        let _ = shell.write_registration(VARIABLE, "osgraph", "osgraph", "osgraph", &mut script);
    }
    if args.shell == Shell::Zsh {
        script.extend_from_slice(AUTOLOADED.as_bytes());
    }
    screen.answer(&String::from_utf8_lossy(&script));
    Exit::Done
}

/// Answers a script, if it is one that asks.
pub fn answer(arguments: &[OsString]) -> Option<Exit> {
    // Every start comes by here.
    environment(VARIABLE)?;
    let typed: Arc<[OsString]> = arguments.iter().skip_while(|word| *word != "--").skip(1).cloned().collect();
    let here = std::path::absolute(".").ok();
    let command = || asking(Cli::command(), &typed);
    match CompleteEnv::with_factory(command)
        .var(VARIABLE)
        .bin("osgraph")
        .try_complete(arguments, here.as_deref())
    {
        Ok(false) => None,
        Ok(true) => Some(Exit::Done),
        Err(_) => Some(Exit::Usage),
    }
}

/// What stands for a value in the help.
#[derive(Clone, Copy)]
enum Wanted {
    Node,
    Param,
    Run,
    NodeOrRun,
    NodeAtRun,
}

impl Wanted {
    fn of(argument: &Arg) -> Option<Self> {
        Some(match argument.get_value_names()?.first()?.as_str() {
            "TARGET" | "NODE" => Self::Node,
            "NAME=VALUE" => Self::Param,
            "RUN" => Self::Run,
            "NODE|RUN" => Self::NodeOrRun,
            "OLD" | "NEW" => Self::NodeAtRun,
            _ => return None,
        })
    }
}

/// The command line, whose values are looked up by their names in the help.
fn asking(command: Command, typed: &Arc<[OsString]>) -> Command {
    let command = command.mut_args(|argument| match Wanted::of(&argument) {
        Some(wanted) => {
            let typed = typed.clone();
            argument.add(ArgValueCompleter::new(move |current: &OsStr| propose(wanted, current, &typed)))
        }
        None => argument,
    });
    command.mut_subcommands(|below| asking(below, typed))
}

fn propose(wanted: Wanted, current: &OsStr, typed: &[OsString]) -> Vec<CompletionCandidate> {
    let (Some(current), Some(mut ground)) = (current.to_str(), ground(typed)) else { return Vec::new() };
    let mut found: Vec<(String, String)> = match wanted {
        Wanted::Node => nodes(&mut ground),
        Wanted::Param => params(&ground),
        Wanted::Run => runs(&ground),
        Wanted::NodeOrRun => [nodes(&mut ground), runs(&ground)].concat(),
        Wanted::NodeAtRun => match current.rsplit_once('@') {
            Some((node, _)) => {
                runs(&ground).into_iter().map(|(run, said)| (format!("{node}@{run}"), said)).collect()
            }
            None => {
                let at = |(node, said)| (format!("{node}@"), said);
                runs(&ground).into_iter().chain(nodes(&mut ground).into_iter().map(at)).collect()
            }
        },
    };
    found.retain(|(value, _)| value.starts_with(current));
    let candidate = |(value, said): (String, String)| CompletionCandidate::new(value).help(Some(said.into()));
    found.into_iter().map(candidate).collect()
}

/// Where the typed line says that the command is to stand.
fn ground(typed: &[OsString]) -> Option<Ground> {
    let mut words = vec![OsString::from("osgraph")];
    let mut rest = typed.iter().skip(1).peekable();
    while let Some(word) = rest.next() {
        let text = word.to_str().unwrap_or_default();
        let takes_next = ["-C", "-f", "--directory", "--file", "--store"].contains(&text);
        if takes_next {
            words.extend([Some(word), rest.next()].into_iter().flatten().cloned());
        } else if ["-C", "-f", "--directory=", "--file=", "--store="].iter().any(|one| text.starts_with(one))
        {
            words.push(word.clone());
        }
    }
    words.push(OsString::from("check"));
    Ground::of(&Cli::try_parse_from(words).ok()?).ok()
}

/// The pipeline; where a parameter has no value yet, with any: names of nodes are wanted, not a build.
fn loaded(ground: &mut Ground) -> Option<Loaded> {
    if let Ok(loaded) = load::load(ground, &mut Snapshot::default()) {
        return Some(loaded);
    }
    let lacks_value = |one: &Declaration| one.default.is_none() && one.from_file.is_none();
    let lacking: Vec<Declaration> = declared(ground).into_iter().filter(lacks_value).collect();
    if lacking.is_empty() {
        return None;
    }
    ground.set.extend(lacking.into_iter().map(|one| (one.name, "unset".to_owned())));
    load::load(ground, &mut Snapshot::default()).ok()
}

/// The parameters that the text declares, also those that have no value.
fn declared(ground: &Ground) -> Vec<Declaration> {
    let read = || {
        let bytes = std::fs::read(&ground.file).ok()?;
        let source = SourceFile::from_bytes(ground.shown.clone(), bytes).ok()?;
        Some(Document::parse(&source).ok()?.parameters())
    };
    read().unwrap_or_default()
}

/// Names, and their kinds.
fn nodes(ground: &mut Ground) -> Vec<(String, String)> {
    let nodes = loaded(ground).map(|loaded| loaded.pipeline.nodes).unwrap_or_default();
    nodes.into_iter().map(|node| (node.name.0.clone(), node.kind().word().to_owned())).collect()
}

/// `name=`, and where a value comes from. A parameter that has no value yet makes a pipeline unsound,
/// and is the very one to be completed.
fn params(ground: &Ground) -> Vec<(String, String)> {
    let said = |one: Declaration| {
        let said = match (&one.default, &one.from_file) {
            (_, Some(path)) => format!("from {}", path.value),
            (Some(default), None) => format!("else {default}"),
            (None, None) => "has no default".to_owned(),
        };
        (format!("{}=", one.name), said)
    };
    declared(ground).into_iter().map(said).collect()
}

/// Numbers, and what came of them. Nothing is written: somebody only types.
fn runs(ground: &Ground) -> Vec<(String, String)> {
    let runs = || Store::open_read_only(&ground.store).ok()?.runs(Some(&ground.project_id()), RUNS).ok();
    let now = now();
    let said = |run: crate::record::Run| {
        (run.id.to_string(), format!("{}, {}", outcome_word(run.outcome), age(run.started, now)))
    };
    runs().unwrap_or_default().into_iter().map(said).collect()
}
