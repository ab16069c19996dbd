//! With container engines. Needs root, `docker` and an engine that answers, `busybox` (static),
//! `debootstrap` and `python3` with `pip`.

mod bootstrap;
mod engine;
mod fixture;
mod whole;
