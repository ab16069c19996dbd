//! Whether a binary asks no more of its machine than it may, and how that is said.

use std::fmt;

use crate::pipeline::Linking;
use crate::run::elf::Linkage;
use crate::run::gates::GateFailure;

/// What glibc is made of, and the compiler's own libraries, which stand wherever it does: names
/// up to `.so`.
const OF_GLIBC: [&str; 11] = [
    "libc",
    "libm",
    "libmvec",
    "libdl",
    "libpthread",
    "librt",
    "libresolv",
    "libutil",
    "libanl",
    "libgcc_s",
    "libstdc++",
];

/// What is wrong with a binary that is linked as `found`.
pub fn judge(wanted: Linking, found: &Linkage) -> Option<GateFailure> {
    let holds = match wanted {
        Linking::Static => found.is_static(),
        Linking::Glibc => {
            found.interpreter.as_deref().is_some_and(is_loader) && others(found).next().is_none()
        }
    };
    (!holds).then(|| GateFailure::Linked { wanted, found: found.clone() })
}

/// Whether a path or a library's name is that of glibc's own loader, on any machine.
fn is_loader(name: &str) -> bool {
    let name = name.rsplit('/').next().unwrap_or(name);
    ["ld-linux", "ld64.so."].iter().any(|begin| name.starts_with(begin))
}

/// Libraries that are not glibc's. That of musl is called `libc.musl-….so.1` or `libc.so` alone.
fn others(found: &Linkage) -> impl Iterator<Item = &String> {
    let known = |name: &str| {
        let stem = name.split_once(".so.").map(|(stem, _)| stem);
        is_loader(name) || stem.is_some_and(|stem| OF_GLIBC.contains(&stem))
    };
    found.needed.iter().filter(move |name| !known(name))
}

/// Says what is wrong with what [`judge`] refused.
pub fn fmt(wanted: Linking, found: &Linkage, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let listed = |names: &mut dyn Iterator<Item = &String>| {
        let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
        let noun = if names.len() == 1 { "library" } else { "libraries" };
        (!names.is_empty()).then(|| format!("the {noun} {}", names.join(", ")))
    };
    let interpreter = found.interpreter.as_ref();
    match wanted {
        Linking::Static => {
            let interpreter = interpreter.map(|path| format!("the interpreter `{path}`"));
            let all: Vec<String> = interpreter.into_iter().chain(listed(&mut found.needed.iter())).collect();
            write!(f, "it is not linked statically, it wants {}", all.join(" and "))
        }
        Linking::Glibc if found.is_static() => f.write_str("it is linked statically, and not against glibc"),
        Linking::Glibc => match (interpreter, listed(&mut others(found))) {
            (Some(path), _) if !is_loader(path) => write!(f, "its interpreter `{path}` is not that of glibc"),
            (Some(_), Some(others)) => write!(f, "it wants more than glibc: {others}"),
            _ => f.write_str("it names no interpreter, and so is no program for glibc"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(wanted: Linking, interpreter: &str, needed: &[&str]) -> Option<String> {
        let interpreter = (!interpreter.is_empty()).then(|| interpreter.to_owned());
        let needed = needed.iter().map(|name| (*name).to_owned()).collect();
        judge(wanted, &Linkage { interpreter, needed }).map(|failure| failure.to_string())
    }

    const LOADER: &str = "/lib64/ld-linux-x86-64.so.2";

    #[test]
    fn static_means_that_nothing_is_wanted() {
        let told =
            |interpreter, needed: &[&str]| told(Linking::Static, interpreter, needed).unwrap_or_default();
        assert_eq!(told("", &[]), "");
        assert_eq!(
            told(LOADER, &["libm.so.6", "libc.so.6"]),
            "it is not linked statically, it wants the interpreter `/lib64/ld-linux-x86-64.so.2` and the libraries `libm.so.6`, `libc.so.6`"
        );
        assert_eq!(told("", &["libc.so"]), "it is not linked statically, it wants the library `libc.so`");
        assert_eq!(
            told("/lib/ld-musl-x86_64.so.1", &[]),
            "it is not linked statically, it wants the interpreter `/lib/ld-musl-x86_64.so.1`"
        );
    }

    #[test]
    fn glibc_means_its_loader_and_its_libraries_and_no_others() {
        let told =
            |interpreter, needed: &[&str]| told(Linking::Glibc, interpreter, needed).unwrap_or_default();
        assert_eq!(
            told(LOADER, &["libresolv.so.2", "libgcc_s.so.1", "ld-linux-x86-64.so.2", "libc.so.6"]),
            ""
        );
        assert_eq!(told("/lib/ld-linux-aarch64.so.1", &["libstdc++.so.6", "libpthread.so.0"]), "");
        assert_eq!(told("", &[]), "it is linked statically, and not against glibc");
        assert_eq!(
            told(LOADER, &["libgomp.so.1", "libc.so.6", "libz.so.1"]),
            "it wants more than glibc: the libraries `libgomp.so.1`, `libz.so.1`"
        );
        assert_eq!(
            told("/lib/ld-musl-x86_64.so.1", &["libc.musl-x86_64.so.1"]),
            "its interpreter `/lib/ld-musl-x86_64.so.1` is not that of glibc"
        );
        assert_eq!(told(LOADER, &["libc.so"]), "it wants more than glibc: the library `libc.so`");
        assert_eq!(told("", &["libc.so.6"]), "it names no interpreter, and so is no program for glibc");
    }
}
