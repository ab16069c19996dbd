//! What BuildKit's own cache does, and is told.

use std::thread;

use super::*;

fn two_steps(base: &Image, id: &str) -> Build {
    let files = Files::default().file("a", "a");
    let dockerfile = format!("FROM {}\nCOPY a /\nRUN cat /proc/sys/kernel/random/uuid > /b\n", base.0);
    with_id(files, &dockerfile, id)
}

fn instructions(built: &Built) -> Vec<(&str, bool)> {
    let counted = built.steps.iter().filter(|step| step.place.as_ref().is_some_and(|place| place.index > 1));
    counted.map(|step| (step.name.split(' ').nth(1).unwrap(), step.cached)).collect()
}

#[test]
fn an_unchanged_build_comes_from_the_cache_unless_told_otherwise() {
    let base = Image::busybox();
    let id = name();
    assert_eq!(instructions(&built(two_steps(&base, &id))), [("COPY", false), ("RUN", false)]);
    let second = built(two_steps(&base, &id));
    assert_eq!(instructions(&second), [("COPY", true), ("RUN", true)]);
    assert_eq!(second.cached(), (2, 2), "{second:?}");

    let mut again = two_steps(&base, &id);
    again.no_cache = true;
    assert_eq!(built(again).cached(), (0, 2));
}

#[test]
fn arguments_labels_and_targets_count() {
    let base = Image::busybox();
    let dockerfile =
        format!("FROM {} AS one\nARG WHAT\nRUN echo $WHAT > /what\nFROM one AS two\nRUN exit 1\n", base.0);
    let out = Image::named(&name());
    let other = Image::named(&name());
    let mut build = plain(Files::default(), &dockerfile);
    build.args = vec![("WHAT".to_owned(), "a \"quoted\" = value".to_owned())];
    build.labels = vec![("org.example".to_owned(), "label, with comma".to_owned())];
    build.target = Some("one".to_owned());
    build.output = Output::Image { tags: vec![out.0.clone(), other.0.clone()] };
    let built = built(build);

    let inspected = out.inspect();
    assert_eq!(inspected["Id"], built.image_id.unwrap());
    assert_eq!(inspected["Id"], other.inspect()["Id"]);
    assert_eq!(inspected["Config"]["Labels"]["org.example"], "label, with comma");
}

#[test]
fn builds_side_by_side_do_not_mix() {
    let base = Image::busybox();
    let id = name();
    let build = |at: usize| {
        let files = Files::default().file("a", format!("content {at}"));
        let dockerfile = format!("FROM {}\nCOPY a /\nRUN sleep 0.{at}; cat /a\n", base.0);
        let (outcome, events) = told(with_id(files, &dockerfile, &id));
        outcome.unwrap();
        let log = |event| match event {
            Progress::Log { bytes, .. } => String::from_utf8(bytes).unwrap(),
            _ => String::new(),
        };
        events.into_iter().map(log).collect::<String>()
    };
    let build = &build;
    let logs: Vec<String> = thread::scope(|scope| {
        let running: Vec<_> = (0..4).map(|at| scope.spawn(move || build(at))).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(logs, ["content 0", "content 1", "content 2", "content 3"]);
}

#[test]
fn a_cache_that_the_engine_does_not_know_is_refused() {
    let mut build = plain(Files::default(), "FROM scratch\n");
    build.cache_to = vec!["type=local,dest=x".to_owned()];
    let error = told(build).0.unwrap_err();
    assert!(matches!(error, BuildError::Cache { .. }), "{error:?}");
}

#[test]
fn an_inline_cache_goes_into_the_image() {
    let base = Image::busybox();
    let out = Image::named(&name());
    let mut build = two_steps(&base, &name());
    build.cache_to = vec!["type=inline".to_owned()];
    build.output = Output::Image { tags: vec![out.0.clone()] };
    let built = built(build);
    assert_eq!(out.inspect()["Id"], built.image_id.unwrap());
    let saved = engine_bytes("GET", &format!("/images/{}/get", out.0), b"");
    let key = b"moby.buildkit.cache.v0";
    assert!(saved.windows(key.len()).any(|window| window == key));
}
