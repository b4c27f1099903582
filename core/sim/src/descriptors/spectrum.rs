//! The wavelength of a pattern: the peak of its power spectrum.
//!
//! The field is transformed in two dimensions, without a window. The power of a mode with k_r periods along the rows
//! and k_c along the columns belongs to the wavenumber q = sqrt((k_r / rows)^2 + (k_c / cols)^2), in periods per
//! cell. Modes are gathered in rings of width 1 / max(rows, cols); the mean power of a ring is the radially averaged
//! spectrum, the structure factor of a pattern. The peak is the ring with the largest mean, and its place the mean
//! wavenumber, weighted by power, of that ring and the two beside it: for a single mode exactly its own.

use ndarray::ArrayView2;
use rustfft::FftPlannerScalar;
use rustfft::num_complex::Complex;

use super::Range;

/// Modes of about one wavenumber.
#[derive(Clone, Copy, Default)]
struct Ring {
    modes: u64,
    power: f64,
    /// Sum of wavenumber times power.
    moment: f64,
}

/// The wavelength at the peak of the spectrum, cells; NaN for a flat field.
pub(super) fn wavelength_cells(field: ArrayView2<'_, f64>, range: Range) -> f64 {
    if range.is_flat() {
        return f64::NAN;
    }
    let (rows, cols) = field.dim();
    let rings = rings(&half_spectrum(field, range), rows, cols);
    let mut peak = 0;
    let mut highest = 0.0;
    for (index, ring) in rings.iter().enumerate().filter(|(_, ring)| ring.modes > 0) {
        let mean = ring.power / ring.modes as f64;
        if mean > highest {
            (peak, highest) = (index, mean);
        }
    }
    let around = rings.iter().skip(peak.saturating_sub(1)).take(if peak == 0 { 2 } else { 3 });
    let (power, moment) = around.fold((0.0, 0.0), |sums, ring| (sums.0 + ring.power, sums.1 + ring.moment));
    power / moment
}

/// The transform of the field, scaled to 0 .. 1: column k of the spectrum follows column k - 1. Columns beyond
/// half are the conjugates of those before and left out.
///
/// The scalar transforms are used because those chosen by the abilities of a processor round differently.
fn half_spectrum(field: ArrayView2<'_, f64>, range: Range) -> Vec<Complex<f64>> {
    let (rows, cols) = field.dim();
    let mut planner = FftPlannerScalar::new();
    let along_row = planner.plan_fft_forward(cols);
    let along_column = planner.plan_fft_forward(rows);
    let mut line = vec![Complex::default(); cols];
    let mut scratch = vec![Complex::default(); along_row.get_inplace_scratch_len()];
    let mut spectrum = vec![Complex::default(); (cols / 2 + 1) * rows];
    for first in (0..rows).step_by(2) {
        // Two real rows make one complex line.
        for (place, &value) in line.iter_mut().zip(field.row(first)) {
            *place = Complex::new(range.place(value), 0.0);
        }
        let has_second = first + 1 < rows;
        if has_second {
            for (place, &value) in line.iter_mut().zip(field.row(first + 1)) {
                place.im = range.place(value);
            }
        }
        along_row.process_with_scratch(&mut line, &mut scratch);
        for (k, column) in spectrum.chunks_exact_mut(rows).enumerate() {
            let (mode, mirrored) = (line[k], line[(cols - k) % cols].conj());
            column[first] = (mode + mirrored) * 0.5;
            if has_second {
                let difference = (mode - mirrored) * 0.5;
                column[first + 1] = Complex::new(difference.im, -difference.re);
            }
        }
    }
    scratch.resize(along_column.get_inplace_scratch_len(), Complex::default());
    along_column.process_with_scratch(&mut spectrum, &mut scratch);
    spectrum
}

fn rings(spectrum: &[Complex<f64>], rows: usize, cols: usize) -> Vec<Ring> {
    let longer = rows.max(cols) as f64;
    // The highest wavenumber is that of half a period per cell in both directions.
    let mut rings = vec![Ring::default(); (longer * 0.5f64.sqrt()).round() as usize + 1];
    for (k_col, column) in spectrum.chunks_exact(rows).enumerate() {
        let along_cols = k_col as f64 / cols as f64;
        // The conjugate of a mode that is left out has the same power and wavenumber.
        let weight = if k_col == 0 || 2 * k_col == cols { 1u32 } else { 2 };
        for (k_row, mode) in column.iter().enumerate() {
            let along_rows = k_row.min(rows - k_row) as f64 / rows as f64;
            let wavenumber = (along_rows * along_rows + along_cols * along_cols).sqrt();
            // The first mode is the mean of the field and no wave.
            if wavenumber > 0.0
                && let Some(ring) = rings.get_mut((wavenumber * longer).round() as usize)
            {
                let power = f64::from(weight) * mode.norm_sqr();
                ring.modes += u64::from(weight);
                ring.power += power;
                ring.moment += wavenumber * power;
            }
        }
    }
    rings
}
