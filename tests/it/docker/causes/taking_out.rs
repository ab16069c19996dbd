//! Files taken out of images.

use super::shop::Shop;

const EXTRACT: &str = "\nbinary-extract \"binary\" { image \"base\"; path \"PATH\"; output \"build/app\" }\n";

/// A base of this Dockerfile, and the file at `path` of its image.
fn shop(dockerfile: &str, path: &str) -> Shop {
    let shop = Shop::of(dockerfile, "");
    let pipeline = shop.project.read("pipeline.kdl");
    shop.project.write("pipeline.kdl", &format!("{pipeline}{}", EXTRACT.replace("PATH", path)));
    shop
}

#[track_caller]
fn fails(dockerfile: &str, path: &str, words: &str) {
    let shop = shop(dockerfile, path);
    let said = shop.project.try_run(&[]);
    assert_eq!((said.code, &*said.failed), (1, &["binary".to_owned()][..]), "{}", said.text);
    assert!(said.text.contains(words), "{}", said.text);
    assert!(!shop.project.exists("build/app"));
    assert_eq!(shop.containers(), [] as [&str; 0]);
}

#[test]
fn bytes_come_out_as_they_are() {
    let shop = shop("FROM scratch\nCOPY bytes /deep/er/app\n", "/deep/er/app");
    let bytes: Vec<u8> = (0..3_000_000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    std::fs::write(shop.project.path("builder/bytes"), &bytes).unwrap();
    shop.project.runs(&["base", "binary"]);
    assert!(std::fs::read(shop.project.path("build/app")).unwrap() == bytes);
    shop.project.is_fresh();
    assert_eq!(shop.containers(), [] as [&str; 0]);
}

#[test]
fn links_are_followed_inside_the_image() {
    let links = "FROM NAME-from\nRUN mkdir -p /opt/v1 /dist && echo inside > /opt/v1/app && \
        ln -s v1 /opt/current && ln -s ../../../opt/current/app /dist/app && ln -s /dist/app /app\n";
    let shop = shop(links, "app");
    shop.project.runs(&["base", "binary"]);
    assert_eq!(shop.project.read("build/app"), "inside\n");
}

/// A relative target counts from where the link really lies.
#[test]
fn link_in_a_linked_folder_is_followed_from_where_it_lies() {
    let links = "FROM NAME-from\nRUN mkdir -p /opt/v1/bin /opt/v1/lib && echo inside > /opt/v1/lib/app && \
        ln -s ../lib/app /opt/v1/bin/app && ln -s opt/v1/bin /dist\n";
    let shop = shop(links, "/dist/app");
    shop.project.runs(&["base", "binary"]);
    assert_eq!(shop.project.read("build/app"), "inside\n");
}

#[test]
fn circle_of_links_is_found() {
    fails("FROM NAME-from\nRUN ln -s b /a && ln -s a /b\n", "/a", "too many links");
}

#[test]
fn path_that_is_not_there_is_named() {
    fails("FROM NAME-from\nRUN true\n", "/no/such/app", "no `no/such/app`");
}

#[test]
fn folder_is_no_file() {
    fails("FROM NAME-from\nRUN true\n", "/bin", "`bin` in the artifact of `base` is no regular file");
}

#[test]
fn path_changed_takes_out_another_file_and_builds_nothing() {
    let shop = shop("FROM NAME-from\nRUN echo one > /one && echo two > /two\n", "/one");
    shop.project.runs(&["base", "binary"]);
    shop.project.edit_pipeline("path \"/one\"", "path \"/two\"");
    shop.project.runs(&["binary"]);
    assert_eq!(shop.project.read("build/app"), "two\n");
}

#[test]
fn expectations_hold_for_what_comes_out_of_an_image() {
    let shop = shop("FROM NAME-from\nRUN echo text > /app\n", "/bin/busybox");
    shop.project.edit_pipeline("path", "expect elf=#true; path");
    shop.project.runs(&["base", "binary"]);
    shop.project.edit_pipeline("/bin/busybox", "/app");
    let said = shop.project.try_run(&[]);
    assert_eq!((said.code, &*said.failed), (1, &["binary".to_owned()][..]), "{}", said.text);
}
