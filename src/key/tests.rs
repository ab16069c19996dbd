use proptest::prelude::*;

use super::*;

fn sample() -> Manifest {
    let digest = |text: &str| Digest::of(text.as_bytes());
    Manifest::new(
        "command 1",
        vec![
            Component { facet: Facet::Upstream, label: "image".into(), value: Value::Image(digest("image")) },
            Component::entry(Facet::Own, "link", Entry::Symlink { target: "a/é".into() }),
            Component::entry(Facet::Own, "tree", Entry::Directory { digest: TreeDigest(digest("tree")) }),
            Component::text(Facet::Environment, "env A", "1"),
            Component::entry(
                Facet::Own,
                "file",
                Entry::File { digest: digest("file"), size: 258, executable: false },
            ),
            Component::entry(
                Facet::Own,
                "program",
                Entry::File { digest: digest("program"), size: 1, executable: true },
            ),
        ],
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn canonical_bytes_are_pinned() {
    let bytes = sample().encode();
    let digests = ["file", "program", "tree", "image"].map(|text| (text, Digest::of(text.as_bytes()).hex()));
    let mut text = hex(&bytes);
    for (name, digest) in digests {
        text = text.replace(&digest, &format!(" {name}'s digest "));
    }
    // When this must change, so must the version in the first line: every key changes with it.
    insta::assert_snapshot!(text, @"6f7367726170682d6d616e696665737420310a09000000636f6d6d616e642031060000006f0400000066696c65660201000000000000 file's digest 6f040000006c696e6b6c04000000612fc3a96f0700000070726f6772616d780100000000000000 program's digest 6f040000007472656564 tree's digest 6505000000656e7620417401000000317505000000696d61676569 image's digest");
    insta::assert_snapshot!(sample().key(), @"fbd17f544d62b6e3aadc90f65c854ec75820f3dbbcba32f22fccba9c8e3634d7");
    insta::assert_snapshot!(sample().own_digest(), @"8a2464b0f3a0d2d403676d0bb23ca2cb87de2380cb369d4e969437a9603cee7c");
}

#[test]
fn the_order_of_components_does_not_count() {
    let manifest = sample();
    let mut turned = manifest.components().to_vec();
    turned.reverse();
    assert_eq!(Manifest::new("command 1", turned), manifest);
}

#[test]
fn kind_facet_label_and_value_count() {
    let one = |kind: &str, facet, label: &str, text: &str| {
        Manifest::new(kind, vec![Component::text(facet, label, text)]).key()
    };
    let key = one("command 1", Facet::Own, "a", "b");
    assert_ne!(key, one("command 2", Facet::Own, "a", "b"));
    assert_ne!(key, one("command 1", Facet::Environment, "a", "b"));
    assert_ne!(key, one("command 1", Facet::Own, "ab", ""));
    assert_ne!(key, one("command 1", Facet::Own, "a", "c"));
}

#[test]
fn the_own_digest_leaves_upstreams_out_and_nothing_else() {
    let without: Vec<Component> =
        sample().components().iter().filter(|c| c.facet != Facet::Upstream).cloned().collect();
    assert_eq!(sample().own_digest(), Manifest::new("command 1", without.clone()).own_digest());
    assert_eq!(sample().own_digest(), Manifest::new("command 1", without.clone()).key().0);
    for at in 0..without.len() {
        let mut fewer = without.clone();
        fewer.remove(at);
        assert_ne!(Manifest::new("command 1", fewer).own_digest(), sample().own_digest());
    }
}

#[test]
#[should_panic(expected = "two components are labelled `a`")]
fn two_components_of_one_label_panic() {
    let text = |text: &str| Component::text(Facet::Own, "a", text);
    let _ = Manifest::new("command 1", vec![text("1"), text("2")]);
}

#[test]
fn bytes_that_are_not_canonical_are_refused() {
    let good = sample().encode();
    for end in 0..good.len() {
        assert!(Manifest::decode(&good[..end]).is_err(), "cut at {end}");
    }
    let mut more = good.clone();
    more.push(0);
    assert_eq!(Manifest::decode(&more), Err(DecodeError { at: good.len() }));
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut bad = good.clone();
            bad[at] ^= 1 << bit;
            // What still decodes is another manifest, and is encoded as it was read.
            if let Ok(other) = Manifest::decode(&bad) {
                assert_ne!(other, sample(), "byte {at}");
                assert_eq!(other.encode(), bad, "byte {at}");
            }
        }
    }
}

fn value() -> impl Strategy<Value = Value> {
    let digest = || any::<[u8; 32]>().prop_map(Digest::from_bytes);
    prop_oneof![
        ".*".prop_map(Value::Text),
        digest().prop_map(Value::Image),
        digest().prop_map(|digest| Value::Entry(Entry::Directory { digest: TreeDigest(digest) })),
        ".*".prop_map(|target| Value::Entry(Entry::Symlink { target })),
        (digest(), any::<u64>(), any::<bool>())
            .prop_map(|(digest, size, executable)| Value::Entry(Entry::File { digest, size, executable })),
    ]
}

fn manifest() -> impl Strategy<Value = Manifest> {
    let facet = prop_oneof![Just(Facet::Own), Just(Facet::Environment), Just(Facet::Upstream)];
    let components = prop::collection::btree_map((facet, ".*"), value(), 0..6);
    ("[a-z-]{1,8} [0-9]", components).prop_map(|(kind, components)| {
        let component = |((facet, label), value)| Component { facet, label, value };
        Manifest::new(&kind, components.into_iter().map(component).collect())
    })
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(manifest in manifest()) {
        prop_assert_eq!(Manifest::decode(&manifest.encode()), Ok(manifest));
    }

    #[test]
    fn any_bytes_are_refused_or_canonical(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let bytes = [MAGIC, &bytes].concat();
        if let Ok(manifest) = Manifest::decode(&bytes) {
            prop_assert_eq!(manifest.encode(), bytes);
        }
    }
}
