//! The circuit under any order of events, and under very many callers at once.

use std::sync::atomic::{AtomicU32, Ordering as Atomic};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use mfn_plugin::testing::{FaultMemory, FaultRow};
use proptest::prelude::*;

use super::breaker::{Breaker, BreakerState, SharedBreaker};
use crate::config::BreakerConfig;

const SECOND: Duration = Duration::from_secs(1);

/// A circuit with three probes that has opened at time 0 and may be probed from `SECOND` on.
fn opened() -> SharedBreaker {
    let breaker = SharedBreaker::new(BreakerConfig { failures_max: 1, recovery_ms: 1000, probes_max: 3 });
    breaker.permit(Duration::ZERO).unwrap().fail(Duration::ZERO);
    assert_eq!(breaker.state(), BreakerState::Open);
    breaker
}

// Guards fault 14 of the table: 10,000 callers meet a half-open circuit with three permits, and half of them
// give up, before or during the call. The endpoint never sees more than three calls, and afterwards the
// circuit is not wedged: it opens, is probed again, and closes.
#[test]
fn a_stampede_reaches_the_endpoint_three_times() {
    const CALLERS: usize = 10_000;
    const THREADS: usize = 16;
    // A circuit holds nothing; the callers' threads have a page or two of stack and an arena of the allocator each.
    let memory = FaultMemory::here(0).kept_by_test(THREADS as u64 * 64 * 1024);
    let mut struck = 0;
    for round in 0..5 {
        let (breaker, seen, cancelled) = (opened(), AtomicU32::new(0), AtomicU32::new(0));
        let start = Barrier::new(THREADS);
        let kept = std::sync::Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let (breaker, seen, cancelled, start, kept) = (&breaker, &seen, &cancelled, &start, &kept);
                scope.spawn(move || {
                    start.wait();
                    for caller in (thread..CALLERS).step_by(THREADS) {
                        let Some(mut permit) = breaker.permit(SECOND) else { continue };
                        if (caller / THREADS).is_multiple_of(2) {
                            // Cancelled before the call: the next caller gets the permit.
                            cancelled.fetch_add(1, Atomic::Relaxed);
                            std::thread::yield_now();
                            drop(permit);
                            continue;
                        }
                        seen.fetch_add(1, Atomic::Relaxed);
                        permit.begin(SECOND);
                        kept.lock().unwrap().push(permit);
                    }
                });
            }
        });
        assert_eq!(seen.load(Atomic::Relaxed), 3, "round {round}");
        assert!(cancelled.load(Atomic::Relaxed) > 0, "nobody gave up");
        assert!(breaker.permit(SECOND).is_none());
        // All three give up during their calls: that counts as a failure, and nothing hangs.
        kept.into_inner().unwrap().clear();
        assert_eq!(breaker.state(), BreakerState::Open);
        for _ in 0..3 {
            breaker.permit(SECOND * 2).unwrap().succeed();
        }
        assert_eq!(breaker.state(), BreakerState::Closed);
        struck += u64::from(cancelled.into_inner());
    }
    FaultRow { number: 14, struck, ..FaultRow::default() }.report(memory);
}

// Guards permits across threads: a permit dropped in another thread is back for everybody.
#[test]
fn a_dropped_permit_is_there_for_others() {
    let breaker = Arc::new(opened());
    let permits: Vec<_> = (0..3).map(|_| breaker.permit(SECOND).unwrap()).collect();
    assert!(breaker.permit(SECOND).is_none());
    std::thread::spawn(move || drop(permits)).join().unwrap();
    assert_eq!((0..4).filter_map(|_| breaker.permit(SECOND).map(std::mem::forget)).count(), 3);
}

// Guards against answers that come late: what began before the circuit opened does not close it.
#[test]
fn an_answer_from_before_says_nothing() {
    let mut breaker = Breaker::new(BreakerConfig { failures_max: 1, recovery_ms: 1000, probes_max: 1 });
    let (early, late) = (breaker.admit(Duration::ZERO).unwrap(), breaker.admit(Duration::ZERO).unwrap());
    breaker.failed(Duration::ZERO, early);
    breaker.succeeded(late);
    assert_eq!(breaker.state(), BreakerState::Open);
    let probe = breaker.admit(SECOND).unwrap();
    breaker.failed(SECOND, late);
    breaker.give_back(late);
    assert!(breaker.admit(SECOND).is_none());
    breaker.succeeded(probe);
    assert_eq!(breaker.state(), BreakerState::Closed);
}

/// What a model caller does.
#[derive(Debug, Clone, Copy)]
enum Step {
    Ask,
    GiveBack(usize),
    Answered(usize),
    Succeed(usize),
    Fail(usize),
    Sleep(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Ask),
        1 => (0usize..8).prop_map(Step::GiveBack),
        1 => (0usize..8).prop_map(Step::Answered),
        2 => (0usize..8).prop_map(Step::Succeed),
        3 => (0usize..8).prop_map(Step::Fail),
        2 => (1u64..900).prop_map(Step::Sleep),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    // Guards the circuit under any order of events: nothing passes while it is open, at most so many probes are
    // out in one half-open period, only so many failures in a row open it, and whatever happened, somebody may
    // pass again after its time once all permits are back.
    #[test]
    fn the_circuit_keeps_its_word(failures_max in 1u32..6, probes_max in 1u32..4,
                                  steps in proptest::collection::vec(step(), 1..300)) {
        let recovery = Duration::from_secs(1);
        let mut breaker = Breaker::new(BreakerConfig { failures_max, recovery_ms: 1000, probes_max });
        let mut now = Duration::ZERO;
        // Each permit with the period in which it was given; a change of state begins a new period.
        let (mut out, mut period, mut opened) = (Vec::new(), 0u32, Duration::ZERO);
        let (mut probes, mut failures) = (0u32, 0u32);
        for step in steps {
            let before = breaker.state();
            let mut current = true;
            match step {
                Step::Sleep(ms) => now += Duration::from_millis(ms),
                Step::Ask => {
                    let admission = breaker.admit(now);
                    match before {
                        BreakerState::Closed => prop_assert!(admission.is_some_and(|it| !it.probe)),
                        BreakerState::Open => {
                            prop_assert_eq!(admission.is_some(), now >= opened + recovery);
                            probes = u32::from(admission.is_some());
                            period += probes;
                        }
                        BreakerState::HalfOpen => {
                            prop_assert_eq!(admission.is_some(), probes < probes_max);
                            probes += u32::from(admission.is_some());
                        }
                    }
                    out.extend(admission.map(|admission| (admission, period)));
                }
                Step::GiveBack(at) | Step::Answered(at) | Step::Succeed(at) | Step::Fail(at) => {
                    if at >= out.len() {
                        continue;
                    }
                    let (admission, since) = out.remove(at);
                    current = since == period;
                    match step {
                        Step::GiveBack(_) => breaker.give_back(admission),
                        Step::Answered(_) => breaker.answered(admission),
                        Step::Succeed(_) => breaker.succeeded(admission),
                        _ => breaker.failed(now, admission),
                    }
                    if current {
                        match step {
                            Step::GiveBack(_) => probes = probes.saturating_sub(1),
                            Step::Fail(_) => failures += 1,
                            Step::Succeed(_) => failures = 0,
                            _ => {}
                        }
                    }
                }
            }
            let after = breaker.state();
            if after != before && !matches!(step, Step::Ask) {
                prop_assert!(current, "an old answer has changed the state");
                if after == BreakerState::Open {
                    prop_assert!(before == BreakerState::HalfOpen || failures == failures_max);
                    opened = now;
                }
                failures = 0;
                period += 1;
            }
        }
        for (admission, since) in out {
            if since == period {
                breaker.give_back(admission);
            }
        }
        let again = breaker.admit(now + recovery);
        // Wedged it would only be if all probes had succeeded or failed without a change of state.
        prop_assert!(again.is_some());
    }
}
