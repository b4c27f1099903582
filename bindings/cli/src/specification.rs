//! Reading a specification that the user names, and what to say of one that forms no pattern.

use std::path::Path;

use mfn_runtime::codec::{self, DecodeError, Observation};
use mfn_sim::{Spec, kinetics::spec_warnings};
use serde::Serialize;

use crate::{
    failure::{Failure, Fault, warn},
    input,
};

/// Reads and checks a specification in a JSON file, or on standard input for `-`.
pub(crate) fn read(path: &Path) -> Result<Spec, Failure> {
    let name = input::name(path);
    let refused = |error: &DecodeError| match error {
        DecodeError::Spec(error) => Failure::faults(
            error
                .faults()
                .iter()
                .map(|fault| Fault { what: format!("{name}: {fault}"), fix: fault.advice() })
                .collect(),
        ),
        other => Failure::usage(format!("{name}: {other}"), "correct the specification; NaN is not JSON"),
    };
    let document = input::read(path)?;
    match codec::decode(codec::JSON, &document).map_err(|error| refused(&error))? {
        Observation::Simulation(spec) => Ok(*spec),
        Observation::Field(_) => Err(Failure::usage(format!("{name} is a field"), "name a specification")),
    }
}

/// A warning for scripts.
#[derive(Serialize)]
pub(crate) struct Warning {
    /// What was found.
    message: String,
    /// What to change.
    fix: String,
}

/// The warnings of a specification.
pub(crate) fn warnings(spec: &Spec) -> Vec<Warning> {
    spec_warnings(spec)
        .iter()
        .map(|warning| Warning { message: warning.to_string(), fix: warning.advice() })
        .collect()
}

/// Writes warnings to standard error.
pub(crate) fn report(warnings: &[Warning]) {
    for warning in warnings {
        warn(&warning.message, &warning.fix);
    }
}
