//! With container engines. Needs root; `docker` with an engine that answers, and `dockerd`; `podman`,
//! `ssh`, `sshd`, `openssl`; for images of its own `busybox` (static), `debootstrap` and `pip`; for
//! registries `docker-registry` and `htpasswd`.

mod audit;
pub mod bootstrap;
mod caches;
pub mod causes;
mod dying;
pub mod engine;
mod engines;
mod fetching;
pub mod fixture;
mod gc;
mod registry;
mod telling;
mod whole;
pub mod world;
