//! What is told of a step that failed: its place in the Dockerfile and its last words. Pure.

use crate::dockerfile::Analysis;
use crate::path::RelPath;
use crate::run::docker::buildkit::{BuildError, place};
use crate::run::task::TaskError;

/// Of an instruction, so much is shown.
const SHOWN: usize = 120;

/// A step of a Dockerfile that failed.
#[derive(Debug, thiserror::Error)]
#[error("{}`{instruction}` failed: {message}", at(.place))]
pub struct StepFailure {
    /// None where the engine's name for the step does not tell.
    pub place: Option<(RelPath, u32)>,
    pub instruction: String,
    pub message: String,
    /// The end of what it printed.
    pub printed: Vec<String>,
}

impl StepFailure {
    pub fn help(&self) -> Option<String> {
        // What the kernel says of a program that is for another machine, in an engine's or a shell's words.
        let foreign = |line: &String| line.to_lowercase().contains("exec format error");
        let is_foreign = foreign(&self.message) || self.printed.last().is_some_and(foreign);
        is_foreign.then(|| {
            "the engine's machine cannot run programs of that platform: teach it to (Debian: \
             `apt-get install qemu-user-static`), use an engine of that platform, or build for another"
                .to_owned()
        })
    }
}

fn at(place: &Option<(RelPath, u32)>) -> String {
    place.as_ref().map(|(path, line)| format!("{path}:{line}: ")).unwrap_or_default()
}

/// The error as it is told; one that is of no step stays as it is.
pub fn told(error: TaskError, path: &RelPath, analysis: &Analysis) -> TaskError {
    let TaskError::Build(BuildError::Step { step, message, log }) = error else { return error };
    let line = place(&step).and_then(|place| {
        let at = analysis.step_at(&place.stage, place.index, place.total)?;
        Some(analysis.steps[at].line)
    });
    let instruction = step.split_once("] ").map_or(&*step, |(_, rest)| rest);
    TaskError::Step(Box::new(StepFailure {
        place: line.map(|line| (path.clone(), line)),
        instruction: shortened(instruction),
        message: words(&message),
        printed: log.lines().map(str::to_owned).collect(),
    }))
}

/// Engines repeat the whole command before its exit code.
fn words(message: &str) -> String {
    match message.rsplit_once("exit code: ") {
        Some((_, code)) => format!("exit code {code}"),
        None => message.to_owned(),
    }
}

fn shortened(instruction: &str) -> String {
    let first = instruction.lines().next().unwrap_or_default();
    if first.chars().count() <= SHOWN && first.len() == instruction.len() {
        return first.to_owned();
    }
    first.chars().take(SHOWN).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::{Question, analyse};

    fn of(text: &str, step: &str, message: &str) -> TaskError {
        let question =
            Question { text, args: &[], target: None, platform: Some("linux/amd64"), builder: None };
        let log = "begin\nend\n".to_owned();
        let error = BuildError::Step { step: step.to_owned(), message: message.to_owned(), log };
        let path = RelPath::parse("b/Dockerfile").unwrap();
        told(error.into(), &path, &analyse(&question).unwrap())
    }

    #[test]
    fn a_program_of_another_platform_has_a_mend() {
        let failure = |message: &str, printed: &[&str]| StepFailure {
            place: None,
            instruction: "RUN true".to_owned(),
            message: message.to_owned(),
            printed: printed.iter().map(|line| (*line).to_owned()).collect(),
        };
        let engine = "standard_init_linux.go:228: exec user process caused: exec format error";
        assert!(failure("exit code 1", &["begin", engine]).help().is_some());
        assert!(failure("exec /bin/sh: exec format error", &[]).help().is_some());
        assert_eq!(failure("exit code 1", &[engine, "something else"]).help(), None);
    }

    #[test]
    fn a_step_is_named_by_its_line() {
        let text = "FROM a AS one\nRUN x\n\nFROM one\nCOPY a /b\nRUN false\n";
        let exit = "executor failed running [/bin/sh -c exit code: 9; false]: exit code: 1";
        assert_eq!(
            of(text, "[stage-1 2/2] RUN false", exit).to_string(),
            "b/Dockerfile:6: `RUN false` failed: exit code 1"
        );
        assert_eq!(
            of(text, "[linux/arm64 one 2/2] RUN x", "\"/a\" not found").to_string(),
            "b/Dockerfile:2: `RUN x` failed: \"/a\" not found"
        );
        assert_eq!(of(text, "exporting to image", "full").to_string(), "`exporting to image` failed: full");
    }

    #[test]
    fn its_last_words_are_lines_and_its_instruction_is_short() {
        let long = format!("[2/2] RUN {}", "x".repeat(500));
        let TaskError::Step(failure) = of("FROM a\nRUN x\n", &long, "no") else { panic!() };
        assert_eq!(failure.printed, ["begin", "end"]);
        assert_eq!(failure.instruction, format!("RUN {}…", "x".repeat(SHOWN - 4)));
    }
}
