//! Where cells lie, and what the processor and the system are told about memory ahead of its use. None of it changes
//! a result.
//!
//! A plane of a large grid is read and written once for many steps, in pieces of a strip's width. Each piece lies in
//! pages of its own, and what a step over it costs is for a third the wait for its pages and lines.

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// Bytes of a line of the caches.
const LINE_BYTES: usize = 64;

/// What one large page has on most machines.
const LARGE_PAGE_BYTES: usize = 1 << 21;

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

/// Cells that begin with a line of the caches: a register that is read from them never lies in two lines, and none of
/// their lines has cells of something else.
#[derive(Debug)]
pub(crate) struct Aligned<T> {
    cells: Vec<T>,
    start: usize,
}

impl<T> Aligned<T> {
    /// The most memory that [`zeros`](Self::zeros) take, bytes.
    pub(crate) const fn bytes(cells: usize) -> usize {
        (cells * size_of::<T>()).next_multiple_of(LINE_BYTES) + LINE_BYTES
    }

    /// The most memory that [`in_large_pages`](Self::in_large_pages) take, bytes; room that is never written has none.
    pub(crate) const fn large_page_bytes(cells: usize) -> usize {
        (cells * size_of::<T>()).next_multiple_of(LARGE_PAGE_BYTES)
    }
}

impl<T: Copy + Default> Aligned<T> {
    /// Zeros. Where the system has large pages for those who ask, as many of them as are whole are in such pages.
    pub(crate) fn zeros(cells: usize) -> Self {
        Self::beginning(cells, LINE_BYTES)
    }

    /// Zeros of which all are in large pages, where the system has them for those who ask. Buffers that nearly fill a
    /// cache need that: small pages lie anywhere in memory, and some of them would crowd each other out of it.
    pub(crate) fn in_large_pages(cells: usize) -> Self {
        Self::beginning(cells, LARGE_PAGE_BYTES)
    }

    /// Zeros that begin with a multiple of so many bytes, in room of a multiple of them.
    fn beginning(used: usize, multiple: usize) -> Self {
        let slack = (multiple / size_of::<T>().max(1)).max(1);
        let room = used.next_multiple_of(slack);
        // Memory that was never touched, where it is large: the pages are made when the first cell of each is written.
        let mut cells = vec![T::default(); room + slack];
        // Cells that cannot be aligned begin at the end of what is over.
        let start = cells.as_ptr().align_offset(multiple).min(slack);
        #[cfg(all(target_os = "linux", not(miri)))]
        ask_for_large_pages(&cells[start..]);
        cells.truncate(start + used);
        Self { cells, start }
    }
}

impl<T: Copy + Default> From<&[T]> for Aligned<T> {
    fn from(cells: &[T]) -> Self {
        let mut aligned = Self::zeros(cells.len());
        aligned.copy_from_slice(cells);
        aligned
    }
}

impl<T: Copy + Default> FromIterator<T> for Aligned<T> {
    fn from_iter<I: IntoIterator<Item = T>>(cells: I) -> Self {
        Self::from(&*cells.into_iter().collect::<Vec<_>>())
    }
}

impl<T: PartialEq> PartialEq for Aligned<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T> Deref for Aligned<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.cells[self.start..]
    }
}

impl<T> DerefMut for Aligned<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.cells[self.start..]
    }
}

#[cfg(all(target_os = "linux", not(miri)))]
fn ask_for_large_pages<T>(cells: &[T]) {
    use std::ffi::{c_int, c_void};

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
        // are. A system without large pages refuses, and the cells stay in small ones.
        let _refused = unsafe { madvise(start.add(before).cast_mut().cast(), whole, LARGE_PAGES) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the contents, whatever pages they are in, and where they begin.
    #[test]
    fn aligned_cells_are_zeros_and_begin_with_a_line() {
        for cells in [0, 1, 1000, (5 << 20) / 8] {
            for mut aligned in [Aligned::<f64>::zeros(cells), Aligned::in_large_pages(cells)] {
                assert!(aligned.len() == cells && aligned.iter().all(|&cell| cell == 0.0));
                assert!(cfg!(miri) || cells_to_line(&aligned) == 0);
                aligned.iter_mut().for_each(|cell| *cell = 1.0);
                prefetch(&aligned);
                assert!(Aligned::from(&aligned[..]).iter().all(|&cell| cell == 1.0));
                let room = Aligned::<f64>::large_page_bytes(cells) + LARGE_PAGE_BYTES;
                assert!(aligned.cells.capacity() * 8 <= room.max(Aligned::<f64>::bytes(cells)));
            }
        }
        prefetch::<()>(&[(), ()]);
    }
}
