//! Where BuildKit's own cache is imported from and exported to, as one writes it for buildx.
//!
//! `type=registry,ref=example.org/team/cache,mode=max`; a bare reference is a registry. Pure.

use std::collections::BTreeMap;

use crate::run::docker::buildkit::error::BuildError;

/// One place of the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CacheEntry {
    pub(super) kind: String,
    pub(super) attrs: BTreeMap<String, String>,
}

impl CacheEntry {
    pub(super) fn parse(text: &str) -> Result<Self, BuildError> {
        let wrong = |problem| BuildError::Cache { text: text.to_owned(), problem };
        let fields = fields(text).ok_or_else(|| wrong("has a quote that is not closed"))?;
        if let [reference] = &*fields
            && !reference.contains('=')
        {
            if reference.is_empty() {
                return Err(wrong("is empty"));
            }
            let attrs = BTreeMap::from([("ref".to_owned(), reference.clone())]);
            return Ok(Self { kind: "registry".to_owned(), attrs });
        }
        let mut attrs = BTreeMap::new();
        for field in &fields {
            let (key, value) = field.split_once('=').ok_or_else(|| wrong("has a part without `=`"))?;
            attrs.insert(key.trim().to_lowercase(), value.trim().to_owned());
        }
        let kind = attrs.remove("type").ok_or_else(|| wrong("names no `type`"))?;
        match kind.as_str() {
            "registry" if attrs.get("ref").is_none_or(String::is_empty) => Err(wrong("names no `ref`")),
            "local" => Err(wrong("is a folder, which is not supported: the store keeps what was built")),
            _ => Ok(Self { kind, attrs }),
        }
    }
}

/// Cuts at commas, but for those in quotes, as in CSV.
fn fields(text: &str) -> Option<Vec<String>> {
    let (mut out, mut field, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => out.push(std::mem::take(&mut field)),
            c => field.push(c),
        }
    }
    out.push(field);
    (!quoted).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> String {
        match CacheEntry::parse(text) {
            Ok(CacheEntry { kind, attrs }) => format!("{kind} {attrs:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn options_are_read_as_buildx_reads_them() {
        assert_eq!(parsed("team/app:cache"), r#"registry {"ref": "team/app:cache"}"#);
        assert_eq!(parsed("type=registry,ref=r/c,mode=max"), r#"registry {"mode": "max", "ref": "r/c"}"#);
        assert_eq!(parsed("type=inline"), "inline {}");
        assert_eq!(parsed(r#"type=gha,"scope=a,b""#), r#"gha {"scope": "a,b"}"#);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, problem) in [
            ("", "is empty"),
            ("ref=r/c,mode=max", "names no `type`"),
            ("type=registry,mode=max", "names no `ref`"),
            ("type=registry,max", "has a part without `=`"),
            ("type=registry,\"ref=a", "has a quote that is not closed"),
            ("type=local,src=x", "is a folder, which is not supported: the store keeps what was built"),
        ] {
            assert_eq!(parsed(text), format!("cache option `{text}` {problem}"));
        }
    }
}
