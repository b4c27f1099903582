//! A specification as JSON: parse, validate, and a run that is small enough for a fuzzer.

use std::ops::ControlFlow;

use mfn_sim::{RunEnd, SimError, Simulation, Spec};

/// The most cells times steps that one input may cost.
const CELL_STEPS_MAX: u128 = 64 * 64 * 8;

/// Bytes that may be a specification.
///
/// Holds for every input: what parses is either refused with faults that name a field, or can be run; a
/// run keeps the potential in its bounds; and a specification survives its own JSON.
pub fn spec(bytes: &[u8]) {
    let Ok(spec) = serde_json::from_slice::<Spec>(bytes) else { return };
    if let Err(error) = spec.validate() {
        assert!(!error.faults().is_empty(), "a refusal without a fault");
        assert!(error.faults().iter().all(|fault| !fault.field().is_empty()));
        assert!(matches!(Simulation::new(spec), Err(SimError::Spec(_))), "validate and new disagree");
        return;
    }
    let json = serde_json::to_string(&spec).expect("a valid specification is JSON");
    assert_eq!(serde_json::from_str::<Spec>(&json).ok().as_ref(), Some(&spec), "{json}");

    let spec = Spec { grid_size: spec.grid_size.min(64), ..spec };
    let cells = spec.rows() as u128 * spec.cols() as u128;
    let steps = u64::try_from(CELL_STEPS_MAX / cells).unwrap_or(0).min(spec.steps);
    let checked = spec.check_stability;
    let mut simulation = Simulation::new(spec).expect("a valid specification makes a simulation");
    match simulation.run(steps, &mut |_| ControlFlow::Continue(())) {
        Ok(end) => {
            assert_eq!(end, RunEnd::Completed);
            assert_eq!(simulation.step_count(), steps);
        }
        Err(error) => assert!(matches!(error, SimError::Unstable { .. }), "{error}"),
    }
    if steps > 0 && checked {
        assert!(simulation.field().iter().all(|volts| (-0.095..=0.040).contains(volts)));
    }
    let features = simulation.features();
    assert!((0.0..=1.0).contains(&features.f_active));
}
