//! Where the work is done: on the calling thread, or in the pool that the caller runs in, with the same bits.
//!
//! One test in a program of its own: whatever another test starts would be counted too.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ops::ControlFlow;

use mfn_sim::aggregation::{GeometricMedian, HierarchicalKrum, Method, aggregate, hierarchical_krum};
use mfn_sim::ensemble::Ensemble;
use mfn_sim::graph::{self, Attack, NetworkConfig, RobustnessConfig};
use mfn_sim::ifs::{BLOCK_POINTS, Window, examples};
use mfn_sim::learning::validation::{ValidationConfig, run_validation};
use mfn_sim::learning::{self, AttentionConfig, SparseAttention};
use mfn_sim::rng::Generator;
use mfn_sim::{CancelToken, Execution, Simulation, Spec};
use ndarray::{Array2, Array3};

/// What every function that shares out its work gives, written so that another bit is another text. Each is so large
/// that there are several pieces.
fn results() -> Vec<(&'static str, String)> {
    let mut random = Generator::new(3);
    let mut results = Vec::new();
    let mut keep =
        |name: &'static str, result: &dyn std::fmt::Debug| results.push((name, format!("{result:?}")));

    let gradients = Array2::from_shape_fn((71, 2500), |_| random.standard_normal());
    for method in [
        Method::Krum,
        Method::MultiKrum { selected: None },
        Method::TrimmedMean,
        Method::Median,
        Method::GeometricMedian(GeometricMedian::default()),
    ] {
        keep("aggregate", &aggregate(gradients.view(), &method, 14).unwrap());
    }
    let many = Array2::from_shape_fn((203, 30), |_| random.standard_normal());
    keep("hierarchical_krum", &hierarchical_krum(many.view(), &HierarchicalKrum::default()).unwrap());

    let attention = SparseAttention::<f64>::random(&AttentionConfig::default(), 1).unwrap();
    let tokens = Array3::from_shape_fn((3, 90, 32), |_| random.standard_normal());
    keep("attention", &attention.forward(tokens.view()).unwrap());
    let shape = learning::NetworkConfig { input_dim: 32, ..learning::NetworkConfig::default() };
    let mut network = learning::Network::<f64>::new(&shape, 2).unwrap();
    keep("loss", &network.train_step(tokens.view(), &[1.0, 2.0, 3.0]).unwrap());
    keep("network", &network.forward(tokens.view()).unwrap());
    let cycle = ValidationConfig { epochs: 1, grid_size: 16, steps: 32, ..ValidationConfig::default() };
    keep("validation", &run_validation(&cycle, &mut |_| ControlFlow::Continue(())).unwrap());

    let fern = examples::barnsley_fern();
    let count = 5 * BLOCK_POINTS + 17;
    let window = Window { x_min: -2.5, x_max: 2.5, y_min: 0.0, y_max: 10.0 };
    keep("points", &fern.points(9, count).unwrap());
    keep("exponents", &fern.exponents(9, 50_000).unwrap());
    let raster = fern.rasterize(9, count as u64, &window, (50, 40), &mut |_| ControlFlow::Continue(()));
    keep("raster", &raster.unwrap());

    let field = Array2::from_shape_fn((90, 110), |_| random.uniform(-0.095, 0.02));
    let network = graph::Network::of_field(field.view(), &NetworkConfig::default()).unwrap();
    keep("nodes", &network.nodes());
    keep("branches", &network.branches());
    let (graph, config) = (network.graph(), RobustnessConfig::default());
    keep("betweenness", &graph::betweenness(&graph, &config, &CancelToken::new()).unwrap());
    let fall = graph::percolation(&graph, Attack::RandomNodes, &config, &CancelToken::new());
    keep("percolation", &fall.unwrap());

    let mut simulation = Simulation::new(Spec { grid_size: 200, steps: 5, ..Spec::default() }).unwrap();
    simulation.run(5, &mut |_| ControlFlow::Continue(())).unwrap();
    keep("simulation", &simulation.statistics());
    results
}

/// Threads of this process.
#[cfg(target_os = "linux")]
fn thread_count() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

/// Guards the promise that a call outside of any pool leaves the process as it was: no thread has come, and rayon's pool
/// of the process is still to be made by whoever wants it. Guards the promise of the same bits, which are those of
/// pools of 1, 2 and 5 threads.
#[test]
fn no_call_starts_threads_and_threads_change_no_bit() {
    #[cfg(target_os = "linux")]
    let before = thread_count();
    let alone = results();
    #[cfg(target_os = "linux")]
    assert_eq!(thread_count(), before);
    for threads in [1, 2, 5] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        for (alone, shared) in alone.iter().zip(pool.install(results)) {
            assert_eq!(alone.0, shared.0);
            assert!(alone.1 == shared.1, "{} with {threads} threads", alone.0);
        }
    }
    // An ensemble makes a pool, but one of its own, whose threads end after it.
    let specs = [Spec { grid_size: 8, steps: 2, ..Spec::default() }, Spec::default()];
    Ensemble::default().run_specs(&specs, &mut |_, _| ControlFlow::Continue(())).unwrap();
    // A run that was set up in a pool and goes on outside of it, cut for the threads of the pool.
    let mut moved = Simulation::new(Spec { grid_size: 200, ..Spec::default() }).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    pool.install(|| moved.set_execution(Execution { threads: 0, ..Execution::default() })).unwrap();
    assert_eq!(moved.execution_used().threads, 3);
    moved.run(5, &mut |_| ControlFlow::Continue(())).unwrap();
    rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build_global()
        .expect("nobody made the pool of the process");
}
