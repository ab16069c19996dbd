//! `archive "dist/x-${version}.tar.gz" keep=3`: an archive of a node's tree. Here alone, `{digest}` stands
//! for something.

use crate::pipeline::diagnostic::Diagnostic;
use crate::pipeline::model::{Archive, ArchiveFormat};
use crate::pipeline::scope::Scope;
use crate::pipeline::syntax::SyntaxNode;

const ENDINGS: [(&str, ArchiveFormat); 4] = [
    (".tar", ArchiveFormat::Tar),
    (".tar.gz", ArchiveFormat::TarGz),
    (".tgz", ArchiveFormat::TarGz),
    (".tar.zst", ArchiveFormat::TarZst),
];

pub(super) fn decode(scope: &Scope, node: &SyntaxNode) -> Option<Archive> {
    scope.shape(node, &["keep"]);
    let argument = scope.single(node)?;
    let path = scope.to_path(scope.text_of_archive(&argument)?);
    let keep = match node.property("keep") {
        Some(entry) => Some(scope.number(&entry, 1)?),
        None => None,
    };
    let path = path?;
    let format = ENDINGS.iter().find(|(ending, _)| path.value.as_str().ends_with(ending));
    let Some((_, format)) = format else {
        let message = format!("`{}` does not say what kind of archive it is", path.value);
        let mistake = Diagnostic::new("unknown-archive", message, path.span, "no known ending");
        scope.report(mistake.help("end it with `.tar`, `.tar.gz`, `.tgz` or `.tar.zst`"));
        return None;
    };
    let pattern = scope.literal_text(&argument)?.value;
    Some(Archive { path, format: *format, keep, pattern })
}
