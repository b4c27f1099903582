//! The registers around the cells of a row, in rows that are replaced while they are read.
//!
//! A step reads three rows of every field and writes one, in registers that overlap. With slices each of those
//! eighteen streams would be looked at for its length in every row, which for a narrow grid is a third of the
//! work; and no slice could be read while its cells are replaced. So the form and the place of the rows are checked once
//! for all rows of a [`Sheet`], which are taken one after the other, and the register once for all its fields.

mod two;

use std::marker::PhantomData;

use super::vector::{Lanes, Vector};
pub(crate) use two::TwoRows;

/// Cells of a field that are written from others of the same row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Copied {
    /// Place in the field.
    pub(crate) from: usize,
    /// Place in the field.
    pub(crate) to: usize,
}

/// What all rows of a [`Sheet`] have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowForm {
    /// Cells from a row to the next; each has all fields, one after the other.
    pub(crate) row_cells: usize,
    /// Cells from a field to the next.
    pub(crate) stride: usize,
    /// Place in a field of the first cell of the first register.
    pub(crate) first: usize,
    /// Registers that are computed. The cell before the first and the one behind the last are read as well.
    pub(crate) registers: usize,
    /// Whether the right neighbour is summed before the left one.
    pub(crate) right_first: bool,
    /// Cells that are copied in every finished row.
    pub(crate) copied: [Copied; 2],
}

/// A ring of rows of `FIELDS` fields in one buffer, which are computed from top to bottom and replace some of them.
pub(crate) struct Sheet<'a, T, V, const FIELDS: usize> {
    cells: *mut T,
    /// Cells of the ring.
    all: usize,
    /// Cells before the row above the next one, and before the one that takes the new cells; rows of the ring begin there.
    up: usize,
    new: usize,
    form: RowForm,
    kind: PhantomData<(&'a mut [T], V)>,
}

impl<'a, T: Copy, V: Vector<T>, const FIELDS: usize> Sheet<'a, T, V, FIELDS> {
    /// The first `rows` rows of a buffer, of which the last one is above the first. The row above the first one that is
    /// computed and the row that takes its new cells are given; the latter may be any. A cell of a row that is replaced
    /// may be read in no later register.
    ///
    /// # Panics
    /// If a register of a row or a cell to be copied lies outside of its field, a field outside of its row, or a row outside
    /// of the buffer.
    #[inline(always)]
    pub(crate) fn of(cells: &'a mut [T], rows: usize, [up, new]: [usize; 2], form: RowForm) -> Self {
        const {
            assert!(size_of::<V::Chunk>() == V::LANES * size_of::<T>(), "a chunk is a register of cells");
            assert!(align_of::<V::Chunk>() <= align_of::<T>(), "a chunk begins at any cell");
        }
        let RowForm { row_cells, stride, first, registers, copied, .. } = form;
        // Every number that follows is at most a length, so that nothing overflows.
        let fits = rows.checked_mul(row_cells).is_some_and(|all| all <= cells.len())
            && row_cells > 0
            && up.max(new) < rows
            && copied.iter().all(|Copied { from, to }| *from.max(to) < stride)
            && stride <= row_cells / FIELDS
            && first >= 1
            && first < stride
            && registers <= (stride - first) / V::LANES
            && first + registers * V::LANES < stride;
        if !fits {
            too_short();
        }
        let (all, up, new) = (rows * row_cells, up * row_cells, new * row_cells);
        Self { cells: cells.as_mut_ptr(), all, up, new, form, kind: PhantomData }
    }

    /// The rows around the next one that is computed.
    #[inline(always)]
    pub(crate) fn next_row(&mut self) -> Around<'_, T, V, FIELDS> {
        self.lent(self.form.right_first)
    }

    /// The rows around the next two that are computed, the left neighbour as the first.
    #[inline(always)]
    pub(crate) fn next_two(&mut self) -> TwoRows<'_, T, V, FIELDS> {
        TwoRows::of(self.lent(false), self.lent(false))
    }

    /// Cells before the row that follows another one.
    #[inline(always)]
    fn after(&self, row: usize) -> usize {
        let next = row + self.form.row_cells;
        if next < self.all { next } else { 0 }
    }

    /// What the callers give for as long as the sheet is borrowed.
    #[inline(always)]
    fn lent<'s>(&mut self, right_first: bool) -> Around<'s, T, V, FIELDS> {
        let Self { cells, up, new, form, .. } = *self;
        let centre = self.after(up);
        let down = self.after(centre);
        (self.up, self.new) = (centre, self.after(new));
        // SAFETY: rows of the ring begin there, and the first register is in each of their fields.
        let at = |row: usize| unsafe { cells.add(row + form.first) };
        let (up, centre, down) = (at(up).cast_const(), at(centre).cast_const(), at(down).cast_const());
        // SAFETY: a cell is on either side of the first one.
        let (left, right) = unsafe { (centre.sub(1), centre.add(1)) };
        let (first, second) = if right_first { (right, left) } else { (left, right) };
        Around { up, down, first, second, centre, new: at(new), form, kind: PhantomData }
    }
}

/// A row that is computed, with its neighbours.
pub(crate) struct Around<'s, T, V, const FIELDS: usize> {
    up: *const T,
    down: *const T,
    /// The neighbours within the row, in the order in which they are summed.
    first: *const T,
    second: *const T,
    centre: *const T,
    new: *mut T,
    form: RowForm,
    kind: PhantomData<(&'s mut [T], V)>,
}

/// The registers around one register, of every field.
#[derive(Clone, Copy)]
pub(crate) struct Neighbours<V, const FIELDS: usize> {
    pub(crate) centre: [V; FIELDS],
    pub(crate) up: [V; FIELDS],
    pub(crate) down: [V; FIELDS],
    /// On the side that is summed first.
    pub(crate) first: [V; FIELDS],
    /// On the other side.
    pub(crate) second: [V; FIELDS],
}

impl<T: Copy, V: Vector<T>, const FIELDS: usize> Around<'_, T, V, FIELDS> {
    /// Cells from the first register of the first field to register `k` of each field.
    #[inline(always)]
    fn offsets(&self, k: usize) -> [usize; FIELDS] {
        if k >= self.form.registers {
            too_short();
        }
        // Else the compiler would work out the eighteen addresses of a register one by one and move all of them
        // from register to register, where there is room for half of them: the loop would take twice as long.
        let mut offset = k * V::LANES;
        let mut offsets = [0; FIELDS];
        for of_field in &mut offsets {
            *of_field = unforeseen(offset);
            offset += self.form.stride;
        }
        offsets
    }

    /// The cells of register `k`, and those around them.
    #[inline(always)]
    pub(crate) fn read(&self, lanes: Lanes<V>, k: usize) -> Neighbours<V, FIELDS> {
        let offsets = self.offsets(k);
        // SAFETY: `Sheet` has checked that all registers of all fields are in the row, also when they are a cell
        // further to the left or to the right. What is borrowed here is read at once.
        let load =
            |row: *const T| offsets.map(|offset| lanes.load(unsafe { &*row.add(offset).cast::<V::Chunk>() }));
        Neighbours {
            centre: load(self.centre),
            up: load(self.up),
            down: load(self.down),
            first: load(self.first),
            second: load(self.second),
        }
    }

    /// Writes the new cells of register `k`.
    #[inline(always)]
    pub(crate) fn write(&mut self, k: usize, values: [V; FIELDS]) {
        for (offset, value) in self.offsets(k).into_iter().zip(values) {
            // SAFETY: as in `read`; the buffer is borrowed for writing, and nothing else of it is borrowed now.
            value.store(unsafe { &mut *self.new.add(offset).cast::<V::Chunk>() });
        }
    }

    /// Copies the cells of the new row that are to be.
    #[inline(always)]
    pub(crate) fn finish(&mut self) {
        let RowForm { stride, first, copied, .. } = self.form;
        for Copied { from, to } in copied {
            for field in 0..FIELDS {
                // SAFETY: `new` points to the place `first` of the first field, and `Sheet` has checked that both places are
                // in the field.
                unsafe {
                    let field = self.new.sub(first).add(field * stride);
                    *field.add(to) = *field.add(from);
                }
            }
        }
    }
}

/// The same number, which the compiler cannot tell from any other.
#[inline(always)]
#[allow(unused_mut, reason = "where no assembly is written")]
pub(super) fn unforeseen(mut number: usize) -> usize {
    #[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)))]
    // SAFETY: there is no instruction in it.
    unsafe {
        std::arch::asm!("/* {0} */", inout(reg) number, options(pure, nomem, nostack, preserves_flags));
    }
    number
}

/// Where all rows that are too short end: with a message for each place the kernels would be larger by a third.
#[cold]
#[inline(never)]
pub(crate) fn too_short() -> ! {
    panic!("a row is shorter than the cells to be computed")
}

#[cfg(test)]
mod tests;
