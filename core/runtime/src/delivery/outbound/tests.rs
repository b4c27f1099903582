//! Single promises of the machine, each with the event that would break it.

use std::time::Duration;

use mfn_plugin::value::{ErrorClass, Ordering};

use super::*;
use crate::config::{Exhausted, RetryStrategy};
use crate::delivery::Refusal;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Without jitter, so that times can be told.
fn config(ordering: Ordering) -> OutboundConfig {
    OutboundConfig {
        retry: RetryConfig { jitter: false, ..RetryConfig::default() },
        breaker: BreakerConfig::default(),
        batch: BatchConfig::default(),
        ordering,
    }
}

fn item(id: u64, key: Option<u64>) -> Item {
    Item { id: ItemId(id), key, bytes: 10 }
}

fn machine(config: OutboundConfig, items: &[(u64, Option<u64>)]) -> Outbound {
    let mut machine = alone(config, 1);
    for &(id, key) in items {
        machine.offer(Duration::ZERO, item(id, key));
    }
    machine
}

fn published(machine: &mut Outbound, now: Duration) -> Call {
    match machine.poll(now) {
        Action::Publish(call) => call,
        Action::Wait { until } => panic!("waits until {until:?} at {now:?}"),
    }
}

/// The time for which the machine waits.
fn wait(machine: &mut Outbound, now: Duration) -> Option<Duration> {
    match machine.poll(now) {
        Action::Publish(call) => panic!("publishes {call:?} at {now:?}"),
        Action::Wait { until } => until,
    }
}

fn ids(call: &Call) -> Vec<u64> {
    call.items.iter().map(|item| item.0).collect()
}

fn no(class: ErrorClass) -> Answer {
    Err(Refusal { class, reason: "why".into(), retry_after: None })
}

fn throttled(after: Duration) -> Answer {
    Err(Refusal { class: ErrorClass::Throttled, reason: "slowly".into(), retry_after: Some(after) })
}

// Guards the usual way: one call with everything that is there, one at a time, and each resolved once.
#[test]
fn what_is_delivered_is_resolved_once() {
    let mut machine = machine(config(Ordering::None), &[(7, None), (8, None)]);
    let call = published(&mut machine, Duration::ZERO);
    assert_eq!((ids(&call), call.attempt, call.probe), (vec![7, 8], 1, false));
    assert_eq!(call.timeout, seconds(30));
    machine.offer(Duration::ZERO, item(9, None));
    assert_eq!(wait(&mut machine, Duration::ZERO), None);
    let resolved = machine.answer(seconds(1), call.id, vec![Ok(()), Ok(())]);
    assert_eq!(resolved, [(ItemId(7), Resolution::Delivered), (ItemId(8), Resolution::Delivered)]);
    assert_eq!(machine.answer(seconds(1), call.id, vec![Ok(()), Ok(())]), []);
    assert_eq!(ids(&published(&mut machine, seconds(1))), [9]);
}

// Guards the limits of a call: count, bytes, and a record that is larger than a call may be.
#[test]
fn calls_are_cut_by_count_and_bytes() {
    let batch = BatchConfig { records_max: 3, bytes_max: 25, age_ms: 0 };
    let mut machine = alone(OutboundConfig { batch, ..config(Ordering::None) }, 1);
    for (id, bytes) in [(0, 10), (1, 10), (2, 10), (3, 99), (4, 1), (5, 1), (6, 1), (7, 1)] {
        machine.offer(Duration::ZERO, Item { id: ItemId(id), key: None, bytes });
    }
    let mut calls = Vec::new();
    while machine.status().queued > 0 {
        let call = published(&mut machine, Duration::ZERO);
        machine.answer(Duration::ZERO, call.id, vec![Ok(()); call.items.len()]);
        calls.push(ids(&call));
    }
    assert_eq!(calls, [vec![0, 1], vec![2], vec![3], vec![4, 5, 6], vec![7]]);
}

// Guards the wait for a full batch: it ends with the age of the oldest record, or when the batch is full.
#[test]
fn a_batch_goes_when_it_is_full_or_old() {
    let batch = BatchConfig { records_max: 3, bytes_max: 1000, age_ms: 200 };
    let config = OutboundConfig { batch, ..config(Ordering::None) };
    let mut machine = machine(config, &[(0, None), (1, None)]);
    let age = Duration::from_millis(200);
    assert_eq!(wait(&mut machine, Duration::ZERO), Some(age));
    let call = published(&mut machine, age);
    machine.answer(age, call.id, vec![Ok(()); 2]);
    for id in 2..5 {
        machine.offer(age, item(id, None));
    }
    assert_eq!(ids(&published(&mut machine, age)), [2, 3, 4]);
}

// Guards the schedule of retries and what happens at its end, for each way out.
#[test]
fn retries_follow_the_strategy_to_its_end() {
    for exhausted in [Exhausted::Keep, Exhausted::DeadLetter, Exhausted::Return] {
        let mut config = config(Ordering::None);
        config.retry.exhausted = exhausted;
        config.breaker.failures_max = 1000;
        let mut machine = machine(config, &[(0, None)]);
        let mut now = Duration::ZERO;
        let mut waits = Vec::new();
        let mut end = None;
        for attempt in 1..=6 {
            let call = published(&mut machine, now);
            assert_eq!(call.attempt, attempt);
            end = machine.answer(now, call.id, vec![no(ErrorClass::Retryable)]).pop();
            if end.is_some() {
                break;
            }
            let until = wait(&mut machine, now).unwrap();
            waits.push((until - now).as_secs());
            now = until;
        }
        match (exhausted, end.map(|(_, resolution)| resolution)) {
            (Exhausted::Keep, None) => assert_eq!(waits, [1, 2, 4, 60, 60, 60]),
            (Exhausted::DeadLetter, Some(Resolution::Unfit { reason })) => {
                assert_eq!(waits, [1, 2, 4]);
                assert_eq!(reason, "given up after 4 attempts: why");
            }
            (Exhausted::Return, Some(Resolution::Returned { delay, .. })) => {
                assert_eq!((waits, delay), (vec![1, 2, 4], seconds(60)));
            }
            (_, end) => panic!("{exhausted:?} ended with {end:?} after {waits:?}"),
        }
    }
}

// Guards `none`: one attempt, whatever the error that may pass. (MFN v4.1 made four.)
#[test]
fn no_retry_means_one_attempt() {
    for class in [ErrorClass::Retryable, ErrorClass::Unknown, ErrorClass::Throttled, ErrorClass::Blocked] {
        let mut config = config(Ordering::None);
        config.retry.strategy = RetryStrategy::None;
        config.retry.exhausted = Exhausted::Return;
        let mut machine = machine(config, &[(0, None)]);
        let call = published(&mut machine, Duration::ZERO);
        let resolved = machine.answer(Duration::ZERO, call.id, vec![no(class)]);
        assert!(matches!(resolved[..], [(ItemId(0), Resolution::Returned { .. })]), "{resolved:?}");
        assert_eq!(machine.status().queued, 0);
    }
}

// Guards the pause that an endpoint asks for: it holds for all records, costs no attempt, and a longer
// backoff would prevail.
#[test]
fn a_throttled_endpoint_is_left_alone_as_long_as_asked() {
    let mut config = config(Ordering::None);
    config.retry.exhausted = Exhausted::DeadLetter;
    let mut machine = machine(config, &[(0, None)]);
    let mut now = Duration::ZERO;
    for _ in 0..20 {
        let call = published(&mut machine, now);
        assert_eq!(machine.answer(now, call.id, vec![throttled(seconds(90))]), []);
        machine.offer(now, item(1, None));
        assert_eq!(wait(&mut machine, now), Some(now + seconds(90)));
        assert_eq!(wait(&mut machine, now + seconds(89)), Some(now + seconds(90)));
        now += seconds(90);
        let call = published(&mut machine, now);
        assert_eq!((ids(&call), call.probe), (vec![0, 1], false));
        assert_eq!(machine.answer(now, call.id, vec![throttled(seconds(0)), Ok(())]).len(), 1);
        now = wait(&mut machine, now).unwrap();
    }
    assert_eq!(machine.status().breaker, BreakerState::Closed);
}

// Guards an endpoint that takes most of each call and throttles the rest: its pauses do not grow, as it works.
#[test]
fn pauses_grow_only_while_nothing_is_taken() {
    let mut machine = machine(config(Ordering::None), &[]);
    let mut now = Duration::ZERO;
    for id in 0..20 {
        machine.offer(now, item(id, None));
        machine.offer(now, item(100 + id, None));
        let call = published(&mut machine, now);
        let mut answers = vec![Ok(()); call.items.len()];
        answers[0] = throttled(seconds(0));
        machine.answer(now, call.id, answers);
        assert_eq!(wait(&mut machine, now), Some(now + seconds(1)));
        now += seconds(1);
    }
}

// Guards against an endpoint that asks to be left alone for ever.
#[test]
fn an_absurd_retry_after_is_cut() {
    let mut machine = machine(config(Ordering::None), &[(0, None)]);
    let call = published(&mut machine, Duration::ZERO);
    machine.answer(Duration::ZERO, call.id, vec![throttled(Duration::MAX)]);
    assert_eq!(wait(&mut machine, Duration::ZERO), Some(seconds(3600)));
}

// Guards expired credentials: everything is kept, and single records find out with growing pauses whether
// the endpoint takes something again.
#[test]
fn a_blocked_endpoint_is_probed_slowly() {
    let mut config = config(Ordering::None);
    config.retry.exhausted = Exhausted::DeadLetter;
    let mut machine = machine(config, &[(0, None), (1, None)]);
    let call = published(&mut machine, Duration::ZERO);
    machine.answer(Duration::ZERO, call.id, vec![no(ErrorClass::Blocked); 2]);
    let (mut now, mut waits) = (Duration::ZERO, Vec::new());
    for _ in 0..9 {
        let until = wait(&mut machine, now).unwrap();
        waits.push((until - now).as_secs());
        now = until;
        let call = published(&mut machine, now);
        assert!(call.probe && call.items.len() == 1);
        assert_eq!(machine.answer(now, call.id, vec![no(ErrorClass::Blocked)]), []);
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    now = wait(&mut machine, now).unwrap();
    let call = published(&mut machine, now);
    assert_eq!(machine.answer(now, call.id, vec![Ok(())]).len(), 1);
    let now = now + seconds(60);
    assert!(!published(&mut machine, now).probe);
}

// Guards the circuit inside the retry loop: it opens after five failed calls, lets single probes through
// that cost no attempt, and closes again. A record's attempts are not used up by an endpoint that is down.
#[test]
fn an_open_circuit_spends_no_attempt() {
    let mut config = config(Ordering::None);
    config.retry = RetryConfig { retries_max: 5, exhausted: Exhausted::DeadLetter, ..config.retry };
    let mut machine = machine(config, &[(0, None)]);
    let mut now = Duration::ZERO;
    for _ in 0..5 {
        let call = published(&mut machine, now);
        assert!(!call.probe);
        assert_eq!(machine.answer(now, call.id, vec![no(ErrorClass::Unknown)]), []);
        now = wait(&mut machine, now).unwrap();
    }
    assert_eq!(machine.status().breaker, BreakerState::Open);
    // A day later it is still there.
    for _ in 0..1440 {
        let call = published(&mut machine, now);
        assert!(call.probe);
        assert_eq!(machine.answer(now, call.id, vec![no(ErrorClass::Retryable)]), []);
        let until = wait(&mut machine, now).unwrap();
        assert!(until - now >= seconds(60));
        now = until;
    }
    let call = published(&mut machine, now);
    assert_eq!(machine.answer(now, call.id, vec![Ok(())]).len(), 1);
    assert_eq!(machine.status().breaker, BreakerState::Closed);
}

// Guards partial failures: what was delivered is not sent again, and an endpoint that takes some records is
// no failing endpoint.
#[test]
fn only_what_failed_is_sent_again() {
    let mut config = config(Ordering::None);
    config.breaker.failures_max = 1;
    let mut machine = machine(config, &[(0, None), (1, None), (2, None)]);
    let call = published(&mut machine, Duration::ZERO);
    let answers = vec![Ok(()), no(ErrorClass::Retryable), no(ErrorClass::Permanent)];
    let resolved = machine.answer(Duration::ZERO, call.id, answers);
    let unfit = Resolution::Unfit { reason: "why".into() };
    assert_eq!(resolved, [(ItemId(0), Resolution::Delivered), (ItemId(2), unfit)]);
    let call = published(&mut machine, seconds(1));
    assert_eq!((ids(&call), call.attempt, call.probe), (vec![1], 2, false));
}

// Guards a breach of the contract: another count of answers says nothing of any record.
#[test]
fn a_wrong_count_is_a_breach_and_nothing_is_known() {
    for count in [0, 1, 3] {
        let mut machine = machine(config(Ordering::None), &[(0, None), (1, None)]);
        let call = published(&mut machine, Duration::ZERO);
        assert_eq!(machine.answer(Duration::ZERO, call.id, vec![Ok(()); count]), []);
        assert_eq!(machine.status().breaches, 1);
        assert_eq!(ids(&published(&mut machine, seconds(1))), [0, 1]);
    }
}

// Guards order per key: while one record of a key is held back, later ones of that key wait, others do not.
#[test]
fn a_held_record_holds_back_its_key_only() {
    let mut machine = machine(config(Ordering::Key), &[(0, Some(1)), (1, Some(2)), (2, Some(1))]);
    let call = published(&mut machine, Duration::ZERO);
    let answers = vec![no(ErrorClass::Retryable), Ok(()), no(ErrorClass::Retryable)];
    machine.answer(Duration::ZERO, call.id, answers);
    for (id, key) in [(3, Some(1)), (4, Some(2)), (5, None)] {
        machine.offer(Duration::ZERO, item(id, key));
    }
    let call = published(&mut machine, Duration::ZERO);
    assert_eq!(ids(&call), [4, 5]);
    machine.answer(Duration::ZERO, call.id, vec![Ok(()); 2]);
    assert_eq!(machine.status().backing_off, 3);
    assert_eq!(wait(&mut machine, Duration::ZERO), Some(seconds(1)));
    assert_eq!(ids(&published(&mut machine, seconds(1))), [0, 2, 3]);
}

// Guards order of all: nothing passes a record that is held back.
#[test]
fn a_held_record_holds_back_all() {
    let mut machine = machine(config(Ordering::All), &[(0, Some(1)), (1, Some(2))]);
    let call = published(&mut machine, Duration::ZERO);
    machine.answer(Duration::ZERO, call.id, vec![no(ErrorClass::Retryable); 2]);
    machine.offer(Duration::ZERO, item(2, None));
    assert_eq!(wait(&mut machine, Duration::ZERO), Some(seconds(1)));
    assert_eq!(ids(&published(&mut machine, seconds(1))), [0, 1, 2]);
}

// Guards an instance that can not go on: everything comes back, and nothing is sent any more.
#[test]
fn a_fatal_answer_gives_everything_back() {
    let batch = BatchConfig { records_max: 2, ..BatchConfig::default() };
    let config = OutboundConfig { batch, ..config(Ordering::None) };
    let mut machine = machine(config, &[(0, None), (1, None), (2, None)]);
    let call = published(&mut machine, Duration::ZERO);
    let resolved = machine.answer(Duration::ZERO, call.id, vec![Ok(()), no(ErrorClass::Fatal)]);
    assert_eq!(resolved.len(), 3);
    assert_eq!(resolved[0].1, Resolution::Delivered);
    assert!(resolved[1..].iter().all(|(_, end)| matches!(end, Resolution::Returned { .. })));
    machine.offer(Duration::ZERO, item(3, None));
    assert!(machine.status().failed && wait(&mut machine, seconds(9999)).is_none());
    assert_eq!(machine.halt().len(), 1);
}

// Guards the end: what is not in a call comes back at once, what is in one with its answer.
#[test]
fn a_halt_waits_for_nothing_but_the_call() {
    let batch = BatchConfig { records_max: 2, ..BatchConfig::default() };
    let config = OutboundConfig { batch, ..config(Ordering::None) };
    let mut machine = machine(config, &[(0, None), (1, None), (2, None)]);
    let call = published(&mut machine, Duration::ZERO);
    let halted: Vec<u64> = machine.halt().iter().map(|(id, _)| id.0).collect();
    assert_eq!(halted, [2]);
    let resolved = machine.answer(seconds(1), call.id, vec![Ok(()), no(ErrorClass::Retryable)]);
    assert_eq!(resolved[0], (ItemId(0), Resolution::Delivered));
    assert!(matches!(resolved[1], (ItemId(1), Resolution::Returned { .. })));
    assert_eq!((wait(&mut machine, seconds(99)), machine.status().queued), (None, 0));
}

// Guards records that nobody would bring again: they are kept, even when the publisher gives them up.
#[test]
fn a_keeping_machine_returns_nothing_while_it_runs() {
    let mut config = config(Ordering::None);
    config.retry.exhausted = Exhausted::Return;
    config.retry.strategy = RetryStrategy::None;
    let mut machine = alone(config, 1).keeping();
    machine.offer(Duration::ZERO, item(0, None));
    let mut now = Duration::ZERO;
    for class in [ErrorClass::Cancelled, ErrorClass::Retryable, ErrorClass::Blocked, ErrorClass::Throttled] {
        let call = published(&mut machine, now);
        assert_eq!(machine.answer(now, call.id, vec![no(class)]), []);
        now = wait(&mut machine, now).unwrap();
    }
    assert_eq!(machine.halt().len(), 1);
}

// Guards a flush that fails: what was taken is not durable, and no record is given up because of it.
#[test]
fn a_failed_flush_undoes_the_successes() {
    let answers = vec![Ok(()), no(ErrorClass::Permanent)];
    assert_eq!(after_flush(answers.clone(), &Ok(())), answers);
    let flushed = after_flush(answers.clone(), &no(ErrorClass::Permanent));
    assert_eq!(flushed, [no(ErrorClass::Unknown), no(ErrorClass::Permanent)]);
    let flushed = after_flush(answers, &no(ErrorClass::Blocked));
    assert_eq!(flushed, [no(ErrorClass::Blocked), no(ErrorClass::Permanent)]);
}

// Guards the oldest age: it follows the record that came first, not the one that was sent last.
#[test]
fn the_oldest_record_is_known() {
    let mut machine = alone(config(Ordering::None), 1);
    for id in 0..3 {
        machine.offer(seconds(id), item(id, None));
    }
    assert_eq!(machine.status().oldest, Some(seconds(0)));
    let call = published(&mut machine, seconds(5));
    machine.answer(seconds(5), call.id, vec![Ok(()), no(ErrorClass::Retryable), Ok(())]);
    let status = machine.status();
    assert_eq!((status.oldest, status.queued, status.queued_bytes), (Some(seconds(1)), 1, 10));
}
