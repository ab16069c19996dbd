//! The Dockerfile that is sent: references replaced by names that mean one image for ever. Pure.

use crate::dockerfile::{Analysis, BaseUse};

/// Puts `name(reference)` in the place of each reference, where it gives one. Lines stay where they
/// are.
pub fn rewrite(text: &str, analysis: &Analysis, name: &dyn Fn(&str) -> Option<String>) -> String {
    let mut places: Vec<(usize, usize, String)> = Vec::new();
    for base in &analysis.bases {
        let Some(new) = name(&base.reference) else { continue };
        let written = text.get(base.span.clone()).unwrap_or_default();
        // A flag that quotes or escapes its reference is written anew as a whole.
        let new = match base.used_by {
            BaseUse::Copy if written.starts_with("--") => format!("--from={new}"),
            BaseUse::From | BaseUse::Copy | BaseUse::Mount => new,
        };
        places.push((base.span.start, base.span.end, new));
    }
    places.sort_by_key(|(start, ..)| *start);
    places.dedup_by_key(|(start, ..)| *start);
    let mut out = String::with_capacity(text.len() + 64 * places.len());
    let mut at = 0;
    for (start, end, new) in places {
        out.push_str(&text[at..start]);
        out.push_str(&new);
        at = end;
    }
    out.push_str(&text[at..]);
    out
}
