//! Builds that do not finish.

use std::thread;
use std::time::{Duration, Instant};

use super::*;

#[test]
fn a_failed_step_is_named_with_what_it_said_last() {
    let base = Image::busybox();
    let dockerfile = format!("FROM {}\nRUN true\nRUN echo at work; echo it broke; exit 3\n", base.0);
    let (outcome, events) = told(plain(Files::default(), &dockerfile));
    let error = outcome.unwrap_err();
    let BuildError::Step { step, message, log } = &error else { panic!("{error:?}") };
    assert!(step.starts_with("[3/3] RUN echo at work"), "{step}");
    assert!(message.contains("exit code: 3"), "{message}");
    assert_eq!(log, "at work\nit broke\n");
    assert!(!error.is_retryable());
    let failed = |event: &Progress| matches!(event, Progress::StepFinished { error: Some(_), .. });
    assert_eq!(events.iter().filter(|event| failed(event)).count(), 1);
}

#[test]
fn a_dockerfile_that_cannot_be_read_is_refused() {
    let error = told(plain(Files::default(), "FROM scratch\nFETCH x\n")).0.unwrap_err();
    assert!(matches!(error, BuildError::Refused { .. }), "{error:?}");
    assert!(error.to_string().contains("FETCH"), "{error}");
}

#[test]
fn a_file_that_is_not_in_the_context_is_named() {
    let error = told(plain(Files::default().file("a", "a"), "FROM scratch\nCOPY absent /\n")).0.unwrap_err();
    assert!(matches!(&error, BuildError::Step { .. }), "{error:?}");
    assert!(error.to_string().contains("absent"), "{error}");
    assert!(!error.is_retryable());
}

#[test]
fn an_image_that_cannot_be_pulled_is_of_the_network() {
    let error = told(plain(Files::default(), "FROM localhost:1/absent\n")).0.unwrap_err();
    assert!(matches!(error, BuildError::Network { .. }), "{error:?}");
    assert!(error.is_retryable());
}

#[test]
fn a_syntax_line_pulls_nothing() {
    built(plain(Files::default().file("a", "a"), "# syntax=localhost:1/absent\nFROM scratch\nCOPY a /\n"));
}

#[test]
fn a_cancelled_build_stops_in_the_engine() {
    let base = Image::busybox();
    let dockerfile = format!("FROM {}\nRUN echo sleeping; exec sleep 54321.25\n", base.0);
    let build = plain(Files::default(), &dockerfile);
    let runtime = runtime();
    let cancel = CancelToken::new();
    let began = Mutex::new(None);
    let on = |event| {
        if matches!(&event, Progress::Log { bytes, .. } if bytes.starts_with(b"sleeping")) {
            let told = Instant::now();
            while !sleeps() {
                assert!(told.elapsed() < Duration::from_secs(5), "the step does not run on this machine");
            }
            *began.lock().unwrap() = Some(Instant::now());
            cancel.cancel();
        }
    };
    let outcome = runtime.block_on(super::super::build(&dialer(), API, build, &on, cancel.clone()));
    assert!(matches!(outcome, Err(BuildError::Cancelled)), "{outcome:?}");
    let began = began.into_inner().unwrap().unwrap();
    assert!(began.elapsed() < Duration::from_secs(2));
    // The runtime is not driven any more: nothing but a closed connection can tell the engine.
    while sleeps() {
        assert!(began.elapsed() < Duration::from_secs(20), "the step goes on in the engine");
        thread::sleep(Duration::from_millis(50));
    }
    drop(runtime);
}

fn sleeps() -> bool {
    std::fs::read_dir("/proc").unwrap().filter_map(Result::ok).any(|process| {
        std::fs::read(process.path().join("cmdline")).is_ok_and(|line| line.ends_with(b"sleep\x0054321.25\0"))
    })
}

#[test]
fn a_cancelled_build_does_not_begin() {
    let cancel = CancelToken::new();
    cancel.cancel();
    let build = plain(Files::default(), "FROM scratch\n");
    let outcome = runtime().block_on(super::super::build(&dialer(), API, build, &|_| panic!(), cancel));
    assert!(matches!(outcome, Err(BuildError::Cancelled)));
}

#[test]
fn a_sink_that_fails_is_the_error() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut build = plain(Files::default().file("a", vec![1; 8 << 20]), "FROM scratch\nCOPY a /\n");
    build.output = Output::Tar(Box::new(Full));
    let error = told(build).0.unwrap_err();
    assert!(
        matches!(&error, BuildError::Output(cause) if cause.kind() == io::ErrorKind::StorageFull),
        "{error:?}"
    );
}
