//! Sums over the coordinates for all pairs of gradients: where Krum spends its time.
//!
//! A sum is made of one term for each coordinate, a product or a squared difference. The terms of [`DEPTH`] coordinates
//! are added one by one, first to last, each with its product rounded only once, and these parts are added to the table in their order. Registers lie across
//! pairs, never along the coordinates of one, so that a sum has the same bits for every width of them, for any number
//! of threads and for any number of other clients.

use std::marker::PhantomData;
use std::ops::Range;

use super::gradients::Gradients;
use crate::parallel::for_each_chunk_mut;
use crate::simd::{DetectedLevel, LaneWork, Lanes, Vector, Vectorised, on_lanes, vectorised};

/// Clients side by side in memory.
const PANEL: usize = 8;
/// Panels that a panel of rows is taken with at a time: 8 x 24 pairs fill the registers of AVX-512.
const STRIP: usize = 3;
/// Coordinates that are copied into panels at a time: few enough that the panels stay in the cache.
pub(super) const DEPTH: usize = 512;
/// Rows of the table that one task takes at a time.
const TASK_ROWS: usize = 48;

/// An entry that waits for its [`SquaredDifference`] sum.
pub(super) const TO_BE_DIRECT: f64 = -0.0;

/// One coordinate of the clients of a panel.
type Slice = [f64; PANEL];
/// The sums of a panel of rows with a strip.
type Tile = [[Slice; STRIP]; PANEL];

/// What is added up for a pair.
pub(super) trait Term: Sync {
    /// The sum with the term of one more coordinate.
    fn added<V: Vector<f64>>(sum: V, a: V, b: V) -> V;
    /// Whether the sum of an entry of the table is wanted.
    fn is_wanted(entry: f64) -> bool;
    /// The entry with a part of the sum in it.
    fn with(entry: f64, part: f64) -> f64;
}

/// Scalar products, for every entry.
pub(super) struct Product;

impl Term for Product {
    #[inline(always)]
    fn added<V: Vector<f64>>(sum: V, a: V, b: V) -> V {
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

impl Term for SquaredDifference {
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
pub(super) fn add_sums<K: Term>(
    table: &mut [f64],
    gradients: &Gradients<'_>,
    centre: &dyn Fn(Range<usize>) -> Vec<f64>,
    level: DetectedLevel,
) {
    let (clients, width) = (gradients.clients(), gradients.coordinates());
    let depth = DEPTH.min(width);
    let mut panels = vec![[0.0; PANEL]; clients.div_ceil(STRIP * PANEL) * STRIP * depth];
    for start in (0..width).step_by(depth) {
        let range = start..width.min(start + depth);
        let count = range.len();
        let centre = centre(range.clone());
        for_each_chunk_mut(&mut panels, depth, &|panel, slices| {
            let first = panel * PANEL;
            if first < clients {
                // A panel that is not full repeats the last client; no sum of these is wanted.
                let row = |index: usize| &gradients.row((first + index).min(clients - 1))[range.clone()];
                let slices = &mut slices[..count];
                vectorised(level, Pack { rows: std::array::from_fn(row), centre: &centre, slices });
            }
        });
        let panel = |index: usize| &panels[index * depth..index * depth + count];
        for_each_chunk_mut(table, TASK_ROWS * clients, &|task, rows| {
            let first = task * TASK_ROWS;
            for column in (first - first % (STRIP * PANEL)..clients).step_by(STRIP * PANEL) {
                let b = std::array::from_fn(|index| panel(column / PANEL + index));
                for (part, rows) in rows.chunks_mut(PANEL * clients).enumerate() {
                    let row = first + part * PANEL;
                    add_tile::<K>(rows, clients, (row, column), panel(row / PANEL), b, level);
                }
            }
        });
    }
}

/// Lays the clients of a panel side by side, each moved by the centre.
struct Pack<'a> {
    rows: [&'a [f64]; PANEL],
    centre: &'a [f64],
    slices: &'a mut [Slice],
}

impl Vectorised for Pack<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { rows, centre, slices } = self;
        let count = slices.len();
        let centre = &centre[..count];
        let mut cut = rows;
        for client in 0..PANEL {
            cut[client] = &rows[client][..count];
        }
        for index in 0..count {
            for client in 0..PANEL {
                slices[index][client] = cut[client][index] - centre[index];
            }
        }
    }
}

/// Adds the sums of a panel of rows with a strip of columns, as far as they are not left of the diagonal.
fn add_tile<K: Term>(
    rows: &mut [f64],
    clients: usize,
    (row, column): (usize, usize),
    a: &[Slice],
    b: [&[Slice]; STRIP],
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
    on_lanes(level, Block::<K> { a, b, tile: &mut tile, term: PhantomData });
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
struct Block<'a, K> {
    a: &'a [Slice],
    b: [&'a [Slice]; STRIP],
    tile: &'a mut Tile,
    term: PhantomData<K>,
}

impl<K: Term> LaneWork<f64> for Block<'_, K> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<f64>>(mut self, lanes: Lanes<V>) {
        if V::LANES == PANEL {
            let [first, second, third] = self.b;
            self.part::<V, 8, STRIP, 1, 0, 0>(lanes, [first, second, third], 0);
            return;
        }
        // Sixteen registers: four rows with two of them at a time.
        for panel in 0..STRIP {
            let b = [self.b[panel]];
            self.part::<V, 4, 1, 2, 0, 0>(lanes, b, panel);
            self.part::<V, 4, 1, 2, 4, 0>(lanes, b, panel);
            if V::LANES < PANEL / 2 {
                self.part::<V, 4, 1, 2, 0, 2>(lanes, b, panel);
                self.part::<V, 4, 1, 2, 4, 2>(lanes, b, panel);
            }
            if V::LANES < PANEL / 4 {
                self.part::<V, 4, 1, 2, 0, 4>(lanes, b, panel);
                self.part::<V, 4, 1, 2, 4, 4>(lanes, b, panel);
                self.part::<V, 4, 1, 2, 0, 6>(lanes, b, panel);
                self.part::<V, 4, 1, 2, 4, 6>(lanes, b, panel);
            }
        }
    }
}

impl<K: Term> Block<'_, K> {
    /// The sums that are kept in registers at once: `ROWS` rows from `ROW` with `EACH` registers from `REGISTER` of
    /// each of `PANELS` panels, the first of which is panel `place` of the strip.
    #[allow(clippy::needless_range_loop, reason = "plain indices unroll at every level; iterators may not")]
    #[inline(always)]
    fn part<
        V: Vector<f64>,
        const ROWS: usize,
        const PANELS: usize,
        const EACH: usize,
        const ROW: usize,
        const REGISTER: usize,
    >(
        &mut self,
        lanes: Lanes<V>,
        b: [&[Slice]; PANELS],
        place: usize,
    ) {
        let count = self.a.len();
        let mut cut = b;
        for panel in 0..PANELS {
            cut[panel] = &b[panel][..count];
        }
        let zero = lanes.splat(0.0);
        let mut sums = [[[zero; EACH]; PANELS]; ROWS];
        for index in 0..count {
            let mut columns = [[zero; EACH]; PANELS];
            for panel in 0..PANELS {
                for each in 0..EACH {
                    columns[panel][each] = lanes.load(&V::chunks(&cut[panel][index])[REGISTER + each]);
                }
            }
            for row in 0..ROWS {
                let value = lanes.splat(self.a[index][ROW + row]);
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
                    let chunks = V::chunks_mut(&mut self.tile[ROW + row][place + panel]);
                    sums[row][panel][each].store(&mut chunks[REGISTER + each]);
                }
            }
        }
    }
}
