//! The lanes of a step, after `core/sim/src/engine/team.rs`: the calling thread computes one lane, others the rest, and
//! it reads all results as soon as the count of running lanes is 0, before the threads themselves have ended.

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

/// Results of the lanes. loom checks each access: two that are not ordered, of which one writes, are a fault.
struct Lanes {
    results: [UnsafeCell<u32>; 3],
    running: AtomicUsize,
}

/// Runs three lanes twice. `done` is how a lane tells that it is done: with less than `Release` the fault is planted.
///
/// # Panics
/// Where an order of steps reads a result that is not there yet.
#[allow(unsafe_code, reason = "loom's cells are accessed through pointers, which it checks")]
pub fn results_are_there_when_the_count_is_zero(done: Ordering) {
    let lanes = Arc::new(Lanes {
        results: std::array::from_fn(|_| UnsafeCell::new(0)),
        running: AtomicUsize::new(0),
    });
    // SAFETY: loom runs one thread at a time and panics where another could access the cell as well.
    let compute = |lanes: &Lanes, lane: usize| lanes.results[lane].with_mut(|at| unsafe { *at += 1 });
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
        // SAFETY: as above.
        assert_eq!(result.with(|at| unsafe { *at }), 1);
    }
    for worker in workers {
        worker.join().expect("a lane does not panic");
    }
}
