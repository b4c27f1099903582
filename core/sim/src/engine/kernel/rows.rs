//! What the kernels do with a batch: row after row, with what lies beside its ends.

use super::{Batch, Places, Registers};
use crate::real::Real;
use crate::simd::{Around, Sheet, Vector};

/// A kernel in the registers of a level. `FIELDS` advance.
pub(super) trait RowWork<T: Real, V: Vector<T>, const FIELDS: usize> {
    /// Computes the cells of a row.
    fn row(&mut self, around: &mut Around<'_, T, V, FIELDS>, registers: &Registers);

    /// Computes the rows of a batch.
    #[inline(always)]
    fn rows(&mut self, batch: &mut Batch<'_, T>, registers: &Registers) {
        let mut places = Places::of(batch);
        let span = batch.span;
        let mut sheet = Sheet::of(batch.ring, batch.slots, span.form(registers, V::LANES));
        for _ in 0..batch.rows {
            let mut around = sheet.around(places.next());
            self.row(&mut around, registers);
            for copied in span.copied {
                around.copy(copied);
            }
        }
    }
}
