//! Credentials out of made-up files and helpers.

use super::*;

fn keyring(text: &str) -> Result<Keyring, CredentialsError> {
    let keyring = Keyring::read(&Surroundings {
        variable: &|name| (name == "HOME").then(|| "/h".to_owned()),
        read: &|path| match path.to_str() {
            Some("/h/.docker/config.json") => Ok(text.as_bytes().to_vec()),
            _ => Err(io::ErrorKind::NotFound.into()),
        },
    })?;
    Ok(Keyring { ask: made_up, ..keyring })
}

/// `good` knows everybody, `token` has tokens, `none` knows nobody, others fail.
fn made_up(name: &str, server: &str) -> Result<Option<Credentials>, HelperError> {
    match name {
        "good" => Ok(Some(Credentials { username: "helped".into(), secret: format!("for {server}") })),
        "token" => Ok(Some(Credentials { username: String::new(), secret: "t".into() })),
        "none" => Ok(None),
        _ => Err(HelperError::Absent(format!("docker-credential-{name}"))),
    }
}

/// `name/secret`, empty where there are none.
fn found(text: &str, registry: &str) -> String {
    let Auth { credentials, trouble } = keyring(text).unwrap().of(registry);
    assert!(trouble.is_none(), "{trouble:?}");
    credentials.map_or(String::new(), |one| format!("{}/{}", one.username, one.secret))
}

#[test]
fn what_docker_login_wrote_is_found() {
    let text = r#"{"auths":{"h:5000":{"auth":"bWU6czplY3JldA=="},"https://index.docker.io/v1/":{"auth":"aHViOng="},
        "https://old.example/v1/":{"username":"u","password":"p"},"t":{"auth":"PHRva2VuPjo=","identitytoken":"tok"},
        "empty":{}}}"#;
    assert_eq!(found(text, "h:5000"), "me/s:ecret");
    assert_eq!(found(text, "docker.io"), "hub/x");
    assert_eq!(found(text, "old.example"), "u/p");
    assert_eq!(found(text, "t"), "/tok");
    assert_eq!(found(text, "empty"), "");
    assert_eq!(found(text, "h"), "");
    assert_eq!(found("{}", "h"), "");
}

#[test]
fn helpers_go_before_the_file() {
    let text = r#"{"auths":{"a":{"auth":"bWU6cA=="},"b":{"auth":"bWU6cA=="}},"credHelpers":{"a":"good",
        "https://index.docker.io/v1/":"token"},"credsStore":"none"}"#;
    assert_eq!(found(text, "a"), "helped/for a");
    assert_eq!(found(text, "docker.io"), "/t");
    assert_eq!(found(text, "b"), "");
}

#[test]
fn a_helper_that_fails_is_remembered_and_no_obstacle() {
    let auth = keyring(r#"{"credsStore":"gone"}"#).unwrap().of("h");
    assert!(auth.credentials.is_none());
    assert_eq!(auth.trouble().unwrap(), "the credential helper `docker-credential-gone` was not found");
    assert!(auth.trouble.unwrap().help().contains("credsStore"));
}

#[test]
fn no_file_means_no_credentials_and_a_broken_one_is_an_error() {
    let nowhere = Surroundings { variable: &|_| None, read: &|_| Err(io::ErrorKind::NotFound.into()) };
    assert!(Keyring::read(&nowhere).unwrap().of("h").credentials.is_none());
    let error = keyring(r#"{"auths":{"h":{"auth":"c2VjcmV0",}}}"#).unwrap_err();
    let said = format!("{error:?} {}", chain(&error));
    assert!(said.contains("line 1, column") && !said.contains("c2VjcmV0"), "{said}");
    let auth = keyring(r#"{"auths":{"h":{"auth":"!!"}}}"#).unwrap().of("h");
    assert_eq!(auth.trouble().unwrap(), "the credentials for `h` in `/h/.docker/config.json` cannot be read");
}

#[test]
fn the_header_is_what_engines_take() {
    let header = |credentials| Auth { credentials, trouble: None }.header("h");
    assert_eq!(header(None), "e30=");
    let told = |text: String| text.replace('-', "+").replace('_', "/");
    let credentials = |name: &str| Some(Credentials { username: name.into(), secret: "s?>é".into() });
    let read = |header: String| -> serde_json::Value {
        serde_json::from_slice(&base64::decode(&told(header)).unwrap()).unwrap()
    };
    let expected = serde_json::json!({ "username": "me", "password": "s?>é", "serveraddress": "h" });
    assert_eq!(read(header(credentials("me"))), expected);
    let expected = serde_json::json!({ "identitytoken": "s?>é", "serveraddress": "h" });
    assert_eq!(read(header(credentials(""))), expected);
}

#[test]
fn secrets_are_not_shown() {
    let keyring = keyring(r#"{"auths":{"h":{"auth":"bWU6czplY3JldA=="}}}"#).unwrap();
    let auth = keyring.of("h");
    let shown = format!("{keyring:?} {auth:?}");
    assert!(!shown.contains("ecret") && shown.contains("me"), "{shown}");
    assert_eq!(auth.redacted("it was s:ecret"), "it was ***");
}

#[test]
fn builds_ask_for_docker_hub_by_its_host() {
    let keyring = Arc::new(keyring(r#"{"credHelpers":{"https://index.docker.io/v1/":"good"}}"#).unwrap());
    let lookup = keyring.lookup();
    assert_eq!(lookup("registry-1.docker.io").unwrap().secret, "for https://index.docker.io/v1/");
    assert_eq!(lookup("h"), None);
}
