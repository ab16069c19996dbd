//! What is on disk before anything runs. Knows nothing of keys, stores or verdicts.

pub mod git;
