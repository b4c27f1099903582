//! The end of a pipeline as a protocol with a deadline: stop fetching, finish, give back, close.
//!
//! The deadline holds whatever components do. Interruption is no failure: what could not be done is
//! given back, and what could not even be given back comes again after a restart.

use std::sync::{PoisonError, TryLockError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::lane::LaneMessage;
use super::route::Message;
use super::spooling::SpoolMessage;
use super::{DrainReport, Pipeline, PipelineState, deadline_after};
use crate::delivery::Event;
use crate::log::LogLevel;

/// The most time that is kept back for giving back and closing.
const RESERVE_MAX: Duration = Duration::from_secs(1);
/// How long a stop may take.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);
/// How often threads are asked whether they are done.
const POLL: Duration = Duration::from_millis(1);

pub(super) fn drain(pipeline: &Pipeline, timeout: Duration) -> DrainReport {
    let reserve = (timeout / 4).min(RESERVE_MAX);
    end(pipeline, timeout - reserve, timeout)
}

pub(super) fn stop(pipeline: &Pipeline) -> DrainReport {
    // Whoever drains holds the report. With everything given back, a drain has nothing to wait for.
    if matches!(pipeline.report.try_lock(), Err(TryLockError::WouldBlock)) {
        give_back(pipeline);
    }
    end(pipeline, Duration::ZERO, STOP_TIMEOUT)
}

/// Finishes for `patience`, then gives back, and is over after `timeout`.
fn end(pipeline: &Pipeline, patience: Duration, timeout: Duration) -> DrainReport {
    let start = Instant::now();
    let (halt_at, deadline) = (deadline_after(patience), deadline_after(timeout));
    let mut report = pipeline.report.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(report) = &*report {
        return report.clone();
    }
    let shared = &pipeline.shared;
    shared.stop_fetching();
    if shared.state() == PipelineState::Running {
        shared.set_state(PipelineState::Draining);
    }
    let nacked_before = shared.read().counters.nacked;
    if !shared.wait_quiet(halt_at) {
        give_back(pipeline);
        // Half of what is left is for giving back, half for closing.
        let left = deadline.saturating_duration_since(Instant::now());
        shared.wait_quiet(deadline_after(left / 2));
    }
    // What no settlement waits for is still given the time that there is, as long as it moves.
    while is_moving(pipeline) && Instant::now() < halt_at {
        std::thread::sleep(POLL);
    }
    for events in &pipeline.events {
        events.wait_empty(halt_at);
        events.close();
    }
    for lane in pipeline.lanes.values().chain(&pipeline.stores) {
        lane.tell(LaneMessage::Halt);
    }
    let reading = shared.read();
    let in_spools = pipeline.spools.iter().map(|spool| spool.hub.ledger.fates().waiting).sum::<u64>();
    let counters = reading.counters;
    let left = counters.in_flight + reading.spooled.saturating_sub(in_spools);
    send_all(pipeline, || Message::Quit);
    for lane in pipeline.lanes.values().chain(&pipeline.stores) {
        lane.tell(LaneMessage::Quit);
    }
    for spool in &pipeline.spools {
        spool.tell(SpoolMessage::Quit);
    }
    let (components_left, errors) = pipeline.components.drain(deadline);
    let threads = std::mem::take(&mut *pipeline.threads.lock().unwrap_or_else(PoisonError::into_inner));
    drop(pipeline.watch.lock().unwrap_or_else(PoisonError::into_inner).take());
    let lanes = || pipeline.lanes.values().chain(&pipeline.stores);
    join(threads, deadline);
    join(lanes().flat_map(|lane| lane.handover.take_successors()).collect(), deadline);
    // A call that has not come back keeps its thread, and nothing else: no spool stays locked for its sake.
    lanes().for_each(|lane| lane.handover.abandon());
    // After the lanes, which may have moved on.
    pipeline.spools.iter().for_each(|spool| spool.hub.end());
    let done = DrainReport {
        complete: left == 0 && components_left.is_empty(),
        returned: counters.nacked - nacked_before,
        left,
        spooled: in_spools,
        components_left,
        errors,
        elapsed: start.elapsed(),
    };
    shared.set_state(PipelineState::Stopped);
    shared.outcomes.close();
    shared.log(
        if done.complete { LogLevel::Info } else { LogLevel::Warn },
        &format!(
            "stopped: {} records given back, {} left, {} in spools",
            done.returned, done.left, done.spooled
        ),
    );
    *report = Some(done.clone());
    done
}

/// Whether a publisher takes what waits for it.
fn is_moving(pipeline: &Pipeline) -> bool {
    let mut lanes = pipeline.lanes.values().chain(&pipeline.stores);
    lanes.any(|lane| lane.view.is_busy()) || pipeline.spools.iter().any(|spool| spool.hub.is_moving())
}

/// Cancels computations and gives back what is not done.
fn give_back(pipeline: &Pipeline) {
    pipeline.shared.cancel();
    send_all(pipeline, || Message::Delivery(Event::Halt));
    for lane in pipeline.lanes.values().chain(&pipeline.stores) {
        lane.tell(LaneMessage::Halt);
    }
    for spool in &pipeline.spools {
        spool.tell(SpoolMessage::Halt);
    }
}

fn send_all(pipeline: &Pipeline, message: impl Fn() -> Message) {
    for route in &pipeline.routes {
        // A route that is gone needs no message.
        let _ = route.send(message());
    }
}

/// Joins the threads that end by the deadline. One that hangs in a component is left behind.
fn join(threads: Vec<JoinHandle<()>>, deadline: Instant) {
    for thread in threads {
        while !thread.is_finished() && Instant::now() < deadline {
            std::thread::sleep(POLL);
        }
        if thread.is_finished() {
            let _ = thread.join();
        }
    }
}
