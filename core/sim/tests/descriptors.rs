//! The descriptors: known sets and waves with exact answers, counting by brute force, every input.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::f64::consts::TAU;

use mfn_sim::descriptors::{
    DESCRIPTOR_TABLE, DescriptorConfig, DescriptorError, Descriptors, LACUNARITY_SIZES_CELLS, NAMES, UNITS,
    compute,
};
use mfn_sim::features::Connectivity;
use mfn_sim::graph::{CELLS_MAX, SIDE_MAX_CELLS};
use ndarray::{Array2, ArrayView2, s};
use proptest::prelude::*;

/// A field at 0 V in the cells of the pattern and at -80 mV in the others.
fn field_of(shape: (usize, usize), is_set: impl Fn((usize, usize)) -> bool) -> Array2<f64> {
    Array2::from_shape_fn(shape, |at| if is_set(at) { 0.0 } else { -0.080 })
}

/// The field whose cells of the pattern are marked with `#`.
fn drawn(lines: &[&str]) -> Array2<f64> {
    field_of((lines.len(), lines[0].len()), |(row, col)| lines[row].as_bytes()[col] == b'#')
}

fn of(field: &Array2<f64>) -> Descriptors {
    compute(field.view(), &DescriptorConfig::default()).unwrap()
}

/// Area, perimeter and Euler number.
fn shape_of(field: &Array2<f64>, wrap: bool, connectivity: Connectivity) -> [f64; 3] {
    let config = DescriptorConfig { wrap, connectivity, ..DescriptorConfig::default() };
    let found = compute(field.view(), &config).unwrap();
    [found.area, found.perimeter, found.euler]
}

#[track_caller]
fn close(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{found} instead of {expected}");
}

/// Guards the dimensions of the sets whose answer is their plain dimension: a filled square 2, a line 1, a line that
/// is the whole grid 1, a cell 0.
#[test]
fn plain_sets_have_their_dimension() {
    let cases = [
        (field_of((64, 64), |_| true), 2.0),
        (field_of((64, 64), |(row, _)| row == 17), 1.0),
        (field_of((64, 64), |(row, col)| row == col), 1.0),
        (field_of((1, 65_536), |_| true), 1.0),
        (field_of((64, 64), |at| at == (40, 3)), 0.0),
        // Half of the cells everywhere: a plane with less mass, once a box holds both kinds.
        (field_of((64, 64), |(row, col)| row >= 32 && col < 32), 2.0),
    ];
    for (field, expected) in cases {
        let found = of(&field);
        close(found.d_information, expected, 1e-12);
        close(found.d_correlation, expected, 1e-12);
        if expected > 0.0 {
            close(found.d_information_r2, 1.0, 1e-12);
            close(found.d_correlation_r2, 1.0, 1e-12);
        }
    }
    let checkerboard = field_of((64, 64), |(row, col)| (row + col) % 2 == 0);
    let from_two = DescriptorConfig { min_box_size: 2, ..DescriptorConfig::default() };
    let found = compute(checkerboard.view(), &from_two).unwrap();
    close(found.d_information, 2.0, 1e-12);
    close(found.d_correlation, 2.0, 1e-12);
}

/// Whether a cell belongs to the Sierpinski carpet.
fn in_carpet((mut row, mut col): (usize, usize)) -> bool {
    while row > 0 || col > 0 {
        if row % 3 == 1 && col % 3 == 1 {
            return false;
        }
        (row, col) = (row / 3, col / 3);
    }
    true
}

/// Guards D1 = D2 = ln 8 / ln 3 of the Sierpinski carpet: exactly with boxes of its own ratio, and to 0.03 with
/// dyadic boxes, which do not fit its holes.
#[test]
fn the_carpet_has_its_dimension() {
    let expected = 8f64.ln() / 3f64.ln();
    let carpet = field_of((243, 243), in_carpet);
    let own = DescriptorConfig { box_ratio: 3, ..DescriptorConfig::default() };
    let found = compute(carpet.view(), &own).unwrap();
    close(found.d_information, expected, 1e-12);
    close(found.d_correlation, expected, 1e-12);
    let dyadic = of(&field_of((729, 729), in_carpet));
    println!("dyadic boxes: D1 {}, D2 {}", dyadic.d_information, dyadic.d_correlation);
    close(dyadic.d_information, expected, 0.03);
    close(dyadic.d_correlation, expected, 0.03);
}

/// Guards that D1 and D2 are two numbers, each with its own weights, by hand: of 8 cells 4 fill one box of side 2 and 4
/// lie alone. From side 1 to 2 the information falls from 3 to 2 bit, and sum p^2 rises from 1/8 to 5/16.
#[test]
fn uneven_mass_separates_the_dimensions() {
    let field = drawn(&["##..#.", "##....", "......", "....#.", "#.#...", "......"]);
    let config = DescriptorConfig { max_box_size: Some(2), ..DescriptorConfig::default() };
    let found = compute(field.view(), &config).unwrap();
    close(found.d_information, 1.0, 1e-12);
    close(found.d_correlation, 2.5f64.log2(), 1e-12);
}

/// Guards the lacunarity where it is known: 1 of a filled set and of a periodic one seen through a box of its period,
/// and of a single cell the number of places of the box over the number that hold it.
#[test]
fn lacunarity_of_known_sets() {
    assert_eq!(of(&field_of((40, 20), |_| true)).lacunarity, [1.0; 4]);
    assert_eq!(of(&field_of((40, 20), |(row, col)| (row + col) % 2 == 0)).lacunarity, [1.0; 4]);
    let single = field_of((20, 30), |at| at == (10, 15));
    let found = of(&single).lacunarity;
    for (size, found) in [2usize, 4, 8].into_iter().zip(found) {
        close(found, ((20 - size + 1) * (30 - size + 1)) as f64 / (size * size) as f64, 1e-12);
    }
    let wrapped = DescriptorConfig { wrap: true, ..DescriptorConfig::default() };
    let corner = field_of((20, 30), |at| at == (0, 0));
    for (size, found) in
        LACUNARITY_SIZES_CELLS.into_iter().zip(compute(corner.view(), &wrapped).unwrap().lacunarity)
    {
        close(found, 600.0 / (size * size) as f64, 1e-12);
    }
    let narrow = of(&field_of((7, 100), |_| true)).lacunarity;
    assert!(narrow[1] == 1.0 && narrow[2].is_nan() && narrow[3].is_nan(), "{narrow:?}");
}

/// Guards area, perimeter and Euler number, counted by hand, with both neighbourhoods.
#[test]
fn shapes_counted_by_hand() {
    use Connectivity::{Eight, Four};
    let block = drawn(&[".....", ".###.", ".###.", "....."]);
    let ring = drawn(&[".....", ".###.", ".#.#.", ".###.", "....."]);
    let diagonal = drawn(&["#..", ".#.", "..#"]);
    let diamond = drawn(&[".#.", "#.#", ".#."]);
    let cell = drawn(&["#"]);
    let cases = [
        (&block, [6.0, 10.0], 1.0, 1.0),
        (&ring, [8.0, 16.0], 0.0, 0.0),
        // One piece with 8 neighbours, three with 4.
        (&diagonal, [3.0, 12.0], 1.0, 3.0),
        // A ring with 8 neighbours, four pieces with 4.
        (&diamond, [4.0, 16.0], 0.0, 4.0),
        (&cell, [1.0, 4.0], 1.0, 1.0),
    ];
    for (field, [area, perimeter], eight, four) in cases {
        assert_eq!(shape_of(field, false, Eight), [area, perimeter, eight]);
        assert_eq!(shape_of(field, false, Four), [area, perimeter, four]);
    }
    let checkerboard = field_of((6, 6), |(row, col)| (row + col) % 2 == 0);
    assert_eq!(shape_of(&checkerboard, false, Four), [18.0, 72.0, 18.0]);
    // One piece; of the 18 other cells those 10 at the edge are open to the outside, the 8 inside are holes.
    assert_eq!(shape_of(&checkerboard, false, Eight), [18.0, 72.0, -7.0]);
}

/// Guards the same on a grid that wraps: the torus itself and bands around it have Euler number 0, a torus without a
/// cell -1, a cell across a corner 1.
#[test]
fn shapes_on_a_torus() {
    use Connectivity::{Eight, Four};
    let full = field_of((5, 7), |_| true);
    let band = field_of((5, 7), |(row, _)| row == 2);
    let without_a_cell = field_of((5, 7), |at| at != (2, 3));
    let across_the_corner = field_of((5, 7), |(row, col)| row % 4 == 0 && col % 6 == 0);
    for connectivity in [Four, Eight] {
        assert_eq!(shape_of(&full, true, connectivity), [35.0, 0.0, 0.0]);
        assert_eq!(shape_of(&band, true, connectivity), [7.0, 14.0, 0.0]);
        assert_eq!(shape_of(&without_a_cell, true, connectivity), [34.0, 4.0, -1.0]);
        assert_eq!(shape_of(&across_the_corner, true, connectivity), [4.0, 8.0, 1.0]);
        assert_eq!(shape_of(&full, false, connectivity), [35.0, 24.0, 1.0]);
        // Axes of fewer than four cells do not wrap.
        assert_eq!(shape_of(&field_of((3, 3), |_| true), true, connectivity), [9.0, 12.0, 1.0]);
    }
}

/// Guards the wavelength of waves of every direction on grids of any shape, prime sides included.
#[test]
fn waves_have_their_wavelength() {
    for (rows, cols, along_rows, along_cols) in [
        (64, 64, 6usize, 8usize),
        (64, 64, 5, 5),
        (64, 64, 32, 32),
        (64, 64, 0, 1),
        (48, 100, 7, 11),
        (97, 101, 13, 0),
        (30, 211, 3, 9),
        (1, 65_536, 0, 1000),
        (65_536, 1, 4096, 0),
        (1, 65_521, 0, 17),
        (3, 500, 0, 20),
    ] {
        let (per_row, per_col) = (along_rows as f64 / rows as f64, along_cols as f64 / cols as f64);
        // The phase is taken of whole periods, so that long grids do not round it.
        let field = Array2::from_shape_fn((rows, cols), |(row, col)| {
            let periods = (along_rows * row % rows) as f64 / rows as f64
                + (along_cols * col % cols) as f64 / cols as f64;
            0.3 + 0.01 * (TAU * periods).cos()
        });
        let found = of(&field).wavelength;
        let expected = 1.0 / per_row.hypot(per_col);
        assert!((found / expected - 1.0).abs() < 1e-9, "{rows} x {cols}: {found} instead of {expected}");
    }
}

/// Guards the peak where it lies between two modes: 8.5 periods are found to 3 %.
#[test]
fn a_wave_between_two_modes_is_found() {
    let field = Array2::from_shape_fn((50, 128), |(_, col)| (TAU * 8.5 * col as f64 / 128.0).sin());
    let found = of(&field).wavelength;
    assert!((found / (128.0 / 8.5) - 1.0).abs() < 0.03, "{found}");
}

/// Guards the entropy where it is known: bins with equal counts give their logarithm, two levels with shares p and
/// 1 - p the binary entropy, and the places of the cells do not matter.
#[test]
fn entropy_of_known_histograms() {
    let config = DescriptorConfig { histogram_bins: 16, ..DescriptorConfig::default() };
    let entropy = |field: &Array2<f64>| compute(field.view(), &config).unwrap().entropy;
    let uniform = Array2::from_shape_fn((32, 32), |(row, col)| ((row * 32 + col) % 16) as f64);
    assert_eq!(entropy(&uniform), 4.0);
    assert_eq!(entropy(&field_of((8, 8), |(row, _)| row < 4)), 1.0);
    let quarter: f64 = 0.25;
    let binary = -quarter * quarter.log2() - 0.75 * 0.75f64.log2();
    close(entropy(&field_of((8, 8), |(row, _)| row < 2)), binary, 1e-15);
    close(entropy(&field_of((8, 8), |(_, col)| col % 4 == 3)), binary, 1e-15);
    assert_eq!(entropy(&field_of((8, 8), |_| true)), 0.0);
    // -f64::MAX to f64::MAX: a span that is infinite.
    assert_eq!(
        entropy(&Array2::from_shape_fn((4, 4), |(row, _)| if row < 2 { f64::MAX } else { -f64::MAX })),
        1.0
    );
}

/// Guards the answers for fields without a pattern or without a wave: NaN where nothing can be said.
#[test]
fn empty_and_flat_fields() {
    let found = of(&Array2::from_elem((32, 32), -0.07));
    assert!(found.d_information.is_nan() && found.d_correlation.is_nan() && found.wavelength.is_nan());
    assert!(found.lacunarity.iter().all(|value| value.is_nan()));
    assert_eq!((found.area, found.perimeter, found.euler, found.entropy), (0.0, 0.0, 0.0, 0.0));
    let one = of(&Array2::zeros((1, 1)));
    assert!(one.d_information.is_nan() && one.wavelength.is_nan() && one.area == 1.0);
}

/// Guards that a view of any strides and its copy give the same bits, and so do two calls.
#[test]
fn strides_do_not_matter() {
    let field =
        Array2::from_shape_fn((37, 52), |(row, col)| -0.06 + 0.01 * ((row * 7 + col * 3) as f64).sin());
    for view in [field.t(), field.slice(s![..;-1, ..;-3]), field.slice(s![3..;2, ..])] {
        let bits = |view: ArrayView2<'_, f64>| {
            compute(view, &DescriptorConfig::default()).unwrap().to_array().map(f64::to_bits)
        };
        assert_eq!(bits(view), bits(view.as_standard_layout().view()));
        assert_eq!(bits(view), bits(view));
    }
    let broadcast = ndarray::arr1(&[0.0, -0.08]);
    assert_eq!(of(&broadcast.broadcast((6, 2)).unwrap().to_owned()).area, 6.0);
}

/// Guards the refusals: each names what is wrong, where, and what to give.
#[test]
fn refusals_say_what_to_do() {
    let refused = |field: ArrayView2<'_, f64>, config: &DescriptorConfig| {
        compute(field, config).unwrap_err().to_string()
    };
    let default = DescriptorConfig::default();
    let mut field = Array2::zeros((5, 6));
    field[(3, 4)] = f64::NAN;
    let text = refused(field.view(), &default);
    assert_eq!(text, "cell (3, 4) of the field is NaN: give finite numbers, in volts");
    field[(3, 4)] = f64::NEG_INFINITY;
    assert!(refused(field.view(), &default).contains("(3, 4) of the field is -inf"));
    assert!(refused(Array2::zeros((0, 6)).view(), &default).contains("0 x 6"));
    let long = SIDE_MAX_CELLS + 1;
    let zero = ndarray::arr0(0.0);
    for shape in [(1, long), (long, 1), (SIDE_MAX_CELLS, CELLS_MAX / SIDE_MAX_CELLS + 1)] {
        assert!(matches!(
            compute(zero.broadcast(shape).unwrap(), &default),
            Err(DescriptorError::Shape { rows, cols }) if (rows, cols) == shape
        ));
    }
    let bad = DescriptorConfig {
        threshold_mv: f64::NAN,
        min_box_size: 0,
        max_box_size: Some(0),
        box_ratio: 1,
        histogram_bins: 65_537,
        ..default
    };
    let Err(DescriptorError::Config(faults)) = compute(Array2::zeros((4, 4)).view(), &bad) else {
        panic!("accepted")
    };
    assert_eq!(faults.faults().len(), DESCRIPTOR_TABLE.len());
}

/// Guards that the defaults are those of the table, that the configuration survives JSON, and that NaN is null there.
#[test]
fn documents_of_both() {
    let config = DescriptorConfig::default();
    config.validate().unwrap();
    let text = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<DescriptorConfig>(&text).unwrap(), config);
    assert_eq!(serde_json::from_str::<DescriptorConfig>("{}").unwrap(), config);
    for bound in DESCRIPTOR_TABLE {
        let value = serde_json::to_value(&config).unwrap()[bound.field].as_f64();
        assert_eq!(value, bound.default, "{}", bound.field);
    }
    let text = serde_json::to_string(&of(&Array2::zeros((2, 2)))).unwrap();
    assert!(text.starts_with(r#"{"D_information":null,"#) && text.contains(r#""area":4.0"#), "{text}");
    assert_eq!(NAMES.len(), UNITS.len());
}

/// Pieces of the cells equal to `is_set`, joined over edges and, if `corners`, over corners. With `outside` the grid
/// gets a frame of cells that are not set.
fn pieces(cells: &Array2<bool>, is_set: bool, corners: bool, outside: bool) -> i64 {
    let margin = usize::from(outside);
    let shape = (cells.nrows() + 2 * margin, cells.ncols() + 2 * margin);
    let mut open = Array2::from_elem(shape, !is_set);
    open.slice_mut(s![margin..shape.0 - margin, margin..shape.1 - margin])
        .zip_mut_with(cells, |place, &cell| *place = cell == is_set);
    let mut count = 0;
    while let Some((start, _)) = open.indexed_iter().find(|(_, open)| **open) {
        count += 1;
        let mut left = vec![start];
        open[start] = false;
        while let Some((row, col)) = left.pop() {
            for (down, right) in [(0, 1), (1, 0), (1, 2), (2, 1), (0, 0), (0, 2), (2, 0), (2, 2)] {
                let near = ((row + down).wrapping_sub(1), (col + right).wrapping_sub(1));
                let is_corner = down != 1 && right != 1;
                if (corners || !is_corner) && open.get(near) == Some(&true) {
                    open[near] = false;
                    left.push(near);
                }
            }
        }
    }
    count
}

/// Lacunarity by its definition.
fn lacunarity_by_hand(cells: &Array2<bool>, size: usize, wrap: bool) -> f64 {
    let (rows, cols) = cells.dim();
    let places = |length: usize| if wrap && length >= 4 { length } else { length - size + 1 };
    let masses: Vec<f64> = (0..places(rows))
        .flat_map(|row| (0..places(cols)).map(move |col| (row, col)))
        .map(|(row, col)| {
            let inside = |at: usize| (at / size, at % size);
            (0..size * size).map(inside).filter(|(r, c)| cells[((row + r) % rows, (col + c) % cols)]).count()
                as f64
        })
        .collect();
    let mean = masses.iter().sum::<f64>() / masses.len() as f64;
    masses.iter().map(|mass| mass * mass).sum::<f64>() / masses.len() as f64 / (mean * mean)
}

proptest! {
    /// Guards perimeter, Euler number and lacunarity against counting by brute force, and the duality of the two
    /// neighbourhoods on the torus, for random patterns.
    #[test]
    fn shapes_are_those_of_brute_force(
        (rows, cols) in (1usize..14, 1usize..14), density in 0.0..1.0f64, seed in any::<u64>(),
        wrap in any::<bool>(),
    ) {
        let mut state = seed | 1;
        let cells = Array2::from_shape_fn((rows, cols), |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) as f64) < density * f64::from(1u32 << 31)
        });
        let field = field_of((rows, cols), |at| cells[at]);
        let holes_four = pieces(&cells, false, false, true) - 1;
        let holes_eight = pieces(&cells, false, true, true) - 1;
        let eight = pieces(&cells, true, true, false) - holes_four;
        let four = pieces(&cells, true, false, false) - holes_eight;
        prop_assert_eq!(shape_of(&field, false, Connectivity::Eight)[2], eight as f64);
        prop_assert_eq!(shape_of(&field, false, Connectivity::Four)[2], four as f64);
        if rows >= 4 && cols >= 4 {
            let background = field_of((rows, cols), |at| !cells[at]);
            let of_pattern = shape_of(&field, true, Connectivity::Eight);
            let of_background = shape_of(&background, true, Connectivity::Four);
            prop_assert_eq!(of_pattern[2], -of_background[2]);
            prop_assert_eq!(of_pattern[1], of_background[1]);
        }
        let config = DescriptorConfig { wrap, ..DescriptorConfig::default() };
        let found = compute(field.view(), &config).unwrap().lacunarity;
        for (size, found) in LACUNARITY_SIZES_CELLS.into_iter().zip(found) {
            if size <= rows.min(cols) && cells.iter().any(|&cell| cell) {
                let expected = lacunarity_by_hand(&cells, size, wrap);
                prop_assert!((found / expected - 1.0).abs() < 1e-12, "{} instead of {}", found, expected);
            } else {
                prop_assert!(found.is_nan());
            }
        }
    }

    /// Guards every input: a shape with a side up to 65,536, any numbers in the cells, any configuration give
    /// descriptors within their ranges or a typed error.
    #[test]
    fn any_input_gives_a_value_or_an_error(
        (rows, cols) in prop_oneof![
            (0usize..40, 0usize..40),
            (Just(1usize), prop_oneof![Just(65_536usize), 1usize..65_536]),
            (prop_oneof![Just(65_536usize), 1usize..65_536], 1usize..3),
        ],
        values in prop::collection::vec(
            prop_oneof![20 => -0.1..0.1f64, 1 => any::<f64>(), 1 => Just(-0.0)], 1..40
        ),
        bad in prop_oneof![6 => Just(None), 1 => Just(Some(f64::NAN)), 1 => Just(Some(f64::INFINITY))],
        threshold_mv in prop_oneof![8 => -100.0..100.0f64, 1 => any::<f64>()],
        (wrap, eight) in any::<(bool, bool)>(),
        min_box_size in prop_oneof![8 => 1usize..6, 1 => any::<usize>()],
        max_box_size in prop::option::of(prop_oneof![8 => 1usize..70_000, 1 => any::<usize>()]),
        box_ratio in prop_oneof![8 => 2usize..5, 1 => any::<usize>()],
        histogram_bins in prop_oneof![8 => 1usize..1000, 1 => any::<usize>()],
    ) {
        let mut field = Array2::from_shape_fn((rows, cols), |(row, col)| {
            values[(row * 31 + col * 17 + row * col) % values.len()]
        });
        if let (Some(bad), Some(last)) = (bad, field.last_mut()) {
            *last = bad;
        }
        let connectivity = if eight { Connectivity::Eight } else { Connectivity::Four };
        let config = DescriptorConfig {
            threshold_mv, wrap, connectivity, min_box_size, max_box_size, box_ratio, histogram_bins,
        };
        match compute(field.view(), &config) {
            Err(DescriptorError::Config(_)) => prop_assert!(config.validate().is_err()),
            Err(DescriptorError::Shape { .. }) => prop_assert!(rows == 0 || cols == 0),
            Err(DescriptorError::NotFinite { row, col, .. }) => prop_assert!(!field[(row, col)].is_finite()),
            Err(other) => prop_assert!(false, "{}", other),
            Ok(found) => {
                prop_assert!(config.validate().is_ok() && field.iter().all(|value| value.is_finite()));
                let cells = (rows * cols) as f64;
                let within = |value: f64, low: f64, high: f64| value.is_nan() || (low..=high).contains(&value);
                prop_assert!(within(found.d_information, -1e-9, 2.0 + 1e-9), "{:?}", found);
                prop_assert!(within(found.d_correlation, -1e-9, 2.0 + 1e-9), "{:?}", found);
                prop_assert!(found.lacunarity.iter().all(|&value| within(value, 1.0 - 1e-12, cells)), "{:?}", found);
                prop_assert!((0.0..=cells).contains(&found.area) && found.perimeter <= 4.0 * found.area);
                prop_assert!(found.euler.abs() <= found.area);
                prop_assert!(within(found.wavelength, 1.414, rows.max(cols) as f64 + 1e-9), "{:?}", found);
                prop_assert!(found.entropy <= (histogram_bins as f64).log2() + 1e-9 && found.entropy >= 0.0);
            }
        }
    }
}
