//! `ENV a=1 b="2 3"`, `ENV a 1 2` and `ARG a b=1`: names and values, quotes kept.

/// Words between blanks outside of quotes. An escape takes the meaning of what follows it.
pub(super) fn words(text: &str, escape: char) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if quote.is_none() && c.is_whitespace() {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            continue;
        }
        if c == escape && quote != Some('\'') {
            // One at the very end is dropped.
            if let Some(escaped) = chars.next() {
                word.extend([c, escaped]);
            }
            continue;
        }
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '\'' || c == '"' => quote = Some(c),
            _ => {}
        }
        word.push(c);
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// The pairs of an `ENV`; the error is the word that is none.
pub(super) fn env(text: &str, escape: char) -> Result<Vec<(String, String)>, String> {
    let words = words(text, escape);
    let Some(first) = words.first() else { return Err(text.to_owned()) };
    if !first.contains('=') {
        // The old form: everything after the name is the value.
        let blanks = [' ', '\t', '\r', '\u{b}', '\u{c}'];
        let (name, value) = text.split_once(blanks).ok_or_else(|| text.to_owned())?;
        return Ok(vec![(name.to_owned(), value.trim_start_matches(blanks).to_owned())]);
    }
    words
        .into_iter()
        .map(|word| match word.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
            _ => Err(word),
        })
        .collect()
}

/// The names of an `ARG`, with the defaults of those that have one.
pub(super) fn arg(text: &str, escape: char) -> Result<Vec<(String, Option<String>)>, String> {
    let words = words(text, escape);
    if words.is_empty() {
        return Err(text.to_owned());
    }
    words
        .into_iter()
        .map(|word| match word.split_once('=') {
            Some(("", _)) => Err(word),
            Some((name, value)) => Ok((name.to_owned(), Some(value.to_owned()))),
            None => Ok((word, None)),
        })
        .collect()
}
