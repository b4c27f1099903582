//! Connectors: read records in, and are told the fate of each.
//!
//! Fetch a batch, work on its records, settle the batch with one verdict for each record, free the batch. A
//! batch that is freed without being settled comes again when the connector is opened anew.

use std::ffi::{CString, c_char};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use ::mfn_runtime::component::Connector;
use mfn_plugin::value::{BatchToken, Fetch, FetchLimits, Verdict};

use crate::argument::{self, SizedSlot, Slot, milliseconds};
use crate::component::{self, mfn_component};
use crate::error::{Failure, mfn_error};
use crate::guard::{self, Handle, opaque};
use crate::owned::{c_text, give_bytes, mfn_bytes};
use crate::record::{LentRecord, mfn_record};
use crate::runtime::mfn_runtime;
use crate::status::{MFN_END, MFN_WOULD_BLOCK, mfn_status};

/// An open connector. Freed with mfn_connector_free().
pub struct mfn_connector(Handle<Opened>);

pub(crate) struct Opened {
    connector: Arc<dyn Connector>,
    face: Box<mfn_component>,
}

/// Records that were fetched together and are settled together. Freed with mfn_batch_free().
pub struct mfn_batch(Handle<Fetched>);

pub(crate) struct Fetched {
    // Tokens are numbered by each connector: without it, one could settle the records of another.
    origin: Weak<dyn Connector>,
    token: BatchToken,
    partition: CString,
    epoch: u64,
    records: Vec<LentRecord>,
}

opaque! {
    mfn_connector(Opened) as "connector" = 7;
    mfn_batch(Fetched) as "batch" = 8;
}

/// The least time between two fetches of one call, should a connector not wait in them.
const FETCH_PAUSE: Duration = Duration::from_millis(2);

/// Everything that had to be done is done and durable.
pub const MFN_VERDICT_ACK: i32 = 1;
/// Not done: bring the record again, not before delay_ms.
pub const MFN_VERDICT_NACK: i32 = 2;
/// Never to be done, for the reason given.
pub const MFN_VERDICT_REJECT: i32 = 3;

/// The fate of one record.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_verdict {
    /// One of the MFN_VERDICT_* constants.
    pub fate: i32,
    /// For MFN_VERDICT_NACK: how long to hold the record back, milliseconds.
    pub delay_ms: u32,
    /// For MFN_VERDICT_REJECT: what is wrong with the record. Else NULL.
    pub reason: *const c_char,
}

impl Drop for Opened {
    fn drop(&mut self) {
        // A host that wants to know what closing said calls mfn_component_close() before.
        let _ = self.connector.close();
    }
}

impl Opened {
    fn open(&self) -> Result<&dyn Connector, Failure> {
        component::ensure_open(&self.face).map(|()| &*self.connector)
    }

    /// Waits for the whole time. A connector may come back earlier with nothing, so that calls of other
    /// threads get their turn.
    fn fetch(&self, records_max: u32, bytes_max: u64, timeout: Duration) -> Result<Fetch, Failure> {
        let deadline = Instant::now() + timeout;
        loop {
            let timeout = deadline.saturating_duration_since(Instant::now());
            let fetch = self.open()?.fetch(FetchLimits { records_max, bytes_max, timeout })?;
            let left = deadline.saturating_duration_since(Instant::now());
            if !matches!(fetch, Fetch::Empty) || left.is_zero() {
                return Ok(fetch);
            }
            std::thread::sleep(FETCH_PAUSE.min(left));
        }
    }
}

fn read_verdict((index, verdict): (usize, &mfn_verdict)) -> Result<Verdict, Failure> {
    match verdict.fate {
        MFN_VERDICT_ACK => Ok(Verdict::Ack),
        MFN_VERDICT_NACK => Ok(Verdict::Nack { delay: milliseconds(verdict.delay_ms.into()) }),
        MFN_VERDICT_REJECT => {
            let reason = argument::text(&format!("verdicts[{index}].reason"), verdict.reason)?;
            Ok(Verdict::Reject { reason: reason.to_owned() })
        }
        other => Err(Failure::invalid(format!(
            "verdicts[{index}].fate = {other}: give one of the MFN_VERDICT_* constants"
        ))),
    }
}

/// Makes a connector of a loaded plugin and opens it. config_json may be NULL for {}; base_dir, where
/// relative paths of the configuration start, may be NULL for the working directory. The host owns
/// *connector and frees it with mfn_connector_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_connector_open(
    runtime: *const mfn_runtime,
    plugin: *const c_char,
    name: *const c_char,
    config_json: *const c_char,
    base_dir: *const c_char,
    connector: *mut *mut mfn_connector,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(runtime, error, |host| {
        let slot = Slot::required("connector", connector)?;
        let order = component::order(plugin, name, config_json, base_dir)?;
        let connector = host.runtime.open_connector(order.plugin, order.options)?;
        let face = component::face(Arc::clone(&connector) as _);
        slot.hand_over(guard::create(Opened { connector, face }));
        Ok(())
    })
}

/// Lends the common face; NULL for NULL. It lives as long as the connector. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_connector_component(connector: *const mfn_connector) -> *const mfn_component {
    guard::read(connector, std::ptr::null(), |opened| Some(&raw const *opened.face))
}

/// Brings the next records: at most records_max (1 or more) with at most bytes_max of payload, but always
/// one when there is one; waits for the first at most timeout_ms. MFN_WOULD_BLOCK: none came. MFN_END:
/// none will come any more. The host owns *batch and frees it with mfn_batch_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_connector_fetch(
    connector: *const mfn_connector,
    records_max: u32,
    bytes_max: u64,
    timeout_ms: u64,
    batch: *mut *mut mfn_batch,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(connector, error, |opened| {
        let slot = Slot::required("batch", batch)?;
        if records_max == 0 {
            return Err(Failure::invalid("records_max = 0: give at least 1"));
        }
        match opened.fetch(records_max, bytes_max, milliseconds(timeout_ms))? {
            Fetch::Empty => Err(Failure::answer(MFN_WOULD_BLOCK)),
            Fetch::End => Err(Failure::answer(MFN_END)),
            Fetch::Batch(batch) => {
                slot.hand_over(guard::create(Fetched {
                    origin: Arc::downgrade(&opened.connector),
                    token: batch.token,
                    partition: c_text(batch.partition),
                    epoch: batch.epoch,
                    records: batch.records.into_iter().map(LentRecord::new).collect(),
                }));
                Ok(())
            }
        }
    })
}

/// Tells the fate of every record of a batch of this connector: count verdicts in the order of the records.
/// The batch stays the host's and can not be settled again. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_connector_settle(
    connector: *const mfn_connector,
    batch: *const mfn_batch,
    verdicts: *const mfn_verdict,
    count: usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(connector, error, |opened| {
        let fetched = guard::state(batch)?;
        if !std::ptr::addr_eq(fetched.origin.as_ptr(), Arc::as_ptr(&opened.connector)) {
            return Err(Failure::invalid(
                "batch was fetched from another connector: settle it with the one that brought it",
            ));
        }
        if count != fetched.records.len() {
            return Err(Failure::invalid(format!(
                "count = {count}: the batch has {} records, give a verdict for each",
                fetched.records.len()
            )));
        }
        let verdicts: Vec<_> = argument::array("verdicts", verdicts, count)?
            .iter()
            .enumerate()
            .map(read_verdict)
            .collect::<Result<_, _>>()?;
        Ok(opened.open()?.settle(fetched.token, &verdicts)?)
    })
}

/// The position behind the contiguous settled prefix of a partition. The host owns *position and frees it
/// with mfn_bytes_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_connector_position(
    connector: *const mfn_connector,
    partition: *const c_char,
    position: *mut mfn_bytes,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(connector, error, |opened| {
        let slot = Slot::required("position", position)?;
        give_bytes(slot, opened.open()?.position(argument::text("partition", partition)?)?);
        Ok(())
    })
}

/// How many records wait to be fetched; -1 when the source can not tell. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_connector_backlog(
    connector: *const mfn_connector,
    backlog: *mut i64,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(connector, error, |opened| {
        let slot = Slot::required("backlog", backlog)?;
        slot.write(argument::count_or_unknown(opened.open()?.backlog()?));
        Ok(())
    })
}

/// Stops bringing records. Nothing changes hands. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_connector_pause(
    connector: *const mfn_connector,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(connector, error, |opened| Ok(opened.open()?.pause()?))
}

/// Brings records again. Nothing changes hands. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_connector_resume(
    connector: *const mfn_connector,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(connector, error, |opened| Ok(opened.open()?.resume()?))
}

/// The last failure of a call with this handle, or NULL. The host owns it and frees it with
/// mfn_error_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_connector_last_error(connector: *const mfn_connector) -> *mut mfn_error {
    crate::error::last_of(connector)
}

/// Closes and frees a connector. NULL is allowed. [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_connector_free(connector: *mut mfn_connector) {
    guard::free(connector);
}

/// The number of records of a batch, at least 1; 0 for NULL. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_batch_count(batch: *const mfn_batch) -> usize {
    guard::read(batch, 0, |fetched| Some(fetched.records.len()))
}

/// The partition of a batch; "" for NULL. Lent by the batch. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_batch_partition(batch: *const mfn_batch) -> *const c_char {
    guard::read(batch, c"".as_ptr(), |fetched| Some(fetched.partition.as_ptr()))
}

/// Counts the assignments of the partition; 0 for NULL. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_batch_epoch(batch: *const mfn_batch) -> u64 {
    guard::read(batch, 0, |fetched| Some(fetched.epoch))
}

/// Lends a record of a batch. Set record->struct_size before. What it points to lives as long as the
/// batch. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_batch_record(
    batch: *const mfn_batch,
    index: usize,
    record: *mut mfn_record,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(batch, error, |fetched| {
        let slot = SizedSlot::new("record", record)?;
        let count = fetched.records.len();
        let lent = fetched.records.get(index).ok_or_else(|| {
            Failure::invalid(format!("index = {index}: the batch has {count} records, counted from 0"))
        })?;
        slot.write(&lent.lend());
        Ok(())
    })
}

/// Frees a batch and the records it lent. NULL is allowed. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_batch_free(batch: *mut mfn_batch) {
    guard::free(batch);
}
