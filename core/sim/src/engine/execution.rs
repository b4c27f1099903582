//! How a step is carried out: threads, tiles and vector registers. None of it changes a bit.

use std::ops::Range;
use std::sync::Arc;

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::simd::{DetectedLevel, SimdLevel, UnavailableLevel};

/// Most threads of a simulation's own.
pub const THREADS_MAX: usize = 1024;

/// Lanes for each thread, so that a thread that is late is waited for less.
const LANES_PER_THREAD: usize = 4;
/// Fewest cells of a lane that is cut without being asked for: a step of fewer is done before
/// another thread has woken up.
const LANE_CELLS_MIN: usize = 1 << 14;
/// Columns of a strip where none are asked for. Three rows of three fields then fit into the
/// first-level cache or close behind it.
const STRIP_COLS: usize = 1024;

/// How the steps of a [`Simulation`](crate::Simulation) are carried out. It decides the speed
/// and never a bit of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Execution {
    /// Threads: 1 computes on the calling thread; 0 uses the rayon pool in which the call is
    /// made (the global one outside of all); more are a pool of the simulation's own.
    pub threads: usize,
    /// Rows of a band, the least that a thread takes; 0: worked out from the grid.
    pub band_rows: usize,
    /// Columns of a strip, in which a band is swept; 0: worked out from the grid.
    pub strip_cols: usize,
    /// Vector instructions.
    pub simd: SimdLevel,
}

impl Default for Execution {
    /// On the calling thread, with the widest registers.
    fn default() -> Self {
        Self { threads: 1, band_rows: 0, strip_cols: 0, simd: SimdLevel::Auto }
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

/// Where lanes run.
#[derive(Debug, Clone)]
enum Place {
    /// On the calling thread.
    Here,
    /// In the pool in which the call is made.
    Ambient,
    /// In this pool.
    Pool(Arc<ThreadPool>),
}

/// An execution that was checked: the pool is there, the level was detected.
#[derive(Debug, Clone)]
pub(crate) struct Executor {
    settings: Execution,
    place: Place,
    level: DetectedLevel,
}

/// What [`Tiling::of`] needs of an execution.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lanes {
    threads: usize,
    band_rows: usize,
    strip_cols: usize,
}

impl Executor {
    /// Detects the level and starts the threads.
    pub(crate) fn new(settings: Execution) -> Result<Self, ExecutionError> {
        let level = settings.simd.resolve()?;
        let threads = settings.threads;
        let place = match threads {
            0 => Place::Ambient,
            1 => Place::Here,
            2..=THREADS_MAX => {
                let pool = ThreadPoolBuilder::new()
                    .num_threads(threads)
                    .thread_name(|index| format!("mfn-step-{index}"))
                    .build()
                    .map_err(|error| ExecutionError::Pool { threads, reason: error.to_string() })?;
                Place::Pool(Arc::new(pool))
            }
            _ => return Err(ExecutionError::Threads { threads }),
        };
        Ok(Self { settings, place, level })
    }

    /// On the calling thread, with the instructions that every machine has.
    pub(crate) fn here() -> Self {
        let settings = Execution { simd: SimdLevel::Baseline, ..Execution::default() };
        Self { settings, place: Place::Here, level: DetectedLevel::BASELINE }
    }

    /// The same on a pool of the host's.
    pub(crate) fn on_pool(&self, pool: Arc<ThreadPool>) -> Self {
        let settings = Execution { threads: pool.current_num_threads(), ..self.settings };
        Self { settings, place: Place::Pool(pool), level: self.level }
    }

    pub(crate) fn settings(&self) -> Execution {
        self.settings
    }

    pub(crate) fn level(&self) -> DetectedLevel {
        self.level
    }

    pub(crate) fn lanes(&self) -> Lanes {
        let threads = match &self.place {
            Place::Here => 1,
            Place::Ambient => rayon::current_num_threads(),
            Place::Pool(pool) => pool.current_num_threads(),
        };
        Lanes { threads, band_rows: self.settings.band_rows, strip_cols: self.settings.strip_cols }
    }

    /// Runs `work` where lanes run.
    pub(crate) fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match &self.place {
            Place::Here | Place::Ambient => work(),
            Place::Pool(pool) => pool.install(work),
        }
    }
}

/// How a grid is cut: lanes of rows that may run at the same time, bands of rows within a lane,
/// strips of columns within a band.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tiling {
    pub(crate) lanes: usize,
    pub(crate) lane_rows: usize,
    pub(crate) band_rows: usize,
    pub(crate) strip_cols: usize,
}

impl Tiling {
    /// Cuts a grid of at least one cell.
    pub(crate) fn of(rows: usize, columns: usize, asked: Lanes) -> Self {
        let strip_cols = if asked.strip_cols == 0 { STRIP_COLS } else { asked.strip_cols }.min(columns);
        let least_rows =
            if asked.band_rows == 0 { LANE_CELLS_MIN.div_ceil(columns) } else { asked.band_rows };
        let least_rows = least_rows.clamp(1, rows);
        let lanes_max = if asked.threads <= 1 { 1 } else { asked.threads * LANES_PER_THREAD };
        let bands = rows.div_ceil(least_rows);
        let lane_rows = (bands.div_ceil(lanes_max.min(bands)) * least_rows).min(rows);
        let band_rows = if asked.band_rows == 0 { lane_rows } else { least_rows };
        Self { lanes: rows.div_ceil(lane_rows), lane_rows, band_rows, strip_cols }
    }

    /// The rows of a stretch of lanes.
    pub(crate) fn rows_of(&self, lanes: Range<usize>, rows: usize) -> Range<usize> {
        lanes.start * self.lane_rows..(lanes.end * self.lane_rows).min(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the cutting: every row in one lane, no lane without rows, no more lanes than
    /// asked for, also for the extreme shapes.
    #[test]
    fn lanes_cover_the_rows() {
        for (rows, columns) in [(1, 1), (1, 65_536), (65_536, 1), (7, 3), (100, 100), (4096, 4096)] {
            for threads in [1, 2, 8, 1024] {
                for (band_rows, strip_cols) in [(0, 0), (1, 1), (3, 7), (usize::MAX, usize::MAX)] {
                    let tiling = Tiling::of(rows, columns, Lanes { threads, band_rows, strip_cols });
                    assert!(tiling.lanes >= 1 && tiling.lanes <= threads * LANES_PER_THREAD);
                    assert!((1..=columns).contains(&tiling.strip_cols) && tiling.band_rows >= 1);
                    let last = tiling.rows_of(tiling.lanes - 1..tiling.lanes, rows);
                    assert!(!last.is_empty() && last.end == rows, "{tiling:?}");
                    assert!(threads > 1 || tiling.lanes == 1);
                }
            }
        }
    }
}
