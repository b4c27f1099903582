//! Work in blocks: on the threads of the rayon pool that the caller runs in, else on the calling thread.
//!
//! This crate starts no threads. A host that wants several calls from inside its pool (`ThreadPool::install`). Blocks are
//! fixed by the work alone and their results come back in order, so the number of threads does not show.

use rayon::prelude::*;

/// The results of `work` on each piece of at most `length` items, in order.
pub(super) fn map_chunks<T: Sync, R: Send>(
    items: &[T],
    length: usize,
    work: impl Fn(&[T]) -> R + Sync + Send,
) -> Vec<R> {
    let length = length.max(1);
    if is_in_pool() {
        items.par_chunks(length).map(work).collect()
    } else {
        items.chunks(length).map(work).collect()
    }
}

/// Calls `work` with each piece of `length` items of both slices, and what `start` gives each thread.
pub(super) fn for_each_pair<A: Send, B: Sync, S>(
    (to, from): (&mut [A], &[B]),
    length: usize,
    start: impl Fn() -> S + Sync + Send,
    work: impl Fn(&mut S, &mut [A], &[B]) + Sync + Send,
) {
    if is_in_pool() {
        let pairs = to.par_chunks_mut(length).zip(from.par_chunks(length));
        pairs.for_each_init(start, |state, (to, from)| work(state, to, from));
    } else {
        let mut state = start();
        for (to, from) in to.chunks_mut(length).zip(from.chunks(length)) {
            work(&mut state, to, from);
        }
    }
}

fn is_in_pool() -> bool {
    rayon::current_thread_index().is_some()
}
