//! Outcomes and snapshots: what became of each request of a pipeline, and its result.

use std::ffi::{CString, c_char, c_double};
use std::sync::Arc;

use ::mfn_runtime::{Outcome, OutcomeStatus, Snapshot};
use ndarray::ArrayView2;

use crate::argument::{self, SizedSlot, Slot};
use crate::error::{Failure, mfn_error};
use crate::features::mfn_features;
use crate::field::mfn_field_view;
use crate::guard::{self, Handle, opaque};
use crate::owned::{c_text, give_string};
use crate::simulation::mfn_statistics;
use crate::status::{MFN_FATAL, mfn_status};

/// What became of one request. Freed with mfn_outcome_free().
pub struct mfn_outcome(Handle<Told>);

pub(crate) struct Told {
    outcome: Outcome,
    request: CString,
    route: CString,
    reason: CString,
    snapshot_id: CString,
}

/// The immutable result of one request. Freed with mfn_snapshot_free().
pub struct mfn_snapshot(Handle<Frozen>);

pub(crate) struct Frozen {
    snapshot: Arc<Snapshot>,
    id: CString,
    request: CString,
    route: CString,
}

opaque! {
    mfn_outcome(Told) as "outcome" = 12;
    mfn_snapshot(Frozen) as "snapshot" = 13;
}

/// Computed, delivered and settled.
pub const MFN_OUTCOME_OK: i32 = 0;
/// Can not be done; it lies with the dead-letter publisher, with the reason.
pub const MFN_OUTCOME_DEAD_LETTERED: i32 = 1;
/// Can not be done; the route has no dead letters.
pub const MFN_OUTCOME_REJECTED: i32 = 2;

impl From<Outcome> for Told {
    fn from(outcome: Outcome) -> Self {
        Self {
            request: c_text(outcome.request.clone()),
            route: c_text(outcome.route.clone()),
            reason: c_text(outcome.reason.clone().unwrap_or_default()),
            snapshot_id: c_text(outcome.snapshot_id.clone().unwrap_or_default()),
            outcome,
        }
    }
}

impl From<Arc<Snapshot>> for Frozen {
    fn from(snapshot: Arc<Snapshot>) -> Self {
        Self {
            id: c_text(snapshot.id().to_owned()),
            request: c_text(snapshot.request().to_owned()),
            route: c_text(snapshot.route().to_owned()),
            snapshot,
        }
    }
}

/// One text of an outcome.
fn text(outcome: *const mfn_outcome, pick: impl FnOnce(&Told) -> &CString) -> *const c_char {
    guard::read(outcome, c"".as_ptr(), |told| Some(pick(told).as_ptr()))
}

/// One text of a snapshot.
fn label(snapshot: *const mfn_snapshot, pick: impl FnOnce(&Frozen) -> &CString) -> *const c_char {
    guard::read(snapshot, c"".as_ptr(), |frozen| Some(pick(frozen).as_ptr()))
}

fn not_simulated(what: &str) -> Failure {
    Failure::invalid(format!("there are no {what}: nothing was simulated for this request"))
}

/// One of the MFN_OUTCOME_* constants; -1 for NULL. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_outcome_status(outcome: *const mfn_outcome) -> i32 {
    guard::read(outcome, -1, |told| {
        Some(match told.outcome.status {
            OutcomeStatus::Ok => MFN_OUTCOME_OK,
            OutcomeStatus::DeadLettered => MFN_OUTCOME_DEAD_LETTERED,
            OutcomeStatus::Rejected => MFN_OUTCOME_REJECTED,
        })
    })
}

/// The request's id; "" for NULL. Lent by the outcome. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_outcome_request(outcome: *const mfn_outcome) -> *const c_char {
    text(outcome, |told| &told.request)
}

/// The route it took; "" for NULL. Lent by the outcome. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_outcome_route(outcome: *const mfn_outcome) -> *const c_char {
    text(outcome, |told| &told.route)
}

/// Why it could not be done; "" when it was. Lent by the outcome. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_outcome_reason(outcome: *const mfn_outcome) -> *const c_char {
    text(outcome, |told| &told.reason)
}

/// The id of the result; "" when there is none. Lent by the outcome. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_outcome_snapshot_id(outcome: *const mfn_outcome) -> *const c_char {
    text(outcome, |told| &told.snapshot_id)
}

/// How long the computation took, milliseconds; 0 for NULL. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_outcome_compute_ms(outcome: *const mfn_outcome) -> c_double {
    guard::read(outcome, 0.0, |told| Some(told.outcome.compute_ms))
}

/// The features. MFN_INVALID: nothing was computed. features belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_outcome_features(
    outcome: *const mfn_outcome,
    features: *mut mfn_features,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(outcome, error, |told| {
        let slot = SizedSlot::new("features", features)?;
        let features = told.outcome.features.as_ref().ok_or_else(|| not_simulated("features"))?;
        slot.write(&features.into());
        Ok(())
    })
}

/// The statistics of the run. MFN_INVALID: nothing was simulated. statistics belongs to the host.
/// [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_outcome_statistics(
    outcome: *const mfn_outcome,
    statistics: *mut mfn_statistics,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(outcome, error, |told| {
        let slot = SizedSlot::new("statistics", statistics)?;
        let statistics = told.outcome.statistics.as_ref().ok_or_else(|| not_simulated("statistics"))?;
        slot.write(&statistics.into());
        Ok(())
    })
}

/// Frees an outcome and the texts it lent. NULL is allowed. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_outcome_free(outcome: *mut mfn_outcome) {
    guard::free(outcome);
}

/// The id of the result, the same whenever the same request is computed; "" for NULL. Lent by the
/// snapshot. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_snapshot_id(snapshot: *const mfn_snapshot) -> *const c_char {
    label(snapshot, |frozen| &frozen.id)
}

/// The request's id; "" for NULL. Lent by the snapshot. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_snapshot_request(snapshot: *const mfn_snapshot) -> *const c_char {
    label(snapshot, |frozen| &frozen.request)
}

/// The route that computed it; "" for NULL. Lent by the snapshot. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_snapshot_route(snapshot: *const mfn_snapshot) -> *const c_char {
    label(snapshot, |frozen| &frozen.route)
}

/// The features. features belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_snapshot_features(
    snapshot: *const mfn_snapshot,
    features: *mut mfn_features,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(snapshot, error, |frozen| {
        SizedSlot::new("features", features)?.write(&frozen.snapshot.features().into());
        Ok(())
    })
}

/// The statistics of the run. MFN_INVALID: nothing was simulated. statistics belongs to the host.
/// [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_snapshot_statistics(
    snapshot: *const mfn_snapshot,
    statistics: *mut mfn_statistics,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(snapshot, error, |frozen| {
        let slot = SizedSlot::new("statistics", statistics)?;
        slot.write(&frozen.snapshot.statistics().ok_or_else(|| not_simulated("statistics"))?.into());
        Ok(())
    })
}

/// Lends the final potential in volts. The view lives as long as the snapshot. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_snapshot_field(
    snapshot: *const mfn_snapshot,
    view: *mut mfn_field_view,
    error: *mut *mut mfn_error,
) -> mfn_status {
    lend(snapshot, view, error, |snapshot| Some(snapshot.field()))
}

/// Lends the final activator. MFN_INVALID: nothing was simulated. The view lives as long as the snapshot.
/// [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_snapshot_activator(
    snapshot: *const mfn_snapshot,
    view: *mut mfn_field_view,
    error: *mut *mut mfn_error,
) -> mfn_status {
    lend(snapshot, view, error, Snapshot::activator)
}

/// Lends the final inhibitor. MFN_INVALID: nothing was simulated. The view lives as long as the snapshot.
/// [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_snapshot_inhibitor(
    snapshot: *const mfn_snapshot,
    view: *mut mfn_field_view,
    error: *mut *mut mfn_error,
) -> mfn_status {
    lend(snapshot, view, error, Snapshot::inhibitor)
}

fn lend(
    snapshot: *const mfn_snapshot,
    view: *mut mfn_field_view,
    error: *mut *mut mfn_error,
    pick: impl FnOnce(&Snapshot) -> Option<ArrayView2<'_, f64>>,
) -> mfn_status {
    guard::on(snapshot, error, |frozen| {
        let slot = Slot::required("view", view)?;
        slot.write(mfn_field_view::lend(pick(&frozen.snapshot).ok_or_else(|| not_simulated("cells"))?));
        Ok(())
    })
}

/// The snapshot as one line of JSON, as publishers get it; include_field = 1 adds the final field. The
/// host owns *json and frees it with mfn_string_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_snapshot_json(
    snapshot: *const mfn_snapshot,
    include_field: i32,
    json: *mut *mut c_char,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(snapshot, error, |frozen| {
        let slot = Slot::required("json", json)?;
        let bytes = frozen.snapshot.to_json(argument::flag("include_field", include_field)?);
        let bytes = bytes.map_err(|error| Failure::from_error(MFN_FATAL, &error))?;
        give_string(slot, String::from_utf8_lossy(&bytes).into_owned());
        Ok(())
    })
}

/// Frees a snapshot and what it lent. NULL is allowed. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_snapshot_free(snapshot: *mut mfn_snapshot) {
    guard::free(snapshot);
}
