//! The same source gives the same bytes, wherever and whenever it is built.

use std::fs::{self, File};
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use super::project::{Project, listing};

const PACKAGES: &str = r##"
pipeline "same" {}
source-archive "source" {
    dir "app"
    exclude "*.tmp"
    overlay "common" into="config"
    archive "dist/source.tar.gz"
    archive "dist/source.tar.zst"
}
command "build" {
    from "source" into="source"
    run "sh" "-c" "find source | sort > list; umask 022; cp list built; chmod 755 built"
    output "built"
}
dist-docker {
    output "package"
    copy "common"
    binary "build" into="bin/built"
    archive "dist/package.tar"
    archive "dist/package.tar.gz"
    archive "dist/package.tar.zst"
}
"##;

fn built(umask: &str, zone: &str, seconds: u64) -> [std::collections::BTreeMap<String, String>; 2] {
    let project = Project::new(PACKAGES);
    project.write("app/a.txt", "a\n");
    project.write("app/deep/er/run.sh", "#!/bin/sh\n");
    project.write("app/left.tmp", "");
    project.write("common/ü b", "b\n");
    fs::create_dir(project.path("app/empty")).unwrap();
    project.link("../a.txt", "app/deep/link");
    // What a umask takes away at a checkout.
    let (file, program) = if umask == "077" { (0o600, 0o700) } else { (0o664, 0o775) };
    for (path, mode) in [("app/a.txt", file), ("app/deep/er/run.sh", program), ("common/ü b", file)] {
        project.chmod(path, mode);
    }
    for path in ["app/a.txt", "app/deep/er/run.sh", "app/deep", "app/empty", "common/ü b", "common"] {
        File::open(project.path(path))
            .unwrap()
            .set_modified(UNIX_EPOCH + Duration::from_secs(seconds))
            .unwrap();
    }
    let status = Command::new("sh")
        .args(["-c", "umask $0; exec \"$@\"", umask, env!("CARGO_BIN_EXE_osgraph"), "-C"])
        .arg(&project.root)
        .args(["run", "-q"])
        .env("TZ", zone)
        .status()
        .unwrap();
    assert!(status.success());
    ["dist", "package"].map(|folder| listing(&project.path(folder), false))
}

#[test]
fn two_folders_two_umasks_two_zones_two_dates_one_package() {
    let one = built("022", "UTC", 1_000_000_000);
    let other = built("077", "Asia/Kathmandu", 1_600_000_003);
    assert_eq!(one, other);
    let again = built("002", "America/St_Johns", 86_400);
    assert_eq!(one, again);
    assert!(one[0].len() > 10 && one[1].contains_key("build-manifest.json"), "{one:?}");
}
