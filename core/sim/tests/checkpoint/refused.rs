//! Bytes and states that are refused.

use std::sync::Arc;

use mfn_sim::checkpoint::{self, CheckpointError};
use mfn_sim::kinetics::Kinetics;
use mfn_sim::{
    FeatureConfig, FieldPlanes, InitialCondition, Precision, RngKind, SimError, Simulation, SimulationState,
    Spec,
};

use crate::draws::Rotation;

fn state(precision: Precision, rng: RngKind) -> SimulationState {
    let spec = Spec { rows: Some(4), cols: Some(4), precision, rng, ..Spec::default() };
    let mut simulation = Simulation::new(spec).unwrap();
    simulation.enable_temporal_features(&FeatureConfig::default()).unwrap();
    for _ in 0..3 {
        simulation.step().unwrap();
    }
    simulation.state()
}

fn refusal(state: &SimulationState) -> CheckpointError {
    match checkpoint::restore(&checkpoint::encode_state(state)) {
        Err(error) => error,
        Ok(_) => panic!("accepted: {state:?}"),
    }
}

/// Guards every byte of the file: none can change, be missing or be added, in any section, without a
/// refusal. A change of a byte is 1 to 8 neighbouring bits, which a CRC never misses.
#[test]
fn every_damaged_byte_is_noticed() {
    for (precision, rng) in [(Precision::F64, RngKind::Pcg64), (Precision::F32, RngKind::Philox)] {
        let bytes = checkpoint::encode_state(&state(precision, rng));
        assert!(checkpoint::restore(&bytes).is_ok());
        for at in 0..bytes.len() {
            for change in [0x01, 0x80, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] ^= change;
                assert!(checkpoint::restore(&damaged).is_err(), "byte {at} with {change:#x}");
            }
            let cut = checkpoint::restore(&bytes[..at]).unwrap_err();
            assert!(matches!(cut, CheckpointError::Truncated { .. }), "{at} bytes: {cut}");
        }
        let longer = [&bytes[..], &[0; 8]].concat();
        assert_eq!(checkpoint::restore(&longer).unwrap_err(), CheckpointError::Trailing { extra: 8 });
    }
}

/// What makes a state of no run out of that of one.
type Damage = fn(&mut SimulationState);

/// Guards the refusals of what has the right checksum: parts that do not fit together, and numbers that
/// no run has. Each names its section or the field.
#[test]
fn states_of_no_run_are_refused() {
    let good = || state(Precision::F64, RngKind::Pcg64);
    let cases: [(&str, Damage); 13] = [
        ("alpha", |state| state.spec.alpha = 0.5),
        ("rows", |state| state.spec.rows = Some(0)),
        ("FILD", |state| state.spec.rows = Some(5)),
        ("FILD", |state| state.spec.precision = Precision::F32),
        ("ACTV", |state| {
            if let FieldPlanes::F64(planes) = &mut state.fields {
                planes[1].pop();
            }
        }),
        ("random stream", |state| state.pcg64 = None),
        ("random stream", |state| state.spec.rng = RngKind::Philox),
        ("RUN ", |state| state.counters.steps = u64::MAX),
        ("RUN ", |state| state.counters.growth_events = 4),
        ("RUN ", |state| state.counters.unstable_step = Some(9)),
        ("RACT", |state| state.maps[3] = Some(vec![0.5; 15])),
        ("d_inhibitor", |state| state.maps[2] = Some(vec![0.3; 16])),
        ("TEMP", |state| (state.counters.steps, state.counters.growth_events) = (2, 0)),
    ];
    for (named, change) in cases {
        let mut state = good();
        change(&mut state);
        let refusal = refusal(&state).to_string();
        assert!(refusal.contains(named), "{named} is not named: {refusal}");
    }
}

/// Guards against a run that goes on with other kinetics than it began with: without the host's it takes no
/// step, and a run with kinetics of the library takes none of a host.
#[test]
fn host_kinetics_are_asked_for_again() {
    let spec = Spec {
        grid_size: 4,
        kinetics: Kinetics::Host,
        initial_condition: InitialCondition::Random,
        ..Spec::default()
    };
    let bytes = checkpoint::encode(&Simulation::new(spec).unwrap());
    let mut restored = checkpoint::restore(&bytes).unwrap();
    assert!(restored.lacks_host_reaction());
    assert!(matches!(restored.step(), Err(SimError::HostReaction { step: 0, .. })));
    assert_eq!(checkpoint::encode(&restored), bytes);
    restored.set_host_reaction(Arc::new(Rotation)).unwrap();
    restored.step().unwrap();
    let other = checkpoint::encode_state(&state(Precision::F64, RngKind::Philox));
    let refused = checkpoint::restore(&other).unwrap().set_host_reaction(Arc::new(Rotation));
    assert!(matches!(refused, Err(SimError::NoHostKinetics { .. })));
}
