//! Sums over the coordinates for all pairs of gradients: where Krum spends its time.
//!
//! A sum is made of one term for each coordinate, a product in single precision or a squared difference in double. The
//! terms of some coordinates, a run, are added one by one, first to last, each with its product rounded only once; runs are
//! added up in double precision, and these parts, of [`DEPTH`] coordinates each, are added to the table in their order.
//! Registers lie across pairs, never along the coordinates of one, so that a sum has the same bits for every width of
//! them and for any number of threads.

use std::ops::Range;

use super::gradients::Gradients;
use crate::parallel::for_each_chunk_mut;
use crate::real::Real;
use crate::simd::{DetectedLevel, LaneWork, Lanes, Vector, on_lanes};

/// Panels that rows are taken with at a time: 8 rows and 3 registers fill those of AVX-512.
const STRIP: usize = 3;
/// Coordinates that are copied into panels at a time: few enough that the panels stay in the cache.
pub(super) const DEPTH: usize = 1024;
/// Rows of the table that one task takes at a time.
const TASK_ROWS: usize = 48;

/// An entry that waits for its [`SquaredDifference`] sum.
pub(super) const TO_BE_DIRECT: f64 = -0.0;

/// The sums of a panel of rows with a strip.
type Tile<T, const PANEL: usize> = [[[T; PANEL]; STRIP]; PANEL];

/// What is added up for a pair. `PANEL` clients lie side by side in memory, as many as the widest register has numbers.
pub(super) trait Term<const PANEL: usize>: Sync {
    /// In which the terms are computed.
    type Number: Real;
    /// Coordinates whose terms are added in that precision.
    const RUN: usize;
    /// The sum with the term of one more coordinate.
    fn added<V: Vector<Self::Number>>(sum: V, a: V, b: V) -> V;
    /// Whether the sum of an entry of the table is wanted.
    fn is_wanted(entry: f64) -> bool;
    /// The entry with a part of the sum in it.
    fn with(entry: f64, part: f64) -> f64;
}

/// Scalar products in single precision, for every entry. See [`PRODUCT_ERROR`].
pub(super) struct Product;

/// Bound on the error of a sum of products beside the product of the two lengths: two coordinates are rounded, and then
/// the sum of a run as often as it has terms. That of the sums in double precision is less than one more.
pub(super) const PRODUCT_ERROR: f64 = (<Product as Term<16>>::RUN + 3) as f64 * 0.5 * f32::EPSILON as f64;

impl Term<16> for Product {
    type Number = f32;
    const RUN: usize = 128;

    #[inline(always)]
    fn added<V: Vector<f32>>(sum: V, a: V, b: V) -> V {
        a.times_plus(b, sum)
    }

    #[inline(always)]
    fn is_wanted(_: f64) -> bool {
        true
    }

    #[inline(always)]
    fn with(entry: f64, part: f64) -> f64 {
        entry + part
    }
}

/// Squared distances, for the entries with a minus sign: they begin at -0 and are added up below it.
pub(super) struct SquaredDifference;

impl Term<8> for SquaredDifference {
    type Number = f64;
    const RUN: usize = DEPTH;

    #[inline(always)]
    fn added<V: Vector<f64>>(sum: V, a: V, b: V) -> V {
        let difference = a - b;
        difference.times_plus(difference, sum)
    }

    #[inline(always)]
    fn is_wanted(entry: f64) -> bool {
        entry.is_sign_negative()
    }

    #[inline(always)]
    fn with(entry: f64, part: f64) -> f64 {
        if entry.is_sign_negative() { entry - part } else { entry }
    }
}

/// Adds the sums of the pairs a <= b to the entries [a, b] of a square table with a row for each client, as far as they
/// are wanted. Gradients are moved by what `centre` gives for a range of coordinates. Memory: [`DEPTH`] coordinates of
/// each gradient.
pub(super) fn add_sums<K: Term<PANEL>, const PANEL: usize>(
    table: &mut [f64],
    gradients: &Gradients<'_>,
    centre: &dyn Fn(Range<usize>) -> Vec<f64>,
    level: DetectedLevel,
) {
    let (clients, width) = (gradients.clients(), gradients.coordinates());
    let depth = DEPTH.min(width);
    let mut panels = vec![K::Number::ZERO; clients.div_ceil(STRIP * PANEL) * STRIP * depth * PANEL];
    for start in (0..width).step_by(depth) {
        let range = start..width.min(start + depth);
        let count = range.len();
        let centre = centre(range.clone());
        for_each_chunk_mut(&mut panels, depth * PANEL, &|panel, numbers| {
            let first = panel * PANEL;
            if first < clients {
                // A panel that is not full repeats the last client; no sum of these is wanted.
                let row = |index: usize| &gradients.row((first + index).min(clients - 1))[range.clone()];
                pack(std::array::from_fn(row), &centre, &mut numbers.as_chunks_mut::<PANEL>().0[..count]);
            }
        });
        let panels = panels.as_chunks::<PANEL>().0;
        let panel = |index: usize| &panels[index * depth..index * depth + count];
        for_each_chunk_mut(table, TASK_ROWS * clients, &|task, rows| {
            let first = task * TASK_ROWS;
            for column in (first - first % (STRIP * PANEL)..clients).step_by(STRIP * PANEL) {
                let b = std::array::from_fn(|index| panel(column / PANEL + index));
                for (part, rows) in rows.chunks_mut(PANEL * clients).enumerate() {
                    let row = first + part * PANEL;
                    add_tile::<K, PANEL>(rows, clients, (row, column), panel(row / PANEL), b, level);
                }
            }
        });
    }
}

/// Lays the clients of a panel side by side, each moved by the centre.
fn pack<T: Real, const PANEL: usize>(rows: [&[f64]; PANEL], centre: &[f64], slices: &mut [[T; PANEL]]) {
    // So few coordinates at a time that what is written stays in the first-level cache for all clients.
    const COORDINATES: usize = 128;
    for (part, slices) in slices.chunks_mut(COORDINATES).enumerate() {
        let centre = &centre[part * COORDINATES..];
        for (client, row) in rows.iter().enumerate() {
            let values = row[part * COORDINATES..].iter().zip(centre);
            for (slice, (value, centre)) in slices.iter_mut().zip(values) {
                slice[client] = T::of(value - centre);
            }
        }
    }
}

/// Adds the sums of a panel of rows with a strip of columns, as far as they are not left of the diagonal.
fn add_tile<K: Term<PANEL>, const PANEL: usize>(
    rows: &mut [f64],
    clients: usize,
    (row, column): (usize, usize),
    a: &[[K::Number; PANEL]],
    b: [&[[K::Number; PANEL]]; STRIP],
    level: DetectedLevel,
) {
    let columns = |index: usize| column.max(row + index)..clients.min(column + STRIP * PANEL);
    let is_wanted = rows.chunks(clients).enumerate().any(|(index, entries)| {
        entries.get(columns(index)).is_some_and(|entries| entries.iter().any(|&entry| K::is_wanted(entry)))
    });
    if !is_wanted {
        return;
    }
    let mut tile = [[[0.0; PANEL]; STRIP]; PANEL];
    on_lanes(level, Block::<K, PANEL> { a, b, tile: &mut tile });
    for ((index, entries), sums) in rows.chunks_mut(clients).enumerate().zip(&tile) {
        let columns = columns(index);
        let skipped = columns.start - column;
        if let Some(entries) = entries.get_mut(columns) {
            let sums = &sums.as_flattened()[skipped..][..entries.len()];
            for (entry, &sum) in entries.iter_mut().zip(sums) {
                *entry = K::with(*entry, sum);
            }
        }
    }
}

/// The sums of a tile over the coordinates of its panels.
struct Block<'a, K: Term<PANEL>, const PANEL: usize> {
    a: &'a [[K::Number; PANEL]],
    b: [&'a [[K::Number; PANEL]]; STRIP],
    tile: &'a mut Tile<f64, PANEL>,
}

impl<K: Term<PANEL>, const PANEL: usize> LaneWork<K::Number> for Block<'_, K, PANEL> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<K::Number>>(self, lanes: Lanes<V>) {
        let Self { a, b, tile } = self;
        let count = a.len();
        for start in (0..count).step_by(K::RUN) {
            let range = start..count.min(start + K::RUN);
            let mut cut = b;
            for panel in 0..STRIP {
                cut[panel] = &b[panel][range.clone()];
            }
            let mut run = Run { a: &a[range], b: cut, sums: [[[K::Number::ZERO; PANEL]; STRIP]; PANEL] };
            run.add_up::<K, V>(lanes);
            let parts = run.sums.as_flattened().as_flattened();
            for (sum, part) in tile.as_flattened_mut().as_flattened_mut().iter_mut().zip(parts) {
                *sum += part.wide();
            }
        }
    }
}

/// The sums over one run of coordinates.
struct Run<'a, T, const PANEL: usize> {
    a: &'a [[T; PANEL]],
    b: [&'a [[T; PANEL]]; STRIP],
    sums: Tile<T, PANEL>,
}

impl<T: Real, const PANEL: usize> Run<'_, T, PANEL> {
    #[inline(always)]
    fn add_up<K: Term<PANEL, Number = T>, V: Vector<T>>(&mut self, lanes: Lanes<V>) {
        if V::LANES == PANEL {
            for group in 0..PANEL / 8 {
                self.part::<K, V, 8, STRIP, 1>(lanes, group, 0, 0);
            }
            return;
        }
        // Sixteen registers: four rows with two of them at a time.
        for group in 0..PANEL / 4 {
            for panel in 0..STRIP {
                for register in (0..PANEL / V::LANES).step_by(2) {
                    self.part::<K, V, 4, 1, 2>(lanes, group, panel, register);
                }
            }
        }
    }

    /// The sums that are kept in registers at once: a group of `ROWS` rows with `EACH` registers from `register` of
    /// each of `PANELS` panels from `place`.
    #[allow(clippy::needless_range_loop, reason = "plain indices unroll at every level; iterators may not")]
    #[inline(always)]
    fn part<
        K: Term<PANEL, Number = T>,
        V: Vector<T>,
        const ROWS: usize,
        const PANELS: usize,
        const EACH: usize,
    >(
        &mut self,
        lanes: Lanes<V>,
        group: usize,
        place: usize,
        register: usize,
    ) {
        let count = self.a.len();
        let mut cut = [self.a; PANELS];
        for panel in 0..PANELS {
            cut[panel] = &self.b[place + panel][..count];
        }
        let zero = lanes.splat(T::ZERO);
        let mut sums = [[[zero; EACH]; PANELS]; ROWS];
        for index in 0..count {
            let mut columns = [[zero; EACH]; PANELS];
            for panel in 0..PANELS {
                for each in 0..EACH {
                    columns[panel][each] = lanes.load(&V::chunks(&cut[panel][index])[register + each]);
                }
            }
            let rows = &self.a[index].as_chunks::<ROWS>().0[group];
            for row in 0..ROWS {
                let value = lanes.splat(rows[row]);
                for panel in 0..PANELS {
                    for each in 0..EACH {
                        let sum = &mut sums[row][panel][each];
                        *sum = K::added(*sum, value, columns[panel][each]);
                    }
                }
            }
        }
        for row in 0..ROWS {
            for panel in 0..PANELS {
                for each in 0..EACH {
                    let chunks = V::chunks_mut(&mut self.sums[group * ROWS + row][place + panel]);
                    sums[row][panel][each].store(&mut chunks[register + each]);
                }
            }
        }
    }
}
