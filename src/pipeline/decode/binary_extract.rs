//! `binary-extract`: one file out of an artifact.

use std::time::Duration;

use bytesize::ByteSize;

use crate::path::RelPath;
use crate::pipeline::decode::{children, docker, limits};
use crate::pipeline::diagnostic::Diagnostic;
use crate::pipeline::model::{BinaryExtract, Check, Expect, Linking, Spanned};
use crate::pipeline::scope::Scope;
use crate::pipeline::syntax::{SyntaxNode, Value};

const CHILDREN: [&str; 6] = ["image", "from", "path", "output", "expect", "check"];

const CHECK_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) fn decode(scope: &Scope, node: &SyntaxNode) -> Option<BinaryExtract> {
    let (mut from, mut path, mut output) = (None, None, None);
    let mut expect = Expect::default();
    let mut checks = Vec::new();
    let seen = children(scope, node, &CHILDREN, |seen, child| {
        match child.name() {
            "image" | "from" => {
                scope.once(seen, child);
                scope.shape(child, &[]);
                from = scope.reference(child);
            }
            "path" => {
                scope.once(seen, child);
                scope.shape(child, &[]);
                path = scope.argument(child).and_then(|text| inside(scope, text));
            }
            "output" => {
                scope.once(seen, child);
                scope.shape(child, &[]);
                output = scope.path(child);
            }
            "expect" => {
                scope.once(seen, child);
                expect = expectation(scope, child);
            }
            "check" => {
                seen.note(child);
                checks.extend(check(scope, child));
            }
            _ => return false,
        }
        true
    });
    match (seen.place("image"), seen.place("from")) {
        (Some(image), Some(from)) => {
            let message = "`image` and `from` mean the same";
            let mistake = Diagnostic::new("repeated-child", message, image.max(from), "given again");
            scope.report(mistake.label(image.min(from), "first given here"));
        }
        (None, None) => scope.require(&seen, node, "image", "image \"node\""),
        _ => {}
    }
    scope.require(&seen, node, "path", "path \"/dist/app\"");
    Some(BinaryExtract { from: from?, path: path?, output, expect, checks })
}

/// A path in an artifact; people write it from the image's root.
fn inside(scope: &Scope, text: Spanned<String>) -> Option<Spanned<RelPath>> {
    let relative = text.value.trim_start_matches('/').to_owned();
    let path = scope.to_path(Spanned::new(relative, text.span))?;
    if path.value.is_root() {
        scope.bad_value(path.span, "a folder cannot be extracted as a binary", "name a file, as `/dist/app`");
        return None;
    }
    Some(path)
}

fn expectation(scope: &Scope, node: &SyntaxNode) -> Expect {
    scope.no_arguments(node);
    scope.shape(node, &["elf", "arch", "static", "libc", "min-size", "max-size"]);
    let arch = scope.property(node, "arch").and_then(|arch| {
        let span = arch.span;
        docker::one_of(scope, arch, &["amd64", "arm64"]).map(|arch| Spanned::new(arch, span))
    });
    let linking = linking(scope, node);
    // Only an ELF file has a machine, or is linked.
    let elf = scope.boolean(node, "elf").unwrap_or(arch.is_some() || linking.is_some());
    let (min_size, max_size) = (size(scope, node, "min-size"), size(scope, node, "max-size"));
    if let (Some(min), Some(max)) = (min_size, max_size)
        && min > max
    {
        scope.bad_value(
            node.span(),
            "no file is larger than `min-size` and smaller than `max-size`",
            "swap them",
        );
    }
    Expect { elf, arch, min_size, max_size, linking }
}

/// Of `static` and `libc`. `static=#false` asks for nothing.
fn linking(scope: &Scope, node: &SyntaxNode) -> Option<Linking> {
    let is_static = scope.boolean(node, "static") == Some(true);
    let libc = scope.property(node, "libc").and_then(|libc| {
        let span = libc.span;
        docker::one_of(scope, libc, &["musl", "glibc"]).map(|libc| Spanned::new(libc, span))
    });
    match libc {
        Some(libc) if libc.value == "glibc" => {
            if is_static {
                let message = "a static binary asks for no glibc";
                scope.bad_value(libc.span, message, "leave out `static`, or `libc`");
            }
            Some(Linking::Glibc)
        }
        Some(_) => Some(Linking::Static),
        None => is_static.then_some(Linking::Static),
    }
}

/// A size in bytes, as `"50MiB"` or a plain number.
fn size(scope: &Scope, node: &SyntaxNode, property: &str) -> Option<u64> {
    let entry = node.property(property)?;
    if let Value::Integer(bytes) = entry.value {
        let size = u64::try_from(bytes).ok();
        if size.is_none() {
            scope.bad_value(entry.value_span, format!("`{bytes}` is no size"), "write it as `50MiB`");
        }
        return size;
    }
    let text = scope.text(&entry)?;
    match text.value.parse::<ByteSize>() {
        Ok(size) => Some(size.as_u64()),
        Err(_) => {
            scope.bad_value(
                text.span,
                format!("`{}` is no size", text.value),
                "write it as `50MiB` or `340 MB`",
            );
            None
        }
    }
}

fn check(scope: &Scope, node: &SyntaxNode) -> Option<Check> {
    scope.shape(node, &["timeout"]);
    let args: Option<Vec<String>> =
        node.arguments().map(|entry| scope.text(&entry).map(|text| text.value)).collect();
    let timeout = match node.property("timeout") {
        Some(entry) => limits::duration(scope, &scope.text(&entry)?)?,
        None => CHECK_TIMEOUT,
    };
    Some(Check { args: args?, timeout, span: node.span() })
}
