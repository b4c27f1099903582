//! Small learning parts over plain buffers: spike-timing plasticity, sparse attention, a network
//! trained with Adam, and the validation cycle that uses them on simulated fields.
//!
//! All of it is written once for `f32` (the precision of MFN 4.1) and `f64`, without a deep-learning
//! framework: the forward and backward passes are the loops that the equations in
//! `docs/numerics/learning.md` say. Nothing depends on the number of threads.

mod adam;
mod attention;
mod error;
mod linear;
mod network;
mod stdp;
mod top_k;
mod traces;
pub mod validation;

pub use adam::AdamConfig;
pub use attention::{AttentionConfig, SparseAttention};
pub use error::LearningError;
pub use network::{Network, NetworkConfig, ParameterBlock};
pub use stdp::{Stdp, WeightBounds};
pub use traces::{SpikeTraces, TRACES_TABLE};

use crate::bounds::{Bound, closed, whole};

const fn time_constant(field: &'static str, meaning: &'static str) -> Bound {
    closed(field, (0.005, 0.1), 0.02, "s", meaning)
}

/// The bounds of the numeric settings of the learning parts.
pub const SETTINGS_TABLE: [Bound; 14] = [
    time_constant("tau_plus_s", "time constant of potentiation"),
    time_constant("tau_minus_s", "time constant of depression"),
    closed("a_plus", (0.001, 0.1), 0.01, "1", "largest potentiation of one pair of spikes"),
    closed("a_minus", (0.001, 0.1), 0.012, "1", "largest depression of one pair of spikes"),
    closed("weight_min", (-1e6, 1e6), 0.0, "1", "smallest weight"),
    closed("weight_max", (-1e6, 1e6), 1.0, "1", "largest weight, above the smallest"),
    whole(closed("embed_dim", (1.0, 4096.0), 32.0, "1", "numbers in a token")),
    whole(closed("num_heads", (1.0, 4096.0), 1.0, "1", "heads; a divisor of the token length")),
    whole(closed("top_k", (1.0, 65_536.0), 4.0, "1", "keys that a query attends to")),
    whole(closed("input_dim", (1.0, 4096.0), 4.0, "1", "numbers in an input token")),
    whole(closed("hidden_dim", (2.0, 1024.0), 32.0, "1", "width of the hidden layers")),
    closed("learning_rate", (1e-12, 1.0), 1e-3, "1", "step size of Adam"),
    Bound { max_inclusive: false, ..closed("beta", (0.0, 1.0), 0.9, "1", "decay of a moment of Adam") },
    closed("epsilon", (1e-30, 1.0), 1e-8, "1", "guard of Adam against division by zero"),
];
