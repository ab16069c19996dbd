//! The ways to an engine: upgraded requests, and HTTP/2 at once.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::UnixListener;

use super::*;
use crate::run::docker::upgrade;

fn built_over(dialer: &Dialer, api: ApiVersion) -> Result<Built, BuildError> {
    let files = Files::default().file("a", vec![7; 3 << 20]);
    let (build, bucket) = with_tar(plain(files, "FROM scratch\nCOPY a /\n"));
    let outcome = runtime().block_on(super::super::build(dialer, api, build, &|_| {}, CancelToken::new()));
    if outcome.is_ok() {
        assert!(bucket.listing()[0].1.starts_with("644 3145728 "));
    }
    outcome
}

/// Stands for an engine that speaks HTTP/2 on its socket and upgrades nothing: whoever connects is
/// led to the BuildKit of this machine's engine.
#[test]
fn an_engine_that_speaks_http_2_at_once_is_served_within_one_connection() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("engine");
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    listener.set_nonblocking(true).unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    std::thread::spawn(move || {
        runtime().block_on(async move {
            let listener = UnixListener::from_std(listener).unwrap();
            while let Ok((mut near, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    let mut far = upgrade(&super::dialer(), "/grpc", &[]).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                });
            }
        });
    });
    built_over(&Dialer::new(&Address::Unix(socket)).unwrap(), ApiVersion::NEWEST).unwrap();
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

/// This machine's engine is older, and answers HTTP/1 alone.
#[test]
fn an_engine_that_does_not_is_asked_to_upgrade() {
    built_over(&dialer(), ApiVersion::NEWEST).unwrap();
}

#[test]
fn an_engine_that_offers_neither_is_too_old() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("engine");
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let error = built_over(&Dialer::new(&Address::Unix(socket)).unwrap(), ApiVersion { major: 1, minor: 24 })
        .unwrap_err();
    assert_eq!(error.to_string(), "the engine (API 1.24) does not offer BuildKit to programs");
    assert!(error.is_missing());
}

#[test]
fn an_engine_that_is_not_there_is_worth_another_try() {
    let dialer = Dialer::new(&Address::Unix("/nowhere/docker.sock".into())).unwrap();
    for api in [API, ApiVersion::NEWEST] {
        assert!(built_over(&dialer, api).unwrap_err().is_retryable());
    }
}

#[test]
fn a_connection_that_breaks_is_worth_another_try() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("engine");
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let open = Arc::new(Mutex::new(Vec::new()));
    let opened = Arc::clone(&open);
    std::thread::spawn(move || {
        for near in listener.incoming() {
            let near = near.unwrap();
            let far = UnixStream::connect(SOCKET).unwrap();
            for (from, to) in [(&near, &far), (&far, &near)] {
                let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                std::thread::spawn(move || {
                    let _ = io::copy(&mut from, &mut to);
                    let _ = to.shutdown(std::net::Shutdown::Both);
                });
            }
            opened.lock().unwrap().push(near);
        }
    });
    let base = Image::busybox();
    let build = plain(Files::default(), &format!("FROM {}\nRUN echo sleeping; sleep 30\n", base.0));
    let on = |event| {
        if matches!(event, Progress::Log { .. }) {
            for near in open.lock().unwrap().iter() {
                near.shutdown(std::net::Shutdown::Both).unwrap();
            }
        }
    };
    let dialer = Dialer::new(&Address::Unix(socket)).unwrap();
    let outcome = runtime().block_on(super::super::build(&dialer, API, build, &on, CancelToken::new()));
    let error = outcome.unwrap_err();
    assert!(matches!(error, BuildError::Network { .. }), "{error:?}");
    assert!(error.is_retryable());
}
