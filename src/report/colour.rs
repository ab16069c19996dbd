//! Whether to colour, and the few ANSI styles that osgraph uses.
//!
//! The choice is a pure function of facts that the caller gathers; nothing here reads the
//! environment. A [`Palette`] that is off prints the bare text, so callers never ask twice.

use std::fmt;

/// `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ColourChoice {
    /// Colours on a terminal, unless the environment says otherwise.
    #[default]
    Auto,
    /// Colours even into a file or a pipe.
    Always,
    /// No colours.
    Never,
}

/// What decides [`ColourChoice::Auto`]: the stream that is written to, and environment values.
#[derive(Clone, Copy, Debug, Default)]
pub struct ColourFacts<'a> {
    pub is_terminal: bool,
    /// `NO_COLOR`
    pub no_color: Option<&'a str>,
    /// `CLICOLOR_FORCE`
    pub clicolor_force: Option<&'a str>,
    /// `TERM`
    pub term: Option<&'a str>,
}

impl ColourChoice {
    /// The option wins, then `NO_COLOR` (set and not empty, as no-color.org has it), then
    /// `CLICOLOR_FORCE` (not `0`), then a dumb terminal, then whether it is a terminal at all.
    pub fn palette(self, facts: ColourFacts<'_>) -> Palette {
        let on = match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                let set = |value: Option<&str>| value.is_some_and(|v| !v.is_empty());
                if set(facts.no_color) {
                    false
                } else if set(facts.clicolor_force) && facts.clicolor_force != Some("0") {
                    true
                } else {
                    facts.is_terminal && facts.term != Some("dumb")
                }
            }
        };
        Palette { on }
    }
}

/// Paints text, or leaves it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    on: bool,
}

impl Palette {
    pub const PLAIN: Self = Self { on: false };
    pub const COLOURED: Self = Self { on: true };

    pub const fn is_on(self) -> bool {
        self.on
    }

    pub fn bold<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.paint("1", text)
    }

    pub fn dim<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.paint("2", text)
    }

    /// Failure.
    pub fn red<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.paint("31", text)
    }

    /// Success.
    pub fn green<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.paint("32", text)
    }

    /// Attention: stale, late, a warning.
    pub fn yellow<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.paint("33", text)
    }

    /// Work in progress, and things put back.
    pub fn cyan<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.paint("36", text)
    }

    fn paint<T: fmt::Display>(self, code: &'static str, text: T) -> Painted<T> {
        Painted { code: self.on.then_some(code), text }
    }
}

/// Text with its style. Width and alignment of the format string are not applied: pad first.
pub struct Painted<T> {
    code: Option<&'static str>,
    text: T,
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "\x1b[{code}m{}\x1b[0m", self.text),
            None => write!(f, "{}", self.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMINAL: ColourFacts<'_> =
        ColourFacts { is_terminal: true, no_color: None, clicolor_force: None, term: Some("xterm") };
    const PIPE: ColourFacts<'_> = ColourFacts { is_terminal: false, ..TERMINAL };

    fn auto(facts: ColourFacts<'_>) -> bool {
        ColourChoice::Auto.palette(facts).is_on()
    }

    #[test]
    fn a_terminal_is_coloured_and_a_pipe_is_not() {
        assert!(auto(TERMINAL));
        assert!(!auto(PIPE));
        assert!(!auto(ColourFacts { term: Some("dumb"), ..TERMINAL }));
    }

    #[test]
    fn the_environment_decides_before_the_terminal() {
        assert!(!auto(ColourFacts { no_color: Some("1"), ..TERMINAL }));
        assert!(auto(ColourFacts { no_color: Some(""), ..TERMINAL }), "an empty NO_COLOR does not count");
        assert!(auto(ColourFacts { clicolor_force: Some("1"), ..PIPE }));
        assert!(!auto(ColourFacts { clicolor_force: Some("0"), ..PIPE }));
        assert!(!auto(ColourFacts { clicolor_force: Some("1"), no_color: Some("1"), ..TERMINAL }));
    }

    #[test]
    fn the_option_decides_before_the_environment() {
        let forbidden = ColourFacts { no_color: Some("1"), ..PIPE };
        assert!(ColourChoice::Always.palette(forbidden).is_on());
        let forced = ColourFacts { clicolor_force: Some("1"), ..TERMINAL };
        assert!(!ColourChoice::Never.palette(forced).is_on());
    }

    #[test]
    fn off_leaves_the_text_alone() {
        assert_eq!(Palette::PLAIN.red("x").to_string(), "x");
        assert_eq!(Palette::COLOURED.red("x").to_string(), "\x1b[31mx\x1b[0m");
    }
}
