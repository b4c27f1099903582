//! Single promises of the relay, each with the event that would break it.

use std::time::Duration;

use mfn_plugin::value::Ordering;

use super::*;
use crate::config::{BatchConfig, BreakerConfig, RetryConfig};
use crate::delivery::Refusal;

const NOW: Duration = Duration::ZERO;

fn relay(committed: u64, has_dead_letters: bool) -> Relay {
    let config = OutboundConfig {
        retry: RetryConfig { jitter: false, ..RetryConfig::default() },
        breaker: BreakerConfig::default(),
        batch: BatchConfig { records_max: 1, ..BatchConfig::default() },
        ordering: Ordering::None,
    };
    let limits = RelayLimits { records_max: 4, bytes_max: 25 };
    Relay::new(config, Endpoint::new(config.breaker), 1, committed, limits, has_dead_letters)
}

fn items(positions: &[u64]) -> Vec<Item> {
    positions.iter().map(|&position| Item { id: ItemId(position), key: None, bytes: 10 }).collect()
}

fn no(class: ErrorClass) -> Answer {
    Err(Refusal { class, reason: "why".into(), retry_after: None })
}

/// Lets the relay make one call, for this record, with this answer.
fn publish(relay: &mut Relay, now: Duration, position: u64, answer: Answer) -> Vec<(u64, Fate)> {
    match relay.poll(now) {
        RelayAction::Publish(call) => {
            assert_eq!(call.items, [ItemId(position)]);
            relay.answer(now, call.id, vec![answer])
        }
        action => panic!("{action:?} instead of publishing {position}"),
    }
}

// Guards the cursor: it follows the contiguous delivered prefix, never the largest delivered position, also
// where positions are missing.
#[test]
fn the_cursor_never_passes_an_open_record() {
    let mut relay = relay(5, false);
    relay.read(NOW, items(&[5, 7, 9]));
    assert_eq!(publish(&mut relay, NOW, 5, no(ErrorClass::Retryable)), []);
    publish(&mut relay, NOW, 7, Ok(()));
    publish(&mut relay, NOW, 9, Ok(()));
    let second = Duration::from_secs(1);
    assert_eq!(relay.poll(NOW), RelayAction::Wait { until: Some(second) });
    publish(&mut relay, second, 5, Ok(()));
    assert_eq!(relay.poll(second), RelayAction::Commit { next: 10 });
    assert_eq!(relay.poll(second), RelayAction::Wait { until: None });
}

// Guards what can not be done: the cursor passes it only when the dead letters have it, however often they
// refuse for the moment.
#[test]
fn a_dead_letter_comes_before_the_cursor() {
    let mut relay = relay(0, true);
    relay.read(NOW, items(&[0]));
    assert_eq!(publish(&mut relay, NOW, 0, no(ErrorClass::Permanent)), []);
    let letter = RelayAction::DeadLetter { records: vec![(0, "why".into())] };
    let mut now = NOW;
    for wait in [1, 2, 4, 8] {
        assert_eq!(relay.poll(now), letter);
        assert_eq!(relay.poll(now), RelayAction::Wait { until: None });
        assert_eq!(relay.dead_lettered(now, vec![no(ErrorClass::Blocked)]), []);
        let until = now + Duration::from_secs(wait);
        assert_eq!(relay.poll(now), RelayAction::Wait { until: Some(until) });
        now = until;
    }
    assert_eq!(relay.poll(now), letter);
    let fate = Fate::DeadLettered { reason: "why".into() };
    assert_eq!(relay.dead_lettered(now, vec![Ok(())]), [(0, fate)]);
    assert_eq!(relay.poll(now), RelayAction::Commit { next: 1 });
}

// Guards a record that nobody keeps: it is rejected with all reasons, counted, and holds up nothing.
#[test]
fn what_nobody_keeps_is_rejected_with_its_reasons() {
    let mut without = relay(0, false);
    without.read(NOW, items(&[0]));
    let fates = publish(&mut without, NOW, 0, no(ErrorClass::Permanent));
    assert_eq!(fates, [(0, Fate::Rejected { reason: "why".into() })]);

    let mut refused = relay(0, true);
    refused.read(NOW, items(&[0]));
    publish(&mut refused, NOW, 0, no(ErrorClass::Permanent));
    assert!(matches!(refused.poll(NOW), RelayAction::DeadLetter { .. }));
    let fates = refused.dead_lettered(NOW, vec![no(ErrorClass::Permanent)]);
    let reason = "why; the dead letter was refused: why".to_owned();
    assert_eq!(fates, [(0, Fate::Rejected { reason })]);
    assert_eq!(refused.counters(), RelayCounters { read: 1, rejected: 1, ..RelayCounters::default() });
}

// Guards the memory: no more is read than the limits allow, and delivered records behind an open one count.
#[test]
fn reading_ahead_is_bounded() {
    let mut relay = relay(0, false);
    assert_eq!(relay.room(), Some((0, 4, 25)));
    relay.read(NOW, items(&[0, 1, 2]));
    assert_eq!(relay.room(), None, "the bytes are used up");
    publish(&mut relay, NOW, 0, no(ErrorClass::Retryable));
    publish(&mut relay, NOW, 1, Ok(()));
    publish(&mut relay, NOW, 2, Ok(()));
    assert_eq!(relay.room(), Some((3, 1, 15)));
    relay.read(NOW, items(&[3]));
    assert_eq!(relay.room(), None, "the records are used up");
}

// Guards a halt: nothing more is sent or read, but what is out may still move the cursor.
#[test]
fn after_a_halt_only_the_cursor_moves() {
    let mut relay = relay(0, true);
    relay.read(NOW, items(&[0, 1]));
    let RelayAction::Publish(call) = relay.poll(NOW) else { panic!("nothing is published") };
    relay.halt();
    assert_eq!(relay.room(), None);
    relay.answer(NOW, call.id, vec![Ok(())]);
    assert_eq!(relay.poll(NOW), RelayAction::Commit { next: 1 });
    assert_eq!(relay.poll(NOW), RelayAction::Wait { until: None });
    assert_eq!(relay.counters().open, 1);
}
