//! The second simulator of v4.1 over its whole range: bounded fields or a typed refusal.

use std::ops::ControlFlow;

use mfn_sim::RunEnd;
use mfn_sim::model::{ModelError, ModelParameters, simulate_mycelium_field};
use mfn_sim::rng::Generator;
use proptest::prelude::*;

fn anything(range: std::ops::Range<f64>) -> impl Strategy<Value = f64> {
    prop_oneof![8 => range, 1 => any::<f64>()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Guards every parameter there is: a field inside the clamp, also beyond the limit of
    /// stability, or a refusal that has drawn nothing.
    #[test]
    fn runs_are_total(
        grid_size in prop_oneof![8 => 1usize..20, 1 => 0usize..70_000],
        steps in 0u64..12,
        alpha in anything(0.0..1.0),
        spike_probability in anything(0.0..1.0),
        turing_threshold in anything(0.0..1.0),
        jitter_var in anything(0.0..1.0),
        (turing_enabled, quantum_jitter) in any::<(bool, bool)>(),
        seed in any::<u64>(),
    ) {
        let parameters = ModelParameters {
            grid_size, steps, alpha, spike_probability, turing_enabled, turing_threshold, quantum_jitter, jitter_var,
        };
        let mut generator = Generator::new(seed);
        match simulate_mycelium_field(&mut generator, &parameters, &mut |_| ControlFlow::Continue(())) {
            Ok(run) => {
                prop_assert_eq!(run.field.dim(), (grid_size, grid_size));
                prop_assert!(steps == 0 || run.field.iter().all(|v| (-0.095..=0.040).contains(v)));
                prop_assert!(run.growth_events <= steps && run.end == RunEnd::Completed);
            }
            Err(error) => {
                prop_assert!(matches!(error, ModelError::Parameters(_)) && parameters.validate().is_err());
                prop_assert!(generator == Generator::new(seed));
            }
        }
    }
}

/// Guards cancelling: the field is that of the last step done.
#[test]
fn a_run_can_be_stopped() {
    let run = |steps: u64, stop_at: u64| {
        let parameters = ModelParameters { grid_size: 8, steps, ..ModelParameters::default() };
        simulate_mycelium_field(&mut Generator::new(1), &parameters, &mut |now| {
            if now.step == stop_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap()
    };
    let stopped = run(1000, 7);
    assert_eq!((stopped.end, run(7, 7).end), (RunEnd::Cancelled, RunEnd::Completed));
    assert_eq!(stopped.field, run(7, 7).field);
}
