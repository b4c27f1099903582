//! What the processor and the system are told about memory ahead of its use. None of it changes a result.
//!
//! A plane of a large grid is read and written once for many steps, in pieces of a strip's width. Each piece lies in
//! pages of its own, and what a step over it costs is for a third the wait for its pages and lines.

use std::marker::PhantomData;

/// Bytes of a line of the caches.
const LINE_BYTES: usize = 64;

/// Asks for memory that will be read soon, so that it is in the second-level cache by then.
#[inline]
pub(crate) fn prefetch<T>(cells: &[T]) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    for cell in cells.iter().step_by((LINE_BYTES / size_of::<T>().max(1)).max(1)) {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: every machine of the architecture has the instruction, which has no effect that a program can see.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(std::ptr::from_ref(cell).cast()) };
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

/// A plane of zeros. Where the system has large pages for those who ask, a large plane is in such pages.
pub(crate) fn plane<T: Copy + Default>(cells: usize) -> Vec<T> {
    // Memory that was never touched, where it is large: the pages are made when the first cell of each is written.
    let plane = vec![T::default(); cells];
    #[cfg(all(target_os = "linux", not(miri)))]
    ask_for_large_pages(&plane);
    plane
}

#[cfg(all(target_os = "linux", not(miri)))]
fn ask_for_large_pages<T>(cells: &[T]) {
    use std::ffi::{c_int, c_void};

    /// What one large page has on most machines.
    const LARGE_PAGE_BYTES: usize = 1 << 21;
    /// `MADV_HUGEPAGE` of every architecture.
    const LARGE_PAGES: c_int = 14;

    unsafe extern "C" {
        /// The function of the C library, with which the standard library is linked.
        fn madvise(start: *mut c_void, bytes: usize, advice: c_int) -> c_int;
    }

    let bytes = size_of_val(cells);
    let start = cells.as_ptr().cast::<u8>();
    let before = start.align_offset(LARGE_PAGE_BYTES);
    let whole = bytes.saturating_sub(before) / LARGE_PAGE_BYTES * LARGE_PAGE_BYTES;
    if whole > 0 {
        // SAFETY: the range lies in memory that is ours and begins with a page; the advice leaves its contents as they
        // are. A system without large pages refuses, and the plane stays in small ones.
        let _refused = unsafe { madvise(start.add(before).cast_mut().cast(), whole, LARGE_PAGES) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the contents: zeros, as many as asked for, whatever pages they are in.
    #[test]
    fn a_plane_is_zeros() {
        for cells in [0, 1, 1000, (5 << 20) / 8] {
            let mut plane: Vec<f64> = plane(cells);
            assert!(plane.len() == cells && plane.iter().all(|&cell| cell == 0.0));
            plane.iter_mut().for_each(|cell| *cell = 1.0);
            prefetch(&plane);
            assert!(plane.iter().all(|&cell| cell == 1.0));
        }
        prefetch::<()>(&[(), ()]);
    }
}
