//! A specification as JSON: parse, validate, and a run that is small enough for a fuzzer.

use std::ops::ControlFlow;

use mfn_runtime::codec::{self, DecodeError, Observation};
use mfn_sim::{RunEnd, SimError, Simulation, Spec};

/// The most cells times steps that one input may cost.
const CELL_STEPS_MAX: u128 = 64 * 64 * 8;

/// Bytes that may be a specification.
///
/// Holds for every input: it is refused with a message, and where values are out of range with faults
/// that name a field; or it can be run. A run keeps the potential in its bounds, and a specification
/// survives its own JSON.
pub fn spec(bytes: &[u8]) {
    let spec = match codec::decode(codec::JSON, bytes) {
        Ok(Observation::Simulation(spec)) => *spec,
        Ok(Observation::Field(_)) => unreachable!("JSON is read as a field"),
        Err(DecodeError::Spec(error)) => {
            assert!(!error.faults().is_empty(), "a refusal without a fault");
            assert!(error.faults().iter().all(|fault| !fault.field().is_empty()));
            return;
        }
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let json = serde_json::to_string(&spec).expect("a valid specification is JSON");
    assert_eq!(serde_json::from_str::<Spec>(&json).ok().as_ref(), Some(&spec), "{json}");

    let short = |side: Option<usize>| side.map(|side| side.min(64));
    let (rows, cols) = (short(spec.rows), short(spec.cols));
    let spec = Spec { grid_size: spec.grid_size.min(64), rows, cols, ..spec };
    let cells = spec.rows() as u128 * spec.cols() as u128;
    let steps = u64::try_from(CELL_STEPS_MAX / cells).unwrap_or(0).min(spec.steps);
    let checked = spec.check_stability;
    let mut simulation = Simulation::new(spec).expect("a valid specification makes a simulation");
    match simulation.run(steps, &mut |_| ControlFlow::Continue(())) {
        Ok(end) => {
            assert_eq!(end, RunEnd::Completed);
            assert_eq!(simulation.step_count(), steps);
        }
        // Kinetics of a host that gave none.
        Err(SimError::HostReaction { step, .. }) => assert_eq!(step, 0),
        Err(error) => assert!(matches!(error, SimError::Unstable { .. }), "{error}"),
    }
    if steps > 0 && checked {
        assert!(simulation.field().iter().all(|volts| (-0.095..=0.040).contains(volts)));
    }
    let features = simulation.features();
    assert!((0.0..=1.0).contains(&features.f_active));
}
