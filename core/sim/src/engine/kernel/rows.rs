//! What the kernels do with a batch: row after row, with what lies beside its ends.

use super::{Batch, Registers};
use crate::real::Real;
use crate::simd::{Around, Sheet, TwoRows, Vector};

/// A kernel in the registers of a level. `FIELDS` advance.
pub(super) trait RowWork<T: Real, V: Vector<T>, const FIELDS: usize> {
    /// Whether [`two_rows`](Self::two_rows) does what two times [`row`](Self::row) does.
    const TWO_ROWS: bool = false;

    /// Computes the cells of a row.
    fn row(&mut self, around: &mut Around<'_, T, V, FIELDS>, registers: &Registers);

    /// Computes the cells of two rows whose left neighbours are summed first.
    #[inline(always)]
    fn two_rows(&mut self, rows: &mut TwoRows<'_, T, V, FIELDS>, registers: &Registers) {
        let _ = (rows, registers);
    }

    /// Computes the rows of a batch.
    #[inline(always)]
    fn rows(&mut self, batch: &mut Batch<'_, T>, registers: &Registers) {
        let Batch { slots, above, new, rows, span, .. } = *batch;
        let mut sheet = Sheet::of(batch.ring, slots, [above, new], span.form(registers, V::LANES));
        let together = if V::TWO_ROWS && Self::TWO_ROWS && !span.right_first { rows / 2 } else { 0 };
        for _ in 0..together {
            let mut two = sheet.next_two();
            self.two_rows(&mut two, registers);
            two.finish();
        }
        for _ in 2 * together..rows {
            let mut around = sheet.next_row();
            self.row(&mut around, registers);
            around.finish();
        }
    }
}
