use std::time::Instant;

use clap::CommandFactory;
use clap::error::ErrorKind;

use super::*;

fn parse(line: &str) -> Cli {
    Cli::try_parse_from(line.split(' ')).unwrap()
}

fn refuse(line: &str) -> ErrorKind {
    Cli::try_parse_from(line.split(' ')).unwrap_err().kind()
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn alone_is_no_error() {
    assert!(parse("osgraph").command.is_none());
}

#[test]
fn general_options_stand_before_or_after_the_command() {
    for line in ["osgraph -C x -f y --store z -v --json run", "osgraph run -C x -f y --store z -v --json"] {
        let general = parse(line).general;
        assert_eq!(general.directory, Some("x".into()));
        assert_eq!(general.file, PathBuf::from("y"));
        assert_eq!(general.store, Some("z".into()));
        assert_eq!((general.verbosity(), general.format()), (Verbosity::Verbose, Format::Json));
    }
}

#[test]
fn settings_before_and_after_the_command_are_kept_in_order() {
    let cli = parse("osgraph --set a=1 run --set b=x=y --set a=");
    let all: Vec<_> = cli.settings().map(|s| (s.name.as_str(), s.value.as_str())).collect();
    assert_eq!(all, [("a", "1"), ("b", "x=y"), ("a", "")]);
    assert_eq!(parse("osgraph --set a=1 cache verify --set b=2").settings().count(), 2);
    assert_eq!(refuse("osgraph run --set a"), ErrorKind::ValueValidation);
    assert_eq!(refuse("osgraph run --set =1"), ErrorKind::ValueValidation);
}

#[test]
fn nodes_of_an_override_are_not_taken_for_targets() {
    let Some(Command::Run(run)) = parse("osgraph run --force a,b x --force c -j 4 -nk").command else {
        panic!("no run")
    };
    assert_eq!(run.force, ["a", "b", "c"]);
    assert_eq!(run.targets, ["x"]);
    assert_eq!(run.jobs, NonZeroUsize::new(4));
    assert!(run.dry_run && run.keep_going);
    assert_eq!(refuse("osgraph run -j 0"), ErrorKind::ValueValidation);
}

#[test]
fn sizes_and_durations_have_units() {
    let Some(Command::Gc(gc)) = parse("osgraph gc --max-size 20GiB --max-age 1h30m").command else {
        panic!("no gc")
    };
    assert_eq!(gc.max_size, Some(20 << 30));
    assert_eq!(gc.max_age, Some(Duration::from_secs(5_400)));
    assert_eq!(refuse("osgraph gc --max-size much"), ErrorKind::ValueValidation);
    assert_eq!(refuse("osgraph gc --max-age long"), ErrorKind::ValueValidation);
}

#[test]
fn contradictions_are_refused() {
    assert_eq!(refuse("osgraph run -v -q"), ErrorKind::ArgumentConflict);
    assert_eq!(refuse("osgraph run --json --format text"), ErrorKind::ArgumentConflict);
    assert_eq!(refuse("osgraph runs 3 --limit 4"), ErrorKind::ArgumentConflict);
    assert_eq!(refuse("osgraph cache"), ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand);
}

/// A run that does nothing has a few milliseconds in all. The bound is a hundred times what an
/// optimised build needs, so that it fails for a change in kind, not for a busy machine.
#[test]
fn parsing_is_cheap() {
    let start = Instant::now();
    let times = 20;
    for _ in 0..times {
        parse("osgraph -C x run a b --set c=d");
    }
    let each = start.elapsed() / times;
    eprintln!("one parse: {each:?}");
    assert!(each < Duration::from_millis(40), "{each:?}");
}
