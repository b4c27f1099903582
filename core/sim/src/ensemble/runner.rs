//! The runner: keeps the threads busy, the memory bounded and the results in order.
//!
//! The calling thread hands out runs and takes in results; the pool computes. A run is handed out only while
//! less than a window of runs is unfinished or waits for one before it, and while the memory of all runs
//! that are being computed stays below its bound. No thread of the pool ever waits for another run, so an
//! ensemble can be run from inside the pool it uses.

use std::any::Any;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::failure::{EnsembleError, RunFailure};
use super::record::RunRecord;
use crate::engine::{CancelToken, RunEnd, Simulation};
use crate::error::SimError;
use crate::features::FeatureConfig;
use crate::parallel::is_in_pool;
use crate::spec::Spec;

/// The most threads of an ensemble's own pool.
pub const THREADS_MAX: usize = 1024;

/// The most results that may wait for one before them.
pub const WINDOW_RUNS_MAX: usize = 1 << 16;

/// What the features of a run are taken to need for each cell beside its fields, bytes: the last frame, the change
/// that led to it, and the clusters of the worst pattern.
const FEATURE_BYTES_PER_CELL: u64 = 64;

/// What a run is taken to need beside all that, bytes.
const FIXED_BYTES: u64 = 1 << 16;

/// The memory that a run of an ensemble is taken to need, bytes. Also defined for a specification that would be
/// refused.
#[must_use]
pub fn run_memory_bytes(spec: &Spec) -> u64 {
    let cells = (spec.rows() as u64).saturating_mul(spec.cols() as u64);
    let features = cells.saturating_mul(FEATURE_BYTES_PER_CELL);
    spec.followed_memory_bytes().saturating_add(features).saturating_add(FIXED_BYTES)
}

/// How long a thread of the pool that runs an ensemble itself waits before it looks for other work again.
const IDLE_WAIT: Duration = Duration::from_millis(1);

/// How often a caller outside the pool looks whether it was cancelled.
const CANCEL_WAIT: Duration = Duration::from_millis(50);

/// How an ensemble ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnsembleEnd {
    /// Every run was handed over, with its result or its failure.
    Completed,
    /// Stopped by the cancel token or by the sink. What was handed over is a row of indices without a gap.
    Cancelled,
}

/// The settings of ensembles. None of them changes a result.
#[derive(Debug, Clone)]
pub struct Ensemble {
    /// Threads of a pool made for the ensemble; 0 uses the pool that the caller runs in, or else makes one with a
    /// thread for each core. At most [`THREADS_MAX`].
    pub threads: usize,
    /// Runs that may be unfinished, or wait for one before them, at once; 0 means four for each thread. At
    /// most [`WINDOW_RUNS_MAX`].
    pub window_runs: usize,
    /// The most memory of the runs that are computed at once, bytes, counted with [`run_memory_bytes`] and
    /// [`Work::reduce_memory_bytes`]. A run that alone needs more fails. The results that wait in the window come on top.
    pub memory_bytes_max: u64,
    /// Stops the ensemble from any thread.
    pub cancel: CancelToken,
}

impl Default for Ensemble {
    fn default() -> Self {
        Self { threads: 0, window_runs: 0, memory_bytes_max: u64::MAX, cancel: CancelToken::new() }
    }
}

/// What an ensemble computes: which runs there are, and what is kept of each.
pub trait Work: Sync {
    /// What is kept of a run.
    type Output: Send;

    /// The specification of run `index`. Called on the calling thread, once for each index, in order.
    ///
    /// # Errors
    /// The failure that is reported for this index.
    fn spec(&self, index: u64) -> Result<Spec, RunFailure>;

    /// The memory that [`reduce`](Self::reduce) takes beyond that of the run and its features, bytes. Called
    /// on the calling thread with a specification that is in order.
    fn reduce_memory_bytes(&self, spec: &Spec) -> u64 {
        let _ = spec;
        0
    }

    /// Reduces a complete run. Called on a thread of the pool.
    fn reduce(&self, index: u64, simulation: &Simulation) -> Self::Output;
}

/// A list of specifications, each reduced to its [`RunRecord`].
struct Listed<'a>(&'a [Spec]);

impl Work for Listed<'_> {
    type Output = RunRecord;

    fn spec(&self, index: u64) -> Result<Spec, RunFailure> {
        let spec = usize::try_from(index).ok().and_then(|index| self.0.get(index));
        spec.cloned().ok_or_else(|| RunFailure::NoSpec { reason: format!("there is no index {index}") })
    }

    fn reduce(&self, _index: u64, simulation: &Simulation) -> RunRecord {
        RunRecord::of(simulation)
    }
}

/// Takes the results, in the order of the indices, on the calling thread. It may stop the ensemble.
pub type Sink<'a, T> = &'a mut dyn FnMut(u64, Result<T, RunFailure>) -> ControlFlow<()>;

impl Ensemble {
    /// Runs a list of specifications.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_specs(&self, specs: &[Spec], sink: Sink<'_, RunRecord>) -> Result<EnsembleEnd, EnsembleError> {
        self.run(&Listed(specs), 0..specs.len() as u64, sink)
    }

    /// Checks the options.
    ///
    /// # Errors
    /// [`EnsembleError::Option`] for the first that is outside its range.
    pub fn check(&self) -> Result<(), EnsembleError> {
        let limit = |option, given: usize, max: usize| {
            let error = EnsembleError::Option { option, given: given as u64, min: 0, max: max as u64 };
            if given > max { Err(error) } else { Ok(()) }
        };
        limit("threads", self.threads, THREADS_MAX)?;
        limit("window_runs", self.window_runs, WINDOW_RUNS_MAX)
    }

    /// Runs the given indices of `work` and hands each result to `sink`, in order. Returns when no run is
    /// under way any more, also after a cancellation.
    ///
    /// # Errors
    /// [`EnsembleError`] when an option is refused or threads can not be started; no run has begun then.
    pub fn run<W: Work>(
        &self,
        work: &W,
        indices: std::ops::Range<u64>,
        sink: Sink<'_, W::Output>,
    ) -> Result<EnsembleEnd, EnsembleError> {
        self.check()?;
        let window_of = |threads: usize| match self.window_runs {
            0 => (4 * threads.max(1)).min(WINDOW_RUNS_MAX) as u64,
            runs => runs as u64,
        };
        if self.threads == 0 && is_in_pool() {
            let window = window_of(rayon::current_num_threads());
            let mut runner = Runner::new(self, work, indices, window, sink);
            return Ok(rayon::in_place_scope(|scope| runner.go(|task| scope.spawn(|_| task()))));
        }
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(self.threads)
            .thread_name(|index| format!("mfn-ensemble-{index}"))
            .build()
            .map_err(|error| EnsembleError::Threads { threads: self.threads, reason: error.to_string() })?;
        let window = window_of(pool.current_num_threads());
        let mut runner = Runner::new(self, work, indices, window, sink);
        Ok(pool.in_place_scope(|scope| runner.go(|task| scope.spawn(|_| task()))))
    }
}

/// A result on its way from the pool, with the memory that its run gives back.
struct Arrival<T> {
    index: u64,
    bytes: u64,
    result: Done<T>,
}

/// What became of a run.
enum Done<T> {
    Result(Result<T, RunFailure>),
    Cancelled,
}

/// The state of one call of [`Ensemble::run`].
struct Runner<'a, 'sink, W: Work> {
    ensemble: &'a Ensemble,
    work: &'a W,
    sink: Sink<'sink, W::Output>,
    window: u64,
    /// The first index that was not handed out.
    next: u64,
    end: u64,
    /// The first index that was not handed over to the sink.
    due: u64,
    /// A specification that has to wait for memory.
    postponed: Option<Spec>,
    bytes: u64,
    running: u64,
    waiting: BTreeMap<u64, Result<W::Output, RunFailure>>,
    sender: Sender<Arrival<W::Output>>,
    receiver: Receiver<Arrival<W::Output>>,
    /// Set with `is_cancelled`, so that runs under way end soon.
    stop: CancelToken,
    is_cancelled: bool,
}

type Task<'a> = Box<dyn FnOnce() + Send + 'a>;

impl<'a, 'sink, W: Work> Runner<'a, 'sink, W> {
    fn new(
        ensemble: &'a Ensemble,
        work: &'a W,
        indices: std::ops::Range<u64>,
        window: u64,
        sink: Sink<'sink, W::Output>,
    ) -> Self {
        let (sender, receiver) = channel();
        Self {
            ensemble,
            work,
            sink,
            window,
            next: indices.start,
            end: indices.end,
            due: indices.start,
            postponed: None,
            bytes: 0,
            running: 0,
            waiting: BTreeMap::new(),
            sender,
            receiver,
            stop: CancelToken::new(),
            is_cancelled: false,
        }
    }

    fn go(&mut self, spawn: impl Fn(Task<'a>)) -> EnsembleEnd
    where
        W::Output: 'a,
    {
        loop {
            self.is_cancelled |= self.ensemble.cancel.is_cancelled();
            if !self.is_cancelled {
                self.hand_out(&spawn);
                self.hand_over();
            }
            if self.running > 0 {
                self.take_in();
            } else if self.is_cancelled || self.due >= self.end {
                break;
            }
        }
        // A cancellation that comes after the last result changes nothing.
        if self.due >= self.end { EnsembleEnd::Completed } else { EnsembleEnd::Cancelled }
    }

    /// Starts runs as long as window and memory allow.
    fn hand_out(&mut self, spawn: &impl Fn(Task<'a>))
    where
        W::Output: 'a,
    {
        while self.next < self.end && self.next - self.due < self.window {
            let index = self.next;
            let spec = match self.postponed.take() {
                Some(spec) => Ok(spec),
                None => contained(|| self.work.spec(index)).and_then(|spec| spec),
            };
            let (spec, bytes) = match spec.and_then(|spec| self.fits(spec)) {
                Ok(fitting) => fitting,
                Err(failure) => {
                    self.next += 1;
                    self.waiting.insert(index, Err(failure));
                    continue;
                }
            };
            if self.running > 0 && self.bytes.saturating_add(bytes) > self.ensemble.memory_bytes_max {
                self.postponed = Some(spec);
                return;
            }
            self.next += 1;
            self.running += 1;
            self.bytes = self.bytes.saturating_add(bytes);
            let (work, sender) = (self.work, self.sender.clone());
            let cancel = [self.ensemble.cancel.clone(), self.stop.clone()];
            spawn(Box::new(move || {
                let result = contained(|| compute(work, index, spec, &cancel));
                let result = result.unwrap_or_else(|failure| Done::Result(Err(failure)));
                // The receiver lives as long as any run does.
                let _ = sender.send(Arrival { index, bytes, result });
            }));
        }
    }

    /// Refuses a run that alone breaks the bound of memory.
    fn fits(&self, spec: Spec) -> Result<(Spec, u64), RunFailure> {
        // Before any memory is counted: an impossible grid is a fault of the specification.
        spec.validate().map_err(SimError::from)?;
        let reduced_bytes = contained(|| self.work.reduce_memory_bytes(&spec))?;
        let needed_bytes = run_memory_bytes(&spec).saturating_add(reduced_bytes);
        let allowed_bytes = self.ensemble.memory_bytes_max;
        if needed_bytes > allowed_bytes {
            return Err(RunFailure::Memory { needed_bytes, allowed_bytes });
        }
        Ok((spec, needed_bytes))
    }

    /// Gives the sink what is complete without a gap.
    fn hand_over(&mut self) {
        while let Some(result) = self.waiting.remove(&self.due) {
            let index = self.due;
            self.due += 1;
            if (self.sink)(index, result).is_break() {
                self.is_cancelled = true;
                self.stop.cancel();
                return;
            }
        }
    }

    /// Waits for one result. A thread of the pool computes meanwhile.
    fn take_in(&mut self) {
        let arrival = match rayon::yield_now() {
            Some(rayon::Yield::Executed) => self.receiver.try_recv().ok(),
            Some(rayon::Yield::Idle) => self.receive(IDLE_WAIT),
            None => self.receive(CANCEL_WAIT),
        };
        let Some(Arrival { index, bytes, result }) = arrival else { return };
        self.running -= 1;
        self.bytes = self.bytes.saturating_sub(bytes);
        match result {
            Done::Result(result) => drop(self.waiting.insert(index, result)),
            Done::Cancelled => self.is_cancelled = true,
        }
    }

    fn receive(&self, timeout: Duration) -> Option<Arrival<W::Output>> {
        self.receiver.recv_timeout(timeout).ok()
    }
}

/// One run from its specification to what is kept of it.
fn compute<W: Work>(work: &W, index: u64, spec: Spec, cancel: &[CancelToken]) -> Done<W::Output> {
    let run = || -> Result<Option<W::Output>, SimError> {
        let mut simulation = Simulation::new(spec)?;
        simulation.enable_temporal_features(&FeatureConfig::of_mode(simulation.spec().compat))?;
        let steps = simulation.spec().steps;
        let end = simulation.run(steps, &mut |_| {
            if cancel.iter().any(CancelToken::is_cancelled) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        Ok((end == RunEnd::Completed).then(|| work.reduce(index, &simulation)))
    };
    match run() {
        Ok(Some(output)) => Done::Result(Ok(output)),
        Ok(None) => Done::Cancelled,
        Err(error) => Done::Result(Err(error.into())),
    }
}

/// Runs `body`; a panic becomes a failure, so that one run can not end the others.
fn contained<T>(body: impl FnOnce() -> T) -> Result<T, RunFailure> {
    catch_unwind(AssertUnwindSafe(body)).map_err(|payload| {
        let message = text_of(payload.as_ref());
        // Dropping a payload may panic again; forgetting it costs a few bytes.
        std::mem::forget(payload);
        RunFailure::Defect { message }
    })
}

fn text_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic without a text".to_owned())
}
