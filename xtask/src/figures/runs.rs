//! The simulations that figures show.

use std::ops::ControlFlow;

use anyhow::{Context, Result};
use mfn_sim::graph::{Network, NetworkConfig};
use mfn_sim::{Simulation, Spec};
use ndarray::Array2;

/// The threshold of the default features, V.
pub(crate) const THRESHOLD_V: f64 = -0.060;

/// The potential, in V, of the default preset on a square of `side` cells, after the steps of the preset.
pub(crate) fn mycelium(side: usize) -> Result<Array2<f64>> {
    let mut simulation = Simulation::new(Spec { grid_size: side, ..Spec::default() })?;
    let steps = simulation.spec().steps;
    simulation.run(steps, &mut |_| ControlFlow::Continue(()))?;
    Ok(simulation.field().to_owned())
}

/// Its network on the torus.
pub(crate) fn network_of(field: &Array2<f64>) -> Result<Network> {
    Ok(Network::of_field(field.view(), &NetworkConfig { wrap: true, ..NetworkConfig::default() })?)
}

/// The specification of a preset.
pub(crate) fn preset(name: &str) -> Result<Spec> {
    Spec::preset(name).with_context(|| format!("there is no preset {name}"))
}
