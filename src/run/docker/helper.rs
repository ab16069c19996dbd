//! The docker CLI's credential helpers: programs called `docker-credential-…` that are told a
//! registry and say who the user is there.
//!
//! Knows no configuration: which helper is asked about what is decided elsewhere.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use crate::run::docker::buildkit::Credentials;

/// A helper may ask the user to unlock something.
const PATIENCE: Duration = Duration::from_secs(60);
/// More than any answer.
const MOST_SAID: u64 = 1 << 20;
/// As much of a complaint as a message holds.
const SHOWN: usize = 200;
/// What stands for the user's name beside an identity token.
const TOKEN: &str = "<token>";
/// What helpers say of a registry that they know nothing of.
const UNKNOWN: &str = "credentials not found";

/// Why a helper gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum HelperError {
    #[error("`{0}` is no name of a credential helper")]
    Name(String),
    #[error("the credential helper `{0}` was not found")]
    Absent(String),
    #[error("the credential helper `{program}` cannot be used")]
    Start { program: String, source: io::Error },
    #[error("the credential helper `{program}` failed: {said}")]
    Failed { program: String, said: String },
    #[error("the credential helper `{0}` said nothing for {1} seconds")]
    Silent(String, u64),
    #[error("the credential helper `{0}` gave no credentials that can be read")]
    Nonsense(String),
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default, rename = "Username")]
    username: String,
    #[serde(default, rename = "Secret")]
    secret: String,
}

/// Asks `docker-credential-<name>` who the user is at `server`; none where it does not know.
/// Blocks; not to be called where a tokio runtime is being driven.
pub fn ask(name: &str, server: &str) -> Result<Option<Credentials>, HelperError> {
    let program = format!("docker-credential-{name}");
    if name.is_empty() || name.contains('/') {
        return Err(HelperError::Name(name.to_owned()));
    }
    let failed = |source: io::Error| HelperError::Start { program: program.clone(), source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let told = runtime.block_on(async { tokio::time::timeout(PATIENCE, talk(&program, server)).await });
    // What it holds on to must not hold us up.
    runtime.shutdown_background();
    let (ended_well, out, err) = match told {
        Err(_) => return Err(HelperError::Silent(program, PATIENCE.as_secs())),
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => {
            return Err(HelperError::Absent(program));
        }
        Ok(told) => told.map_err(failed)?,
    };
    if !ended_well {
        let said = complaint(&out, &err);
        return if said.contains(UNKNOWN) { Ok(None) } else { Err(HelperError::Failed { program, said }) };
    }
    let Ok(Answer { username, secret }) = serde_json::from_slice(&out) else {
        return Err(HelperError::Nonsense(program));
    };
    let username = if username == TOKEN { String::new() } else { username };
    Ok(Some(Credentials { username, secret }).filter(|found| !found.secret.is_empty()))
}

async fn talk(program: &str, server: &str) -> io::Result<(bool, Vec<u8>, Vec<u8>)> {
    let mut command = Command::new(program);
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.process_group(0).kill_on_drop(true).spawn()?;
    let (Some(mut stdin), Some(stdout), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(io::Error::other("it has no pipes"));
    };
    // One that ends without reading says by its end what is wrong.
    let _ = stdin.write_all(server.as_bytes()).await;
    drop(stdin);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let (mut stdout, mut stderr) = (stdout.take(MOST_SAID), stderr.take(MOST_SAID));
    tokio::try_join!(stdout.read_to_end(&mut out), stderr.read_to_end(&mut err))?;
    Ok((child.wait().await?.success(), out, err))
}

/// The first line that a helper complained with. What looks like an answer may hold a secret and is
/// not repeated.
fn complaint(out: &[u8], err: &[u8]) -> String {
    let texts = [out, err].map(|bytes| String::from_utf8_lossy(bytes).trim().to_owned());
    let said = texts.iter().find(|text| !text.is_empty() && !text.contains('{'));
    let line = said.and_then(|text| text.lines().next()).unwrap_or("it did not say why");
    line.chars().take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_not_repeated() {
        assert_eq!(complaint(b"", b"locked\nmore"), "locked");
        assert_eq!(
            complaint(b"credentials not found in native keychain\n", b""),
            "credentials not found in native keychain"
        );
        assert_eq!(complaint(br#"{"Secret":"s"}"#, b""), "it did not say why");
    }

    #[test]
    fn only_programs_of_that_name_are_started() {
        assert!(matches!(ask("../x", "h"), Err(HelperError::Name(_))));
        let error = ask("osgraph-test-none", "h").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the credential helper `docker-credential-osgraph-test-none` was not found"
        );
    }
}
