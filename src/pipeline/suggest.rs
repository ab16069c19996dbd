//! "Did you mean": the known word that is nearest to a mistyped one.
//!
//! Pure text; knows nothing of what the words name.

/// The candidate that differs least from `word`, if it differs by little: at most a third of its
/// characters, one at least. Of equals the first wins.
pub fn nearest<'c, I>(word: &str, candidates: I) -> Option<&'c str>
where
    I: IntoIterator<Item = &'c str>,
{
    let word: Vec<char> = word.chars().collect();
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let limit = best.map_or(word.len().max(3) / 3, |(distance, _)| distance.saturating_sub(1));
        if let Some(distance) = distance_within(&word, candidate, limit) {
            if distance == 0 {
                return Some(candidate);
            }
            best = Some((distance, candidate));
            if distance == 1 {
                // Only an exact match beats this, and nobody asks about words that are known.
                break;
            }
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// `` did you mean `x`? `` when something is near, else what is possible.
pub(crate) fn help(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(near) if known.len() == 1 => format!("did you mean `{near}`?"),
        Some(near) => format!("did you mean `{near}`? {}", allowed(known)),
        None => allowed(known),
    }
}

/// `` possible here: `a`, `b` ``
pub(crate) fn allowed(known: &[&str]) -> String {
    let list: Vec<String> = known.iter().map(|word| format!("`{word}`")).collect();
    match list.as_slice() {
        [] => "nothing is possible here".to_owned(),
        list => format!("possible here: {}", list.join(", ")),
    }
}

/// Optimal string alignment distance (insert, delete, replace, swap neighbours) if it is at most
/// `limit`. Candidates of a length too different are dismissed without looking.
fn distance_within(word: &[char], candidate: &str, limit: usize) -> Option<usize> {
    let bytes = candidate.len();
    if bytes + limit < word.len() || bytes > (word.len() + limit) * 4 {
        return None;
    }
    let candidate: Vec<char> = candidate.chars().collect();
    if candidate.len().abs_diff(word.len()) > limit {
        return None;
    }
    let width = candidate.len() + 1;
    let mut before = vec![0; width];
    let mut last: Vec<usize> = (0..width).collect();
    let mut row = vec![0; width];
    for (i, a) in word.iter().enumerate() {
        row[0] = i + 1;
        for (j, b) in candidate.iter().enumerate() {
            let mut cost = (last[j] + usize::from(a != b)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == candidate[j - 1] && word[i - 1] == *b {
                cost = cost.min(before[j - 1] + 1);
            }
            row[j + 1] = cost;
        }
        if row.iter().all(|cost| *cost > limit) {
            return None;
        }
        std::mem::swap(&mut before, &mut last);
        std::mem::swap(&mut last, &mut row);
    }
    Some(last[width - 1]).filter(|distance| *distance <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_its_word() {
        let words = ["context", "dockerfile", "platform", "tag"];
        assert_eq!(nearest("contxt", words), Some("context"));
        assert_eq!(nearest("dcokerfile", words), Some("dockerfile"));
        assert_eq!(nearest("tga", words), Some("tag"));
        assert_eq!(nearest("platfrom", words), Some("platform"));
    }

    #[test]
    fn something_else_finds_none() {
        assert_eq!(nearest("volume", ["context", "tag"]), None);
        assert_eq!(nearest("", ["context"]), None);
        assert_eq!(nearest("x", []), None);
    }

    #[test]
    fn the_nearest_wins() {
        assert_eq!(nearest("binary", ["bindery", "binaries", "binarz"]), Some("binarz"));
    }
}
