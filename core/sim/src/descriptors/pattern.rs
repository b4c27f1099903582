//! The pattern: which cells lie above the threshold, and which edges of the grid touch.

use ndarray::ArrayView2;

use super::DescriptorConfig;
use crate::graph::WRAP_MIN_CELLS;

/// Millivolts in a volt.
const MV_PER_V: f64 = 1000.0;

/// The cells above a threshold, row by row, 1 for a cell of the pattern and 0 for one of the background.
pub(super) struct Pattern {
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) wrap_rows: bool,
    pub(super) wrap_cols: bool,
    cells: Vec<u8>,
}

impl Pattern {
    /// The cells of a field of at least one row and column that are above the threshold.
    pub(super) fn above(field: ArrayView2<'_, f64>, config: &DescriptorConfig) -> Self {
        let (rows, cols) = field.dim();
        let threshold_v = config.threshold_mv / MV_PER_V;
        let mut cells = Vec::with_capacity(rows * cols);
        for row in field.rows() {
            cells.extend(row.iter().map(|&value| u8::from(value > threshold_v)));
        }
        let wraps = |length: usize| config.wrap && length >= WRAP_MIN_CELLS;
        Self { rows, cols, wrap_rows: wraps(rows), wrap_cols: wraps(cols), cells }
    }

    pub(super) fn row(&self, row: usize) -> &[u8] {
        &self.cells[row * self.cols..(row + 1) * self.cols]
    }

    /// All rows from the top.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[u8]> {
        self.cells.chunks_exact(self.cols)
    }
}
