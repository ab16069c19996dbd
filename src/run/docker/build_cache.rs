//! The records of an engine's build cache: what there is, and how to be rid of some.
//!
//! They carry no labels, so whose they are cannot be told; nothing here removes what was not named.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bollard::query_parameters::PruneBuildOptions;
use serde::Deserialize;

use crate::run::docker::engine::Engine;
use crate::run::docker::error::EngineError;
use crate::run::docker::facts::ApiVersion;

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CacheRecord {
    #[serde(rename = "ID")]
    pub id: String,
    /// `regular`, `source.local`, `exec.cachemount`, …
    #[serde(default, rename = "Type")]
    pub kind: String,
    /// The step that made it, in BuildKit's words.
    #[serde(default, rename = "Description")]
    pub description: String,
    #[serde(default, rename = "Size")]
    pub bytes: u64,
    /// A build or an image needs it right now.
    #[serde(default, rename = "InUse")]
    pub in_use: bool,
    /// Its bytes are also those of an image or of another record.
    #[serde(default, rename = "Shared")]
    pub shared: bool,
    #[serde(default, rename = "UsageCount")]
    pub uses: u64,
}

/// What a pruning removed, or would remove.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    pub ids: Vec<String>,
    pub bytes: u64,
}

#[derive(Deserialize)]
struct DiskUsage {
    #[serde(default, rename = "BuildCache")]
    records: Option<Vec<CacheRecord>>,
}

/// The first API that can be asked for the build cache alone.
const SELECTIVE: ApiVersion = ApiVersion { major: 1, minor: 42 };
/// The last API whose answer has the records in it without being asked to.
const PLAIN: ApiVersion = ApiVersion { major: 1, minor: 51 };

/// For how long others may keep an engine from measuring, and how often it is asked meanwhile.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(100);

/// Engines measure for one at a time, and refuse everybody else.
fn is_busy(error: &EngineError) -> bool {
    matches!(error, EngineError::Refused { message, .. } if message.contains("already running"))
}

impl Engine {
    /// All records of the build cache. Slow on engines before 23.0, which also measure everything
    /// else.
    pub async fn build_cache(&self) -> Result<Vec<CacheRecord>, EngineError> {
        let path = if self.api() < SELECTIVE { "/system/df" } else { "/system/df?type=build-cache" };
        let api = self.api().min(PLAIN);
        let path = format!("/v{api}{path}");
        let started = Instant::now();
        loop {
            match self.get::<DiskUsage>("list its build cache", &path).await {
                Ok(usage) => return Ok(usage.records.unwrap_or_default()),
                Err(error) if is_busy(&error) && started.elapsed() < PATIENCE => {
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Removes these records, but for those that are in use; with `dry_run` only says which that
    /// would be.
    pub async fn prune_build_cache(&self, ids: &[&str], dry_run: bool) -> Result<Pruned, EngineError> {
        let known = self.build_cache().await?;
        let wanted: Vec<_> = known.into_iter().filter(|one| ids.contains(&&*one.id) && !one.in_use).collect();
        if dry_run {
            let bytes = wanted.iter().filter(|one| !one.shared).map(|one| one.bytes).sum();
            return Ok(Pruned { ids: wanted.into_iter().map(|one| one.id).collect(), bytes });
        }
        let mut pruned = Pruned::default();
        // One at a time: engines refuse a filter with several ids.
        for record in wanted {
            let filters = HashMap::from([("id".to_owned(), vec![record.id])]);
            let options = PruneBuildOptions {
                all: Some(true),
                filters: Some(filters),
                reserved_space: None,
                max_used_space: None,
                min_free_space: None,
            };
            let found = self.docker().prune_build(Some(options)).await;
            let found = found.map_err(|error| self.fault("prune its build cache", error))?;
            pruned.ids.extend(found.caches_deleted.unwrap_or_default());
            pruned.bytes += found.space_reclaimed.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0);
        }
        Ok(pruned)
    }
}
