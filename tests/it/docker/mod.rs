//! With container engines. Needs root, `docker`, `dockerd`, `podman`, `ssh`, `sshd` and `openssl`.

mod engines;
mod world;
