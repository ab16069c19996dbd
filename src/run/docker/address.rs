//! Where an engine listens, as `DOCKER_HOST` writes it. Pure: nothing is looked up or opened.

use std::fmt;
use std::path::PathBuf;

/// An engine's address, with all that is needed to reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `unix:///path`
    Unix(PathBuf),
    /// `tcp://host:port`, in the clear or with TLS.
    Tcp { host: String, port: u16, tls: Option<Tls> },
    /// `ssh://user@host:port`: the docker CLI on that machine passes everything on.
    Ssh(SshTarget),
}

/// What the `ssh` program is told; the rest is the business of the user's `~/.ssh/config`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshTarget {
    pub user: Option<String>,
    pub host: String,
    pub port: Option<u16>,
    /// The engine's socket on that machine, where it is not the usual one.
    pub socket: Option<String>,
}

/// Certificates and keys, in PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct Tls {
    /// Who vouches for the engine; none: whom the system trusts.
    pub ca: Option<Vec<u8>>,
    pub certificate: Option<Vec<u8>>,
    pub key: Option<Vec<u8>>,
    /// Whether the engine's certificate is looked at. Only an explicit wish of the user turns it off.
    pub verify: bool,
}

/// Shows no key.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ca, certificate, key, verify } = self;
        f.debug_struct("Tls")
            .field("ca", &ca.is_some())
            .field("certificate", &certificate.is_some())
            .field("key", &key.is_some())
            .field("verify", verify)
            .finish()
    }
}

/// Why a text is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("`{0}` is a Windows named pipe, which cannot be reached from here")]
    NamedPipe(String),
    #[error("`{0}` is a file descriptor, on which an engine listens and nobody calls")]
    Descriptor(String),
    #[error("`{0}` has a scheme that is not known")]
    Scheme(String),
    #[error("`{0}` names no {1}")]
    Lacks(String, &'static str),
    #[error("`{0}` has a port that is no port")]
    Port(String),
    #[error("`{0}` has {1}, which is not supported")]
    Extra(String, &'static str),
}

impl AddressError {
    /// What mends it.
    pub fn help(&self) -> String {
        "write it as `unix:///path`, `tcp://host:port` or `ssh://user@host`".to_owned()
    }
}

/// Where an engine listens if it is not told otherwise.
pub const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

const PORT: u16 = 2375;
const TLS_PORT: u16 = 2376;

impl Address {
    /// Reads what may stand in `DOCKER_HOST` or in a context. `tls` matters for TCP alone.
    pub fn parse(text: &str, tls: Option<Tls>) -> Result<Self, AddressError> {
        let text = text.trim();
        let all = || text.to_owned();
        let (scheme, rest) = text.split_once("://").unwrap_or(("tcp", text));
        match scheme {
            "unix" => {
                let path = if rest.is_empty() { DEFAULT_SOCKET } else { rest };
                Ok(Self::Unix(PathBuf::from(path)))
            }
            "tcp" | "http" | "https" => {
                let (host, port) = authority(text, rest.trim_end_matches('/'))?;
                if host.contains('/') {
                    return Err(AddressError::Extra(all(), "a path"));
                }
                if host.contains('@') {
                    return Err(AddressError::Extra(all(), "a user"));
                }
                let tls = match scheme {
                    "https" => tls.or(Some(Tls { ca: None, certificate: None, key: None, verify: true })),
                    _ => tls,
                };
                let port = port.unwrap_or(if tls.is_some() { TLS_PORT } else { PORT });
                let host = if host.is_empty() { "localhost".to_owned() } else { host };
                Ok(Self::Tcp { host, port, tls })
            }
            "ssh" => ssh(text, rest).map(Self::Ssh),
            "npipe" => Err(AddressError::NamedPipe(all())),
            "fd" => Err(AddressError::Descriptor(all())),
            _ => Err(AddressError::Scheme(all())),
        }
    }

    /// Whether the engine runs on this machine and sees its disks.
    pub const fn is_local(&self) -> bool {
        matches!(self, Self::Unix(_))
    }
}

fn ssh(text: &str, rest: &str) -> Result<SshTarget, AddressError> {
    let (place, socket) = match rest.split_once('/') {
        Some((place, path)) => (place, Some(format!("/{path}")).filter(|path| path != "/")),
        None => (rest, None),
    };
    let (user, place) = match place.rsplit_once('@') {
        Some((user, place)) => (Some(user.to_owned()), place),
        None => (None, place),
    };
    if user.as_ref().is_some_and(|user| user.contains(':')) {
        return Err(AddressError::Extra(text.to_owned(), "a password"));
    }
    if rest.contains(['?', '#']) {
        return Err(AddressError::Extra(text.to_owned(), "a query"));
    }
    let (host, port) = authority(text, place)?;
    if host.is_empty() {
        return Err(AddressError::Lacks(text.to_owned(), "host"));
    }
    if user.as_ref().is_some_and(|user| user.is_empty() || user.starts_with('-')) || host.starts_with('-') {
        return Err(AddressError::Lacks(text.to_owned(), "user or host that ssh would take"));
    }
    Ok(SshTarget { user, host, port, socket })
}

/// `host`, `host:port`, `[v6]:port`.
fn authority(text: &str, place: &str) -> Result<(String, Option<u16>), AddressError> {
    let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    let port = match port {
        None | Some("") => None,
        Some(port) => Some(
            port.parse::<u16>()
                .ok()
                .filter(|port| *port != 0)
                .ok_or_else(|| AddressError::Port(text.to_owned()))?,
        ),
    };
    Ok((host.to_owned(), port))
}

/// As `DOCKER_HOST` would have it.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bracketed = |host: &str| match host.contains(':') {
            true => format!("[{host}]"),
            false => host.to_owned(),
        };
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp { host, port, tls: _ } => write!(f, "tcp://{}:{port}", bracketed(host)),
            Self::Ssh(SshTarget { user, host, port, socket }) => {
                f.write_str("ssh://")?;
                if let Some(user) = user {
                    write!(f, "{user}@")?;
                }
                f.write_str(&bracketed(host))?;
                if let Some(port) = port {
                    write!(f, ":{port}")?;
                }
                f.write_str(socket.as_deref().unwrap_or_default())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        Address::parse(text, None).unwrap().to_string()
    }

    #[test]
    fn addresses_are_read_as_docker_reads_them() {
        for (text, read) in [
            ("unix:///run/user/1000/docker.sock", "unix:///run/user/1000/docker.sock"),
            ("unix://", "unix:///var/run/docker.sock"),
            ("tcp://10.0.0.1", "tcp://10.0.0.1:2375"),
            ("tcp://10.0.0.1:99/", "tcp://10.0.0.1:99"),
            ("build.example:4000", "tcp://build.example:4000"),
            ("tcp://[::1]:4000", "tcp://[::1]:4000"),
            ("tcp://:4000", "tcp://localhost:4000"),
            ("https://build.example", "tcp://build.example:2376"),
            ("ssh://build.example", "ssh://build.example"),
            ("ssh://me@build.example:2222", "ssh://me@build.example:2222"),
            ("ssh://me@[::1]:2222/run/d.sock", "ssh://me@[::1]:2222/run/d.sock"),
        ] {
            assert_eq!(shown(text), read, "{text}");
        }
    }

    #[test]
    fn tls_changes_the_port() {
        let tls = Tls { ca: None, certificate: None, key: None, verify: true };
        let address = Address::parse("tcp://h", Some(tls.clone())).unwrap();
        assert_eq!(address, Address::Tcp { host: "h".into(), port: 2376, tls: Some(tls.clone()) });
        assert_eq!(Address::parse("unix:///s", Some(tls)).unwrap(), Address::Unix("/s".into()));
    }

    #[test]
    fn what_is_no_address_is_named() {
        for (text, message) in [
            ("npipe:////./pipe/docker_engine", "is a Windows named pipe, which cannot be reached from here"),
            ("fd://", "is a file descriptor, on which an engine listens and nobody calls"),
            ("ftp://h", "has a scheme that is not known"),
            ("tcp://h:port", "has a port that is no port"),
            ("tcp://h:0", "has a port that is no port"),
            ("tcp://h:1/base", "has a port that is no port"),
            ("tcp://h/base", "has a path, which is not supported"),
            ("tcp://u@h", "has a user, which is not supported"),
            ("ssh://", "names no host"),
            ("ssh://u:secret@h", "has a password, which is not supported"),
            ("ssh://-oProxyCommand=x", "names no user or host that ssh would take"),
        ] {
            assert_eq!(Address::parse(text, None).unwrap_err().to_string(), format!("`{text}` {message}"));
        }
    }

    #[test]
    fn keys_are_not_shown() {
        let tls = Tls { ca: None, certificate: None, key: Some(b"secret".to_vec()), verify: true };
        let shown = format!("{tls:?}");
        assert_eq!(shown, "Tls { ca: false, certificate: false, key: true, verify: true }");
    }
}
