//! Cells that begin with a line of the caches, and where their memory comes from.
//!
//! What fills large pages is taken from the system itself, and goes back to it at once. An allocator would keep such
//! memory for each thread that had some, and would write all of it to make zeros: runs of an ensemble then take twice
//! what they declare.

use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use super::memory::LINE_BYTES;
use crate::real::Real;

/// What one large page has on most machines.
const LARGE_PAGE_BYTES: usize = 1 << 21;

/// Cells that begin with a line of the caches: a register that is read from them never lies in two lines, and none of
/// their lines has cells of something else.
#[derive(Debug)]
pub(crate) struct Aligned<T> {
    /// In the room, as are all that follow it.
    first: NonNull<T>,
    cells: usize,
    /// What the cells lie in, kept for its end alone.
    _room: Room<T>,
}

// SAFETY: the cells belong to this value, and are reached by borrowing it alone.
unsafe impl<T: Send> Send for Aligned<T> {}
// SAFETY: as above; shared, they are only read.
unsafe impl<T: Sync> Sync for Aligned<T> {}

#[derive(Debug)]
enum Room<T> {
    Allocated {
        _cells: Vec<T>,
    },
    #[cfg(all(target_os = "linux", target_pointer_width = "64", not(miri)))]
    System {
        _pages: system::Pages,
    },
}

impl<T> Aligned<T> {
    /// The most memory that [`zeros`](Self::zeros) take, bytes.
    pub(crate) const fn bytes(cells: usize) -> usize {
        (cells * size_of::<T>()).next_multiple_of(LINE_BYTES) + LINE_BYTES
    }

    /// The most memory that [`in_large_pages`](Self::in_large_pages) take, bytes.
    pub(crate) const fn large_page_bytes(cells: usize) -> usize {
        (cells * size_of::<T>()).next_multiple_of(LARGE_PAGE_BYTES)
    }
}

impl<T: Real> Aligned<T> {
    /// Zeros. Where the system has large pages for those who ask, as many of them as are whole are in such pages.
    pub(crate) fn zeros(cells: usize) -> Self {
        let bytes = cells.saturating_mul(size_of::<T>());
        let large = if bytes < LARGE_PAGE_BYTES { None } else { Self::from_system(cells, bytes) };
        large.unwrap_or_else(|| Self::allocated(cells))
    }

    /// Zeros of which all are in large pages, where the system has them for those who ask. Buffers that nearly fill a
    /// cache need that: small pages lie anywhere in memory, and some of them would crowd each other out of it.
    pub(crate) fn in_large_pages(cells: usize) -> Self {
        let large = Self::from_system(cells, Self::large_page_bytes(cells));
        large.unwrap_or_else(|| Self::allocated(cells))
    }

    fn allocated(cells: usize) -> Self {
        let mut room = vec![T::ZERO; cells + LINE_BYTES / size_of::<T>()];
        // Cells that cannot be aligned begin with the room.
        let before = room.len() - cells;
        let start = Some(room.as_ptr().align_offset(LINE_BYTES)).filter(|&start| start <= before);
        let first = NonNull::from(&mut room[start.unwrap_or(0)..]).cast();
        Self { first, cells, _room: Room::Allocated { _cells: room } }
    }

    /// `None` where the system has no such memory, or none left: the allocator then says so.
    fn from_system(cells: usize, bytes: usize) -> Option<Self> {
        #[cfg(all(target_os = "linux", target_pointer_width = "64", not(miri)))]
        return system::Pages::zeros(bytes.max(cells.checked_mul(size_of::<T>())?)).map(|pages| Self {
            first: pages.start().cast(),
            cells,
            _room: Room::System { _pages: pages },
        });
        #[cfg(not(all(target_os = "linux", target_pointer_width = "64", not(miri))))]
        {
            let _ = (cells, bytes);
            None
        }
    }
}

impl<T: Real> From<&[T]> for Aligned<T> {
    fn from(cells: &[T]) -> Self {
        let mut aligned = Self::zeros(cells.len());
        aligned.copy_from_slice(cells);
        aligned
    }
}

impl<T: Real> PartialEq for Aligned<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Real> Deref for Aligned<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: the room has so many cells from the first on, zeros or what was written since, which are numbers of both
        // types that are `Real`. Who borrows them borrows this value.
        unsafe { std::slice::from_raw_parts(self.first.as_ptr(), self.cells) }
    }
}

impl<T: Real> DerefMut for Aligned<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above, and this value is borrowed by nobody else.
        unsafe { std::slice::from_raw_parts_mut(self.first.as_ptr(), self.cells) }
    }
}

#[cfg(all(target_os = "linux", target_pointer_width = "64", not(miri)))]
mod system {
    use std::ffi::{c_int, c_void};
    use std::ptr::{NonNull, null_mut};

    use super::LARGE_PAGE_BYTES;

    /// `PROT_READ | PROT_WRITE` of every architecture.
    const READ_AND_WRITE: c_int = 1 | 2;
    /// `MAP_PRIVATE | MAP_ANONYMOUS` of every architecture that Rust has with 64 bits but MIPS, which refuses it.
    const OWN_AND_EMPTY: c_int = 0x02 | 0x20;
    /// `MADV_HUGEPAGE` of every architecture.
    const LARGE_PAGES: c_int = 14;
    /// What an address is a multiple of to be the beginning of a page, on every machine.
    const PAGE_BYTES: usize = 1 << 16;

    // Functions of the C library, with which the standard library is linked.
    unsafe extern "C" {
        fn mmap(at: *mut c_void, bytes: usize, may: c_int, how: c_int, file: c_int, from: i64)
        -> *mut c_void;
        fn munmap(start: *mut c_void, bytes: usize) -> c_int;
        fn madvise(start: *mut c_void, bytes: usize, advice: c_int) -> c_int;
    }

    /// Memory of the system that begins with a multiple of a large page, and is nobody else's.
    #[derive(Debug)]
    pub(super) struct Pages {
        start: NonNull<u8>,
        bytes: usize,
    }

    impl Pages {
        /// Zeros, in large pages where the system has them for those who ask and they are whole. A page that was never
        /// written takes no memory.
        pub(super) fn zeros(bytes: usize) -> Option<Self> {
            let bytes = bytes.max(1).checked_next_multiple_of(PAGE_BYTES)?;
            let room = bytes.checked_add(LARGE_PAGE_BYTES)?;
            // SAFETY: a new range anywhere replaces nothing.
            let given = unsafe { mmap(null_mut(), room, READ_AND_WRITE, OWN_AND_EMPTY, -1, 0) };
            // What is refused is the largest address.
            if given.addr() == usize::MAX {
                return None;
            }
            let given = NonNull::new(given.cast::<u8>())?;
            let before = given.align_offset(LARGE_PAGE_BYTES).min(LARGE_PAGE_BYTES);
            // SAFETY: the offset is at most a large page, of which the range has one more than it needs.
            let start = unsafe { given.add(before) };
            let pages = Self { start, bytes };
            // SAFETY: what lies before and behind was given above, is whole pages, and nobody knows of it. A range of no
            // bytes is refused.
            unsafe {
                munmap(given.as_ptr().cast(), before);
                munmap(start.add(bytes).as_ptr().cast(), room - before - bytes);
            }
            let whole = bytes / LARGE_PAGE_BYTES * LARGE_PAGE_BYTES;
            // SAFETY: the range is ours; the advice leaves its contents as they are. A system without large pages refuses,
            // and the cells stay in small ones.
            let _refused = unsafe { madvise(start.as_ptr().cast(), whole, LARGE_PAGES) };
            Some(pages)
        }

        /// The first byte.
        pub(super) fn start(&self) -> NonNull<u8> {
            self.start
        }
    }

    impl Drop for Pages {
        fn drop(&mut self) {
            // SAFETY: the range was given to this value, and nobody can have borrowed it any more.
            unsafe {
                munmap(self.start.as_ptr().cast(), self.bytes);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::memory::{cells_to_line, prefetch};
    use super::*;

    /// Guards the contents, wherever the memory is from, and where they begin.
    #[test]
    fn aligned_cells_are_zeros_and_begin_with_a_line() {
        for cells in [0, 1, 1000, LARGE_PAGE_BYTES / 8 - 1, LARGE_PAGE_BYTES / 8, (5 << 20) / 8] {
            for mut aligned in [Aligned::<f64>::zeros(cells), Aligned::in_large_pages(cells)] {
                assert!(aligned.len() == cells && aligned.iter().all(|&cell| cell == 0.0));
                assert!(cfg!(miri) || cells_to_line(&aligned) == 0);
                aligned.iter_mut().for_each(|cell| *cell = 1.0);
                prefetch(&aligned);
                assert!(Aligned::from(&aligned[..]).iter().all(|&cell| cell == 1.0));
            }
        }
    }

    /// Guards the way out where the system has no memory left: the allocator is asked, and says so as for any other.
    #[test]
    fn what_the_system_refuses_is_left_to_the_allocator() {
        assert!(Aligned::<f64>::from_system(1 << 57, 0).is_none());
        assert!(Aligned::<f64>::from_system(usize::MAX, 0).is_none());
    }
}
