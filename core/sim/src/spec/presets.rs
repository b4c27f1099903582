//! Complete specifications by name: the starting points of all others.

use super::{BoundaryCondition, Compat, InitialCondition, Precision, RngKind, Spec};
use crate::kinetics::{GrayScott, Kinetics};

/// Makes the specification of a preset.
type Make = fn() -> Spec;

/// The presets by name, the default first.
pub const PRESETS: [(&str, Make); 2] = [("mycelium", mycelium), ("v4.1", Spec::v4_1)];

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

/// Gray-Scott patterns that grow like a colony; the potential follows the autocatalyst.
fn mycelium() -> Spec {
    Spec {
        alpha: 0.1,
        spike_probability: 0.25,
        turing_threshold: 0.25,
        jitter_var: 1e-8,
        d_activator: 0.08,
        d_inhibitor: 0.16,
        r_activator: 1.0,
        r_inhibitor: 1.0,
        rng: RngKind::Philox,
        kinetics: Kinetics::GrayScott(GrayScott::default()),
        initial_condition: InitialCondition::Seeded,
        initial_noise: 0.01,
        leak_rate: 0.1,
        compat: None,
        ..Spec::v4_1()
    }
}
