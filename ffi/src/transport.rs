//! Transports and exporters: hand events to whoever is connected, and show the runtime's metrics.
//!
//! A transport listens and is best effort: it never holds work back, and tells a client exactly which events
//! it missed. A metrics exporter reads the runtime's counters by itself; opening one is all there is to do.

use std::ffi::c_char;
use std::sync::Arc;

use ::mfn_runtime::component::{Exporter, Transport};

use crate::argument::{self, Slot, milliseconds};
use crate::component::{self, mfn_component};
use crate::error::mfn_error;
use crate::guard::{self, Handle, opaque};
use crate::owned::give_string;
use crate::record::{self, mfn_record};
use crate::runtime::mfn_runtime;
use crate::status::mfn_status;

/// An open transport. Freed with mfn_transport_free().
pub struct mfn_transport(Handle<OpenedTransport>);

pub(crate) struct OpenedTransport {
    transport: Arc<dyn Transport>,
    face: Box<mfn_component>,
}

/// An open metrics exporter. Freed with mfn_exporter_free().
pub struct mfn_exporter(Handle<OpenedExporter>);

pub(crate) struct OpenedExporter {
    exporter: Arc<dyn Exporter>,
    face: Box<mfn_component>,
}

opaque! {
    mfn_transport(OpenedTransport) as "transport" = 10;
    mfn_exporter(OpenedExporter) as "exporter" = 11;
}

impl Drop for OpenedTransport {
    fn drop(&mut self) {
        // A host that wants to know what closing said calls mfn_component_close() before.
        let _ = self.transport.close();
    }
}

impl Drop for OpenedExporter {
    fn drop(&mut self) {
        let _ = self.exporter.close();
    }
}

/// Makes a transport of a loaded plugin and opens it; arguments as in mfn_connector_open(). The host owns
/// *transport and frees it with mfn_transport_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_transport_open(
    runtime: *const mfn_runtime,
    plugin: *const c_char,
    name: *const c_char,
    config_json: *const c_char,
    base_dir: *const c_char,
    transport: *mut *mut mfn_transport,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(runtime, error, |host| {
        let slot = Slot::required("transport", transport)?;
        let order = component::order(plugin, name, config_json, base_dir)?;
        let transport = host.runtime.open_transport(order.plugin, order.options)?;
        let face = component::face(Arc::clone(&transport) as _);
        slot.hand_over(guard::create(OpenedTransport { transport, face }));
        Ok(())
    })
}

/// Lends the common face; NULL for NULL. It lives as long as the transport. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_transport_component(transport: *const mfn_transport) -> *const mfn_component {
    guard::read(transport, std::ptr::null(), |opened| Some(&raw const *opened.face))
}

/// Offers an event to the clients of a topic. The event is read during the call only. cursor may be NULL;
/// else the host owns *cursor, where the event stands in the stream, and frees it with mfn_string_free().
/// [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_transport_publish(
    transport: *const mfn_transport,
    topic: *const c_char,
    event: *const mfn_record,
    cursor: *mut *mut c_char,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(transport, error, |opened| {
        let slot = Slot::optional("cursor", cursor)?;
        let topic = argument::text("topic", topic)?;
        component::ensure_open(&opened.face)?;
        let reached = match record::borrow_all("event", event, 1)?.first() {
            Some(event) => opened.transport.publish(topic, event)?,
            None => return Ok(()),
        };
        if let Some(slot) = slot {
            give_string(slot, reached.to_string());
        }
        Ok(())
    })
}

/// The last failure of a call with this handle, or NULL. The host owns it and frees it with
/// mfn_error_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_transport_last_error(transport: *const mfn_transport) -> *mut mfn_error {
    crate::error::last_of(transport)
}

/// Closes and frees a transport. NULL is allowed. [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_transport_free(transport: *mut mfn_transport) {
    guard::free(transport);
}

/// Makes a metrics exporter of a loaded plugin and opens it; arguments as in mfn_connector_open(). The host
/// owns *exporter and frees it with mfn_exporter_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_exporter_open(
    runtime: *const mfn_runtime,
    plugin: *const c_char,
    name: *const c_char,
    config_json: *const c_char,
    base_dir: *const c_char,
    exporter: *mut *mut mfn_exporter,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(runtime, error, |host| {
        let slot = Slot::required("exporter", exporter)?;
        let order = component::order(plugin, name, config_json, base_dir)?;
        let exporter = host.runtime.open_exporter(order.plugin, order.options)?;
        let face = component::face(Arc::clone(&exporter) as _);
        slot.hand_over(guard::create(OpenedExporter { exporter, face }));
        Ok(())
    })
}

/// Lends the common face; NULL for NULL. It lives as long as the exporter. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_exporter_component(exporter: *const mfn_exporter) -> *const mfn_component {
    guard::read(exporter, std::ptr::null(), |opened| Some(&raw const *opened.face))
}

/// Sends what is held back, within timeout_ms. Nothing changes hands. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_exporter_flush(
    exporter: *const mfn_exporter,
    timeout_ms: u64,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(exporter, error, |opened| {
        component::ensure_open(&opened.face)?;
        Ok(opened.exporter.flush(milliseconds(timeout_ms))?)
    })
}

/// The last failure of a call with this handle, or NULL. The host owns it and frees it with
/// mfn_error_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_exporter_last_error(exporter: *const mfn_exporter) -> *mut mfn_error {
    crate::error::last_of(exporter)
}

/// Closes and frees an exporter. NULL is allowed. [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_exporter_free(exporter: *mut mfn_exporter) {
    guard::free(exporter);
}
