//! Where an engine is looked for, as the docker CLI looks. A function of the environment and of the
//! files of the docker CLI, both handed in; nothing is opened.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::run::docker::address::{Address, AddressError, DEFAULT_SOCKET, Tls};

/// What [`choose`] looks at.
pub struct Surroundings<'a> {
    /// A variable of the user's environment.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    pub read: &'a dyn Fn(&Path) -> io::Result<Vec<u8>>,
}

/// An address, and who named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub address: Address,
    pub origin: Origin,
}

/// Who named an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `DOCKER_HOST`
    Variable,
    /// A context of the docker CLI; `by` says who chose it: `DOCKER_CONTEXT` or a file.
    Context { name: String, by: String },
    /// Nobody: one of the usual places.
    Usual(&'static str),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Variable => f.write_str("DOCKER_HOST"),
            Self::Context { name, by } => write!(f, "context `{name}` from {by}"),
            Self::Usual(place) => f.write_str(place),
        }
    }
}

/// Where to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The user said where: there or nowhere.
    Chosen(Endpoint),
    /// The usual places, the first that answers.
    Usual(Vec<Endpoint>),
}

/// Why it is not known where to look.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    #[error("DOCKER_HOST cannot be used")]
    Variable(#[source] AddressError),
    #[error("the context `{name}` (from {by}) cannot be used")]
    Context { name: String, by: String, source: AddressError },
    #[error("there is no context `{name}` (from {by})")]
    NoContext { name: String, by: String },
    #[error("`{}` cannot be read", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
}

impl EndpointError {
    /// What mends it.
    pub fn help(&self) -> String {
        match self {
            Self::Variable(error) | Self::Context { source: error, .. } => error.help(),
            Self::NoContext { .. } => {
                "`docker context ls` shows those that exist; `docker context use default` goes back"
                    .to_owned()
            }
            Self::Unreadable { .. } => "mend the file, or name the engine with DOCKER_HOST".to_owned(),
        }
    }
}

const DEFAULT_CONTEXT: &str = "default";

/// Where to look: `DOCKER_HOST`, else the context that `DOCKER_CONTEXT` names, else the one that the
/// CLI's configuration names, else the usual places.
///
/// # Errors
/// When the user's choice cannot be understood. It is never passed over.
pub fn choose(around: &Surroundings<'_>) -> Result<Choice, EndpointError> {
    let set = |name: &str| (around.variable)(name).filter(|value| !value.is_empty());
    let home = set("HOME").map(PathBuf::from);
    let config = set("DOCKER_CONFIG").map(PathBuf::from).or_else(|| Some(home.as_ref()?.join(".docker")));
    if let Some(host) = set("DOCKER_HOST") {
        let tls = variable_tls(around, &set, config.as_deref())?;
        let address = Address::parse(&host, tls).map_err(EndpointError::Variable)?;
        return Ok(Choice::Chosen(Endpoint { address, origin: Origin::Variable }));
    }
    if let Some(name) = set("DOCKER_CONTEXT") {
        return context(around, &name, "DOCKER_CONTEXT", config.as_deref()).map(Choice::Chosen);
    }
    if let Some(config) = &config {
        let file = config.join("config.json");
        let current = read_json::<ConfigFile>(around, &file)?.unwrap_or_default().current_context;
        // Whoever goes back to the default has chosen nothing.
        if !current.is_empty() && current != DEFAULT_CONTEXT {
            let by = format!("`{}`", file.display());
            return context(around, &current, &by, Some(config)).map(Choice::Chosen);
        }
    }
    Ok(Choice::Usual(usual(home.as_deref(), set("XDG_RUNTIME_DIR").as_deref().map(Path::new))))
}

/// Where engines listen that nobody configured, Docker's before Podman's, the system's first.
fn usual(home: Option<&Path>, runtime: Option<&Path>) -> Vec<Endpoint> {
    let places = [
        ("Docker", Some(PathBuf::from(DEFAULT_SOCKET))),
        ("rootless Docker", runtime.map(|folder| folder.join("docker.sock"))),
        ("Docker Desktop", home.map(|folder| folder.join(".docker/run/docker.sock"))),
        ("Docker Desktop", home.map(|folder| folder.join(".docker/desktop/docker.sock"))),
        ("rootless Podman", runtime.map(|folder| folder.join("podman/podman.sock"))),
        ("Podman", Some(PathBuf::from("/run/podman/podman.sock"))),
    ];
    places
        .into_iter()
        .filter_map(|(name, path)| {
            Some(Endpoint { address: Address::Unix(path?), origin: Origin::Usual(name) })
        })
        .collect()
}

#[derive(Default, Deserialize)]
struct ConfigFile {
    #[serde(default, rename = "currentContext")]
    current_context: String,
}

#[derive(Deserialize)]
struct ContextFile {
    #[serde(default, rename = "Endpoints")]
    endpoints: Endpoints,
}

#[derive(Default, Deserialize)]
struct Endpoints {
    #[serde(default)]
    docker: DockerEndpoint,
}

#[derive(Default, Deserialize)]
struct DockerEndpoint {
    #[serde(default, rename = "Host")]
    host: String,
    #[serde(default, rename = "SkipTLSVerify")]
    skip_tls_verify: bool,
}

fn context(
    around: &Surroundings<'_>,
    name: &str,
    by: &str,
    config: Option<&Path>,
) -> Result<Endpoint, EndpointError> {
    let origin = Origin::Context { name: name.to_owned(), by: by.to_owned() };
    if name == DEFAULT_CONTEXT {
        return Ok(Endpoint { address: Address::Unix(PathBuf::from(DEFAULT_SOCKET)), origin });
    }
    let missing = || EndpointError::NoContext { name: name.to_owned(), by: by.to_owned() };
    let contexts = config.ok_or_else(missing)?.join("contexts");
    // The CLI's own way to make a folder's name of a context's.
    let id: String = Sha256::digest(name.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let file = contexts.join("meta").join(&id).join("meta.json");
    let DockerEndpoint { host, skip_tls_verify } =
        read_json::<ContextFile>(around, &file)?.ok_or_else(missing)?.endpoints.docker;
    let folder = contexts.join("tls").join(&id).join("docker");
    let tls = Tls {
        ca: read_if_there(around, &folder.join("ca.pem"))?,
        certificate: read_if_there(around, &folder.join("cert.pem"))?,
        key: read_if_there(around, &folder.join("key.pem"))?,
        verify: !skip_tls_verify,
    };
    let is_wanted = skip_tls_verify || tls.ca.is_some() || tls.certificate.is_some() || tls.key.is_some();
    let host = if host.is_empty() { format!("unix://{DEFAULT_SOCKET}") } else { host };
    let address = Address::parse(&host, is_wanted.then_some(tls))
        .map_err(|source| EndpointError::Context { name: name.to_owned(), by: by.to_owned(), source })?;
    Ok(Endpoint { address, origin })
}

/// `DOCKER_TLS_VERIFY` asks for TLS, `DOCKER_TLS` for TLS with anybody, `DOCKER_CERT_PATH` has the files.
fn variable_tls(
    around: &Surroundings<'_>,
    set: &dyn Fn(&str) -> Option<String>,
    config: Option<&Path>,
) -> Result<Option<Tls>, EndpointError> {
    let verify = set("DOCKER_TLS_VERIFY").is_some();
    if !verify && set("DOCKER_TLS").is_none() {
        return Ok(None);
    }
    let folder = set("DOCKER_CERT_PATH").map(PathBuf::from).or_else(|| config.map(Path::to_owned));
    let file = |name: &str| match &folder {
        Some(folder) => read_if_there(around, &folder.join(name)),
        None => Ok(None),
    };
    let ca = file("ca.pem")?;
    if verify && ca.is_none() {
        let path = folder.clone().unwrap_or_default().join("ca.pem");
        return Err(EndpointError::Unreadable { path, source: io::ErrorKind::NotFound.into() });
    }
    Ok(Some(Tls { ca, certificate: file("cert.pem")?, key: file("key.pem")?, verify }))
}

fn read_if_there(around: &Surroundings<'_>, path: &Path) -> Result<Option<Vec<u8>>, EndpointError> {
    match (around.read)(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(source) => Err(EndpointError::Unreadable { path: path.to_owned(), source }),
    }
}

fn read_json<T: for<'de> Deserialize<'de>>(
    around: &Surroundings<'_>,
    path: &Path,
) -> Result<Option<T>, EndpointError> {
    let Some(bytes) = read_if_there(around, path)? else { return Ok(None) };
    let parsed = serde_json::from_slice(&bytes);
    parsed
        .map(Some)
        .map_err(|error| EndpointError::Unreadable { path: path.to_owned(), source: error.into() })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// What is chosen among these variables and files.
    fn chosen(variables: &[(&str, &str)], files: &[(&str, &str)]) -> Result<Choice, EndpointError> {
        let variables: BTreeMap<_, _> = variables.iter().copied().collect();
        let files: BTreeMap<_, _> = files.iter().copied().collect();
        choose(&Surroundings {
            variable: &|name| variables.get(name).map(|value| (*value).to_owned()),
            read: &|path| {
                let text = files.get(path.to_str().unwrap()).ok_or(io::ErrorKind::NotFound)?;
                Ok(text.as_bytes().to_vec())
            },
        })
    }

    fn one(choice: Result<Choice, EndpointError>) -> String {
        match choice.unwrap() {
            Choice::Chosen(Endpoint { address, origin }) => format!("{address} ({origin})"),
            Choice::Usual(list) => format!("{} usual places", list.len()),
        }
    }

    fn error(choice: Result<Choice, EndpointError>) -> String {
        let error = choice.unwrap_err();
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        format!("{error}{cause}")
    }

    /// The folder of the context `far`: SHA-256 of its name.
    const FAR: &str = "512eea46ceb3921dff4363c7069d89d4964d1d9fccaa0f411851a7aa60a5c868";

    fn far() -> (String, String) {
        (format!("/h/.docker/contexts/meta/{FAR}/meta.json"), format!("/h/.docker/contexts/tls/{FAR}/docker"))
    }

    const META: &str = r#"{"Name":"far","Metadata":{},"Endpoints":{"docker":{"Host":"tcp://far.example","SkipTLSVerify":false}}}"#;
    const CONFIG: (&str, &str) = ("/h/.docker/config.json", r#"{"auths":{},"currentContext":"far"}"#);

    #[test]
    fn the_order_is_the_docker_cli_s() {
        let (meta, _) = far();
        let files = [CONFIG, (&*meta, META)];
        let home = ("HOME", "/h");
        let host = ("DOCKER_HOST", "unix:///x.sock");
        let named = ("DOCKER_CONTEXT", "default");
        assert_eq!(one(chosen(&[home, host, named], &files)), "unix:///x.sock (DOCKER_HOST)");
        assert_eq!(
            one(chosen(&[home, named], &files)),
            "unix:///var/run/docker.sock (context `default` from DOCKER_CONTEXT)"
        );
        assert_eq!(
            one(chosen(&[home], &files)),
            "tcp://far.example:2375 (context `far` from `/h/.docker/config.json`)"
        );
        assert_eq!(one(chosen(&[home], &[])), "4 usual places");
        assert_eq!(one(chosen(&[("DOCKER_HOST", "")], &files)), "2 usual places");
        assert_eq!(one(chosen(&[home], &[(CONFIG.0, r#"{"currentContext":"default"}"#)])), "4 usual places");
        assert_eq!(
            one(chosen(&[home, ("XDG_RUNTIME_DIR", "/run/user/7")], &[(CONFIG.0, "{}")])),
            "6 usual places"
        );
    }

    #[test]
    fn usual_places_are_tried_in_this_order() {
        let Choice::Usual(list) = chosen(&[("HOME", "/h"), ("XDG_RUNTIME_DIR", "/r")], &[]).unwrap() else {
            panic!("nothing was chosen");
        };
        let list: Vec<_> = list.iter().map(|one| format!("{}: {}", one.origin, one.address)).collect();
        assert_eq!(
            list,
            [
                "Docker: unix:///var/run/docker.sock",
                "rootless Docker: unix:///r/docker.sock",
                "Docker Desktop: unix:///h/.docker/run/docker.sock",
                "Docker Desktop: unix:///h/.docker/desktop/docker.sock",
                "rootless Podman: unix:///r/podman/podman.sock",
                "Podman: unix:///run/podman/podman.sock",
            ]
        );
    }

    #[test]
    fn a_config_folder_of_its_own_has_contexts_of_its_own() {
        let (meta, _) = far();
        let meta = meta.replace("/h/.docker", "/c");
        let files = [("/c/config.json", CONFIG.1), (&*meta, META)];
        assert_eq!(
            one(chosen(&[("DOCKER_CONFIG", "/c"), ("HOME", "/h")], &files)),
            "tcp://far.example:2375 (context `far` from `/c/config.json`)"
        );
    }

    #[test]
    fn a_context_brings_its_certificates() {
        let (meta, tls) = far();
        let (ca, key) = (format!("{tls}/ca.pem"), format!("{tls}/key.pem"));
        let files = [CONFIG, (&*meta, META), (&*ca, "CA"), (&*key, "KEY")];
        let Choice::Chosen(Endpoint { address: Address::Tcp { port: 2376, tls: Some(tls), .. }, .. }) =
            chosen(&[("HOME", "/h")], &files).unwrap()
        else {
            panic!("no TLS");
        };
        assert_eq!(
            tls,
            Tls { ca: Some(b"CA".into()), certificate: None, key: Some(b"KEY".into()), verify: true }
        );

        let careless = META.replace("false", "true");
        let Choice::Chosen(Endpoint { address: Address::Tcp { tls: Some(tls), .. }, .. }) =
            chosen(&[("HOME", "/h")], &[CONFIG, (&*meta, &*careless)]).unwrap()
        else {
            panic!("no TLS");
        };
        assert!(!tls.verify);
    }

    #[test]
    fn variables_ask_for_tls() {
        let host = ("DOCKER_HOST", "tcp://h");
        let verify = ("DOCKER_TLS_VERIFY", "1");
        let files = [("/c/ca.pem", "CA"), ("/h/.docker/ca.pem", "HOME CA")];
        let tls = |variables: &[(&str, &str)]| match chosen(variables, &files) {
            Ok(Choice::Chosen(Endpoint { address: Address::Tcp { tls, .. }, .. })) => tls,
            other => panic!("{other:?}"),
        };
        assert_eq!(tls(&[host]), None);
        let ca = |variables: &[(&str, &str)]| tls(variables).unwrap().ca.unwrap();
        assert_eq!(ca(&[host, verify, ("DOCKER_CERT_PATH", "/c")]), b"CA");
        assert_eq!(ca(&[host, verify, ("HOME", "/h")]), b"HOME CA");
        assert!(!tls(&[host, ("DOCKER_TLS", "1")]).unwrap().verify);
        assert!(
            error(chosen(&[host, verify, ("DOCKER_CERT_PATH", "/none")], &files))
                .starts_with("`/none/ca.pem` cannot be read")
        );
    }

    #[test]
    fn a_choice_that_cannot_be_understood_is_an_error() {
        let home = ("HOME", "/h");
        assert_eq!(
            error(chosen(&[("DOCKER_HOST", "npipe:////./pipe/x")], &[])),
            "DOCKER_HOST cannot be used: `npipe:////./pipe/x` is a Windows named pipe, which cannot be reached from here"
        );
        assert_eq!(
            error(chosen(&[home, ("DOCKER_CONTEXT", "gone")], &[])),
            "there is no context `gone` (from DOCKER_CONTEXT)"
        );
        assert_eq!(
            error(chosen(&[home], &[CONFIG])),
            "there is no context `far` (from `/h/.docker/config.json`)"
        );
        let (meta, _) = far();
        let odd = META.replace("tcp://far.example", "fd://");
        assert_eq!(
            error(chosen(&[home], &[CONFIG, (&*meta, &*odd)])),
            "the context `far` (from `/h/.docker/config.json`) cannot be used: `fd://` is a file descriptor, \
             on which an engine listens and nobody calls"
        );
        assert!(
            error(chosen(&[home], &[(CONFIG.0, "{")]))
                .starts_with("`/h/.docker/config.json` cannot be read: ")
        );
    }
}
