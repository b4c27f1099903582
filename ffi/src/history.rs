//! Histories: the temporal features of a host's own frames, one frame at a time, and rates of change.
//!
//! A run of the library follows its own features (mfn_sim_follow_features()); here a solver of the host's does. A
//! history holds one grid of memory, however many frames it has seen.

use std::ffi::c_double;

use ::mfn_sim::features::{ChangeRates, Features, TemporalAccumulator, change_rates, compute};
use ndarray::ArrayView3;

use crate::argument::{self, SizedSlot, Slot, sized32};
use crate::error::{Failure, mfn_error};
use crate::features::{config as feature_config, mfn_feature_config, mfn_features};
use crate::field::{self, mfn_field_view};
use crate::guard::{self, Exclusive, Handle, opaque};
use crate::status::mfn_status;

/// What a stream of frames has shown so far. Freed with mfn_history_free().
pub struct mfn_history(Handle<Exclusive<TemporalAccumulator>>);

opaque! { mfn_history(Exclusive<TemporalAccumulator>) as "history" = 61; }

/// Rates of change of a history. Set struct_size before the call. Lengths are in the unit of the field.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_change_rates {
    /// sizeof(mfn_change_rates).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Mean of the logarithm of the Euclidean size of a step's change, per unit of time. MyceliumFractalNet 4.1 calls
    /// it the Lyapunov exponent, which it is not: it depends on the unit of the field and on the grid.
    pub mean_log_step_change: c_double,
    /// Mean absolute change of a cell per unit of time.
    pub mean_change_rate: c_double,
    /// Largest absolute change of a cell per unit of time.
    pub max_change_rate: c_double,
    /// Standard deviation of the last frame.
    pub final_std: c_double,
}

sized32! { mfn_change_rates = 40; }

/// Begins a history without a frame. config, which may be NULL for the defaults, decides when a history is stable. The
/// host owns *history and frees it with mfn_history_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_history_create(
    config: *const mfn_feature_config,
    history: *mut *mut mfn_history,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let slot = Slot::required("history", history)?;
        let accumulator = TemporalAccumulator::new(&feature_config("config", config)?)?;
        slot.hand_over(guard::create(Exclusive::new(accumulator)));
        Ok(())
    })
}

/// Adds the next frame, in volts and of the shape of the first. The field is read during the call only.
/// [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_history_push(
    history: *mut mfn_history,
    field: *const mfn_field_view,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(history.cast_const(), error, |held| {
        let field = field::borrow("field", field)?;
        Ok(held.write()?.push(field)?)
    })
}

/// The 18 features of a history: those of field, which is the last frame that was pushed, with dv_mean, dv_max, t_stable
/// and e_trend of all frames. The history goes on. The field is read during the call only; features belongs to the host.
/// [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_history_features(
    history: *const mfn_history,
    field: *const mfn_field_view,
    features: *mut mfn_features,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(history, error, |held| {
        let slot = SizedSlot::new("features", features)?;
        let field = field::borrow("field", field)?;
        let accumulator = held.read()?;
        let state = accumulator.state();
        if field.dim() != (state.rows, state.cols) {
            return Err(Failure::invalid(format!(
                "field is {} x {}, the {} frames pushed are {} x {}: give the last one of them",
                field.nrows(),
                field.ncols(),
                state.frames,
                state.rows,
                state.cols
            )));
        }
        let temporal = accumulator.finish();
        let of_field = compute(field, accumulator.config())?;
        slot.write(&mfn_features::from(&Features {
            dv_mean: temporal.dv_mean,
            dv_max: temporal.dv_max,
            t_stable: temporal.t_stable,
            e_trend: temporal.e_trend,
            ..of_field
        }));
        Ok(())
    })
}

/// Frees a history; NULL is allowed. history must not be used afterwards. [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_history_free(history: *mut mfn_history) {
    guard::free(history);
}

/// Measures how fast frames of rows x cols cells change that lie time_step apart. frames has frame_count * rows * cols
/// numbers, frame after frame, each row by row, and is read during the call only. rates belongs to the host.
/// [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_change_rates_compute(
    frames: *const c_double,
    frame_count: usize,
    rows: usize,
    cols: usize,
    time_step: c_double,
    rates: *mut mfn_change_rates,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let slot = SizedSlot::new("rates", rates)?;
        let count = frame_count.saturating_mul(rows).saturating_mul(cols);
        let values = argument::array("frames", frames, count)?;
        let history = ArrayView3::from_shape((frame_count, rows, cols), values)
            .map_err(|error| Failure::invalid(format!("frames: {error}")))?;
        let ChangeRates { mean_log_step_change, mean_change_rate, max_change_rate, final_std } =
            change_rates(history, time_step)?;
        slot.write(&mfn_change_rates {
            struct_size: 0,
            reserved: 0,
            mean_log_step_change,
            mean_change_rate,
            max_change_rate,
            final_std,
        });
        Ok(())
    })
}
