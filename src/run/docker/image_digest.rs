//! What an image is: the digest that counts downstream, the same in every engine.
//!
//! Pure. Ids are left out: they are the digests of configurations or of manifests, depending on how
//! an engine keeps its images, and hold times and histories. So is everything that says how an image
//! came about. What is in it, for which machine, and how it is run by default, is all that counts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::canonical::put_text;
use crate::digest::Digest;

/// Opens the canonical bytes. Another text for another meaning; see the golden tests.
const VERSION: &str = "osgraph image 1";

/// Labels of ours, which say where an image came from and not what it is.
const OUR_LABELS: &str = "org.osgraph";

/// The machine that an image is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Platform {
    pub os: String,
    pub arch: String,
    /// Empty where the architecture has one only.
    pub variant: String,
}

impl Platform {
    /// As OCI registries spell it: the variant that everybody means is left out.
    pub fn new(os: &str, arch: &str, variant: &str) -> Self {
        let variant = match (arch, variant) {
            ("arm64", "v8") | ("amd64", "v1") => "",
            (_, variant) => variant,
        };
        Self { os: os.to_owned(), arch: arch.to_owned(), variant: variant.to_owned() }
    }
}

/// `os/arch[/variant]`
impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { os, arch, variant } = self;
        write!(f, "{os}/{arch}")?;
        if variant.is_empty() { Ok(()) } else { write!(f, "/{variant}") }
    }
}

/// How an image is run, and built upon, by default. What is absent is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuntimeConfig {
    /// `NAME=value`
    pub env: Vec<String>,
    pub entrypoint: Vec<String>,
    pub cmd: Vec<String>,
    pub user: String,
    pub workdir: String,
    pub ports: BTreeSet<String>,
    pub volumes: BTreeSet<String>,
    pub labels: BTreeMap<String, String>,
    pub stop_signal: String,
    pub health_check: HealthCheck,
    pub on_build: Vec<String>,
    pub shell: Vec<String>,
}

/// Nanoseconds, as engines have it; 0 is the engine's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HealthCheck {
    pub test: Vec<String>,
    pub interval: i64,
    pub timeout: i64,
    pub start_period: i64,
    pub start_interval: i64,
    pub retries: i64,
}

/// The digest of layers, in order, of the platform and of the configuration.
pub fn image_digest(diff_ids: &[String], platform: &Platform, config: &RuntimeConfig) -> Digest {
    Digest::of(&canonical(diff_ids, platform, config))
}

fn canonical(diff_ids: &[String], platform: &Platform, config: &RuntimeConfig) -> Vec<u8> {
    let mut out = Vec::new();
    put_text(&mut out, VERSION);
    put_list(&mut out, diff_ids);
    let Platform { os, arch, variant } = platform;
    put_text(&mut out, os);
    put_text(&mut out, arch);
    put_text(&mut out, variant);
    let RuntimeConfig {
        env,
        entrypoint,
        cmd,
        user,
        workdir,
        ports,
        volumes,
        labels,
        stop_signal,
        health_check,
        on_build,
        shell,
    } = config;
    // The environment is a map. Should a name be there twice, their order stays: the last one wins.
    let mut sorted: Vec<&String> = env.iter().collect();
    sorted.sort_by_key(|line| line.split('=').next());
    put_list(&mut out, sorted);
    put_list(&mut out, entrypoint);
    put_list(&mut out, cmd);
    put_text(&mut out, user);
    // Engines differ in which of the two they write where none was given.
    put_text(&mut out, if workdir == "/" { "" } else { workdir });
    put_list(&mut out, ports);
    put_list(&mut out, volumes);
    let labels = labels.iter().filter(|(name, _)| !is_ours(name));
    put_list(&mut out, labels.flat_map(|(name, value)| [name, value]));
    put_text(&mut out, stop_signal);
    let HealthCheck { test, interval, timeout, start_period, start_interval, retries } = health_check;
    put_list(&mut out, test);
    for number in [interval, timeout, start_period, start_interval, retries] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    put_list(&mut out, on_build);
    put_list(&mut out, shell);
    out
}

fn is_ours(label: &str) -> bool {
    label.strip_prefix(OUR_LABELS).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// A u32 count and that many texts.
fn put_list<'a>(out: &mut Vec<u8>, list: impl IntoIterator<Item = &'a String>) {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    let mut count: u32 = 0;
    for text in list {
        put_text(out, text);
        count += 1;
    }
    out[at..at + 4].copy_from_slice(&count.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(list: &[&str]) -> Vec<String> {
        list.iter().map(|text| (*text).to_owned()).collect()
    }

    fn sample() -> (Vec<String>, Platform, RuntimeConfig) {
        let config = RuntimeConfig {
            env: texts(&["PATH=/bin", "LANG=C"]),
            entrypoint: texts(&["/bin/app"]),
            cmd: texts(&["serve", "--all"]),
            user: "app:app".into(),
            workdir: "/srv".into(),
            ports: texts(&["80/tcp", "443/tcp"]).into_iter().collect(),
            volumes: texts(&["/data"]).into_iter().collect(),
            labels: [("version".to_owned(), "1".to_owned())].into(),
            stop_signal: "SIGINT".into(),
            health_check: HealthCheck {
                test: texts(&["CMD", "/bin/ok"]),
                interval: 1,
                timeout: 2,
                start_period: 3,
                start_interval: 4,
                retries: 5,
            },
            on_build: texts(&["RUN true"]),
            shell: texts(&["/bin/sh", "-c"]),
        };
        (texts(&["sha256:aa", "sha256:bb"]), Platform::new("linux", "arm", "v7"), config)
    }

    fn digest(change: impl FnOnce(&mut Vec<String>, &mut Platform, &mut RuntimeConfig)) -> Digest {
        let (mut layers, mut platform, mut config) = sample();
        change(&mut layers, &mut platform, &mut config);
        image_digest(&layers, &platform, &config)
    }

    #[test]
    fn golden() {
        assert_eq!(
            digest(|_, _, _| {}).hex(),
            "5b6d3b8b74f49491627c3918b85afa6d38fc47da52a6866337dc0b850285e148"
        );
        assert_eq!(
            image_digest(&[], &Platform::default(), &RuntimeConfig::default()).hex(),
            "e402e478c6e2fc8c87e5785cfa8d3eb70faaffd1b248f117d154157736098a83"
        );
    }

    #[test]
    fn each_part_counts() {
        type Change = fn(&mut Vec<String>, &mut Platform, &mut RuntimeConfig);
        let changes: &[Change] = &[
            |_, _, _| {},
            |layers, _, _| layers.swap(0, 1),
            |layers, _, _| layers.truncate(1),
            |_, platform, _| platform.os = "windows".into(),
            |_, platform, _| platform.arch = "arm64".into(),
            |_, platform, _| platform.variant = "v6".into(),
            |_, _, config| config.env[0].push('2'),
            |_, _, config| config.entrypoint.push("x".into()),
            |_, _, config| config.cmd.swap(0, 1),
            |_, _, config| config.user = "root".into(),
            |_, _, config| config.workdir = String::new(),
            |_, _, config| drop(config.ports.pop_first()),
            |_, _, config| drop(config.volumes.pop_first()),
            |_, _, config| drop(config.labels.insert("version".into(), "2".into())),
            |_, _, config| drop(config.labels.insert("org.osgraphical".into(), "2".into())),
            |_, _, config| config.stop_signal = "SIGTERM".into(),
            |_, _, config| config.health_check.test.clear(),
            |_, _, config| config.health_check.interval = 0,
            |_, _, config| config.health_check.timeout = 0,
            |_, _, config| config.health_check.start_period = 0,
            |_, _, config| config.health_check.start_interval = 0,
            |_, _, config| config.health_check.retries = 0,
            |_, _, config| config.on_build.clear(),
            |_, _, config| config.shell.clear(),
            // One list's end is not another's beginning.
            |_, _, config| config.cmd.insert(0, config.entrypoint.pop().unwrap()),
        ];
        let mut seen: Vec<Digest> = changes.iter().map(|change| digest(change)).collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), changes.len());
    }

    #[test]
    fn what_is_no_difference_does_not_count() {
        let plain = digest(|_, _, _| {});
        assert_eq!(digest(|_, _, config| config.env.reverse()), plain);
        let label = |name: &str, config: &mut RuntimeConfig| {
            config.labels.insert(name.to_owned(), "x".to_owned());
        };
        assert_eq!(digest(|_, _, config| label("org.osgraph", config)), plain);
        assert_eq!(digest(|_, _, config| label("org.osgraph.node", config)), plain);
        let root = digest(|_, _, config| config.workdir = "/".into());
        assert_eq!(root, digest(|_, _, config| config.workdir.clear()));
        let twice = |lines: &[&str]| digest(|_, _, config| config.env = texts(lines));
        assert_ne!(twice(&["A=1", "A=2"]), twice(&["A=2", "A=1"]));
    }

    #[test]
    fn platforms_are_spelled_one_way() {
        assert_eq!(Platform::new("linux", "arm64", "v8").to_string(), "linux/arm64");
        assert_eq!(Platform::new("linux", "amd64", "").to_string(), "linux/amd64");
        assert_eq!(Platform::new("linux", "arm", "v7").to_string(), "linux/arm/v7");
    }
}
