//! How wide text is on a screen, and text that is safe to show there.
//!
//! A recipe may print anything: moving the cursor or starting a title would wreck the display, so
//! its lines are cleaned before they are shown. The log in the store keeps them as printed.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns that `text` takes. It must hold no escape sequences.
pub fn width(text: &str) -> usize {
    text.width()
}

/// `text` cut to at most `columns`, the last of them `…` if anything was cut.
pub fn shorten(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let (mut used, mut end) = (0, 0);
    for (at, char) in text.char_indices() {
        let wide = char.width().unwrap_or(0);
        if used + wide + 1 > columns {
            break;
        }
        used += wide;
        end = at + char.len_utf8();
    }
    Cow::Owned(if columns == 0 { String::new() } else { format!("{}…", &text[..end]) })
}

/// `text` followed by spaces up to `columns`.
pub fn pad(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(width(text));
    format!("{text}{}", " ".repeat(missing))
}

/// A printed line as it would be left on a screen: what a carriage return overwrote is gone,
/// escape sequences and control characters are dropped, tabs become spaces.
pub fn clean(line: &str) -> Cow<'_, str> {
    if !line.bytes().any(|b| b < 0x20 || b == 0x7f || b == 0xc2) {
        return Cow::Borrowed(line);
    }
    let line = line.trim_end_matches(['\r', '\n']);
    let line = line.rsplit('\r').find(|part| !part.is_empty()).unwrap_or("");
    let mut out = String::with_capacity(line.len());
    let mut columns = 0;
    let mut chars = line.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\x1b' => match chars.next() {
                // CSI: parameters, then one final byte.
                Some('[') => while chars.next().is_some_and(|c| !('@'..='~').contains(&c)) {},
                // OSC, DCS, SOS, PM and APC: text up to BEL or ESC \.
                Some(']' | 'P' | 'X' | '^' | '_') => {
                    while let Some(c) = chars.next() {
                        if c == '\x07' || (c == '\x1b' && chars.next_if_eq(&'\\').is_some()) {
                            break;
                        }
                    }
                }
                // A charset choice and its like: intermediates, then a final.
                Some(' '..='/') => {
                    chars.next();
                }
                _ => {}
            },
            '\t' => {
                let spaces = 8 - columns % 8;
                out.extend(std::iter::repeat_n(' ', spaces));
                columns += spaces;
            }
            c if c.is_control() => {}
            c => {
                out.push(c);
                columns += c.width().unwrap_or(0);
            }
        }
    }
    Cow::Owned(out)
}

/// `text` in lines of at most `room` columns, broken at spaces; a longer word has a line of its own.
pub fn broken(text: &str, room: usize) -> Vec<String> {
    if width(text) <= room {
        return vec![text.to_owned()];
    }
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().filter(|line| line.is_empty() || width(line) + 1 + width(word) <= room);
        match line {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortening_counts_columns_not_characters() {
        assert_eq!(shorten("abcdef", 6), "abcdef");
        assert_eq!(shorten("abcdef", 5), "abcd…");
        assert_eq!(shorten("日本語です", 10), "日本語です");
        assert_eq!(shorten("日本語です", 6), "日本…", "a wide character is not cut in half");
        assert_eq!(shorten("✅ done", 4), "✅ …");
        assert_eq!(shorten("abc", 0), "");
    }

    #[test]
    fn cleaning_leaves_what_a_screen_would_show() {
        assert_eq!(clean("plain"), "plain");
        assert_eq!(clean("\x1b[1;32mok\x1b[0m"), "ok");
        assert_eq!(clean("\x1b]0;title\x07ok"), "ok");
        assert_eq!(clean("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\"), "link");
        assert_eq!(clean("\x1b(Bok\x08"), "ok");
        assert_eq!(clean(" 10%\r 50%\r100%\r\n"), "100%");
        assert_eq!(clean("a\tb"), "a       b");
        assert_eq!(clean("x\u{9b}2Jy"), "x2Jy", "the one-byte introducer is dropped");
        assert_eq!(clean("\x1b["), "");
        assert_eq!(clean("größer"), "größer");
    }

    #[test]
    fn padding_counts_columns() {
        assert_eq!(pad("é", 3), "é  ");
        assert_eq!(pad("日", 3), "日 ");
        assert_eq!(pad("abcd", 3), "abcd");
    }
}
