//! Reaction kinetics: the local part of a reaction-diffusion system.
//!
//! A kinetics gives the rates f(u, v) and g(u, v) of
//!
//! ```text
//! du/dt = D_u L u + r_u f(u, v)
//! dv/dt = D_v L v + r_v g(u, v)
//! ```
//!
//! where u is the activator and v the inhibitor (or the substrate that the activator uses up)
//! of a [`Simulation`](crate::Simulation). In every kinetics here u is the self-enhancing
//! species, so that "activator above a threshold" means the same for all of them.
//!
//! [`Kinetics`] names one with its parameters. [`Kinetics::visit`] hands its equations to a
//! kernel that is compiled once for each kinetics (static dispatch), so that a new one costs no
//! speed. The order of the floating-point operations in each `rates` is fixed and part of the
//! result; none is a fused multiply-add.

mod analysis;
mod brusselator;
mod fitzhugh_nagumo;
mod gierer_meinhardt;
mod gray_scott;
mod host;
mod local;
mod named;
mod schnakenberg;
mod v4_1;
mod warning;

pub use analysis::{
    AnalysisError, Band, Eigenvalue, GRID_SYMBOL_MAX, GridMode, GridModes, Linearization, ReactionDiffusion,
    SYSTEM_TABLE, Stability, SteadyState, TuringAnalysis, grid_symbol, host_turing_analysis, turing_analysis,
    turing_analysis_of,
};
pub use brusselator::Brusselator;
pub use fitzhugh_nagumo::FitzHughNagumo;
pub use gierer_meinhardt::GiererMeinhardt;
pub use gray_scott::GrayScott;
pub use host::{HostReaction, HostReactionError};
pub use named::{Kinetics, parameter_name};
pub use schnakenberg::Schnakenberg;
pub use v4_1::V4_1;
pub use warning::{SpecWarning, spec_warnings};

use crate::real::{Real, Value};

/// The least and the greatest f where u and v are between a least and a greatest value each.
pub type RangeOfF = fn(u: [f64; 2], v: [f64; 2]) -> [f64; 2];

/// The rates of one reaction, as seen by the row kernel.
pub trait Reaction<T: Real>: Clone + Send + Sync {
    /// The range into which u and v are moved after each step; `None`: neither is changed.
    const CLAMP: Option<(f64, f64)>;
    /// The range of f before it is [scaled](Scaled), of kinetics that are clamped to [0, 1] and whose g is `u - v` before it
    /// is; `None` for all others. It bounds what a step does to the least and the greatest u and v.
    const RANGE_OF_F: Option<RangeOfF> = None;

    /// The rates (f, g) per unit of time at (u, v). Pure: the same arguments give the same bits,
    /// whether one point is given or a register of them.
    fn rates<V: Value<T>>(&self, u: V, v: V) -> (V, V);
}

/// A reaction whose rates are multiplied by `r_activator` and `r_inhibitor` of a specification.
/// Multiplying by 1 is exact, so a scale of 1 leaves the bits of the reaction alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scaled<R, T> {
    /// The unscaled reaction.
    pub reaction: R,
    /// Factor of f.
    pub r_activator: T,
    /// Factor of g.
    pub r_inhibitor: T,
}

impl<T: Real, R: Reaction<T>> Reaction<T> for Scaled<R, T> {
    const CLAMP: Option<(f64, f64)> = R::CLAMP;
    const RANGE_OF_F: Option<RangeOfF> = R::RANGE_OF_F;

    #[inline(always)]
    fn rates<V: Value<T>>(&self, u: V, v: V) -> (V, V) {
        let (f, g) = self.reaction.rates(u, v);
        (u.fill(self.r_activator) * f, v.fill(self.r_inhibitor) * g)
    }
}

/// What is to be done with the equations of a kinetics; see [`Kinetics::visit`].
pub trait Visitor<T: Real> {
    /// What it gives.
    type Output;

    /// Called for a kinetics of this library, with its rates already scaled.
    fn reaction<R: Reaction<T>>(self, reaction: R) -> Self::Output;

    /// Called for [`Kinetics::Host`]: the rates are a callback of the host.
    fn host(self) -> Self::Output;
}
