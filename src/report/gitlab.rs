//! The dialect of GitLab CI: collapsed sections with their duration. It has no annotations.

use crate::event::Place;
use crate::report::sections::{Dialect, Severity};

pub struct Gitlab;

/// Clears the line that a marker stands on, so that only its title is seen.
const CLEAR: &str = "\x1b[0K";

impl Dialect for Gitlab {
    fn open(&self, id: &str, title: &str, started: i64) -> String {
        let id = section_id(id);
        format!("{CLEAR}section_start:{started}:{id}[collapsed=true]\r{CLEAR}{title}\n")
    }

    fn close(&self, id: &str, now: i64) -> String {
        format!("{CLEAR}section_end:{now}:{}\r{CLEAR}\n", section_id(id))
    }

    fn guard(&self, line: &str) -> String {
        // A marker needs the escape sequence and the carriage return that cleaning took away.
        format!("| {line}")
    }

    fn annotate(&self, _: Severity, _: &str, _: &str, _: Option<&Place>) -> Option<String> {
        None
    }
}

/// Letters, digits, `_`, `.` and `-` are all that an id may hold.
fn section_id(node: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-') { c } else { '_' };
    format!("osgraph_{}", node.chars().map(safe).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_marked_as_gitlab_wants_them() {
        assert_eq!(
            Gitlab.open("a b", "ran  a b  3s", 100),
            "\x1b[0Ksection_start:100:osgraph_a_b[collapsed=true]\r\x1b[0Kran  a b  3s\n"
        );
        assert_eq!(Gitlab.close("a b", 103), "\x1b[0Ksection_end:103:osgraph_a_b\r\x1b[0K\n");
    }
}
