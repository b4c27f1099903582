//! Where the registers of rows are read and written, and what is refused.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use crate::real::Real;
use crate::simd::{DetectedLevel, LaneWork, SimdLevel, on_lanes};

const FORM: RowForm = RowForm {
    row_cells: 160,
    stride: 80,
    first: 16,
    registers: 0,
    right_first: false,
    copied: [Copied { from: 16, to: 15 }, Copied { from: 17, to: 64 }],
};

/// Adds up the five cells of both fields and writes the sum over the cells above.
struct Summed<'a> {
    cells: &'a mut [f64],
    width: usize,
    right_first: bool,
}

impl LaneWork<f64> for Summed<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<f64>>(self, lanes: Lanes<V>) {
        let form = RowForm { registers: self.width / V::LANES, right_first: self.right_first, ..FORM };
        let mut sheet = Sheet::<f64, V, 2>::of(self.cells, 3, [0, 0], form);
        let mut around = sheet.next_row();
        for k in 0..form.registers {
            let Neighbours { centre, up, down, first, second } = around.read(lanes, k);
            around.write(k, [up[0] + down[0] + (first[0] - second[0]), up[1] + centre[1]]);
        }
        around.finish();
    }
}

/// Guards where the registers are read and written, at every level: the neighbours of the right row, side and
/// field, and no cell beyond.
#[test]
fn the_cells_around_are_those_around() {
    for level in SimdLevel::available() {
        for right_first in [false, true] {
            let before: Vec<f64> = (0..480).map(|cell| f64::from(cell * cell)).collect();
            let mut cells = before.clone();
            let level: DetectedLevel = level.resolve().unwrap_or(DetectedLevel::BASELINE);
            on_lanes(level, Summed { cells: &mut cells, width: 48, right_first });
            let mut expected = before.clone();
            let at = |row: usize, cell: usize| before[row * 160 + cell];
            for cell in 16..64 {
                let sides = at(1, cell - 1) - at(1, cell + 1);
                let sides = if right_first { -sides } else { sides };
                expected[cell] = at(0, cell) + at(2, cell) + sides;
                expected[80 + cell] = at(0, 80 + cell) + at(1, 80 + cell);
            }
            for field in [0, 80] {
                expected[field + 15] = expected[field + 16];
                expected[field + 64] = expected[field + 17];
            }
            assert_eq!(cells, expected, "{level:?}");
        }
    }
}

/// Writes something of which every neighbour has another part, two rows at once, over the row above each.
struct SummedTwo<'a, T> {
    cells: &'a mut [T],
    /// The row above them.
    above: usize,
}

impl<T: Real> LaneWork<T> for SummedTwo<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<T>>(self, lanes: Lanes<V>) {
        let form = RowForm { registers: 48 / V::LANES, ..FORM };
        let [three, five] = [3.0, 5.0].map(|factor| lanes.splat(T::of(factor)));
        let mut sheet = Sheet::<T, V, 2>::of(self.cells, 4, [self.above, self.above], form);
        let mut rows = sheet.next_two();
        let mut before = rows.before_first(lanes);
        for k in 0..form.registers {
            let cells = rows.read(lanes, k, &mut before);
            let sum = |Neighbours { centre, up, down, first, second }: Neighbours<V, 2>| {
                let of =
                    |field: usize| up[field] + three * down[field] + (first[field] - five * second[field]);
                [of(0) + centre[1], of(1) - centre[0]]
            };
            rows.write(k, cells.map(sum));
        }
        rows.finish();
    }
}

fn two_rows_of<T: Real>() {
    // Small whole numbers, of which every sum is exact.
    let before: Vec<T> = (0..640_u32).map(|cell| T::of(f64::from(cell * cell % 4093))).collect();
    let at = |row: usize, field: usize, cell: usize| before[row % 4 * 160 + field * 80 + cell];
    for above in 0..4 {
        let mut expected = before.clone();
        for row in [above + 1, above + 2] {
            let new = &mut expected[(row - 1) % 4 * 160..][..160];
            for cell in 16..64 {
                let of = |field: usize| {
                    let sides = at(row, field, cell - 1) - T::of(5.0) * at(row, field, cell + 1);
                    at(row - 1, field, cell) + T::of(3.0) * at(row + 1, field, cell) + sides
                };
                new[cell] = of(0) + at(row, 1, cell);
                new[80 + cell] = of(1) - at(row, 0, cell);
            }
            for field in [0, 80] {
                new[field + 15] = new[field + 16];
                new[field + 64] = new[field + 17];
            }
        }
        for level in SimdLevel::available() {
            let mut cells = before.clone();
            let level = level.resolve().unwrap_or(DetectedLevel::BASELINE);
            on_lanes(level, SummedTwo { cells: &mut cells, above });
            assert_eq!(cells, expected, "{level:?}, above {above}");
        }
    }
}

/// Guards two rows at once, at every level and in both precisions, wherever the ring begins: what the second reads is what was there before the
/// first was written, and the cell before a register is that of the row before it was replaced.
#[test]
fn two_rows_are_computed_from_what_was_there() {
    two_rows_of::<f64>();
    two_rows_of::<f32>();
}

struct Wrong<'a>(&'a mut [f64], usize, [usize; 2], RowForm);

impl LaneWork<f64> for Wrong<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<f64>>(self, lanes: Lanes<V>) {
        let mut sheet = Sheet::<f64, V, 2>::of(self.0, self.1, self.2, self.3);
        let last = self.3.registers.wrapping_sub(1);
        let mut two = sheet.next_two();
        let mut before = two.before_first(lanes);
        let values = two.read(lanes, last, &mut before).map(|cells| cells.down);
        two.write(last, values);
        two.finish();
        let mut around = sheet.next_row();
        let value = around.read(lanes, last).down;
        around.write(last, value);
        around.finish();
    }
}

/// Guards the memory: a form, a row, a register or a place that is not in the buffer ends in a panic, the
/// largest that are in it do not.
#[test]
fn what_is_outside_is_refused() {
    let form = RowForm { registers: 63 / 2, copied: [Copied { from: 0, to: 79 }; 2], ..FORM };
    let try_it = |rows, first, form| {
        let mut cells = vec![0.0; 480];
        let work = Wrong(&mut cells, rows, first, form);
        catch_unwind(AssertUnwindSafe(|| on_lanes(DetectedLevel::BASELINE, work))).is_ok()
    };
    for first in [[0, 0], [2, 0], [0, 2], [2, 2]] {
        assert!(try_it(3, first, form), "{first:?}");
    }
    let wide = if cfg!(target_arch = "x86_64") { 32 } else { 64 };
    let copied = |from, to| [form.copied[0], Copied { from, to }];
    for bad in [
        RowForm { registers: wide, ..form },
        RowForm { registers: usize::MAX, ..form },
        RowForm { registers: 0, ..form },
        RowForm { first: 0, ..form },
        RowForm { first: 80, ..form },
        RowForm { first: usize::MAX, ..form },
        RowForm { stride: 81, ..form },
        RowForm { stride: usize::MAX, ..form },
        RowForm { row_cells: 0, ..form },
        RowForm { row_cells: 161, ..form },
        RowForm { row_cells: usize::MAX, ..form },
        RowForm { copied: copied(80, 0), ..form },
        RowForm { copied: copied(0, 80), ..form },
        RowForm { copied: copied(usize::MAX, 0), ..form },
        RowForm { copied: copied(0, usize::MAX), ..form },
    ] {
        assert!(!try_it(3, [0, 0], bad), "{bad:?}");
    }
    for bad in [0, 4, usize::MAX] {
        assert!(!try_it(bad, [0, 0], form), "{bad}");
    }
    for bad in [[3, 0], [0, 3], [usize::MAX, 0], [0, usize::MAX]] {
        assert!(!try_it(3, bad, form), "{bad:?}");
    }
}
