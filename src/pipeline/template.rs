//! `${name}` in strings.
//!
//! A name in braces after a dollar sign is replaced by the parameter's value; `$${` stands for a
//! literal `${`; any other `$` is itself. Values are never looked into again. Pure text: knows
//! neither where parameters come from nor where the string stands in a file.

use std::borrow::Cow;
use std::ops::Range;

/// What a name in a template stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup<'v> {
    Value(&'v str),
    /// Declared, but without a value: reported where it is declared.
    Unset,
    Unknown,
}

/// Something wrong in a template, and where in its text (bytes).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error("no parameter is called `{name}`")]
    Unknown { name: String, at: Range<usize> },
    #[error("`${{` is not closed")]
    Unterminated { at: Range<usize> },
    #[error("`${{}}` names no parameter")]
    Empty { at: Range<usize> },
}

impl TemplateError {
    pub fn at(&self) -> Range<usize> {
        match self {
            Self::Unknown { at, .. } | Self::Unterminated { at } | Self::Empty { at } => at.clone(),
        }
    }
}

/// Replaces every `${name}` of `text`. With errors in the list, or none in it when a name is
/// [`Lookup::Unset`], there is no result.
pub fn expand<'t, 'v>(
    text: &'t str,
    lookup: impl Fn(&str) -> Lookup<'v>,
) -> Result<Cow<'t, str>, Vec<TemplateError>> {
    if !text.contains("${") {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = String::with_capacity(text.len());
    let mut errors = Vec::new();
    let mut unset = false;
    let mut at = 0;
    while let Some(dollar) = text[at..].find("${").map(|found| at + found) {
        if dollar > at && text.as_bytes()[dollar - 1] == b'$' {
            out.push_str(&text[at..dollar - 1]);
            out.push_str("${");
            at = dollar + 2;
            continue;
        }
        out.push_str(&text[at..dollar]);
        let Some(length) = text[dollar..].find('}') else {
            errors.push(TemplateError::Unterminated { at: dollar..text.len() });
            return Err(errors);
        };
        let end = dollar + length + 1;
        let name = &text[dollar + 2..end - 1];
        match lookup(name) {
            _ if name.is_empty() => errors.push(TemplateError::Empty { at: dollar..end }),
            Lookup::Value(value) => out.push_str(value),
            Lookup::Unset => unset = true,
            Lookup::Unknown => errors.push(TemplateError::Unknown { name: name.to_owned(), at: dollar..end }),
        }
        at = end;
    }
    out.push_str(&text[at..]);
    if unset || !errors.is_empty() { Err(errors) } else { Ok(Cow::Owned(out)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Result<String, Vec<TemplateError>> {
        let lookup = |name: &str| match name {
            "php" => Lookup::Value("8.3"),
            "nested" => Lookup::Value("${php}"),
            "unset" => Lookup::Unset,
            _ => Lookup::Unknown,
        };
        expand(text, lookup).map(Cow::into_owned)
    }

    #[test]
    fn names_are_replaced_and_values_are_not_read_again() {
        assert_eq!(expanded("a-${php}-b").unwrap(), "a-8.3-b");
        assert_eq!(expanded("${php}${php}").unwrap(), "8.38.3");
        assert_eq!(expanded("${nested}").unwrap(), "${php}");
    }

    #[test]
    fn a_doubled_dollar_is_a_literal() {
        assert_eq!(expanded("$${php}").unwrap(), "${php}");
        assert_eq!(expanded("$$ $x $").unwrap(), "$$ $x $");
        assert_eq!(expanded("${php}$${x").unwrap(), "8.3${x");
    }

    #[test]
    fn every_mistake_is_named_with_its_place() {
        let errors = expanded("${a} ${} ${b").unwrap_err();
        assert_eq!(errors.iter().map(TemplateError::at).collect::<Vec<_>>(), [0..4, 5..8, 9..12]);
        assert_eq!(errors[0].to_string(), "no parameter is called `a`");
        assert_eq!(errors[2].to_string(), "`${` is not closed");
        assert_eq!(expanded("${unset}"), Err(vec![]));
    }
}
