//! Reaction kinetics: the local part of a reaction-diffusion system.
//!
//! A kinetics gives the rates f(u, v) and g(u, v) of
//!
//! ```text
//! du/dt = D_u L u + f(u, v)
//! dv/dt = D_v L v + g(u, v)
//! ```
//!
//! where u is the activator and v the inhibitor of a [`Simulation`](crate::Simulation). The
//! kernel is compiled once for every kinetics (static dispatch), so that a new one costs no
//! speed.

use crate::real::Real;

/// The rates of one reaction, as seen by the row kernel.
pub trait Reaction<T: Real>: Clone + Send + Sync {
    /// The range into which u and v are moved after each step; `None`: neither is changed.
    const CLAMP: Option<(f64, f64)>;

    /// The rates (f, g) per unit of time at (u, v). Pure: the same arguments give the same bits.
    fn rates(&self, u: T, v: T) -> (T, T);
}
