//! Large outputs that give way to others: written over where nobody can tell, else replaced.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;

use super::project::Project;

/// Output of a few MiB whose size and every byte hang on `size`.
const LARGE: &str = r##"
pipeline "large" {}
command "big" {
    input "size"
    run "sh" "-c" "mkdir out; yes $(cat size) | head -c $(cat size) > out/file"
    output "out"
}
"##;

const FIRST: &str = "3000000";
const FILE: &str = "out/file";

fn content(size: &str) -> Vec<u8> {
    let line = format!("{size}\n");
    line.bytes().cycle().take(size.parse().unwrap()).collect()
}

/// A project whose output was built from one size, then from `other`.
fn built(other: &str) -> Project {
    let project = Project::new(LARGE);
    project.write("size", FIRST);
    project.runs(&["big"]);
    project.write("size", other);
    project.runs(&["big"]);
    project
}

/// The first state comes back, whole, when the output of another one stands in its place.
#[track_caller]
fn comes_back(project: &Project) {
    project.write("size", FIRST);
    project.restores(&["big"]);
    assert!(fs::read(project.path(FILE)).unwrap() == content(FIRST), "another content");
    assert_eq!(fs::metadata(project.path(FILE)).unwrap().mode() & 0o7777, 0o644);
    project.is_fresh();
}

#[test]
fn longer_shorter_and_equally_long_outputs_are_written_over() {
    for other in ["2000000", "5000000", "3000001"] {
        let project = built(other);
        let before = fs::metadata(project.path(FILE)).unwrap().ino();
        comes_back(&project);
        assert_eq!(fs::metadata(project.path(FILE)).unwrap().ino(), before, "the same pages again");
    }
}

#[test]
fn reader_of_an_output_keeps_what_it_opened() {
    let project = built("4000000");
    let mut reader = File::open(project.path(FILE)).unwrap();
    comes_back(&project);
    let mut read = Vec::new();
    reader.read_to_end(&mut read).unwrap();
    assert!(read == content("4000000"), "the reader sees another file");
}

#[test]
fn other_name_of_an_output_keeps_its_content() {
    let project = built("4000000");
    fs::hard_link(project.path(FILE), project.path("kept")).unwrap();
    comes_back(&project);
    assert!(
        fs::read(project.path("kept")).unwrap() == content("4000000"),
        "the other name's content changed"
    );
}

#[test]
fn altered_large_output_is_put_back() {
    let project = built("4000000");
    comes_back(&project);
    fs::write(project.path(FILE), "cut short").unwrap();
    project.restores(&["big"]);
    fs::write(project.path(FILE), content("9000000")).unwrap();
    project.restores(&["big"]);
    assert!(fs::read(project.path(FILE)).unwrap() == content(FIRST));
    project.is_fresh();
}

#[test]
fn output_behind_a_link_inside_the_output_is_not_touched() {
    let project = built("4000000");
    fs::create_dir(project.path("mine")).unwrap();
    fs::rename(project.path(FILE), project.path("mine/file")).unwrap();
    fs::remove_dir(project.path("out")).unwrap();
    project.link("mine", "out");
    let before = fs::metadata(project.path("mine/file")).unwrap().ino();
    let mut held = File::open(project.path("mine/file")).unwrap();
    project.write("size", FIRST);
    project.restores(&["big"]);
    assert!(fs::read(project.path(FILE)).unwrap() == content(FIRST));
    let mut read = Vec::new();
    held.read_to_end(&mut read).unwrap();
    assert!(read == content("4000000"));
    assert_ne!(fs::metadata(project.path(FILE)).unwrap().ino(), before);
}

#[test]
fn lost_content_of_an_output_is_made_again_over_the_old_one() {
    let project = built("4000000");
    let blobs = super::project::listing(&project.path("cache/blobs"), false);
    for blob in blobs.keys() {
        let path = project.path("cache/blobs").join(blob);
        if path.is_file() && fs::metadata(&path).unwrap().len() == 3_000_000 {
            let mut bytes = fs::read(&path).unwrap();
            bytes[1_500_000] ^= 1;
            fs::remove_file(&path).unwrap();
            fs::write(&path, bytes).unwrap();
        }
    }
    project.write("size", FIRST);
    project.run();
    assert!(fs::read(project.path(FILE)).unwrap() == content(FIRST));
    project.is_fresh();
}
