//! What `osgraph doctor` says. Plain data is handed in: this module knows no engine.

use serde::Serialize;

use crate::report::colour::Palette;
use crate::report::lines::word;
use crate::report::quantity::size;

/// Where an engine was looked for, and what answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Doctor {
    pub tried: Vec<Tried>,
    /// None where nothing answers.
    pub engine: Option<Engine>,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// A place that was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tried {
    /// Who named it.
    pub what: String,
    pub address: String,
    pub outcome: Outcome,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Answered,
    Absent,
    Failed,
}

/// The engine that would be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Engine {
    pub kind: String,
    pub version: String,
    pub api: String,
    pub os: String,
    pub arch: String,
    pub store: String,
    pub buildkit: bool,
    /// Its folder, on its machine.
    pub root: String,
    /// Bytes, where that is this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free_disk: Option<u64>,
}

/// `osgraph doctor`
pub fn doctor(doctor: &Doctor, palette: Palette) -> String {
    let Doctor { tried, engine, fault, help } = doctor;
    let line = |name: &str, text: &str| format!("{}  {text}\n", word(palette, name));
    let mut out = String::new();
    let wide =
        |part: fn(&Tried) -> &str| tried.iter().map(|one| part(one).chars().count()).max().unwrap_or(0);
    let (what, address) = (wide(|one| &one.what), wide(|one| &one.address));
    for one in tried {
        let outcome = match (one.outcome, &one.message) {
            (Outcome::Answered, _) => "answers",
            (Outcome::Absent, _) => "not there",
            (Outcome::Failed, message) => message.as_deref().unwrap_or("failed"),
        };
        out.push_str(&line("tried", &format!("{:what$}  {:address$}  {outcome}", one.what, one.address)));
    }
    if let Some(engine) = engine {
        let Engine { kind, version, api, os, arch, store, buildkit, root, free_disk } = engine;
        let free = free_disk.map(|bytes| format!(", {} free", size(bytes))).unwrap_or_default();
        out.push_str(&line("engine", &format!("{kind} {version}, API {api}, {os}/{arch}")));
        out.push_str(&line("images", &format!("{store} in `{root}`{free}")));
        out.push_str(&line("builds", if *buildkit { "with BuildKit" } else { "without BuildKit" }));
    }
    if let Some(fault) = fault {
        out.push_str(&line("failed", fault));
    }
    if let Some(help) = help {
        out.push_str(&line("help", help));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::json::answer;

    fn tried(what: &str, address: &str, outcome: Outcome, message: Option<&str>) -> Tried {
        let message = message.map(str::to_owned);
        Tried { what: what.into(), address: address.into(), outcome, message }
    }

    #[test]
    fn an_engine_is_described() {
        let report = Doctor {
            tried: vec![
                tried("Docker", "unix:///var/run/docker.sock", Outcome::Absent, None),
                tried("rootless Docker", "unix:///run/user/7/docker.sock", Outcome::Answered, None),
            ],
            engine: Some(Engine {
                kind: "Docker".into(),
                version: "28.2.2".into(),
                api: "1.50".into(),
                os: "linux".into(),
                arch: "amd64".into(),
                store: "classic (overlay2)".into(),
                buildkit: true,
                root: "/home/me/docker".into(),
                free_disk: Some(3 << 30),
            }),
            fault: None,
            help: None,
        };
        assert_eq!(
            doctor(&report, Palette::PLAIN),
            "\
tried     Docker           unix:///var/run/docker.sock     not there
tried     rootless Docker  unix:///run/user/7/docker.sock  answers
engine    Docker 28.2.2, API 1.50, linux/amd64
images    classic (overlay2) in `/home/me/docker`, 3.0 GiB free
builds    with BuildKit
"
        );
        assert!(answer(&report).contains(r#""engine":{"kind":"Docker","version":"28.2.2","#));
    }

    #[test]
    fn what_is_wrong_comes_with_its_mend() {
        let report = Doctor {
            tried: vec![tried("DOCKER_HOST", "tcp://h:1", Outcome::Failed, Some("refused"))],
            engine: None,
            fault: Some("nobody answers".into()),
            help: Some("start it".into()),
        };
        assert_eq!(
            doctor(&report, Palette::PLAIN),
            "\
tried     DOCKER_HOST  tcp://h:1  refused
failed    nobody answers
help      start it
"
        );
        assert_eq!(
            answer(&report),
            "{\"v\":1,\"tried\":[{\"what\":\"DOCKER_HOST\",\"address\":\"tcp://h:1\",\"outcome\":\"failed\",\
             \"message\":\"refused\"}],\"engine\":null,\"fault\":\"nobody answers\",\"help\":\"start it\"}\n"
        );
    }
}
