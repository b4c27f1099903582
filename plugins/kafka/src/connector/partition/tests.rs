//! The partition's bookkeeping against a source that is a list of numbers.

use super::*;

const LIMITS: FetchLimits = FetchLimits { records_max: 3, bytes_max: 1 << 20, timeout: Duration::ZERO };

fn record(offset: i64) -> Record {
    Record { id: offset.to_string(), payload: vec![0; 10], ..Record::default() }
}

/// A broker's side of the partition: messages with gaps, and the place that is read next.
struct Log {
    offsets: Vec<i64>,
    at: usize,
}

impl Log {
    fn read(&mut self, partition: &mut Partition) -> Option<Arrival> {
        let offset = *self.offsets.get(self.at)?;
        self.at += 1;
        Some(partition.arrive(offset, record(offset)))
    }

    fn seek(&mut self, offset: i64) {
        self.at = self.offsets.partition_point(|at| *at < offset);
    }
}

/// Guards rule 2: what is committed never passes a record that is not settled, and gaps in the offsets, as
/// compaction and transactions leave them, do not stop it.
#[test]
fn only_the_contiguous_settled_prefix_is_committed() {
    let mut partition = Partition::new(1);
    assert_eq!(partition.prefix(), None);
    let mut log = Log { offsets: vec![5, 7, 8, 12], at: 0 };
    while log.read(&mut partition).is_some() {}
    assert_eq!((partition.prefix(), partition.commit_due()), (Some(5), None));
    let (offsets, _) = partition.take(LIMITS);
    assert_eq!(offsets, [5, 7, 8]);
    partition.settle(7);
    partition.settle(8);
    assert_eq!(partition.commit_due(), None);
    partition.settle(5);
    assert_eq!(partition.commit_due(), Some(12));
    partition.commit_is_sent(12, true);
    assert_eq!(partition.commit_due(), None);
    partition.commit_is_sent(12, false);
    assert_eq!(partition.commit_due(), Some(12));
    partition.take(LIMITS);
    partition.settle(12);
    assert_eq!(partition.commit_due(), Some(13));
}

/// Guards order and memory after a record was given back: nothing later is handed out before it, what is
/// outstanding does not come twice, and what the topic no longer holds blocks nothing.
#[test]
fn what_was_given_back_comes_again_in_order() {
    let now = Instant::now();
    let mut partition = Partition::new(1);
    let mut log = Log { offsets: (0..8).collect(), at: 0 };
    while log.read(&mut partition).is_some() {}
    partition.take(LIMITS);
    partition.give_back(1, now, Duration::from_secs(1));
    assert_eq!(partition.set_back_due(), Some(now + Duration::from_secs(1)));
    assert!(!partition.has_ready() && partition.wants_pause(1000, false) == Some(Pause::Order));
    assert_eq!(partition.arrive(8, record(8)), Arrival::Dropped);
    partition.settle(0);
    assert_eq!(partition.commit_due(), Some(1));
    assert_eq!(partition.set_back_to(), Some(1));
    partition.was_set_back(None);
    assert_eq!(partition.wants_pause(1, true), None, "it would wait for itself");
    // Record 3 was deleted meanwhile.
    log.offsets.retain(|at| *at != 3);
    log.seek(1);
    let arrivals: Vec<_> = std::iter::from_fn(|| log.read(&mut partition)).collect();
    assert_eq!(arrivals[..2], [Arrival::Taken { missing: 0 }, Arrival::Dropped]);
    assert_eq!(arrivals[2], Arrival::Taken { missing: 1 });
    let (offsets, _) = partition.take(FetchLimits { records_max: 100, ..LIMITS });
    assert_eq!(offsets, [1, 4, 5, 6, 7]);
    [1, 4, 5, 6, 7].into_iter().for_each(|at| partition.settle(at));
    assert_eq!(partition.commit_due(), Some(2));
    partition.settle(2);
    assert_eq!(partition.commit_due(), Some(8));
}

/// Guards exactly once: a transaction's offset covers what is done and what it holds, never a gap, and what it
/// holds is not published again when it comes back.
#[test]
fn a_transaction_never_commits_over_a_gap() {
    let mut partition = Partition::new(1);
    let mut log = Log { offsets: (0..6).collect(), at: 0 };
    while log.read(&mut partition).is_some() {}
    partition.take(FetchLimits { records_max: 5, ..LIMITS });
    let batch = BTreeSet::from([0, 1]);
    assert_eq!(partition.transaction_prefix(&batch), (Some(2), vec![]));
    let early = BTreeSet::from([0, 3, 4]);
    assert_eq!(partition.transaction_prefix(&early), (Some(1), vec![3, 4]));
    partition.transaction_done(&batch);
    partition.give_back(1, Instant::now(), Duration::ZERO);
    assert!(partition.is_transacted(1));
    assert_eq!(partition.transaction_prefix(&BTreeSet::from([2])), (Some(3), vec![]));
    partition.settle(0);
    assert!(!partition.is_transacted(0));
}

/// Guards that any order of settling and giving back ends with everything settled once and everything
/// committed: the reference is the list itself.
#[test]
fn every_order_of_fates_ends_well() {
    for seed in 0..200u64 {
        let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut draw = |n: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % n
        };
        let mut partition = Partition::new(1);
        let mut log = Log { offsets: (100..160).filter(|at| at % 7 != 3).collect(), at: 0 };
        let (mut out, mut settled, mut returns) = (Vec::new(), BTreeSet::new(), 0);
        let now = Instant::now();
        for _ in 0..100_000 {
            match draw(4) {
                0 => drop(log.read(&mut partition)),
                1 => {
                    let (offsets, _) = partition.take(LIMITS);
                    assert!(offsets.is_sorted() && offsets.iter().all(|at| !out.contains(at)));
                    out.extend(offsets);
                }
                2 if !out.is_empty() => {
                    let at = out.swap_remove(draw(out.len() as u64) as usize);
                    if draw(3) == 0 && returns < 40 {
                        returns += 1;
                        partition.give_back(at, now, Duration::ZERO);
                    } else {
                        partition.settle(at);
                        assert!(settled.insert(at), "{at} settled twice");
                    }
                }
                _ if partition.set_back_due().is_some() => {
                    log.seek(partition.set_back_to().expect("something was returned"));
                    partition.was_set_back(None);
                }
                _ => {}
            }
            let open = log.offsets.iter().find(|at| !settled.contains(at));
            let prefix = partition.prefix();
            assert!(
                prefix.is_none_or(|prefix| open.is_none_or(|open| prefix <= *open)),
                "{prefix:?} {open:?}"
            );
            if settled.len() == log.offsets.len() {
                break;
            }
        }
        assert_eq!(settled, log.offsets.iter().copied().collect(), "seed {seed}");
        assert_eq!(partition.prefix(), Some(160), "seed {seed}");
        assert!(returns > 0, "seed {seed}: nothing was given back");
    }
}
