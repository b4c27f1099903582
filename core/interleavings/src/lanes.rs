//! The lanes of a step, after `core/sim/src/engine/team.rs`: the calling thread computes one lane, others the rest, and
//! it reads all results as soon as the count of running lanes is 0, before the threads themselves have ended.

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

/// Results of the lanes. loom checks each access, whatever is written: two that are not ordered, of which one writes, are
/// a fault.
struct Lanes {
    results: [UnsafeCell<()>; 3],
    running: AtomicUsize,
}

/// Runs three lanes twice. `done` is how a lane tells that it is done: with less than `Release` the fault is planted.
///
/// # Panics
/// Where an order of steps reads a result that is not there yet.
pub fn results_are_there_when_the_count_is_zero(done: Ordering) {
    let lanes = Arc::new(Lanes {
        results: std::array::from_fn(|_| UnsafeCell::new(())),
        running: AtomicUsize::new(0),
    });
    let compute = |lanes: &Lanes, lane: usize| lanes.results[lane].with_mut(|_| ());
    let mut workers = Vec::new();
    for lane in 1..3 {
        lanes.running.fetch_add(1, Ordering::Relaxed);
        let lanes = Arc::clone(&lanes);
        workers.push(thread::spawn(move || {
            compute(&lanes, lane);
            lanes.running.fetch_sub(1, done);
        }));
    }
    compute(&lanes, 0);
    while lanes.running.load(Ordering::Acquire) > 0 {
        thread::yield_now();
    }
    for result in &lanes.results {
        result.with(|_| ());
    }
    for worker in workers {
        worker.join().expect("a lane does not panic");
    }
}
