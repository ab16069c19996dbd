//! Archives of every form that engines write, made up here: into the store, and out of it.

use std::io::Write;

use sha2::{Digest as _, Sha256};

use super::load::KeptImage;
use super::parts::PartsError;
use super::save::{Kept, take_in};
use super::*;
use crate::path::RelPath;
use crate::store::Store;
use crate::tree::Entry;

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("cache")).unwrap();
    (folder, store)
}

enum Item<'a> {
    File(String, &'a [u8]),
    Link(String, String),
}

fn archive(items: &[Item]) -> Vec<u8> {
    let mut out = tar::Builder::new(Vec::new());
    for item in items {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        match item {
            Item::File(name, bytes) => {
                header.set_size(bytes.len() as u64);
                out.append_data(&mut header, name, *bytes).unwrap();
            }
            Item::Link(name, target) => {
                header.set_size(0);
                header.set_entry_type(tar::EntryType::Symlink);
                out.append_link(&mut header, name, target).unwrap();
            }
        }
    }
    out.into_inner().unwrap()
}

fn file<'a>(name: impl Into<String>, bytes: &'a [u8]) -> Item<'a> {
    Item::File(name.into(), bytes)
}

fn of(bytes: &[u8]) -> String {
    sha256(&Sha256::digest(bytes))
}

/// A configuration of these layers.
fn config(layers: &[&[u8]]) -> Vec<u8> {
    let ids: Vec<String> = layers.iter().map(|layer| of(layer)).collect();
    serde_json::json!({ "os": "linux", "rootfs": { "type": "layers", "diff_ids": ids } })
        .to_string()
        .into_bytes()
}

fn manifest(config: &str, layers: &[&str]) -> Vec<u8> {
    serde_json::json!([{ "Config": config, "RepoTags": null, "Layers": layers }]).to_string().into_bytes()
}

/// A layer that goes into a blob of its own, and no two of which are alike.
fn large(seed: u8) -> Vec<u8> {
    let mut bytes = vec![0; 3 << 20];
    blake3::Hasher::new().update(&[seed]).finalize_xof().fill(&mut bytes);
    bytes
}

fn taken(store: &Store, archive: &[u8]) -> Kept {
    take_in(store, archive).unwrap_or_else(|error| panic!("{error:?}"))
}

fn odd(archive: &[u8]) -> String {
    let (_folder, store) = store();
    match take_in(&store, archive).map(|_| ()) {
        Err(PartsError::Odd(what)) => what,
        other => panic!("{other:?}"),
    }
}

/// The layers of a kept tree, in order.
fn layers(store: &Store, kept: &Kept) -> Vec<Vec<u8>> {
    let tree = store.tree(kept.tree).unwrap();
    let read = |at: usize| {
        let path = RelPath::parse(&format!("layers/{at:04}.tar")).unwrap();
        match tree.get(&path)? {
            Entry::File { digest, executable: false, .. } => Some(store.read(&digest).unwrap()),
            other => panic!("{other:?}"),
        }
    };
    (0..).map_while(read).collect()
}

#[test]
fn the_classic_form_is_taken_in() {
    let (_folder, store) = store();
    let (a, b) = (large(1), b"small".to_vec());
    let config = config(&[&a, &b, &a]);
    let manifest = manifest("c.json", &["1/layer.tar", "2/layer.tar", "3/layer.tar"]);
    let items = [
        file("1/VERSION", b"1.0"),
        file("1/json", b"{}"),
        file("1/layer.tar", &a),
        file("2/layer.tar", &b),
        Item::Link("3/layer.tar".into(), "../1/layer.tar".into()),
        file("c.json", &config),
        file("manifest.json", &manifest),
        file("repositories", b"{}"),
    ];
    let kept = taken(&store, &archive(&items));
    assert_eq!(kept.config_digest, of(&config));
    assert_eq!(kept.diff_ids, [of(&a), of(&b), of(&a)]);
    assert!(layers(&store, &kept) == [a.clone(), b, a]);
    assert!(store.has_tree(kept.tree));
}

#[test]
fn compressed_layers_of_the_oci_form_are_kept_plain() {
    let (_folder, store) = store();
    let (a, b) = (large(1), b"{not json, though it looks so".to_vec());
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&a).unwrap();
    let gzip = gzip.finish().unwrap();
    let zstd = zstd::encode_all(a.as_slice(), 1).unwrap();
    let config = config(&[&a, &b]);
    let mut trees = Vec::new();
    for blob in [&gzip, &zstd, &a] {
        let name = |bytes: &[u8]| format!("blobs/{}", of(bytes).replace(':', "/"));
        let manifest = manifest(&name(&config), &[&name(blob), &name(&b)]);
        let items = [
            file(name(blob), blob),
            file(name(&b), &b),
            file(name(&config), &config),
            file("index.json", b"{}"),
            file("manifest.json", &manifest),
            file("oci-layout", b"{}"),
        ];
        let kept = taken(&store, &archive(&items));
        assert!(layers(&store, &kept) == [a.clone(), b.clone()]);
        trees.push(kept.tree);
    }
    assert!(trees.iter().all(|tree| *tree == trees[0]), "however it was compressed");
}

#[test]
fn what_goes_out_comes_in_again() {
    let (_folder, store) = store();
    let (a, b) = (large(1), large(2));
    let config = config(&[&a, &b, &a]);
    let manifest = manifest("c", &["a", "b", "a"]);
    let items = [file("a", &a), file("b", &b), file("c", &config), file("manifest.json", &manifest)];
    let kept = taken(&store, &archive(&items));
    let mut out = Vec::new();
    let mut sent = 0;
    let image = KeptImage::read(&store, kept.tree).unwrap();
    image.write(&store, &mut out, &mut |count| sent += count).unwrap();
    assert_eq!(sent, 3 * a.len() as u64);
    assert!(out.len() < 2 * a.len() + b.len(), "a layer that stands twice is sent once");
    let (_folder, other) = self::store();
    assert_eq!(taken(&other, &out).tree, kept.tree);
}

#[test]
fn an_image_without_layers_is_one() {
    let (_folder, store) = store();
    let config = config(&[]);
    let manifest = manifest("c", &[]);
    let kept = taken(&store, &archive(&[file("c", &config), file("manifest.json", &manifest)]));
    let image = KeptImage::read(&store, kept.tree).unwrap();
    assert_eq!((image.config, image.layers.len()), (config, 0));
}

#[test]
fn what_is_not_as_it_should_be_is_refused() {
    let layer = large(1);
    let config_bytes = config(&[&layer]);
    let good = manifest("c", &["l"]);
    let with = |manifest: &[u8], config: &[u8], layer: &[u8]| {
        archive(&[file("l", layer), file("c", config), file("manifest.json", manifest)])
    };
    assert!(odd(&with(&good, &config_bytes, &large(2))).contains("has other bytes than it should"));
    assert!(odd(&with(&good, &config(&[]), &layer)).contains("has 0 layers, and 1 are there"));
    assert!(odd(&with(&good, b"{}", &layer)).contains("configuration cannot be read"));
    assert!(odd(&with(b"[]", &config_bytes, &layer)).contains("not exactly one image"));
    let two = [good.strip_suffix(b"]").unwrap(), b",", good.strip_prefix(b"[").unwrap()].concat();
    assert!(odd(&with(&two, &config_bytes, &layer)).contains("not exactly one image"));
    assert!(odd(&with(&manifest("c", &["gone"]), &config_bytes, &layer)).contains("has no `gone`"));
    assert!(odd(&with(&manifest("l", &["l"]), &config_bytes, &layer)).contains("`l` is no document"));
    assert!(odd(&archive(&[file("x", b"y")])).contains("has no `manifest.json`"));
    let own = manifest("c", &["a"]);
    let circle = [
        Item::Link("a".into(), "b".into()),
        Item::Link("b".into(), "a".into()),
        file("c", &config_bytes),
        file("manifest.json", &own),
    ];
    assert!(odd(&archive(&circle)).contains("leads nowhere"));
}

#[test]
fn a_stream_that_breaks_off_is_no_image() {
    let layer = large(1);
    let config = config(&[&layer]);
    let manifest = manifest("c", &["l"]);
    let whole = archive(&[file("c", &config), file("manifest.json", &manifest), file("l", &layer)]);
    let (_folder, store) = store();
    let broken = take_in(&store, &whole[..2 << 20]).map(|_| ());
    assert!(matches!(broken, Err(PartsError::Archive(_))), "{broken:?}");
}

#[test]
fn a_tree_that_lost_a_layer_says_so() {
    let (_folder, store) = store();
    let layer = large(1);
    let config = config(&[&layer]);
    let manifest = manifest("c", &["l"]);
    let items = [file("l", &layer), file("c", &config), file("manifest.json", &manifest)];
    let kept = taken(&store, &archive(&items));
    let image = KeptImage::read(&store, kept.tree).unwrap();
    let hex = image.layers[0].digest.hex();
    let blob =
        walk(store.root()).into_iter().find(|path| path.to_string_lossy().ends_with(&hex[2..])).unwrap();
    std::fs::remove_file(blob).unwrap();
    let lost = image.write(&store, std::io::sink(), &mut |_| ());
    assert!(matches!(lost, Err(super::load::SendError::Store(_))), "{lost:?}");
    let none = crate::tree::Tree::from_leaves(&crate::tree::Leaves::new());
    store.put_tree(&none).unwrap();
    let error = KeptImage::read(&store, none.root).map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), "what the store has is no image: it has no `config.json`");
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(walk(&path)) } else { found.push(path) }
    }
    found
}
