use super::*;
use crate::digest::Digest;
use crate::key::{Component, Facet, Key, Manifest};
use crate::plan::judge::{Found, judge};
use crate::plan::{Code, Reason};
use crate::tree::Entry;

fn artifact() -> Artifact {
    Artifact::Entry(Entry::File { digest: Digest::of(b"x"), size: 1, executable: false })
}

/// Every node has a record; the outputs of some are not where they should be.
struct Recorded(Vec<usize>);

impl Facts for Recorded {
    fn record(&self, _: &Key) -> Option<Found> {
        Some(Found { artifact: artifact(), present: true })
    }

    fn knows_own(&self, _: &Digest) -> bool {
        true
    }

    fn amiss(&self, at: usize, _: &Artifact) -> Vec<Reason> {
        let gone = || Reason::new(Code::OutputMissing, Facet::Own, "out");
        self.0.contains(&at).then(gone).into_iter().collect()
    }

    fn is_requested(&self, _: usize) -> bool {
        false
    }
}

fn subject(name: &str, reads: &[usize]) -> Subject {
    Subject {
        own: Manifest::new("command 1", vec![Component::text(Facet::Own, "run 0", name)]),
        reads: reads.iter().map(|up| (format!("from {up}"), *up)).collect(),
        follows: Vec::new(),
        order: Order::Judge,
    }
}

#[test]
fn fresh_nodes_around_a_restorable_one_are_settled_once() {
    for restorable in 0..4 {
        let subjects = vec![subject("a", &[]), subject("b", &[0]), subject("c", &[1]), subject("d", &[1, 2])];
        let facts = Recorded(vec![restorable]);
        let judged = judge(&subjects, &facts);
        let mut board = Board::new(subjects, judged, &[false; 4], 2, false);
        let mut settled = Vec::new();
        loop {
            let next = board.next(&facts);
            if next.is_empty() {
                break;
            }
            for one in next {
                match one {
                    Next::Settled(at, Outcome::Fresh) => settled.push(at),
                    Next::Restore(nodes) => {
                        assert_eq!(nodes, [restorable]);
                        board.restored(restorable);
                        board.batch_ended();
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
        settled.sort_unstable();
        let others: Vec<usize> = (0..4).filter(|at| *at != restorable).collect();
        assert_eq!(settled, others);
        assert!(!board.is_busy());
    }
}
