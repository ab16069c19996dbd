//! Names of instructions that last: what was learnt of one is found again though a line was put in
//! above it, or a digest in it was moved on.

use std::collections::HashMap;

use crate::digest::Digest;
use crate::dockerfile::{Analysis, Step};

/// A run of so many hexadecimal digits is a digest or a commit, and says nothing of how long it takes.
const VOLATILE: usize = 32;

/// Characters of an instruction that stand in its name; the rest is in a digest.
const SHOWN: usize = 100;

impl Analysis {
    /// A name for each of [`Analysis::steps`], no two alike.
    pub fn names(&self) -> Vec<String> {
        let mut seen: HashMap<String, usize> = HashMap::new();
        let number = |step: &Step| {
            let name = name(step);
            let count = seen.entry(name.clone()).or_default();
            *count += 1;
            if *count == 1 { name } else { format!("{name} ({count})") }
        };
        self.steps.iter().map(number).collect()
    }

    /// Where in [`Analysis::steps`] the step is that BuildKit calls `[STAGE INDEX/TOTAL]`.
    pub fn step_at(&self, stage: &str, index: u32, total: u32) -> Option<usize> {
        // BuildKit puts the platform before a stage that is built for another one.
        let stage = stage.rsplit(' ').next().unwrap_or_default();
        self.steps.iter().position(|step| step.number == Some((index, total)) && step.stage == stage)
    }
}

fn name(step: &Step) -> String {
    let text = without_digests(&step.text);
    let first = text.lines().next().unwrap_or_default();
    let mut name = String::new();
    if !step.stage.is_empty() {
        name = format!("{}: ", step.stage);
    }
    if first.len() == text.len() && text.chars().count() <= SHOWN {
        return name + &text;
    }
    name.extend(first.chars().take(SHOWN));
    name + "… " + &Digest::of(text.as_bytes()).hex()[..8]
}

fn without_digests(text: &str) -> String {
    let (mut out, mut hex) = (String::with_capacity(text.len()), String::new());
    let end = |hex: &mut String, out: &mut String| {
        if hex.len() >= VOLATILE {
            out.push('…')
        } else {
            out.push_str(hex)
        }
        hex.clear();
    };
    for char in text.chars() {
        if char.is_ascii_hexdigit() {
            hex.push(char);
        } else {
            end(&mut hex, &mut out);
            out.push(char);
        }
    }
    end(&mut hex, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use crate::dockerfile::{Question, analyse};

    fn names(text: &str) -> Vec<String> {
        let question =
            Question { text, args: &[], target: None, platform: Some("linux/amd64"), builder: None };
        analyse(&question).unwrap().names()
    }

    #[test]
    fn names_last_though_lines_and_digests_move() {
        let digest = |digit: &str| digit.repeat(64);
        let one = names(&format!("FROM a@sha256:{}\nRUN make\n", digest("a")));
        let two = names(&format!("FROM a@sha256:{}\nWORKDIR /x\nRUN make\n", digest("b")));
        assert_eq!(one, ["FROM a@sha256:…", "RUN make"]);
        assert_eq!((&two[0], &two[2]), (&one[0], &one[1]));
        assert_eq!(names("FROM a\nRUN echo deadbeef\n")[1], "RUN echo deadbeef", "short ones are words");
    }

    #[test]
    fn no_two_are_alike() {
        let all = names("FROM a AS one\nRUN make\nRUN make\nFROM one AS two\nRUN make\n");
        assert_eq!(all[1..3], ["one: RUN make", "one: RUN make (2)"]);
        assert_eq!(all.last().unwrap(), "two: RUN make");
        let long = |end: &str| names(&format!("FROM a\nRUN {}{end}\n", "x".repeat(300)))[1].clone();
        assert_ne!(long("1"), long("2"));
        assert!(long("1").chars().count() < 120, "{}", long("1"));
    }
}
