//! Plasticity: how the times of spikes change the weights between neurons.
//!
//! A synapse grows when its input fires before its output and shrinks when it fires after (Song, Miller and Abbott,
//! 2000). mfn_stdp_update() takes the times of whole trials; traces follow a simulation step by step and count every
//! pair of spikes (Morrison, Diesmann and Gerstner, 2008). Weights are inputs x outputs, row by row.

use std::ffi::c_double;

use ::mfn_sim::learning::{SpikeTraces, Stdp, WeightBounds};
use ndarray::ArrayViewMut2;

use crate::aggregation::outputs;
use crate::argument::{self, SizedSlot, Slot, read_sized, sized32};
use crate::error::{Failure, mfn_error};
use crate::field::{self, mfn_field_view};
use crate::guard::{self, Exclusive, Handle, opaque};
use crate::learning::write_all;
use crate::status::mfn_status;

/// The traces of the neurons on both sides of a matrix of weights. Freed with mfn_stdp_traces_free().
pub struct mfn_stdp_traces(Handle<Exclusive<SpikeTraces>>);

opaque! { mfn_stdp_traces(Exclusive<SpikeTraces>) as "traces" = 42; }

/// Weights are clipped to their range.
pub const MFN_WEIGHT_BOUNDS_HARD: i32 = 0;
/// Changes shrink towards the ends of the range.
pub const MFN_WEIGHT_BOUNDS_SOFT: i32 = 1;

/// The rule of spike-timing plasticity. Fill it with mfn_stdp_rule_init().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_stdp_rule {
    /// sizeof(mfn_stdp_rule).
    pub struct_size: u32,
    /// One of the MFN_WEIGHT_BOUNDS_* constants.
    pub bounds: i32,
    /// Time constant of potentiation, 0.005 to 0.1 s.
    pub tau_plus_s: c_double,
    /// Time constant of depression, 0.005 to 0.1 s.
    pub tau_minus_s: c_double,
    /// Largest potentiation of a pair of spikes, 0.001 to 0.1.
    pub a_plus: c_double,
    /// Largest depression of a pair of spikes, 0.001 to 0.1.
    pub a_minus: c_double,
    /// Smallest weight.
    pub weight_min: c_double,
    /// Largest weight.
    pub weight_max: c_double,
}

sized32! { mfn_stdp_rule = 56; }

fn rule(name: &str, pointer: *const mfn_stdp_rule) -> Result<Stdp, Failure> {
    if pointer.is_null() {
        return Ok(Stdp::default());
    }
    let given = read_sized(name, pointer)?;
    Ok(Stdp {
        tau_plus_s: given.tau_plus_s,
        tau_minus_s: given.tau_minus_s,
        a_plus: given.a_plus,
        a_minus: given.a_minus,
        weight_min: given.weight_min,
        weight_max: given.weight_max,
        bounds: match given.bounds {
            MFN_WEIGHT_BOUNDS_HARD => WeightBounds::Hard,
            MFN_WEIGHT_BOUNDS_SOFT => WeightBounds::Soft,
            other => {
                return Err(Failure::invalid(format!(
                    "{name}.bounds = {other}: give one of the MFN_WEIGHT_BOUNDS_* constants"
                )));
            }
        },
    })
}

/// Fills a rule with the defaults. struct_size is sizeof(mfn_stdp_rule). rule belongs to the host.
/// [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_stdp_rule_init(
    rule: *mut mfn_stdp_rule,
    struct_size: usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let defaults = Stdp::default();
        SizedSlot::of_size("rule", rule, struct_size)?.write(&mfn_stdp_rule {
            struct_size: 0,
            bounds: match defaults.bounds {
                WeightBounds::Hard => MFN_WEIGHT_BOUNDS_HARD,
                WeightBounds::Soft => MFN_WEIGHT_BOUNDS_SOFT,
            },
            tau_plus_s: defaults.tau_plus_s,
            tau_minus_s: defaults.tau_minus_s,
            a_plus: defaults.a_plus,
            a_minus: defaults.a_minus,
            weight_min: defaults.weight_min,
            weight_max: defaults.weight_max,
        });
        Ok(())
    })
}

/// Changes weights by one spike of each neuron in each trial, averaged over the trials. pre_times_s is trials
/// x inputs and post_times_s trials x outputs, in seconds; NaN: the neuron was silent. weights is inputs x
/// outputs, row by row, weight_count numbers in the range of the rule, before and after. rule may be NULL for
/// the defaults. The weights stay the host's; the rest is read during the call only. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_stdp_update(
    pre_times_s: *const mfn_field_view,
    post_times_s: *const mfn_field_view,
    rule: *const mfn_stdp_rule,
    weights: *mut c_double,
    weight_count: usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let (pre, post) =
            (field::borrow("pre_times_s", pre_times_s)?, field::borrow("post_times_s", post_times_s)?);
        let shape = (pre.ncols(), post.ncols());
        let places = outputs("weights", weights, weight_count, shape.0.saturating_mul(shape.1))?;
        let mut changed = argument::array("weights", weights.cast_const(), weight_count)?.to_vec();
        let view = ArrayViewMut2::from_shape(shape, &mut changed)
            .map_err(|error| Failure::invalid(format!("weights: {error}")))?;
        self::rule("rule", rule)?.update(pre, post, view)?;
        write_all(places, &changed);
        Ok(())
    })
}

/// The change that MyceliumFractalNet 4.1 computes, which does not depend on the weights. Arguments as for
/// mfn_stdp_update(); changes is inputs x outputs. changes belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_stdp_change_v4_1(
    pre_times_s: *const mfn_field_view,
    post_times_s: *const mfn_field_view,
    rule: *const mfn_stdp_rule,
    changes: *mut c_double,
    change_count: usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let (pre, post) =
            (field::borrow("pre_times_s", pre_times_s)?, field::borrow("post_times_s", post_times_s)?);
        let places = outputs("changes", changes, change_count, pre.ncols().saturating_mul(post.ncols()))?;
        let result = self::rule("rule", rule)?.weight_change_v4_1(pre, post)?;
        for (slot, value) in places.zip(result) {
            slot.write(value);
        }
        Ok(())
    })
}

/// Creates the traces of inputs and outputs neurons, each 0 to 2^24, that have not fired yet. rule may be NULL for the
/// defaults. The host owns *traces and frees it with mfn_stdp_traces_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_stdp_traces_create(
    rule: *const mfn_stdp_rule,
    inputs: usize,
    outputs: usize,
    traces: *mut *mut mfn_stdp_traces,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let slot = Slot::required("traces", traces)?;
        let made = SpikeTraces::new(self::rule("rule", rule)?, inputs, outputs)?;
        slot.hand_over(guard::create(Exclusive::new(made)));
        Ok(())
    })
}

/// Lets time_step_s pass and then takes the spikes of this moment: one byte for each neuron, 0 for silence and anything
/// else for a spike. weights has weight_count = pre_count * post_count numbers in the range of the rule, before and
/// after. Spikes of one moment do not pair with each other. The weights stay the host's; the spikes are read during the
/// call only. [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_stdp_traces_advance(
    traces: *mut mfn_stdp_traces,
    time_step_s: c_double,
    pre_spikes: *const u8,
    pre_count: usize,
    post_spikes: *const u8,
    post_count: usize,
    weights: *mut c_double,
    weight_count: usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(traces.cast_const(), error, |held| {
        let spikes = |name: &str, array: *const u8, count: usize| -> Result<Vec<bool>, Failure> {
            Ok(argument::array(name, array, count)?.iter().map(|&spike| spike != 0).collect())
        };
        let pre = spikes("pre_spikes", pre_spikes, pre_count)?;
        let post = spikes("post_spikes", post_spikes, post_count)?;
        let places = outputs("weights", weights, weight_count, pre_count.saturating_mul(post_count))?;
        let mut changed = argument::array("weights", weights.cast_const(), weight_count)?.to_vec();
        let view = ArrayViewMut2::from_shape((pre_count, post_count), &mut changed)
            .map_err(|error| Failure::invalid(format!("weights: {error}")))?;
        held.write()?.advance(time_step_s, &pre, &post, view)?;
        write_all(places, &changed);
        Ok(())
    })
}

/// Frees traces; NULL is allowed. traces must not be used afterwards. [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_stdp_traces_free(traces: *mut mfn_stdp_traces) {
    guard::free(traces);
}
