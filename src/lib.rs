//! osgraph: a declarative build-graph engine with a content-addressed cache.
//!
//! A node is a function from a manifest to an artifact, and its key is the digest of the manifest.
//!
//! Layers, low to high; imports point down only:
//!
//! | layer | what it is |
//! |---|---|
//! | [`digest`], [`path`], [`canonical`], [`base64`], [`tree`], [`copy`], [`tally`], [`dockerfile`], [`mod@reference`] | content identity, lexical paths, canonical bytes, Merkle trees; bytes moved and hashed in one go, and counted; what a Dockerfile reads; images' names |
//! | [`pipeline`] | KDL text to typed nodes, with every mistake reported |
//! | [`graph`], [`inputs`] | who needs whom; what is on disk: stat index, walks, hashing, git |
//! | [`key`], [`record`] | manifests, action keys, artifacts and records: plain data |
//! | [`plan`], [`store`] | the judge over facts; content and records on disk |
//! | [`event`] | what a run says |
//! | [`run`], [`report`] | doing it, on the host or ([`run::docker`], [`run::image`]) in a container engine; showing it (neither knows the other) |
//! | [`survey`] | gathers facts from inputs and store for the judge |
//! | [`commands`] | the command line |
//!
//! On disk, in `cache/`: `osgraph.db` (records, runs, content index), `packs/` and `blobs/`
//! (content by BLAKE3), `trees/` (disposable unpacked trees), `state/` (what a run that does
//! nothing reads), `locks/`, `tmp/`, `trash/`.

#![cfg_attr(
    test,
    allow(clippy::disallowed_methods, clippy::print_stderr, reason = "tests start programs and look around")
)]

pub mod base64;
pub mod canonical;
pub mod commands;
pub mod copy;
pub mod digest;
pub mod dockerfile;
pub mod event;
pub mod graph;
pub mod inputs;
pub mod key;
pub mod path;
pub mod pipeline;
pub mod plan;
pub mod record;
pub mod reference;
pub mod report;
pub mod run;
pub mod store;
pub mod survey;
pub mod tally;
pub mod tree;
