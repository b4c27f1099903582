//! Faults of the table that are about a single publisher, in virtual time and at full size.

use std::time::Duration;

use mfn_plugin::testing::{FaultMemory, FaultRow};
use mfn_plugin::value::{ErrorClass, Ordering};

use super::*;
use crate::delivery::{Answers, Refusal};

/// How long every call takes.
const CALL: Duration = Duration::from_millis(5);

fn config(ordering: Ordering, records_max: u32) -> OutboundConfig {
    OutboundConfig {
        retry: RetryConfig::default(),
        breaker: BreakerConfig::default(),
        batch: BatchConfig { records_max, ..BatchConfig::default() },
        ordering,
    }
}

fn refuse(class: ErrorClass, retry_after: Option<Duration>) -> Answer {
    Err(Refusal { class, reason: "planned".into(), retry_after })
}

fn offer(machine: &mut Outbound, now: Duration, ids: std::ops::Range<u64>) {
    for id in ids {
        machine.offer(now, Item { id: ItemId(id), key: Some(id % 7), bytes: 100 });
    }
}

// Guards fault 5: of 2,000 records per second, half of all calls are answered 503 with Retry-After. Everything
// is delivered, with at most 2.1 attempts per record, and nothing is sent before the endpoint wants it.
#[test]
fn a_throttling_endpoint_gets_everything_without_a_storm() {
    const RECORDS: u64 = 200_000;
    // The endpoint takes less than what comes, so in the end nearly all wait, without their payloads: a record counts
    // at least its own size against the byte budget, and what is known of it here must be less.
    let memory = FaultMemory::here(RECORDS * size_of::<mfn_plugin::value::Record>() as u64);
    let (mut struck, mut lost) = (0, 0);
    for ordering in [Ordering::None, Ordering::Key] {
        let mut machine = alone(config(ordering, 50), 3);
        let mut dice = Random::new(5);
        let (mut now, mut not_before) = (Duration::ZERO, Duration::ZERO);
        let (mut offered, mut delivered, mut sent, mut throttled) = (0, 0, 0, 0u64);
        while delivered < RECORDS {
            let arrived = ((now.as_secs_f64() * 2000.0) as u64).min(RECORDS);
            offer(&mut machine, now, offered..arrived);
            offered = arrived;
            match machine.poll(now) {
                Action::Publish(call) => {
                    assert!(now >= not_before, "sent at {now:?}, before {not_before:?}");
                    sent += call.items.len() as u64;
                    now += CALL;
                    let answer = if dice.unit() < 0.5 {
                        throttled += 1;
                        let after = Duration::from_secs_f64(dice.unit());
                        not_before = now + after;
                        refuse(ErrorClass::Throttled, Some(after))
                    } else {
                        Ok(())
                    };
                    let resolved = machine.answer(now, call.id, vec![answer; call.items.len()]);
                    assert!(resolved.iter().all(|(_, end)| *end == Resolution::Delivered));
                    delivered += resolved.len() as u64;
                }
                Action::Wait { until } => {
                    let next = now + Duration::from_millis(1);
                    now = until.map_or(next, |until| until.max(next));
                }
            }
        }
        assert!(throttled > 1000);
        let attempts = sent as f64 / RECORDS as f64;
        assert!(attempts <= 2.1, "{attempts} attempts per record");
        assert_eq!(machine.status().queued, 0);
        struck += throttled;
        lost += RECORDS - delivered;
    }
    FaultRow { number: 5, struck, lost, duplicated: 0 }.report(memory);
}

// Guards fault 6: an endpoint is dead for 24 hours. No minute sees more than three calls once the circuit is
// open, the memory does not grow, and afterwards everything goes out at no less than 80 % of the usual rate.
#[test]
fn a_dead_endpoint_is_left_alone_and_then_caught_up_with() {
    const RECORDS: u64 = 20_000;
    const DAY: Duration = Duration::from_secs(86_400);
    // The records' own 100 bytes each, and as much again to know what each waits for.
    let memory = FaultMemory::here(2 * 100 * RECORDS);
    let (mut struck, mut lost) = (0, 0);
    for class in [ErrorClass::Retryable, ErrorClass::Unknown, ErrorClass::Blocked, ErrorClass::Throttled] {
        for ordering in [Ordering::None, Ordering::Key, Ordering::All] {
            let mut machine = alone(config(ordering, 500), 11);
            offer(&mut machine, Duration::ZERO, 0..RECORDS);
            let mut now = Duration::ZERO;
            let mut calls = Vec::new();
            while now < DAY {
                match machine.poll(now) {
                    Action::Publish(call) => {
                        calls.push(now);
                        now += CALL;
                        let answers = vec![refuse(class, None); call.items.len()];
                        assert_eq!(machine.answer(now, call.id, answers), []);
                    }
                    Action::Wait { until } => now = until.unwrap(),
                }
                assert!(machine.waiting_times() <= RECORDS as usize + 10, "{class:?}: times pile up");
            }
            assert!(calls.len() > 1000);
            struck += calls.len() as u64;
            // After the first calls, in which the endpoint is found to be dead.
            let settled: Vec<_> = calls.into_iter().filter(|at| at.as_secs() > 120).collect();
            for window in settled.windows(4) {
                let span = window[3] - window[0];
                assert!(span > Duration::from_secs(60), "{class:?} {ordering:?}: 4 calls in {span:?}");
            }
            assert_eq!(machine.status().queued as u64, RECORDS);
            // It is back.
            let (mut delivered, mut first) = (0, None);
            while machine.status().queued > 0 {
                match machine.poll(now) {
                    Action::Publish(call) => {
                        first.get_or_insert(now);
                        now += CALL;
                        delivered += machine.answer(now, call.id, vec![Ok(()); call.items.len()]).len();
                    }
                    Action::Wait { until } => now = until.unwrap(),
                }
            }
            lost += RECORDS - delivered as u64;
            let usual = CALL * (RECORDS as u32 / 500);
            let took = now - first.unwrap();
            assert!(took.mul_f64(0.8) <= usual, "{class:?} {ordering:?}: {took:?} instead of {usual:?}");
        }
    }
    FaultRow { number: 6, struck, lost, duplicated: 0 }.report(memory);
}

// Guards good records against a bad one beside them: a publisher that refuses the whole call for good because of it
// gets the others in their order, in few calls, and only the bad ones are given up. It costs no retry of the budget.
#[test]
fn one_bad_record_does_not_cost_its_batch() {
    const RECORDS: u64 = 512;
    for ordering in [Ordering::None, Ordering::Key, Ordering::All] {
        for bad in [&[][..], &[77], &[0, 511], &[5, 6, 7, 300]] {
            let mut machine = alone(config(ordering, 512), 5);
            offer(&mut machine, Duration::ZERO, 0..RECORDS);
            let (mut taken, mut unfit, mut calls) = (Vec::new(), Vec::new(), 0);
            while machine.status().queued > 0 {
                // No time passes: nothing waits for a budget, or for anything else.
                let Action::Publish(call) = machine.poll(Duration::ZERO) else { panic!("waits") };
                calls += 1;
                let whole = call.items.iter().any(|item| bad.contains(&item.0));
                let refusal =
                    Refusal { class: ErrorClass::Permanent, reason: "bad".into(), retry_after: None };
                let answers = match whole {
                    true => Answers::Whole(refusal),
                    false => Answers::Each(vec![Ok(()); call.items.len()]),
                };
                for (item, end) in machine.answer(Duration::ZERO, call.id, answers) {
                    match end {
                        Resolution::Delivered => taken.push(item.0),
                        Resolution::Unfit { .. } => unfit.push(item.0),
                        Resolution::Returned { .. } => panic!("returned"),
                    }
                }
            }
            unfit.sort_unstable();
            assert_eq!((unfit.as_slice(), taken.len()), (bad, RECORDS as usize - bad.len()));
            let in_order = |key: u64| taken.iter().filter(|id| **id % 7 == key).is_sorted();
            match ordering {
                Ordering::None => {}
                Ordering::Key => assert!((0..7).all(in_order), "{bad:?}"),
                Ordering::All => assert!(taken.is_sorted(), "{bad:?}"),
            }
            // Twice the depth of the search for each.
            assert!(calls <= 1 + 18 * bad.len(), "{ordering:?}, {bad:?}: {calls} calls");
        }
    }
}
