//! The box-counting dimension of the default mode against sets whose dimension is known.

use mfn_sim::features::{BoxDimension, BoxFit, BoxPoint, BoxScales, box_dimension, box_fit};
use mfn_sim::{FeatureConfig, FeatureError, features};
use ndarray::{Array2, ArrayView2, concatenate, s};
use proptest::prelude::*;

fn dimension(mask: &Array2<bool>) -> BoxDimension {
    box_dimension(mask.view(), &BoxScales::default()).expect("a dimension")
}

fn filled(rows: usize, columns: usize) -> Array2<bool> {
    Array2::from_elem((rows, columns), true)
}

/// A set that is made of smaller copies of itself: cell (r, c) is active when no digit pair of r and c
/// in base `base` is a hole.
fn self_similar(side: usize, base: usize, hole: impl Fn(usize, usize) -> bool) -> Array2<bool> {
    Array2::from_shape_fn((side, side), |(mut row, mut column)| {
        while row > 0 || column > 0 {
            if hole(row % base, column % base) {
                return false;
            }
            (row, column) = (row / base, column / base);
        }
        true
    })
}

fn carpet(levels: u32) -> Array2<bool> {
    self_similar(3_usize.pow(levels), 3, |row, column| row == 1 && column == 1)
}

fn triangle(levels: u32) -> Array2<bool> {
    self_similar(1 << levels, 2, |row, column| row == 0 && column == 1)
}

/// The mask somewhere in a larger field that has no other active cell.
fn placed(mask: &Array2<bool>, row: usize, column: usize) -> Array2<bool> {
    let (rows, columns) = mask.dim();
    let mut field = Array2::from_elem((rows + row + 13, columns + column + 5), false);
    field.slice_mut(s![row..row + rows, column..column + columns]).assign(mask);
    field
}

fn assert_dimension(what: &str, mask: &Array2<bool>, expected: f64, tolerance: f64) {
    let found = dimension(mask);
    let error = (found.dimension - expected).abs();
    assert!(error <= tolerance, "{what}: {found:?}, expected {expected}");
}

/// Guards the claim "filled square 2.000 +- 0.001", for every side, wherever it lies.
#[test]
fn a_filled_square_has_dimension_two() {
    for side in (4..=130).chain([200, 243, 255, 256, 257, 500, 1000, 1024]) {
        assert_dimension(&format!("side {side}"), &filled(side, side), 2.0, 0.001);
    }
    for (side, row, column) in [(40, 3, 17), (64, 1, 0), (99, 28, 31)] {
        assert_dimension("a square in a field", &placed(&filled(side, side), row, column), 2.0, 0.001);
    }
}

/// Guards the claim "line 1.000 +- 0.005": along an axis of any length, and the diagonal.
#[test]
fn a_line_has_dimension_one() {
    for length in (4..=130).chain([255, 256, 1000, 65_536]) {
        assert_dimension("a row", &filled(1, length), 1.0, 0.005);
        assert_dimension("a column", &filled(length, 1), 1.0, 0.005);
    }
    for length in [8, 64, 96, 100, 128, 243] {
        let row = placed(&filled(1, length), 9, 2);
        assert_dimension("a row in a field", &row, 1.0, 0.005);
        let diagonal = Array2::from_shape_fn((length, length), |(row, column)| row == column);
        assert_dimension("a diagonal", &diagonal, 1.0, 0.005);
        let other = diagonal.slice(s![..;-1, ..]).to_owned();
        assert_dimension("the other diagonal", &other, 1.0, 0.005);
    }
}

/// Guards the claim "Sierpinski carpet 1.8928 +- 0.01": ln 8 / ln 3.
#[test]
fn the_sierpinski_carpet() {
    for levels in 3..=6 {
        assert_dimension(&format!("carpet, {levels} levels"), &carpet(levels), 1.8928, 0.01);
    }
    assert_dimension("a carpet in a field", &placed(&carpet(5), 40, 7), 1.8928, 0.01);
}

/// Guards the claim "triangle 1.5850 +- 0.02": ln 3 / ln 2, right-angled and equilateral.
#[test]
fn the_sierpinski_triangle() {
    for levels in 4..=10 {
        assert_dimension(&format!("triangle, {levels} levels"), &triangle(levels), 1.5850, 0.02);
    }
    for levels in 6..=9 {
        // Two cells wide and one high, each line half a triangle further to the left.
        let rows = 1_usize << levels;
        let right_angled = triangle(levels);
        let mut mask = Array2::from_elem((rows, 2 * rows), false);
        for ((row, column), _) in right_angled.indexed_iter().filter(|(_, active)| **active) {
            let left = rows - 1 - row + 2 * column;
            mask.slice_mut(s![row, left..left + 2]).fill(true);
        }
        assert_dimension(&format!("equilateral, {levels} levels"), &mask, 1.5850, 0.02);
    }
}

/// Guards what a set without two sizes is said to have: nothing that looks measured.
#[test]
fn nothing_and_a_point_have_no_dimension() {
    let none = BoxDimension { dimension: 0.0, r_squared: 0.0, interval: None };
    assert_eq!(dimension(&Array2::from_elem((64, 64), false)), none);
    assert_eq!(dimension(&placed(&filled(1, 1), 20, 20)), none);
    let fit = box_fit(filled(64, 64).view(), &BoxScales { num_scales: 2, ..BoxScales::default() });
    let fit = fit.expect("a fit");
    assert_eq!(fit.points, [BoxPoint { size: 2.0, count: 1024 }, BoxPoint { size: 4.0, count: 256 }]);
    assert_eq!(fit.dimension.interval, None);
}

/// Guards the sizes: they halve, keep to the bounds, and are whole when the side is a power of two.
#[test]
fn sizes_halve_and_keep_to_the_bounds() {
    let sizes = |side, scales: BoxScales| -> Vec<f64> {
        let fit: BoxFit = box_fit(filled(side, side).view(), &scales).expect("a fit");
        fit.points.iter().map(|point| point.size).collect()
    };
    let with = |min_box_size, max_box_size, num_scales| BoxScales {
        min_box_size,
        max_box_size,
        num_scales,
        ..BoxScales::default()
    };
    assert_eq!(sizes(256, with(2, None, 5)), [2.0, 4.0, 8.0, 16.0, 32.0]);
    assert_eq!(sizes(256, with(1, None, 64)), [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0]);
    assert_eq!(sizes(256, with(5, Some(1000), 64)), [8.0, 16.0, 32.0, 64.0, 128.0, 256.0]);
    assert_eq!(sizes(96, with(2, Some(20), 5)), [3.0, 6.0, 12.0]);
    assert_eq!(sizes(96, with(97, None, 5)), [0.0; 0]);
    // Powers of three are divided by three.
    assert_eq!(sizes(243, with(2, None, 5)), [3.0, 9.0, 27.0, 81.0]);
}

/// Guards the confidence interval: none around exact points, wide around points that do not lie on a line.
#[test]
fn the_interval_says_how_straight_the_points_lie() {
    let exact = dimension(&triangle(7)).interval.expect("five sizes");
    assert!(exact[1] - exact[0] < 1e-6, "{exact:?}");
    // Lines that are solid for small boxes and a plane for large ones.
    let stripes = Array2::from_shape_fn((256, 256), |(row, _)| row % 8 == 0);
    let bent = dimension(&stripes);
    let [low, high] = bent.interval.expect("five sizes");
    assert!((0.0..=bent.dimension).contains(&low) && (bent.dimension..=2.0).contains(&high));
    assert!(high - low > 0.2 && bent.r_squared < 0.999, "{bent:?}");
}

/// The fewest boxes of whole cells over all offsets, box by box.
fn fewest_boxes(mask: ArrayView2<'_, bool>, size: usize) -> u64 {
    let (rows, columns) = mask.dim();
    let mut fewest = u64::MAX;
    for (top, left) in ndarray::indices((size, size)) {
        let mut padded = Array2::from_elem((rows + 2 * size, columns + 2 * size), false);
        padded.slice_mut(s![top..top + rows, left..left + columns]).assign(&mask);
        let boxes = padded.exact_chunks((size, size)).into_iter();
        fewest = fewest.min(boxes.filter(|part| part.iter().any(|&cell| cell)).count() as u64);
    }
    fewest
}

fn random_mask() -> impl Strategy<Value = Array2<bool>> {
    (1_usize..80, 1_usize..80, 0.0..0.3).prop_flat_map(|(rows, columns, density)| {
        prop::collection::vec(prop::bool::weighted(density), rows * columns)
            .prop_map(move |cells| Array2::from_shape_vec((rows, columns), cells).expect("a mask"))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Guards the gliding boxes on bits against boxes looked at one by one, for an extent whose side is
    /// a power of two, so that a base cell is one cell.
    #[test]
    fn counts_are_the_fewest_over_all_offsets(
        height in 1_usize..=32,
        seed in prop::collection::vec(prop::bool::weighted(0.1), 32 * 32),
        turned in any::<bool>(),
    ) {
        let mut mask = Array2::from_shape_vec((32, 32), seed).expect("a mask");
        mask[[0, 0]] = true;
        mask[[height - 1, 31]] = true;
        let mask = mask.slice(s![..height, ..]).to_owned();
        let mask = if turned { mask.reversed_axes() } else { mask };
        let scales = BoxScales { min_box_size: 1, max_box_size: Some(32), num_scales: 64, ..BoxScales::default() };
        let fit = box_fit(mask.view(), &scales).expect("a fit");
        let expected: Vec<BoxPoint> = (0..=5)
            .map(|doublings| 1 << doublings)
            .map(|size| BoxPoint { size: size as f64, count: fewest_boxes(mask.view(), size) })
            .collect();
        prop_assert_eq!(fit.points, expected);
    }

    /// Guards the claim "never outside [0, 2]", and what keeps it: halved boxes are as many to four times as many.
    #[test]
    fn the_dimension_stays_inside(mask in random_mask(), smallest in 1_usize..9, scales in 1_usize..9) {
        let scales = BoxScales { min_box_size: smallest, num_scales: scales, ..BoxScales::default() };
        let fit = box_fit(mask.view(), &scales).expect("a fit");
        for pair in fit.points.windows(2) {
            let times = (pair[1].size / pair[0].size).round().powi(2) as u64;
            let (small, large) = (pair[0].count, pair[1].count);
            prop_assert!(large <= small && small <= times * large, "{:?}", fit.points);
        }
        prop_assert!((0.0..=2.0).contains(&fit.dimension.dimension));
        prop_assert!((0.0..=1.0).contains(&fit.dimension.r_squared));
        let [low, high] = fit.dimension.interval.unwrap_or([0.0, 2.0]);
        prop_assert!(0.0 <= low && low <= fit.dimension.dimension && fit.dimension.dimension <= high && high <= 2.0);
    }

    /// Guards the place of a set: empty cells around it change nothing.
    #[test]
    fn the_place_does_not_matter(mask in random_mask(), row in 0_usize..20, column in 0_usize..20) {
        prop_assert_eq!(dimension(&mask), dimension(&placed(&mask, row, column)));
    }
}

/// Guards the whole range of shapes: thin fields up to 65,536 cells long, in little memory and time.
#[test]
fn thin_and_long_fields_are_ordinary() {
    let scales = BoxScales { min_box_size: 1, num_scales: 64, ..BoxScales::default() };
    for (rows, columns) in [(1, 65_536), (65_536, 1), (3, 65_536), (65_535, 2)] {
        let mask = Array2::from_shape_fn((rows, columns), |(row, column)| (row + column) % 3 == 0);
        let found = box_dimension(mask.view(), &scales).expect("a dimension").dimension;
        assert!((found - 1.0).abs() < 0.1, "{rows} x {columns}: {found}");
    }
    let too_long = filled(1, 65_537);
    assert!(matches!(
        box_dimension(too_long.view(), &scales),
        Err(FeatureError::TooLarge { columns: 65_537, limit: 65_536, .. })
    ));
    let empty = Array2::from_elem((0, 3), true);
    assert!(matches!(box_dimension(empty.view(), &scales), Err(FeatureError::Empty { rows: 0, columns: 3 })));
}

/// Guards the way from a field to its dimension: the same number as from its mask.
#[test]
fn features_have_this_dimension() {
    let mask = concatenate![ndarray::Axis(1), carpet(4), carpet(4)];
    let field = mask.mapv(|active| if active { -0.04 } else { -0.08 });
    let found = features::compute(field.view(), &FeatureConfig::default()).expect("features");
    let expected = dimension(&mask);
    assert_eq!((found.d_box, found.d_r2), (expected.dimension, expected.r_squared));
}
