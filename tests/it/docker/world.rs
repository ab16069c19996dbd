//! Engines and machines of a test's own: in a folder, on free ports, gone with the test.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use osgraph::run::docker::endpoint::choose;
use osgraph::run::docker::{Service, Session, Surroundings};
use serde_json::Value;

/// A program that runs beside a test.
pub struct Beside {
    child: Child,
    log: PathBuf,
}

impl Beside {
    pub fn start(command: &mut Command, log: &Path) -> Self {
        let file = fs::File::create(log).unwrap();
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { child, log: log.to_owned() }
    }

    /// Waits until it is ready.
    pub fn until(mut self, ready: impl Fn() -> bool) -> Self {
        let start = Instant::now();
        while !ready() {
            let ended = self.child.try_wait().unwrap();
            if ended.is_some() || start.elapsed() > Duration::from_secs(60) {
                panic!("not ready ({ended:?}): {}", fs::read_to_string(&self.log).unwrap_or_default());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self
    }
}

impl Beside {
    /// Ends it with a signal that leaves it no time for anything.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_some()) {
            return;
        }
        // With a signal that lets it take its own children along.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let start = Instant::now();
        while self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            if start.elapsed() > Duration::from_secs(20) {
                let _ = self.child.kill();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Runs a program to its end, which must be a good one, and yields what it printed.
pub fn do_now(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// A port that nobody listens at.
pub fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

pub fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

pub fn write_program(path: &Path, text: &str) {
    write(path, text);
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// `ca.pem`, `cert.pem` and `key.pem` of a client, and the same with `server-` of 127.0.0.1.
pub fn certificates(folder: &Path) {
    let openssl = |line: &str| {
        do_now(Command::new("openssl").args(line.split(' ')).current_dir(folder));
    };
    openssl("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca-key.pem -out ca.pem");
    for (prefix, name, extension) in [
        ("", "client", "extendedKeyUsage=clientAuth"),
        ("server-", "127.0.0.1", "subjectAltName=IP:127.0.0.1"),
    ] {
        write(&folder.join("extension"), extension);
        openssl(&format!(
            "req -newkey rsa:2048 -nodes -subj /CN={name} -keyout {prefix}key.pem -out request.pem"
        ));
        openssl(&format!(
            "x509 -req -in request.pem -CA ca.pem -CAkey ca-key.pem -days 2 -extfile extension \
             -out {prefix}cert.pem"
        ));
    }
}

/// A network bridge of its own, gone with the test.
pub struct Bridge(String);

impl Bridge {
    fn new(name: &str) -> Self {
        do_now(Command::new("ip").args(["link", "add", name, "type", "bridge"]));
        Self(name.to_owned())
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["link", "delete", &self.0]).status();
    }
}

/// A Docker engine that listens with TLS only, in a folder with [`certificates`]. Its address.
pub fn engine_with_tls(folder: &Path) -> (Beside, Bridge, String) {
    let host = format!("tcp://127.0.0.1:{}", free_port());
    let at = |name: &str| folder.join(name).display().to_string();
    let tls = ["--tlsverify", "--tlscacert", &at("ca.pem"), "--tlscert", &at("server-cert.pem")];
    let (engine, bridge) = engine(folder, &host, &[&tls[..], &["--tlskey", &at("server-key.pem")]].concat());
    (engine, bridge, host)
}

/// A disk in memory, gone with the test.
pub struct Disk(PathBuf);

impl Disk {
    fn new(folder: &Path, mebibytes: u32) -> Self {
        fs::create_dir(folder).unwrap();
        let size = format!("size={mebibytes}m");
        do_now(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "none"]).arg(folder));
        Self(folder.to_owned())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // What the engine mounted below may linger.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// A Docker engine with a disk of its own. Its address.
pub fn engine_with_disk(folder: &Path, mebibytes: u32) -> (Beside, Bridge, Disk, String) {
    let disk = Disk::new(&folder.join("data"), mebibytes);
    let host = format!("unix://{}", folder.join("socket").display());
    let (engine, bridge) = engine(folder, &host, &[]);
    (engine, bridge, disk, host)
}

/// A Docker engine in a folder, with this image of the machine's own engine. Its address.
pub fn engine_with_image(folder: &Path, image: &str) -> (Beside, Bridge, String) {
    let host = format!("unix://{}", folder.join("socket").display());
    let (engine, bridge) = engine(folder, &host, &[]);
    load_image(folder, &host, image);
    (engine, bridge, host)
}

/// Copies an image of the machine's own engine to the one in a folder.
pub fn load_image(folder: &Path, host: &str, image: &str) {
    let archive = folder.join("image.tar");
    do_now(Command::new("docker").arg("save").arg("--output").arg(&archive).arg(image));
    do_now(Command::new("docker").env("DOCKER_HOST", host).arg("load").arg("--input").arg(&archive));
}

/// A Docker engine in a folder.
fn engine(folder: &Path, host: &str, more: &[&str]) -> (Beside, Bridge) {
    // With `--bridge=none` an engine removes `docker0`, which is the machine's own engine's.
    let bridge = Bridge::new(&format!("osgt{}", free_port()));
    (start_engine(folder, host, &bridge, more), bridge)
}

/// The same again, after it ended.
pub fn start_engine(folder: &Path, host: &str, bridge: &Bridge, more: &[&str]) -> Beside {
    let at = |name: &str| folder.join(name).display().to_string();
    // The machine's own engine may have a configuration, which is not for this one.
    write(&folder.join("daemon.json"), "{}");
    let mut command = Command::new("dockerd");
    command.args(["--config-file", &at("daemon.json"), "--host", host]).args(more);
    command.args(["--data-root", &at("data"), "--exec-root", &at("exec")]);
    command.args(["--bridge", &bridge.0, "--iptables=false", "--ip-forward=false", "--ip-masq=false"]);
    command.args(["--pidfile", &at("pid"), "--storage-driver=vfs"]);
    Beside::start(&mut command, &folder.join("log"))
        .until(|| fs::read_to_string(folder.join("log")).unwrap().contains("API listen on"))
}

/// Podman's engine with a store of its own. Its socket.
pub fn podman(folder: &Path) -> (Beside, PathBuf) {
    let socket = folder.join("podman.sock");
    let mut command = Command::new("podman");
    command.arg("--root").arg(folder.join("root")).arg("--runroot").arg(folder.join("run"));
    command.args(["--storage-driver=vfs", "system", "service", "--time=0"]);
    command.arg(format!("unix://{}", socket.display()));
    let engine =
        Beside::start(&mut command, &folder.join("log")).until(|| UnixStream::connect(&socket).is_ok());
    (engine, socket)
}

/// An ssh server for whoever starts the test, and a program `ssh` in `bin` that knows it and leaves
/// its process number in `pid`. Its port.
pub fn ssh_server(folder: &Path) -> (Beside, u16) {
    let port = free_port();
    let at = |name: &str| folder.join(name).display().to_string();
    for key in ["host", "user"] {
        do_now(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", &at(key)]));
    }
    fs::create_dir_all("/run/sshd").unwrap();
    let lines = [
        format!("ListenAddress 127.0.0.1:{port}"),
        format!("HostKey {}", at("host")),
        format!("AuthorizedKeysFile {}", at("user.pub")),
        // An account without a password counts as locked otherwise.
        "UsePAM yes".to_owned(),
        "PermitRootLogin yes".to_owned(),
        "PasswordAuthentication no".to_owned(),
        "KbdInteractiveAuthentication no".to_owned(),
        "StrictModes no".to_owned(),
        "PidFile none".to_owned(),
    ];
    write(&folder.join("sshd_config"), &(lines.join("\n") + "\n"));
    let known = format!("[127.0.0.1]:{port} {}", fs::read_to_string(folder.join("host.pub")).unwrap());
    write(&folder.join("known"), &known);
    let lines = [
        format!("IdentityFile {}", at("user")),
        "IdentitiesOnly yes".to_owned(),
        format!("UserKnownHostsFile {}", at("known")),
        "StrictHostKeyChecking yes".to_owned(),
    ];
    write(&folder.join("ssh_config"), &(lines.join("\n") + "\n"));
    let script =
        format!("#!/bin/sh\necho $$ >>'{}'\nexec /usr/bin/ssh -F '{}' \"$@\"\n", at("pid"), at("ssh_config"));
    write_program(&folder.join("bin/ssh"), &script);
    let mut command = Command::new("/usr/sbin/sshd");
    command.args(["-D", "-e", "-f", &at("sshd_config")]);
    let server = Beside::start(&mut command, &folder.join("log"))
        .until(|| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    (server, port)
}

/// What `osgraph doctor --json` says with these variables, and its exit code.
pub fn doctor(variables: &[(&str, &str)]) -> (i32, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_osgraph"));
    command.args(["doctor", "--json"]).stdin(Stdio::null());
    for name in [
        "DOCKER_HOST",
        "DOCKER_CONTEXT",
        "DOCKER_CONFIG",
        "DOCKER_TLS",
        "DOCKER_TLS_VERIFY",
        "DOCKER_CERT_PATH",
    ] {
        command.env_remove(name);
    }
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let answer = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {}", String::from_utf8_lossy(&output.stderr));
    });
    (output.status.code().unwrap(), answer)
}

/// The engine that these variables name.
pub fn session(variables: &[(&str, &str)]) -> Session {
    let variables: Vec<_> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let service = Service::new(move || {
        choose(&Surroundings {
            variable: &|asked| {
                variables.iter().find(|(name, _)| name == asked).map(|(_, value)| value.clone())
            },
            read: &|path| fs::read(path),
        })
    });
    service.session().unwrap()
}

/// A tar archive with one folder and one file in it.
pub fn layer(text: &str) -> Vec<u8> {
    let mut layer = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Directory);
    header.set_mode(0o755);
    header.set_size(0);
    layer.append_data(&mut header, "folder/", std::io::empty()).unwrap();
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o751);
    header.set_size(text.len() as u64);
    layer.append_data(&mut header, "folder/file", text.as_bytes()).unwrap();
    layer.into_inner().unwrap()
}

/// The entries of a tar archive: path, mode, content.
pub fn entries(archive: impl Read) -> Vec<(String, u32, String)> {
    let mut archive = tar::Archive::new(archive);
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        (path, entry.header().mode().unwrap() & 0o777, text)
    });
    entries.collect()
}
