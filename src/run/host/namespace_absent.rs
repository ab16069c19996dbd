//! Mount namespaces where there are none: every recipe runs in copies or in place.

use std::convert::Infallible;
use std::io;
use std::path::PathBuf;
use std::process::Command;

use super::error::HostError;
use super::place::Folders;

/// What this machine lets the executor do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// How a mount namespace is had, or why there is none.
    pub namespaces: Result<Flavor, String>,
}

/// How a mount namespace is had: in no way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavor {}

pub fn capabilities() -> &'static Capabilities {
    static NONE: std::sync::LazyLock<Capabilities> = std::sync::LazyLock::new(|| Capabilities {
        namespaces: Err("mount namespaces exist only on Linux".to_owned()),
    });
    &NONE
}

/// Never exists.
#[derive(Debug)]
pub(super) struct Namespace(Infallible);

impl Namespace {
    pub fn new(flavor: Flavor, _: &Folders, _: &[PathBuf]) -> Result<Self, HostError> {
        match flavor {}
    }

    pub fn start<T>(
        &self,
        _: &mut Command,
        _: impl FnOnce(&mut Command) -> io::Result<T>,
    ) -> Result<io::Result<T>, HostError> {
        match self.0 {}
    }
}

pub(super) fn maskable(_: &[PathBuf]) -> Vec<PathBuf> {
    Vec::new()
}
