//! Complete specifications by name: the starting points of all others.

use super::{BoundaryCondition, Compat, InitialCondition, Precision, RngKind, Spec};
use crate::kinetics::{Brusselator, FitzHughNagumo, GiererMeinhardt, GrayScott, Kinetics, Schnakenberg};

/// Makes the specification of a preset.
type Make = fn() -> Spec;

/// The presets by name, the default first.
pub const PRESETS: [(&str, Make); 7] = [
    ("mycelium", mycelium),
    ("gray-scott-spots", gray_scott_spots),
    ("schnakenberg-spots", schnakenberg_spots),
    ("gierer-meinhardt-spots", gierer_meinhardt_spots),
    ("fitzhugh-nagumo-labyrinth", fitzhugh_nagumo_labyrinth),
    ("brusselator-stripes", brusselator_stripes),
    ("v4.1", Spec::v4_1),
];

impl Default for Spec {
    /// The preset `mycelium`.
    fn default() -> Self {
        mycelium()
    }
}

impl Spec {
    /// The preset of a name; `None` for an unknown name. The names are in [`PRESETS`].
    #[must_use]
    pub fn preset(name: &str) -> Option<Self> {
        PRESETS.iter().find(|(known, _)| *known == name).map(|(_, make)| make())
    }

    /// The defaults of MyceliumFractalNet 4.1, with its results to the last bit.
    #[must_use]
    pub fn v4_1() -> Self {
        Self {
            grid_size: 64,
            rows: None,
            cols: None,
            steps: 64,
            random_seed: 42,
            alpha: 0.18,
            spike_probability: 0.25,
            turing_enabled: true,
            turing_threshold: 0.75,
            quantum_jitter: false,
            jitter_var: 0.0005,
            d_activator: 0.1,
            d_inhibitor: 0.05,
            r_activator: 0.01,
            r_inhibitor: 0.02,
            boundary_condition: BoundaryCondition::Periodic,
            check_stability: true,
            precision: Precision::F64,
            rng: RngKind::Pcg64,
            kinetics: Kinetics::V4_1,
            initial_condition: InitialCondition::Random,
            initial_noise: 0.0,
            time_step: 1.0,
            leak_rate: 0.0,
            record_every: 0,
            compat: Some(Compat::V4_1),
        }
    }
}

/// A network of branching threads. Gray-Scott at its homogeneous steady state, which is unstable
/// in Turing's sense with the fastest wave 10.3 cells long; the potential follows the ridges of
/// the autocatalyst.
fn mycelium() -> Spec {
    Spec {
        grid_size: 128,
        steps: 1000,
        alpha: 0.1,
        turing_threshold: 0.35,
        jitter_var: 1e-8,
        d_activator: 0.07,
        d_inhibitor: 0.2,
        r_activator: 1.0,
        r_inhibitor: 1.0,
        rng: RngKind::Philox,
        kinetics: Kinetics::GrayScott(GrayScott { feed: 0.06, kill: 0.062 }),
        initial_condition: InitialCondition::Steady,
        initial_noise: 0.01,
        leak_rate: 0.2,
        compat: None,
        ..Spec::v4_1()
    }
}

/// Spots that divide until they fill the plane (Pearson, 1993, his pattern lambda). There is no
/// steady state but the trivial one: the pattern grows from patches.
fn gray_scott_spots() -> Spec {
    Spec {
        steps: 8000,
        turing_threshold: 0.25,
        d_activator: 0.1,
        r_activator: 1.5,
        r_inhibitor: 1.5,
        kinetics: Kinetics::GrayScott(GrayScott { feed: 0.035, kill: 0.065 }),
        initial_condition: InitialCondition::Seeded,
        ..mycelium()
    }
}

/// Spots of the activator on a hexagonal lattice.
fn schnakenberg_spots() -> Spec {
    Spec {
        steps: 2500,
        turing_threshold: 1.5,
        d_activator: 0.014,
        r_activator: 0.02,
        r_inhibitor: 0.02,
        kinetics: Kinetics::Schnakenberg(Schnakenberg { a: 0.1, b: 0.9 }),
        initial_noise: 0.05,
        ..mycelium()
    }
}

/// High, narrow peaks of the activator, as without saturation.
fn gierer_meinhardt_spots() -> Spec {
    Spec {
        steps: 3000,
        turing_threshold: 2.0,
        d_activator: 0.011,
        r_activator: 0.015,
        r_inhibitor: 0.015,
        kinetics: Kinetics::GiererMeinhardt(GiererMeinhardt {
            source: 0.1,
            decay_activator: 1.0,
            decay_inhibitor: 1.5,
            saturation: 0.0,
        }),
        initial_noise: 0.05,
        ..mycelium()
    }
}

/// A labyrinth in which both signs of the activator take half of the plane each.
fn fitzhugh_nagumo_labyrinth() -> Spec {
    Spec {
        steps: 2000,
        turing_threshold: 0.5,
        d_activator: 0.02,
        r_activator: 0.03,
        r_inhibitor: 0.03,
        kinetics: Kinetics::FitzHughNagumo(FitzHughNagumo { epsilon: 2.0, a: 0.0, b: 0.7, current: 0.0 }),
        initial_noise: 0.05,
        ..mycelium()
    }
}

/// Stripes with the defects of a quench.
fn brusselator_stripes() -> Spec {
    Spec {
        steps: 2500,
        turing_threshold: 5.0,
        d_activator: 0.025,
        r_activator: 0.006,
        r_inhibitor: 0.006,
        kinetics: Kinetics::Brusselator(Brusselator { a: 4.5, b: 8.0 }),
        initial_noise: 0.1,
        ..mycelium()
    }
}
