//! Validation: one cycle through simulation, features, membrane, fractals and learning, and its numbers.
//!
//! The work is done on the calling thread.

use std::ffi::{c_double, c_void};
use std::ops::ControlFlow;

use ::mfn_sim::Compat;
use ::mfn_sim::learning::validation::{ValidationConfig, ValidationError, ValidationReport, run_validation};

use crate::aggregation::count;
use crate::argument::{self, SizedSlot, read_sized, sized32};
use crate::error::{Failure, mfn_error};
use crate::guard;
use crate::simulation::mfn_progress_fn;
use crate::status::{MFN_CANCELLED, MFN_INVALID, mfn_status};

/// Settings of a validation. Fill it with mfn_validation_config_init().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_validation_config {
    /// sizeof(mfn_validation_config).
    pub struct_size: u32,
    /// 1: the cycle of MyceliumFractalNet 4.1; 0: the one whose loss is measured on samples held out.
    pub compat_v4_1: i32,
    /// Seed of everything that is random.
    pub seed: u64,
    /// Passes over the training samples, 1 to 100.
    pub epochs: u64,
    /// Samples of one step of training, 1 to 64.
    pub batch_size: u64,
    /// Cells along each side of the simulated grids, 8 to 256.
    pub grid_size: u64,
    /// Steps of each simulation, 1 to 1000; without compat_v4_1 at least 16.
    pub steps: u64,
    /// 1 when activator and inhibitor take part, else 0.
    pub turing_enabled: i32,
    /// 1 for noise in each cell in each step, else 0.
    pub quantum_jitter: i32,
    /// 1 for a network with an attention layer, else 0.
    pub use_sparse_attention: i32,
    /// 0.
    pub reserved: i32,
}

/// The numbers of a validation. Set struct_size before the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_validation {
    /// sizeof(mfn_validation).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Loss before training, of samples held out; compat: of the first batch.
    pub loss_start: c_double,
    /// Loss after training, of the same samples; compat: of the last batch.
    pub loss_final: c_double,
    /// loss_start - loss_final.
    pub loss_drop: c_double,
    /// Lowest potential of the final fields, mV.
    pub pot_min_mv: c_double,
    /// Highest potential of the final fields, mV.
    pub pot_max_mv: c_double,
    /// Box-counting dimension of an example run.
    pub example_fractal_dim: c_double,
    /// Largest Lyapunov exponent of an iterated function system; compat: the sum of both.
    pub lyapunov_exponent: c_double,
    /// The mean of the same number over the samples.
    pub lyapunov_mean: c_double,
    /// Growth events of the example run.
    pub growth_events: c_double,
    /// Nernst potential of potassium, mV.
    pub nernst_symbolic_mv: c_double,
    /// The same by the GHK equation, mV; compat: by the same formula.
    pub nernst_numeric_mv: c_double,
    /// R T / F, mV.
    pub nernst_rtfz_mv: c_double,
    /// Loss of the best constant on the samples held out; compat: NaN.
    pub loss_constant: c_double,
}

sized32! {
    mfn_validation_config = 64;
    mfn_validation = 112;
}

impl From<ValidationError> for Failure {
    fn from(error: ValidationError) -> Self {
        match error {
            ValidationError::Settings(error) => error.into(),
            ValidationError::Simulation(error) => error.into(),
            ValidationError::Learning(error) => error.into(),
            ValidationError::Cancelled => Failure::answer(MFN_CANCELLED),
            other => Failure::from_error(MFN_INVALID, &other),
        }
    }
}

/// Fills a configuration with the defaults of MyceliumFractalNet 4.1 (compat_v4_1 = 1) or of this library (0).
/// struct_size is sizeof(mfn_validation_config). config belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_validation_config_init(
    config: *mut mfn_validation_config,
    struct_size: usize,
    compat_v4_1: i32,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let slot = SizedSlot::of_size("config", config, struct_size)?;
        let defaults = if argument::flag("compat_v4_1", compat_v4_1)? {
            ValidationConfig::v4_1()
        } else {
            ValidationConfig::default()
        };
        slot.write(&mfn_validation_config {
            struct_size: 0,
            compat_v4_1,
            seed: defaults.seed,
            epochs: u64::from(defaults.epochs),
            batch_size: defaults.batch_size as u64,
            grid_size: defaults.grid_size as u64,
            steps: defaults.steps,
            turing_enabled: i32::from(defaults.turing_enabled),
            quantum_jitter: i32::from(defaults.quantum_jitter),
            use_sparse_attention: i32::from(defaults.use_sparse_attention),
            reserved: 0,
        });
        Ok(())
    })
}

/// Runs a validation on the calling thread. config may be NULL for the defaults. progress (may be NULL) hears of
/// every simulation and every pass over the samples; MFN_CANCELLED: it ended the validation. Blocks until done,
/// seconds with the defaults. user_data stays the host's; validation belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_validate(
    config: *const mfn_validation_config,
    progress: mfn_progress_fn,
    user_data: *mut c_void,
    validation: *mut mfn_validation,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let slot = SizedSlot::new("validation", validation)?;
        let config = self::config(config)?;
        let report = run_validation(&config, &mut |now| {
            let stop = progress.is_some_and(|progress| {
                // SAFETY: the host gave this function for user_data, and it returns normally.
                unsafe { progress(user_data, now.step, now.steps_total) != 0 }
            });
            if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        slot.write(&mfn_validation::from(&report));
        Ok(())
    })
}

fn config(pointer: *const mfn_validation_config) -> Result<ValidationConfig, Failure> {
    if pointer.is_null() {
        return Ok(ValidationConfig::default());
    }
    let given = read_sized("config", pointer)?;
    if given.reserved != 0 {
        return Err(Failure::invalid(format!("config.reserved = {}: give 0", given.reserved)));
    }
    Ok(ValidationConfig {
        seed: given.seed,
        // What does not fit is beyond the range and refused there.
        epochs: u32::try_from(given.epochs).unwrap_or(u32::MAX),
        batch_size: count(given.batch_size),
        grid_size: count(given.grid_size),
        steps: given.steps,
        turing_enabled: argument::flag("config.turing_enabled", given.turing_enabled)?,
        quantum_jitter: argument::flag("config.quantum_jitter", given.quantum_jitter)?,
        use_sparse_attention: argument::flag("config.use_sparse_attention", given.use_sparse_attention)?,
        compat: argument::flag("config.compat_v4_1", given.compat_v4_1)?.then_some(Compat::V4_1),
    })
}

impl From<&ValidationReport> for mfn_validation {
    fn from(report: &ValidationReport) -> Self {
        let metrics = &report.metrics;
        Self {
            struct_size: size_of::<Self>() as u32,
            reserved: 0,
            loss_start: metrics.loss_start,
            loss_final: metrics.loss_final,
            loss_drop: metrics.loss_drop,
            pot_min_mv: metrics.pot_min_mv,
            pot_max_mv: metrics.pot_max_mv,
            example_fractal_dim: metrics.example_fractal_dim,
            lyapunov_exponent: metrics.lyapunov_exponent,
            lyapunov_mean: metrics.lyapunov_mean,
            growth_events: metrics.growth_events,
            nernst_symbolic_mv: metrics.nernst_symbolic_mv,
            nernst_numeric_mv: metrics.nernst_numeric_mv,
            nernst_rtfz_mv: metrics.nernst_rtfz_mv,
            loss_constant: report.loss_constant.unwrap_or(f64::NAN),
        }
    }
}
