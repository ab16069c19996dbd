//! Jobs that really run programs.

use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::executor::run_with;
use super::namespace::Capabilities;
use super::*;
use crate::path::RelPath;

/// A project with `src/{a,odd name é,run.sh,link,sub/deep}`, a store in it and a scratch folder
/// in the store, on a file system outside `/tmp`, as real ones are.
struct Bench {
    root: tempfile::TempDir,
    cancel: Cancel,
}

/// What a job did.
struct Ran {
    result: Result<Finished, HostError>,
    lines: Vec<String>,
}

impl Ran {
    fn ok(&self) -> &Finished {
        self.result.as_ref().unwrap_or_else(|error| panic!("{error}: {:?}", self.lines))
    }

    fn error(&self) -> &HostError {
        self.result.as_ref().expect_err("it fails")
    }
}

impl Bench {
    fn new() -> Self {
        Self::under(Path::new(env!("CARGO_MANIFEST_DIR")).join("target").as_path())
    }

    fn under(folder: &Path) -> Self {
        fs::create_dir_all(folder).unwrap();
        let root = tempfile::tempdir_in(folder).unwrap();
        let src = root.path().join("src");
        fs::create_dir_all(src.join("sub")).unwrap();
        fs::create_dir_all(root.path().join("cache/scratch")).unwrap();
        fs::write(src.join("a"), "alpha").unwrap();
        fs::write(src.join("odd name é\n"), "odd").unwrap();
        fs::write(src.join("sub/deep"), "deep").unwrap();
        fs::write(src.join("run.sh"), "#!/bin/sh\necho ran $0\n").unwrap();
        fs::set_permissions(src.join("run.sh"), Permissions::from_mode(0o755)).unwrap();
        symlink("a", src.join("link")).unwrap();
        symlink("/nowhere", src.join("dangling")).unwrap();
        fs::write(root.path().join("undeclared"), "secret plans").unwrap();
        Self { root, cancel: Cancel::new().unwrap() }
    }

    fn root(&self) -> &Path {
        self.root.path()
    }

    fn log(&self) -> PathBuf {
        self.root().join("cache/log")
    }

    fn job<'a>(&self, runs: &'a [Vec<String>], place: Place<'a>) -> Job<'a> {
        Job {
            runs,
            env: vec![],
            redact: vec![],
            place,
            timeout: Some(Duration::from_secs(60)),
            grace: Duration::from_millis(300),
            path: "/usr/bin:/bin".into(),
            stdin: None,
            no_shell: false,
            log: self.log(),
        }
    }

    fn in_place(&self, script: &str, change: impl FnOnce(&mut Job<'_>)) -> Ran {
        let runs = sh(script);
        let mut job = self.job(&runs, Place::InPlace { root: self.root() });
        change(&mut job);
        self.go(&job)
    }

    /// Runs with `src` mounted at `src` and `src/a` at `one/file`, making `out/result`.
    fn private(&self, how: How, script: &str) -> Ran {
        let src = self.root().join("src");
        let mounts = vec![
            Mount { at: rel("src"), from: MountSource::Folder { path: src.clone() } },
            Mount { at: rel("one/file"), from: MountSource::File { path: src.join("a"), executable: false } },
            Mount { at: rel("void"), from: MountSource::EmptyFolder },
        ];
        self.mounted(how, script, mounts)
    }

    fn mounted(&self, how: How, script: &str, mounts: Vec<Mount>) -> Ran {
        let scratch = self.root().join("cache/scratch");
        let _ = fs::remove_dir_all(&scratch);
        fs::create_dir(&scratch).unwrap();
        let runs = sh(script);
        let job = self.job(
            &runs,
            Place::Private {
                scratch: &scratch,
                mounts,
                outputs: vec![rel("out/result")],
                masks: vec![self.root().to_path_buf(), self.root().join("cache")],
                copies: false,
            },
        );
        let mut lines = Vec::new();
        let capable = Capabilities { namespaces: how.0 };
        let result = run_with(|| &capable, &job, &mut |line| lines.push(line.to_owned()), &self.cancel);
        Ran { result, lines }
    }

    fn go(&self, job: &Job<'_>) -> Ran {
        let mut lines = Vec::new();
        let result = run(job, &mut |line| lines.push(line.to_owned()), &self.cancel);
        Ran { result, lines }
    }
}

/// A way to run a private job.
#[derive(Clone)]
struct How(Result<Flavor, String>);

/// Every kind of namespace this machine has. Where it has none only copies are tested.
#[cfg(target_os = "linux")]
fn namespaces() -> Vec<How> {
    let both = [Flavor::Mount, Flavor::User].into_iter();
    both.filter(|flavor| namespace::attempt(*flavor).is_ok()).map(|flavor| How(Ok(flavor))).collect()
}

#[cfg(not(target_os = "linux"))]
fn namespaces() -> Vec<How> {
    vec![]
}

fn copies() -> How {
    How(Err("not in this test".to_owned()))
}

fn rel(text: &str) -> RelPath {
    RelPath::parse(text).unwrap()
}

fn sh(script: &str) -> Vec<Vec<String>> {
    vec![vec!["sh".to_owned(), "-c".to_owned(), script.to_owned()]]
}

fn alive(pid: &str) -> bool {
    // A zombie that waits for an init to reap it is dead.
    fs::read_to_string(format!("/proc/{}/stat", pid.trim()))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z'))
}

#[test]
fn a_private_job_sees_what_was_declared_and_nothing_else() {
    let list = "find . | sort; cat src/a src/sub/deep one/file; readlink src/link src/dangling";
    let bench = Bench::new();
    let expected = bench.private(copies(), list);
    assert_eq!(expected.ok().isolation, Isolation::Copies);
    assert_eq!(
        expected.lines,
        [
            "", // the end of the odd name
            ".",
            "./one",
            "./one/file",
            "./out",
            "./src",
            "./src/a",
            "./src/dangling",
            "./src/link",
            "./src/odd name é",
            "./src/run.sh",
            "./src/sub",
            "./src/sub/deep",
            "./void",
            "alphadeepalphaa",
            "/nowhere",
        ]
    );
    for how in namespaces() {
        let ran = bench.private(how, list);
        assert_eq!(ran.ok().isolation, Isolation::Namespace);
        assert_eq!(ran.lines, expected.lines, "copies and namespaces give one view");
    }
}

#[test]
fn project_and_store_are_masked() {
    let bench = Bench::new();
    let root = bench.root().display();
    for how in namespaces() {
        let ran = bench.private(
            how,
            &format!("ls -A '{root}'; cat '{root}/undeclared'; touch '{root}/x' || echo refused; ls -A /tmp"),
        );
        ran.ok();
        assert_eq!(ran.lines.len(), 4, "{:?}", ran.lines);
        assert!(ran.lines[0].ends_with("undeclared: No such file or directory"));
        assert!(ran.lines[1].ends_with("Read-only file system"));
        assert_eq!(&ran.lines[2..], ["refused", "osgraph"]);
    }
}

#[test]
fn a_project_below_tmp_is_masked_with_it() {
    let bench = Bench::under(&std::env::temp_dir());
    let root = bench.root().display();
    for how in namespaces() {
        let ran =
            bench.private(how, &format!("cat src/a; test -e '{root}' || echo gone; echo x > out/result"));
        assert_eq!(ran.lines, ["alphagone"]);
        assert_eq!(fs::read_to_string(ran.ok().work.join("out/result")).unwrap(), "x\n");
    }
}

#[test]
fn mounted_folders_refuse_writes_and_mounted_files_are_ones_own() {
    let bench = Bench::new();
    for how in namespaces() {
        let ran = bench.private(
            how,
            "echo x > src/a; echo x > src/new; rm src/sub/deep; echo mine > one/file; cat one/file",
        );
        let refused = ran.lines.iter().filter(|line| line.contains("Read-only file system")).count();
        assert_eq!(refused, 3, "{:?}", ran.lines);
        assert_eq!(ran.lines.last().unwrap(), "mine");
    }
    let ran = bench.private(copies(), "echo x > src/a; rm src/sub/deep; echo mine > one/file");
    ran.ok();
    assert_eq!(fs::read_to_string(bench.root().join("src/a")).unwrap(), "alpha");
    assert_eq!(fs::read_to_string(bench.root().join("src/sub/deep")).unwrap(), "deep");
}

#[test]
fn what_is_mounted_below_a_mounted_folder_is_read_only_too() {
    let bench = Bench::new();
    for how in namespaces() {
        let mounts = vec![Mount { at: rel("dev"), from: MountSource::Folder { path: "/dev".into() } }];
        let ran = bench.mounted(how, "test -d dev/shm && echo there; touch dev/shm/osgraph-test", mounts);
        assert_eq!(ran.lines[0], "there");
        assert!(ran.lines[1].ends_with("Read-only file system"), "{:?}", ran.lines);
    }
}

#[test]
fn paths_and_environment_are_fixed() {
    let bench = Bench::new();
    for how in namespaces() {
        let ran = bench.private(how, "pwd; env | grep -v -e ^_= -e ^PWD= -e ^SHLVL= -e ^OLDPWD= | sort; umask; echo $HOME/* $TMPDIR/*; touch $HOME/x $TMPDIR/x /tmp/x");
        ran.ok();
        assert_eq!(
            ran.lines,
            [
                "/tmp/osgraph/work",
                "HOME=/tmp/osgraph/home",
                "LANG=C.UTF-8",
                "PATH=/usr/bin:/bin",
                "TMPDIR=/tmp/osgraph/tmp",
                "TZ=UTC",
                "0022",
                "/tmp/osgraph/home/* /tmp/osgraph/tmp/*",
            ]
        );
    }
    let ran = bench.in_place("echo $HOME $TMPDIR $EXTRA $PATH $LANG", |job| {
        job.env = vec![("HOME".into(), "/h".into()), ("EXTRA".into(), "e".into())];
    });
    assert_eq!(ran.lines, ["/h /tmp e /usr/bin:/bin C.UTF-8"]);
}

#[test]
fn outputs_are_there_afterwards_and_mount_points_are_not() {
    let bench = Bench::new();
    for how in namespaces().into_iter().chain([copies()]) {
        let copied = how.0.is_err();
        let ran = bench.private(how, "cat src/a > out/result; ln -s result out/l; mkdir -p deep/er");
        let work = &ran.ok().work;
        assert_eq!(fs::read_to_string(work.join("out/result")).unwrap(), "alpha");
        assert_eq!(fs::read_link(work.join("out/l")).unwrap(), Path::new("result"));
        assert!(work.join("deep/er").is_dir());
        assert_eq!(work.join("src").exists(), copied);
    }
    assert_eq!(fs::read_to_string(bench.root().join("src/a")).unwrap(), "alpha");
}

#[test]
fn an_output_can_lie_in_a_mounted_folder() {
    let bench = Bench::new();
    fs::create_dir(bench.root().join("src/out")).unwrap();
    fs::write(bench.root().join("src/out/result"), "old").unwrap();
    fs::write(bench.root().join("src/out/other"), "other").unwrap();
    for how in namespaces().into_iter().chain([copies()]) {
        let mounts =
            vec![Mount { at: rel("."), from: MountSource::Folder { path: bench.root().join("src") } }];
        let ran = bench.mounted(how, "cat sub/deep out/other; ls out; ./run.sh > out/result", mounts);
        assert_eq!(ran.lines, ["deepotherother"]);
        assert_eq!(fs::read_to_string(ran.ok().work.join("out/result")).unwrap(), "ran ./run.sh\n");
    }
    assert_eq!(fs::read_to_string(bench.root().join("src/out/result")).unwrap(), "old");
}

#[test]
fn modes_and_times_of_files_are_normal() {
    let bench = Bench::new();
    let src = bench.root().join("src");
    fs::set_permissions(src.join("a"), Permissions::from_mode(0o400)).unwrap();
    let old = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    File::options().append(true).open(src.join("run.sh")).unwrap().set_modified(old).unwrap();
    let stat = "stat -c '%a %Y' one/tool | sed 's/ 1000000000/ old/'; stat -c %a one/file";
    for how in namespaces().into_iter().chain([copies()]) {
        let mounts = vec![
            Mount { at: rel("one/file"), from: MountSource::File { path: src.join("a"), executable: false } },
            Mount {
                at: rel("one/tool"),
                from: MountSource::File { path: src.join("run.sh"), executable: true },
            },
        ];
        let ran = bench.mounted(how, stat, mounts);
        assert_eq!(ran.lines, ["755 old", "644"]);
    }
}

#[test]
fn declared_programs_run_by_their_relative_path() {
    let bench = Bench::new();
    let mounts =
        || vec![Mount { at: rel("src"), from: MountSource::Folder { path: bench.root().join("src") } }];
    for how in namespaces().into_iter().chain([copies()]) {
        assert_eq!(bench.mounted(how, "exec ./src/run.sh", mounts()).lines, ["ran ./src/run.sh"]);
    }
    let runs = vec![vec!["./src/run.sh".to_owned()]];
    let ran = bench.go(&bench.job(&runs, Place::InPlace { root: bench.root() }));
    assert!(ran.lines[0].ends_with("/src/run.sh"), "{:?}", ran.lines);
    let runs = vec![vec!["./src/none.sh".to_owned()]];
    let ran = bench.go(&bench.job(&runs, Place::InPlace { root: bench.root() }));
    assert_eq!(ran.error().to_string(), "program `./src/none.sh` was not found");
    assert!(ran.error().is_missing());
}

#[test]
fn a_program_in_the_project_is_said_to_be_hidden() {
    let bench = Bench::new();
    let bin = bench.root().join("src");
    for how in namespaces() {
        let scratch = bench.root().join("cache/scratch");
        let _ = fs::remove_dir_all(&scratch);
        fs::create_dir(&scratch).unwrap();
        let runs = vec![vec!["run.sh".to_owned()]];
        let masks = vec![bench.root().to_path_buf()];
        let place =
            Place::Private { scratch: &scratch, mounts: vec![], outputs: vec![], masks, copies: false };
        let mut job = bench.job(&runs, place);
        job.path = bin.clone().into();
        let capable = Capabilities { namespaces: how.0 };
        let error = run_with(|| &capable, &job, &mut |_| {}, &bench.cancel).unwrap_err();
        assert!(matches!(error, HostError::Hidden { .. }), "{error}");
        assert!(error.is_missing() && error.help().unwrap().contains("declare it as an input"));
    }
}

#[test]
fn the_first_failure_stops_the_rest() {
    let bench = Bench::new();
    let runs: Vec<Vec<String>> =
        ["echo one", "echo two >&2; exit 7", "echo three"].iter().flat_map(|script| sh(script)).collect();
    let ran = bench.go(&bench.job(&runs, Place::InPlace { root: bench.root() }));
    assert_eq!(ran.lines, ["one", "two"]);
    assert_eq!(ran.error().to_string(), "`sh -c 'echo two >&2; exit 7'` ended with exit code 7");
    assert_eq!(fs::read_to_string(bench.log()).unwrap(), "one\ntwo\n");

    let ran = bench.in_place("kill -SEGV $$", |_| {});
    assert!(matches!(ran.error(), HostError::Signalled { signal: libc::SIGSEGV, .. }));
    let runs = vec![vec!["no-such-program".to_owned()]];
    let ran = bench.go(&bench.job(&runs, Place::InPlace { root: bench.root() }));
    assert_eq!(ran.error().to_string(), "program `no-such-program` was not found");
    fs::write(bench.root().join("plain"), "echo").unwrap();
    let runs = vec![vec!["./plain".to_owned()]];
    let ran = bench.go(&bench.job(&runs, Place::InPlace { root: bench.root() }));
    assert_eq!(ran.error().help().unwrap(), "make it executable: `chmod +x`");
}

#[test]
fn a_silent_job_leaves_no_log() {
    let bench = Bench::new();
    let ran = bench.in_place("true", |_| {});
    assert_eq!(ran.ok().printed, 0);
    assert!(!bench.log().exists());
}

#[test]
fn secrets_are_replaced_in_lines_and_log() {
    let bench = Bench::new();
    let ran = bench.in_place("printf 'a hun'; sleep 0.05; echo \"ter2 b $TOKEN\"", |job| {
        job.env = vec![("TOKEN".into(), "hunter2".into())];
        job.redact = vec!["hunter2".into()];
    });
    ran.ok();
    assert_eq!(ran.lines, ["a *** b ***"]);
    assert_eq!(fs::read_to_string(bench.log()).unwrap(), "a *** b ***\n");
}

#[test]
fn much_output_comes_whole_and_in_order() {
    let bench = Bench::new();
    let mut count = 0u64;
    let runs = sh("seq 1500000; printf '\\377\\n'");
    let job = bench.job(&runs, Place::InPlace { root: bench.root() });
    let mut last = String::new();
    let finished = run(
        &job,
        &mut |line| {
            count += 1;
            assert!(line == count.to_string() || count == 1_500_001);
            line.clone_into(&mut last);
        },
        &bench.cancel,
    )
    .unwrap();
    assert_eq!((count, last.as_str()), (1_500_001, "\u{fffd}"));
    assert!(finished.printed > 10_000_000);
    assert_eq!(fs::metadata(bench.log()).unwrap().len(), finished.printed);
}

#[test]
fn standard_input_is_the_given_file_or_nothing() {
    let bench = Bench::new();
    assert_eq!(bench.in_place("cat; echo end", |_| {}).lines, ["end"]);
    let ran = bench.in_place("cat; echo; echo end", |job| {
        job.stdin = Some(File::open(bench.root().join("src/a")).unwrap());
    });
    assert_eq!(ran.lines, ["alpha", "end"]);
}

#[test]
fn a_timeout_ends_grandchildren_too() {
    let bench = Bench::new();
    let started = Instant::now();
    let ran = bench.in_place("sh -c 'sleep 60; true' & echo $! > pid; wait", |job| {
        job.timeout = Some(Duration::from_millis(200));
    });
    assert!(matches!(ran.error(), HostError::TimedOut { .. }), "{}", ran.error());
    assert!(ran.error().to_string().ends_with("was still running after 200ms"));
    assert!(started.elapsed() < Duration::from_secs(10));
    assert!(!alive(&fs::read_to_string(bench.root().join("pid")).unwrap()));
}

#[test]
fn a_group_that_ignores_the_request_is_killed_after_the_grace() {
    let bench = Bench::new();
    let started = Instant::now();
    let ran = bench.in_place(
        "trap '' TERM; sh -c 'while :; do sleep 0.05; done' & echo $! > pid; wait; sleep 60",
        |job| {
            job.timeout = Some(Duration::from_millis(200));
        },
    );
    assert!(matches!(ran.error(), HostError::TimedOut { .. }));
    assert!(started.elapsed() >= Duration::from_millis(450), "it had its grace");
    assert!(started.elapsed() < Duration::from_secs(10));
    assert!(!alive(&fs::read_to_string(bench.root().join("pid")).unwrap()));
}

#[test]
fn a_polite_group_may_clean_up() {
    let bench = Bench::new();
    let ran = bench.in_place("trap 'sleep 0.1; echo cleaned; exit' TERM; sleep 60 & wait", |job| {
        job.timeout = Some(Duration::from_millis(200));
        job.grace = Duration::from_secs(20);
    });
    assert!(matches!(ran.error(), HostError::TimedOut { .. }));
    assert_eq!(ran.lines, ["cleaned"]);
}

#[test]
fn cancel_ends_every_job_at_once() {
    let benches: Vec<Bench> = (0..4).map(|_| Bench::new()).collect();
    let cancel = benches[0].cancel.clone();
    let started = Instant::now();
    thread::scope(|scope| {
        let jobs: Vec<_> = benches
            .iter()
            .map(|bench| {
                let cancel = cancel.clone();
                scope.spawn(move || {
                    let runs = sh("sleep 60 & echo $! > pid; wait");
                    run(&bench.job(&runs, Place::InPlace { root: bench.root() }), &mut |_| {}, &cancel)
                })
            })
            .collect();
        while !benches
            .iter()
            .all(|bench| fs::read_to_string(bench.root().join("pid")).is_ok_and(|pid| !pid.is_empty()))
        {
            thread::sleep(Duration::from_millis(5));
        }
        cancel.cancel();
        for job in jobs {
            assert!(matches!(job.join().unwrap(), Err(HostError::Cancelled)));
        }
    });
    assert!(started.elapsed() < Duration::from_secs(20));
    for bench in &benches {
        assert!(!alive(&fs::read_to_string(bench.root().join("pid")).unwrap()));
    }
    assert!(cancel.is_cancelled());
}

#[test]
fn what_a_finished_program_leaves_behind_is_killed() {
    let bench = Bench::new();
    let started = Instant::now();
    let ran = bench.in_place("sleep 60 & echo $! > pid; echo done", |_| {});
    ran.ok();
    assert_eq!(ran.lines, ["done"]);
    assert!(started.elapsed() < Duration::from_secs(10));
    assert!(!alive(&fs::read_to_string(bench.root().join("pid")).unwrap()));
}

#[test]
fn a_daemon_that_holds_the_pipe_does_not_hang_the_job() {
    let bench = Bench::new();
    let started = Instant::now();
    let ran = bench.in_place(
        "setsid sh -c 'echo $$ > pid; exec sleep 30' & while ! test -s pid; do sleep 0.01; done; echo done",
        |_| {},
    );
    ran.ok();
    assert_eq!(ran.lines, ["done"]);
    assert!(started.elapsed() < Duration::from_secs(10));
    let pid = fs::read_to_string(bench.root().join("pid")).unwrap();
    assert!(alive(&pid), "it has left the group");
    Command::new("kill").arg(pid.trim()).status().unwrap();
}

#[test]
fn a_log_that_cannot_be_written_ends_the_program() {
    let bench = Bench::new();
    let started = Instant::now();
    let ran = bench.in_place("echo x; sleep 60", |job| job.log = bench.root().join("no/such/folder"));
    assert!(matches!(ran.error(), HostError::Log { .. }));
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn jobs_run_beside_one_another() {
    let benches: Vec<Bench> = (0..4).map(|_| Bench::new()).collect();
    thread::scope(|scope| {
        for bench in &benches {
            scope.spawn(move || {
                for (index, how) in namespaces().into_iter().chain([copies()]).cycle().take(12).enumerate() {
                    let mounts = vec![Mount {
                        at: rel("tool"),
                        from: MountSource::File { path: bench.root().join("src/run.sh"), executable: true },
                    }];
                    let ran = bench.mounted(how, &format!("./tool > out/result; echo {index}"), mounts);
                    assert_eq!(ran.lines, [index.to_string()]);
                    assert_eq!(fs::read_to_string(ran.ok().work.join("out/result")).unwrap(), "ran ./tool\n");
                }
            });
        }
    });
}

#[test]
fn a_tool_is_identified_by_what_it_prints() {
    let cancel = Cancel::new().unwrap();
    let path = OsString::from("/usr/bin:/bin");
    let ask =
        |script: &str| identify(&sh(script)[0], &[("X".into(), "x".into())], &path, Path::new("/"), &cancel);
    assert_eq!(ask("echo; echo \" tool 1.2 $X\"; echo warning >&2").unwrap(), "tool 1.2 x");
    assert_eq!(ask("echo version 3 >&2").unwrap(), "version 3");
    let error = ask("echo usage; exit 2").unwrap_err().to_string();
    assert!(error.ends_with("ended with exit code 2 instead of identifying itself: usage"), "{error}");
    let missing = identify(&["no-such-tool".into()], &[], &path, Path::new("/"), &cancel).unwrap_err();
    assert!(missing.is_missing());
}

#[test]
fn programs_are_looked_up_in_absolute_folders_only() {
    let bench = Bench::new();
    let bin = bench.root().join("src");
    let path = |folders: &str| OsString::from(folders.replace('@', bin.to_str().unwrap()));
    assert_eq!(resolve_program("run.sh", &path("/usr/bin:@")), Some(bin.join("run.sh")));
    assert_eq!(resolve_program("a", &path("@")), None, "not executable");
    assert_eq!(resolve_program("sub", &path("@")), None, "a folder");
    assert_eq!(resolve_program("run.sh", &path(".::src")), None);
    assert_eq!(resolve_program("sub/run.sh", &path("@")), None);
    assert_eq!(resolve_program("/bin/sh", &path("")), Some("/bin/sh".into()));
}

/// Gives up its rights, when it has any, and runs the private job tests again as nobody.
#[test]
#[cfg(target_os = "linux")]
fn without_rights_private_jobs_work_the_same() {
    if !rustix::process::geteuid().is_root() {
        // Then every other test here has run without rights.
        return;
    }
    let exe = tempfile::Builder::new().permissions(Permissions::from_mode(0o755)).tempdir().unwrap();
    fs::copy(std::env::current_exe().unwrap(), exe.path().join("tests")).unwrap();
    let mut child = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"])
        .arg(exe.path().join("tests"))
        .args(["--exact", "run::host::tests::private_jobs_work_for_whoever_starts_them", "--nocapture"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::inherit())
        .spawn()
        .unwrap();
    let mut printed = String::new();
    child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
    assert!(child.wait().unwrap().success(), "{printed}");
    assert!(printed.contains("1 passed"), "{printed}");
}

#[test]
fn private_jobs_work_for_whoever_starts_them() {
    let user = rustix::process::geteuid().as_raw().to_string();
    let bench = Bench::under(&std::env::temp_dir());
    for how in namespaces().into_iter().chain([copies()]) {
        let copied = how.0.is_err();
        let ran = bench.private(
            how,
            "id -u; cat src/a one/file; echo; echo x > src/new && echo written; echo y > out/result",
        );
        assert_eq!(ran.lines[..2], [user.as_str(), "alphaalpha"]);
        assert_eq!(ran.lines.last().unwrap() == "written", copied);
        assert_eq!(fs::read_to_string(ran.ok().work.join("out/result")).unwrap(), "y\n");
    }
}
