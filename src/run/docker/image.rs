//! The images of an engine: looking at them, naming them, taking them away.

use std::collections::HashMap;

use bollard::models::{HealthConfig, ImageConfig, ImageInspect};
use bollard::query_parameters::{ListImagesOptions, RemoveImageOptions, TagImageOptions};
use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::digest::Digest;
use crate::record;
use crate::run::docker::engine::Engine;
use crate::run::docker::error::EngineError;
use crate::run::docker::facts::StoreKind;
use crate::run::docker::image_digest::{HealthCheck, Platform, RuntimeConfig, image_digest};

/// How many images are asked about at a time.
const AT_A_TIME: usize = 16;

/// What an engine says of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFacts {
    /// The engine's own: `sha256:…`.
    pub id: String,
    /// The layers' digests before compression, the lowest first.
    pub diff_ids: Vec<String>,
    pub platform: Platform,
    pub config: RuntimeConfig,
    /// `repository:tag`, sorted.
    pub tags: Vec<String>,
    /// `repository@sha256:…`, where it came from a registry or went there.
    pub repo_digests: Vec<String>,
    pub bytes: u64,
}

impl ImageFacts {
    /// What counts downstream.
    pub fn digest(&self) -> Digest {
        image_digest(&self.diff_ids, &self.platform, &self.config)
    }

    /// As it is recorded.
    pub fn image(&self, store: &StoreKind) -> record::Image {
        record::Image {
            digest: self.digest(),
            id: self.id.clone(),
            platform: self.platform.to_string(),
            diff_ids: self.diff_ids.clone(),
            store: store.to_string(),
            config: store.id_is_configuration().then(|| self.id.clone()),
            kept: None,
        }
    }
}

/// An image in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub id: String,
    pub tags: Vec<String>,
    pub labels: HashMap<String, String>,
    pub bytes: u64,
    /// Seconds since 1970.
    pub created: i64,
}

impl Engine {
    /// An image by id or reference; none where the engine has no such image.
    pub async fn inspect(&self, image: &str) -> Result<Option<ImageFacts>, EngineError> {
        match self.docker().inspect_image(image).await {
            Ok(found) => facts(found).map(Some),
            Err(error) => absent(self.fault(&format!("inspect the image `{image}`"), error)).map(|()| None),
        }
    }

    /// Many images at once, in the order in which they were asked for.
    pub async fn inspect_all(&self, images: &[&str]) -> Result<Vec<Option<ImageFacts>>, EngineError> {
        stream::iter(images.iter().map(|image| self.inspect(image))).buffered(AT_A_TIME).try_collect().await
    }

    /// Gives an image a further name; one that another image has moves here.
    pub async fn tag(&self, image: &str, name: &str) -> Result<(), EngineError> {
        let (repo, tag) = split_name(name);
        let options = TagImageOptions { repo: Some(repo.to_owned()), tag: Some(tag.to_owned()) };
        let tagged = self.docker().tag_image(image, Some(options)).await;
        tagged.map_err(|error| self.fault(&format!("tag the image `{image}` as `{name}`"), error))
    }

    /// Takes a name away, and says whether it was there. An image whose last name it is goes with
    /// it: engines know no other way. Look at [`ImageFacts::tags`] before.
    pub async fn untag(&self, name: &str) -> Result<bool, EngineError> {
        let (repo, tag) = split_name(name);
        self.delete(&format!("{repo}:{tag}"), false).await
    }

    /// Removes an image with all its names, and says whether it was there. The caller has to know
    /// that it is ours. Layers that others need stay.
    pub async fn remove(&self, id: &str) -> Result<bool, EngineError> {
        self.delete(id, true).await
    }

    async fn delete(&self, image: &str, force: bool) -> Result<bool, EngineError> {
        // Parents without a name may be somebody's, so they are never removed on the way.
        let options = RemoveImageOptions { force, noprune: true, platforms: None };
        match self.docker().remove_image(image, Some(options), None).await {
            Ok(_) => Ok(true),
            Err(error) => absent(self.fault(&format!("remove the image `{image}`"), error)).map(|()| false),
        }
    }

    /// All images with a label, given as `name` or `name=value`.
    pub async fn list_labelled(&self, label: &str) -> Result<Vec<Listed>, EngineError> {
        self.list("label", label).await
    }

    pub(super) async fn list(&self, filter: &str, value: &str) -> Result<Vec<Listed>, EngineError> {
        let filters = HashMap::from([(filter.to_owned(), vec![value.to_owned()])]);
        let options = ListImagesOptions { all: false, filters: Some(filters), ..Default::default() };
        let found = self.docker().list_images(Some(options)).await;
        let found = found.map_err(|error| self.fault("list its images", error))?;
        let listed = found.into_iter().map(|one| Listed {
            id: with_algorithm(one.id),
            tags: tags(one.repo_tags),
            labels: one.labels,
            bytes: one.size.try_into().unwrap_or(0),
            created: one.created,
        });
        Ok(listed.collect())
    }
}

/// Passes over "there is no such thing".
pub(super) fn absent(error: EngineError) -> Result<(), EngineError> {
    match error {
        EngineError::Refused { status: 404, .. } => Ok(()),
        error => Err(error),
    }
}

/// `registry:5000/name` and `tag`, which is `latest` where none is given.
fn split_name(name: &str) -> (&str, &str) {
    match name.rsplit_once(':') {
        Some((repo, tag)) if !tag.contains('/') => (repo, tag),
        _ => (name, "latest"),
    }
}

/// Podman leaves the algorithm out.
fn with_algorithm(id: String) -> String {
    if id.contains(':') { id } else { format!("sha256:{id}") }
}

/// Names as people write them. Engines show an image without a name as one with a strange name, and
/// Podman spells out whose the others are.
fn tags(list: Vec<String>) -> Vec<String> {
    let plain = |tag: String| match tag.strip_prefix("docker.io/") {
        Some(rest) => rest.strip_prefix("library/").unwrap_or(rest).to_owned(),
        None => tag,
    };
    let mut tags: Vec<_> = list.into_iter().filter(|tag| tag != "<none>:<none>").map(plain).collect();
    tags.sort();
    tags
}

fn facts(image: ImageInspect) -> Result<ImageFacts, EngineError> {
    let lacks = |what: &str| EngineError::failed("understand the engine", format!("an image has no {what}"));
    let platform = Platform::new(
        &image.os.filter(|os| !os.is_empty()).ok_or_else(|| lacks("operating system"))?,
        &image.architecture.filter(|arch| !arch.is_empty()).ok_or_else(|| lacks("architecture"))?,
        &image.variant.unwrap_or_default(),
    );
    Ok(ImageFacts {
        id: with_algorithm(image.id.ok_or_else(|| lacks("id"))?),
        diff_ids: image.root_fs.and_then(|root| root.layers).unwrap_or_default(),
        platform,
        config: runtime(image.config.unwrap_or_default()),
        tags: tags(image.repo_tags.unwrap_or_default()),
        repo_digests: image.repo_digests.unwrap_or_default(),
        bytes: image.size.and_then(|size| size.try_into().ok()).unwrap_or(0),
    })
}

fn runtime(config: ImageConfig) -> RuntimeConfig {
    // `args_escaped` is for Windows alone.
    let ImageConfig {
        user,
        exposed_ports,
        env,
        cmd,
        healthcheck,
        args_escaped: _,
        volumes,
        working_dir,
        entrypoint,
        on_build,
        labels,
        stop_signal,
        shell,
    } = config;
    RuntimeConfig {
        env: env.unwrap_or_default(),
        entrypoint: entrypoint.unwrap_or_default(),
        cmd: cmd.unwrap_or_default(),
        user: user.unwrap_or_default(),
        workdir: working_dir.unwrap_or_default(),
        ports: exposed_ports.unwrap_or_default().into_iter().collect(),
        volumes: volumes.unwrap_or_default().into_iter().collect(),
        labels: labels.unwrap_or_default().into_iter().collect(),
        stop_signal: stop_signal.unwrap_or_default(),
        health_check: health_check(healthcheck.unwrap_or_default()),
        on_build: on_build.unwrap_or_default(),
        shell: shell.unwrap_or_default(),
    }
}

fn health_check(check: HealthConfig) -> HealthCheck {
    let HealthConfig { test, interval, timeout, retries, start_period, start_interval } = check;
    HealthCheck {
        test: test.unwrap_or_default(),
        interval: interval.unwrap_or_default(),
        timeout: timeout.unwrap_or_default(),
        start_period: start_period.unwrap_or_default(),
        start_interval: start_interval.unwrap_or_default(),
        retries: retries.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_at_the_tag() {
        assert_eq!(split_name("a"), ("a", "latest"));
        assert_eq!(split_name("a:1"), ("a", "1"));
        assert_eq!(split_name("host:5000/a"), ("host:5000/a", "latest"));
        assert_eq!(split_name("host:5000/a:1"), ("host:5000/a", "1"));
    }

    #[test]
    fn names_are_those_that_people_write() {
        let shown = ["<none>:<none>", "a:1", "docker.io/library/a:2", "docker.io/b/a:3", "localhost/a:4"];
        assert_eq!(tags(shown.map(str::to_owned).into()), ["a:1", "a:2", "b/a:3", "localhost/a:4"]);
    }

    #[test]
    fn an_image_is_read_from_what_the_engine_says() {
        let json = r#"{"Id":"sha256:1","RepoTags":["a:1"],"RepoDigests":[],"Architecture":"arm64","Variant":"v8",
            "Os":"linux","Size":7,"RootFS":{"Type":"layers","Layers":["sha256:l"]},
            "Config":{"User":"u","ExposedPorts":{"80/tcp":{}},"Env":["A=1"],"Cmd":null,"Volumes":{"/v":{}},
            "WorkingDir":"/w","Entrypoint":["/e"],"OnBuild":null,"Labels":{"k":"v"},"StopSignal":"9",
            "Healthcheck":{"Test":["CMD","x"],"Interval":5},"Shell":["/bin/sh"]}}"#;
        let found = facts(serde_json::from_str(json).unwrap()).unwrap();
        assert_eq!(
            found.config,
            RuntimeConfig {
                env: vec!["A=1".into()],
                entrypoint: vec!["/e".into()],
                cmd: vec![],
                user: "u".into(),
                workdir: "/w".into(),
                ports: ["80/tcp".into()].into(),
                volumes: ["/v".into()].into(),
                labels: [("k".into(), "v".into())].into(),
                stop_signal: "9".into(),
                health_check: HealthCheck {
                    test: vec!["CMD".into(), "x".into()],
                    interval: 5,
                    ..Default::default()
                },
                on_build: vec![],
                shell: vec!["/bin/sh".into()],
            }
        );
        let recorded = found.image(&StoreKind::Classic("overlay2".into()));
        assert_eq!(recorded.platform, "linux/arm64");
        assert_eq!((recorded.id.as_str(), recorded.config.as_deref()), ("sha256:1", Some("sha256:1")));
        assert_eq!(found.image(&StoreKind::Containerd).config, None);
        assert_eq!(found.image(&StoreKind::Containerd).digest, recorded.digest);
    }
}
