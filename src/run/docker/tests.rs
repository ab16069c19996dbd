//! Against the engine of this machine, at the place that the environment names.

use std::path::Path;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// The engine that the docker CLI would take. Tests without one fail.
pub(super) fn service() -> Service {
    Service::new(|| {
        endpoint::choose(&Surroundings {
            variable: &|name| std::env::var(name).ok(),
            read: &|path| std::fs::read(path),
        })
    })
}

#[test]
fn the_engine_says_what_it_is() {
    let (session, tried) = service().search().unwrap();
    assert_eq!(tried.last().unwrap().outcome, TryOutcome::Answered);
    let facts = session.wait(session.engine().facts()).unwrap();
    assert!(facts.api >= ApiVersion::OLDEST, "{facts:?}");
    assert_eq!(facts.kind, Kind::Docker, "{facts:?}");
    assert!(facts.buildkit && facts.require_buildkit().is_ok(), "{facts:?}");
    assert_eq!(facts.os, "linux");
    assert!(!facts.root.is_empty() && !facts.version.is_empty() && !facts.arch.is_empty(), "{facts:?}");
    if Path::new(&facts.root).exists() {
        assert!(facts.free_disk.unwrap() > 0);
    }
}

#[test]
fn a_stream_is_switched_to_http_2() {
    let session = service().session().unwrap();
    session.wait(async {
        let mut stream = upgrade(session.engine().dialer(), "/grpc", &[]).await.unwrap();
        // The preface and empty settings; whoever speaks HTTP/2 answers with settings: frame type 4.
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
        let mut frame = [0; 9];
        stream.read_exact(&mut frame).await.unwrap();
        assert_eq!(frame[3], 4);
    });
}

#[test]
fn a_refused_upgrade_says_why() {
    let session = service().session().unwrap();
    let refused = session.wait(upgrade(session.engine().dialer(), "/nowhere", &[("X-A", "b".to_owned())]));
    let Err(EngineError::Refused { status: 404, message, .. }) = refused.map(|_| ()) else {
        panic!("not refused");
    };
    assert_eq!(message, "page not found");
}
