//! Things by node, in the order in which they came: ten thousand nodes may come and go at once.

use std::collections::{BTreeMap, HashMap};

use crate::pipeline::NodeName;

pub struct Roster<T> {
    rows: BTreeMap<u64, (NodeName, T)>,
    places: HashMap<NodeName, u64>,
    next: u64,
}

impl<T> Default for Roster<T> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), places: HashMap::new(), next: 0 }
    }
}

impl<T> Roster<T> {
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn get(&self, node: &NodeName) -> Option<&T> {
        self.rows.get(self.places.get(node)?).map(|(_, one)| one)
    }

    pub fn get_mut(&mut self, node: &NodeName) -> Option<&mut T> {
        self.rows.get_mut(self.places.get(node)?).map(|(_, one)| one)
    }

    /// That of `node`, made by `new` and last in the order where there was none.
    pub fn entry(&mut self, node: NodeName, new: impl FnOnce() -> T) -> &mut T {
        let place = *self.places.entry(node.clone()).or_insert(self.next);
        if place == self.next {
            self.next += 1;
        }
        let (_, one) = self.rows.entry(place).or_insert_with(|| (node, new()));
        one
    }

    pub fn remove(&mut self, node: &NodeName) -> Option<T> {
        let place = self.places.remove(node)?;
        self.rows.remove(&place).map(|(_, one)| one)
    }

    pub fn clear(&mut self) {
        self.rows.clear();
        self.places.clear();
    }

    pub fn iter(&self) -> impl Iterator<Item = (&NodeName, &T)> {
        self.rows.values().map(|(node, one)| (node, one))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_stay_in_the_order_in_which_they_came() {
        let mut roster = Roster::default();
        let node = |name: &str| NodeName(name.into());
        for (at, name) in ["b", "a", "c"].into_iter().enumerate() {
            roster.entry(node(name), || at);
        }
        *roster.entry(node("a"), || 99) += 10;
        let seen = |roster: &Roster<usize>| {
            roster.iter().map(|(node, at)| format!("{node}{at}")).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(seen(&roster), "b0 a11 c2");
        assert_eq!((roster.remove(&node("b")), roster.remove(&node("b"))), (Some(0), None));
        roster.entry(node("b"), || 7);
        assert_eq!((seen(&roster).as_str(), roster.len()), ("a11 c2 b7", 3));
        assert_eq!((roster.get(&node("b")), roster.get(&node("x"))), (Some(&7), None));
        roster.clear();
        assert!(roster.is_empty() && roster.get_mut(&node("a")).is_none());
    }
}
