//! What happens when things go wrong: kills, signals, two at once, damage, full disks, failures.
//!
//! Everything here drives the real binary in folders of its own.

mod care;
mod damage;
mod disk;
mod failures;
mod kill;
mod misuse;
mod project;
mod signals;
mod together;
