use crate::dockerfile::{Question, analyse};
use crate::run::image::rewrite::rewrite;

fn sent(text: &str, new: &[(&str, &str)]) -> String {
    let question = Question { text, args: &[], target: None, platform: Some("linux/amd64"), builder: None };
    let analysis = analyse(&question).unwrap();
    let name =
        |reference: &str| new.iter().find(|(old, _)| *old == reference).map(|(_, new)| (*new).to_owned());
    rewrite(text, &analysis, &name)
}

#[test]
fn references_are_replaced_where_they_stand() {
    let text = "ARG V=1\nFROM base:$V AS one\nFROM tools AS two\nRUN true\nFROM one\n\
                COPY --from=two /a /b\nCOPY --from=other:2 /c /d\nRUN --mount=from=other:2,target=/m true\n";
    let out = sent(text, &[("base:1", "osgraph/image:abc"), ("other:2", "other:2@sha256:00")]);
    assert_eq!(
        out,
        "ARG V=1\nFROM osgraph/image:abc AS one\nFROM tools AS two\nRUN true\nFROM one\n\
         COPY --from=two /a /b\nCOPY --from=other:2@sha256:00 /c /d\n\
         RUN --mount=from=other:2@sha256:00,target=/m true\n"
    );
}

#[test]
fn what_has_no_other_name_stays_as_it_is() {
    let text = "FROM debian:12\nRUN true\n";
    assert_eq!(sent(text, &[]), text);
    assert_eq!(sent("from  debian:12\n", &[("debian:12", "x")]), "from  x\n");
}
