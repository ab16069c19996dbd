//! The name of an image: registry, repository, tag and digest, spelled out.
//!
//! Purely lexical, with the docker CLI's rules: `php` is `docker.io/library/php:latest`. Knows no
//! registry and no engine.

use std::fmt;

/// Where names without a registry are.
pub const DOCKER_HUB: &str = "docker.io";

/// What a name without tag and digest means.
const DEFAULT_TAG: &str = "latest";
const LONGEST_NAME: usize = 255;
const LONGEST_TAG: usize = 128;

/// An image's name with nothing left out. Shown as `docker.io/library/php:8.3-cli`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

/// Why a text names no image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no image name: {why}")]
pub struct ReferenceError {
    pub text: String,
    pub why: &'static str,
}

impl ReferenceError {
    /// What mends it.
    pub fn help(&self) -> String {
        "write it as `name:tag`, `registry:port/name:tag` or `name@sha256:…`".to_owned()
    }
}

impl Reference {
    /// Reads a name as a Dockerfile or the docker CLI would take it.
    ///
    /// # Errors
    /// When no registry could have an image of that name.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let wrong = |why| ReferenceError { text: text.to_owned(), why };
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        if digest.is_some_and(|digest| !is_digest(digest)) {
            return Err(wrong("its digest is not `sha256:` and 64 hexadecimal digits"));
        }
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(wrong("its tag has other characters than letters, digits, `_`, `.` and `-`"));
        }
        let (registry, repository) = match name.split_once('/') {
            Some((first, below)) if is_registry(first) => (first, below),
            _ => (DOCKER_HUB, name),
        };
        let registry = if registry == "index.docker.io" { DOCKER_HUB } else { registry };
        if !is_host(registry) {
            return Err(wrong("its registry is no host"));
        }
        if !repository.split('/').all(is_component) {
            return Err(wrong("its parts are small letters and digits, with `.`, `_` and `-` between them"));
        }
        let repository = match (registry, repository.contains('/')) {
            (DOCKER_HUB, false) => format!("library/{repository}"),
            _ => repository.to_owned(),
        };
        if registry.len() + 1 + repository.len() > LONGEST_NAME {
            return Err(wrong("it is too long"));
        }
        let tag = tag.or(if digest.is_none() { Some(DEFAULT_TAG) } else { None });
        Ok(Self {
            registry: registry.to_owned(),
            repository,
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }

    /// Host and port; [`DOCKER_HUB`] where none was written.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// Registry and repository, without tag and digest.
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// None where only a digest was given.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// `sha256:…`
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// The same repository by this digest, whatever the tag says.
    ///
    /// # Errors
    /// When `digest` is none.
    pub fn at(&self, digest: &str) -> Result<Self, ReferenceError> {
        Self::parse(&format!("{}@{digest}", self.name()))
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { registry, repository, tag, digest } = self;
        write!(f, "{registry}/{repository}")?;
        if let Some(tag) = tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// Whether it is `sha256:` and 64 small hexadecimal digits.
pub fn is_digest(text: &str) -> bool {
    let digits = text.strip_prefix("sha256:").unwrap_or_default();
    digits.len() == 64 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether the part before the first slash is a host and not the beginning of a repository.
fn is_registry(first: &str) -> bool {
    first == "localhost"
        || first.contains(['.', ':', '['])
        || first.contains(|c: char| c.is_ascii_uppercase())
}

fn is_host(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => {
            // Whether it can be reached is not for us to say.
            let is_v6 = address.contains("::") || address.matches(':').count() == 7;
            let is_v6 = is_v6 && address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':');
            return is_v6 && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port));
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let is_label = |label: &str| {
        let plain = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        plain && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    };
    host.split('.').all(is_label) && port.is_none_or(is_port)
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port != 0)
}

/// Small letters and digits; between them one `.`, one or two `_`, or any number of `-`.
fn is_component(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separators = text.split(plain).filter(|between| !between.is_empty());
    text.starts_with(plain)
        && text.ends_with(plain)
        && separators.into_iter().all(|one| matches!(one, "." | "_" | "__") || one.bytes().all(|b| b == b'-'))
}

fn is_tag(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.len() <= LONGEST_TAG && text.starts_with(word) && text.chars().all(|c| word(c) || ".-".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn names_are_spelled_out() {
        for (text, full) in [
            ("php", "docker.io/library/php:latest"),
            ("php:8.3-cli", "docker.io/library/php:8.3-cli"),
            ("user/php", "docker.io/user/php:latest"),
            ("docker.io/php", "docker.io/library/php:latest"),
            ("index.docker.io/a/b:1", "docker.io/a/b:1"),
            ("localhost/a", "localhost/a:latest"),
            ("localhost:5000/a:1", "localhost:5000/a:1"),
            ("registry.example/a/b/c__d.e---f", "registry.example/a/b/c__d.e---f:latest"),
            ("[::1]:5000/a", "[::1]:5000/a:latest"),
            ("Host/a:X", "Host/a:X"),
        ] {
            assert_eq!(Reference::parse(text).unwrap().to_string(), full, "{text}");
            assert_eq!(Reference::parse(full).unwrap().to_string(), full, "it is its own spelling");
        }
    }

    #[test]
    fn digests_stand_with_and_without_a_tag() {
        let one = Reference::parse(&format!("php@{DIGEST}")).unwrap();
        assert_eq!((one.tag(), one.digest()), (None, Some(DIGEST)));
        let both = Reference::parse(&format!("h:1/php:8@{DIGEST}")).unwrap();
        assert_eq!((both.tag(), both.digest(), both.registry()), (Some("8"), Some(DIGEST), "h:1"));
        let tagged = Reference::parse("php:8").unwrap();
        assert_eq!(tagged.at(DIGEST).unwrap().to_string(), format!("docker.io/library/php@{DIGEST}"));
        assert!(tagged.at("sha256:12").is_err());
    }

    #[test]
    fn what_names_nothing_is_refused() {
        for text in [
            "",
            ":1",
            "A",
            "a:",
            "a:-x",
            "a//b",
            "a/",
            "-a",
            "a..b",
            "a___b",
            "h:0/a",
            "h:x/a",
            "a@sha256:12",
            "a b",
            "h_.x/a",
            "[1]/a",
            "../a",
        ] {
            assert!(Reference::parse(text).is_err(), "{text}");
        }
        let error = Reference::parse("a:é").unwrap_err();
        assert_eq!(
            error.to_string(),
            "`a:é` is no image name: its tag has other characters than letters, digits, `_`, `.` and `-`"
        );
        assert!(Reference::parse(&format!("a/{}", "b".repeat(260))).is_err());
    }
}
