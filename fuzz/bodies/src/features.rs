//! Features of small arrays of any content.

use mfn_sim::{Compat, FeatureConfig, features as sim};
use ndarray::ArrayView2;

/// The longest side that is made of an input.
const SIDE_MAX: usize = 24;

/// The first two bytes choose the shape, the third the configuration, the rest are cells in volts (eight
/// bytes each, any bit pattern; missing ones are 0).
///
/// Holds for every input: a field that is empty, not square (v4.1 mode) or not finite (default mode) is
/// refused; otherwise masks give a fraction, counts are whole and bounded by the cells, and nothing
/// panics on NaN, infinities or subnormal values.
pub fn features(bytes: &[u8]) {
    let [rows, columns, choice, cells @ ..] = bytes else { return };
    let (rows, columns) = (usize::from(*rows) % (SIDE_MAX + 1), usize::from(*columns) % (SIDE_MAX + 1));
    let mut values: Vec<f64> =
        cells.as_chunks().0.iter().map(|chunk| f64::from_le_bytes(*chunk)).take(rows * columns).collect();
    values.resize(rows * columns, 0.0);
    let Ok(field) = ArrayView2::from_shape((rows, columns), &values) else {
        unreachable!("{} cells make a {rows} x {columns} array", values.len())
    };
    let v4_1 = choice % 2 == 0;
    let config = FeatureConfig {
        compat: v4_1.then_some(Compat::V4_1),
        wrap: (choice % 11 < 3).then_some(true),
        min_box_size: usize::from(choice % 7),
        num_scales: usize::from(choice % 5) + 1,
        max_box_size: (choice % 3 == 0).then_some(usize::from(*choice)),
        ..FeatureConfig::default()
    };
    let computed = sim::compute(field, &config);
    let unfit = if v4_1 { rows != columns } else { values.iter().any(|cell| !cell.is_finite()) };
    if unfit || rows == 0 || columns == 0 || config.validate().is_err() {
        assert!(computed.is_err(), "a {rows} x {columns} field was accepted");
        return;
    }
    let features = computed.expect("an accepted field has features");
    let cells = field.len() as f64;
    assert!((0.0..=1.0).contains(&features.f_active));
    assert!((0.0..=1.0).contains(&features.d_r2));
    for count in [
        features.n_clusters_low,
        features.n_clusters_med,
        features.n_clusters_high,
        features.max_cluster_size,
    ] {
        assert!(count.fract() == 0.0 && (0.0..=cells).contains(&count), "count {count}");
    }
    let json = serde_json::to_string(&features).expect("features are JSON whatever they hold");
    assert!(serde_json::from_str::<sim::Features>(&json).is_ok(), "{json}");
}
