//! Iterated function systems: exact dimensions and exponents, the same points for every number of
//! threads, rasters, and properties over the whole range of every input.

use std::ops::ControlFlow;

use mfn_sim::RunEnd;
use mfn_sim::ifs::v4_1::{FractalConfig, generate_fractal_ifs, generate_ifs};
use mfn_sim::ifs::{AffineMap, BLOCK_POINTS, Ifs, IfsError, Window, examples};
use mfn_sim::rng::Generator;
use proptest::prelude::*;

fn rotation(scale: f64, angle: f64, e: f64, f: f64) -> AffineMap {
    let (sine, cosine) = angle.sin_cos();
    AffineMap::new([scale * cosine, -scale * sine, scale * sine, scale * cosine, e, f])
}

/// Guards Moran's equation: the dimensions that are known in closed form, to the last digits.
#[test]
fn similarity_dimensions_are_exact() {
    let golden = (5f64.sqrt() - 1.0) / 2.0;
    let line = |ratio: f64| AffineMap::new([ratio, 0.0, 0.0, ratio, 0.0, 0.0]);
    for (ifs, expected) in [
        (examples::sierpinski_triangle(), 3f64.ln() / 2f64.ln()),
        (examples::sierpinski_carpet(), 8f64.ln() / 3f64.ln()),
        // Cantor's set.
        (Ifs::new(vec![line(1.0 / 3.0); 2]).unwrap(), 2f64.ln() / 3f64.ln()),
        // Ratios r and r^2 with r + r^2 = 1.
        (Ifs::new(vec![line(golden), line(golden * golden)]).unwrap(), 1.0),
        // Ratios 1/2, 1/4, 1/4 turned and mirrored: 1/2 + 1/4 + 1/4 = 1.
        (
            Ifs::new(vec![
                rotation(0.5, 1.0, 0.0, 0.0),
                rotation(0.25, 2.0, 1.0, 0.0),
                AffineMap::new([0.25, 0.0, 0.0, -0.25, 0.0, 1.0]),
            ])
            .unwrap(),
            1.0,
        ),
        (Ifs::new(vec![line(0.5)]).unwrap(), 0.0),
        (Ifs::new(vec![line(0.0), line(0.0)]).unwrap(), 0.0),
    ] {
        let dimension = ifs.similarity_dimension().unwrap();
        assert!((dimension - expected).abs() < 1e-14, "{dimension}, expected {expected}");
    }
}

/// Guards against a dimension for maps that have none of this kind.
#[test]
fn the_fern_has_no_similarity_dimension() {
    let refused = examples::barnsley_fern().similarity_dimension();
    assert!(matches!(refused, Err(IfsError::NotSimilar { map: 0, .. })), "{refused:?}");
}

/// Guards both exponents of similarities: ln s each, also turned and mirrored, and their mean over
/// the probabilities when the ratios differ.
#[test]
fn exponents_of_similarities_are_logarithms() {
    for ratio in [0.5, 1.0 / 3.0, 0.9] {
        let maps = vec![rotation(ratio, 0.7, 0.0, 1.0), AffineMap::new([ratio, 0.0, 0.0, -ratio, 1.0, 0.0])];
        let exponents = Ifs::new(maps).unwrap().exponents(5, 20_000).unwrap();
        for exponent in [exponents.largest, exponents.smallest] {
            assert!((exponent - ratio.ln()).abs() < 1e-12, "{exponent}, expected {}", ratio.ln());
        }
        assert!(exponents.standard_error < 1e-12 && exponents.steps == 5 * 4096);
    }
    let maps = vec![rotation(0.5, 0.3, 0.0, 0.0), rotation(0.2, 1.0, 1.0, 0.0)];
    let ifs = Ifs::with_weights(maps, &[3.0, 1.0]).unwrap();
    let expected = 0.75 * 0.5f64.ln() + 0.25 * 0.2f64.ln();
    assert!((ifs.mean_log_area_change() - 2.0 * expected).abs() < 1e-14);
    let exponents = ifs.exponents(5, 1_000_000).unwrap();
    let tolerance = 5.0 * exponents.standard_error;
    assert!((exponents.largest - expected).abs() < tolerance && tolerance < 0.01);
    assert!((exponents.smallest - exponents.largest).abs() < 1e-12);
}

/// Guards the two exponents where they differ: a diagonal map has those of its axes, and the fern
/// with its singular stem has only one that is finite.
#[test]
fn exponents_of_other_maps_differ() {
    let diagonal = Ifs::new(vec![AffineMap::new([0.3, 0.0, 0.0, 0.8, 0.0, 0.0])]).unwrap();
    let exponents = diagonal.exponents(0, 1).unwrap();
    assert!((exponents.largest - 0.8f64.ln()).abs() < 1e-12);
    assert!((exponents.smallest - 0.3f64.ln()).abs() < 1e-12 && exponents.standard_error.is_nan());
    let fern = examples::barnsley_fern().exponents(1, 100_000).unwrap();
    assert!(fern.largest < 0.0 && fern.largest > -1.0 && fern.smallest == f64::NEG_INFINITY);
    // Two projections onto different axes annihilate everything.
    let projections =
        [[0.5, 0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.5, 0.0, 0.0]].map(AffineMap::new).to_vec();
    let none = Ifs::new(projections).unwrap().exponents(1, 100).unwrap();
    assert_eq!((none.largest, none.smallest), (f64::NEG_INFINITY, f64::NEG_INFINITY));
}

/// Guards determinism: points, exponents and rasters have the same bits on 1, 2, 3 and 8 threads,
/// and fewer points are the beginning of more.
#[test]
fn results_do_not_depend_on_threads() {
    let fern = examples::barnsley_fern();
    let count = 5 * BLOCK_POINTS + 17;
    let window = Window { x_min: -2.5, x_max: 2.5, y_min: 0.0, y_max: 10.0 };
    let all = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let raster = fern
                .rasterize(9, count as u64, &window, (50, 40), &mut |_| ControlFlow::Continue(()))
                .unwrap();
            (fern.points(9, count).unwrap(), fern.exponents(9, 50_000).unwrap(), raster)
        })
    };
    let one = all(1);
    for threads in [2, 3, 8] {
        assert!(all(threads) == one, "{threads} threads");
    }
    assert_eq!(fern.points(9, 100).unwrap()[..], one.0[..100]);
    assert_ne!(fern.points(10, 100).unwrap()[..], one.0[..100]);
    assert_eq!(one.2.inside + one.2.outside, count as u64);
}

/// Guards that the points lie on the attractor: in the triangle x + y <= 1, each with an address
/// without two ones at the same place, which is what the raster of side 2^8 shows: 3^8 cells.
#[test]
fn the_raster_of_the_triangle_has_the_cells_of_its_construction() {
    let triangle = examples::sierpinski_triangle();
    let raster = triangle
        .rasterize(3, 2_000_000, &Window::UNIT, (256, 256), &mut |_| ControlFlow::Continue(()))
        .unwrap();
    assert_eq!((raster.end, raster.outside), (RunEnd::Completed, 0));
    let wrong = raster.mask.indexed_iter().filter(|&((row, col), &on)| on != (row & col == 0)).count();
    assert!(wrong < 66, "{wrong} cells differ, more than 1 % of 3^8");
    // Boxes of side 2^k: the slope of the counts is the dimension.
    let boxes = |side: usize| {
        raster.mask.exact_chunks((side, side)).into_iter().filter(|chunk| chunk.iter().any(|&on| on)).count()
    };
    let dimension = (boxes(2) as f64 / boxes(64) as f64).log2() / 5.0;
    assert!((dimension - 1.5850).abs() < 0.02, "{dimension}");
}

/// Guards the dimension of the carpet, counted on a raster of side 3^5.
#[test]
fn the_raster_of_the_carpet_has_its_dimension() {
    let carpet = examples::sierpinski_carpet();
    let raster = carpet
        .rasterize(4, 4_000_000, &Window::UNIT, (243, 243), &mut |_| ControlFlow::Continue(()))
        .unwrap();
    let boxes = |side: usize| {
        raster.mask.exact_chunks((side, side)).into_iter().filter(|chunk| chunk.iter().any(|&on| on)).count()
    };
    let dimension = (boxes(1) as f64 / boxes(81) as f64).ln() / 81f64.ln();
    assert!((dimension - 1.8928).abs() < 0.01, "{dimension}");
}

/// Guards cancelling a drawing, and its refusals.
#[test]
fn drawing_can_end_early_and_refuses_shapes() {
    let carpet = examples::sierpinski_carpet();
    let draw = |points, window: Window, shape| {
        carpet.rasterize(0, points, &window, shape, &mut |_| ControlFlow::Break(()))
    };
    let raster = draw(3_000_000, Window::UNIT, (4, 4)).unwrap();
    assert_eq!((raster.end, raster.inside), (RunEnd::Cancelled, 1 << 20));
    for shape in [(0, 4), (4, 0), (65_537, 1), (65_536, 65_536), (usize::MAX, usize::MAX)] {
        assert!(matches!(draw(1, Window::UNIT, shape), Err(IfsError::RasterShape { .. })), "{shape:?}");
    }
    for x_max in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let window = Window { x_max, ..Window::UNIT };
        assert!(matches!(draw(1, window, (4, 4)), Err(IfsError::Window { .. })), "{x_max}");
    }
    assert!(matches!(draw(u64::MAX, Window::UNIT, (4, 4)), Err(IfsError::Points { .. })));
    assert!(draw(1, Window::UNIT, (1, 65_536)).is_ok());
    assert!(matches!(carpet.exponents(0, 0), Err(IfsError::Parameters(_))));
    assert!(matches!(carpet.exponents(0, u64::MAX), Err(IfsError::Parameters(_))));
}

/// Guards each refusal of a system.
#[test]
fn systems_without_an_attractor_are_refused() {
    let half = AffineMap::new([0.5, 0.0, 0.0, 0.5, 0.0, 0.0]);
    let shear = AffineMap::new([0.5, 1.0, 0.0, 0.5, 0.0, 0.0]);
    assert!(matches!(Ifs::new(vec![]), Err(IfsError::MapCount { count: 0 })));
    assert!(matches!(Ifs::new(vec![half; 4097]), Err(IfsError::MapCount { count: 4097 })));
    let stretching = Ifs::new(vec![half, shear]);
    assert!(matches!(stretching, Err(IfsError::NotContractive { map: 1, factor }) if factor > 1.0));
    assert!(matches!(
        Ifs::new(vec![AffineMap::new([1.0, 0.0, 0.0, 1.0, 0.0, 0.0])]),
        Err(IfsError::NotContractive { .. })
    ));
    let nan = Ifs::new(vec![half, AffineMap { d: f64::NAN, ..half }]);
    assert!(matches!(nan, Err(IfsError::Coefficient { map: 1, name: 'd', .. })));
    for (weights, expected) in [
        (&[1.0][..], "1 weights for 2 maps"),
        (&[1.0, -1.0], "weight 1 = -1"),
        (&[f64::NAN, 1.0], "weight 0 = NaN"),
        (&[0.0, 0.0], "all weights are 0"),
    ] {
        let error = Ifs::with_weights(vec![half; 2], weights).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

/// Guards maps of probability 0: they are never applied.
#[test]
fn maps_of_weight_zero_are_never_chosen() {
    let still = AffineMap::new([0.0, 0.0, 0.0, 0.0, 5.0, 5.0]);
    let away = AffineMap::new([0.0, 0.0, 0.0, 0.0, 900.0, 900.0]);
    let ifs = Ifs::with_weights(vec![away, still, away], &[0.0, 1.0, 0.0]).unwrap();
    assert!(ifs.points(1, 10_000).unwrap().iter().all(|point| *point == [5.0, 5.0]));
}

/// Guards the window around points: it holds all of them, and there is none around nothing.
#[test]
fn windows_hold_their_points() {
    let points = examples::barnsley_fern().points(2, 5000).unwrap();
    let window = Window::around(&points).unwrap();
    for [x, y] in points {
        assert!(window.x_min <= x && x <= window.x_max && window.y_min <= y && y <= window.y_max);
    }
    let sides = [window.x_max - window.x_min, window.y_max - window.y_min];
    assert!((sides[0] - sides[1]).abs() < 1e-12 * sides[0]);
    assert!(Window::around(&[[2.0, 3.0]]).is_some());
    assert_eq!(Window::around(&[]), None);
    assert_eq!(Window::around(&[[0.0, f64::NAN]]), None);
    assert_eq!(Window::around(&[[f64::MAX, 0.0], [-f64::MAX, 0.0]]), None);
}

fn anything() -> impl Strategy<Value = f64> {
    prop_oneof![6 => -0.6..0.6f64, 1 => -3.0..3.0f64, 1 => any::<f64>()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Guards every system there is: refused, or with finite points that stay in the ball in which
    /// all maps keep them, a dimension or a typed refusal, and exponents in order.
    #[test]
    fn systems_are_total(
        raw in prop::collection::vec((prop::array::uniform6(anything()), 0.0..2.0f64), 0..5),
        seed in any::<u64>(),
    ) {
        let maps: Vec<AffineMap> = raw.iter().map(|(map, _)| AffineMap::new(*map)).collect();
        let weights: Vec<f64> = raw.iter().map(|(_, weight)| *weight).collect();
        let Ok(ifs) = Ifs::with_weights(maps.clone(), &weights) else { return Ok(()) };
        let contraction = ifs.contraction();
        prop_assert!(contraction < 1.0);
        let shift = maps.iter().map(|map| map.e.hypot(map.f)).fold(0.0, f64::max);
        let radius = shift / (1.0 - contraction);
        for [x, y] in ifs.points(seed, 200).unwrap() {
            prop_assert!(x.is_finite() && y.is_finite());
            prop_assert!(x.hypot(y) <= radius * (1.0 + 1e-9));
        }
        if let Ok(dimension) = ifs.similarity_dimension() {
            let sum: f64 = maps.iter().filter_map(AffineMap::similarity_ratio).map(|s| s.powf(dimension)).sum();
            prop_assert!(dimension >= 0.0 && dimension.is_finite());
            prop_assert!(maps.len() == 1 || dimension == 0.0 || (sum - 1.0).abs() < 1e-9);
        }
        let exponents = ifs.exponents(seed, 1).unwrap();
        prop_assert!(exponents.largest <= contraction.ln() + 1e-9);
        prop_assert!(exponents.smallest <= exponents.largest + 1e-9);
    }

    /// Guards singular values by what defines them: the extremes of the length of an image.
    #[test]
    fn singular_values_bound_every_image(map in prop::array::uniform6(-5.0..5.0f64), angle in 0.0..6.3f64) {
        let map = AffineMap::new(map);
        let [largest, smallest] = map.singular_values();
        let [x, y] = map.turn([angle.cos(), angle.sin()]);
        prop_assert!(smallest - 1e-9 <= x.hypot(y) && x.hypot(y) <= largest + 1e-9);
        prop_assert!((largest * smallest - map.determinant().abs()).abs() < 1e-9);
    }

    /// Guards v4.1's generator over its whole range: orbits stay bounded by geometry, and the
    /// figure it calls a Lyapunov exponent is always negative.
    #[test]
    fn generated_systems_are_total(
        num_points in 0u64..3000, num_transforms in 0u64..10, scale_min in anything(), scale_max in anything(),
        translation_range in anything(), seed in any::<u64>(),
    ) {
        let config = FractalConfig {
            num_points, num_transforms, scale_min, scale_max, translation_range, ..FractalConfig::default()
        };
        match generate_ifs(&mut Generator::new(seed), &config) {
            Ok(generated) => {
                prop_assert_eq!(generated.points.len() as u64, num_points);
                prop_assert!(generated.mean_log_area_change <= 0.0);
                prop_assert!(generated.distance_max < 100.0 && generated.ifs().is_ok());
            }
            Err(IfsError::Unbounded { .. }) => prop_assert!(config.validate().is_ok()),
            Err(_) => prop_assert!(config.validate().is_err()),
        }
        let model = generate_fractal_ifs(&mut Generator::new(seed), num_points, num_transforms);
        prop_assert_eq!(model.is_ok(), num_points > 0 && num_transforms > 0);
    }
}
