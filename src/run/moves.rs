//! Nodes that came to another record without running: fresh under one they had before, or put back.
//!
//! What a node has now is what a later run is compared with, what `--assume-fresh` takes and what a
//! receipt writes down, so the store is told; and the history, which would else know only of what ran.

use std::collections::HashMap;

use crate::key::Key;
use crate::pipeline::NodeName;
use crate::record::{Outcome, RunId, Step, Why};
use crate::store::{Finish, Store, StoreError};

/// The record that each node of a project had before.
pub struct Before(HashMap<NodeName, Key>);

impl Before {
    pub fn read(store: &Store, project: &str) -> Result<Self, StoreError> {
        Ok(Self(store.stands(project)?))
    }

    pub fn is_moved(&self, node: &NodeName, key: &Key) -> bool {
        self.0.get(node) != Some(key)
    }

    /// Notes those of `fresh` that have another record now, in one transaction.
    pub fn note(
        &self,
        fresh: &[(NodeName, Key)],
        run: RunId,
        store: &Store,
        project: &str,
    ) -> Result<(), StoreError> {
        let moved: Vec<Step> = fresh
            .iter()
            .filter(|(node, key)| self.is_moved(node, key))
            .map(|(node, key)| Step {
                run,
                node: node.clone(),
                outcome: Outcome::Fresh,
                began_ms: 0,
                duration_ms: 0,
                why: Why::default(),
                key: Some(*key),
                same: None,
                log: None,
            })
            .collect();
        let finishes: Vec<Finish<'_>> = moved.iter().map(|step| stands_on(step, project)).collect();
        if finishes.is_empty() {
            return Ok(());
        }
        store.commit(&finishes).map(drop)
    }
}

/// The step of a node that did not run, and the record that it has from then on.
pub fn stands_on<'a>(step: &'a Step, project: &'a str) -> Finish<'a> {
    Finish { used: step.key.map(|key| (&step.node, key, step.run)), step: Some(step), ..Finish::of(project) }
}
