//! Checking a specification: every number against its table, and what does not go together.

use super::{Compat, InitialCondition, Precision, RngKind, Spec};
use crate::bounds::{Bound, CELLS_BOUND, NUMBER_TABLE, TABLE, V4_1_TABLE, choice_bound};
use crate::error::{FaultKind, SpecError, SpecFault};
use crate::kinetics::Kinetics;

impl Spec {
    /// Checks every field and reports every fault at once.
    ///
    /// # Errors
    /// [`SpecError`] with one fault for each value that is NaN, infinite or out of its range,
    /// and one for each choice that does not go with another.
    pub fn validate(&self) -> Result<(), SpecError> {
        let table: &'static [Bound] = match self.compat {
            Some(Compat::V4_1) => &V4_1_TABLE,
            None => &TABLE,
        };
        let mut faults = SpecFault::faults_of(table, |field| self.value_of(field));
        if self.compat.is_none() {
            faults.extend(SpecFault::faults_of(&NUMBER_TABLE, |field| self.number_of(field)));
        }
        if faults.is_empty() {
            faults.extend(SpecFault::check(&CELLS_BOUND, self.rows() as f64 * self.cols() as f64));
        }
        if let Err(error) = self.kinetics.validate() {
            faults.extend_from_slice(error.faults());
        }
        faults.extend(self.incompatibilities());
        SpecError::of(faults)
    }

    /// The numeric value of a field of a table of bounds.
    fn value_of(&self, field: &str) -> Option<f64> {
        Some(match field {
            "grid_size" => self.grid_size as f64,
            "rows" => self.rows? as f64,
            "cols" => self.cols? as f64,
            "steps" => self.steps as f64,
            "d_activator" => self.d_activator,
            "d_inhibitor" => self.d_inhibitor,
            "alpha" => self.alpha,
            "r_activator" => self.r_activator,
            "r_inhibitor" => self.r_inhibitor,
            "turing_threshold" => self.turing_threshold,
            "spike_probability" => self.spike_probability,
            "jitter_var" => self.jitter_var,
            "initial_noise" => self.initial_noise,
            "time_step" => self.time_step,
            "leak_rate" => self.leak_rate,
            "record_every" => self.record_every as f64,
            // Every u64 is a seed; its row is there for the other crates and the documents.
            _ => return None,
        })
    }

    /// The value of a product with the time step; `None` when one of its factors is refused
    /// already, so that no fault comes twice.
    fn number_of(&self, name: &str) -> Option<f64> {
        let accepted = |field: &str| {
            let value = self.value_of(field)?;
            Bound::of(field)?.contains(value).then_some(value)
        };
        let time_step = accepted("time_step")?;
        Some(match name {
            "time_step * d_activator" => time_step * accepted("d_activator")?,
            "time_step * d_inhibitor" => time_step * accepted("d_inhibitor")?,
            "time_step * (alpha + leak_rate / 8)" => {
                time_step * (accepted("alpha")? + accepted("leak_rate")? / 8.0)
            }
            "time_step * spike_probability" => time_step * accepted("spike_probability")?,
            _ => return None,
        })
    }

    /// Choices that do not go together.
    fn incompatibilities(&self) -> Vec<SpecFault> {
        let mut faults = Vec::new();
        let mut refuse = |field, given: Option<&'static str>, value: f64, with, needed| {
            let kind = FaultKind::Incompatible { given, with, needed };
            faults.push(SpecFault { kind, value, bound: choice_bound(field) });
        };
        if self.compat == Some(Compat::V4_1) {
            let mut needs = |field, given: &'static str, wanted: &'static str, needed| {
                if given != wanted {
                    refuse(field, Some(given), f64::NAN, "compat = v4.1", needed);
                }
            };
            let (precision, rng) = (Precision::F64.name(), RngKind::Pcg64.name());
            needs("precision", self.precision.name(), precision, "MFN 4.1 computes in f64");
            needs("rng", self.rng.name(), rng, "its random stream is pcg64");
            needs("kinetics", self.kinetics.name(), Kinetics::V4_1.name(), "its kinetics is v4.1");
            let random = InitialCondition::Random.name();
            needs("initial_condition", self.initial_condition.name(), random, "it starts from random");
            for (field, value, wanted, needed) in [
                ("rows", self.rows.unwrap_or(self.grid_size) as f64, self.grid_size as f64, "use grid_size"),
                ("cols", self.cols.unwrap_or(self.grid_size) as f64, self.grid_size as f64, "use grid_size"),
                ("time_step", self.time_step, 1.0, "its time step is 1"),
                ("leak_rate", self.leak_rate, 0.0, "it has no leak"),
            ] {
                if value != wanted {
                    refuse(field, None, value, "compat = v4.1", needed);
                }
            }
        }
        let initial = Some(self.initial_condition.name());
        match (self.initial_condition, self.kinetics) {
            (InitialCondition::Steady, kinetics) if kinetics.steady_states().is_empty() => {
                refuse(
                    "initial_condition",
                    initial,
                    f64::NAN,
                    "this kinetics",
                    "its steady state is unknown",
                );
            }
            (InitialCondition::Seeded, kinetics) if !matches!(kinetics, Kinetics::GrayScott(_)) => {
                refuse("initial_condition", initial, f64::NAN, "this kinetics", "use gray-scott or steady");
            }
            _ => {}
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(spec: &Spec) -> Vec<String> {
        spec.validate()
            .err()
            .map_or(Vec::new(), |error| error.faults().iter().map(|fault| fault.field().to_owned()).collect())
    }

    /// Guards that the tables state the defaults that the presets have.
    #[test]
    fn the_tables_state_the_defaults() {
        for (table, spec) in [(&TABLE[..], Spec::default()), (&V4_1_TABLE[..], Spec::v4_1())] {
            for bound in table.iter().filter(|bound| bound.field != "random_seed") {
                assert_eq!(spec.value_of(bound.field), bound.default, "{}", bound.field);
            }
        }
    }

    /// Guards each choice that compat v4.1 refuses, all at once and by name.
    #[test]
    fn compat_refuses_what_v4_1_did_not_have() {
        let spec = Spec { compat: Some(Compat::V4_1), rows: Some(3), time_step: 0.5, ..Spec::default() };
        let spec = Spec { precision: Precision::F32, r_activator: 0.01, r_inhibitor: 0.02, ..spec };
        let spec = Spec { turing_threshold: 0.75, ..spec };
        let named = faults(&spec);
        let wanted = ["precision", "rng", "kinetics", "initial_condition", "rows", "time_step", "leak_rate"];
        assert_eq!(named, wanted);
        let text = spec.validate().expect_err("refused").to_string();
        assert!(text.contains("rng = philox does not go with compat = v4.1"), "{text}");
        assert!(text.contains("time_step = 0.5 does not go with compat = v4.1"), "{text}");
    }

    /// Guards the limits of a step: products with the time step, each fault once.
    #[test]
    fn limits_hold_for_products_with_the_time_step() {
        let fast = Spec { time_step: 0.01, d_activator: 20.0, ..Spec::default() };
        assert_eq!(faults(&fast), [""; 0]);
        assert_eq!(faults(&Spec { time_step: 0.02, ..fast.clone() }), ["time_step * d_activator"]);
        assert_eq!(faults(&Spec { d_activator: f64::NAN, ..fast.clone() }), ["d_activator"]);
        let leaky = Spec { alpha: 0.2, leak_rate: 0.41, ..Spec::default() };
        assert_eq!(faults(&leaky), ["time_step * (alpha + leak_rate / 8)"]);
        let wide = Spec { rows: Some(65_536), cols: Some(65_536), ..Spec::default() };
        assert_eq!(faults(&wide), ["rows * cols"]);
        assert_eq!(faults(&Spec { rows: Some(1), cols: Some(65_536), ..Spec::default() }), [""; 0]);
    }

    /// Guards initial conditions that a kinetics cannot have.
    #[test]
    fn initial_conditions_fit_the_kinetics() {
        for initial_condition in [InitialCondition::Steady, InitialCondition::Seeded] {
            let spec = Spec { kinetics: Kinetics::Host, initial_condition, ..Spec::default() };
            assert_eq!(faults(&spec), ["initial_condition"]);
        }
    }
}
