//! The Brusselator: a trimolecular model of chemical oscillations and patterns.

use serde::{Deserialize, Serialize};

use super::Reaction;
use super::local::{Local, Matrix2};
use crate::bounds::{Bound, closed};
use crate::real::{Real, Value};

/// Prigogine and Lefever (J. Chem. Phys. 48, 1695, 1968):
/// `f = A - (B + 1) u + u^2 v`, `g = B u - u^2 v`. The activator u uses up v, which it
/// also produces.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Brusselator<T = f64> {
    /// A: supply of the activator.
    pub a: T,
    /// B: rate at which the activator turns into v.
    pub b: T,
}

impl<T: Real> Default for Brusselator<T> {
    fn default() -> Self {
        Self { a: T::of(4.5), b: T::of(8.0) }
    }
}

impl Brusselator {
    pub(super) fn cast<T: Real>(&self) -> Brusselator<T> {
        Brusselator { a: T::of(self.a), b: T::of(self.b) }
    }
}

/// `c = (u * u) * v`, `f = (a - (b + 1) * u) + c`, `g = b * u - c`.
impl<T: Real> Reaction<T> for Brusselator<T> {
    const CLAMP: Option<(f64, f64)> = None;

    #[inline(always)]
    fn rates<V: Value<T>>(&self, u: V, v: V) -> (V, V) {
        let conversion = u * u * v;
        (u.fill(self.a) - u.fill(self.b + T::ONE) * u + conversion, u.fill(self.b) * u - conversion)
    }
}

impl Local for Brusselator {
    const NAME: &'static str = "brusselator";
    const BOUNDS: &'static [Bound] = &[
        closed("kinetics.a", (0.0, 10.0), 4.5, "1", "A: supply of the activator").open_below(),
        closed("kinetics.b", (0.0, 100.0), 8.0, "1", "B: conversion of the activator"),
    ];

    fn values(&self) -> Vec<f64> {
        vec![self.a, self.b]
    }

    /// u = A, v = B / A.
    fn steady_states(&self) -> Vec<(f64, f64)> {
        vec![(self.a, self.b / self.a)]
    }

    fn jacobian(&self, u: f64, v: f64) -> Matrix2 {
        [[2.0 * u * v - (self.b + 1.0), u * u], [self.b - 2.0 * u * v, -u * u]]
    }
}
