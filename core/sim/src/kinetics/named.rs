//! [`Kinetics`]: a kinetics by name, with its parameters, as a specification has it.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::local::{Local, Matrix2};
use super::{Brusselator, FitzHughNagumo, GiererMeinhardt, GrayScott, Scaled, Schnakenberg, V4_1, Visitor};
use crate::bounds::Bound;
use crate::error::{SpecError, SpecFault};
use crate::real::Real;

/// Which kinetics a run has, with its parameters.
///
/// In JSON either a name (`"gray-scott"`, with default parameters) or an object
/// (`{"name": "gray-scott", "feed": 0.04, "kill": 0.06}`, absent parameters take their
/// default). Unknown names and parameters are refused. The ranges are
/// [`bounds`](Self::bounds).
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Kinetics {
    /// `v4.1`: that of MyceliumFractalNet 4.1, without parameters of its own.
    V4_1,
    /// `gray-scott`.
    GrayScott(GrayScott),
    /// `schnakenberg`.
    Schnakenberg(Schnakenberg),
    /// `gierer-meinhardt`.
    GiererMeinhardt(GiererMeinhardt),
    /// `fitzhugh-nagumo`.
    FitzHughNagumo(FitzHughNagumo),
    /// `brusselator`.
    Brusselator(Brusselator),
    /// `host`: the rates come from a [`HostReaction`](super::HostReaction).
    Host,
}

const HOST: &str = "host";

/// Runs `$body` with `$local` bound to the parameters of the kinetics, or gives `$host`.
macro_rules! with_local {
    ($kinetics:expr, $local:ident => $body:expr, host => $host:expr) => {
        match $kinetics {
            Kinetics::V4_1 => {
                let $local = &V4_1;
                $body
            }
            Kinetics::GrayScott($local) => $body,
            Kinetics::Schnakenberg($local) => $body,
            Kinetics::GiererMeinhardt($local) => $body,
            Kinetics::FitzHughNagumo($local) => $body,
            Kinetics::Brusselator($local) => $body,
            Kinetics::Host => $host,
        }
    };
}

fn name_of<L: Local>(_: &L) -> &'static str {
    L::NAME
}

fn bounds_of<L: Local>(_: &L) -> &'static [Bound] {
    L::BOUNDS
}

impl Kinetics {
    /// The names of all kinetics, in the order of the documents.
    pub const NAMES: [&'static str; 7] = [
        V4_1::NAME,
        GrayScott::NAME,
        Schnakenberg::NAME,
        GiererMeinhardt::NAME,
        FitzHughNagumo::NAME,
        Brusselator::NAME,
        HOST,
    ];

    /// The kinetics of a name, with default parameters; `None` for an unknown name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            V4_1::NAME => Self::V4_1,
            GrayScott::<f64>::NAME => Self::GrayScott(GrayScott::default()),
            Schnakenberg::<f64>::NAME => Self::Schnakenberg(Schnakenberg::default()),
            GiererMeinhardt::<f64>::NAME => Self::GiererMeinhardt(GiererMeinhardt::default()),
            FitzHughNagumo::<f64>::NAME => Self::FitzHughNagumo(FitzHughNagumo::default()),
            Brusselator::<f64>::NAME => Self::Brusselator(Brusselator::default()),
            HOST => Self::Host,
            _ => return None,
        })
    }

    /// The name used in specifications.
    #[must_use]
    pub fn name(&self) -> &'static str {
        with_local!(self, local => name_of(local), host => HOST)
    }

    /// One row for each parameter. `field` is the path in a specification, such as
    /// `kinetics.feed`.
    #[must_use]
    pub fn bounds(&self) -> &'static [Bound] {
        with_local!(self, local => bounds_of(local), host => &[])
    }

    /// The values of the parameters, in the order of [`bounds`](Self::bounds).
    #[must_use]
    pub fn values(&self) -> Vec<f64> {
        with_local!(self, local => local.values(), host => Vec::new())
    }

    /// Checks every parameter and reports every fault at once.
    ///
    /// # Errors
    /// [`SpecError`] with one fault for each value that is NaN, infinite or out of its range.
    pub fn validate(&self) -> Result<(), SpecError> {
        let values = self.values();
        let bounds = self.bounds();
        SpecFault::check_table(bounds, |field| {
            values.get(bounds.iter().position(|bound| bound.field == field)?).copied()
        })
    }

    /// The name with the values of the parameters, for messages:
    /// `gray-scott (feed = 0.06, kill = 0.062)`.
    #[must_use]
    pub fn described(&self) -> String {
        let pairs = self.bounds().iter().zip(self.values());
        let described: Vec<String> =
            pairs.map(|(bound, value)| format!("{} = {value}", parameter_name(bound))).collect();
        match described.as_slice() {
            [] => self.name().to_owned(),
            parameters => format!("{} ({})", self.name(), parameters.join(", ")),
        }
    }

    /// Hands the equations, in the precision `T` and with both rates scaled, to the code that
    /// `visitor` compiles for each kinetics.
    pub fn visit<T: Real, V: Visitor<T>>(&self, r_activator: f64, r_inhibitor: f64, visitor: V) -> V::Output {
        let (r_activator, r_inhibitor) = (T::of(r_activator), T::of(r_inhibitor));
        macro_rules! scaled {
            ($reaction:expr) => {
                visitor.reaction(Scaled { reaction: $reaction, r_activator, r_inhibitor })
            };
        }
        match self {
            Self::V4_1 => scaled!(V4_1),
            Self::GrayScott(local) => scaled!(local.cast::<T>()),
            Self::Schnakenberg(local) => scaled!(local.cast::<T>()),
            Self::GiererMeinhardt(local) => scaled!(local.cast::<T>()),
            Self::FitzHughNagumo(local) => scaled!(local.cast::<T>()),
            Self::Brusselator(local) => scaled!(local.cast::<T>()),
            Self::Host => visitor.host(),
        }
    }

    /// All finite homogeneous steady states (u, v), the one on which patterns grow first.
    /// Empty for [`Kinetics::Host`], whose rates are not known here. Scaling the rates does not
    /// move them.
    #[must_use]
    pub fn steady_states(&self) -> Vec<(f64, f64)> {
        with_local!(self, local => local.steady_states(), host => Vec::new())
    }

    /// The derivatives `[[f_u, f_v], [g_u, g_v]]` of the unscaled rates at (u, v), in closed
    /// form; `None` for [`Kinetics::Host`].
    #[must_use]
    pub fn jacobian(&self, u: f64, v: f64) -> Option<Matrix2> {
        with_local!(self, local => Some(local.jacobian(u, v)), host => None)
    }
}

/// The name of a parameter in the object form: the last part of the path of its row.
#[must_use]
pub fn parameter_name(bound: &Bound) -> &'static str {
    bound.field.strip_prefix("kinetics.").unwrap_or(bound.field)
}

impl fmt::Display for Kinetics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The object form. The two kinetics without parameters have it too, so that every name can be
/// written in both forms.
#[derive(Serialize, Deserialize)]
#[serde(tag = "name")]
enum Tagged {
    #[serde(rename = "v4.1")]
    V4_1(NoParameters),
    #[serde(rename = "gray-scott")]
    GrayScott(GrayScott),
    #[serde(rename = "schnakenberg")]
    Schnakenberg(Schnakenberg),
    #[serde(rename = "gierer-meinhardt")]
    GiererMeinhardt(GiererMeinhardt),
    #[serde(rename = "fitzhugh-nagumo")]
    FitzHughNagumo(FitzHughNagumo),
    #[serde(rename = "brusselator")]
    Brusselator(Brusselator),
    #[serde(rename = "host")]
    Host(NoParameters),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoParameters {}

impl From<Tagged> for Kinetics {
    fn from(tagged: Tagged) -> Self {
        match tagged {
            Tagged::V4_1(_) => Self::V4_1,
            Tagged::GrayScott(local) => Self::GrayScott(local),
            Tagged::Schnakenberg(local) => Self::Schnakenberg(local),
            Tagged::GiererMeinhardt(local) => Self::GiererMeinhardt(local),
            Tagged::FitzHughNagumo(local) => Self::FitzHughNagumo(local),
            Tagged::Brusselator(local) => Self::Brusselator(local),
            Tagged::Host(_) => Self::Host,
        }
    }
}

/// A name for a kinetics without parameters, an object with all parameters for the others.
impl Serialize for Kinetics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tagged = match *self {
            Self::V4_1 | Self::Host => return serializer.serialize_str(self.name()),
            Self::GrayScott(local) => Tagged::GrayScott(local),
            Self::Schnakenberg(local) => Tagged::Schnakenberg(local),
            Self::GiererMeinhardt(local) => Tagged::GiererMeinhardt(local),
            Self::FitzHughNagumo(local) => Tagged::FitzHughNagumo(local),
            Self::Brusselator(local) => Tagged::Brusselator(local),
        };
        tagged.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Kinetics {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameOrObject)
    }
}

struct NameOrObject;

impl<'de> de::Visitor<'de> for NameOrObject {
    type Value = Kinetics;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a kinetics or an object with its name and parameters")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Kinetics, E> {
        Kinetics::by_name(name).ok_or_else(|| E::unknown_variant(name, &Kinetics::NAMES))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Kinetics, A::Error> {
        Tagged::deserialize(MapAccessDeserializer::new(map)).map(Kinetics::from)
    }
}
