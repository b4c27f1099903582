//! The features beyond the reference vectors: refusals, strides, NaN, and what the words mean.

use mfn_sim::features::{Connectivity, NAMES, UNITS, box_count, clusters, compute, compute_history};
use mfn_sim::{FeatureConfig, FeatureError, Features, TemporalAccumulator};
use ndarray::{Array2, Array3, ArrayView2, s};
use proptest::prelude::*;

fn checked(field: ArrayView2<'_, f64>) -> Features {
    compute(field, &FeatureConfig::default()).expect("features")
}

/// A field of -70 mV with the given cells at -30 mV.
fn with_active(side: usize, cells: &[(usize, usize)]) -> Array2<f64> {
    let mut field = Array2::from_elem((side, side), -0.07);
    for &cell in cells {
        field[cell] = -0.03;
    }
    field
}

/// Guards each refusal of a shape. The huge field is one cell seen many times.
#[test]
fn shapes_are_checked() {
    let config = FeatureConfig::default();
    let error = |rows, columns| {
        let cell = Array2::from_elem((1, 1), -0.07);
        let field = cell.broadcast((rows, columns)).expect("a view");
        compute(field, &config).expect_err("refused")
    };
    assert!(matches!(error(0, 0), FeatureError::Empty { .. }));
    assert!(matches!(error(0, 5), FeatureError::Empty { .. }));
    assert!(matches!(error(65_537, 1), FeatureError::TooLarge { .. }));
    assert!(matches!(error(2, 65_537), FeatureError::TooLarge { .. }));
    let not_square = compute(Array2::<f64>::zeros((4, 5)).view(), &FeatureConfig::v4_1());
    assert_eq!(not_square, Err(FeatureError::NotSquare { rows: 4, columns: 5 }));
    assert!(compute(Array2::<f64>::zeros((4, 5)).view(), &config).is_ok());
    let none = compute_history(Array3::<f64>::zeros((0, 4, 4)).view(), &config);
    assert_eq!(none, Err(FeatureError::NoFrames));
    let mut accumulator = TemporalAccumulator::new(&config).expect("defaults");
    accumulator.push(Array2::<f64>::zeros((4, 4)).view()).expect("the first frame");
    let other = accumulator.push(Array2::<f64>::zeros((5, 5)).view());
    assert!(matches!(other, Err(FeatureError::FrameShape { rows: 5, expected_rows: 4, .. })));
    assert_eq!(accumulator.frames(), 1);
}

/// Guards the refusal of numbers that are not finite or make no sense.
#[test]
fn configurations_are_checked() {
    let bad = FeatureConfig {
        min_box_size: 0,
        max_box_size: Some(0),
        num_scales: 1_000_000,
        threshold_low_mv: f64::NAN,
        threshold_med_mv: f64::INFINITY,
        threshold_high_mv: f64::NEG_INFINITY,
        stability_threshold_mv: f64::NAN,
        stability_window: 0,
        ..FeatureConfig::default()
    };
    let faults: Vec<&str> =
        bad.validate().expect_err("eight faults").faults().iter().map(|fault| fault.field()).collect();
    assert_eq!(
        faults,
        [
            "min_box_size",
            "max_box_size",
            "num_scales",
            "threshold_low_mv",
            "threshold_med_mv",
            "threshold_high_mv",
            "stability_threshold_mv",
            "stability_window"
        ]
    );
    assert!(compute(Array2::<f64>::zeros((4, 4)).view(), &bad).is_err());
}

/// Guards NaN cells: refused by their place, and for v4.1 inactive in the masks and NaN in the statistics.
#[test]
fn nan_cells_are_inactive() {
    let mut field = with_active(8, &[(0, 0), (0, 1), (5, 5)]);
    field[[7, 7]] = f64::NAN;
    let refused = compute(field.view(), &FeatureConfig::default());
    assert!(matches!(refused, Err(FeatureError::NotFinite { row: 7, column: 7, value }) if value.is_nan()));
    let features = compute(field.view(), &FeatureConfig::v4_1()).expect("v4.1 takes NaN");
    assert!(features.v_mean.is_nan() && features.v_min.is_nan() && features.v_kurt.is_nan());
    assert_eq!(features.f_active, 3.0 / 64.0);
    assert_eq!((features.n_clusters_low, features.max_cluster_size), (2.0, 2.0));
}

/// Guards NaN through JSON, which has none.
#[test]
fn nan_survives_json_as_null() {
    let mut field = with_active(8, &[(1, 1)]);
    field[[0, 0]] = f64::NAN;
    let features = compute(field.view(), &FeatureConfig::v4_1()).expect("v4.1 takes NaN");
    let text = serde_json::to_string(&features).expect("JSON");
    let whole = serde_json::to_string(&checked(with_active(8, &[]).view())).expect("JSON");
    assert!(whole.contains(r#""T_stable":null"#), "{whole}");
    assert!(text.contains(r#""V_mean":null"#) && text.contains(r#""T_stable":0.0"#));
    assert!(text.contains(r#""N_clusters_low":1.0"#), "{text}");
    let read: Features = serde_json::from_str(&text).expect("features");
    let bits = |features: Features| features.to_array().map(f64::to_bits);
    assert_eq!(bits(read), bits(features));
}

/// Guards the order of names, values and units against each other.
#[test]
fn names_values_and_units_agree() {
    let features = checked(with_active(8, &[(1, 1), (2, 2)]).view());
    let json = serde_json::to_value(features).expect("JSON");
    assert_eq!(json.as_object().map(|fields| fields.len()), Some(18));
    for ((name, unit), value) in NAMES.iter().zip(UNITS).zip(features.to_array()) {
        assert_eq!(json[name].as_f64(), Some(value).filter(|value| !value.is_nan()), "{name}");
        assert_eq!(value.is_nan(), *name == "T_stable", "{name}");
        assert_eq!(
            unit == "mV",
            name.starts_with("V_") && !["V_skew", "V_kurt"].contains(name) || name.starts_with("dV_")
        );
    }
}

/// Guards the meaning of a cluster: corners join only with eight neighbours, edges and corners of the
/// grid only with a wrap, and arms that meet late are one cluster.
#[test]
fn clusters_mean_connected_cells() {
    let diagonal = with_active(6, &[(1, 1), (2, 2), (3, 1)]);
    let count = |field: &Array2<f64>, connectivity| clusters(field.view(), -0.06, connectivity, false).count;
    assert_eq!((count(&diagonal, Connectivity::Four), count(&diagonal, Connectivity::Eight)), (3, 1));
    let opposite_edges = with_active(6, &[(0, 3), (5, 3), (3, 0), (3, 5)]);
    assert_eq!(count(&opposite_edges, Connectivity::Eight), 4);
    let wrapped = |field: &Array2<f64>, connectivity| clusters(field.view(), -0.06, connectivity, true).count;
    assert_eq!(wrapped(&opposite_edges, Connectivity::Four), 2);
    let corners = with_active(6, &[(0, 0), (5, 5)]);
    assert_eq!((wrapped(&corners, Connectivity::Four), wrapped(&corners, Connectivity::Eight)), (2, 1));
    let cup = with_active(6, &[(0, 0), (1, 0), (2, 0), (2, 1), (2, 2), (1, 2), (0, 2)]);
    assert_eq!(count(&cup, Connectivity::Four), 1);
}

/// Guards the sizes beyond 32 bits: the largest mask, full, is one cluster of 2^32 cells. One cell seen many times.
#[test]
#[ignore = "takes seconds and 600 MiB"]
fn the_largest_cluster_is_counted() {
    let cell = Array2::from_elem((1, 1), 1.0_f32);
    let found = clusters(cell.broadcast((65_536, 65_536)).expect("a view"), 0.5, Connectivity::Four, true);
    assert_eq!((found.count, found.cells, found.largest), (1, 1 << 32, 1 << 32));
}

/// Guards the box counting where the boxes do not cover the grid: the remainder is ignored.
#[test]
fn boxes_ignore_the_remainder() {
    let mut mask = Array2::from_elem((7, 7), false);
    mask[[6, 6]] = true;
    assert_eq!([1, 2, 3, 7, 8, 0].map(|size| box_count(mask.view(), size)), [1, 0, 0, 1, 0, 0]);
}

/// Connected components by flood fill: slow, obvious, and written differently.
fn flood_fill(mask: &Array2<bool>, connectivity: Connectivity, wrap: bool) -> Vec<usize> {
    let (rows, columns) = mask.dim();
    let mut seen = Array2::from_elem(mask.dim(), false);
    let mut sizes = Vec::new();
    for start in ndarray::indices((rows, columns)) {
        if !mask[start] || seen[start] {
            continue;
        }
        let (mut stack, mut size) = (vec![start], 0);
        seen[start] = true;
        while let Some((row, column)) = stack.pop() {
            size += 1;
            for (down, right) in ndarray::indices((3, 3)) {
                if connectivity == Connectivity::Four && down != 1 && right != 1 {
                    continue;
                }
                let (row, column) = if wrap {
                    ((row + rows + down - 1) % rows, (column + columns + right - 1) % columns)
                } else {
                    // One step up from row 0 is beyond every row.
                    ((row + down).wrapping_sub(1), (column + right).wrapping_sub(1))
                };
                if row < rows && column < columns && mask[[row, column]] && !seen[[row, column]] {
                    seen[[row, column]] = true;
                    stack.push((row, column));
                }
            }
        }
        sizes.push(size);
    }
    sizes
}

proptest! {
    /// Guards the run-based components against flood fill on random masks of any shape and density, of less than
    /// a word of cells in a row to several, with and without a wrap.
    #[test]
    fn clusters_equal_flood_fill(
        (rows, columns) in prop_oneof![(1usize..25, 1usize..25), (1usize..4, 1usize..4), (1usize..12, 60usize..200)],
        density in 0.02f64..0.98,
        draws in prop::collection::vec(0.0f64..1.0, 12 * 200),
        eight in any::<bool>(),
        wrap in any::<bool>(),
    ) {
        let mask = Array2::from_shape_fn((rows, columns), |(row, column)| draws[row * columns + column] < density);
        let connectivity = if eight { Connectivity::Eight } else { Connectivity::Four };
        let found = clusters(mask.mapv(f64::from).view(), 0.5, connectivity, wrap);
        let sizes = flood_fill(&mask, connectivity, wrap);
        prop_assert_eq!(found.count, sizes.len());
        prop_assert_eq!(found.cells, sizes.iter().sum::<usize>());
        prop_assert_eq!(found.largest, sizes.iter().copied().max().unwrap_or(0));
        let mean = found.cells as f64 / found.count.max(1) as f64;
        let squares: f64 = sizes.iter().map(|&size| (size as f64 - mean).powi(2)).sum();
        prop_assert!((found.size_deviation - (squares / found.count.max(1) as f64).sqrt()).abs() < 1e-9);
    }

    /// Guards bit equality of a strided view and its copy, and of a stream and its history.
    #[test]
    fn strides_do_not_matter(values in prop::collection::vec(-0.1f64..0.05, 5 * 12 * 12)) {
        let history = Array3::from_shape_vec((5, 12, 12), values).expect("a history");
        let config = FeatureConfig { stability_window: 2, stability_threshold_mv: 40.0, ..FeatureConfig::default() };
        let strided = history.slice(s![..;-1, ..;2, 1..;2]);
        let copy = strided.as_standard_layout().into_owned();
        let bits = |features: Features| features.to_array().map(f64::to_bits);
        let from_view = compute_history(strided, &config).expect("features");
        prop_assert_eq!(bits(from_view), bits(compute_history(copy.view(), &config).expect("features")));
        let turned = copy.index_axis(ndarray::Axis(0), 0);
        let turned_copy = turned.t().as_standard_layout().into_owned();
        prop_assert_eq!(
            bits(compute(turned.t(), &config).expect("features")),
            bits(compute(turned_copy.view(), &config).expect("features"))
        );
    }

    /// Guards against panics on any cells, NaN and infinities included: features, or the place of a
    /// cell that is not finite.
    #[test]
    fn any_cells_give_features_or_an_error(
        rows in 1usize..12,
        columns in 1usize..12,
        cells in prop::collection::vec(prop_oneof![4 => (-1.0f32..1.0).prop_map(f64::from), 1 => prop::num::f32::ANY.prop_map(f64::from)], 144),
        v4_1 in any::<bool>(),
        wrap in prop::option::of(any::<bool>()),
    ) {
        let columns = if v4_1 { rows } else { columns };
        let field: Array2<f64> = Array2::from_shape_fn((rows, columns), |(row, column)| cells[row * 12 + column]);
        let config = if v4_1 { FeatureConfig::v4_1() } else { FeatureConfig::default() };
        let config = FeatureConfig { wrap, ..config };
        let bad = field.indexed_iter().find(|(_, cell)| !cell.is_finite()).map(|(place, _)| place);
        for result in [
            compute(field.view(), &config),
            compute_history(field.view().insert_axis(ndarray::Axis(0)), &config),
            compute(field.mapv(|cell| cell as f32).view(), &config),
        ] {
            match (result, bad) {
                (Ok(features), _) if v4_1 || bad.is_none() => {
                    prop_assert!((0.0..=1.0).contains(&features.f_active));
                    prop_assert!((0.0..=1.0).contains(&features.d_r2));
                    prop_assert!(v4_1 || (0.0..=2.0).contains(&features.d_box));
                }
                (Err(FeatureError::NotFinite { row, column, .. }), Some(place)) if !v4_1 => {
                    prop_assert_eq!((row, column), place);
                }
                (other, _) => prop_assert!(false, "{other:?} for {bad:?}"),
            }
        }
    }
}
