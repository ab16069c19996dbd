//! From an engine's archive of an image to a tree in the store.

use std::io::Read;

use hyper::{Method, Request};
use tar::Archive;

use super::error::KeepError;
use super::parts::{Image, Parts, PartsError};
use super::pieces::Pieces;
use super::{CONFIG, LAYERS, read_config};
use crate::path::RelPath;
use crate::run::docker::service::Session;
use crate::run::docker::transfer::Watch;
use crate::store::Store;
use crate::tree::{Leaf, Leaves, Tree, TreeDigest};

/// Keeps an image, given by id, in the store. Every layer is checked against the configuration, and
/// the configuration against the id where the engine's ids are digests of it.
///
/// The tree is complete when this returns, and stays for as long as a record names it.
pub fn keep(
    session: &Session,
    store: &Store,
    image: &str,
    watch: &mut Watch<'_>,
) -> Result<TreeDigest, KeepError> {
    let engine = session.engine();
    let facts = session.wait(engine.inspect(image))?;
    let facts = facts.ok_or_else(|| KeepError::NoImage(image.to_owned()))?;
    let id_is_configuration = session.wait(engine.facts())?.store.id_is_configuration();
    let mut request = Request::new(bollard::body_full(bytes::Bytes::new()));
    *request.method_mut() = Method::GET;
    let wrong = |error| KeepError::Odd { image: image.to_owned(), what: format!("its id is odd: {error}") };
    *request.uri_mut() = format!("http://docker/images/{}/get", facts.id).parse().map_err(wrong)?;
    let action = format!("save the image `{image}`");
    let cancel = watch.cancel;
    let answer = session.wait(async {
        tokio::select! {
            answer = engine.client().open(&action, request) => Ok(answer?),
            () = cancel.cancelled() => Err(KeepError::Cancelled),
        }
    })?;
    let pieces = Pieces::new(session, answer.into_body(), facts.bytes, watch);
    let kept = take_in(store, pieces).map_err(|error| match error {
        _ if cancel.is_cancelled() => KeepError::Cancelled,
        PartsError::Store(error) => KeepError::Store(error),
        PartsError::Archive(source) => KeepError::Archive { image: image.to_owned(), source },
        PartsError::Odd(what) => KeepError::Odd { image: image.to_owned(), what },
    })?;
    let odd = |what: String| KeepError::Odd { image: image.to_owned(), what };
    let Kept { tree, config_digest, diff_ids } = kept;
    if id_is_configuration && config_digest != facts.id {
        return Err(odd(format!("its configuration is `{config_digest}`")));
    }
    if diff_ids != facts.diff_ids {
        return Err(odd("its layers are not those that the engine names".to_owned()));
    }
    Ok(tree)
}

/// An image in the store.
pub(super) struct Kept {
    pub tree: TreeDigest,
    pub config_digest: String,
    pub diff_ids: Vec<String>,
}

/// Reads an archive of one image into the store.
pub(super) fn take_in(store: &Store, archive: impl Read) -> Result<Kept, PartsError> {
    let mut archive = Archive::new(archive);
    let mut batch = store.batch();
    let parts = Parts::read(&mut archive, &mut batch)?;
    batch.finish().map_err(PartsError::Store)?;
    let Image { config, layers } = parts.image(|bytes| store.put(bytes))?;
    let (config_digest, diff_ids) = read_config(&config).map_err(PartsError::Odd)?;
    if diff_ids.len() != layers.len() {
        let what = format!("its configuration has {} layers, and {} are there", diff_ids.len(), layers.len());
        return Err(PartsError::Odd(what));
    }
    if let Some((diff_id, _)) = diff_ids.iter().zip(&layers).find(|(id, layer)| **id != layer.diff_id) {
        return Err(PartsError::Odd(format!("the layer `{diff_id}` has other bytes than it should")));
    }
    let mut leaves = Leaves::new();
    let file = |digest, size| Leaf::File { digest, size, executable: false };
    let digest = store.put(&config).map_err(PartsError::Store)?;
    leaves.insert(RelPath::root().child(CONFIG), file(digest, config.len() as u64));
    let folder = RelPath::root().child(LAYERS);
    if layers.is_empty() {
        leaves.insert(folder.clone(), Leaf::EmptyDirectory);
    }
    for (at, layer) in layers.iter().enumerate() {
        leaves.insert(folder.child(&format!("{at:04}.tar")), file(layer.digest, layer.size));
    }
    let tree = Tree::from_leaves(&leaves);
    store.put_tree(&tree).map_err(PartsError::Store)?;
    Ok(Kept { tree: tree.root, config_digest, diff_ids })
}
