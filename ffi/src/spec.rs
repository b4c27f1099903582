//! Specification: everything that decides the result of a run.
//!
//! Fill one with mfn_spec_init() or mfn_spec_init_preset(), change what differs, and create a simulation from
//! it. Equal specifications give equal bits.

use std::ffi::{c_char, c_double};

use ::mfn_sim::kinetics::{Brusselator, FitzHughNagumo, GiererMeinhardt, GrayScott, Kinetics, Schnakenberg};
use ::mfn_sim::{BoundaryCondition, Compat, InitialCondition, PRESETS, Precision, RngKind, Spec};
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

/// libmfn's own results.
pub const MFN_COMPAT_NONE: i32 = 0;
/// The results of MyceliumFractalNet 4.1, bit for bit.
pub const MFN_COMPAT_V4_1: i32 = 1;

/// The kinetics of MyceliumFractalNet 4.1. These constants are the indices of mfn_kinetics_name().
pub const MFN_KINETICS_V4_1: i32 = 0;
/// Gray-Scott: feed, kill.
pub const MFN_KINETICS_GRAY_SCOTT: i32 = 1;
/// Schnakenberg: a, b.
pub const MFN_KINETICS_SCHNAKENBERG: i32 = 2;
/// Gierer-Meinhardt: source, decay_activator, decay_inhibitor, saturation.
pub const MFN_KINETICS_GIERER_MEINHARDT: i32 = 3;
/// FitzHugh-Nagumo: epsilon, a, b, current.
pub const MFN_KINETICS_FITZHUGH_NAGUMO: i32 = 4;
/// Brusselator: a, b.
pub const MFN_KINETICS_BRUSSELATOR: i32 = 5;
/// Rates that the host gives with mfn_sim_set_kinetics().
pub const MFN_KINETICS_HOST: i32 = 6;

/// Fields in double precision.
pub const MFN_PRECISION_F64: i32 = 0;
/// Fields in single precision.
pub const MFN_PRECISION_F32: i32 = 1;

/// Random numbers that are a function of seed, step and cell.
pub const MFN_RNG_PHILOX: i32 = 0;
/// The random stream of NumPy's default_rng().
pub const MFN_RNG_PCG64: i32 = 1;

/// Activator and inhibitor uniform in [0, 0.1).
pub const MFN_INITIAL_RANDOM: i32 = 0;
/// The homogeneous steady state with noise.
pub const MFN_INITIAL_STEADY: i32 = 1;
/// Patches on the state of rest, for Gray-Scott.
pub const MFN_INITIAL_SEEDED: i32 = 2;

/// Most parameters of a kinetics.
pub const MFN_KINETICS_PARAMETERS_MAX: usize = 4;

/// Everything that decides the result of a run. Fill it with mfn_spec_init(), then change what differs. A
/// program that was compiled when the struct ended at reserved gets the specification of MyceliumFractalNet 4.1.
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
    /// Cells along each side of a square grid.
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
    /// One of the MFN_COMPAT_* constants.
    pub compat: i32,
    /// One of the MFN_KINETICS_* constants.
    pub kinetics: i32,
    /// One of the MFN_PRECISION_* constants.
    pub precision: i32,
    /// One of the MFN_RNG_* constants.
    pub rng: i32,
    /// One of the MFN_INITIAL_* constants.
    pub initial_condition: i32,
    /// 0.
    pub reserved2: i32,
    /// Rows of the grid; 0: grid_size.
    pub rows: u64,
    /// Columns of the grid; 0: grid_size.
    pub cols: u64,
    /// Steps between two recorded frames; 0: none.
    pub record_every: u64,
    /// Time that passes in a step.
    pub time_step: c_double,
    /// Rate at which the potential relaxes to rest, 1 per unit of time.
    pub leak_rate: c_double,
    /// Standard deviation of the initial noise of activator and inhibitor.
    pub initial_noise: c_double,
    /// The parameters of the kinetics in the order of mfn_kinetics_parameter_get(), then 0.
    pub kinetics_parameters: [c_double; 4],
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
            compat: match spec.compat {
                None => MFN_COMPAT_NONE,
                Some(_) => MFN_COMPAT_V4_1,
            },
            kinetics: Kinetics::NAMES
                .iter()
                .position(|name| *name == spec.kinetics.name())
                .map_or(MFN_KINETICS_V4_1, |index| index as i32),
            precision: match spec.precision {
                Precision::F64 => MFN_PRECISION_F64,
                Precision::F32 => MFN_PRECISION_F32,
            },
            rng: match spec.rng {
                RngKind::Philox => MFN_RNG_PHILOX,
                RngKind::Pcg64 => MFN_RNG_PCG64,
            },
            initial_condition: match spec.initial_condition {
                InitialCondition::Steady => MFN_INITIAL_STEADY,
                InitialCondition::Seeded => MFN_INITIAL_SEEDED,
                _ => MFN_INITIAL_RANDOM,
            },
            reserved2: 0,
            rows: spec.rows.map_or(0, |rows| rows as u64),
            cols: spec.cols.map_or(0, |cols| cols as u64),
            record_every: spec.record_every,
            time_step: spec.time_step,
            leak_rate: spec.leak_rate,
            initial_noise: spec.initial_noise,
            kinetics_parameters: {
                let mut parameters = [0.0; MFN_KINETICS_PARAMETERS_MAX];
                for (slot, value) in parameters.iter_mut().zip(spec.kinetics.values()) {
                    *slot = value;
                }
                parameters
            },
        }
    }
}

/// A choice by its constant.
fn choice<T: Copy>(name: &str, value: i32, family: &str, choices: &[T]) -> Result<T, Failure> {
    usize::try_from(value).ok().and_then(|index| choices.get(index).copied()).ok_or_else(|| {
        Failure::invalid(format!("spec.{name} = {value}: give one of the {family}* constants"))
    })
}

fn zero(name: &str, value: i32) -> Result<(), Failure> {
    if value == 0 {
        return Ok(());
    }
    Err(Failure::invalid(format!("spec.{name} = {value}: leave it 0, as mfn_spec_init() does")))
}

fn side(name: &str, value: u64) -> Result<usize, Failure> {
    usize::try_from(value)
        .map_err(|_| Failure::invalid(format!("spec.{name} = {value} does not fit this machine")))
}

fn kinetics(index: i32, parameters: [f64; MFN_KINETICS_PARAMETERS_MAX]) -> Result<Kinetics, Failure> {
    let name = choice("kinetics", index, "MFN_KINETICS_", &Kinetics::NAMES)?;
    let [p0, p1, p2, p3] = parameters;
    let kinetics = match index {
        MFN_KINETICS_GRAY_SCOTT => Kinetics::GrayScott(GrayScott { feed: p0, kill: p1 }),
        MFN_KINETICS_SCHNAKENBERG => Kinetics::Schnakenberg(Schnakenberg { a: p0, b: p1 }),
        MFN_KINETICS_GIERER_MEINHARDT => Kinetics::GiererMeinhardt(GiererMeinhardt {
            source: p0,
            decay_activator: p1,
            decay_inhibitor: p2,
            saturation: p3,
        }),
        MFN_KINETICS_FITZHUGH_NAGUMO => {
            Kinetics::FitzHughNagumo(FitzHughNagumo { epsilon: p0, a: p1, b: p2, current: p3 })
        }
        MFN_KINETICS_BRUSSELATOR => Kinetics::Brusselator(Brusselator { a: p0, b: p1 }),
        MFN_KINETICS_HOST => Kinetics::Host,
        _ => Kinetics::V4_1,
    };
    let known = kinetics.bounds().len();
    match parameters.iter().enumerate().skip(known).find(|(_, value)| **value != 0.0) {
        None => Ok(kinetics),
        Some((index, value)) => Err(Failure::invalid(format!(
            "spec.kinetics_parameters[{index}] = {value}: {name} has {known}, leave the others 0"
        ))),
    }
}

/// Reads a specification from C. The ranges are checked by the simulation.
pub(crate) fn read_spec(spec: *const mfn_spec) -> Result<Spec, Failure> {
    let given = read_sized("spec", spec)?;
    zero("reserved", given.reserved)?;
    zero("reserved2", given.reserved2)?;
    let boundaries = [BoundaryCondition::Periodic, BoundaryCondition::Neumann, BoundaryCondition::Dirichlet];
    let spec = Spec {
        grid_size: side("grid_size", given.grid_size)?,
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
        boundary_condition: choice("boundary", given.boundary, "MFN_BOUNDARY_", &boundaries)?,
        check_stability: flag("spec.check_stability", given.check_stability)?,
        ..Spec::v4_1()
    };
    if is_first_version(given.struct_size as usize) {
        return Ok(spec);
    }
    let precisions = [Precision::F64, Precision::F32];
    let initial = [InitialCondition::Random, InitialCondition::Steady, InitialCondition::Seeded];
    Ok(Spec {
        compat: choice("compat", given.compat, "MFN_COMPAT_", &[None, Some(Compat::V4_1)])?,
        kinetics: kinetics(given.kinetics, given.kinetics_parameters)?,
        precision: choice("precision", given.precision, "MFN_PRECISION_", &precisions)?,
        rng: choice("rng", given.rng, "MFN_RNG_", &[RngKind::Philox, RngKind::Pcg64])?,
        initial_condition: choice("initial_condition", given.initial_condition, "MFN_INITIAL_", &initial)?,
        rows: if given.rows == 0 { None } else { Some(side("rows", given.rows)?) },
        cols: if given.cols == 0 { None } else { Some(side("cols", given.cols)?) },
        record_every: given.record_every,
        time_step: given.time_step,
        leak_rate: given.leak_rate,
        initial_noise: given.initial_noise,
        ..spec
    })
}

/// Whether a struct of this size has no kinetics: its program was written for the one mode that there was.
fn is_first_version(struct_size: usize) -> bool {
    struct_size < size_of::<mfn_spec>()
}

fn init(spec: *mut mfn_spec, struct_size: usize, preset: &Spec) -> Result<(), Failure> {
    let slot = SizedSlot::of_size("spec", spec, struct_size)?;
    let first = Spec::v4_1();
    slot.write(&mfn_spec::from(if is_first_version(struct_size) { &first } else { preset }));
    Ok(())
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

/// Fills a specification with the default preset, mycelium. struct_size is sizeof(mfn_spec). spec belongs to the
/// host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_spec_init(
    spec: *mut mfn_spec,
    struct_size: usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || init(spec, struct_size, &Spec::default()))
}

/// Fills a specification with a preset, such as "mycelium" or "v4.1"; mfn_preset_name() lists them. spec belongs
/// to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_spec_init_preset(
    name: *const c_char,
    spec: *mut mfn_spec,
    struct_size: usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let name = text("name", name)?;
        let preset = Spec::preset(name).ok_or_else(|| {
            let known: Vec<&str> = PRESETS.iter().map(|(name, _)| *name).collect();
            Failure::invalid(format!("name: there is no preset {name:?}; use one of {}", known.join(", ")))
        })?;
        if is_first_version(struct_size) && preset != Spec::v4_1() {
            return Err(Failure::invalid(format!(
                "struct_size = {struct_size}: a struct of this size can hold the preset v4.1 alone"
            )));
        }
        init(spec, struct_size, &preset)
    })
}
