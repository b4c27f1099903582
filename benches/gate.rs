//! Small cases whose instructions `cargo xtask bench --gate` counts under callgrind and compares with
//! benches/gate.json. A count does not depend on what else the machine does, so a step back of a few per cent shows.
//!
//! Vector registers are forced to AVX2, and callgrind shows a program a processor without AVX-512, so that a count is
//! the same on every x86-64 machine with AVX2. What is prepared beforehand is not counted.

#![allow(missing_docs, reason = "items that the macros make")]

use gungraun::{library_benchmark, library_benchmark_group, main};
use mfn_benches::subjects::{Subject, subject};

/// A program and its units of work.
type Case = (Subject, u64);

fn prepared(name: &str, side: usize, units: u64) -> Case {
    let subject = subject(name, side);
    (subject.unwrap_or_else(|| panic!("this machine can not run {name}")), units)
}

#[library_benchmark(setup = prepared)]
#[bench::step_f64("step avx2", 64, 16)]
#[bench::step_f32("step avx2 f32", 64, 16)]
#[bench::step_baseline("step baseline", 64, 16)]
#[bench::step_neumann("step avx2 neumann", 64, 16)]
#[bench::step_dirichlet("step avx2 dirichlet", 64, 16)]
#[bench::step_gray_scott("step avx2 gray-scott", 64, 16)]
#[bench::step_map("step avx2 map", 64, 16)]
#[bench::step_jitter("step avx2 jitter", 64, 16)]
#[bench::features("features", 64, 1)]
#[bench::boxes("boxes", 64, 10)]
#[bench::components("components", 64, 50)]
#[bench::components_and_two("components", 64, 52)]
#[bench::moments("moments", 64, 50)]
#[bench::checkpoint("checkpoint", 64, 1)]
#[bench::krum("krum", 32, 1)]
fn case((mut subject, units): Case) -> Subject {
    (subject.run)(units);
    subject
}

library_benchmark_group!(name = cases, benchmarks = case);
main!(library_benchmark_groups = cases);
