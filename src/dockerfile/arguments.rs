//! The build arguments that a Dockerfile declares, whichever stage they are for.

use super::lines;
use super::mistake::Mistake;
use super::{is_proxy, pairs};

/// Set by BuildKit itself, or read by it alone.
const PREDEFINED: &[&str] = &["TARGET", "BUILD", "BUILDKIT_", "SOURCE_DATE_EPOCH"];

/// An argument, as its first declaration with a default has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    pub name: String,
    pub default: Default,
}

/// What an argument is when nobody gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Default {
    None,
    /// Text without variables and escapes.
    Text(String),
    /// Made of other variables.
    Made,
}

/// In the order of the file, each once; without those that BuildKit sets.
pub fn arguments(text: &str) -> Result<Vec<Declared>, Mistake> {
    let script = lines::read(text)?;
    let mut found: Vec<Declared> = Vec::new();
    for instruction in script.instructions.iter().filter(|one| one.word == "ARG") {
        for (name, default) in pairs::arg(instruction.rest(), script.escape).unwrap_or_default() {
            if is_proxy(&name) || is_predefined(&name) {
                continue;
            }
            let default = default.map_or(Default::None, |text| plain(&text, script.escape));
            match found.iter_mut().find(|one| one.name == name) {
                None => found.push(Declared { name, default }),
                Some(known) if known.default == Default::None => known.default = default,
                Some(_) => {}
            }
        }
    }
    Ok(found)
}

fn is_predefined(name: &str) -> bool {
    let platform = |rest: &str| ["PLATFORM", "OS", "ARCH", "VARIANT", "STAGE"].contains(&rest);
    PREDEFINED.iter().any(|prefix| match name.strip_prefix(prefix) {
        Some(rest) if prefix.ends_with('_') || rest.is_empty() => *prefix != "TARGET" && *prefix != "BUILD",
        Some(rest) => platform(rest),
        None => false,
    })
}

fn plain(text: &str, escape: char) -> Default {
    let quoted = |quote: char| text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    let inner = quoted('"').or_else(|| quoted('\'')).unwrap_or(text);
    if inner.contains(['$', '"', '\'', escape]) {
        return Default::Made;
    }
    Default::Text(inner.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_arguments_are_found_with_their_defaults() {
        let text = "ARG BASE=debian:12\nFROM ${BASE}\nARG TOKEN EMPTY= QUOTED=\"a b\"\nARG BASE\nARG URL=https://$BASE\n\
                    ARG TARGETARCH BUILDPLATFORM HTTP_PROXY BUILDKIT_SYNTAX=x SOURCE_DATE_EPOCH\nARG TARGET=prod BUILD_ID=7\n\
                    FROM scratch\nARG TOKEN=late\n";
        let found = arguments(text).unwrap();
        let pairs: Vec<(&str, &Default)> =
            found.iter().map(|one| (one.name.as_str(), &one.default)).collect();
        let text = |text: &str| Default::Text(text.to_owned());
        assert_eq!(
            pairs,
            [
                ("BASE", &text("debian:12")),
                ("TOKEN", &text("late")),
                ("EMPTY", &text("")),
                ("QUOTED", &text("a b")),
                ("URL", &Default::Made),
                ("TARGET", &text("prod")),
                ("BUILD_ID", &text("7")),
            ]
        );
        assert!(arguments("FROM x\nNONSENSE y\n").is_err());
    }
}
