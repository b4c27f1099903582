//! Sparse attention does not hold the scores of all pairs. Alone in its process, so that nothing
//! else allocates meanwhile.
#![cfg(target_os = "linux")]

mod common;

use common::peak_resident_bytes;
use mfn_sim::learning::{AttentionConfig, SparseAttention};
use ndarray::Array3;

/// Guards the claim O(n k): the scores of 8192 x 8192 pairs would take 512 MiB, the tokens and all
/// that is made of them take less than 8 MiB.
#[test]
fn the_scores_of_all_pairs_are_never_in_memory() {
    let config = AttentionConfig { embed_dim: 8, num_heads: 2, top_k: 4 };
    let layer = SparseAttention::<f64>::random(&config, 1).expect("a layer");
    let tokens = |length: usize| {
        Array3::from_shape_fn((1, length, 8), |(_, token, place)| ((token * 8 + place) as f64 * 0.7).sin())
    };
    layer.forward(tokens(64).view()).expect("an output");
    let before = peak_resident_bytes();
    let output = layer.forward(tokens(8192).view()).expect("an output");
    let grown = peak_resident_bytes() - before;
    assert_eq!(output.dim(), (1, 8192, 8));
    assert!(grown < 8 << 20, "{grown} bytes more for 8192 tokens");
}
