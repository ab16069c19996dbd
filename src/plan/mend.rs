//! What mends a reason at the least cost, in a few words: where a node runs for something that nobody
//! meant, or that can be had for less than a run.

use crate::key::{Facet, Value};
use crate::plan::{Code, Reason};

/// None where undoing the change is all there is to say.
pub fn mend(reason: &Reason) -> Option<String> {
    let is_locked = |value: &Option<Value>| matches!(value, Some(Value::Text(_)));
    Some(match reason.code {
        Code::DockerfileChanged => {
            "undo the edit: comments, blank lines and stages that are not built change nothing".to_owned()
        }
        Code::FromMoved if is_locked(&reason.new) && is_locked(&reason.old) => {
            "put the digest in the lock file back".to_owned()
        }
        Code::FromMoved if is_locked(&reason.new) => "none: from now on its digest is locked".to_owned(),
        Code::FromMoved => "`osgraph lock` pins the image that is meant".to_owned(),
        // Only a Dockerfile's platform is declared anywhere.
        Code::PlatformChanged if reason.span.is_some() => {
            let Some(Value::Text(old)) = &reason.old else { return None };
            format!("`platform \"{old}\"` in the node builds for the same as before, on any engine")
        }
        Code::ImageMissing if reason.facet == Facet::Own => {
            "`keep \"store\"` has it loaded the next time instead of built".to_owned()
        }
        Code::ImageMissing | Code::TagMissing | Code::TagMoved => {
            "a run puts it right without building".to_owned()
        }
        Code::ArtifactMissing => "`osgraph gc` with a larger `--max-size` keeps it".to_owned(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moved_image_is_mended_by_what_moved_it() {
        let said = |old: Value, new: Value| {
            let mut reason = Reason::new(Code::FromMoved, Facet::Environment, "from php:8.3");
            (reason.old, reason.new) = (Some(old), Some(new));
            mend(&reason).unwrap()
        };
        let image = |text: &str| Value::Image(crate::digest::Digest::of(text.as_bytes()));
        let locked = |text: &str| Value::Text(format!("sha256:{text}"));
        assert_eq!(said(image("a"), image("b")), "`osgraph lock` pins the image that is meant");
        assert_eq!(said(locked("a"), locked("b")), "put the digest in the lock file back");
        assert_eq!(said(image("a"), locked("b")), "none: from now on its digest is locked");
    }
}
