//! A build in BuildKit's words. Pure.

use std::collections::HashMap;

use bollard::moby::buildkit::v1::{CacheOptions, CacheOptionsEntry, Exporter, SolveRequest};

use crate::run::docker::buildkit::build::{Build, Output};
use crate::run::docker::buildkit::error::BuildError;
use crate::run::docker::buildkit::layer_cache::CacheEntry;

/// How the Dockerfile is called on the way; messages of the engine show it.
pub(super) const DOCKERFILE: &str = "Dockerfile";

const FRONTEND: &str = "dockerfile.v0";

/// `id` names this build among the engine's, `session` the connection that serves it.
pub(super) fn request(build: &Build, id: &str, session: &str) -> Result<SolveRequest, BuildError> {
    let imports = entries(&build.cache_from)?;
    let exports = entries(&build.cache_to)?;
    let (exporter, attrs) = exporter(&build.output);
    let exporters = match exporter {
        "" => Vec::new(),
        kind => vec![Exporter { r#type: kind.to_owned(), attrs: attrs.clone() }],
    };
    let host = build.network.as_deref() == Some("host");
    Ok(SolveRequest {
        r#ref: id.to_owned(),
        session: session.to_owned(),
        frontend: FRONTEND.to_owned(),
        frontend_attrs: frontend(build, &imports),
        entitlements: if host { vec!["network.host".to_owned()] } else { Vec::new() },
        cache: Some(CacheOptions { exports, imports, ..CacheOptions::default() }),
        // Older engines read these, newer ones the list.
        exporter_deprecated: exporter.to_owned(),
        exporter_attrs_deprecated: attrs,
        exporters,
        ..SolveRequest::default()
    })
}

fn frontend(build: &Build, imports: &[CacheOptionsEntry]) -> HashMap<String, String> {
    let mut attrs = HashMap::new();
    let mut set = |key: &str, value: &str| {
        attrs.insert(key.to_owned(), value.to_owned());
    };
    set("filename", DOCKERFILE);
    // A frontend that was started by another one does not look for a `# syntax=` line, which would
    // pull an image; the engine's own frontend is used.
    set("cmdline", FRONTEND);
    if let Some(epoch) = build.source_date_epoch {
        set("build-arg:SOURCE_DATE_EPOCH", &epoch.to_string());
    }
    for (name, value) in &build.args {
        set(&format!("build-arg:{name}"), value);
    }
    for (name, value) in &build.labels {
        set(&format!("label:{name}"), value);
    }
    if let Some(target) = &build.target {
        set("target", target);
    }
    if let Some(platform) = &build.platform {
        set("platform", platform);
    }
    if let Some(network) = &build.network {
        set("force-network-mode", network);
    }
    if build.no_cache {
        // No name of a stage means all.
        set("no-cache", "");
    }
    if !build.add_hosts.is_empty() {
        let hosts: Vec<String> = build.add_hosts.iter().map(|(name, ip)| format!("{name}={ip}")).collect();
        set("add-hosts", &hosts.join(","));
    }
    if !imports.is_empty() {
        let imports =
            imports.iter().map(|entry| serde_json::json!({"Type": entry.r#type, "Attrs": entry.attrs}));
        set("cache-imports", &serde_json::Value::from_iter(imports).to_string());
    }
    attrs
}

fn exporter(output: &Output) -> (&'static str, HashMap<String, String>) {
    match output {
        Output::Nothing => ("", HashMap::new()),
        Output::Tar(_) => ("tar", HashMap::new()),
        Output::Image { tags } if tags.is_empty() => ("moby", HashMap::new()),
        Output::Image { tags } => ("moby", HashMap::from([("name".to_owned(), tags.join(","))])),
    }
}

fn entries(texts: &[String]) -> Result<Vec<CacheOptionsEntry>, BuildError> {
    let entry = |text: &String| {
        let CacheEntry { kind, attrs } = CacheEntry::parse(text)?;
        Ok(CacheOptionsEntry { r#type: kind, attrs: attrs.into_iter().collect() })
    };
    texts.iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::run::docker::buildkit::context::{Context, OneFile};

    fn plain() -> Build {
        let context: Arc<dyn Context> = Arc::new(OneFile::new("file", b"x".to_vec()));
        Build::new(context, "FROM scratch", "id")
    }

    fn attrs(build: &Build) -> String {
        let request = request(build, "build", "session").unwrap();
        let sorted: BTreeMap<_, _> = request.frontend_attrs.into_iter().collect();
        format!("{sorted:?}")
    }

    #[test]
    fn a_plain_build_asks_for_nothing_special() {
        assert_eq!(attrs(&plain()), r#"{"cmdline": "dockerfile.v0", "filename": "Dockerfile"}"#);
        let request = request(&plain(), "build", "session").unwrap();
        assert_eq!((request.r#ref.as_str(), request.session.as_str()), ("build", "session"));
        assert!(request.exporters.is_empty() && request.entitlements.is_empty());
    }

    #[test]
    fn every_option_arrives() {
        let mut build = plain();
        let pair = |a: &str, b: &str| vec![(a.to_owned(), b.to_owned())];
        build.args = pair("A", "1");
        build.labels = pair("l", "2");
        build.target = Some("t".to_owned());
        build.platform = Some("linux/arm64".to_owned());
        build.network = Some("host".to_owned());
        build.add_hosts = pair("h", "10.0.0.1");
        build.no_cache = true;
        build.source_date_epoch = Some(7);
        build.cache_from = vec!["r/c".to_owned()];
        build.cache_to = vec!["type=inline".to_owned()];
        build.output = Output::Image { tags: vec!["a:1".to_owned(), "b:2".to_owned()] };
        let shown = attrs(&build);
        for part in [
            r#""build-arg:A": "1""#,
            r#""label:l": "2""#,
            r#""target": "t""#,
            r#""platform": "linux/arm64""#,
            r#""force-network-mode": "host""#,
            r#""add-hosts": "h=10.0.0.1""#,
            r#""no-cache": """#,
            r#""build-arg:SOURCE_DATE_EPOCH": "7""#,
            r#""cache-imports": "[{\"Attrs\":{\"ref\":\"r/c\"},\"Type\":\"registry\"}]""#,
        ] {
            assert!(shown.contains(part), "{part} in {shown}");
        }
        let request = request(&build, "build", "session").unwrap();
        assert_eq!(request.entitlements, ["network.host"]);
        assert_eq!(request.cache.unwrap().exports[0].r#type, "inline");
        assert_eq!(request.exporter_deprecated, "moby");
        assert_eq!(request.exporters[0].attrs["name"], "a:1,b:2");
    }
}
