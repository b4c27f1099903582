//! The kinetics as data and as equations: names and bounds, steady states, derivatives.

use mfn_sim::kinetics::{Kinetics, Reaction, Visitor};
use proptest::prelude::*;
use serde_json::{Value, json};

/// The rates of a kinetics at one point, in double precision.
struct RatesAt(f64, f64);

impl Visitor<f64> for RatesAt {
    type Output = (f64, f64);

    fn reaction<R: Reaction<f64>>(self, reaction: R) -> (f64, f64) {
        reaction.rates(self.0, self.1)
    }

    fn host(self) -> (f64, f64) {
        (f64::NAN, f64::NAN)
    }
}

fn rates(kinetics: &Kinetics, u: f64, v: f64) -> (f64, f64) {
    kinetics.visit(1.0, 1.0, RatesAt(u, v))
}

/// Any kinetics of the library with parameters drawn from `share` of their ranges: 0 is the
/// lower end, 1 the upper one.
fn drawn(name: &str, shares: &[f64]) -> Kinetics {
    let kinetics = Kinetics::by_name(name).expect("a known name");
    let mut object = serde_json::Map::new();
    object.insert("name".to_owned(), json!(name));
    for (bound, share) in kinetics.bounds().iter().zip(shares) {
        let field = bound.field.strip_prefix("kinetics.").expect("a path");
        let value = bound.min + share * (bound.max - bound.min);
        object.insert(field.to_owned(), json!(value));
    }
    serde_json::from_value(Value::Object(object)).expect("known parameters")
}

fn any_kinetics() -> impl Strategy<Value = Kinetics> {
    let names = prop::sample::select(Kinetics::NAMES[..6].to_vec());
    (names, prop::array::uniform4(0.0..=1.0f64)).prop_map(|(name, shares)| drawn(name, &shares))
}

/// Guards the names: each gives a kinetics of that name, whose defaults are those of its table
/// and in their ranges, in both JSON forms and back.
#[test]
fn names_defaults_and_json_agree() {
    for name in Kinetics::NAMES {
        let kinetics = Kinetics::by_name(name).unwrap();
        assert_eq!(kinetics.name(), name);
        kinetics.validate().unwrap();
        let defaults: Vec<f64> = kinetics.bounds().iter().map(|bound| bound.default.unwrap()).collect();
        assert_eq!(kinetics.values(), defaults, "{name}");
        for form in [json!(name), json!({"name": name})] {
            assert_eq!(serde_json::from_value::<Kinetics>(form).unwrap(), kinetics);
        }
        let written = serde_json::to_value(kinetics).unwrap();
        assert_eq!(serde_json::from_value::<Kinetics>(written).unwrap(), kinetics);
    }
}

/// Guards refusals: an unknown name or parameter, a value of the wrong type, no name.
#[test]
fn unknown_names_and_parameters_are_refused() {
    for (bad, said) in [
        (json!("grey-scott"), "unknown variant `grey-scott`"),
        (json!({"name": "turing"}), "unknown variant `turing`"),
        (json!({"name": "gray-scott", "fed": 0.1}), "unknown field `fed`"),
        (json!({"name": "v4.1", "feed": 0.1}), "unknown field `feed`"),
        (json!({"name": "host", "feed": 0.1}), "unknown field `feed`"),
        (json!({"feed": 0.1}), "missing field `name`"),
        (json!({"name": "gray-scott", "feed": "much"}), "invalid type"),
        (json!(3), "the name of a kinetics"),
    ] {
        let message = serde_json::from_value::<Kinetics>(bad).unwrap_err().to_string();
        assert!(message.contains(said), "{message}");
    }
}

/// Guards the bounds: just outside an end, NaN and infinity are faults that name the parameter.
#[test]
fn parameters_outside_their_range_are_faults() {
    let mut kinetics = mfn_sim::kinetics::GrayScott::default();
    for bad in [-1e-9, 1.0 + 1e-9, f64::NAN, f64::INFINITY] {
        kinetics.kill = bad;
        let error = Kinetics::GrayScott(kinetics).validate().unwrap_err();
        assert_eq!(error.faults().len(), 1);
        assert_eq!(error.faults()[0].field(), "kinetics.kill");
    }
    let open = json!({"name": "brusselator", "a": 0.0});
    assert!(serde_json::from_value::<Kinetics>(open).unwrap().validate().is_err());
}

/// Guards the operation order that the page of the kinetics states: the rates at a point where
/// rounding shows, written out once more.
#[test]
fn operation_order_is_the_documented_one() {
    let (u, v) = (0.7, 1.3);
    let c = (u * u) * v;
    let expected = [
        ("v4.1", (u * (1.0 - u) - v, u - v)),
        ("gray-scott", (c - (0.06 + 0.062) * u, 0.06 * (1.0 - v) - c)),
        ("schnakenberg", ((0.1 - u) + c, 0.9 - c)),
    ];
    for (name, (f, g)) in expected {
        let got = rates(&Kinetics::by_name(name).unwrap(), u, v);
        assert_eq!((got.0.to_bits(), got.1.to_bits()), (f.to_bits(), g.to_bits()), "{name}");
    }
}

proptest! {
    /// Guards the closed forms of the derivatives: each entry equals the central difference of
    /// the rates, over the whole range of parameters.
    #[test]
    fn jacobian_is_the_derivative_of_the_rates(
        kinetics in any_kinetics(), u in 0.1..3.0f64, v in 0.3..3.0f64,
    ) {
        let jacobian = kinetics.jacobian(u, v).unwrap();
        let h = 1e-5;
        let ((f_right, g_right), (f_left, g_left)) = (rates(&kinetics, u + h, v), rates(&kinetics, u - h, v));
        let ((f_up, g_up), (f_down, g_down)) = (rates(&kinetics, u, v + h), rates(&kinetics, u, v - h));
        let numeric = [
            [(f_right - f_left) / (2.0 * h), (f_up - f_down) / (2.0 * h)],
            [(g_right - g_left) / (2.0 * h), (g_up - g_down) / (2.0 * h)],
        ];
        for (row, expected) in jacobian.iter().zip(&numeric) {
            for (entry, difference) in row.iter().zip(expected) {
                prop_assert!(
                    (entry - difference).abs() <= 1e-5 * (1.0 + entry.abs()),
                    "{kinetics:?} at ({u}, {v}): {jacobian:?} is not {numeric:?}"
                );
            }
        }
    }

    /// Guards the steady states: the rates vanish there, to rounding, over the whole range of
    /// parameters; and the analysis never gives a point that is not finite.
    #[test]
    fn rates_vanish_at_steady_states(kinetics in any_kinetics()) {
        for (u, v) in kinetics.steady_states() {
            prop_assert!(u.is_finite() && v.is_finite());
            let (f, g) = rates(&kinetics, u, v);
            let [[f_u, f_v], [g_u, g_v]] = kinetics.jacobian(u, v).unwrap();
            let scale = 1.0 + (f_u.abs() + g_u.abs()) * (1.0 + u.abs()) + (f_v.abs() + g_v.abs()) * (1.0 + v.abs());
            prop_assert!(f.abs() <= 1e-10 * scale && g.abs() <= 1e-10 * scale,
                "{kinetics:?}: rates ({f}, {g}) at ({u}, {v})");
        }
    }
}
