//! The workload of `benches/` at a small size: a folder becomes an archive, archive and base a
//! binary, that is copied into two packages, all in place. After each kind of change, exactly the
//! right steps run, told by what the commands themselves write down.

use std::fs;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::odd::noise;
use super::project::{Project, Said, commit_all, git, write};

const EVERY: [&str; 6] = ["base", "dist-a", "dist-b", "embed", "extract", "src"];
/// What a change of the application reaches.
const LARGE: [&str; 5] = ["dist-a", "dist-b", "embed", "extract", "src"];
const SIZE: usize = 3_000_000;
const ARCHIVE: &str = "tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --format=gnu \
    --mode=u=rwX,go=rX -cf";

struct Bench {
    project: Project,
    log: PathBuf,
}

impl Bench {
    /// `source`: nodes before the six, and what `src` reads.
    fn new(before: &str, source: &str, app: &str) -> Self {
        let mut project = Project::new("");
        let log = project.beside("steps.log");
        let node = |name: &str, reads: &str, line: &str, out: &str| {
            let folder = out.rsplit_once('/').unwrap().0;
            format!(
                "command {name:?} isolate=#false {{\n    {reads}\n    run \"sh\" \"-c\" \"echo {name} >> {} && mkdir -p {folder} && {line}\"\n    output {out:?}\n}}\n",
                log.display()
            )
        };
        let text = [
            "pipeline \"w1\"\n".to_owned(),
            before.to_owned(),
            node("src", source, &format!("{ARCHIVE} out/app.tar {app}"), "out/app.tar"),
            node("base", "input \"in/base.bin\"", "cp in/base.bin out/base.bin", "out/base.bin"),
            node(
                "embed",
                "from \"src\" \"base\"",
                &format!("cat out/base.bin out/app.tar | head -c {SIZE} > out/embed.bin"),
                "out/embed.bin",
            ),
            node("extract", "from \"embed\"", "cp out/embed.bin out/extract.bin", "out/extract.bin"),
            node("dist-a", "from \"extract\"", "cp out/extract.bin dist/a/app", "dist/a/app"),
            node("dist-b", "from \"extract\"", "cp out/extract.bin dist/b/app", "dist/b/app"),
        ];
        // One `from` names one node.
        let text = text.concat().replace("from \"src\" \"base\"", "from \"src\"; from \"base\"");
        project.write("pipeline.kdl", text);
        project.write("in/base.bin", noise(7, 65_536));
        project.root = fs::canonicalize(&project.root).unwrap();
        Self { project, log }
    }

    /// Runs and asserts which steps were made, how the run ended, and that every output is right.
    #[track_caller]
    fn expect(&self, when: &str, ran: &[&str], outcome: &str) -> Said {
        drop(fs::remove_file(&self.log));
        let said = self.project.build(&[]);
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let mut steps: Vec<&str> = text.lines().collect();
        steps.sort_unstable();
        assert_eq!(steps, ran, "{when}");
        assert_eq!(said.outcome(), outcome, "{when}");
        let base = fs::read(self.project.path("in/base.bin")).unwrap();
        assert!(fs::read(self.project.path("out/base.bin")).unwrap() == base, "{when}: base");
        let archive = fs::read(self.project.path("out/app.tar")).unwrap();
        let mut binary = [base, archive].concat();
        binary.truncate(SIZE);
        for out in ["out/embed.bin", "out/extract.bin", "dist/a/app", "dist/b/app"] {
            assert!(fs::read(self.project.path(out)).unwrap() == binary, "{when}: {out}");
        }
        said
    }

    fn remove(&self, names: &[&str]) {
        for name in names {
            drop(fs::remove_dir_all(self.project.path(name)));
        }
    }
}

/// The archive as the command would make it now.
#[track_caller]
fn archive_is_current(bench: &Bench, when: &str) {
    let line = format!("{ARCHIVE} - app");
    let made = std::process::Command::new("sh")
        .current_dir(&bench.project.root)
        .args(["-c", &line])
        .output()
        .unwrap();
    assert!(made.status.success());
    assert!(fs::read(bench.project.path("out/app.tar")).unwrap() == made.stdout, "{when}: the archive");
}

/// Longer than a file system's clock stands still, so that what is written next is seen to be
/// newer. Only needed to show what the quick check does.
fn settle() {
    std::thread::sleep(Duration::from_millis(30));
}

fn touch(folder: &std::path::Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            touch(&path);
        } else {
            fs::File::options().append(true).open(&path).unwrap().set_modified(SystemTime::now()).unwrap();
        }
    }
}

#[test]
fn each_change_of_a_folder_runs_exactly_the_right_steps() {
    let bench = Bench::new("", "input \"app\"", "app");
    let project = &bench.project;
    for at in 0..200_u64 {
        let content = format!("<?php // file {at}\n").into_bytes();
        let content = [content, noise(at + 1, at as usize * 97)].concat();
        project.write(&format!("app/src/p{}/n{}/f{at}.php", at % 5, at % 20), content);
    }
    let victim = project.path("app/src/p3/n3/f3.php");
    let first = fs::read(&victim).unwrap();
    let changed = [b"<?php // FILE", &first[13..]].concat();

    settle();
    bench.expect("cold", &EVERY, "ran");
    archive_is_current(&bench, "cold");
    bench.expect("noop", &[], "fresh");
    settle();
    touch(&project.path("app"));
    touch(&project.path("in"));
    bench.expect("touch-all", &[], "fresh");
    settle();
    let said = bench.expect("noop2", &[], "fresh");
    assert_eq!(said.events.len(), 1, "nothing was surveyed");

    write(&victim, &changed);
    bench.expect("change-1", &LARGE, "ran");
    archive_is_current(&bench, "change-1");
    write(&victim, &first);
    bench.expect("switch-back", &[], "restored");
    archive_is_current(&bench, "switch-back");
    write(&victim, &changed);
    bench.expect("switch-forth", &[], "restored");
    write(&victim, &first);
    bench.expect("switch-back again", &[], "restored");

    bench.remove(&["dist"]);
    bench.expect("rm-dist", &[], "restored");
    bench.remove(&["out", "dist"]);
    bench.expect("rm-all-outs", &[], "restored");
    bench.remove(&["out"]);
    bench.expect("rm-out", &[], "restored");
    bench.expect("noop after it", &[], "fresh");

    project.write("app/src/p3/n3/added.php", "<?php // added\n");
    bench.expect("add-file", &LARGE, "ran");
    archive_is_current(&bench, "add-file");
    project.remove("app/src/p3/n3/added.php");
    bench.expect("del-file", &[], "restored");
    project.remove("app/src/p4/n4/f4.php");
    bench.expect("del-old-file", &LARGE, "ran");
    archive_is_current(&bench, "del-old-file");
    project.write("app/src/p4/n4/f4.php", [b"<?php // file 4\n".to_vec(), noise(5, 4 * 97)].concat());
    bench.expect("put back", &[], "restored");

    let stat = fs::metadata(&victim).unwrap();
    write(&victim, &changed[..first.len()]);
    let modified = SystemTime::UNIX_EPOCH + Duration::new(stat.mtime() as u64, stat.mtime_nsec() as u32);
    fs::File::options().append(true).open(&victim).unwrap().set_modified(modified).unwrap();
    let again = fs::metadata(&victim).unwrap();
    assert_eq!((again.mtime_nsec(), again.len()), (stat.mtime_nsec(), stat.len()));
    // The content is that of "change-1", which is recorded: put back rather than made.
    bench.expect("same-mtime, known content", &[], "restored");
    archive_is_current(&bench, "same-mtime, known content");
    let other = [b"<?php // OTHR", &first[13..]].concat();
    write(&victim, &other);
    fs::File::options().append(true).open(&victim).unwrap().set_modified(modified).unwrap();
    bench.expect("same-mtime", &LARGE, "ran");
    archive_is_current(&bench, "same-mtime");
    write(&victim, &first);
    bench.expect("settle", &[], "restored");

    let tamper = |path: &str| {
        let file = fs::File::options().write(true).open(project.path(path)).unwrap();
        let stat = file.metadata().unwrap();
        file.write_all_at(b"tampered", 1000).unwrap();
        file.set_modified(stat.modified().unwrap()).unwrap();
    };
    tamper("dist/a/app");
    bench.expect("tampered-out", &[], "restored");
    tamper("out/embed.bin");
    bench.expect("tampered in the middle", &[], "restored");
    bench.expect("noop at last", &[], "fresh");
}

#[test]
fn a_change_of_the_base_runs_what_is_built_on_it() {
    let bench = Bench::new("", "input \"app\"", "app");
    bench.project.write("app/index.php", "app");
    bench.expect("cold", &EVERY, "ran");
    bench.project.write("in/base.bin", noise(8, 65_536));
    bench.expect("base", &["base", "dist-a", "dist-b", "embed", "extract"], "ran");
    bench.remove(&["out", "dist"]);
    bench.project.write("app/index.php", "changed");
    bench.expect("all at once", &LARGE, "ran");
}

#[test]
fn a_change_beyond_what_the_binary_holds_ends_the_cascade() {
    let bench = Bench::new("", "input \"app\"", "app");
    bench.project.write("app/a", noise(1, 4_000_000));
    bench.project.write("app/z", "far behind");
    bench.expect("cold", &EVERY, "ran");
    bench.project.write("app/z", "FAR BEHIND");
    // `embed` is stale whatever comes of it; what it makes is the same, so nobody follows.
    bench.expect("cut off", &["embed", "src"], "ran");
    archive_is_current(&bench, "cut off");
}

#[test]
fn each_change_of_a_repository_runs_exactly_the_right_steps() {
    let bench = Bench::new("source-archive \"head\" { git \"repo\" }\n", "from \"head\" into=\"app\"", "app");
    // A recipe in place cannot have a tree laid into the project: it is isolated.
    let text = bench.project.read("pipeline.kdl");
    let text = text.replace("command \"src\" isolate=#false", "command \"src\"");
    let text = text.replacen(&format!("echo src >> {} && ", bench.log.display()), "", 1);
    bench.project.write("pipeline.kdl", text);
    let repo = bench.project.path("repo");
    for at in 0..100 {
        write(&repo.join(format!("src/n{}/f{at}.php", at % 9)), noise(at + 1, at as usize * 50));
    }
    commit_all(&repo);
    let start = String::from_utf8(git(&repo, &["rev-parse", "HEAD"])).unwrap();
    let start = start.trim();
    let tail = ["dist-a", "dist-b", "embed", "extract"];
    let all = ["base", "dist-a", "dist-b", "embed", "extract"];

    let said = bench.expect("cold", &all, "ran");
    assert_eq!(said.ran().len(), 7);
    bench.expect("noop", &[], "fresh");
    touch(&repo.join("src"));
    bench.expect("touch-all", &[], "fresh");
    write(&repo.join("src/n3/f3.php"), "changed");
    bench.expect("uncommitted", &[], "fresh");
    git(&repo, &["commit", "-q", "-a", "-m", "changed"]);
    let said = bench.expect("commit", &tail, "ran");
    assert!(said.ran().contains(&"src".to_owned()) && said.ran().contains(&"head".to_owned()));
    git(&repo, &["reset", "-q", "--hard", start]);
    bench.expect("switch-back", &[], "restored");
    bench.remove(&["out", "dist"]);
    bench.expect("rm-all-outs", &[], "restored");
}
