//! Work in pieces: on the threads of the rayon pool that the caller runs in, else on the calling thread.
//!
//! Nothing here starts a thread, so a call has no effect on the rest of the process. A host that wants several threads
//! calls from inside its pool (`ThreadPool::install`). Pieces are fixed by the work alone and their results come back in
//! order, so the number of threads shows in no bit.
//!
//! The work is taken as a trait object, so that each function is compiled once for each type of item or result, not
//! twice for each use; a piece is large enough for the call through a pointer not to be felt.

use std::ops::Range;

use rayon::prelude::*;

/// The results of `work` for each index of `range`, in order.
pub(crate) fn map_range<R: Send>(range: Range<usize>, work: &(dyn Fn(usize) -> R + Sync)) -> Vec<R> {
    if is_in_pool() { range.into_par_iter().map(work).collect() } else { range.map(work).collect() }
}

/// The results of `work` on each piece of at most `length` items, in order. A `length` of 0 counts as 1.
pub(crate) fn map_chunks<T: Sync, R: Send>(
    items: &[T],
    length: usize,
    work: &(dyn Fn(&[T]) -> R + Sync),
) -> Vec<R> {
    let length = length.max(1);
    map_range(0..items.len().div_ceil(length), &|piece| {
        let first = piece * length;
        work(&items[first..items.len().min(first + length)])
    })
}

/// Calls `work` with the number of each piece of at most `length` items, counted from 0, and the piece. A `length` of 0
/// counts as 1.
pub(crate) fn for_each_chunk_mut<T: Send>(
    items: &mut [T],
    length: usize,
    work: &(dyn Fn(usize, &mut [T]) + Sync),
) {
    let length = length.max(1);
    if is_in_pool() {
        items.par_chunks_mut(length).enumerate().for_each(|(piece, items)| work(piece, items));
    } else {
        items.chunks_mut(length).enumerate().for_each(|(piece, items)| work(piece, items));
    }
}

/// Whether the calling thread belongs to a rayon pool.
pub(crate) fn is_in_pool() -> bool {
    rayon::current_thread_index().is_some()
}
