//! From a tree in the store to an image in an engine.

use std::collections::HashSet;
use std::io::{self, Read, Write};
use std::sync::Mutex;
use std::sync::PoisonError;

use hyper::{Method, Request};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::error::KeepError;
use super::pieces::{Outlet, pipe};
use super::{CONFIG, LAYERS, read_config};
use crate::digest::Digest;
use crate::path::RelPath;
use crate::run::docker::image::ImageFacts;
use crate::run::docker::service::Session;
use crate::run::docker::transfer::{Broken, Message, Transfer, Watch, follow};
use crate::store::{Store, StoreError};
use crate::tree::{Entry, TreeDigest};

/// What engines say before the id of an image that they took in.
const LOADED: [&str; 2] = ["Loaded image ID: ", "Loaded image: "];

/// An image in the store.
pub(super) struct KeptImage {
    pub config: Vec<u8>,
    /// `sha256:…` of it.
    pub config_digest: String,
    pub layers: Vec<KeptLayer>,
}

/// A layer in the store.
pub(super) struct KeptLayer {
    pub diff_id: String,
    pub digest: Digest,
    pub size: u64,
}

/// Puts an image back that [`super::keep`] took. It has no name afterwards. Its id is the one it had,
/// unless the engine's ids depend on compression, as in containerd's store.
pub fn load(
    session: &Session,
    store: &Store,
    tree: TreeDigest,
    watch: &mut Watch<'_>,
) -> Result<String, KeepError> {
    let kept = KeptImage::read(store, tree)?;
    let (cancel, total) = (watch.cancel, kept.layers.iter().map(|layer| layer.size).sum());
    let (outlet, pieces) = pipe(cancel);
    let progress = Mutex::new(&mut watch.progress);
    let (sent, answered) = std::thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let mut so_far = Transfer { done: 0, total };
            send(store, &kept, outlet, &mut |count| {
                so_far.done += count;
                (progress.lock().unwrap_or_else(PoisonError::into_inner))(so_far);
            })
        });
        let mut request = Request::new(bollard::body_try_stream(ReceiverStream::new(pieces).fuse()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = "http://docker/images/load?quiet=1".parse().unwrap_or_default();
        let content = hyper::header::HeaderValue::from_static("application/x-tar");
        request.headers_mut().insert(hyper::header::CONTENT_TYPE, content);
        let mut loaded = None;
        let answered = session.wait(async {
            let asked = session.engine().client().open("load an image", request);
            let answer = tokio::select! {
                answer = asked => answer?,
                () = cancel.cancelled() => return Err(KeepError::Cancelled),
            };
            let mut take = |message: &Message| {
                let named = LOADED.iter().find_map(|opening| message.stream.trim().strip_prefix(opening));
                loaded = named.map(str::to_owned).or(loaded.take());
            };
            follow(answer.into_body(), cancel, &mut take).await.map_err(|broken| match broken {
                Broken::Said(said) => KeepError::Refused(said),
                Broken::Lost(error) => crate::run::docker::EngineError::failed("load an image", error).into(),
                Broken::Cancelled => KeepError::Cancelled,
            })
        });
        let sent = sender.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (sent, answered.map(|()| loaded))
    });
    if cancel.is_cancelled() {
        return Err(KeepError::Cancelled);
    }
    // What broke on our side is why the engine complains.
    if let Err(SendError::Store(error)) = sent {
        return Err(error.into());
    }
    let loaded = answered?.unwrap_or_else(|| kept.config_digest.clone());
    check(session, &kept, &loaded)
}

/// Whether the engine has now what was kept.
fn check(session: &Session, kept: &KeptImage, loaded: &str) -> Result<String, KeepError> {
    let engine = session.engine();
    let found = session.wait(engine.inspect(loaded))?;
    let ImageFacts { id, diff_ids, .. } = found.ok_or_else(|| KeepError::NoImage(loaded.to_owned()))?;
    let is_same = diff_ids.iter().eq(kept.layers.iter().map(|layer| &layer.diff_id));
    let id_is_configuration = session.wait(engine.facts())?.store.id_is_configuration();
    if !is_same || (id_is_configuration && id != kept.config_digest) {
        return Err(KeepError::Differs { expected: kept.config_digest.clone(), found: id });
    }
    Ok(id)
}

impl KeptImage {
    pub(super) fn read(store: &Store, tree: TreeDigest) -> Result<Self, KeepError> {
        let lacks = |what: &str| KeepError::NoImageTree(format!("it has no `{what}`"));
        let whole = store.tree(tree)?;
        let root = RelPath::root();
        let Some(Entry::File { digest, .. }) = whole.get(&root.child(CONFIG)) else {
            return Err(lacks(CONFIG));
        };
        let config = store.read(&digest)?;
        let (config_digest, diff_ids) = read_config(&config).map_err(KeepError::NoImageTree)?;
        let mut layers = Vec::new();
        for (at, diff_id) in diff_ids.into_iter().enumerate() {
            let path = root.child(LAYERS).child(&format!("{at:04}.tar"));
            let Some(Entry::File { digest, size, .. }) = whole.get(&path) else {
                return Err(lacks(path.as_str()));
            };
            layers.push(KeptLayer { diff_id, digest, size });
        }
        Ok(Self { config, config_digest, layers })
    }

    /// Writes the archive that every engine takes: `manifest.json`, the configuration and each
    /// different layer once. `count` is told the bytes of layers.
    pub(super) fn write(
        &self,
        store: &Store,
        out: impl Write,
        count: &mut dyn FnMut(u64),
    ) -> Result<(), SendError> {
        let digits = |digest: &str| digest.rsplit(':').next().unwrap_or(digest).to_owned();
        let config_name = format!("{}.json", digits(&self.config_digest));
        let layer_name = |layer: &KeptLayer| format!("{}.tar", digits(&layer.diff_id));
        let names: Vec<String> = self.layers.iter().map(layer_name).collect();
        let manifest = serde_json::json!([{ "Config": config_name, "RepoTags": null, "Layers": names }]);
        let manifest = manifest.to_string();
        let mut archive = tar::Builder::new(out);
        let sent = |_| SendError::Out;
        let mut append = |name: &str, size: u64, source: &mut dyn Read| {
            let mut header = tar::Header::new_gnu();
            header.set_size(size);
            header.set_mode(0o644);
            header.set_mtime(0);
            archive.append_data(&mut header, name, source).map_err(sent)
        };
        append("manifest.json", manifest.len() as u64, &mut manifest.as_bytes())?;
        append(&config_name, self.config.len() as u64, &mut self.config.as_slice())?;
        let mut done = HashSet::new();
        for (layer, name) in self.layers.iter().zip(&names) {
            if !done.insert(&layer.diff_id) {
                count(layer.size);
                continue;
            }
            let source = store.open_content(&layer.digest).map_err(SendError::Store)?;
            let mut source = Counted { source, count: &mut *count, broken: None };
            let appended = append(name, layer.size, &mut source);
            if let Some(error) = source.broken {
                let root = store.root().to_owned();
                let damage = if error.kind() == io::ErrorKind::InvalidData {
                    StoreError::Damaged(layer.digest)
                } else {
                    StoreError::Io { action: "read content in", path: root, source: error }
                };
                return Err(SendError::Store(damage));
            }
            appended?;
        }
        archive.into_inner().and_then(|mut out| out.flush()).map_err(|_| SendError::Out)
    }
}

/// Where an archive on its way broke.
#[derive(Debug)]
pub(super) enum SendError {
    Store(StoreError),
    /// Nobody takes it any more.
    Out,
}

fn send(
    store: &Store,
    kept: &KeptImage,
    mut outlet: Outlet,
    count: &mut dyn FnMut(u64),
) -> Result<(), SendError> {
    let sent = kept.write(store, &mut outlet, count);
    if let Err(SendError::Store(error)) = &sent {
        outlet.fail(&io::Error::other(error.to_string()));
    }
    sent
}

/// Counts what is read through it, and remembers what broke it.
struct Counted<'a> {
    source: Box<dyn Read + Send>,
    count: &'a mut dyn FnMut(u64),
    broken: Option<io::Error>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer);
        match read {
            Ok(count) => (self.count)(count as u64),
            Err(error) => {
                let kind = error.kind();
                self.broken = Some(error);
                return Err(kind.into());
            }
        }
        read
    }
}
