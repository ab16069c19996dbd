//! Which of the four ways of showing a run: chosen by `--log-style`, else by facts.
//!
//! Pure: the facts (terminal or not, what the CI machine says of itself) are passed in.

/// `--log-style`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogStyle {
    /// Running nodes are redrawn in place: for a terminal.
    Live,
    /// One line an event: for files and pipes.
    Plain,
    /// Collapsed groups and annotations of GitHub Actions.
    Github,
    /// Collapsed sections of GitLab CI.
    Gitlab,
}

/// What decides where no style was asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct StyleFacts<'a> {
    pub is_terminal: bool,
    /// `TERM`
    pub term: Option<&'a str>,
    /// `GITHUB_ACTIONS`
    pub github_actions: Option<&'a str>,
    /// `GITLAB_CI`
    pub gitlab_ci: Option<&'a str>,
    /// `CI`
    pub ci: Option<&'a str>,
}

impl LogStyle {
    /// A CI machine may offer a terminal and still keep a log: it decides before the terminal.
    pub fn choose(asked: Option<Self>, facts: StyleFacts<'_>) -> Self {
        let set = |value: Option<&str>| value.is_some_and(|v| !matches!(v, "" | "0" | "false"));
        match asked {
            Some(style) => style,
            None if set(facts.github_actions) => Self::Github,
            None if set(facts.gitlab_ci) => Self::Gitlab,
            None if set(facts.ci) => Self::Plain,
            None if facts.is_terminal && facts.term != Some("dumb") => Self::Live,
            None => Self::Plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMINAL: StyleFacts<'_> = StyleFacts {
        is_terminal: true,
        term: Some("xterm"),
        github_actions: None,
        gitlab_ci: None,
        ci: None,
    };

    #[test]
    fn facts_choose_the_style() {
        let choose = |facts| LogStyle::choose(None, facts);
        assert_eq!(choose(TERMINAL), LogStyle::Live);
        assert_eq!(choose(StyleFacts { is_terminal: false, ..TERMINAL }), LogStyle::Plain);
        assert_eq!(choose(StyleFacts { term: Some("dumb"), ..TERMINAL }), LogStyle::Plain);
        assert_eq!(choose(StyleFacts { ci: Some("true"), ..TERMINAL }), LogStyle::Plain);
        assert_eq!(choose(StyleFacts { ci: Some("false"), ..TERMINAL }), LogStyle::Live);
        let github = StyleFacts { ci: Some("true"), github_actions: Some("true"), ..TERMINAL };
        assert_eq!(choose(github), LogStyle::Github);
        let gitlab = StyleFacts { ci: Some("true"), gitlab_ci: Some("true"), ..TERMINAL };
        assert_eq!(choose(gitlab), LogStyle::Gitlab);
    }

    #[test]
    fn the_option_decides_before_the_facts() {
        let github = StyleFacts { github_actions: Some("true"), ..TERMINAL };
        assert_eq!(LogStyle::choose(Some(LogStyle::Live), github), LogStyle::Live);
    }
}
