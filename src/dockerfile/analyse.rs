//! From a Dockerfile's text to an [`Analysis`]: stages in the order of the file, each with its
//! variables.

use std::collections::BTreeSet;

use super::analysis::{Analysis, Base, BaseUse, Step, Trigger};
use super::environment::{Environment, Globals};
use super::expand::{Expanded, Value, expand};
use super::instruction::Instruction;
use super::lines;
use super::mistake::{Fault, Mistake};
use super::pairs;
use super::platform::Platform;
use super::sources;
use super::stages::{self, Below, Stages};

const PROXIES: &[&str] = &["ALL_PROXY", "FTP_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];

/// Whether every `RUN` sees the argument without an `ARG`. BuildKit keeps these out of its own keys.
pub fn is_proxy(arg: &str) -> bool {
    PROXIES.contains(&&*arg.to_ascii_uppercase())
}

/// A Dockerfile and how it is built.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    pub text: &'a str,
    /// Build arguments that the caller gives.
    pub args: &'a [(String, String)],
    /// The stage to build; the last one where none is named.
    pub target: Option<&'a str>,
    /// What is built for: `linux/amd64`. Without it `$TARGETARCH` and its like are not known, and a
    /// `FROM` that needs one of them is a mistake.
    pub platform: Option<&'a str>,
    /// What the engine itself runs on, for `$BUILDPLATFORM`; taken to be `platform` when not given.
    pub builder: Option<&'a str>,
}

/// Reads the Dockerfile. A mistake ends the analysis; the build would fail by it, too.
pub fn analyse(question: &Question) -> Result<Analysis, Mistake> {
    let platform = |text: &str| {
        Platform::parse(text).ok_or_else(|| Mistake::new(Fault::BadPlatform(text.to_owned()), 0..0, 1))
    };
    let target_platform = question.platform.map(platform).transpose()?;
    let builder = question.builder.map(platform).transpose()?.or_else(|| target_platform.clone());

    let script = lines::read(question.text)?;
    let mut globals = Globals::new(target_platform.as_ref(), builder.as_ref(), question.args);
    declare(&stages::globals(&script)?, script.escape, question.args, &mut globals)?;
    let stages = Stages::new(&script, &globals)?;
    let needed = stages.needed(stages.target(question.target)?)?;

    let analysis = Analysis { syntax: script.syntax.clone(), ..Analysis::default() };
    let environments = stages.list.iter().map(|_| Environment::default()).collect();
    let mut walk = Walk {
        text: question.text,
        args: question.args,
        escape: script.escape,
        globals,
        analysis,
        environments,
    };
    for stage in &needed {
        walk.stage(&stages, *stage)?;
    }
    for (_, stage) in stages.list.iter().enumerate().filter(|(index, _)| !needed.contains(index)) {
        let named = walk.globals.close(stage.used.iter().cloned());
        walk.analysis.idle_args.extend(named);
    }
    let mut analysis = walk.finish();
    for instruction in stages::globals(&script)? {
        let is_used = instruction.rest().split_whitespace().any(|word| {
            let name = word.split_once('=').map_or(word, |(name, _)| name);
            analysis.args.contains(name)
        });
        if is_used {
            analysis.globals.push((instruction.line(), instruction.text()));
        }
    }
    Ok(analysis)
}

/// Takes in the `ARG`s before the first `FROM`.
fn declare(
    instructions: &[&Instruction],
    escape: char,
    given: &[(String, String)],
    globals: &mut Globals,
) -> Result<(), Mistake> {
    for instruction in instructions {
        for (name, default) in arg_pairs(instruction, escape)? {
            let given = given.iter().rev().find(|(given, _)| *given == name);
            let (value, needs) = match (given, default) {
                (Some((_, value)), _) => (Some(Value::Known(value.clone())), BTreeSet::new()),
                (None, Some(default)) => {
                    let expanded = expand(&default, escape, &|name| globals.get(name))
                        .map_err(|why| instruction.mistake(Fault::BadWord { word: default.clone(), why }))?;
                    (Some(expanded.value), expanded.used)
                }
                (None, None) => (None, BTreeSet::new()),
            };
            globals.declare(&name, value, needs);
        }
    }
    Ok(())
}

fn arg_pairs(instruction: &Instruction, escape: char) -> Result<Vec<(String, Option<String>)>, Mistake> {
    pairs::arg(instruction.rest(), escape).map_err(|word| match word.is_empty() {
        true => instruction.mistake(Fault::MissingArgument("ARG".to_owned())),
        false => instruction.mistake(Fault::BadPair(word)),
    })
}

/// The walk through the stages that are needed.
pub(super) struct Walk<'q> {
    pub text: &'q str,
    args: &'q [(String, String)],
    escape: char,
    globals: Globals,
    pub analysis: Analysis,
    /// What each stage leaves to those that are built on it.
    environments: Vec<Environment>,
}

impl Walk<'_> {
    fn stage(&mut self, stages: &Stages, index: usize) -> Result<(), Mistake> {
        let stage = &stages.list[index];
        let mut environment = match &stage.base {
            Below::Scratch => Environment::on_image(None),
            Below::Stage(below) => self.environments[*below].clone(),
            Below::Image(Value::Known(reference)) => {
                self.analysis.bases.push(Base {
                    reference: reference.clone(),
                    line: stage.from.line(),
                    span: stage.image_span.clone(),
                    platform: stage.platform.clone(),
                    used_by: BaseUse::From,
                });
                Environment::on_image(Some(reference))
            }
            Below::Image(Value::Unknown(why)) => {
                let fault = Fault::UnknownBase { written: stage.written.clone(), why: why.clone() };
                return Err(Mistake::new(fault, stage.image_span.clone(), stage.from.line()));
            }
        };
        let used = self.globals.close(stage.used.iter().cloned());
        self.analysis.args.extend(used);
        self.steps(stages, index);
        for instruction in stages.runs(index) {
            match instruction.word {
                "ENV" => self.env(instruction, &mut environment)?,
                "ARG" => self.arg(instruction, &mut environment)?,
                "ADD" | "COPY" => sources::copy(self, instruction, &environment)?,
                "RUN" => sources::mounts(self, instruction, &environment)?,
                _ => {}
            }
            sources::images(self, stages, instruction, index)?;
        }
        for instruction in stage.instructions.iter().filter(|i| i.trigger.is_some()) {
            let trigger = Trigger { text: instruction.text(), line: instruction.line() };
            self.analysis.triggers.push(trigger);
        }
        self.environments[index] = environment;
        Ok(())
    }

    /// Puts the environment's variables into a word of an instruction.
    pub fn put_in(
        &self,
        word: &str,
        instruction: &Instruction,
        environment: &Environment,
    ) -> Result<Expanded, Mistake> {
        expand(word, self.escape, &|name| environment.get(name))
            .map_err(|why| instruction.mistake(Fault::BadWord { word: word.to_owned(), why }))
    }

    fn env(&mut self, instruction: &Instruction, environment: &mut Environment) -> Result<(), Mistake> {
        let pairs = pairs::env(instruction.rest(), self.escape).map_err(|word| match word.is_empty() {
            true => instruction.mistake(Fault::MissingArgument("ENV".to_owned())),
            false => instruction.mistake(Fault::BadPair(word)),
        })?;
        // All of one line see what was set before the line.
        let mut set = Vec::new();
        for (name, value) in pairs {
            let name = self.put_in(&name, instruction, environment)?.value;
            let value = self.put_in(&value, instruction, environment)?.value;
            set.push((name, value));
        }
        for (name, value) in set {
            match name {
                Value::Known(name) => environment.set(name, value),
                Value::Unknown(why) => environment.doubt(&why),
            }
        }
        Ok(())
    }

    fn arg(&mut self, instruction: &Instruction, environment: &mut Environment) -> Result<(), Mistake> {
        for (name, default) in arg_pairs(instruction, self.escape)? {
            let given = self.args.iter().rev().find(|(given, _)| *given == name);
            let value = match (given, default) {
                (Some((_, value)), _) => Some(Value::Known(value.clone())),
                (None, Some(default)) => Some(self.put_in(&default, instruction, environment)?.value),
                (None, None) => {
                    let used = self.globals.close([name.clone()]);
                    self.analysis.args.extend(used);
                    self.globals.value(&name).cloned()
                }
            };
            if let Some(value) = value {
                environment.set(name.clone(), value);
            }
            self.analysis.args.insert(name);
        }
        Ok(())
    }

    fn steps(&mut self, stages: &Stages, index: usize) {
        let (stage, shown) = (&stages.list[index], stages.shown(index));
        let has_image = matches!(stage.base, Below::Image(_));
        let counts =
            |instruction: &&Instruction| matches!(instruction.word, "ADD" | "COPY" | "RUN" | "WORKDIR");
        let triggers = match stage.base {
            Below::Stage(below) => {
                stages.list[below].instructions.iter().filter(|i| i.trigger.is_some()).count()
            }
            _ => 0,
        };
        let own = stage.instructions.iter().copied().filter(counts).count();
        let total = u32::try_from(usize::from(has_image) + triggers + own).unwrap_or(u32::MAX);
        let mut number = 0;
        let mut step = |instruction: &Instruction, has_layer: bool| {
            number += u32::from(has_layer);
            Step {
                line: instruction.line(),
                word: instruction.word.to_owned(),
                text: instruction.text(),
                stage: shown.clone(),
                number: has_layer.then_some((number, total)),
            }
        };
        let mut steps = vec![step(stage.from, has_image)];
        for instruction in stages.runs(index) {
            // Going to the root makes no folder and so no layer, though it is counted.
            let is_root = instruction.word == "WORKDIR" && instruction.rest() == "/";
            steps.push(step(instruction, counts(&instruction) && !is_root));
        }
        // They are no step of this build, and all the same part of the image that it makes.
        steps.extend(stage.instructions.iter().filter(|i| i.trigger.is_some()).map(|i| step(i, false)));
        self.analysis.steps.append(&mut steps);
    }

    fn finish(mut self) -> Analysis {
        for (name, _) in self.args {
            let is_of_buildkit = name.starts_with("BUILDKIT_") || name == "SOURCE_DATE_EPOCH";
            if is_of_buildkit {
                self.analysis.args.insert(name.clone());
            } else if !self.analysis.args.contains(name)
                && !self.analysis.idle_args.contains(name)
                && !is_proxy(name)
                && !self.analysis.unused_args.contains(name)
            {
                self.analysis.unused_args.push(name.clone());
            }
        }
        self.analysis
    }
}
