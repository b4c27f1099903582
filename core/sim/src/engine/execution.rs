//! How a step is carried out: threads, tiles and vector registers. None of it changes a bit.

use std::sync::Arc;

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::team::Team;
use super::tiling::Lanes;
use crate::simd::{DetectedLevel, SimdLevel, UnavailableLevel};

/// Most threads of a simulation's own.
pub const THREADS_MAX: usize = 1024;

/// How the steps of a [`Simulation`](crate::Simulation) are carried out. It decides the speed
/// and never a bit of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Execution {
    /// Threads: 1 computes on the calling thread; 0 uses the rayon pool in which the execution
    /// is set (the calling thread outside of all); more are the calling thread and a pool of the simulation's own.
    pub threads: usize,
    /// Rows of a band, the least that a thread takes, but for up to half a block of steps at the edge of a grid that does
    /// not wrap; 0: worked out from the grid.
    pub band_rows: usize,
    /// Columns of a strip, in which a band is swept, rounded up to a multiple of 16; 0: worked
    /// out from the grid and the caches. A run with maps or temporal features sweeps whole rows.
    pub strip_cols: usize,
    /// Steps that are computed while a row is in the cache, at most 16, and at most a third to a half as many as a thread
    /// has rows where it needs those of another or the grid wraps; 0: worked out from the grid and the caches. A host's kinetics and noise drawn from `pcg64` are
    /// computed step by step.
    pub block_steps: usize,
    /// Vector instructions.
    pub simd: SimdLevel,
}

impl Default for Execution {
    /// On the calling thread, with the widest registers.
    fn default() -> Self {
        Self { threads: 1, band_rows: 0, strip_cols: 0, block_steps: 0, simd: SimdLevel::Auto }
    }
}

/// Why an [`Execution`] was refused. The simulation keeps the one it has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExecutionError {
    /// The vector instructions are missing.
    #[error(transparent)]
    Simd(#[from] UnavailableLevel),
    /// Too many threads.
    #[error("threads = {threads} is above {THREADS_MAX}: use 0 for the pool of the host, or fewer")]
    Threads {
        /// Threads asked for.
        threads: usize,
    },
    /// The threads could not be started.
    #[error(
        "{threads} threads could not be started ({reason}): ask for fewer, or 0 for the pool of the host"
    )]
    Pool {
        /// Threads asked for.
        threads: usize,
        /// What the system said.
        reason: String,
    },
}

/// An execution that was checked: the pool is there, the level was detected.
#[derive(Debug, Clone)]
pub(crate) struct Executor {
    settings: Execution,
    team: Team,
    level: DetectedLevel,
}

impl Executor {
    /// Detects the level and starts the threads.
    pub(crate) fn new(settings: Execution) -> Result<Self, ExecutionError> {
        let level = settings.simd.resolve()?;
        let threads = settings.threads;
        let team = match threads {
            0 => Team::Ambient,
            1 => Team::Caller,
            2..=THREADS_MAX => {
                // The calling thread is one of them.
                let pool = ThreadPoolBuilder::new()
                    .num_threads(threads - 1)
                    .thread_name(|index| format!("mfn-step-{}", index + 1))
                    .build()
                    .map_err(|error| ExecutionError::Pool { threads, reason: error.to_string() })?;
                Team::Own(Arc::new(pool))
            }
            _ => return Err(ExecutionError::Threads { threads }),
        };
        Ok(Self { settings, team, level })
    }

    /// On the calling thread, with the instructions that every machine has.
    pub(crate) fn here() -> Self {
        let settings = Execution { simd: SimdLevel::Baseline, ..Execution::default() };
        Self { settings, team: Team::Caller, level: DetectedLevel::BASELINE }
    }

    /// The same on a pool of the host's.
    pub(crate) fn on_pool(&self, pool: Arc<ThreadPool>) -> Self {
        let settings = Execution { threads: pool.current_num_threads(), ..self.settings };
        Self { settings, team: Team::Host(pool), level: self.level }
    }

    pub(crate) fn settings(&self) -> Execution {
        self.settings
    }

    pub(crate) fn level(&self) -> DetectedLevel {
        self.level
    }

    pub(crate) fn lanes(&self) -> Lanes {
        let Execution { band_rows, strip_cols, block_steps, .. } = self.settings;
        Lanes { threads: self.team.size(), band_rows, strip_cols, block_steps }
    }

    pub(super) fn team(&self) -> &Team {
        &self.team
    }
}
