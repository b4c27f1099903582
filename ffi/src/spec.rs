//! Specification: everything that decides the result of a run.
//!
//! Fill one with mfn_spec_init(), change what differs, and create a simulation from it. Equal specifications
//! give equal bits.

use std::ffi::{c_char, c_double};

use ::mfn_sim::{BoundaryCondition, Spec};
use mfn_runtime::codec::{self, Observation};

use crate::argument::{SizedSlot, flag, read_sized, sized32, text};
use crate::error::{Failure, mfn_error};
use crate::guard;
use crate::status::mfn_status;

/// Outside the grid lies its opposite side.
pub const MFN_BOUNDARY_PERIODIC: i32 = 0;
/// Outside an edge cell lies a copy of it.
pub const MFN_BOUNDARY_NEUMANN: i32 = 1;
/// Outside the grid everything is zero.
pub const MFN_BOUNDARY_DIRICHLET: i32 = 2;

/// Everything that decides the result of a run. Fill it with mfn_spec_init(), then change what differs.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_spec {
    /// sizeof(mfn_spec).
    pub struct_size: u32,
    /// One of the MFN_BOUNDARY_* constants.
    pub boundary: i32,
    /// 1: activator and inhibitor advance and act on the potential. 0: they do not.
    pub turing_enabled: i32,
    /// 1: normal noise is added to every cell in every step. 0: none.
    pub quantum_jitter: i32,
    /// Cells along each side of the square grid.
    pub grid_size: u64,
    /// Steps of a complete run.
    pub steps: u64,
    /// Seed of the random stream.
    pub random_seed: u64,
    /// Diffusion coefficient of the potential, cells^2 per step.
    pub alpha: c_double,
    /// Probability of one growth event in a step.
    pub spike_probability: c_double,
    /// Activator level above which a cell is activated.
    pub turing_threshold: c_double,
    /// Variance of the noise, V^2 per step.
    pub jitter_var: c_double,
    /// Diffusion coefficient of the activator, cells^2 per step.
    pub d_activator: c_double,
    /// Diffusion coefficient of the inhibitor, cells^2 per step.
    pub d_inhibitor: c_double,
    /// Reaction rate of the activator, 1 per step.
    pub r_activator: c_double,
    /// Reaction rate of the inhibitor, 1 per step.
    pub r_inhibitor: c_double,
    /// 1: a step that gives NaN or infinity is discarded with MFN_UNSTABLE. 0: such values stay.
    pub check_stability: i32,
    /// 0.
    pub reserved: i32,
}

sized32! { mfn_spec = 112; }

impl From<&Spec> for mfn_spec {
    fn from(spec: &Spec) -> Self {
        Self {
            struct_size: size_of::<Self>() as u32,
            boundary: match spec.boundary_condition {
                BoundaryCondition::Periodic => MFN_BOUNDARY_PERIODIC,
                BoundaryCondition::Neumann => MFN_BOUNDARY_NEUMANN,
                BoundaryCondition::Dirichlet => MFN_BOUNDARY_DIRICHLET,
            },
            turing_enabled: i32::from(spec.turing_enabled),
            quantum_jitter: i32::from(spec.quantum_jitter),
            grid_size: spec.grid_size as u64,
            steps: spec.steps,
            random_seed: spec.random_seed,
            alpha: spec.alpha,
            spike_probability: spec.spike_probability,
            turing_threshold: spec.turing_threshold,
            jitter_var: spec.jitter_var,
            d_activator: spec.d_activator,
            d_inhibitor: spec.d_inhibitor,
            r_activator: spec.r_activator,
            r_inhibitor: spec.r_inhibitor,
            check_stability: i32::from(spec.check_stability),
            reserved: 0,
        }
    }
}

/// Reads a specification from C. The ranges are checked by the simulation.
pub(crate) fn read_spec(spec: *const mfn_spec) -> Result<Spec, Failure> {
    let given = read_sized("spec", spec)?;
    if given.reserved != 0 {
        return Err(Failure::invalid(format!(
            "spec.reserved = {}: leave it 0, as mfn_spec_init() does",
            given.reserved
        )));
    }
    Ok(Spec {
        grid_size: usize::try_from(given.grid_size).map_err(|_| {
            Failure::invalid(format!("spec.grid_size = {} does not fit this machine", given.grid_size))
        })?,
        steps: given.steps,
        random_seed: given.random_seed,
        alpha: given.alpha,
        spike_probability: given.spike_probability,
        turing_enabled: flag("spec.turing_enabled", given.turing_enabled)?,
        turing_threshold: given.turing_threshold,
        quantum_jitter: flag("spec.quantum_jitter", given.quantum_jitter)?,
        jitter_var: given.jitter_var,
        d_activator: given.d_activator,
        d_inhibitor: given.d_inhibitor,
        r_activator: given.r_activator,
        r_inhibitor: given.r_inhibitor,
        boundary_condition: match given.boundary {
            MFN_BOUNDARY_PERIODIC => BoundaryCondition::Periodic,
            MFN_BOUNDARY_NEUMANN => BoundaryCondition::Neumann,
            MFN_BOUNDARY_DIRICHLET => BoundaryCondition::Dirichlet,
            other => {
                return Err(Failure::invalid(format!(
                    "spec.boundary = {other}: give one of the MFN_BOUNDARY_* constants"
                )));
            }
        },
        check_stability: flag("spec.check_stability", given.check_stability)?,
        ..Spec::default()
    })
}

/// Reads and checks a specification in JSON.
pub(crate) fn read_spec_json(spec_json: *const c_char) -> Result<Spec, Failure> {
    let text = text("spec_json", spec_json)?;
    let decoded = codec::decode(codec::JSON, text.as_bytes());
    match decoded.map_err(|error| Failure::from(error).about("spec_json"))? {
        Observation::Simulation(spec) => Ok(*spec),
        Observation::Field(_) => Err(Failure::invalid("spec_json: give a JSON object")),
    }
}

/// Fills a specification with the defaults: grid 64, 64 steps, seed 42. struct_size is sizeof(mfn_spec).
/// spec belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_spec_init(
    spec: *mut mfn_spec,
    struct_size: usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        SizedSlot::of_size("spec", spec, struct_size)?.write(&mfn_spec::from(&Spec::default()));
        Ok(())
    })
}
