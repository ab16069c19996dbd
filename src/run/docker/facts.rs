//! What an engine is: plain data, and what osgraph asks of it at least.

use std::fmt;

use serde::Serialize;

use crate::run::docker::error::EngineError;

/// A version of the engine's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiVersion {
    pub major: u32,
    pub minor: u32,
}

impl ApiVersion {
    /// The oldest that osgraph speaks: Docker 20.10, Podman 4.
    pub const OLDEST: Self = Self { major: 1, minor: 41 };
    /// The newest that it was made for; newer engines are spoken to in this one.
    pub const NEWEST: Self = Self { major: 1, minor: 53 };

    /// From `1.41`, also with a third number.
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.trim().split('.').map(|part| part.parse::<u32>().ok());
        Some(Self { major: numbers.next()??, minor: numbers.next()?? })
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// Whose engine it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Docker,
    Podman,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Docker => "Docker",
            Self::Podman => "Podman",
        })
    }
}

/// How an engine keeps its images. It decides what an image's id is the digest of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// Docker's own, over this storage driver: an id is the digest of the image's configuration.
    Classic(String),
    /// containerd's: an id is the digest of a manifest.
    Containerd,
    /// Podman's, over this storage driver: as in the classic one.
    Podman(String),
}

impl StoreKind {
    /// From what `/info` says of the storage driver.
    pub(super) fn of(kind: Kind, driver: &str, status: &[Vec<String>]) -> Self {
        let is_snapshotter = |pair: &Vec<String>| {
            pair.first().is_some_and(|name| name == "driver-type")
                && pair.get(1).is_some_and(|value| value.starts_with("io.containerd.snapshotter"))
        };
        match kind {
            Kind::Podman => Self::Podman(driver.to_owned()),
            Kind::Docker if status.iter().any(is_snapshotter) => Self::Containerd,
            Kind::Docker => Self::Classic(driver.to_owned()),
        }
    }

    /// Whether an image's id is the digest of its configuration.
    pub const fn id_is_configuration(&self) -> bool {
        !matches!(self, Self::Containerd)
    }
}

/// `classic (overlay2)`, `containerd`, `podman (overlay)`: as it is shown and recorded.
impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Classic(driver) => write!(f, "classic ({driver})"),
            Self::Containerd => f.write_str("containerd"),
            Self::Podman(driver) => write!(f, "podman ({driver})"),
        }
    }
}

/// All that is asked of an engine beforehand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineFacts {
    /// Its address and who named it.
    pub address: String,
    pub origin: String,
    pub kind: Kind,
    pub version: String,
    pub api: ApiVersion,
    pub os: String,
    pub arch: String,
    pub store: StoreKind,
    /// Whether it builds with BuildKit when it is asked to.
    pub buildkit: bool,
    /// Its folder, on its machine.
    pub root: String,
    /// Bytes free there, where that is this machine.
    pub free_disk: Option<u64>,
}

impl EngineFacts {
    /// # Errors
    /// When it cannot build.
    pub fn require_buildkit(&self) -> Result<(), EngineError> {
        if self.buildkit {
            return Ok(());
        }
        Err(EngineError::NoBuildKit { kind: self.kind, version: self.version.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let version = |text| ApiVersion::parse(text).unwrap();
        assert!(version("1.9") < version("1.41"));
        assert_eq!(version("1.41.0"), ApiVersion::OLDEST);
        assert_eq!(version("1.53").to_string(), "1.53");
        assert_eq!(ApiVersion::parse("new"), None);
        assert_eq!(ApiVersion::parse("1"), None);
    }

    #[test]
    fn stores_are_told_apart() {
        let pair = |name: &str, value: &str| vec![name.to_owned(), value.to_owned()];
        let snapshotter = [pair("driver-type", "io.containerd.snapshotter.v1")];
        assert_eq!(StoreKind::of(Kind::Docker, "overlayfs", &snapshotter), StoreKind::Containerd);
        let classic = StoreKind::of(Kind::Docker, "overlay2", &[pair("Backing Filesystem", "extfs")]);
        assert_eq!(classic.to_string(), "classic (overlay2)");
        assert!(classic.id_is_configuration() && !StoreKind::Containerd.id_is_configuration());
        assert_eq!(StoreKind::of(Kind::Podman, "overlay", &[]).to_string(), "podman (overlay)");
    }
}
