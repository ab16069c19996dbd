//! Secrets and ssh agents: there for a step, and nowhere afterwards.

use std::os::unix::net::UnixListener;
use std::thread;

use super::*;

#[test]
fn a_secret_is_there_for_its_step_and_nowhere_else() {
    let base = Image::busybox();
    const SECRET: &str = "s3cr3t-5d41402abc4b2a76b9719d911017c592";
    let out = Image::named(&name());
    let mut build = plain(
        Files::default(),
        &format!("FROM {}\nRUN --mount=type=secret,id=token sha256sum < /run/secrets/token > /sum\n", base.0),
    );
    build.secrets = vec![("token".to_owned(), SecretValue::new(SECRET))];
    build.output = Output::Image { tags: vec![out.0.clone()] };
    let (outcome, events) = told(build);
    outcome.unwrap();

    let saved = engine_bytes("GET", &format!("/images/{}/get", out.0), b"");
    let find = |text: &str| saved.windows(text.len()).any(|window| window == text.as_bytes());
    use sha2::Digest as _;
    let sum = sha2::Sha256::digest(SECRET).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert!(find(&sum), "the step did not see the secret");
    assert!(!find(SECRET), "the secret is in a layer or in the history");
    assert!(!format!("{events:?}").contains(SECRET));
}

#[test]
fn a_secret_that_is_needed_and_missing_is_named() {
    let base = Image::busybox();
    let dockerfile =
        format!("FROM {}\nRUN --mount=type=secret,id=token,required=true cat /run/secrets/token\n", base.0);
    let error = told(plain(Files::default(), &dockerfile)).0.unwrap_err();
    assert_eq!(error.to_string(), "secret `token` is needed and not there");
    assert!(error.is_missing() && error.help().unwrap().contains("token"));
}

#[test]
fn a_secret_that_is_not_needed_may_be_missing() {
    let base = Image::busybox();
    let dockerfile =
        format!("FROM {}\nRUN --mount=type=secret,id=token test ! -e /run/secrets/token\n", base.0);
    built(plain(Files::default(), &dockerfile));
}

/// Asks the agent for its keys, then to remove them all; prints the types of the answers.
const ASK: &str = r#"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
int main(void) {
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    strcpy(to.sun_path, getenv("SSH_AUTH_SOCK"));
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(s, (struct sockaddr *)&to, sizeof to)) return 2;
    for (const char *kind = "\x0b\x13"; *kind; kind++) {
        unsigned char message[9] = { 0, 0, 0, 1, *kind };
        if (write(s, message, 5) != 5) return 3;
        int want = *kind == 0x0b ? 9 : 5, got = 0;
        while (got < want) { int n = read(s, message + got, want - got); if (n <= 0) return 4; got += n; }
        printf("answer %d\n", message[4]);
    }
    return 0;
}
"#;

fn static_program(source: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let (code, program) = (folder.path().join("ask.c"), folder.path().join("ask"));
    std::fs::write(&code, source).unwrap();
    let status = Command::new("cc").args(["-static", "-o"]).arg(&program).arg(&code).status().unwrap();
    assert!(status.success());
    std::fs::read(program).unwrap()
}

#[test]
fn a_step_may_list_an_agents_keys_and_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("agent");
    let listener = UnixListener::bind(&socket).unwrap();
    // An agent without keys, which tells what it was asked.
    let agent = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = Vec::new();
        let mut message = [0; 5];
        while stream.read_exact(&mut message).is_ok() {
            asked.push(message[4]);
            stream.write_all(&[0, 0, 0, 5, 12, 0, 0, 0, 0]).unwrap();
        }
        asked
    });
    let base = Image::busybox();
    let files = Files::default().program("ask", static_program(ASK));
    let dockerfile = format!("FROM {}\nCOPY ask /ask\nRUN --mount=type=ssh /ask\n", base.0);
    let mut build = plain(files, &dockerfile);
    build.ssh = vec![("default".to_owned(), socket)];
    let (outcome, events) = told(build);
    outcome.unwrap();
    let log = |event| match event {
        Progress::Log { bytes, .. } => String::from_utf8(bytes).unwrap(),
        _ => String::new(),
    };
    // The keys from the agent, and a refusal that never reached it.
    assert_eq!(events.into_iter().map(log).collect::<String>(), "answer 12\nanswer 5\n");
    assert_eq!(agent.join().unwrap(), [11]);
}

#[test]
fn an_agent_that_is_needed_and_missing_is_named() {
    let base = Image::busybox();
    let dockerfile = format!("FROM {}\nRUN --mount=type=ssh,required=true true\n", base.0);
    let error = told(plain(Files::default(), &dockerfile)).0.unwrap_err();
    assert_eq!(error.to_string(), "ssh agent `default` is needed and not there");
}

#[test]
fn an_agent_that_is_not_needed_may_be_missing() {
    let base = Image::busybox();
    let dockerfile = format!("FROM {}\nRUN --mount=type=ssh test ! -S \"$SSH_AUTH_SOCK\"\n", base.0);
    built(plain(Files::default(), &dockerfile));
}
