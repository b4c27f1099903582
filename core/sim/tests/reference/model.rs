//! Runs of v4.1's second simulator: the field bit for bit, the events exactly.

use std::ops::ControlFlow;

use mfn_sim::model::{ModelParameters, simulate_mycelium_field};
use mfn_sim::rng::Generator;

use crate::load::{Entry, assert_same_bits, checksum, number, whole};

pub(crate) fn check(entry: &Entry) {
    let mut parameters = ModelParameters::default();
    let mut seed = 42;
    for (name, value) in &entry.params {
        let flag = || value.as_bool().expect("a flag");
        match name.as_str() {
            "grid_size" => parameters.grid_size = whole(value),
            "steps" => parameters.steps = whole(value),
            "alpha" => parameters.alpha = number(value),
            "spike_probability" => parameters.spike_probability = number(value),
            "turing_enabled" => parameters.turing_enabled = flag(),
            "turing_threshold" => parameters.turing_threshold = number(value),
            "quantum_jitter" => parameters.quantum_jitter = flag(),
            "jitter_var" => parameters.jitter_var = number(value),
            "rng" => seed = seed_of(value),
            other => panic!("{}: parameter {other} is not understood", entry.id),
        }
    }
    let mut generator = Generator::new(seed);
    let run = simulate_mycelium_field(&mut generator, &parameters, &mut |_| ControlFlow::Continue(()))
        .expect("accepted parameters");
    assert_same_bits(&entry.id, &run.field, &entry.grid("field"));
    assert_eq!(checksum(&run.field), entry.expected["sha256_field"].as_str().expect("checksum"));
    assert_eq!(run.growth_events, whole::<u64>(&entry.expected["growth_events"]), "{}: events", entry.id);
}

/// The seed in a text such as `default_rng(42)`.
pub(crate) fn seed_of(value: &serde_json::Value) -> u64 {
    let text = value.as_str().expect("a random stream");
    let seed = text.strip_prefix("default_rng(").and_then(|rest| rest.strip_suffix(')'));
    seed.and_then(|seed| seed.parse().ok()).unwrap_or_else(|| panic!("{text} is not understood"))
}
