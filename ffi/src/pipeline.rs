//! Pipelines: requests come in through connectors, are computed, and results leave through publishers and
//! transports, on threads of the library's own.
//!
//! Read a configuration, start, take outcomes until MFN_END, drain, free. Every request that was accepted is
//! delivered, rejected with a reason, or given back to its connector; the counters always add up:
//! received = delivered + rejected + dead_lettered + nacked + in_flight + spooled.

use std::ffi::c_char;

use ::mfn_runtime::{DrainReport, Pipeline, PipelineState, PipelineStatus};

use crate::argument::{SizedSlot, Slot, count_or_unknown, milliseconds, sized32};
use crate::component::{give_endpoints, mfn_endpoints};
use crate::config::mfn_config;
use crate::error::{Failure, json, mfn_error};
use crate::guard::{self, Handle, opaque};
use crate::outcome::{mfn_outcome, mfn_snapshot};
use crate::owned::give_string;
use crate::runtime::mfn_runtime;
use crate::status::{MFN_END, MFN_WOULD_BLOCK, mfn_status};

/// A started pipeline. Freed with mfn_pipeline_free().
pub struct mfn_pipeline(Handle<Pipeline>);

opaque! { mfn_pipeline(Pipeline) as "pipeline" = 15; }

/// Fetching and computing.
pub const MFN_PIPELINE_RUNNING: i32 = 1;
/// No longer fetching; what is in flight is being finished.
pub const MFN_PIPELINE_DRAINING: i32 = 2;
/// All sources are at their end and everything is settled. Streams and metrics can still be read.
pub const MFN_PIPELINE_FINISHED: i32 = 3;
/// Drained or stopped; all components were closed or given up.
pub const MFN_PIPELINE_STOPPED: i32 = 4;
/// A component can not go on: see mfn_pipeline_trouble().
pub const MFN_PIPELINE_FAILED: i32 = 5;

/// The state of a pipeline at one moment. Set struct_size before the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_pipeline_status {
    /// sizeof(mfn_pipeline_status).
    pub struct_size: u32,
    /// One of the MFN_PIPELINE_* constants.
    pub state: i32,
    /// Records fetched. One that was given back and came again counts twice.
    pub received: u64,
    /// Records whose result is durable with all publishers, and that are settled.
    pub delivered: u64,
    /// Records that can not be done, without a dead letter.
    pub rejected: u64,
    /// Records that can not be done and lie with the dead-letter publisher.
    pub dead_lettered: u64,
    /// Records given back to their connector, to come again.
    pub nacked: u64,
    /// Records fetched and not settled yet.
    pub in_flight: u64,
    /// Memory in use of the budget, bytes.
    pub bytes_in_flight: u64,
    /// The most that ever was in use, bytes.
    pub bytes_in_flight_peak: u64,
    /// Records waiting with the connectors; -1 when one of them can not tell.
    pub backlog: i64,
    /// Outcomes that the host did not take in time.
    pub outcomes_dropped: u64,
    /// Events that transports did not take in time.
    pub events_dropped: u64,
    /// Requests being computed.
    pub active_count: u32,
    /// 0.
    pub reserved: u32,
    /// Steps done of these requests together.
    pub active_step: u64,
    /// Steps of these requests together.
    pub active_steps_total: u64,
    /// Records settled that not every publisher has yet: in a spool, or in memory where they are accepted.
    pub spooled: u64,
    /// Records that wait at a publisher for another attempt, or behind such a record.
    pub backing_off: u64,
}

/// What the end of a pipeline left undone. Set struct_size before the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_drain_report {
    /// sizeof(mfn_drain_report).
    pub struct_size: u32,
    /// 1 when everything in flight was finished and settled and every component closed, else 0.
    pub complete: i32,
    /// Records that were in flight and were given back to their connectors.
    pub returned: u64,
    /// Records that could not be given back in time; they come again after a restart.
    pub left: u64,
    /// Components that did not close in time and were given up.
    pub components_left: u64,
    /// How long it took, milliseconds.
    pub elapsed_ms: u64,
    /// Records that wait in spools for the next start.
    pub spooled: u64,
}

sized32! {
    mfn_pipeline_status = 120;
    mfn_drain_report = 40;
}

const fn state_code(state: PipelineState) -> i32 {
    match state {
        PipelineState::Running => MFN_PIPELINE_RUNNING,
        PipelineState::Draining => MFN_PIPELINE_DRAINING,
        PipelineState::Finished => MFN_PIPELINE_FINISHED,
        PipelineState::Stopped => MFN_PIPELINE_STOPPED,
        PipelineState::Failed => MFN_PIPELINE_FAILED,
    }
}

impl From<&PipelineStatus> for mfn_pipeline_status {
    fn from(status: &PipelineStatus) -> Self {
        Self {
            struct_size: size_of::<Self>() as u32,
            state: state_code(status.state),
            received: status.received,
            delivered: status.delivered,
            rejected: status.rejected,
            dead_lettered: status.dead_lettered,
            nacked: status.nacked,
            in_flight: status.in_flight,
            bytes_in_flight: status.bytes_in_flight,
            bytes_in_flight_peak: status.bytes_in_flight_peak,
            backlog: count_or_unknown(status.backlog),
            outcomes_dropped: status.outcomes_dropped,
            events_dropped: status.events_dropped,
            active_count: u32::try_from(status.active.len()).unwrap_or(u32::MAX),
            reserved: 0,
            active_step: status.active.iter().map(|active| active.step).sum(),
            active_steps_total: status.active.iter().map(|active| active.steps_total).sum(),
            spooled: status.spooled,
            backing_off: status.backing_off,
        }
    }
}

impl From<&DrainReport> for mfn_drain_report {
    fn from(report: &DrainReport) -> Self {
        Self {
            struct_size: size_of::<Self>() as u32,
            complete: i32::from(report.complete),
            returned: report.returned,
            left: report.left,
            components_left: report.components_left.len() as u64,
            elapsed_ms: u64::try_from(report.elapsed.as_millis()).unwrap_or(u64::MAX),
            spooled: report.spooled,
        }
    }
}

/// Checks a configuration as far as that goes without work: loads its plugins and lets each component
/// check its part. The error lists every fault. report_json may be NULL; else the host owns *report_json,
/// what was found in order, and frees it with mfn_string_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_pipeline_check(
    runtime: *const mfn_runtime,
    config: *const mfn_config,
    report_json: *mut *mut c_char,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(runtime, error, |host| {
        let slot = Slot::optional("report_json", report_json)?;
        let report = Pipeline::check(&host.runtime, guard::state(config)?)?;
        if let Some(slot) = slot {
            give_string(slot, json(&report)?);
        }
        Ok(())
    })
}

/// Loads the plugins of a configuration, opens its components and begins to work. The configuration stays
/// the host's. The host owns *pipeline and frees it with mfn_pipeline_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_pipeline_start(
    runtime: *const mfn_runtime,
    config: *const mfn_config,
    pipeline: *mut *mut mfn_pipeline,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(runtime, error, |host| {
        let slot = Slot::required("pipeline", pipeline)?;
        let config = guard::state(config)?.clone();
        slot.hand_over(guard::create(Pipeline::start(&host.runtime, config)?));
        Ok(())
    })
}

/// Reads the counters; does no I/O and waits for nothing. status belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_pipeline_get_status(
    pipeline: *const mfn_pipeline,
    status: *mut mfn_pipeline_status,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(pipeline, error, |pipeline| {
        SizedSlot::new("status", status)?.write(&(&pipeline.status()).into());
        Ok(())
    })
}

/// The whole status as a JSON object: the counters, active requests, endpoints, components with their
/// health, the last error. The host owns *json and frees it with mfn_string_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_pipeline_status_json(
    pipeline: *const mfn_pipeline,
    json: *mut *mut c_char,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(pipeline, error, |pipeline| {
        let slot = Slot::required("json", json)?;
        give_string(slot, self::json(&pipeline.status())?);
        Ok(())
    })
}

/// The last error that a component reported. MFN_WOULD_BLOCK: there was none. The host owns *text and
/// frees it with mfn_string_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_pipeline_trouble(
    pipeline: *const mfn_pipeline,
    text: *mut *mut c_char,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(pipeline, error, |pipeline| {
        let slot = Slot::required("text", text)?;
        give_string(slot, pipeline.status().last_error.ok_or(Failure::answer(MFN_WOULD_BLOCK))?);
        Ok(())
    })
}

/// Where the components can be reached. The host owns *endpoints and frees it with mfn_endpoints_free().
/// [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_pipeline_endpoints(
    pipeline: *const mfn_pipeline,
    endpoints: *mut *mut mfn_endpoints,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(pipeline, error, |pipeline| {
        give_endpoints(Slot::required("endpoints", endpoints)?, pipeline.status().endpoints);
        Ok(())
    })
}

/// Takes the next outcome, and waits for one at most timeout_ms. MFN_WOULD_BLOCK: none came.
/// MFN_END: the work is finished, stopped or failed, and all outcomes were taken. The last 4096 outcomes
/// are kept. Records that a route forwards have none when they are delivered. The host owns *outcome and frees it with mfn_outcome_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_pipeline_next_outcome(
    pipeline: *const mfn_pipeline,
    timeout_ms: u64,
    outcome: *mut *mut mfn_outcome,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(pipeline, error, |pipeline| {
        let slot = Slot::required("outcome", outcome)?;
        let next = pipeline.next_outcome(milliseconds(timeout_ms));
        // None comes after a terminal state, so a look after it finds what arrived just before.
        let ended =
            next.is_none() && (pipeline.outcomes_ended() || pipeline.wait(milliseconds(0)).is_terminal());
        let next = if ended { pipeline.next_outcome(milliseconds(0)) } else { next };
        let answer = if ended { MFN_END } else { MFN_WOULD_BLOCK };
        slot.hand_over(guard::create(next.ok_or(Failure::answer(answer))?.into()));
        Ok(())
    })
}

/// The result of the latest request that was computed. MFN_WOULD_BLOCK: there is none yet. The host owns
/// *snapshot and frees it with mfn_snapshot_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_pipeline_last_snapshot(
    pipeline: *const mfn_pipeline,
    snapshot: *mut *mut mfn_snapshot,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(pipeline, error, |pipeline| {
        let slot = Slot::required("snapshot", snapshot)?;
        let last = pipeline.last_snapshot().ok_or(Failure::answer(MFN_WOULD_BLOCK))?;
        slot.hand_over(guard::create(last.into()));
        Ok(())
    })
}

/// Waits at most timeout_ms until the pipeline is finished, stopped or failed. state is set to its state
/// then, one of the MFN_PIPELINE_* constants. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_pipeline_wait(
    pipeline: *const mfn_pipeline,
    timeout_ms: u64,
    state: *mut i32,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(pipeline, error, |pipeline| {
        let slot = Slot::required("state", state)?;
        slot.write(state_code(pipeline.wait(milliseconds(timeout_ms))));
        Ok(())
    })
}

/// Ends the pipeline in order: fetches no more, finishes and settles what is in flight, closes the
/// components. Near deadline_ms, what is not done is given back to its connector. Returns by then even
/// when a component hangs. report may be NULL; else it belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_pipeline_drain(
    pipeline: *const mfn_pipeline,
    deadline_ms: u64,
    report: *mut mfn_drain_report,
    error: *mut *mut mfn_error,
) -> mfn_status {
    end(pipeline, report, error, |pipeline| pipeline.drain(milliseconds(deadline_ms)))
}

/// Ends the pipeline at once, within two seconds: gives back what is in flight, closes the components. Cuts
/// short what a mfn_pipeline_drain() of another thread would wait for. report may be NULL; else it belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_pipeline_stop(
    pipeline: *const mfn_pipeline,
    report: *mut mfn_drain_report,
    error: *mut *mut mfn_error,
) -> mfn_status {
    end(pipeline, report, error, Pipeline::stop)
}

fn end(
    pipeline: *const mfn_pipeline,
    report: *mut mfn_drain_report,
    error: *mut *mut mfn_error,
    finish: impl FnOnce(&Pipeline) -> DrainReport,
) -> mfn_status {
    guard::on(pipeline, error, |pipeline| {
        let slot = if report.is_null() { None } else { Some(SizedSlot::new("report", report)?) };
        let done = finish(pipeline);
        if let Some(slot) = slot {
            slot.write(&(&done).into());
        }
        Ok(())
    })
}

/// The last failure of a call with this handle, or NULL. The host owns it and frees it with
/// mfn_error_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_pipeline_last_error(pipeline: *const mfn_pipeline) -> *mut mfn_error {
    crate::error::last_of(pipeline)
}

/// Stops and frees a pipeline. Outcomes and snapshots taken from it live on. NULL is allowed.
/// [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_pipeline_free(pipeline: *mut mfn_pipeline) {
    guard::free(pipeline);
}
