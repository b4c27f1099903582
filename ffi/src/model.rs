//! The second simulator of MyceliumFractalNet 4.1, for numbers that its REST service and its validation made.
//!
//! It means the same model as mfn_sim in the mode "v4.1" and differs in three things: activator and inhibitor are
//! drawn only when the reaction is on, they are advanced by one sum each, and a coefficient beyond the stability limit
//! is allowed. The potential is equal bit for bit to v4.1's. New work uses mfn_sim.

use std::ffi::{c_double, c_void};
use std::ops::ControlFlow;

use ::mfn_sim::RunEnd;
use ::mfn_sim::model::{ModelError, ModelParameters, simulate_mycelium_field};
use ::mfn_sim::rng::Generator;

use crate::aggregation::{count, outputs};
use crate::argument::{self, SizedSlot, Slot, read_sized, sized32};
use crate::error::{Failure, mfn_error};
use crate::guard;
use crate::simulation::mfn_progress_fn;
use crate::status::{MFN_CANCELLED, MFN_INVALID, mfn_status};

/// The arguments of v4.1's simulate_mycelium_field(). Fill it with mfn_model_init_v4_1().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_model_v4_1 {
    /// sizeof(mfn_model_v4_1).
    pub struct_size: u32,
    /// 1 when activator and inhibitor are drawn and advance, else 0.
    pub turing_enabled: i32,
    /// Cells along each side of the square, periodic grid, 1 to 1024.
    pub grid_size: u64,
    /// Steps of the run, 0 to 10^9.
    pub steps: u64,
    /// Diffusion coefficient of the potential, cells^2 per step, 0 to 1. From 0.25 on only the clamp bounds the field.
    pub alpha: c_double,
    /// Probability of one growth event in a step, 0 to 1.
    pub spike_probability: c_double,
    /// Activator level above which a cell is activated, 0 to below 1.
    pub turing_threshold: c_double,
    /// Variance of the noise added to each cell in each step, 0 to 1 V^2.
    pub jitter_var: c_double,
    /// 1 with that noise, else 0.
    pub quantum_jitter: i32,
    /// 0.
    pub reserved: i32,
    /// Seed of NumPy's default_rng.
    pub random_seed: u64,
}

sized32! { mfn_model_v4_1 = 72; }

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        match error {
            ModelError::Parameters(faults) => faults.into(),
            other => Self::from_error(MFN_INVALID, &other),
        }
    }
}

/// Fills model with the defaults of v4.1 and seed 42. struct_size is sizeof(mfn_model_v4_1). model belongs to the
/// host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_model_init_v4_1(
    model: *mut mfn_model_v4_1,
    struct_size: usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let defaults = ModelParameters::default();
        SizedSlot::of_size("model", model, struct_size)?.write(&mfn_model_v4_1 {
            struct_size: 0,
            turing_enabled: i32::from(defaults.turing_enabled),
            grid_size: defaults.grid_size as u64,
            steps: defaults.steps,
            alpha: defaults.alpha,
            spike_probability: defaults.spike_probability,
            turing_threshold: defaults.turing_threshold,
            jitter_var: defaults.jitter_var,
            quantum_jitter: i32::from(defaults.quantum_jitter),
            reserved: 0,
            random_seed: 42,
        });
        Ok(())
    })
}

/// Runs v4.1's second simulator from its first step to its last and writes the potential in volts to field, row by
/// row: cell_count is grid_size * grid_size. progress is told of every step and may stop the run (MFN_CANCELLED, nothing
/// is written); it may be NULL. growth_events, which may be NULL, becomes the number of growth events. Needs six more
/// grids of memory. model is read during the call only; field, growth_events and user_data stay the host's. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_model_run_v4_1(
    model: *const mfn_model_v4_1,
    progress: mfn_progress_fn,
    user_data: *mut c_void,
    field: *mut c_double,
    cell_count: usize,
    growth_events: *mut u64,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let given = read_sized("model", model)?;
        if given.reserved != 0 {
            return Err(Failure::invalid(format!("model.reserved = {}: give 0", given.reserved)));
        }
        let parameters = ModelParameters {
            grid_size: count(given.grid_size),
            steps: given.steps,
            alpha: given.alpha,
            spike_probability: given.spike_probability,
            turing_enabled: argument::flag("model.turing_enabled", given.turing_enabled)?,
            turing_threshold: given.turing_threshold,
            quantum_jitter: argument::flag("model.quantum_jitter", given.quantum_jitter)?,
            jitter_var: given.jitter_var,
        };
        parameters.validate()?;
        let places = outputs("field", field, cell_count, parameters.grid_size * parameters.grid_size)?;
        let events = Slot::optional("growth_events", growth_events)?;
        let mut generator = Generator::new(given.random_seed);
        let run = simulate_mycelium_field(&mut generator, &parameters, &mut |now| {
            let stop = progress.is_some_and(|report| {
                // SAFETY: the host gave a function of this type, to be called with its own user_data.
                unsafe { report(user_data, now.step, now.steps_total) != 0 }
            });
            if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if run.end == RunEnd::Cancelled {
            return Err(Failure::answer(MFN_CANCELLED));
        }
        places.zip(run.field).for_each(|(slot, cell)| slot.write(cell));
        if let Some(slot) = events {
            slot.write(run.growth_events);
        }
        Ok(())
    })
}
