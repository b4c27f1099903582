//! The threads that share the lanes of a block, and how they wait for each other.
//!
//! A block of a small grid takes some ten microseconds, about as long as it takes to wake a thread.
//! So the threads of a simulation's own pool are woken once for many blocks and stay awake between
//! them: they look for the next lane for a moment, then let others run (a spinning thread would take
//! the processor from the very lane it waits for when there are more threads than processors), and
//! at last go to sleep as rayon's threads do. The calling thread computes the first lane itself, so
//! that there are as many threads at work as were asked for, and none of them changes places with a
//! sleeping one.
//!
//! A pool of the host's is used as it is: its threads have the number, the processors and the other
//! work that the host gave them, and are neither kept awake nor joined by the calling thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rayon::{Scope, ThreadPool};

/// Looks at what is waited for before others may run: some microseconds.
const SPINS_MAX: u32 = 64;
/// Times that others may run before the wait is left to the system: about a millisecond.
const YIELDS_MAX: u32 = 1 << 11;

/// Looks for what another lane does, which are two dozen microseconds if nobody else has work.
const WAITS_FOR_LANE_MAX: u32 = 2 * SPINS_MAX;

/// Where lanes run.
#[derive(Debug, Clone)]
pub(super) enum Team {
    /// On the calling thread.
    Caller,
    /// In the pool in which the call is made.
    Ambient,
    /// In this pool of the host's.
    Host(Arc<ThreadPool>),
    /// On the calling thread and in this pool, which serves nobody else.
    Own(Arc<ThreadPool>),
}

impl Team {
    /// The number of lanes that can run at the same time.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Caller => 1,
            // Outside of a pool the question alone would start rayon's own.
            Self::Ambient if rayon::current_thread_index().is_none() => 1,
            Self::Ambient => rayon::current_num_threads(),
            Self::Host(pool) => pool.current_num_threads(),
            Self::Own(pool) => 1 + pool.current_num_threads(),
        }
    }

    /// Does `work` that will fork many times into so many lanes, with as many threads ready for it.
    pub(super) fn gather<R: Send>(&self, lanes: usize, work: impl FnOnce() -> R + Send) -> R {
        match self {
            Self::Caller | Self::Ambient => work(),
            Self::Host(pool) => pool.install(work),
            Self::Own(pool) => {
                let over = AtomicBool::new(false);
                pool.in_place_scope(|scope| {
                    let _over = AtEnd(|| over.store(true, Ordering::Release));
                    for _ in 1..lanes.min(self.size()) {
                        scope.spawn(|_| stay_awake(&over));
                    }
                    work()
                })
            }
        }
    }

    /// Runs the lanes, the first on the calling thread. Returns when all are done.
    pub(super) fn fork<L: FnOnce() + Send>(&self, mut lanes: impl Iterator<Item = L>) {
        let Some(first) = lanes.next() else { return };
        let running = AtomicUsize::new(0);
        match self {
            Self::Own(pool) | Self::Host(pool) => pool.in_place_scope(|scope| {
                share(scope, first, lanes, &running);
                // What the scope itself waits with puts the thread to sleep.
                let mut patience = Patience::default();
                let own = matches!(self, Self::Own(_));
                while own && running.load(Ordering::Acquire) > 0 && patience.wait() {}
            }),
            Self::Ambient if rayon::current_thread_index().is_some() => {
                rayon::in_place_scope(|scope| share(scope, first, lanes, &running));
            }
            Self::Ambient | Self::Caller => {
                first();
                lanes.for_each(|lane| lane());
            }
        }
    }
}

/// Gives the later lanes to the pool, counted while they run, and runs the first here. One copy of it for all pools.
#[inline(never)]
fn share<'scope, L: FnOnce() + Send + 'scope>(
    scope: &Scope<'scope>,
    first: L,
    later: impl Iterator<Item = L>,
    running: &'scope AtomicUsize,
) {
    for lane in later {
        running.fetch_add(1, Ordering::Relaxed);
        scope.spawn(move |_| {
            let _done = AtEnd(|| _ = running.fetch_sub(1, Ordering::Release));
            lane();
        });
    }
    first();
}

/// Runs what comes to the pool until `over`, or until nothing has come for a while.
fn stay_awake(over: &AtomicBool) {
    let mut patience = Patience::default();
    while !over.load(Ordering::Acquire) {
        if rayon::yield_now() == Some(rayon::Yield::Executed) {
            patience = Patience::default();
        } else if !patience.wait() {
            return;
        }
    }
}

/// Looks for what another lane says; if `others` can run meanwhile, as long as that pays more than to come back for it.
pub(super) fn comes(others: bool, said: impl Fn() -> bool) -> bool {
    let mut patience = Patience::default();
    loop {
        if said() {
            return true;
        }
        if !others || patience.waits >= WAITS_FOR_LANE_MAX {
            return false;
        }
        patience.wait();
    }
}

/// A wait that costs more time to others the longer it takes.
#[derive(Default)]
struct Patience {
    waits: u32,
}

impl Patience {
    /// Waits for a moment; false when it is time to sleep.
    fn wait(&mut self) -> bool {
        self.waits += 1;
        if self.waits <= SPINS_MAX {
            std::hint::spin_loop();
        } else {
            std::thread::yield_now();
        }
        self.waits < SPINS_MAX + YIELDS_MAX
    }
}

/// Does something at the end of a scope, also when it ends by a panic.
struct AtEnd<F: FnMut()>(F);

impl<F: FnMut()> Drop for AtEnd<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::thread::current;

    use rayon::ThreadPoolBuilder;

    use super::*;

    fn pool(threads: usize) -> Arc<ThreadPool> {
        Arc::new(ThreadPoolBuilder::new().num_threads(threads).build().unwrap())
    }

    fn teams() -> [Team; 5] {
        [Team::Caller, Team::Ambient, Team::Host(pool(1)), Team::Host(pool(3)), Team::Own(pool(2))]
    }

    /// Guards that every lane runs once before the fork ends, also when there are more lanes than threads,
    /// and that a simulation's own pool is joined by the calling thread and a host's is not.
    #[test]
    fn every_lane_runs_once_where_it_should() {
        for team in teams() {
            for lanes in [1, 2, 7] {
                let mut threads = vec![Vec::new(); lanes];
                let caller = current().id();
                let mut inside = None;
                team.gather(lanes, || {
                    inside = Some(current().id());
                    for _ in 0..20 {
                        team.fork(threads.iter_mut().map(|thread| || thread.push(current().id())));
                    }
                });
                assert!(threads.iter().all(|thread| thread.len() == 20), "{team:?} {lanes}");
                assert!(threads[0].iter().all(|&thread| Some(thread) == inside));
                assert_eq!(inside == Some(caller), !matches!(team, Team::Host(_)), "{team:?}");
            }
        }
    }

    /// Guards against a caller that waits for ever for a lane that has panicked.
    #[test]
    fn a_panic_in_a_lane_reaches_the_caller() {
        for team in teams() {
            for bad in 0..3 {
                let lane = |index: usize| move || assert_ne!(index, bad, "struck");
                let fork = || team.gather(3, || team.fork((0..3).map(lane)));
                let panic = catch_unwind(AssertUnwindSafe(fork)).unwrap_err();
                assert!(panic.downcast_ref::<String>().unwrap().contains("struck"), "{team:?}");
            }
            team.gather(3, || team.fork((0..3).map(|_| || ())));
        }
    }
}
