//! Reading a specification: absent fields take the defaults of the mode that it names.

use serde::{Deserialize, Deserializer, de};

use super::{BoundaryCondition, Compat, InitialCondition, PRESETS, Precision, RngKind, Spec};
use crate::kinetics::Kinetics;

/// Every field of a specification once: as `Given`, where each may be absent, and as the code
/// that lays what is given over a preset.
macro_rules! fields {
    ($($field:ident: $type:ty),+ $(,)?; optional $($optional:ident: $inner:ty),+ $(,)?) => {
        /// What is written in a specification.
        #[derive(Deserialize)]
        #[serde(rename = "Spec", deny_unknown_fields)]
        struct Given {
            #[serde(default)]
            preset: Option<String>,
            $(#[serde(default, deserialize_with = "present")] $field: Option<$type>,)+
            $(#[serde(default)] $optional: Option<$inner>,)+
        }

        impl Given {
            fn over(self, base: Spec) -> Spec {
                Spec {
                    $($field: self.$field.unwrap_or(base.$field),)+
                    $($optional: self.$optional.or(base.$optional),)+
                }
            }
        }
    };
}

fields! {
    grid_size: usize,
    steps: u64,
    random_seed: u64,
    alpha: f64,
    spike_probability: f64,
    turing_enabled: bool,
    turing_threshold: f64,
    quantum_jitter: bool,
    jitter_var: f64,
    d_activator: f64,
    d_inhibitor: f64,
    r_activator: f64,
    r_inhibitor: f64,
    boundary_condition: BoundaryCondition,
    check_stability: bool,
    precision: Precision,
    rng: RngKind,
    kinetics: Kinetics,
    initial_condition: InitialCondition,
    initial_noise: f64,
    time_step: f64,
    leak_rate: f64,
    record_every: u64;
    optional
    rows: usize,
    cols: usize,
    compat: Compat,
}

/// A field that is there has a value: null is refused, as it is for a field that may not be
/// absent.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl<'de> Deserialize<'de> for Spec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = Given::deserialize(deserializer)?;
        let base = match (given.compat, given.preset.as_deref()) {
            (Some(Compat::V4_1), None | Some("v4.1")) => Self::v4_1(),
            (None, Some(name)) => Self::preset(name).ok_or_else(|| unknown_preset(name))?,
            (None, None) => Self::default(),
            (Some(compat), Some(preset)) => {
                return Err(de::Error::custom(format!(
                    "preset {preset:?} does not go with compat {:?}: leave one of them out",
                    compat.name()
                )));
            }
        };
        Ok(given.over(base))
    }
}

fn unknown_preset<E: de::Error>(name: &str) -> E {
    let known: Vec<String> = PRESETS.iter().map(|(known, _)| format!("`{known}`")).collect();
    E::custom(format!("unknown preset `{name}`, expected one of {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Spec, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// Guards which defaults absent fields take, in each mode.
    #[test]
    fn absent_fields_take_the_defaults_of_the_mode() {
        assert_eq!(read("{}"), Ok(Spec::default()));
        assert_eq!(read(r#"{"compat": null}"#), Ok(Spec::default()));
        assert_eq!(read(r#"{"preset": "mycelium"}"#), Ok(Spec::default()));
        assert_eq!(read(r#"{"preset": "v4.1"}"#), Ok(Spec::v4_1()));
        let given = read(r#"{"compat": "v4.1", "grid_size": 9, "alpha": 0.1}"#);
        assert_eq!(given, Ok(Spec { grid_size: 9, alpha: 0.1, ..Spec::v4_1() }));
        let given = read(r#"{"rows": 3, "cols": 70, "precision": "f32", "rng": "pcg64"}"#);
        let wanted = Spec {
            rows: Some(3),
            cols: Some(70),
            precision: Precision::F32,
            rng: RngKind::Pcg64,
            ..Spec::default()
        };
        assert_eq!(given.as_ref(), Ok(&wanted));
        assert_eq!((wanted.rows(), wanted.cols()), (3, 70));
    }

    /// Guards that every preset survives its own JSON.
    #[test]
    fn a_specification_survives_its_json() {
        for (name, make) in PRESETS {
            let spec = make();
            assert_eq!(spec.validate(), Ok(()), "{name}");
            let json = serde_json::to_string(&spec).expect("JSON");
            assert_eq!(read(&json), Ok(spec), "{json}");
        }
    }

    /// Guards the refusals and that each names what is wrong.
    #[test]
    fn refusals_name_the_field() {
        for (text, named) in [
            (r#"{"gridsize": 3}"#, "unknown field `gridsize`, expected one of `preset`, `grid_size`"),
            (r#"{"alpha": 0.1, "alpha": 0.2}"#, "duplicate field `alpha`"),
            (r#"{"alpha": null}"#, "invalid type: null"),
            (r#"{"compat": "v4.2"}"#, "unknown variant `v4.2`, expected `v4.1`"),
            (r#"{"preset": "moss"}"#, "unknown preset `moss`, expected one of `mycelium`"),
            (r#"{"preset": "mycelium", "compat": "v4.1"}"#, "leave one of them out"),
            (r#"{"precision": "f16"}"#, "unknown variant `f16`, expected `f64` or `f32`"),
            (r#"{"kinetics": "mould"}"#, "unknown variant `mould`"),
        ] {
            let refused = read(text).expect_err(text);
            assert!(refused.contains(named), "{text}: {refused}");
        }
    }
}
