//! Advancing a run: by one step, or by many in blocks, with the same bits.
//!
//! A block is checked once, when it is done: a value that is not finite stays so in every later
//! step. If the check fails the block has not happened, and its steps are done again one by one
//! up to the one that failed.

use std::ops::ControlFlow;

use super::block::{BLOCK_STEPS_MAX, Block, RELAY_BLOCKS_MAX};
use super::control::{self, Frame, Observer, Progress, RunEnd};
use super::grid::{Order, Spike};
use super::kernel::Numbers;
use super::lane::Swept;
use super::planes::on_grid;
use super::team::Team;
use super::{RunCounters, Simulation};
use crate::error::SimError;
use crate::features::FrameSums;

impl Simulation {
    /// Does one step.
    ///
    /// # Errors
    /// [`SimError::Unstable`] when the step produced NaN or infinite values and
    /// `check_stability` is on, [`SimError::HostReaction`] when the host's kinetics failed or is
    /// missing. The step is discarded: fields, counters of events and the random stream are as
    /// before it.
    pub fn step(&mut self) -> Result<(), SimError> {
        let random_before = self.random.clone();
        let (growth_events, swept) = self.compute(&mut [None], Order::OfGrid);
        if let Some(error) = self.refusal(&swept) {
            self.random = random_before;
            return Err(error);
        }
        self.keep(1, growth_events, &swept);
        Ok(())
    }

    /// Does some steps, at most as many as a block has. After an error the steps before the one
    /// that failed are done.
    fn advance(&mut self, steps: usize, order: Order) -> Result<(), SimError> {
        let random_before = self.random.clone();
        let (growth_events, swept) = self.compute(&mut [None; BLOCK_STEPS_MAX][..steps], order);
        if steps > 1 && self.is_refused(&swept) {
            self.random = random_before;
            for _ in 0..steps {
                self.step()?;
            }
            return Ok(());
        }
        if let Some(error) = self.refusal(&swept) {
            self.random = random_before;
            return Err(error);
        }
        self.keep(steps, growth_events, &swept);
        Ok(())
    }

    /// Does some blocks of steps in a [relay](super::relay) until one has a value that is not finite. Gives the steps that
    /// are done; the rows are left in the order of the lanes.
    fn relay(&mut self, steps: usize) -> usize {
        let random_before = self.random.clone();
        let spikes = &mut [None; RELAY_BLOCKS_MAX * BLOCK_STEPS_MAX][..steps];
        let (mut growth_events, swept) = self.compute(spikes, Order::OfLanes);
        if swept.steps < steps {
            self.random = random_before;
            growth_events = self.draw(&mut spikes[..swept.steps]);
        }
        self.keep(swept.steps, growth_events, &swept);
        swept.steps
    }

    /// Draws the growth events of the next steps, and gives their number.
    fn draw(&mut self, spikes: &mut [Option<Spike>]) -> u64 {
        let probability = self.spec.time_step * self.spec.spike_probability;
        let shape = (self.spec.rows(), self.spec.cols());
        for (step, spike) in (self.counters.steps..).zip(&mut *spikes) {
            *spike = self.random.spike(step, probability, shape);
        }
        spikes.iter().flatten().count() as u64
    }

    /// Computes the fields after some steps, for which there are places for growth events; whether they are kept is not
    /// decided here. Also gives the number of growth events.
    fn compute(&mut self, spikes: &mut [Option<Spike>], order: Order) -> (u64, Swept) {
        let growth_events = self.draw(spikes);
        let spec = &self.spec;
        let first_step = self.counters.steps;
        let deviation = spec.quantum_jitter.then(|| (spec.time_step * spec.jitter_var).sqrt());
        let host = self.host.as_deref();
        let followed = self.temporal.is_some();
        let swept = on_grid!(&mut self.planes, grid => {
            let noise = self.random.noise(first_step, deviation, grid.noise_mut());
            let block = Block {
                numbers: Numbers::of(spec),
                kinetics: spec.kinetics,
                factors: [spec.r_activator, spec.r_inhibitor],
                host,
                noise,
                spikes,
                followed,
            };
            grid.advance(&block, order, &self.executor)
        });
        (growth_events, swept)
    }

    /// Makes the computed steps done.
    fn keep(&mut self, steps: usize, growth_events: u64, swept: &Swept) {
        let RunCounters { steps: done, growth_events: growths, activations, clamps, .. } = &mut self.counters;
        *done += steps as u64;
        *growths += growth_events;
        *activations += swept.counts.activations;
        *clamps += swept.counts.clamps;
        let shape = (self.spec.rows(), self.spec.cols());
        on_grid!(&mut self.planes, grid => {
            grid.keep();
            if let Some(temporal) = &mut self.temporal {
                for step in 0..steps {
                    temporal.push_sums(shape, FrameSums::of(grid.sums(step, steps), shape.1));
                }
            }
        });
    }

    fn is_refused(&self, swept: &Swept) -> bool {
        swept.failure.is_some() || (swept.counts.not_finite && self.spec.check_stability)
    }

    /// Why the step just computed is not kept, and records it.
    fn refusal(&mut self, swept: &Swept) -> Option<SimError> {
        let step = self.counters.steps;
        if let Some(failure) = &swept.failure {
            return Some(SimError::HostReaction { step, failure: failure.clone() });
        }
        if !self.is_refused(swept) {
            return None;
        }
        let found = on_grid!(&self.planes, grid => grid.instability());
        self.counters.nan_detected |= found.nan_count > 0;
        self.counters.inf_detected |= found.inf_count > 0;
        self.counters.unstable_step = Some(step);
        Some(SimError::Unstable {
            step,
            field: found.field,
            nan_count: found.nan_count,
            inf_count: found.inf_count,
        })
    }

    /// Does some steps in blocks, all of them on the threads of the executor: waking them for each block would
    /// take longer than a block of a small grid. The last block leaves the rows in the order `last`.
    fn advance_blocks(&mut self, steps: u64, block_steps: u64, last: Order) -> Result<RunEnd, SimError> {
        let (mut done, mut has_stopped) = (0, false);
        while done < steps {
            if self.cancel.is_cancelled() {
                return Ok(RunEnd::Cancelled);
            }
            let left = steps - done;
            let at_once = on_grid!(&self.planes, grid => grid.steps_at_once(&self.executor)) as u64;
            // A relay leaves the rows in the order of the lanes.
            let whole = if last == Order::OfLanes { left } else { left - 1 } / block_steps * block_steps;
            if whole.min(at_once) > block_steps && !has_stopped {
                let relayed = self.relay(whole.min(at_once) as usize) as u64;
                done += relayed;
                has_stopped = relayed < whole.min(at_once);
                continue;
            }
            // What made a relay stop is found here.
            has_stopped = false;
            let block = block_steps.min(left);
            done += block;
            self.advance(block as usize, if done == steps { last } else { Order::OfLanes })?;
        }
        Ok(RunEnd::Completed)
    }

    /// Does up to `steps` more steps. `control` hears of progress every few milliseconds of
    /// work (on a large grid after every block of steps) and after the last step, on the calling thread; when it breaks, or the
    /// [cancel token](Self::cancel_token) is set, the run ends between two steps.
    ///
    /// # Errors
    /// As [`step`](Self::step); the steps before it are kept.
    pub fn run(
        &mut self,
        steps: u64,
        control: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<RunEnd, SimError> {
        self.run_with(steps, &mut control::ProgressOnly(control))
    }

    /// As [`run`](Self::run), with an observer that also sees a frame after every
    /// `record_every` steps of the specification.
    ///
    /// # Errors
    /// As [`step`](Self::step); the steps before it are kept.
    pub fn run_with(&mut self, steps: u64, observer: &mut dyn Observer) -> Result<RunEnd, SimError> {
        InOrderAtEnd(self).0.run_unordered(steps, observer)
    }

    /// As `run_with`, but the rows of the fields may be left in the order of the lanes.
    fn run_unordered(&mut self, steps: u64, observer: &mut dyn Observer) -> Result<RunEnd, SimError> {
        let tiling = on_grid!(&self.planes, grid => grid.tiling());
        let block_steps = tiling.block_steps as u64;
        let interval = control::report_interval_steps(self.spec.rows() * self.spec.cols()).max(block_steps);
        let every = self.spec.record_every;
        // With one lane the calling thread does the work, whatever threads there are.
        let team = if tiling.lanes > 1 { self.executor.team().clone() } else { Team::Caller };
        let mut done = 0;
        while done < steps {
            let to_report = interval - done % interval;
            let to_frame = if every > 0 { every - self.counters.steps % every } else { u64::MAX };
            let now = (steps - done).min(to_report).min(to_frame);
            done += now;
            let order = if now == to_frame || done == steps { Order::OfGrid } else { Order::OfLanes };
            if team.gather(tiling.lanes, || self.advance_blocks(now, block_steps, order))?
                == RunEnd::Cancelled
            {
                return Ok(RunEnd::Cancelled);
            }
            let mut flow = ControlFlow::Continue(());
            if every > 0 && self.counters.steps.is_multiple_of(every) {
                flow = observer.frame(Frame { step: self.counters.steps, simulation: self });
            }
            if done % interval == 0 || done == steps {
                let heard = observer.progress(Progress { step: done, steps_total: steps });
                flow = if heard.is_break() { heard } else { flow };
            }
            if flow.is_break() && done < steps {
                return Ok(RunEnd::Cancelled);
            }
        }
        Ok(RunEnd::Completed)
    }
}

/// A run whose fields are in order when it is over, however it ends.
struct InOrderAtEnd<'s>(&'s mut Simulation);

impl Drop for InOrderAtEnd<'_> {
    fn drop(&mut self) {
        on_grid!(&mut self.0.planes, grid => grid.put_in_order());
    }
}
