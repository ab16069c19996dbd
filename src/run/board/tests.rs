use super::*;
use crate::digest::Digest;
use crate::key::{Component, Facet, Key, Manifest};
use crate::plan::judge::{Found, Reading, judge};
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
        reads: reads
            .iter()
            .map(|up| Reading { label: format!("from {up}"), up: *up, content: true })
            .collect(),
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

/// Nodes that are stale by themselves: nothing is recorded.
struct Nothing;

impl Facts for Nothing {
    fn record(&self, _: &Key) -> Option<Found> {
        None
    }

    fn knows_own(&self, _: &Digest) -> bool {
        false
    }

    fn amiss(&self, _: usize, _: &Artifact) -> Vec<Reason> {
        Vec::new()
    }

    fn is_requested(&self, _: usize) -> bool {
        false
    }
}

/// A board over `facts` on which the nodes of `in_place` read what is published.
fn board(
    subjects: Vec<Subject>,
    facts: &dyn Facts,
    in_place: &[usize],
    jobs: usize,
    keep_going: bool,
) -> Board {
    let judged = judge(&subjects, facts);
    let in_place: Vec<bool> = (0..subjects.len()).map(|at| in_place.contains(&at)).collect();
    Board::new(subjects, judged, &in_place, jobs, keep_going)
}

fn group(members: &[usize]) -> Subject {
    Subject { follows: members.to_vec(), order: Order::Nothing, ..subject("group", &[]) }
}

/// Makes and keeps one node that was handed out.
fn make(board: &mut Board, facts: &dyn Facts, at: usize) {
    board.made(at);
    assert_eq!(board.next(facts)[0], Next::Keep(at));
    board.complete(at, facts);
    board.kept(at, artifact(), Outcome::Ran);
}

#[test]
fn independent_nodes_start_up_to_the_number_of_jobs() {
    let mut board =
        board(vec![subject("a", &[]), subject("b", &[]), subject("c", &[])], &Nothing, &[], 2, false);
    assert_eq!(board.next(&Nothing), [Next::Make(0), Next::Make(1)]);
    assert_eq!(board.next(&Nothing), []);
    // What is being stored takes no slot.
    board.produced(1);
    assert_eq!(board.next(&Nothing), [Next::Make(2)]);
    board.made(1);
    board.made(0);
    assert_eq!(board.next(&Nothing), [Next::Keep(1), Next::Keep(0)]);
}

#[test]
fn an_isolated_node_waits_until_its_upstream_is_kept() {
    let mut board = board(vec![subject("a", &[]), subject("b", &[0])], &Nothing, &[], 2, false);
    assert_eq!(board.next(&Nothing), [Next::Make(0)]);
    board.produced(0);
    assert_eq!(board.next(&Nothing), []);
    make(&mut board, &Nothing, 0);
    assert_eq!(board.next(&Nothing), [Next::Make(1)]);
    make(&mut board, &Nothing, 1);
    assert_eq!(board.next(&Nothing), []);
    assert!(!board.is_busy());
}

#[test]
fn a_node_in_place_starts_on_outputs_and_is_kept_after_its_upstream() {
    let mut board = board(vec![subject("a", &[]), subject("b", &[0])], &Nothing, &[1], 1, false);
    assert_eq!(board.next(&Nothing), [Next::Make(0)]);
    board.produced(0);
    assert_eq!(board.next(&Nothing), [Next::Make(1)]);
    assert_eq!(board.upstreams(1), [("from 0".to_owned(), 0, None)]);
    board.made(1);
    assert_eq!(board.next(&Nothing), [], "parked: its manifest is not complete");
    assert!(board.is_busy(), "the upstream is still being stored");
    make(&mut board, &Nothing, 0);
    assert_eq!(board.next(&Nothing), [Next::Keep(1)]);
    board.complete(1, &Nothing);
    let manifest = board.judged(1).manifest.as_ref().unwrap();
    assert!(manifest.get(Facet::Upstream, "from 0").is_some());
    board.kept(1, artifact(), Outcome::Ran);
    assert_eq!(board.next(&Nothing), []);
    assert!(!board.is_busy());
}

#[test]
fn a_node_in_place_is_dropped_when_its_upstream_cannot_be_kept() {
    for made_first in [true, false] {
        let subjects = vec![subject("a", &[]), subject("b", &[0]), subject("c", &[1])];
        let mut board = board(subjects, &Nothing, &[1], 2, true);
        board.next(&Nothing);
        board.produced(0);
        assert_eq!(board.next(&Nothing), [Next::Make(1)]);
        if made_first {
            board.made(1);
        }
        board.failed(0, true, Outcome::Failed);
        if !made_first {
            assert_eq!(board.next(&Nothing), []);
            board.made(1);
        }
        assert_eq!(board.next(&Nothing), [Next::Skipped(1, 0), Next::Skipped(2, 0)]);
        assert!(!board.is_busy());
    }
}

#[test]
fn a_failure_skips_its_followers_and_stops_the_rest() {
    let subjects = vec![subject("a", &[]), subject("b", &[0]), subject("c", &[1]), subject("d", &[])];
    let mut board = board(subjects, &Nothing, &[], 1, false);
    assert_eq!(board.next(&Nothing), [Next::Make(0)]);
    board.failed(0, true, Outcome::Failed);
    assert_eq!(board.next(&Nothing), [Next::Skipped(1, 0), Next::Skipped(2, 0)]);
    assert_eq!(board.next(&Nothing), [], "`d` is not started any more");
    assert!(!board.is_busy());
    assert_eq!([0, 1, 3].map(|at| board.outcome(at)), [Some(Outcome::Failed), Some(Outcome::Skipped), None]);
}

#[test]
fn keep_going_makes_what_does_not_hang_on_the_failure() {
    let subjects = vec![subject("a", &[]), subject("b", &[0]), subject("c", &[]), subject("d", &[0, 2])];
    let mut board = board(subjects, &Nothing, &[], 1, true);
    board.next(&Nothing);
    board.failed(0, true, Outcome::Failed);
    assert_eq!(board.next(&Nothing), [Next::Skipped(1, 0), Next::Skipped(3, 0), Next::Make(2)]);
    make(&mut board, &Nothing, 2);
    assert_eq!(board.next(&Nothing), []);
    assert!(!board.is_busy());
}

#[test]
fn a_stopped_board_ends_what_is_under_way_and_starts_nothing() {
    let mut board = board(vec![subject("a", &[]), subject("b", &[])], &Nothing, &[], 1, false);
    assert_eq!(board.next(&Nothing), [Next::Make(0)]);
    board.stop();
    make(&mut board, &Nothing, 0);
    assert_eq!(board.next(&Nothing), []);
    assert!(!board.is_busy());
}

#[test]
fn a_group_is_settled_after_its_members_and_lets_others_go() {
    let mut after = subject("b", &[]);
    after.follows = vec![1];
    let mut board = board(vec![subject("a", &[]), group(&[0]), after], &Nothing, &[], 2, false);
    assert_eq!(board.next(&Nothing), [Next::Make(0)]);
    make(&mut board, &Nothing, 0);
    // The group is settled while looking, and what follows it starts at once or with the next look.
    let mut next = board.next(&Nothing);
    next.extend(board.next(&Nothing));
    assert!(next.contains(&Next::Make(2)) && next.contains(&Next::Settled(1, Outcome::Fresh)), "{next:?}");
}

#[test]
fn a_group_without_members_to_wait_for_is_settled_at_once() {
    let facts = Recorded(Vec::new());
    let mut board = board(vec![subject("a", &[]), group(&[0])], &facts, &[], 1, false);
    assert_eq!(board.next(&facts).len(), 2);
    assert!(!board.is_busy());
}

/// Upstreams that are stale, and followers that are fresh if these come out as they were.
struct Cutoff;

impl Facts for Cutoff {
    fn record(&self, key: &Key) -> Option<Found> {
        let manifest = subject("b", &[]).own.with([Component {
            facet: Facet::Upstream,
            label: "from 0".to_owned(),
            value: artifact().value(),
        }]);
        (manifest.key() == *key).then(|| Found { artifact: artifact(), present: true })
    }

    fn knows_own(&self, own: &Digest) -> bool {
        *own == subject("b", &[]).own.own_digest()
    }

    fn amiss(&self, _: usize, _: &Artifact) -> Vec<Reason> {
        Vec::new()
    }

    fn is_requested(&self, _: usize) -> bool {
        false
    }
}

#[test]
fn an_upstream_that_comes_out_identical_makes_its_followers_fresh() {
    let mut board = board(vec![subject("a", &[]), subject("b", &[0])], &Cutoff, &[], 1, false);
    assert_eq!(board.next(&Cutoff), [Next::Make(0)]);
    make(&mut board, &Cutoff, 0);
    assert_eq!(board.next(&Cutoff), [Next::Settled(1, Outcome::Fresh)]);
    assert!(!board.is_busy());
}

#[test]
fn a_restorable_node_waits_for_nobody() {
    /// `a` runs; `b`, which only follows it, is to be put back.
    struct Both;
    impl Facts for Both {
        fn record(&self, key: &Key) -> Option<Found> {
            (subject("b", &[]).own.key() == *key).then(|| Found { artifact: artifact(), present: true })
        }
        fn knows_own(&self, _: &Digest) -> bool {
            true
        }
        fn amiss(&self, at: usize, _: &Artifact) -> Vec<Reason> {
            Recorded(vec![1]).amiss(at, &artifact())
        }
        fn is_requested(&self, _: usize) -> bool {
            false
        }
    }
    let mut follower = subject("b", &[]);
    follower.follows = vec![0];
    let mut board = board(vec![subject("a", &[]), follower], &Both, &[], 1, false);
    assert_eq!(board.next(&Both), [Next::Restore(vec![1]), Next::Make(0)]);
    board.restored(1);
    board.batch_ended();
    make(&mut board, &Both, 0);
    assert_eq!(board.next(&Both), []);
    assert!(!board.is_busy());
}

#[test]
fn a_restore_that_fails_skips_what_reads_it() {
    struct Fresh;
    impl Facts for Fresh {
        fn record(&self, key: &Key) -> Option<Found> {
            (subject("a", &[]).own.key() == *key).then(|| Found { artifact: artifact(), present: true })
        }
        fn knows_own(&self, _: &Digest) -> bool {
            false
        }
        fn amiss(&self, at: usize, _: &Artifact) -> Vec<Reason> {
            Recorded(vec![0]).amiss(at, &artifact())
        }
        fn is_requested(&self, _: usize) -> bool {
            false
        }
    }
    // Content that was lost shows only when it is put back.
    let mut board = board(vec![subject("a", &[]), subject("b", &[0])], &Fresh, &[], 1, false);
    assert_eq!(board.next(&Fresh), [Next::Restore(vec![0])]);
    board.failed(0, false, Outcome::Failed);
    board.batch_ended();
    assert_eq!(board.next(&Fresh), [Next::Skipped(1, 0)]);
    assert!(!board.is_busy());
}
