//! Health: whether a pipeline lives and can do its work, and probes that try the real thing.
//!
//! mfn_pipeline_health() is for a supervisor that asks often: it does no I/O and waits for nothing. The probes
//! reach targets and list directories, with a deadline and without side effects.

use std::ffi::c_char;

use ::mfn_runtime::pipeline::{Pipeline, ProbeReport, Readiness, probe_component};

use crate::argument::{Slot, milliseconds};
use crate::component::mfn_component;
use crate::config::mfn_config;
use crate::error::{Failure, json, mfn_error};
use crate::guard;
use crate::owned::give_string;
use crate::pipeline::mfn_pipeline;
use crate::runtime::mfn_runtime;
use crate::status::mfn_status;

/// A component that is needed is not open yet.
pub const MFN_READINESS_STARTING: i32 = 1;
/// Everything works.
pub const MFN_READINESS_READY: i32 = 2;
/// Everything that is needed works, something else does not, or not well.
pub const MFN_READINESS_DEGRADED: i32 = 3;
/// Something that is needed does not work, or nothing is fetched any more; it may come back.
pub const MFN_READINESS_NOT_READY: i32 = 4;
/// The pipeline has failed or was stopped; it does not come back.
pub const MFN_READINESS_DEAD: i32 = 5;

const fn code(state: Readiness) -> i32 {
    match state {
        Readiness::Starting => MFN_READINESS_STARTING,
        Readiness::Ready => MFN_READINESS_READY,
        Readiness::Degraded => MFN_READINESS_DEGRADED,
        Readiness::NotReady => MFN_READINESS_NOT_READY,
        Readiness::Dead => MFN_READINESS_DEAD,
    }
}

/// Tells whether the pipeline lives and can do its work. state is set to one of the MFN_READINESS_*
/// constants: send work while it is READY or DEGRADED, restart when it is DEAD. report_json may be NULL; else
/// the host owns *report_json, the state with a reason for each component that is not well, and frees it with
/// mfn_string_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_pipeline_health(
    pipeline: *const mfn_pipeline,
    state: *mut i32,
    report_json: *mut *mut c_char,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(pipeline, error, |pipeline| {
        let slot = Slot::required("state", state)?;
        let report_slot = Slot::optional("report_json", report_json)?;
        let health = pipeline.health();
        if let Some(report_slot) = report_slot {
            give_string(report_slot, json(&health)?);
        }
        slot.write(code(health.state));
        Ok(())
    })
}

/// Lets every component of a running pipeline try the real thing, all at once and each at most for
/// timeout_ms; the work goes on meanwhile. passed is set to 1 when all passed, else 0. report_json may be
/// NULL; else the host owns *report_json, what each component said, and frees it with mfn_string_free().
/// [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_pipeline_probe(
    pipeline: *const mfn_pipeline,
    timeout_ms: u64,
    passed: *mut i32,
    report_json: *mut *mut c_char,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(pipeline, error, |pipeline| {
        probed(passed, report_json, || Ok(pipeline.probe(milliseconds(timeout_ms))))
    })
}

/// As mfn_pipeline_probe(), of a configuration that does not run: loads its plugins, makes its components and
/// drops them again. Nothing is opened or consumed. MFN_INVALID: the configuration has faults, and the error
/// lists all of them. The host owns *report_json and frees it with mfn_string_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_config_probe(
    runtime: *const mfn_runtime,
    config: *const mfn_config,
    timeout_ms: u64,
    passed: *mut i32,
    report_json: *mut *mut c_char,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(runtime, error, |host| {
        probed(passed, report_json, || {
            let config = guard::state(config)?;
            Ok(Pipeline::probe_config(&host.runtime, config, milliseconds(timeout_ms))?)
        })
    })
}

fn probed(
    passed: *mut i32,
    report_json: *mut *mut c_char,
    probe: impl FnOnce() -> Result<ProbeReport, Failure>,
) -> Result<(), Failure> {
    let slot = Slot::required("passed", passed)?;
    let report_slot = Slot::optional("report_json", report_json)?;
    let report = probe()?;
    if let Some(report_slot) = report_slot {
        give_string(report_slot, json(&report)?);
    }
    slot.write(i32::from(report.passed));
    Ok(())
}

/// As mfn_component_check(), at most for timeout_ms: a check that does not answer by then is a failure of class
/// MFN_CLASS_UNKNOWN. It goes on in the background and holds up later calls of this component until it is
/// done. Nothing changes hands. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_component_probe(
    component: *const mfn_component,
    timeout_ms: u64,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(component, error, |face| {
        face.open()?;
        Ok(probe_component(face.shared(), milliseconds(timeout_ms))?)
    })
}
