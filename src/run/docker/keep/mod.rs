//! An image's layers in the store, and back into an engine.
//!
//! An engine's archive goes through `save` as a stream: what is kept is a tree with `config.json`
//! and `layers/0000.tar` and so on, the lowest first, uncompressed, so that images that share layers
//! share their contents. [`load()`] makes an archive of such a tree that every engine takes. Neither
//! holds a layer in memory. Knows nothing of nodes and records: who names the tree keeps it.
//!
//! A layer that the engine has already is sent to it again: its interface takes whole images only.

mod error;
mod load;
mod parts;
mod pieces;
mod save;

#[cfg(test)]
mod tests;

pub use error::KeepError;
pub use load::load;
pub use save::keep;

/// Where the configuration stands in the tree.
const CONFIG: &str = "config.json";
/// The folder of the layers.
const LAYERS: &str = "layers";

/// The part of an image's configuration that names its layers.
#[derive(serde::Deserialize)]
struct Config {
    rootfs: RootFs,
}

#[derive(serde::Deserialize)]
struct RootFs {
    #[serde(default)]
    diff_ids: Vec<String>,
}

/// `sha256:…` of an image's configuration, and its layers' digests before compression.
fn read_config(bytes: &[u8]) -> Result<(String, Vec<String>), String> {
    use sha2::Digest as _;
    let config: Config = serde_json::from_slice(bytes)
        .map_err(|error| format!("its configuration cannot be read: {error}"))?;
    Ok((sha256(&sha2::Sha256::digest(bytes)), config.rootfs.diff_ids))
}

/// A digest as images have it.
fn sha256(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}
