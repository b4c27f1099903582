//! The cost model: what a run costs by its grid, its steps, the number of runs and of threads, fitted to the
//! measurements.

use super::marks::MIB;
use super::results::Results;

/// Seconds of a run: `create + steps * (step + cell * cells)`, divided by what threads give.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Model {
    /// Seconds to create and free a run of 64 x 64.
    pub(super) create: f64,
    /// Seconds of a step beside its cells.
    pub(super) step: f64,
    /// Seconds of a cell in a step.
    pub(super) cell: f64,
    /// The largest relative distance of a measurement from the fit.
    pub(super) error_max: f64,
    /// Times as many runs of an ensemble a second with two threads as with one.
    pub(super) ensemble_gain: f64,
    /// Bytes of a cell, and of a process beside its cells.
    pub(super) memory: Option<(f64, f64)>,
}

impl Model {
    /// Fits the model; `None` when too little was measured.
    pub(super) fn fit(results: &Results) -> Option<Self> {
        let points: Vec<(f64, f64)> =
            results.of_task("scale").map(|row| ((row.size * row.size) as f64, row.cpu_s)).collect();
        let (step, cell) = fit_line(&points)?;
        let off = |&(cells, seconds): &(f64, f64)| ((step + cell * cells) / seconds - 1.0).abs();
        let ensemble = |threads: &str| Some(results.row("ensemble", 64, threads)?.wall_s);
        Some(Self {
            create: results.row("create", 64, "libmfn")?.cpu_s,
            step,
            cell,
            error_max: points.iter().map(off).fold(0.0, f64::max),
            ensemble_gain: ensemble("1 threads")? / ensemble("2 threads")?,
            memory: memory(results),
        })
    }

    /// Runs in an hour with one thread.
    pub(super) fn runs_per_hour(&self, side: f64, steps: f64) -> f64 {
        3600.0 / (self.create * side * side / 4096.0 + steps * (self.step + self.cell * side * side))
    }

    /// The side of the largest square whose run fits into so much memory.
    pub(super) fn side_max(&self, memory_bytes: f64) -> Option<f64> {
        let (cell, fixed) = self.memory?;
        Some(((memory_bytes - fixed) / cell).max(0.0).sqrt())
    }
}

/// Bytes of a cell and of the rest, from the smallest and the largest run that was measured.
fn memory(results: &Results) -> Option<(f64, f64)> {
    let mut peaks: Vec<(f64, f64)> = results
        .of_task("simulate")
        .filter_map(|row| Some(((row.size * row.size) as f64, row.peak_bytes? as f64)))
        .collect();
    peaks.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (least, most) = (*peaks.first()?, *peaks.last()?);
    if least.0 == most.0 {
        // One size: the rest of the process is taken to be 8 MiB.
        return Some(((most.1 - 8.0 * MIB).max(0.0) / most.0, 8.0 * MIB));
    }
    let cell = (most.1 - least.1) / (most.0 - least.0);
    Some((cell, least.1 - cell * least.0))
}

/// The line through points (x, y) with the least squared relative distance, neither part below zero.
fn fit_line(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    if points.len() < 2 {
        return None;
    }
    // y = a + b x with weights 1 / y^2: a sum over u = 1 / y and w = x / y with the target 1.
    let sum = |of: fn(f64, f64) -> f64| points.iter().map(|&(x, y)| of(1.0 / y, x / y)).sum::<f64>();
    let (uu, uw, ww) = (sum(|u, _| u * u), sum(|u, w| u * w), sum(|_, w| w * w));
    let (u, w) = (sum(|u, _| u), sum(|_, w| w));
    let determinant = uu * ww - uw * uw;
    let (a, b) = ((u * ww - w * uw) / determinant, (uu * w - uw * u) / determinant);
    if a < 0.0 { Some((0.0, w / ww)) } else { Some((a, b)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the fit: a line is found again, and one without a constant part has none below zero.
    #[test]
    fn a_line_is_found() {
        let of = |a: f64, b: f64| fit_line(&[1.0, 10.0, 500.0].map(|x| (x, a + b * x))).unwrap();
        let (a, b) = of(3.0, 0.25);
        assert!((a - 3.0).abs() < 1e-9 && (b - 0.25).abs() < 1e-9, "{a} {b}");
        let (a, b) = fit_line(&[(1.0, 1.0), (2.0, 2.1), (4.0, 4.6)]).unwrap();
        assert!(a == 0.0 && (1.0..1.2).contains(&b), "{a} {b}");
        assert_eq!(fit_line(&[(1.0, 1.0)]), None);
    }
}
