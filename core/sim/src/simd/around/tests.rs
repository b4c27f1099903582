//! Where the registers of rows are read and written, and what is refused.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use crate::real::Real;
use crate::simd::{DetectedLevel, LaneWork, SimdLevel, on_lanes};

const FORM: RowForm = RowForm { row_cells: 160, stride: 80, first: 16, registers: 0, right_first: false };

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
        let mut sheet = Sheet::<f64, V, 2>::of(self.cells, 3, form);
        let mut around = sheet.around([0, 1, 2, 0]);
        for k in 0..form.registers {
            let Neighbours { centre, up, down, first, second } = around.read(lanes, k);
            around.write(k, [up[0] + down[0] + (first[0] - second[0]), up[1] + centre[1]]);
        }
        around.copy(Copied { from: 16, to: 15 });
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
            expected[15] = expected[16];
            expected[95] = expected[96];
            assert_eq!(cells, expected, "{level:?}");
        }
    }
}

/// Writes something of which every neighbour has another part, two rows at once, over the row above each.
struct SummedTwo<'a, T>(&'a mut [T]);

impl<T: Real> LaneWork<T> for SummedTwo<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<T>>(self, lanes: Lanes<V>) {
        let form = RowForm { registers: 48 / V::LANES, ..FORM };
        let [three, five] = [3.0, 5.0].map(|factor| lanes.splat(T::of(factor)));
        let mut sheet = Sheet::<T, V, 2>::of(self.0, 4, form);
        let mut rows = sheet.two([[0, 1, 2, 0], [1, 2, 3, 1]]);
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
        rows.copy(Copied { from: 16, to: 64 });
    }
}

fn two_rows_of<T: Real>() {
    // Small whole numbers, of which every sum is exact.
    let before: Vec<T> = (0..640_u32).map(|cell| T::of(f64::from(cell * cell % 4093))).collect();
    let at = |row: usize, field: usize, cell: usize| before[row * 160 + field * 80 + cell];
    let mut expected = before.clone();
    for row in [1, 2] {
        for cell in 16..64 {
            let of = |field: usize| {
                let sides = at(row, field, cell - 1) - T::of(5.0) * at(row, field, cell + 1);
                at(row - 1, field, cell) + T::of(3.0) * at(row + 1, field, cell) + sides
            };
            expected[(row - 1) * 160 + cell] = of(0) + at(row, 1, cell);
            expected[(row - 1) * 160 + 80 + cell] = of(1) - at(row, 0, cell);
        }
        for field in [0, 80] {
            expected[(row - 1) * 160 + field + 64] = expected[(row - 1) * 160 + field + 16];
        }
    }
    for level in SimdLevel::available() {
        let mut cells = before.clone();
        let level = level.resolve().unwrap_or(DetectedLevel::BASELINE);
        on_lanes(level, SummedTwo(&mut cells));
        assert_eq!(cells, expected, "{level:?}");
    }
}

/// Guards two rows at once, at every level and in both precisions: what the second reads is what was there before the
/// first was written, and the cell before a register is that of the row before it was replaced.
#[test]
fn two_rows_are_computed_from_what_was_there() {
    two_rows_of::<f64>();
    two_rows_of::<f32>();
}

struct Wrong<'a>(&'a mut [f64], usize, RowForm, [usize; 4], Copied);

impl LaneWork<f64> for Wrong<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<f64>>(self, lanes: Lanes<V>) {
        let mut sheet = Sheet::<f64, V, 2>::of(self.0, self.1, self.2);
        let last = self.2.registers.wrapping_sub(1);
        let mut two = sheet.two([[0, 1, 2, 0], self.3]);
        let mut before = two.before_first(lanes);
        let values = two.read(lanes, last, &mut before).map(|cells| cells.down);
        two.write(last, values);
        two.copy(self.4);
        let mut around = sheet.around(self.3);
        let value = around.read(lanes, last).down;
        around.write(last, value);
        around.copy(self.4);
    }
}

/// Guards the memory: a form, a row, a register or a place that is not in the buffer ends in a panic, the
/// largest that are in it do not.
#[test]
fn what_is_outside_is_refused() {
    let form = RowForm { registers: 63 / 2, ..FORM };
    let (rows, place) = ([0, 1, 2, 0], Copied { from: 0, to: 79 });
    let try_it = |all, form, rows, place| {
        let mut cells = vec![0.0; 480];
        let work = Wrong(&mut cells, all, form, rows, place);
        catch_unwind(AssertUnwindSafe(|| on_lanes(DetectedLevel::BASELINE, work))).is_ok()
    };
    assert!(try_it(3, form, rows, place));
    let wide = if cfg!(target_arch = "x86_64") { 32 } else { 64 };
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
    ] {
        assert!(!try_it(3, bad, rows, place), "{bad:?}");
    }
    for bad in [0, 2, 4, usize::MAX] {
        assert!(!try_it(bad, form, rows, place), "{bad}");
    }
    for row in 0..4 {
        let mut bad = rows;
        bad[row] = 3;
        assert!(!try_it(3, form, bad, place), "{bad:?}");
    }
    for bad in [Copied { from: 80, to: 0 }, Copied { from: 0, to: usize::MAX }] {
        assert!(!try_it(3, form, rows, bad), "{bad:?}");
    }
}
