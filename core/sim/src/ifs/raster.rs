//! Points on a grid: the mask of the cells that the chaos game visits, for box counting.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ndarray::Array2;

use super::chaos_game::{BLOCK_POINTS, Orbit, check_points};
use super::{Ifs, IfsError};
use crate::engine::{Progress, RunEnd};
use crate::parallel::map_range;

/// Longest side of a raster.
pub const SIDE_MAX_CELLS: usize = 65_536;
/// Most cells of a raster, one byte each.
pub const CELLS_MAX: usize = 1 << 28;
/// Blocks between two questions to the control function.
const BLOCKS_PER_REPORT: u64 = 256;

/// The part of the plane that a raster shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Left end.
    pub x_min: f64,
    /// Right end.
    pub x_max: f64,
    /// Lower end.
    pub y_min: f64,
    /// Upper end.
    pub y_max: f64,
}

impl Window {
    /// The square from (0, 0) to (1, 1).
    pub const UNIT: Self = Self { x_min: 0.0, x_max: 1.0, y_min: 0.0, y_max: 1.0 };

    /// The smallest square that holds all points, with their box in its middle; for points that
    /// are all alike, a square of side 1 around them. `None` without points or for points that
    /// are not finite.
    #[must_use]
    pub fn around(points: &[[f64; 2]]) -> Option<Self> {
        let range = |axis: usize| {
            let values = points.iter().map(|point| point[axis]);
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
        };
        let ((x_min, x_max), (y_min, y_max)) = (range(0), range(1));
        let nan = points.iter().flatten().any(|coordinate| !coordinate.is_finite());
        if points.is_empty() || nan {
            return None;
        }
        let side = (x_max - x_min).max(y_max - y_min);
        let half = if side > 0.0 { 0.5 * side } else { 0.5 };
        let (x, y) = (0.5 * (x_min + x_max), 0.5 * (y_min + y_max));
        // Rounding of the middle must not leave an outermost point out.
        let window = Self {
            x_min: x_min.min(x - half),
            x_max: x_max.max(x + half),
            y_min: y_min.min(y - half),
            y_max: y_max.max(y + half),
        };
        window.check().is_ok().then_some(window)
    }

    fn check(&self) -> Result<(), IfsError> {
        let Self { x_min, x_max, y_min, y_max } = *self;
        let spans = [x_max - x_min, y_max - y_min];
        if spans.iter().all(|span| span.is_finite() && *span > 0.0) {
            return Ok(());
        }
        Err(IfsError::Window { x_min, x_max, y_min, y_max })
    }

    /// The cell of a point: row 0 at `y_min`, column 0 at `x_min`. The upper ends belong to the
    /// last cells.
    fn cell(&self, [x, y]: [f64; 2], (rows, cols): (usize, usize)) -> Option<usize> {
        let index = |value: f64, low: f64, high: f64, count: usize| {
            // As a whole number the share of 1 becomes `count`.
            let inside = low <= value && value <= high;
            inside.then(|| (((value - low) / (high - low) * count as f64) as usize).min(count - 1))
        };
        let row = index(y, self.y_min, self.y_max, rows)?;
        Some(row * cols + index(x, self.x_min, self.x_max, cols)?)
    }
}

/// The cells that were visited.
#[derive(Debug, Clone, PartialEq)]
pub struct Raster {
    /// Row 0 is at the lower end of the window.
    pub mask: Array2<bool>,
    /// Points inside the window.
    pub inside: u64,
    /// Points outside.
    pub outside: u64,
    /// Whether all points were drawn.
    pub end: RunEnd,
}

impl Ifs {
    /// Marks the cells of a `rows` x `cols` grid over `window` that the first `points` points of
    /// [`fill_points`](Self::fill_points) visit, in parallel inside a rayon pool, without keeping the points: one byte
    /// a cell. `control` is asked every million points and may end the drawing.
    ///
    /// # Errors
    /// [`IfsError::Points`], [`IfsError::Window`] or [`IfsError::RasterShape`].
    pub fn rasterize(
        &self,
        seed: u64,
        points: u64,
        window: &Window,
        (rows, cols): (usize, usize),
        control: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Raster, IfsError> {
        check_points(points)?;
        window.check()?;
        let sides = 1..=SIDE_MAX_CELLS;
        if !sides.contains(&rows) || !sides.contains(&cols) || rows * cols > CELLS_MAX {
            return Err(IfsError::RasterShape { rows, cols });
        }
        let cells: Vec<AtomicBool> = (0..rows * cols).map(|_| AtomicBool::new(false)).collect();
        let inside = AtomicU64::new(0);
        let visit = |block: u64, points: usize| {
            let mut orbit = Orbit::new(self, seed, block);
            let mut point = orbit.start();
            let mut hits = 0;
            for _ in 0..points {
                point = orbit.map().apply(point);
                if let Some(cell) = window.cell(point, (rows, cols)) {
                    // Marks and counts do not depend on their order.
                    cells[cell].store(true, Ordering::Relaxed);
                    hits += 1;
                }
            }
            inside.fetch_add(hits, Ordering::Relaxed);
        };
        let block_points = BLOCK_POINTS as u64;
        let mut done = 0;
        let mut end = RunEnd::Completed;
        while done < points {
            let next = (done + BLOCKS_PER_REPORT * block_points).min(points);
            // Fit: there are at most 2^16 blocks.
            let blocks = (done / block_points) as usize..next.div_ceil(block_points) as usize;
            map_range(blocks, &|block| {
                let block = block as u64;
                visit(block, (next - block * block_points).min(block_points) as usize);
            });
            done = next;
            let stop = control(Progress { step: done, steps_total: points }).is_break();
            if stop && done < points {
                end = RunEnd::Cancelled;
                break;
            }
        }
        let cells: Vec<bool> = cells.into_iter().map(AtomicBool::into_inner).collect();
        let mask = Array2::from_shape_vec((rows, cols), cells)
            .unwrap_or_else(|_| unreachable!("the cells have the shape of the raster"));
        let inside = inside.into_inner();
        Ok(Raster { mask, inside, outside: done - inside, end })
    }
}
