//! Both Dockerfiles of `builder/`, as they are but for the name of one tag, built by the shipped pipeline on
//! stand-ins of the images that they name (`standins`): a real Go links a real program, a real Composer
//! installs from a lock, the program serves over HTTP.
//!
//! One story for each libc instead of many tests, because its slow steps take minutes and are to run once.

mod application;
mod containers;
mod serving;
mod world;

use std::fs;

use osgraph::digest::Digest;

use self::world::{World, compiled, printed};
use crate::causes::project::Said;

const EVERYTHING: [&str; 8] =
    ["base", "binary", "dist-docker", "dist-native", "embed", "licences", "runtime", "source"];
/// Without any layer that the engine may have from an earlier run.
const CLEAN: [&str; 4] = ["--rebuild", "base", "--rebuild", "embed"];

#[test]
fn with_musl_all_is_built_served_and_only_linked_again() {
    let world = World::new("musl");
    // What a copy would break, and a link that FrankenPHP would leave out.
    world.project.link("css/style.css", "app/webroot/latest.css");
    let first = world.run(&CLEAN);
    assert_eq!(first.ran, EVERYTHING, "{}", first.text);
    gates_passed(&world, &first);
    application::is_what_was_locked(&world, &first);
    application::is_served_as_it_is_set(&world);
    application::is_served_as_the_environment_says(&world);
    application::has_a_valid_caddyfile(&world);
    containers::hold_no_secret(&world, &first);
    containers::serve_it(&world);
    containers::serve_it_without_a_libc(&world);
    the_same_twice(&world);
    a_change_of_code_links_and_compiles_little(&world, &first);
    gates_locks_and_links_say_no(&world);
    nothing_is_made_for_a_foreign_machine(&world);
}

#[test]
fn with_glibc_all_is_built_and_served() {
    let world = World::new("glibc");
    let first = world.run(&CLEAN);
    assert_eq!(first.ran, EVERYTHING, "{}", first.text);
    gates_passed(&world, &first);
    application::is_what_was_locked(&world, &first);
    containers::serve_it(&world);
}

#[track_caller]
fn gates_passed(world: &World, said: &Said) {
    let lines = printed(said);
    let are = |verdict: &str| -> Vec<String> {
        let gates = lines.iter().filter_map(|line| Some(line.split_once(&format!("gate: {verdict}: "))?.1));
        gates.map(|gate| gate.split([':', ',']).next().unwrap().to_owned()).collect()
    };
    let machine =
        format!("ELF for {}", std::env::consts::ARCH.replace("x86_64", "amd64").replace("aarch64", "arm64"));
    let (passed, not_run) = (are("passed"), are("not run"));
    let each = ["version", "application", "build-info", "extensions"];
    match world.libc {
        "musl" => {
            assert_eq!(passed, [&[&*machine, "linked statically"], &each[..]].concat(), "{}", said.text);
            assert_eq!(not_run, [""; 0], "{}", said.text);
        }
        _ => {
            assert_eq!(passed, [&[&*machine], &each[..]].concat(), "{}", said.text);
            assert_eq!(not_run, ["static linking"], "{}", said.text);
        }
    }
}

fn sum(world: &World) -> Digest {
    Digest::of(&fs::read(world.binary()).unwrap())
}

/// From nothing but the base: no layer of the engine's cache is taken.
fn the_same_twice(world: &World) {
    let before = sum(world);
    let said = world.run(&["--rebuild", "embed"]);
    assert_eq!(said.ran, ["embed"], "another image: {}", said.text);
    assert!(printed(&said).iter().any(|line| line.contains("link: ")), "nothing was linked: {}", said.text);
    assert_eq!(sum(world), before);
}

fn a_change_of_code_links_and_compiles_little(world: &World, first: &Said) {
    let before = sum(world);
    let file = world.project.read("app/VERSION.txt");
    world.project.write("app/VERSION.txt", "changed\n");
    let said = world.run(&[]);
    let all_but_the_base = EVERYTHING.iter().filter(|node| **node != "base").copied();
    assert_eq!(said.ran, all_but_the_base.collect::<Vec<_>>(), "{}", said.text);
    // Go says what it compiles: the package that holds the application, and what imports it.
    let own =
        ["_/opt/osv4/link/module", "github.com/dunglas/frankenphp", "github.com/dunglas/frankenphp/caddy"];
    let compiled = compiled(&said);
    assert!(compiled.iter().all(|package| own.contains(&package.as_str())), "{compiled:?}");
    assert!(compiled.contains(own[1]), "the application's package was not compiled: {}", said.text);
    // PHP's own compilation, packages and templates speak in the first run and not in this one.
    for (line, again) in [
        ("spc: compiling PHP", false),
        ("Installing osv4-test/slug", false),
        ("templates: ", true),
        ("link: ", true),
    ] {
        let has = |said: &Said| printed(said).iter().any(|one| one.contains(line));
        assert_eq!((has(first), has(&said)), (true, again), "{line}: {}", said.text);
    }
    assert_ne!(sum(world), before);
    let code = "echo file_get_contents(glob(sys_get_temp_dir() . '/frankenphp_*')[0] . '/VERSION.txt');";
    assert_eq!(world.ask(&["php-cli", "-r", code], &[]), "changed");
    world.project.write("app/VERSION.txt", &file);
    assert_eq!(world.run(&[]).ran, [""; 0], "back to what was there before");
    assert_eq!(sum(world), before);
}

fn gates_locks_and_links_say_no(world: &World) {
    let project = &world.project;
    // Of the embed alone: the base was built without it.
    let wanted = "arg \"PHP_EXTENSIONS\" \"${extensions}\"\n    secret \"github-token\"";
    let (base, embed) = {
        let text = project.read("pipeline.kdl");
        let (base, embed) = text.split_once("app-embed \"embed\"").unwrap();
        (base.to_owned(), format!("app-embed \"embed\"{embed}"))
    };
    let more = embed.replace(wanted, &wanted.replace("}\"\n", "},imagick\"\n"));
    assert_ne!(more, embed);
    project.write("pipeline.kdl", &format!("{base}{more}"));
    let said = world.fails("embed");
    assert!(said.contains("gate: failed: extensions are missing: imagick"), "{said}");
    project.write("pipeline.kdl", &format!("{base}{embed}"));

    let lock = project.read("app/composer.lock");
    project.remove("app/composer.lock");
    let said = world.fails("embed");
    assert!(said.contains("the application has no composer.lock"), "{said}");
    project.write("app/composer.lock", &lock);

    let json = project.read("app/composer.json");
    project.write("app/composer.json", &json.replace("slug\": \"^1.0\"", "slug\": \"^1.1\""));
    let said = world.fails("embed");
    assert!(said.contains("osv4-test/slug") && said.contains("lock file"), "{said}");
    project.write("app/composer.json", &json);

    for (link, target, node, words) in [
        ("src/dangling", "nowhere", "embed", "src/dangling -> nowhere (leads nowhere)"),
        ("src/outside", "/etc", "source", "`src/outside` points to `/etc`, which leaves the tree"),
    ] {
        project.link(target, &format!("app/{link}"));
        let said = world.fails(node);
        assert!(said.contains(words), "{words}: {said}");
        project.remove(&format!("app/{link}"));
    }
    assert_eq!(world.run(&[]).ran, [""; 0], "all as it was");
}

fn nothing_is_made_for_a_foreign_machine(world: &World) {
    let foreign = if cfg!(target_arch = "x86_64") { "arm64" } else { "amd64" };
    let before = sum(world);
    let said = world.project.try_run(&["dist-all", "--set", &format!("arch={foreign}")]);
    // Images of this machine's kind are not taken for those of another.
    assert_eq!((said.failed, said.ran), (vec!["base".to_owned()], vec![]), "{}", said.text);
    assert_eq!(sum(world), before);
    let archives = fs::read_dir(world.project.path("dist")).unwrap();
    let mut names = archives.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(names.all(|name| !name.contains(foreign)));
}
