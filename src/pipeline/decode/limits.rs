//! `timeout "90m"` and `retries 2`.

use std::time::Duration;

use crate::pipeline::model::{Limits, Spanned};
use crate::pipeline::scope::{Scope, Seen};
use crate::pipeline::syntax::SyntaxNode;

pub(super) const CHILDREN: [&str; 2] = ["timeout", "retries"];

/// Takes `child` if it is one of these.
pub(super) fn child<'d>(
    scope: &Scope,
    limits: &mut Limits,
    seen: &mut Seen<'d>,
    child: &SyntaxNode<'d>,
) -> bool {
    match child.name() {
        "timeout" => {
            scope.once(seen, child);
            scope.shape(child, &[]);
            limits.timeout = scope.argument(child).and_then(|text| duration(scope, &text));
        }
        "retries" => {
            scope.once(seen, child);
            scope.shape(child, &[]);
            limits.retries =
                scope.single(child).and_then(|entry| scope.number(&entry, 0)).unwrap_or_default();
        }
        _ => return false,
    }
    true
}

/// A time of more than nothing, as `90m` or `1h 30m`.
pub(super) fn duration(scope: &Scope, text: &Spanned<String>) -> Option<Duration> {
    match humantime::parse_duration(&text.value) {
        Ok(duration) if !duration.is_zero() => Some(duration),
        _ => {
            let message = format!("`{}` is no length of time", text.value);
            scope.bad_value(text.span, message, "write it as `90s`, `15m` or `1h 30m`");
            None
        }
    }
}
