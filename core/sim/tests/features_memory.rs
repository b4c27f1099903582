//! Features take no more memory than four times their grid, counted by an allocator.

use mfn_sim::features::{Connectivity, clusters, compute, compute_history};
use mfn_sim::{FeatureConfig, Features, Real};
use ndarray::{Array2, ArrayView2, ArrayView3, Axis, stack};

const SIDE: usize = 512;

/// What a call allocates at its peak, in bytes of a grid of such cells.
fn grids<T: Real, R>(call: impl FnOnce() -> R) -> f64 {
    let mut result = None;
    let allocated = allocation_counter::measure(|| result = Some(call()));
    drop(result);
    allocated.bytes_max as f64 / (SIDE * SIDE * size_of::<T>()) as f64
}

/// Fields between -70 and -30 mV: the mask with the most clusters, rows and columns of them, all, none, and noise.
fn fields() -> [(&'static str, Array2<f64>); 6] {
    let field = |active: fn(usize, usize) -> bool| {
        Array2::from_shape_fn((SIDE, SIDE), |(row, column)| if active(row, column) { -0.03 } else { -0.07 })
    };
    [
        ("chess board", field(|row, column| (row + column) % 2 == 0)),
        ("rows", field(|row, _| row % 2 == 0)),
        ("columns", field(|_, column| column % 2 == 0)),
        ("full", field(|_, _| true)),
        ("empty", field(|_, _| false)),
        ("noise", field(|row, column| (row * 7919 + column * column * 104_729 + row * row * 31) % 11 < 5)),
    ]
}

fn configs() -> [FeatureConfig; 4] {
    let of =
        |config: &FeatureConfig, connectivity, wrap| FeatureConfig { connectivity, wrap, ..config.clone() };
    let (right, v4_1) = (FeatureConfig::default(), FeatureConfig::v4_1());
    [
        of(&right, Connectivity::Four, None),
        of(&right, Connectivity::Eight, Some(true)),
        FeatureConfig { min_box_size: 1, num_scales: 64, ..right },
        of(&v4_1, Connectivity::Four, None),
    ]
}

/// Guards the bound for one field: any mask, layout, precision and mode.
#[test]
fn features_allocate_at_most_four_grids() {
    let checked = |what: &str, grids: f64| assert!(grids > 0.0 && grids <= 4.0, "{what}: {grids} grids");
    let of = |field: ArrayView2<'_, f64>, config: &FeatureConfig| -> Features {
        compute(field, config).expect("features")
    };
    for (name, field) in fields() {
        let single = field.mapv(|value| value as f32);
        for config in configs() {
            checked(name, grids::<f64, _>(|| of(field.view(), &config)));
            checked(name, grids::<f64, _>(|| of(field.t(), &config)));
            checked(name, grids::<f32, _>(|| compute(single.view(), &config)));
            checked(name, grids::<f64, _>(|| clusters(field.view(), -0.05, config.connectivity, true)));
        }
    }
}

/// Guards the bound for a history, of whatever length.
#[test]
fn a_history_allocates_at_most_four_grids() {
    for (name, field) in fields() {
        let other = field.mapv(|value| value * 1.01);
        let history = stack![Axis(0), field, other, field, other];
        let of = |history: ArrayView3<'_, f64>, config: &FeatureConfig| -> Features {
            compute_history(history, config).expect("features")
        };
        for config in configs() {
            let grids = grids::<f64, _>(|| of(history.view(), &config));
            assert!(grids > 1.0 && grids <= 4.0, "{name}: {grids} grids");
        }
    }
}
