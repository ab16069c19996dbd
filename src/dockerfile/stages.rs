//! Stages: which there are, what each is built on, and which a target needs.
//!
//! Names are looked up as BuildKit does: `FROM` sees the stages before it, `--from` sees all and
//! may only use those before it.

use std::collections::BTreeSet;
use std::ops::Range;

use super::environment::Globals;
use super::expand::{Value, expand};
use super::instruction::{Flag, Instruction};
use super::lines::Script;
use super::mistake::{Fault, Mistake};
use super::mount;
use super::platform::Platform;

#[derive(Debug)]
pub(super) struct Stage<'s> {
    pub from: &'s Instruction,
    /// In small letters.
    pub name: Option<String>,
    pub base: Below,
    /// The image's name as written, and where.
    pub written: String,
    pub image_span: Range<usize>,
    /// Normalised; none where nothing is said or it cannot be told.
    pub platform: Option<String>,
    /// Variables of its `FROM`.
    pub used: BTreeSet<String>,
    pub instructions: Vec<&'s Instruction>,
}

/// What a stage is built on.
#[derive(Debug)]
pub(super) enum Below {
    Scratch,
    Stage(usize),
    Image(Value),
}

/// Where `--from` leads.
pub(super) enum Origin {
    Scratch,
    Stage(usize),
    Image(String),
}

#[derive(Debug)]
pub(super) struct Stages<'s> {
    pub list: Vec<Stage<'s>>,
}

/// What stands before the first `FROM`: only `ARG`.
pub(super) fn globals(script: &Script) -> Result<Vec<&Instruction>, Mistake> {
    let before: Vec<_> = script.instructions.iter().take_while(|i| i.word != "FROM").collect();
    if let Some(wrong) = before.iter().find(|i| i.word != "ARG") {
        return Err(wrong.mistake(Fault::BeforeFrom(wrong.word.to_owned())));
    }
    if before.len() == script.instructions.len() {
        return Err(Mistake::new(Fault::NoStage, 0..0, 1));
    }
    Ok(before)
}

impl<'s> Stages<'s> {
    pub fn new(script: &'s Script, globals: &Globals) -> Result<Self, Mistake> {
        let mut stages = Self { list: Vec::new() };
        for instruction in &script.instructions {
            if instruction.word == "FROM" {
                let stage = stages.stage(instruction, script.escape, globals)?;
                stages.list.push(stage);
            } else if let Some(stage) = stages.list.last_mut() {
                stage.instructions.push(instruction);
            }
        }
        Ok(stages)
    }

    fn stage(&self, from: &'s Instruction, escape: char, globals: &Globals) -> Result<Stage<'s>, Mistake> {
        let words = from.words()?;
        let (image, name) = match words.as_slice() {
            [image] => (image, None),
            [image, word, name] if word.text.eq_ignore_ascii_case("as") => (image, Some(name)),
            _ => return Err(from.mistake(Fault::BadFrom)),
        };
        let name = match name {
            Some(name) if is_stage_name(&name.text) => Some(name.text.to_ascii_lowercase()),
            Some(name) => {
                let fault = Fault::BadStageName(name.text.clone());
                return Err(Mistake::new(fault, name.span.clone(), from.line()));
            }
            None => None,
        };
        let put_in = |word: &str, span: &Range<usize>| {
            expand(word, escape, &|name| globals.get(name)).map_err(|why| {
                let fault = Fault::BadWord { word: word.to_owned(), why };
                Mistake::new(fault, span.clone(), from.line())
            })
        };
        let expanded = put_in(&image.text, &image.span)?;
        let mut used = expanded.used;
        let base = match expanded.value {
            Value::Known(name) if name.is_empty() => {
                return Err(Mistake::new(
                    Fault::BlankBase(image.text.clone()),
                    image.span.clone(),
                    from.line(),
                ));
            }
            Value::Known(name) => match self.named(&name, self.list.len()) {
                Some(stage) => Below::Stage(stage),
                None if name == "scratch" => Below::Scratch,
                None => Below::Image(Value::Known(name)),
            },
            unknown => Below::Image(unknown),
        };
        let mut platform = None;
        if let Some((written, flag)) = from.flag("platform")?.filter(|(written, _)| !written.is_empty()) {
            let expanded = put_in(written, &flag.span)?;
            used.extend(expanded.used);
            if let Value::Known(text) = expanded.value {
                let parsed = Platform::parse(&text).ok_or_else(|| {
                    Mistake::new(Fault::BadPlatform(text.clone()), flag.span.clone(), from.line())
                })?;
                platform = Some(parsed.to_string());
            }
        }
        Ok(Stage {
            from,
            name,
            base,
            written: image.text.clone(),
            image_span: image.span.clone(),
            platform,
            used,
            instructions: Vec::new(),
        })
    }

    /// The last stage of that name among the first `count`.
    fn named(&self, name: &str, count: usize) -> Option<usize> {
        self.list[..count]
            .iter()
            .rposition(|stage| stage.name.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(name)))
    }

    /// The stage to build: the last one where none is named.
    pub fn target(&self, name: Option<&str>) -> Result<usize, Mistake> {
        let last = self.list.len() - 1;
        let Some(name) = name.filter(|name| !name.is_empty()) else { return Ok(last) };
        self.named(name, self.list.len()).ok_or_else(|| {
            let stages = self.list.iter().filter_map(|stage| stage.name.clone()).collect();
            let fault = Fault::UnknownTarget { target: name.to_owned(), stages };
            let from = self.list[last].from;
            Mistake::new(fault, from.span(), from.line())
        })
    }

    /// What runs in a stage: the triggers of the stage it is built on, then its own instructions.
    pub fn runs(&self, stage: usize) -> impl Iterator<Item = &Instruction> {
        let below = match self.list[stage].base {
            Below::Stage(below) => Some(below),
            _ => None,
        };
        let triggers = below.into_iter().flat_map(|below| &self.list[below].instructions);
        triggers
            .filter_map(|instruction| instruction.trigger.as_deref())
            .chain(self.list[stage].instructions.iter().copied().filter(|i| i.trigger.is_none()))
    }

    /// The stages that `target` needs, itself among them.
    pub fn needed(&self, target: usize) -> Result<BTreeSet<usize>, Mistake> {
        let mut needed = BTreeSet::from([target]);
        let mut open = vec![target];
        while let Some(stage) = open.pop() {
            let mut found = Vec::new();
            if let Below::Stage(below) = self.list[stage].base {
                found.push(below);
            }
            for instruction in self.runs(stage) {
                for (origin, _) in self.origins(instruction, stage)? {
                    if let Origin::Stage(other) = origin {
                        found.push(other);
                    }
                }
            }
            open.extend(found.into_iter().filter(|other| needed.insert(*other)));
        }
        Ok(needed)
    }

    /// Every `--from` of a `COPY` and `from=` of a `RUN --mount`, with its flag.
    pub fn origins<'i>(
        &self,
        instruction: &'i Instruction,
        stage: usize,
    ) -> Result<Vec<(Origin, &'i Flag)>, Mistake> {
        let mut origins = Vec::new();
        match instruction.word {
            "COPY" => {
                if let Some((from, flag)) = instruction.flag("from")?.filter(|(from, _)| !from.is_empty()) {
                    origins.push((self.origin(from, stage, true, instruction, flag)?, flag));
                }
            }
            "RUN" => {
                for (mount, flag) in mounts(instruction)? {
                    if let Some(from) = mount.from.as_deref().filter(|from| !from.is_empty()) {
                        origins.push((self.origin(from, stage, false, instruction, flag)?, flag));
                    }
                }
            }
            _ => {}
        }
        Ok(origins)
    }

    fn origin(
        &self,
        from: &str,
        stage: usize,
        may_count: bool,
        instruction: &Instruction,
        flag: &Flag,
    ) -> Result<Origin, Mistake> {
        let wrong = |fault| Err(Mistake::new(fault, flag.span.clone(), instruction.line()));
        if from.contains('$') {
            return wrong(Fault::VariableInFrom(from.to_owned()));
        }
        let index = if may_count { from.parse::<i64>().ok() } else { None };
        let found = match index {
            Some(index) => match usize::try_from(index).ok().filter(|index| *index < self.list.len()) {
                Some(index) => Some(index),
                None => {
                    let fault = Fault::StageIndex { index: from.to_owned(), stages: self.list.len() };
                    return wrong(fault);
                }
            },
            None => self.named(from, self.list.len()),
        };
        match found {
            Some(other) if other >= stage => wrong(Fault::LaterStage(from.to_owned())),
            Some(other) => Ok(Origin::Stage(other)),
            None if from == "scratch" => Ok(Origin::Scratch),
            None => Ok(Origin::Image(from.to_owned())),
        }
    }

    /// Whether BuildKit leaves the stage's name out of `[1/4]`: where there is nothing else.
    pub fn is_only_one(&self) -> bool {
        let reads_elsewhere = |instruction: &&Instruction| {
            instruction.flags.iter().any(|flag| match instruction.word {
                "COPY" => flag.name == "from",
                "RUN" => flag.name == "mount",
                _ => false,
            })
        };
        self.list.len() == 1 && !self.list[0].instructions.iter().any(reads_elsewhere)
    }

    /// As in `[build 2/5]`.
    pub fn shown(&self, stage: usize) -> String {
        match &self.list[stage].name {
            _ if self.is_only_one() => String::new(),
            Some(name) => name.clone(),
            None => format!("stage-{stage}"),
        }
    }
}

/// The mounts of a `RUN`, each with its flag.
pub(super) fn mounts(instruction: &Instruction) -> Result<Vec<(mount::Mount, &Flag)>, Mistake> {
    let flags = instruction.flags.iter().filter(|flag| flag.name == "mount");
    flags
        .map(|flag| {
            let wrong = |fault| Mistake::new(fault, flag.span.clone(), instruction.line());
            let Some(value) = &flag.value else {
                return Err(wrong(Fault::FlagWithoutValue("--mount".to_owned())));
            };
            let mount = mount::parse(value).map_err(|why| wrong(Fault::BadMount(why)))?;
            Ok((mount, flag))
        })
        .collect()
}

fn is_stage_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}
