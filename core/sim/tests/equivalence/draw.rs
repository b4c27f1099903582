//! Random cases: a specification, maps and a way to carry it out.

use mfn_sim::kinetics::{Brusselator, FitzHughNagumo, GiererMeinhardt, GrayScott, Kinetics, Schnakenberg};
use mfn_sim::rng::Generator;
use mfn_sim::{
    BoundaryCondition, Coefficient, Compat, Execution, InitialCondition, Precision, RngKind, SimdLevel, Spec,
};
use ndarray::Array2;

/// Numbers for one case, decided by its number.
pub(crate) struct Dice(Generator);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Generator::new(seed))
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0.integer_below(bound as u64) as usize
    }

    pub(crate) fn within(&mut self, low: f64, high: f64) -> f64 {
        self.0.uniform(low, high)
    }

    fn chance(&mut self, probability: f64) -> bool {
        self.0.random() < probability
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// Everything that a comparison depends on.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) spec: Spec,
    pub(crate) maps: Vec<(Coefficient, Array2<f64>)>,
    pub(crate) threads: usize,
    pub(crate) execution: Execution,
}

/// Whether the kernels of a level are those for speed, which not every machine has.
pub(crate) fn is_for_speed(level: SimdLevel) -> bool {
    matches!(level, SimdLevel::Avx2 | SimdLevel::Avx512) || cfg!(target_arch = "aarch64")
}

impl Case {
    /// Whether the kernel computes its rows that leaves activation and clamp for later.
    pub(crate) fn is_plain(&self) -> bool {
        let Spec { turing_enabled, kinetics, turing_threshold, .. } = self.spec;
        self.maps.is_empty()
            && turing_enabled
            && kinetics != Kinetics::Host
            && (kinetics != Kinetics::V4_1 || (0.0..=1.0).contains(&turing_threshold))
            && is_for_speed(self.execution.simd)
    }

    pub(crate) fn draw(dice: &mut Dice) -> Self {
        let spec = if dice.chance(0.15) { v4_1(dice) } else { free(dice) };
        let mut maps = Vec::new();
        if dice.chance(0.3) {
            for coefficient in Coefficient::ALL {
                if dice.chance(0.5) {
                    maps.push((coefficient, map(dice, coefficient, &spec)));
                }
            }
        }
        let threads = 1 + dice.below(8);
        let band_rows = if dice.chance(0.5) { dice.below(6) } else { dice.below(60) };
        let execution = Execution {
            threads: 1,
            band_rows,
            strip_cols: dice.below(40),
            block_steps: dice.below(18),
            simd: dice.one_of(&SimdLevel::available()),
        };
        Self { spec, maps, threads, execution }
    }
}

/// The leak takes an eighth of its rate from the room of the diffusion.
fn map(dice: &mut Dice, coefficient: Coefficient, spec: &Spec) -> Array2<f64> {
    let room = 0.2499 / spec.time_step;
    let (low, high) = match coefficient {
        Coefficient::Alpha => (0.0, room - spec.leak_rate / 8.0),
        Coefficient::DActivator | Coefficient::DInhibitor => (0.0, room),
        Coefficient::RActivator | Coefficient::RInhibitor => (0.0, 0.5),
    };
    Array2::from_shape_simple_fn((spec.rows(), spec.cols()), || dice.within(low, high))
}

const BOUNDARIES: [BoundaryCondition; 3] =
    [BoundaryCondition::Periodic, BoundaryCondition::Neumann, BoundaryCondition::Dirichlet];

fn v4_1(dice: &mut Dice) -> Spec {
    Spec {
        grid_size: 4 + dice.below(16),
        steps: 1 + dice.below(12) as u64,
        random_seed: dice.below(1 << 40) as u64,
        alpha: dice.within(0.05, 0.25),
        spike_probability: dice.within(0.0, 1.0),
        turing_enabled: dice.chance(0.8),
        turing_threshold: dice.within(0.5, 0.95),
        quantum_jitter: dice.chance(0.4),
        jitter_var: dice.within(0.0, 0.01),
        d_activator: dice.within(0.01, 0.25),
        d_inhibitor: dice.within(0.01, 0.25),
        r_activator: dice.within(0.001, 0.1),
        r_inhibitor: dice.within(0.001, 0.1),
        boundary_condition: dice.one_of(&BOUNDARIES),
        compat: Some(Compat::V4_1),
        ..Spec::v4_1()
    }
}

fn kinetics(dice: &mut Dice) -> Kinetics {
    match dice.below(7) {
        0 => Kinetics::V4_1,
        1 => Kinetics::GrayScott(GrayScott { feed: dice.within(0.0, 0.1), kill: dice.within(0.0, 0.1) }),
        2 => Kinetics::Schnakenberg(Schnakenberg { a: dice.within(0.0, 1.0), b: dice.within(0.0, 2.0) }),
        3 => Kinetics::GiererMeinhardt(GiererMeinhardt {
            source: dice.within(0.0, 1.0),
            decay_activator: dice.within(0.1, 2.0),
            decay_inhibitor: dice.within(0.1, 2.0),
            saturation: dice.within(0.0, 1.0),
        }),
        4 => Kinetics::FitzHughNagumo(FitzHughNagumo {
            epsilon: dice.within(0.01, 3.0),
            a: dice.within(-1.0, 1.0),
            b: dice.within(0.0, 1.0),
            current: dice.within(-1.0, 1.0),
        }),
        5 => Kinetics::Brusselator(Brusselator { a: dice.within(0.1, 5.0), b: dice.within(0.0, 10.0) }),
        _ => Kinetics::Host,
    }
}

fn free(dice: &mut Dice) -> Spec {
    let kinetics = kinetics(dice);
    let mut initial = vec![InitialCondition::Random];
    if !kinetics.steady_states().is_empty() {
        initial.push(InitialCondition::Steady);
    }
    if matches!(kinetics, Kinetics::GrayScott(_)) {
        initial.push(InitialCondition::Seeded);
    }
    let time_step = if dice.chance(0.5) { 1.0 } else { dice.within(0.01, 2.0) };
    let room = 0.2499 / time_step;
    let leak_rate = if dice.chance(0.5) { 0.0 } else { dice.within(0.0, room) };
    // A few rates so large that steps become unstable.
    let rate_max = if dice.chance(0.04) { 1e6 } else { 1.0 };
    // Thin grids have an edge at every cell; wide ones have several strips, high ones several lanes for long blocks.
    let (rows, cols) = match dice.below(8) {
        0 => (1 + dice.below(3), 1 + dice.below(90)),
        1 => (1 + dice.below(70), 1),
        2 => (1 + dice.below(3), 1 + dice.below(3)),
        3 => (20 + dice.below(120), 1 + dice.below(12)),
        _ => (1 + dice.below(20), 1 + dice.below(24)),
    };
    Spec {
        rows: Some(rows),
        cols: Some(cols),
        steps: 1 + dice.below(if rows < 20 { 12 } else { 40 }) as u64,
        random_seed: dice.below(1 << 40) as u64,
        alpha: dice.within(0.0, room - leak_rate / 8.0),
        spike_probability: dice.within(0.0, 1.0) / time_step.max(1.0),
        turing_enabled: dice.chance(0.85),
        turing_threshold: dice.within(-0.5, 2.0),
        quantum_jitter: dice.chance(0.3),
        jitter_var: dice.within(0.0, 0.01),
        d_activator: dice.within(0.0, room),
        d_inhibitor: dice.within(0.0, room),
        r_activator: dice.within(0.0, rate_max),
        r_inhibitor: dice.within(0.0, rate_max),
        boundary_condition: dice.one_of(&BOUNDARIES),
        precision: dice.one_of(&[Precision::F64, Precision::F64, Precision::F32]),
        rng: dice.one_of(&[RngKind::Philox, RngKind::Philox, RngKind::Pcg64]),
        kinetics,
        initial_condition: dice.one_of(&initial),
        initial_noise: dice.within(0.0, 0.1),
        check_stability: dice.chance(0.85),
        time_step,
        leak_rate,
        ..Spec::default()
    }
}
