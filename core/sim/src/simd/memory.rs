//! What the processor is told about memory ahead of its use. None of it changes a result.
//!
//! A plane of a large grid is read and written once for many steps, in pieces of a strip's width. Each piece lies in
//! pages of its own, and what a step over it costs is for a third the wait for its pages and lines.

use std::marker::PhantomData;

/// Bytes of a line of the caches.
pub(super) const LINE_BYTES: usize = 64;

/// Asks for memory that will be read soon, every line of it: one that is left out is waited for as long as all.
#[inline]
pub(crate) fn prefetch<T>(cells: &[T]) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let ask = |cell: *const T| {
            // SAFETY: every machine of the architecture has the instruction, which has no effect that a program can see.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(cell.cast()) };
        };
        cells.chunks((LINE_BYTES / size_of::<T>().max(1)).max(1)).for_each(|line| ask(line.as_ptr()));
        // In a line of its own where the first cell does not begin one.
        cells.last().into_iter().for_each(|cell| ask(cell));
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = cells;
}

/// Cells before the first that begins a line.
#[inline(always)]
pub(crate) fn cells_to_line<T>(cells: &[T]) -> usize {
    cells.as_ptr().align_offset(LINE_BYTES)
}

/// While it lives, memory can be written past the caches. A large plane is not read again before it has left them, and
/// what is written through them is read into them first.
pub struct PastCaches {
    /// A processor's fence is for its own writes, so no other thread may have this.
    of_thread: PhantomData<*const ()>,
}

/// Does work that may write past the caches. What it has written may be read when this returns, also by a panic, and
/// not before: the processor keeps such writes in no order with others but by a fence.
pub(crate) fn past_caches<R>(work: impl FnOnce(&PastCaches) -> R) -> R {
    struct Fence;

    impl Drop for Fence {
        fn drop(&mut self) {
            #[cfg(all(target_arch = "x86_64", not(miri)))]
            // SAFETY: every machine of the architecture has the instruction.
            unsafe {
                std::arch::x86_64::_mm_sfence();
            }
        }
    }

    let _fence = Fence;
    work(&PastCaches { of_thread: PhantomData })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards cells of no size, of which a line has no number.
    #[test]
    fn cells_of_no_size_can_be_asked_for() {
        prefetch::<()>(&[(), ()]);
    }
}
