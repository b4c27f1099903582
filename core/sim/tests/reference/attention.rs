//! Sparse attention in single precision within 1e-5, in double precision within 1e-12.

use mfn_sim::Real;
use mfn_sim::learning::{AttentionConfig, SparseAttention};
use ndarray::Array3;

use crate::load::{Entry, assert_close, whole};

pub(crate) fn check(entry: &Entry) {
    check_precision::<f32>(entry, "output", 1e-5);
    check_precision::<f64>(entry, "output_if_float64", 1e-12);
}

fn check_precision<T: Real>(entry: &Entry, output: &str, tolerance: f64) {
    let config = AttentionConfig {
        embed_dim: whole(&entry.params["embed_dim"]),
        num_heads: 1,
        top_k: whole(&entry.params["topk"]),
    };
    let mut parameters = Vec::new();
    for layer in ["q_proj", "k_proj", "v_proj", "out_proj"] {
        for part in ["weight", "bias"] {
            parameters.extend(entry.cells(&format!("{layer}.{part}")).0.into_iter().map(T::of));
        }
    }
    let layer = SparseAttention::new(&config, parameters).expect("a layer");
    let (cells, shape) = entry.cells("x");
    let cells = cells.into_iter().map(T::of).collect();
    let tokens = Array3::from_shape_vec((shape[0], shape[1], shape[2]), cells).expect("tokens");
    let actual = layer.forward(tokens.view()).expect("an output");
    let wanted = entry.cells(output).0;
    assert_eq!(actual.len(), wanted.len(), "{}", entry.id);
    for (actual, wanted) in actual.iter().zip(&wanted) {
        assert_close(&format!("{}: {output}", entry.id), actual.wide(), *wanted, tolerance);
    }
}
