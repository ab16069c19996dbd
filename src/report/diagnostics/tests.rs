use std::sync::Arc;

use super::*;
use crate::pipeline::{self, Diagnostics, SourceFile, Span};

const PIPE: Reader = Reader { is_terminal: false, palette: Palette::PLAIN, width: 80 };
const TERMINAL: Reader = Reader { is_terminal: true, palette: Palette::COLOURED, width: 60 };

fn mistakes(many: bool) -> Diagnostics {
    let text = "pipeline \"p\"\nbase-imag \"base\" {\n}\n";
    let source = SourceFile { name: "pipeline.kdl".into(), text: Arc::from(text) };
    let at = Span { offset: 13, length: 9 };
    let mut list = vec![
        pipeline::Diagnostic::new("unknown-kind", "unknown kind `base-imag`", at, "no such kind")
            .help("did you mean `base-image`?"),
    ];
    if many {
        let at = Span { offset: 0, length: 8 };
        list.push(pipeline::Diagnostic::new("other", "another mistake", at, "here"));
    }
    Diagnostics::new(&source, list)
}

#[test]
fn a_mistake_in_a_pipe_is_plain() {
    assert_eq!(
        render(&mistakes(false), PIPE),
        "\
unknown-kind

  x unknown kind `base-imag`
   ,-[pipeline.kdl:2:1]
 1 | pipeline \"p\"
 2 | base-imag \"base\" {
   : ^^^^|^^^^
   :     `-- no such kind
 3 | }
   `----
  help: did you mean `base-image`?
"
    );
}

#[test]
fn all_mistakes_are_shown() {
    let text = render(&mistakes(true), PIPE);
    assert!(text.contains("2 mistakes in `pipeline.kdl`"), "{text}");
    assert!(text.contains("x another mistake") && text.contains("x unknown kind `base-imag`"), "{text}");
    assert!(text.contains("[pipeline.kdl:1:1]") && text.contains("[pipeline.kdl:2:1]"), "{text}");
}

#[test]
fn a_terminal_gets_colours_and_its_width() {
    let text = render(&mistakes(false), TERMINAL);
    assert!(text.contains("\x1b[31m"), "{text:?}");
    let long = std::io::Error::other("word ".repeat(40));
    let text = render_error(&long, Some("mend it"), Reader { palette: Palette::PLAIN, ..TERMINAL });
    assert!(text.lines().all(|line| crate::report::text::width(line) <= 60), "{text}");
    assert!(!text.contains('\x1b'));
    assert_eq!(render_error(&long, None, PIPE).lines().count(), 1, "not wrapped");
}

#[derive(Debug, thiserror::Error)]
#[error("cannot open the store")]
struct Outer(#[source] std::io::Error);

#[test]
fn causes_and_help_of_a_bare_error_are_shown() {
    let error = Outer(std::io::Error::other("permission denied"));
    assert_eq!(
        render_error(&error, Some("name another with `--store`"), PIPE),
        "  x cannot open the store\n  `-> permission denied\n  help: name another with `--store`\n"
    );
}
