//! The MyceliumFractalNet simulation as a library: pure numerics, no I/O, no clocks.
//!
//! A [`Spec`] names a run: grid, seed, parameters, boundary. [`Simulation`] carries it out:
//! three coupled fields (the membrane potential in volts, an activator and an inhibitor)
//! advance by an explicit five-point scheme. [`features`] reduces a field, or a run, to the
//! 18 numbers that leave the program. [`rng`] produces NumPy's random streams.
//!
//! The results equal those of MyceliumFractalNet 4.1 bit for bit (fields, counters, random
//! streams) or within a stated tolerance (sums, logarithms); `docs/numerics.md` has the
//! equations and every difference.
//!
//! ```
//! use std::ops::ControlFlow;
//! use mfn_sim::{RunEnd, Simulation, Spec};
//!
//! let spec = Spec { grid_size: 32, steps: 20, ..Spec::default() };
//! let mut simulation = Simulation::new(spec)?;
//! let steps = simulation.spec().steps;
//! let end = simulation.run(steps, &mut |_progress| ControlFlow::Continue(()))?;
//! assert_eq!(end, RunEnd::Completed);
//! assert_eq!(simulation.field().dim(), (32, 32));
//! assert!(simulation.statistics().field_max_v <= 0.040);
//! # Ok::<(), mfn_sim::SimError>(())
//! ```

pub mod aggregation;
pub mod bounds;
pub mod checkpoint;
pub mod dataset;
pub mod descriptors;
mod engine;
pub mod ensemble;
mod error;
pub mod features;
pub mod graph;
pub mod ifs;
pub mod kinetics;
pub mod learning;
mod least_squares;
pub mod lyapunov;
pub mod membrane;
pub mod model;
mod moments;
pub mod operators;
mod parallel;
mod real;
pub mod record;
pub mod rng;
mod simd;
mod spec;

#[doc(hidden)]
pub use engine::KernelProbe;
pub use engine::{
    CancelToken, Coefficient, Execution, ExecutionError, FieldPlanes, Frame, Observer, Progress, RunCounters,
    RunEnd, Simulation, SimulationState, StateError, Statistics, THREADS_MAX, constants,
};
pub use error::{FaultKind, InitialFieldError, Instability, MapError, SimError, SpecError, SpecFault};
pub use features::{FeatureConfig, FeatureError, Features, TemporalAccumulator};
pub use real::Real;
pub use simd::{SimdLevel, UnavailableLevel};
pub use spec::{BoundaryCondition, Compat, InitialCondition, PRESETS, Precision, RngKind, Spec};
