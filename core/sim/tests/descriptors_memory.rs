//! The descriptors take no more memory than they declare. Alone in its process, so that nothing else allocates
//! meanwhile.
#![cfg(target_os = "linux")]

mod common;

use common::peak_resident_bytes;
use mfn_sim::descriptors::{DescriptorConfig, compute, memory_bytes};
use ndarray::Array2;

/// Guards the declared bytes on long grids with prime sides, whose transforms need the most, and on one with many
/// cells.
#[test]
fn descriptors_take_the_memory_that_they_declare() {
    for (rows, cols) in [(1usize, 65267usize), (65267, 3), (2000, 1500)] {
        let field = Array2::from_shape_fn((rows, cols), |(row, col)| ((row * 7 + col * 5) % 23) as f64);
        let declared = memory_bytes(rows, cols);
        let before = peak_resident_bytes();
        compute(field.view(), &DescriptorConfig::default()).expect("accepted");
        let grown = peak_resident_bytes() - before;
        assert!(grown <= declared + (1 << 20), "{rows} x {cols}: {grown} bytes, {declared} declared");
    }
}
