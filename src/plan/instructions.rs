//! Which instructions of a script differ from what they were: a difference of lines, told by the lines
//! that the Dockerfile has now.

/// A difference: the line it has now, what it was and what it is.
pub type Differing = (Option<u32>, Option<String>, Option<String>);

/// Beyond this many comparisons the middle is taken for changed as a whole.
const MOST: usize = 4_000_000;

/// `old` is a script as a manifest has it; `new` the instructions of the one now, with their lines, of
/// which some go over several lines.
pub fn differing<'a>(old: &'a str, new: impl Iterator<Item = (u32, &'a str)>) -> Vec<Differing> {
    let new: Vec<(u32, &str)> =
        new.flat_map(|(line, text)| text.split('\n').map(move |part| (line, part))).collect();
    let mut old: Vec<&str> = old.split('\n').collect();
    let same = old.iter().zip(&new).take_while(|(a, (_, b))| *a == b).count();
    let (mut new, rest) = (&new[same..], old.split_off(same));
    let mut old = &rest[..];
    while let (Some((a, before)), Some(((_, b), after))) = (old.split_last(), new.split_last()) {
        if a != b {
            break;
        }
        (old, new) = (before, after);
    }
    let mut found = Vec::new();
    // Whatever lies between two lines that are the same.
    let (mut gone, mut come): (Vec<&str>, Vec<(u32, &str)>) = (Vec::new(), Vec::new());
    let mut flush = |gone: &mut Vec<&str>, come: &mut Vec<(u32, &str)>| {
        let longest = gone.len().max(come.len());
        for at in 0..longest {
            let (a, b) = (gone.get(at), come.get(at));
            let text = |text: &str| text.to_owned();
            found.push((b.map(|(line, _)| *line), a.map(|a| text(a)), b.map(|(_, b)| text(b))));
        }
        gone.clear();
        come.clear();
    };
    let common = common(old, new);
    let (mut a, mut b) = (0, 0);
    for (x, y) in common.into_iter().chain([(old.len(), new.len())]) {
        gone.extend(&old[a..x]);
        come.extend(&new[b..y]);
        flush(&mut gone, &mut come);
        (a, b) = (x + 1, y + 1);
    }
    found
}

/// Positions of a longest common subsequence.
fn common(old: &[&str], new: &[(u32, &str)]) -> Vec<(usize, usize)> {
    let (rows, columns) = (old.len() + 1, new.len() + 1);
    if rows * columns > MOST {
        return Vec::new();
    }
    // The longest from here to the end.
    let mut longest = vec![0_u32; rows * columns];
    for a in (0..old.len()).rev() {
        for b in (0..new.len()).rev() {
            longest[a * columns + b] = match old[a] == new[b].1 {
                true => longest[(a + 1) * columns + b + 1] + 1,
                false => longest[(a + 1) * columns + b].max(longest[a * columns + b + 1]),
            };
        }
    }
    let (mut a, mut b, mut found) = (0, 0, Vec::new());
    while a < old.len() && b < new.len() {
        if old[a] == new[b].1 {
            found.push((a, b));
            (a, b) = (a + 1, b + 1);
        } else if longest[(a + 1) * columns + b] >= longest[a * columns + b + 1] {
            a += 1;
        } else {
            b += 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(old: &str, new: &[(u32, &str)]) -> Vec<String> {
        let text = |side: Option<String>| side.unwrap_or_else(|| "-".into());
        let all = differing(old, new.iter().copied());
        let line = |line: Option<u32>| line.map_or_else(|| "-".to_owned(), |line| line.to_string());
        all.into_iter().map(|(at, a, b)| format!("{} {} > {}", line(at), text(a), text(b))).collect()
    }

    #[test]
    fn changed_new_and_gone_instructions_have_their_lines() {
        let new = [(1, "FROM a"), (3, "RUN b"), (9, "COPY c /")];
        assert_eq!(told("FROM a\nRUN b\nCOPY c /", &new), [""; 0]);
        assert_eq!(told("FROM a\nRUN x\nCOPY c /", &new), ["3 RUN x > RUN b"]);
        assert_eq!(told("FROM a\nCOPY c /", &new), ["3 - > RUN b"]);
        assert_eq!(told("FROM a\nRUN b\nENV x\nCOPY c /", &new), ["- ENV x > -"]);
        assert_eq!(
            told("FROM z\nRUN b\nCOPY c /\nCMD d", &new),
            ["1 FROM z > FROM a", "- CMD d > -"],
            "what is the same between them is passed over"
        );
    }

    #[test]
    fn lines_of_a_here_document_have_the_line_of_their_instruction() {
        let new = [(1, "FROM a"), (4, "RUN <<E\none\nthree\nE")];
        assert_eq!(told("FROM a\nRUN <<E\none\ntwo\nE", &new), ["4 two > three"]);
    }

    #[test]
    fn scripts_too_long_to_be_compared_are_told_line_by_line() {
        let old: String = (0..3_000).map(|at| format!("RUN {at}\n")).collect();
        let text: Vec<String> = (0..3_000).map(|at| format!("RUN x{at}")).collect();
        let new: Vec<(u32, &str)> = text.iter().zip(1..).map(|(text, line)| (line, text.as_str())).collect();
        assert_eq!(told(&old, &new).len(), 3_001);
    }
}
