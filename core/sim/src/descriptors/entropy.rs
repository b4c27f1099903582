//! Entropy of the values of a field (Shannon, 1948).
//!
//! The histogram has bins of equal width from the lowest to the highest value; a value on a border belongs to the
//! bin above, the highest value to the last. With the fraction p of the cells in a bin the entropy is
//! - sum p log2 p, between 0 and log2(bins). It does not depend on where the cells lie, nor on unit or offset.

use ndarray::ArrayView2;

use super::Range;

/// The entropy of the histogram with `bins` bins, bit; 0 for a flat field.
pub(super) fn entropy_bits(field: ArrayView2<'_, f64>, range: Range, bins: usize) -> f64 {
    if range.is_flat() {
        return 0.0;
    }
    let mut histogram = vec![0u64; bins];
    for &value in field.rows().into_iter().flatten() {
        let bin = (range.place(value) * bins as f64) as usize;
        histogram[bin.min(bins - 1)] += 1;
    }
    let cells = field.len() as f64;
    let parts = histogram.iter().filter(|&&count| count > 0).map(|&count| {
        let fraction = count as f64 / cells;
        -fraction * fraction.log2()
    });
    parts.fold(0.0, |sum, part| sum + part)
}
