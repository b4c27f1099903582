//! The registers around the cells of a row, in rows that are replaced while they are read.
//!
//! A step reads three rows of every field and writes one, in registers that overlap. With slices each of those
//! eighteen streams would be looked at for its length in every row, which for a narrow grid is a third of the
//! work; and no slice could be read while its cells are replaced. So the form of the rows is checked once for
//! all rows of a [`Sheet`], the place of a row once for the row, and the register once for all its fields.

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
}

/// Rows of `FIELDS` fields in one buffer, of which some are replaced.
pub(crate) struct Sheet<'a, T, V, const FIELDS: usize> {
    cells: *mut T,
    rows: usize,
    form: RowForm,
    kind: PhantomData<(&'a mut [T], V)>,
}

impl<'a, T: Copy, V: Vector<T>, const FIELDS: usize> Sheet<'a, T, V, FIELDS> {
    /// The first `rows` rows of a buffer.
    ///
    /// # Panics
    /// If a register of a row lies outside of its field, a field outside of its row, or a row outside of the buffer.
    #[inline(always)]
    pub(crate) fn of(cells: &'a mut [T], rows: usize, form: RowForm) -> Self {
        const {
            assert!(size_of::<V::Chunk>() == V::LANES * size_of::<T>(), "a chunk is a register of cells");
            assert!(align_of::<V::Chunk>() <= align_of::<T>(), "a chunk begins at any cell");
        }
        let RowForm { row_cells, stride, first, registers, .. } = form;
        // Every number that follows is at most a length, so that nothing overflows.
        let fits = rows.checked_mul(row_cells).is_some_and(|all| all <= cells.len())
            && row_cells > 0
            && stride <= row_cells / FIELDS
            && first >= 1
            && first < stride
            && registers <= (stride - first) / V::LANES
            && first + registers * V::LANES < stride;
        if !fits {
            too_short();
        }
        Self { rows, cells: cells.as_mut_ptr(), form, kind: PhantomData }
    }

    /// The rows around one that is computed: that above, itself, that below, and that which takes the new cells and
    /// may be any of them. A cell of a row that is replaced may be read in no later register.
    ///
    /// # Panics
    /// If the buffer has no such row.
    #[inline(always)]
    pub(crate) fn around(&mut self, rows: [usize; 4]) -> Around<'_, T, V, FIELDS> {
        self.lent(rows)
    }

    /// The rows around two that are computed together, the second of which lies below the first.
    ///
    /// # Panics
    /// If the buffer has no such rows.
    #[inline(always)]
    pub(crate) fn two(&mut self, rows: [[usize; 4]; 2]) -> TwoRows<'_, T, V, FIELDS> {
        TwoRows::of(rows.map(|rows| self.lent(rows)))
    }

    /// What the callers give for as long as the sheet is borrowed.
    #[inline(always)]
    fn lent<'s>(&self, [up, centre, down, new]: [usize; 4]) -> Around<'s, T, V, FIELDS> {
        let Self { cells, rows, form, .. } = *self;
        if up.max(centre).max(down.max(new)) >= rows {
            too_short();
        }
        // SAFETY: the rows are in the buffer, and the first register is in each of their fields.
        let at = |row: usize| unsafe { cells.add(row * form.row_cells + form.first) };
        let centre = at(centre).cast_const();
        // SAFETY: a cell is on either side of the first one.
        let (left, right) = unsafe { (centre.sub(1), centre.add(1)) };
        let (first, second) = if form.right_first { (right, left) } else { (left, right) };
        let (up, down, new) = (at(up).cast_const(), at(down).cast_const(), at(new));
        Around { up, down, first, second, centre, new, form, kind: PhantomData }
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

    /// Copies a cell of each field of the new row to another one of it.
    ///
    /// # Panics
    /// If a field has no such cells.
    #[inline(always)]
    pub(crate) fn copy(&mut self, Copied { from, to }: Copied) {
        let RowForm { stride, first, .. } = self.form;
        if from >= stride || to >= stride {
            too_short();
        }
        for field in 0..FIELDS {
            // SAFETY: `new` points to the place `first` of the first field, and both places are in the field.
            unsafe {
                let field = self.new.sub(first).add(field * stride);
                *field.add(to) = *field.add(from);
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
