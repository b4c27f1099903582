//! One engine step against a plain loop over cells with neighbours by modulo.
//!
//! Both use the same stream of random numbers and give the same bits, which is checked before
//! anything is timed. `cargo bench -p mfn-benches --bench step`.

use criterion::{BenchmarkId, Throughput};
use mfn_benches::Comparison;
use mfn_sim::rng::Generator;
use mfn_sim::{Simulation, Spec};

const SIDES: [usize; 3] = [64, 256, 1024];
/// Steps after which the two programs must agree on every bit.
const CHECKED_STEPS: usize = 20;

/// The v4.1 step as a beginner would write it: no allocation in the step, but one pass per
/// field and two divisions for every neighbour.
struct NaiveLoop {
    spec: Spec,
    generator: Generator,
    current: [Vec<f64>; 3],
    next: [Vec<f64>; 3],
    activations: u64,
    clamps: u64,
}

impl NaiveLoop {
    fn new(spec: &Spec) -> Self {
        let mut generator = Generator::new(spec.random_seed);
        let mut current = [0, 1, 2].map(|_| vec![0.0; spec.rows() * spec.cols()]);
        generator.fill_normal(-0.070, 0.005, &mut current[0]);
        generator.fill_uniform(0.0, 0.1, &mut current[1]);
        generator.fill_uniform(0.0, 0.1, &mut current[2]);
        Self { spec: spec.clone(), generator, next: current.clone(), current, activations: 0, clamps: 0 }
    }

    fn laplacian(grid: &[f64], n: usize, row: usize, column: usize) -> f64 {
        let up = grid[(row + n - 1) % n * n + column];
        let down = grid[(row + 1) % n * n + column];
        let left = grid[row * n + (column + n - 1) % n];
        let right = grid[row * n + (column + 1) % n];
        ((up + down) + left) + right - 4.0 * grid[row * n + column]
    }

    fn step(&mut self) {
        let p = &self.spec;
        let n = p.grid_size;
        if self.generator.random() < p.spike_probability {
            let row = self.generator.integer_below(n as u64) as usize;
            let column = self.generator.integer_below(n as u64) as usize;
            self.current[0][row * n + column] += self.generator.normal(0.02, 0.005);
        }
        let [v, a, i] = &self.current;
        let [v_next, a_next, i_next] = &mut self.next;
        for row in 0..n {
            for column in 0..n {
                let cell = row * n + column;
                v_next[cell] = v[cell] + p.alpha * Self::laplacian(v, n, row, column);
            }
        }
        for row in 0..n {
            for column in 0..n {
                let cell = row * n + column;
                let mut a_change = p.d_activator * Self::laplacian(a, n, row, column);
                a_change += p.r_activator * (a[cell] * (1.0 - a[cell]) - i[cell]);
                let mut i_change = p.d_inhibitor * Self::laplacian(i, n, row, column);
                i_change += p.r_inhibitor * (a[cell] - i[cell]);
                if a[cell] + a_change > p.turing_threshold {
                    v_next[cell] += 0.005;
                    self.activations += 1;
                }
                a_next[cell] = (a[cell] + a_change).clamp(0.0, 1.0);
                i_next[cell] = (i[cell] + i_change).clamp(0.0, 1.0);
            }
        }
        for value in v_next.iter_mut() {
            let kept = value.clamp(-0.095, 0.040);
            self.clamps += u64::from(kept != *value);
            *value = kept;
        }
        for grid in &self.next {
            assert!(!grid.iter().any(|value| value.is_nan()), "the step became unstable");
        }
        std::mem::swap(&mut self.current, &mut self.next);
    }
}

fn step(simulation: &mut Simulation) {
    simulation.step().expect("a stable step");
}

/// Both programs, after they were seen to agree.
fn checked_pair(side: usize) -> (Simulation, NaiveLoop) {
    let spec = Spec { grid_size: side, ..Spec::v4_1() };
    let mut naive = NaiveLoop::new(&spec);
    let mut simulation = Simulation::new(spec).expect("an accepted specification");
    for _ in 0..CHECKED_STEPS {
        step(&mut simulation);
        naive.step();
    }
    let fields = [simulation.field(), simulation.activator(), simulation.inhibitor()];
    for (field, naive) in fields.into_iter().zip(&naive.current) {
        assert!(
            field.iter().zip(naive).all(|(left, right)| left.to_bits() == right.to_bits()),
            "the two programs differ at side {side}"
        );
    }
    (simulation, naive)
}

fn main() {
    let mut criterion = mfn_benches::criterion();
    let mut comparisons = Vec::new();
    for side in SIDES {
        let (mut simulation, mut naive) = checked_pair(side);
        let mut group = criterion.benchmark_group("step");
        group.throughput(Throughput::Elements((side * side) as u64));
        group.bench_function(BenchmarkId::new("fused", side), |b| b.iter(|| step(&mut simulation)));
        group.bench_function(BenchmarkId::new("naive", side), |b| b.iter(|| naive.step()));
        group.finish();
        comparisons.push((side, Comparison::measure(|| step(&mut simulation), || naive.step())));
    }
    criterion.final_summary();
    println!("{:>6} {:>22} {:>22} {:>7}", "side", "fused Mcell-steps/s", "naive Mcell-steps/s", "ratio");
    for (side, times) in comparisons {
        let rate = |time: std::time::Duration| (side * side) as f64 / time.as_secs_f64() / 1e6;
        println!("{side:>6} {:>22.1} {:>22.1} {:>7.2}", rate(times.library), rate(times.peer), times.ratio());
    }
}
