//! Publishers: dial out and deliver records durably, with an answer for each.

use std::ffi::c_char;
use std::sync::Arc;

use ::mfn_runtime::component::Publisher;
use mfn_plugin::value::{Idempotence, Ordering, PluginError, PublishContext};

use crate::argument::{SizedSlot, Slot, milliseconds, sized32, slots};
use crate::component::{self, mfn_component};
use crate::error::{Failure, mfn_error};
use crate::guard::{self, Handle, opaque};
use crate::record::{self, mfn_record};
use crate::runtime::mfn_runtime;
use crate::status::{MFN_PLUGIN, mfn_status};

/// An open publisher. Freed with mfn_publisher_free().
pub struct mfn_publisher(Handle<Opened>);

pub(crate) struct Opened {
    publisher: Arc<dyn Publisher>,
    face: Box<mfn_component>,
}

opaque! { mfn_publisher(Opened) as "publisher" = 9; }

/// No order is kept, or a repeated record looks like two.
pub const MFN_TRAIT_NONE: i32 = 0;
/// Ordering: among records of one key. Idempotence: a reader can tell a repeated record by its id.
pub const MFN_TRAIT_KEY: i32 = 1;
/// Ordering: among all records. Idempotence: the target keeps one copy by its own means.
pub const MFN_TRAIT_ALL: i32 = 2;

/// What a publisher can take and promise. Set struct_size before the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_publisher_traits {
    /// sizeof(mfn_publisher_traits).
    pub struct_size: u32,
    /// The most records in one call.
    pub records_max: u32,
    /// The most payload bytes in one call.
    pub bytes_max: u64,
    /// Which order it keeps: one of the MFN_TRAIT_* constants.
    pub ordering: i32,
    /// What a repeated id does: one of the MFN_TRAIT_* constants.
    pub idempotence: i32,
}

sized32! { mfn_publisher_traits = 24; }

impl Drop for Opened {
    fn drop(&mut self) {
        // A host that wants to know what closing said calls mfn_component_close() before.
        let _ = self.publisher.close();
    }
}

impl Opened {
    fn open(&self) -> Result<&dyn Publisher, Failure> {
        component::ensure_open(&self.face).map(|()| &*self.publisher)
    }
}

/// Makes a publisher of a loaded plugin and opens it; arguments as in mfn_connector_open(). The host owns
/// *publisher and frees it with mfn_publisher_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_publisher_open(
    runtime: *const mfn_runtime,
    plugin: *const c_char,
    name: *const c_char,
    config_json: *const c_char,
    base_dir: *const c_char,
    publisher: *mut *mut mfn_publisher,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(runtime, error, |host| {
        let slot = Slot::required("publisher", publisher)?;
        let order = component::order(plugin, name, config_json, base_dir)?;
        let publisher = host.runtime.open_publisher(order.plugin, order.options)?;
        let face = component::face(Arc::clone(&publisher) as _);
        slot.hand_over(guard::create(Opened { publisher, face }));
        Ok(())
    })
}

/// Lends the common face; NULL for NULL. It lives as long as the publisher. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_publisher_component(publisher: *const mfn_publisher) -> *const mfn_component {
    guard::read(publisher, std::ptr::null(), |opened| Some(&raw const *opened.face))
}

/// Tells what the publisher can take and promise. traits belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_publisher_get_traits(
    publisher: *const mfn_publisher,
    traits: *mut mfn_publisher_traits,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(publisher, error, |opened| {
        let slot = SizedSlot::new("traits", traits)?;
        let traits = opened.open()?.traits()?;
        slot.write(&mfn_publisher_traits {
            struct_size: 0,
            records_max: traits.records_max,
            bytes_max: traits.bytes_max,
            ordering: match traits.ordering {
                Ordering::None => MFN_TRAIT_NONE,
                Ordering::Key => MFN_TRAIT_KEY,
                Ordering::All => MFN_TRAIT_ALL,
            },
            idempotence: match traits.idempotence {
                Idempotence::None => MFN_TRAIT_NONE,
                Idempotence::Key => MFN_TRAIT_KEY,
                Idempotence::Native => MFN_TRAIT_ALL,
            },
        });
        Ok(())
    })
}

/// Delivers count records (1 or more) and answers for each. MFN_OK: each was tried; results, an array of
/// count pointers of the host's, then has NULL for a record that was taken and an error for one that was
/// not; the host owns these errors and frees each with mfn_error_free(). Any other status: none was tried.
/// attempt is 1 for the first try of these records, then counts. The records are read during the call
/// only. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_publisher_publish(
    publisher: *const mfn_publisher,
    records: *const mfn_record,
    count: usize,
    attempt: u32,
    timeout_ms: u64,
    results: *mut *mut mfn_error,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(publisher, error, |opened| {
        let records = record::borrow_all("records", records, count)?;
        let slots = slots("results", results, count)?;
        if attempt == 0 {
            return Err(Failure::invalid("attempt = 0: attempts are counted from 1"));
        }
        let context = PublishContext { attempt, timeout: milliseconds(timeout_ms) };
        let answers = opened.open()?.publish(&records, context)?;
        if answers.len() != count {
            // The contract of the runtime's trait; no slot may stay unwritten.
            return Err(Failure::new(MFN_PLUGIN, "the plugin did not answer for each record"));
        }
        for (slot, answer) in slots.zip(answers) {
            match answer {
                Ok(()) => slot.write(std::ptr::null_mut()),
                Err(answer) => slot.hand_over(refused(&*opened.publisher, &answer)),
            }
        }
        Ok(())
    })
}

/// The error object for one record.
fn refused(publisher: &dyn Publisher, answer: &PluginError) -> Box<mfn_error> {
    let failure = Failure::from_error(MFN_PLUGIN, answer)
        .with_plugin_error(answer)
        .with_origin(publisher.plugin(), publisher.name());
    guard::create::<mfn_error>(Arc::new(failure.into_details()))
}

/// Makes durable what was taken, within timeout_ms. Nothing changes hands. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_publisher_flush(
    publisher: *const mfn_publisher,
    timeout_ms: u64,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(publisher, error, |opened| Ok(opened.open()?.flush(milliseconds(timeout_ms))?))
}

/// The last failure of a call with this handle, or NULL. The host owns it and frees it with
/// mfn_error_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_publisher_last_error(publisher: *const mfn_publisher) -> *mut mfn_error {
    crate::error::last_of(publisher)
}

/// Closes and frees a publisher. NULL is allowed. [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_publisher_free(publisher: *mut mfn_publisher) {
    guard::free(publisher);
}
