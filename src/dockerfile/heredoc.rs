//! Which here-documents an instruction opens: `<<EOF`, `<<-EOF`, `3<<'EOF'`, anywhere in the line.
//!
//! Words are told apart as a shell does, by blanks outside of quotes. A line whose quotes do not
//! close opens none, as in BuildKit.

/// The word that ends a here-document.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Opener {
    pub word: String,
    /// `<<-`: tabs before the word at the end do not matter.
    pub strips_tabs: bool,
}

/// In the order in which their bodies follow.
pub(super) fn openers(line: &str) -> Vec<Opener> {
    if !line.contains("<<") {
        return Vec::new();
    }
    words(line).unwrap_or_default().iter().filter_map(|word| opener(word)).collect()
}

/// Whether a source of `COPY` or `ADD` is a here-document.
pub(super) fn is_opener(word: &str) -> bool {
    opener(word).is_some()
}

fn opener(word: &str) -> Option<Opener> {
    let rest = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<")?;
    let (rest, strips_tabs) = match rest.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    let rest = rest.trim_start();
    if rest.is_empty() || rest.contains('<') {
        return None;
    }
    let word = unquote(rest)?;
    (!word.is_empty()).then_some(Opener { word, strips_tabs })
}

/// Words with their quotes and escapes; none when a quote does not close.
fn words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut chars = line.chars().peekable();
    let mut quote = None;
    while let Some(c) = chars.next() {
        match quote {
            Some(open) => {
                word.push(c);
                if c == open {
                    quote = None;
                } else if c == '\\' && open == '"' {
                    word.extend(chars.next());
                }
            }
            None if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            None => {
                word.push(c);
                match c {
                    '\'' | '"' => quote = Some(c),
                    '\\' => word.extend(chars.next()),
                    // Blanks may stand between `<<` and its word.
                    '<' if word.ends_with("<<") => {
                        while let Some(blank) = chars.next_if(|c| matches!(c, ' ' | '\t' | '\r')) {
                            word.push(blank);
                        }
                    }
                    _ => {}
                }
            }
        }
    }
    if quote.is_some() {
        return None;
    }
    if !word.is_empty() {
        words.push(word);
    }
    Some(words)
}

/// Takes quotes and escapes away; none when a quote does not close.
fn unquote(word: &str) -> Option<String> {
    let mut out = String::new();
    let mut chars = word.chars().peekable();
    let mut quote = None;
    while let Some(c) = chars.next() {
        match quote {
            Some(open) if c == open => quote = None,
            Some('"') if c == '\\' => match chars.next_if(|c| matches!(c, '"' | '$' | '\\')) {
                Some(escaped) => out.push(escaped),
                None => out.push(c),
            },
            Some(_) => out.push(c),
            None => match c {
                '\'' | '"' => quote = Some(c),
                '\\' => out.extend(chars.next()),
                _ => out.push(c),
            },
        }
    }
    quote.is_none().then_some(out)
}
