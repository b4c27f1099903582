//! What the kernels do with every row: register after register, those that are kept counted.

use super::cells::Cells;
use super::{Batch, Counts, Places, Registers};
use crate::real::Real;
use crate::simd::{Around, Sheet, Vector};

/// A kernel in the registers of a level. `FIELDS` advance.
pub(super) trait RegisterWork<'a, T: Real, V: Vector<T> + 'a, const FIELDS: usize>: Sized {
    /// Whether a copy of the loop for registers that count, and nothing else, pays for its bytes.
    const FOR_SPEED: bool;

    fn cells(&mut self) -> &mut Cells<'a, T, V>;

    /// Computes the cells of register `k`, of which the first `counted` count.
    fn compute(&mut self, around: &mut Around<'_, T, V, FIELDS>, k: usize, counted: usize);

    /// Computes a row.
    #[inline(always)]
    fn row(&mut self, around: &mut Around<'_, T, V, FIELDS>, registers: &Registers) {
        if !Self::FOR_SPEED {
            for k in 0..registers.all() {
                self.compute(around, k, registers.counted(k, V::LANES));
            }
            return;
        }
        // Most rows have nothing but what is kept.
        let [before, _, all] = registers.ends;
        let parts = usize::from(before == 0)..if all > registers.kept_end() { 3 } else { 2 };
        let mut k = 0;
        for part in parts {
            let kept = part == 1;
            let tallies = self.cells().tallies();
            while k < registers.ends[part] {
                self.compute(around, k, V::LANES);
                k += 1;
            }
            if !kept {
                self.cells().count_again(tallies);
            } else if registers.rest > 0 {
                self.compute(around, k, registers.rest);
                k += 1;
            }
        }
    }

    /// Computes the rows of a batch.
    #[inline(always)]
    fn rows(mut self, batch: Batch<'_, T>, registers: &Registers) -> Counts {
        let mut places = Places::of(&batch);
        let span = batch.span;
        let mut sheet = Sheet::of(batch.ring, span.form(registers, V::LANES));
        for _ in 0..batch.rows {
            let mut around = sheet.around(places.next());
            self.row(&mut around, registers);
            for copied in span.copied {
                around.copy(copied);
            }
        }
        self.cells().counts()
    }
}
