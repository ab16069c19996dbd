//! What stages read that the target does not need.

use super::analyse::{Question, analyse};
use super::analysis::Read;
use super::lines;

/// The sources of named stages that are not built, each with its stage's name. Nothing comes of a
/// stage that cannot be read: nobody builds it.
pub fn idle_reads(question: &Question) -> Vec<(String, Read)> {
    let (Ok(script), Ok(built)) = (lines::read(question.text), analyse(question)) else {
        return Vec::new();
    };
    let mut found: Vec<(String, Read)> = Vec::new();
    for instruction in script.instructions.iter().filter(|one| one.word == "FROM") {
        let Ok(words) = instruction.words() else { continue };
        let [.., word, name] = words.as_slice() else { continue };
        if words.len() < 3 || !word.text.eq_ignore_ascii_case("as") {
            continue;
        }
        let Ok(other) = analyse(&Question { target: Some(&name.text), ..*question }) else { continue };
        for read in other.reads {
            let is_known = built.reads.contains(&read) || found.iter().any(|(_, known)| *known == read);
            if !is_known {
                found.push((name.text.clone(), read));
            }
        }
    }
    found
}
