//! Simulation input: what a host gives to a run beside its specification, and runs in single precision.
//!
//! Initial activator and inhibitor, maps of coefficients, kinetics of the host's own, threads and vector
//! instructions. The functions that end in _f32 are for a run in single precision.

use std::ffi::{c_double, c_float, c_void};
use std::num::NonZero;
use std::sync::Arc;

use ndarray::ArrayView2;

use ::mfn_sim::kinetics::{HostReaction, HostReactionError, ReactionDiffusion, host_turing_analysis};
use ::mfn_sim::{Coefficient, Execution, SimdLevel};

use crate::argument::{SizedSlot, Slot, read_sized, sized32};
use crate::error::{Failure, mfn_error};
use crate::field::{self, mfn_field_view};
use crate::guard;
use crate::kinetics::{mfn_turing, write_state};
use crate::simulation::mfn_sim;
use crate::spec::{mfn_spec, read_spec};
use crate::status::mfn_status;

/// The diffusion coefficient of the potential.
pub const MFN_MAP_ALPHA: i32 = 0;
/// The diffusion coefficient of the activator.
pub const MFN_MAP_D_ACTIVATOR: i32 = 1;
/// The diffusion coefficient of the inhibitor.
pub const MFN_MAP_D_INHIBITOR: i32 = 2;
/// The factor of the rate of the activator.
pub const MFN_MAP_R_ACTIVATOR: i32 = 3;
/// The factor of the rate of the inhibitor.
pub const MFN_MAP_R_INHIBITOR: i32 = 4;

/// The widest vector instructions of the machine.
pub const MFN_SIMD_AUTO: i32 = 0;
/// What every machine of the architecture has.
pub const MFN_SIMD_BASELINE: i32 = 1;
/// AVX2.
pub const MFN_SIMD_AVX2: i32 = 2;
/// AVX-512 (F, BW, DQ and VL).
pub const MFN_SIMD_AVX512: i32 = 3;

/// How steps are carried out. It decides the speed and never a bit of the result. All zero but struct_size and
/// threads = 1 is how a simulation begins.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_execution {
    /// sizeof(mfn_execution).
    pub struct_size: u32,
    /// One of the MFN_SIMD_* constants.
    pub simd: i32,
    /// Threads: 1 computes on the calling thread; more are threads of the simulation's own, at most 1024; 0 is as
    /// many as the machine has.
    pub threads: u64,
    /// Rows that a thread takes at least, or 8 fewer at an edge of the grid; 0: worked out from the grid.
    pub band_rows: u64,
    /// Columns that are swept together, rounded up to a multiple of 16; 0: worked out from the grid and the cache.
    pub strip_cols: u64,
    /// Steps that are computed while a row is in the cache, at most 16; 0: worked out from the grid and the cache.
    pub block_steps: u64,
}

sized32! { mfn_execution = 32; }

/// A grid of floats that is lent by a run in single precision. Cell (r, c) is data[r * row_stride + c * col_stride].
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_field_view_f32 {
    /// Cell (0, 0).
    pub data: *const c_float,
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub cols: usize,
    /// Distance from a row to the next, in floats.
    pub row_stride: isize,
    /// Distance from a column to the next, in floats.
    pub col_stride: isize,
}

/// Computes the rates of the activator into du and of the inhibitor into dv, for count cells with activator u and
/// inhibitor v. Return 0, or anything else to have the step discarded. It is called during mfn_sim_step() and
/// mfn_sim_run(), for parts of rows in any order, and from several threads at once when the execution has more
/// than one; a cell must get the same bits whatever the part. It must not use the simulation, and must return
/// normally: no longjmp, no C++ exception.
pub type mfn_rates_fn = Option<
    unsafe extern "C" fn(
        user_data: *mut c_void,
        u: *const c_double,
        v: *const c_double,
        du: *mut c_double,
        dv: *mut c_double,
        count: usize,
    ) -> i32,
>;

/// A function of the host's as kinetics.
struct HostRates {
    rates: unsafe extern "C" fn(
        *mut c_void,
        *const c_double,
        *const c_double,
        *mut c_double,
        *mut c_double,
        usize,
    ) -> i32,
    user_data: *mut c_void,
}

// SAFETY: the host promises with mfn_sim_set_kinetics() that its function may be called from any thread, and
// from several at once when it asks for more than one.
unsafe impl Send for HostRates {}
// SAFETY: as above.
unsafe impl Sync for HostRates {}

impl HostReaction for HostRates {
    fn rates(&self, u: &[f64], v: &[f64], du: &mut [f64], dv: &mut [f64]) -> Result<(), HostReactionError> {
        let count = u.len().min(v.len()).min(du.len()).min(dv.len());
        // SAFETY: the host gave a function of this type, to be called with its own user_data; the four arrays
        // have count cells.
        let answer = unsafe {
            (self.rates)(self.user_data, u.as_ptr(), v.as_ptr(), du.as_mut_ptr(), dv.as_mut_ptr(), count)
        };
        if answer == 0 {
            Ok(())
        } else {
            Err(HostReactionError::new(format!("its function returned {answer}")))
        }
    }
}

/// Replaces the initial activator, as mfn_sim_set_initial_field() does the potential. The field stays the
/// host's. [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_set_initial_activator(
    sim: *mut mfn_sim,
    field: *const mfn_field_view,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(sim.cast_const(), error, |run| {
        let field = field::borrow("field", field)?;
        Ok(run.simulation.write()?.set_initial_activator(field)?)
    })
}

/// Replaces the initial inhibitor, as mfn_sim_set_initial_field() does the potential. The field stays the
/// host's. [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_set_initial_inhibitor(
    sim: *mut mfn_sim,
    field: *const mfn_field_view,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(sim.cast_const(), error, |run| {
        let field = field::borrow("field", field)?;
        Ok(run.simulation.write()?.set_initial_inhibitor(field)?)
    })
}

/// Gives each cell a coefficient of its own from the next step on: coefficient is one of the MFN_MAP_* constants,
/// map has the shape of the grid and is copied. NULL takes the map back. The map stays the host's.
/// [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_set_map(
    sim: *mut mfn_sim,
    coefficient: i32,
    map: *const mfn_field_view,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(sim.cast_const(), error, |run| {
        let known = usize::try_from(coefficient).ok().and_then(|index| Coefficient::ALL.get(index).copied());
        let known = known.ok_or_else(|| {
            Failure::invalid(format!("coefficient = {coefficient}: give one of the MFN_MAP_* constants"))
        })?;
        let map = if map.is_null() { None } else { Some(field::borrow("map", map)?) };
        Ok(run.simulation.write()?.set_map(known, map)?)
    })
}

/// Gives the rates of a run whose specification says MFN_KINETICS_HOST. The function is called until the
/// simulation is freed or gets another one; user_data stays the host's and must live as long. Slower than a
/// kinetics of the library. [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_set_kinetics(
    sim: *mut mfn_sim,
    rates: mfn_rates_fn,
    user_data: *mut c_void,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(sim.cast_const(), error, |run| {
        let rates = rates.ok_or_else(|| Failure::invalid("rates is NULL"))?;
        let host = Arc::new(HostRates { rates, user_data });
        Ok(run.simulation.write()?.set_host_reaction(host)?)
    })
}

/// Analyses the linear stability of a host's kinetics, as mfn_turing_analyse() does that of the library's, at the
/// steady state to which Newton's method leads from (activator, inhibitor). spec gives the factors of the rates, the
/// coefficients, the step and the grid; its kinetics does not matter. The derivatives are central differences, good
/// to about nine digits. MFN_INVALID: no steady state was found, or a rate was NaN or refused by the function; the
/// error says where. rates is called on this thread, for one cell at a time. user_data and turing stay the host's.
/// [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_turing_analyse_host(
    spec: *const mfn_spec,
    rates: mfn_rates_fn,
    user_data: *mut c_void,
    activator: c_double,
    inhibitor: c_double,
    turing: *mut mfn_turing,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let slot = SizedSlot::new("turing", turing)?;
        let rates = rates.ok_or_else(|| Failure::invalid("rates is NULL"))?;
        let spec = read_spec(spec)?;
        spec.validate()?;
        let host = HostRates { rates, user_data };
        let analysis = host_turing_analysis(&host, (activator, inhibitor), &ReactionDiffusion::from(&spec))?;
        write_state(slot, &analysis, &spec, 0)
    })
}

/// Says how steps are carried out from the next one on. Threads of the simulation's own end with it. execution
/// stays the host's. [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_set_execution(
    sim: *mut mfn_sim,
    execution: *const mfn_execution,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(sim.cast_const(), error, |run| {
        let given = read_sized("execution", execution)?;
        let count = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        let simd = match given.simd {
            MFN_SIMD_AUTO => SimdLevel::Auto,
            MFN_SIMD_BASELINE => SimdLevel::Baseline,
            MFN_SIMD_AVX2 => SimdLevel::Avx2,
            MFN_SIMD_AVX512 => SimdLevel::Avx512,
            other => {
                return Err(Failure::invalid(format!(
                    "execution.simd = {other}: give one of the MFN_SIMD_* constants"
                )));
            }
        };
        Ok(run.simulation.write()?.set_execution(Execution {
            threads: match count(given.threads) {
                0 => std::thread::available_parallelism().map_or(1, NonZero::get),
                threads => threads,
            },
            band_rows: count(given.band_rows),
            strip_cols: count(given.strip_cols),
            block_steps: count(given.block_steps),
            simd,
        })?)
    })
}

/// Tells how steps are carried out: what was worked out where mfn_sim_set_execution() was given 0, and the vector
/// instructions in use. execution belongs to the host, which sets its struct_size. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_execution(
    sim: *const mfn_sim,
    execution: *mut mfn_execution,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(sim, error, |run| {
        let slot = SizedSlot::new("execution", execution)?;
        let used = run.simulation.read()?.execution_used();
        slot.write(&mfn_execution {
            struct_size: 0,
            simd: match used.simd {
                SimdLevel::Avx512 => MFN_SIMD_AVX512,
                SimdLevel::Avx2 => MFN_SIMD_AVX2,
                _ => MFN_SIMD_BASELINE,
            },
            threads: used.threads as u64,
            band_rows: used.band_rows as u64,
            strip_cols: used.strip_cols as u64,
            block_steps: used.block_steps as u64,
        });
        Ok(())
    })
}

fn lend(view: *mut mfn_field_view_f32, field: Option<ArrayView2<'_, f32>>) -> Result<(), Failure> {
    let slot = Slot::required("view", view)?;
    let field = field.ok_or_else(|| {
        Failure::invalid("the simulation computes in double precision: use the function without _f32")
    })?;
    let [row_stride, col_stride] = [field.strides()[0], field.strides()[1]];
    let (rows, cols) = field.dim();
    slot.write(mfn_field_view_f32 { data: field.as_ptr(), rows, cols, row_stride, col_stride });
    Ok(())
}

/// Lends the potential of a run in single precision, volts. The view lives until the next call with this handle
/// that is not const. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_field_f32(
    sim: *const mfn_sim,
    view: *mut mfn_field_view_f32,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(sim, error, |run| lend(view, run.simulation.read()?.field_f32()))
}

/// Lends the activator of a run in single precision. The view lives until the next call with this handle that is
/// not const. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_activator_f32(
    sim: *const mfn_sim,
    view: *mut mfn_field_view_f32,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(sim, error, |run| lend(view, run.simulation.read()?.activator_f32()))
}

/// Lends the inhibitor of a run in single precision. The view lives until the next call with this handle that is
/// not const. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_inhibitor_f32(
    sim: *const mfn_sim,
    view: *mut mfn_field_view_f32,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(sim, error, |run| lend(view, run.simulation.read()?.inhibitor_f32()))
}
