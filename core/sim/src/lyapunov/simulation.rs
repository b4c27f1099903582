//! The largest exponent of a simulation: two runs from nearly the same fields.
//!
//! Both runs see the same growth events and the same noise, so that only the equations separate
//! them: the exponent is that of the random dynamical system along one realisation of its noise
//! (Arnold, 1998).

use std::ops::ControlFlow;

use super::separation::{Accumulator, disturb, set_back};
use super::{Estimate, Interval, LyapunovError, LyapunovOptions};
use crate::Simulation;
use crate::engine::{FieldPlanes, SimulationState};

/// The largest Lyapunov exponent, 1 per unit of time, of a simulation from its current state on.
/// The simulation is not changed: copies of it run. The separation is the Euclidean distance over
/// all cells of the fields that advance: the potential in volts, and with the reaction on
/// activator and inhibitor. `control` is asked after every interval. Memory: five copies of the
/// simulation.
///
/// The clamps of a simulation are part of it: a cell at a clamp forgets its disturbance.
///
/// # Errors
/// [`LyapunovError::Options`], [`LyapunovError::Precision`] for a run in single precision,
/// [`LyapunovError::Simulation`] when a run fails (one with a host's kinetics always does: code is
/// not copied), [`LyapunovError::NotFinite`] or [`LyapunovError::Merged`].
pub fn simulation_exponent(
    simulation: &Simulation,
    options: &LyapunovOptions,
    mut control: impl FnMut(Interval) -> ControlFlow<()>,
) -> Result<Estimate, LyapunovError> {
    options.validate()?;
    let mut state = simulation.state();
    state.temporal = None;
    let advancing = if state.spec.turing_enabled { 3 } else { 1 };
    let duration = options.steps_per_interval as f64 * state.spec.time_step;
    let at_start = cells(&state, advancing)?;
    let mut disturbed_cells = vec![0.0; at_start.len()];
    disturb(&at_start, &mut disturbed_cells, options.separation);
    let mut reference = Simulation::from_state(state.clone())?;
    let mut accumulator = Accumulator::new(options, duration);
    loop {
        set_cells(&mut state, &disturbed_cells);
        let mut disturbed = Simulation::from_state(state)?;
        for _ in 0..options.steps_per_interval {
            reference.step()?;
            disturbed.step()?;
        }
        state = disturbed.state();
        disturbed_cells = cells(&state, advancing)?;
        let reference_cells = cells(&reference.state(), advancing)?;
        let interval = accumulator.interval();
        let distance = set_back(&reference_cells, &mut disturbed_cells, options.separation, interval)?;
        if accumulator.push(distance, &mut control).is_break() {
            return Ok(accumulator.finish());
        }
    }
}

/// The cells of the first `advancing` fields, one after the other.
fn cells(state: &SimulationState, advancing: usize) -> Result<Vec<f64>, LyapunovError> {
    match &state.fields {
        FieldPlanes::F64(fields) => Ok(fields[..advancing].concat()),
        FieldPlanes::F32(_) => Err(LyapunovError::Precision),
    }
}

/// Writes what [`cells`] reads.
fn set_cells(state: &mut SimulationState, cells: &[f64]) {
    if let FieldPlanes::F64(fields) = &mut state.fields {
        let length = fields[0].len();
        for (field, values) in fields.iter_mut().zip(cells.chunks_exact(length)) {
            field.copy_from_slice(values);
        }
    }
}
