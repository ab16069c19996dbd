//! Where the last stage goes.

use super::*;

#[test]
fn an_image_without_a_name_is_known_by_its_id() {
    let base = Image::busybox();
    let mut build =
        plain(Files::default().file("a", "a"), &format!("FROM {}\nCOPY a /\nCMD [\"x\"]\n", base.0));
    build.output = Output::Image { tags: Vec::new() };
    let built = built(build);
    let image = Image::named(&built.image_id.unwrap());
    assert_eq!(image.inspect()["Id"], image.0);
    assert_eq!(image.inspect()["Config"]["Cmd"][0], "x");
}

#[test]
fn the_same_build_is_the_same_image() {
    let base = Image::busybox();
    let id = name();
    let build = |tag: &str| {
        let mut build = with_id(
            Files::default().file("a", "a"),
            &format!("FROM {}\nCOPY a /\nRUN echo b > /b\n", base.0),
            &id,
        );
        build.output = Output::Image { tags: vec![tag.to_owned()] };
        build
    };
    let (one, two) = (Image::named(&name()), Image::named(&name()));
    let first = built(build(&one.0)).image_id.unwrap();
    assert_eq!(built(build(&two.0)).image_id.unwrap(), first);
    assert_eq!(one.inspect()["Id"], first);
}

#[test]
fn a_large_file_is_streamed_out_unchanged() {
    let _freed = Freed(67_108_865);
    let base = Image::busybox();
    let dockerfile = format!(
        "FROM {} AS make\nRUN yes osgraph | head -c 67108865 > /large && chmod 755 /large\n\
         FROM scratch\nCOPY --from=make /large /out/large\n",
        base.0
    );
    let (build, bucket) = with_tar(plain(Files::default(), &dockerfile));
    let built = built(build);
    assert_eq!(built.image_id, None);
    let content: Vec<u8> = b"osgraph\n".iter().copied().cycle().take(67_108_865).collect();
    let digest = Digest::of(&content).short();
    assert!(bucket.listing().contains(&("out/large".to_owned(), format!("755 67108865 {digest}"))));
}

#[test]
fn nothing_is_built_all_the_same() {
    let base = Image::busybox();
    let (outcome, events) = told(plain(Files::default(), &format!("FROM {}\nRUN echo it ran\n", base.0)));
    assert_eq!(outcome.unwrap().image_id, None);
    let ran = |event: &Progress| matches!(event, Progress::Log { bytes, .. } if bytes == b"it ran\n");
    assert!(events.iter().any(ran), "{events:?}");
}
