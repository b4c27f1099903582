//! What the benches share: comparing two programs in one run.
//!
//! Each bench times the library against a peer that computes the same numbers (checked before
//! timing) and ends with the ratio of the two. Absolute times on a shared machine drift; a
//! ratio of runs that alternate drifts far less.

use std::time::{Duration, Instant};

use criterion::Criterion;

/// Criterion with the command line's arguments and short runs: the comparison at the end is
/// what counts.
#[must_use]
pub fn criterion() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args()
}

/// Alternations of a comparison; the median discards disturbances.
const ROUNDS: usize = 15;
/// Shortest time of one timed run.
const RUN_MIN: Duration = Duration::from_millis(20);

/// Median times of one call of two programs.
#[derive(Debug, Clone, Copy)]
pub struct Comparison {
    /// Time of one call of the library.
    pub library: Duration,
    /// Time of one call of the peer.
    pub peer: Duration,
}

impl Comparison {
    /// Times both programs in alternation.
    pub fn measure(mut library: impl FnMut(), mut peer: impl FnMut()) -> Self {
        let calls = (calls_for(&mut library), calls_for(&mut peer));
        let mut times = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            times.0.push(time(&mut library, calls.0));
            times.1.push(time(&mut peer, calls.1));
        }
        Self { library: median(times.0), peer: median(times.1) }
    }

    /// How many times faster the library is.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.peer.as_secs_f64() / self.library.as_secs_f64()
    }
}

/// Calls needed to fill the shortest time of a run.
fn calls_for(program: &mut impl FnMut()) -> u32 {
    let mut calls = 1;
    while time(program, calls) * calls < RUN_MIN {
        calls *= 2;
    }
    calls
}

/// Mean time of one call.
fn time(program: &mut impl FnMut(), calls: u32) -> Duration {
    let start = Instant::now();
    for _ in 0..calls {
        program();
    }
    start.elapsed() / calls
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
