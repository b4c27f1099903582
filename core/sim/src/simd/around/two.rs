//! Two rows at once: each is also the row above or below the other, and read once for both.
//!
//! What a loop over registers reads takes it longer than what it computes. A row alone reads five registers of each field;
//! two rows at once read six: four rows, and the right neighbours of two. The new cells of the lower row may take the place
//! of the upper one all the same: of a register that is written only the last cell is needed later, and that is kept.

use super::{Around, Neighbours};
use crate::simd::vector::{Lanes, Vector};

/// Two rows that are computed together, with their neighbours.
pub(crate) struct TwoRows<'s, T, V, const FIELDS: usize> {
    upper: Around<'s, T, V, FIELDS>,
    lower: Around<'s, T, V, FIELDS>,
}

impl<'s, T: Copy, V: Vector<T>, const FIELDS: usize> TwoRows<'s, T, V, FIELDS> {
    /// The second lies below the first, and both sum the left neighbour first.
    #[inline(always)]
    pub(super) fn of(upper: Around<'s, T, V, FIELDS>, lower: Around<'s, T, V, FIELDS>) -> Self {
        Self { upper, lower }
    }

    /// For [`read`](Self::read): registers that end with the cell before the first register of each row and field; only
    /// that cell is right.
    #[inline(always)]
    pub(crate) fn before_first(&self, lanes: Lanes<V>) -> [[V; FIELDS]; 2] {
        // SAFETY: a cell is before the first one of each field.
        let left = |row: *const T, field: usize| unsafe { *row.add(field * self.upper.form.stride).sub(1) };
        [self.upper.centre, self.lower.centre]
            .map(|row| std::array::from_fn(|field| lanes.splat(left(row, field))))
    }

    /// The cells of register `k` of both rows, and those around them, the left neighbour as the first. `before` has the
    /// cells of the register before, which become those of this one.
    #[inline(always)]
    pub(crate) fn read(
        &self,
        lanes: Lanes<V>,
        k: usize,
        before: &mut [[V; FIELDS]; 2],
    ) -> [Neighbours<V, FIELDS>; 2] {
        let Self { upper, lower } = self;
        let offsets = upper.offsets(k);
        // SAFETY: as in `Around::read`.
        let load =
            |row: *const T| offsets.map(|offset| lanes.load(unsafe { &*row.add(offset).cast::<V::Chunk>() }));
        let here = [load(upper.centre), load(lower.centre)];
        let left =
            |row: usize| std::array::from_fn(|field| here[row][field].one_back(lanes, before[row][field]));
        let first = [left(0), left(1)];
        *before = here;
        let [one, two] = here;
        [
            Neighbours {
                centre: one,
                up: load(upper.up),
                down: two,
                first: first[0],
                second: load(upper.second),
            },
            Neighbours {
                centre: two,
                up: one,
                down: load(lower.down),
                first: first[1],
                second: load(lower.second),
            },
        ]
    }

    /// Writes the new cells of register `k`.
    #[inline(always)]
    pub(crate) fn write(&mut self, k: usize, [upper, lower]: [[V; FIELDS]; 2]) {
        self.upper.write(k, upper);
        self.lower.write(k, lower);
    }

    /// Copies the cells of the new rows that are to be.
    #[inline(always)]
    pub(crate) fn finish(&mut self) {
        self.upper.finish();
        self.lower.finish();
    }
}
