//! The fused row kernel: diffusion, reaction, noise and clamping of one row in one sweep.
//!
//! The order of the floating-point operations is part of the result. Nothing here may be
//! reordered, and no fused multiply-add may be used.

use super::constants::{ACTIVATION_GAIN_V, FIELD_MAX_V, FIELD_MIN_V};
use super::step::StepParameters;
use crate::spec::BoundaryCondition;

/// The five-point Laplacian with unit spacing, in the order of summation of MFN 4.1.
#[inline(always)]
pub(crate) fn laplacian_of(up: f64, down: f64, first: f64, second: f64, centre: f64) -> f64 {
    ((up + down) + first) + second - 4.0 * centre
}

/// `value` moved into [`low`, `high`]; NaN stays NaN.
#[inline(always)]
pub(crate) fn clamp(value: f64, low: f64, high: f64) -> f64 {
    let raised = if value < low { low } else { value };
    if raised > high { high } else { raised }
}

/// A row with the two rows beside it and what lies beyond its ends.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(crate) up: &'a [f64],
    pub(crate) centre: &'a [f64],
    pub(crate) down: &'a [f64],
    boundary: BoundaryCondition,
}

impl<'a> Row<'a> {
    /// Row `row` of a grid with `columns` columns. `zeros` is a row of zeros, used outside a
    /// Dirichlet grid. `row` must be inside the grid.
    #[inline]
    pub(crate) fn of(
        cells: &'a [f64],
        columns: usize,
        row: usize,
        zeros: &'a [f64],
        boundary: BoundaryCondition,
    ) -> Self {
        let rows = cells.len() / columns;
        let at = |index: usize| &cells[index * columns..(index + 1) * columns];
        let outside = |across: usize| match boundary {
            BoundaryCondition::Periodic => at(across),
            BoundaryCondition::Neumann => at(row),
            BoundaryCondition::Dirichlet => zeros,
        };
        Self {
            up: if row > 0 { at(row - 1) } else { outside(rows - 1) },
            centre: at(row),
            down: if row + 1 < rows { at(row + 1) } else { outside(0) },
            boundary,
        }
    }

    /// Columns of the row.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.centre.len()
    }

    /// What lies left of the first and right of the last cell.
    #[inline]
    pub(crate) fn ends(&self) -> [f64; 2] {
        let (first, last) = (self.centre[0], self.centre[self.len() - 1]);
        match self.boundary {
            BoundaryCondition::Periodic => [last, first],
            BoundaryCondition::Neumann => [first, last],
            BoundaryCondition::Dirichlet => [0.0, 0.0],
        }
    }

    /// The cells `start..end` with their neighbours. `left` and `right` are the cells
    /// `start - 1..end - 1` and `start + 1..end + 1`.
    #[inline]
    fn window(&self, start: usize, end: usize, left: &'a [f64], right: &'a [f64]) -> Window<'a> {
        // MFN 4.1 sums left and right in the other order on a Dirichlet grid.
        let (first, second) = match self.boundary {
            BoundaryCondition::Dirichlet => (right, left),
            BoundaryCondition::Periodic | BoundaryCondition::Neumann => (left, right),
        };
        Window {
            up: &self.up[start..end],
            down: &self.down[start..end],
            first,
            second,
            centre: &self.centre[start..end],
        }
    }

    /// The first cell alone, the cells between, and the last cell alone: only the two ends
    /// have a neighbour outside the row, so that the loop between them has no branch. A row of
    /// one cell has only the first part.
    #[inline]
    pub(crate) fn windows(&self, ends: &'a [f64; 2]) -> [(usize, usize, Window<'a>); 3] {
        let n = self.len();
        let row = self.centre;
        let second = n.min(1);
        let last = n.saturating_sub(1).max(second);
        let right_of_first = if n > 1 { &row[1..2] } else { &ends[1..2] };
        let left_of_last = if n > 1 { &row[n - 2..n - 1] } else { &row[..0] };
        let right_of_last = if n > 1 { &ends[1..2] } else { &row[..0] };
        let (inner_left, inner_right) =
            if n > 2 { (&row[..n - 2], &row[2..]) } else { (&row[..0], &row[..0]) };
        [
            (0, 1, self.window(0, 1, &ends[0..1], right_of_first)),
            (second, last, self.window(second, last, inner_left, inner_right)),
            (last, n, self.window(last, n, left_of_last, right_of_last)),
        ]
    }
}

/// A run of cells of one row with their four neighbours; all slices have one length.
#[derive(Clone, Copy)]
pub(crate) struct Window<'a> {
    up: &'a [f64],
    down: &'a [f64],
    first: &'a [f64],
    second: &'a [f64],
    centre: &'a [f64],
}

impl<'a> Window<'a> {
    /// Cuts all slices to `length`, which lets the compiler drop the bounds checks.
    #[inline(always)]
    pub(crate) fn cut(self, length: usize) -> Self {
        Self {
            up: &self.up[..length],
            down: &self.down[..length],
            first: &self.first[..length],
            second: &self.second[..length],
            centre: &self.centre[..length],
        }
    }

    #[inline(always)]
    pub(crate) fn laplacian(&self, j: usize) -> f64 {
        laplacian_of(self.up[j], self.down[j], self.first[j], self.second[j], self.centre[j])
    }
}

/// What happened in a row or a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Cells whose activator exceeded the threshold.
    pub(crate) activations: u64,
    /// Cells whose potential was changed by the clamp; a NaN cell counts.
    pub(crate) clamps: u64,
    /// Whether any of the new values is NaN. Infinite values cannot pass the clamps.
    pub(crate) nan: bool,
}

impl Counts {
    #[inline]
    pub(crate) fn add(&mut self, other: Self) {
        self.activations += other.activations;
        self.clamps += other.clamps;
        self.nan |= other.nan;
    }
}

/// Adds noise if there is any and clamps the potential.
#[inline(always)]
fn finish_potential<const NOISE: bool>(value: f64, noise: f64, counts: &mut Counts) -> f64 {
    let noisy = if NOISE { value + noise } else { value };
    let kept = clamp(noisy, FIELD_MIN_V, FIELD_MAX_V);
    counts.clamps += u64::from(kept != noisy);
    counts.nan |= kept.is_nan();
    kept
}

/// Diffusion, noise and clamp of the potential alone. `noise` is read only with `NOISE`.
#[inline]
pub(crate) fn potential_window<const NOISE: bool>(
    v: Window<'_>,
    alpha: f64,
    noise: &[f64],
    v_next: &mut [f64],
) -> Counts {
    let n = v_next.len();
    let v = v.cut(n);
    let noise = if NOISE { &noise[..n] } else { &[] };
    let mut counts = Counts::default();
    for j in 0..n {
        let diffused = v.centre[j] + alpha * v.laplacian(j);
        let noise = if NOISE { noise[j] } else { 0.0 };
        v_next[j] = finish_potential::<NOISE>(diffused, noise, &mut counts);
    }
    counts
}

/// One step of all three fields: diffusion of the potential, reaction and diffusion of
/// activator and inhibitor from their old values, activation, noise, clamps.
#[inline]
#[expect(clippy::too_many_arguments, reason = "three fields in, three fields out, fused")]
pub(crate) fn coupled_window<const NOISE: bool>(
    v: Window<'_>,
    a: Window<'_>,
    i: Window<'_>,
    p: &StepParameters,
    noise: &[f64],
    v_next: &mut [f64],
    a_next: &mut [f64],
    i_next: &mut [f64],
) -> Counts {
    let n = v_next.len();
    let (v, a, i) = (v.cut(n), a.cut(n), i.cut(n));
    let (a_next, i_next) = (&mut a_next[..n], &mut i_next[..n]);
    let noise = if NOISE { &noise[..n] } else { &[] };
    let mut counts = Counts::default();
    for j in 0..n {
        let (a_old, i_old) = (a.centre[j], i.centre[j]);
        let mut a_change = p.d_activator * a.laplacian(j);
        a_change += p.r_activator * (a_old * (1.0 - a_old) - i_old);
        let mut i_change = p.d_inhibitor * i.laplacian(j);
        i_change += p.r_inhibitor * (a_old - i_old);
        let a_new = a_old + a_change;
        let i_new = i_old + i_change;

        // The threshold is tested before the activator is clamped.
        let active = a_new > p.turing_threshold;
        counts.activations += u64::from(active);
        let diffused = v.centre[j] + p.alpha * v.laplacian(j);
        let raised = if active { diffused + ACTIVATION_GAIN_V } else { diffused };
        let noise = if NOISE { noise[j] } else { 0.0 };
        v_next[j] = finish_potential::<NOISE>(raised, noise, &mut counts);

        let a_kept = clamp(a_new, 0.0, 1.0);
        let i_kept = clamp(i_new, 0.0, 1.0);
        counts.nan |= a_kept.is_nan() | i_kept.is_nan();
        a_next[j] = a_kept;
        i_next[j] = i_kept;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the cutting of rows: for every length each cell is covered once, in order.
    #[test]
    fn windows_cover_a_row_once() {
        for columns in 1..9 {
            let cells: Vec<f64> = (0..3 * columns).map(|cell| cell as f64).collect();
            let zeros = vec![0.0; columns];
            let row = Row::of(&cells, columns, 1, &zeros, BoundaryCondition::Periodic);
            let ends = row.ends();
            let mut next = 0;
            for (start, end, window) in row.windows(&ends) {
                assert_eq!(start, next.min(columns));
                assert!(window.cut(end - start).centre.len() == end - start);
                next = end;
            }
            assert_eq!(next, columns);
        }
    }

    /// Guards the clamp: NaN stays, infinities and limits do not move wrongly.
    #[test]
    fn clamp_keeps_nan() {
        assert!(clamp(f64::NAN, 0.0, 1.0).is_nan());
        assert_eq!(clamp(f64::NEG_INFINITY, 0.0, 1.0), 0.0);
        assert_eq!([0.0, 0.5, 1.0, 2.0].map(|x| clamp(x, 0.0, 1.0)), [0.0, 0.5, 1.0, 1.0]);
    }
}
