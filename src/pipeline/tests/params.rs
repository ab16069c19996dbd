use super::{World, marked, mistakes, one};
use crate::path::RelPath;
use crate::pipeline::{ParamOrigin, Work};

const FILE: &str = r#"pipeline "p" {
    param "version" from-file="VERSION" default="0"
    param "my-name" default="d"
    param "arch" default="host"
}
command { run "echo" "${version}" "${my-name}" "${arch}" "$${x}"; output "out-${version}" }"#;

fn words(world: &World) -> Vec<String> {
    let pipeline = world.resolve(FILE).unwrap();
    let Work::Command(command) = &pipeline.nodes[0].work else { unreachable!() };
    command.recipe.runs[0].value[1..].to_vec()
}

fn world() -> World {
    let mut world = World::default();
    world.files.insert("VERSION".into(), b"1.2 \r\nsecond\n".to_vec());
    world
}

#[test]
fn a_file_goes_before_the_default() {
    assert_eq!(words(&World::default()), ["0", "d", "amd64", "${x}"]);
    assert_eq!(words(&world()), ["1.2", "d", "amd64", "${x}"]);
}

#[test]
fn the_environment_goes_before_a_file_and_set_before_all() {
    let mut world = world();
    world.env.insert("OSGRAPH_PARAM_VERSION".into(), "2".into());
    world.env.insert("OSGRAPH_PARAM_MY_NAME".into(), "e".into());
    assert_eq!(words(&world)[..2], ["2", "e"]);
    world.set = vec![
        ("version".into(), "3".into()),
        ("version".into(), "${my-name}".into()),
        ("arch".into(), "arm64".into()),
    ];
    assert_eq!(words(&world), ["${my-name}", "e", "arm64", "${x}"]);
}

#[test]
fn values_say_where_they_come_from() {
    let mut world = world();
    world.env.insert("OSGRAPH_PARAM_MY_NAME".into(), "e".into());
    let pipeline = world.resolve(FILE).unwrap();
    let origins: Vec<_> = pipeline.params.iter().map(|param| param.origin.clone()).collect();
    let file = RelPath::parse("VERSION").unwrap();
    let variable = "OSGRAPH_PARAM_MY_NAME".to_owned();
    assert_eq!(
        origins,
        [ParamOrigin::FromFile(file.clone()), ParamOrigin::Environment(variable), ParamOrigin::Default]
    );
    assert_eq!(pipeline.parameter_files().collect::<Vec<_>>(), [&file]);
}

#[test]
fn what_a_file_asks_of_the_world_is_known_beforehand() {
    let document = crate::pipeline::Document::parse(&super::source(FILE)).unwrap();
    let asked = document.parameters();
    let variables: Vec<_> = asked.iter().map(|param| param.variable()).collect();
    assert_eq!(variables, ["OSGRAPH_PARAM_VERSION", "OSGRAPH_PARAM_MY_NAME", "OSGRAPH_PARAM_ARCH"]);
    assert_eq!(asked[0].from_file.as_ref().unwrap().value.as_str(), "VERSION");
}

#[test]
fn a_parameter_without_a_value_says_how_to_give_one() {
    let text = "pipeline \"p\" { param \"php-version\" }\ncommand { run \"${php-version}\" }";
    one(text, "unset-parameter", "\"php-version\"", "`--set php-version=…` or `OSGRAPH_PARAM_PHP_VERSION=…`");
    let text = "pipeline \"p\" { param \"v\" from-file=\"VERSION\" }";
    one(text, "unreadable-parameter", "\"VERSION\"", "--set v=");
}

#[test]
fn unknown_overrides_suggest_the_parameter() {
    let world = World { set: vec![("verion".into(), "1".into())], ..World::default() };
    let found = world.resolve(FILE).unwrap_err().list;
    assert_eq!((found.len(), found[0].code, marked(FILE, &found[0])), (1, "unknown-override", "\"p\""));
    assert!(found[0].help.as_deref().unwrap().contains("did you mean `version`?"));
}

#[test]
fn colliding_and_repeated_parameters_are_refused() {
    one(
        "pipeline \"p\" { param \"a-b\" default=\"\"; param \"a_b\" default=\"\" }",
        "colliding-parameters",
        "\"a_b\"",
        "same",
    );
    one(
        "pipeline \"p\" { param \"a\" default=\"\"; param \"A\" default=\"\" }",
        "colliding-parameters",
        "\"A\"",
        "same",
    );
    one(
        "pipeline \"p\" { param \"a\" default=\"\"; param \"a\" default=\"\" }",
        "repeated-parameter",
        "\"a\"",
        "",
    );
    one("pipeline \"p\" { param \"1a\" default=\"\" }", "bad-parameter-name", "\"1a\"", "letters");
    one(
        "pipeline \"p\" { param \"a\" default=\"${b}\" }",
        "nested-parameter",
        "\"${b}\"",
        "where the parameter is used",
    );
}

#[test]
fn mistakes_in_templates_are_marked_inside_the_string() {
    let text = "pipeline \"p\" { param \"php\" default=\"8\" }\ncommand { run \"x-${phq}\" }";
    one(text, "unknown-parameter", "${phq}", "did you mean `php`?");
    let text = "pipeline \"p\"\ncommand { run \"x-${a\" }";
    one(text, "bad-template", "${a", "$${");
    let text = "pipeline \"p\"\ncommand { run \"x${}\" \"\\t${b}\" }";
    let found = mistakes(text);
    let places: Vec<_> = found.iter().map(|mistake| marked(text, mistake)).collect();
    assert_eq!(places, ["${}", "\"\\t${b}\""]);
}
