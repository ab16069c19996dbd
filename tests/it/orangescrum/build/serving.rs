//! The program at work, asked with `curl`.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::docker::bootstrap::do_now;
use crate::docker::engine::{docker, try_docker};
use crate::docker::world::free_port;

/// An answer: status, head in lower case, body.
pub type Answer = (u16, String, String);

/// Where something serves.
pub struct Site {
    pub host: String,
    pub port: u16,
}

impl Site {
    fn curl(&self, target: &str, args: &[&str]) -> Option<String> {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--include", "--path-as-is", "--noproxy", "*", "--max-time", "20"]).args(args);
        let output = curl.arg(format!("http://{}:{}{target}", self.host, self.port)).output();
        let output = output.expect("Debian: curl");
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    #[track_caller]
    pub fn get(&self, target: &str, args: &[&str]) -> Answer {
        let answer = self.curl(target, args).unwrap_or_else(|| panic!("{target}: no answer"));
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_lowercase(), body.to_owned())
    }

    /// What PHP knows of its settings.
    #[track_caller]
    pub fn config(&self) -> Value {
        let (status, _, body) = self.get("/config", &[]);
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    fn wait(&self, log: &dyn Fn() -> String) {
        let start = Instant::now();
        while self.curl("/healthz", &[]).is_none() {
            assert!(start.elapsed() < Duration::from_secs(120), "nobody listens: {}", log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// A server of this machine.
pub struct Serving {
    process: Child,
    pub site: Site,
    tmp: tempfile::TempDir,
}

impl Serving {
    /// Starts a command that serves, without anything of this machine's environment. `port` is the variable that
    /// says where.
    pub fn start(command: &mut Command, port: &str, env: &[(&str, &str)]) -> Self {
        let tmp = tempfile::tempdir().unwrap();
        let site = Site { host: "127.0.0.1".to_owned(), port: free_port() };
        command.env_clear().env("PATH", "/usr/bin:/bin").env("TMPDIR", tmp.path()).env("HOME", tmp.path());
        command.env("APP_BIND_IP", "127.0.0.1").envs(env.iter().copied()).env(port, site.port.to_string());
        let log = fs::File::create(tmp.path().join("log")).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let process = command.spawn().unwrap();
        let serving = Self { process, site, tmp };
        serving.site.wait(&|| fs::read_to_string(serving.tmp.path().join("log")).unwrap());
        serving
    }

    /// Whether it answers at another address of this machine, too.
    pub fn listens_at(&self, address: Ipv4Addr) -> bool {
        TcpStream::connect(SocketAddr::from((address, self.site.port))).is_ok()
    }

    /// Ends it as a service manager does. What it leaves of the application.
    pub fn end(mut self) -> Vec<PathBuf> {
        do_now(Command::new("kill").arg(self.process.id().to_string()));
        let start = Instant::now();
        while self.process.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < Duration::from_secs(60), "it does not end");
            std::thread::sleep(Duration::from_millis(50));
        }
        let inside = fs::read_dir(self.tmp.path()).unwrap().map(|one| one.unwrap().path());
        inside.filter(|path| path.to_string_lossy().contains("frankenphp_")).collect()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A server in a container, gone with the test.
pub struct Contained {
    pub id: String,
    pub site: Site,
}

impl Contained {
    /// `docker run` with these arguments: options, image, command. It must serve at 8080.
    pub fn start(args: &[&str]) -> Self {
        let id = docker(&[&["run", "--detach", "--init"], args].concat());
        let mut started = Self { id, site: Site { host: String::new(), port: 8080 } };
        started.site.host = started.inspect("{{.NetworkSettings.IPAddress}}");
        started.site.wait(&|| {
            let said = try_docker(&["logs", &started.id]);
            String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned()
        });
        started
    }

    pub fn inspect(&self, format: &str) -> String {
        docker(&["inspect", "--format", format, &self.id])
    }

    /// What a command in it prints, which must succeed.
    #[track_caller]
    pub fn exec(&self, args: &[&str]) -> String {
        docker(&[&["exec", &self.id], args].concat())
    }
}

impl Drop for Contained {
    fn drop(&mut self) {
        let _ = try_docker(&["rm", "--force", "--volumes", &self.id]);
    }
}
