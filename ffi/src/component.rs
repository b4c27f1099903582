//! Components: what connectors, publishers, transports and exporters have in common.
//!
//! A component is a configured instance of a plugin. The functions mfn_*_component() lend its common face;
//! it lives as long as the connector, publisher, transport or exporter that lent it.

use std::ffi::{CString, c_char};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ::mfn_runtime::ComponentOptions;
use ::mfn_runtime::component::{Component, ComponentError};
use ::mfn_runtime::pipeline::ComponentEndpoint;
use mfn_plugin::value::HealthState;

use crate::argument::{self, Slot, milliseconds};
use crate::error::{Failure, mfn_error};
use crate::guard::{self, Handle, opaque};
use crate::owned::{c_text, give_string};
use crate::status::{MFN_CLOSED, MFN_PLUGIN, mfn_status};

/// The common face of a component. Lent; never freed by the host.
pub struct mfn_component(Handle<Face>);

pub(crate) struct Face {
    component: Arc<dyn Component>,
    closed: AtomicBool,
    name: CString,
    plugin: CString,
}

/// Where components can be reached. Freed with mfn_endpoints_free().
pub struct mfn_endpoints(Handle<Vec<[CString; 3]>>);

opaque! {
    mfn_component(Face) as "component" = 5;
    mfn_endpoints(Vec<[CString; 3]>) as "endpoints" = 6;
}

/// Created, not opened yet.
pub const MFN_HEALTH_STARTING: i32 = 1;
/// Working.
pub const MFN_HEALTH_READY: i32 = 2;
/// Working with losses or delays.
pub const MFN_HEALTH_DEGRADED: i32 = 3;
/// Not working.
pub const MFN_HEALTH_DOWN: i32 = 4;

impl From<ComponentError> for Failure {
    fn from(error: ComponentError) -> Self {
        Self::from_error(MFN_PLUGIN, &error)
            .with_plugin_error(&error.error)
            .with_origin(&error.plugin, &error.component)
    }
}

/// Makes the common face that a connector, publisher, transport or exporter lends.
pub(crate) fn face(component: Arc<dyn Component>) -> Box<mfn_component> {
    let name = c_text(component.name().to_owned());
    let plugin = c_text(component.plugin().to_owned());
    guard::create(Face { component, closed: AtomicBool::new(false), name, plugin })
}

impl Face {
    /// Refuses to use a component that the host has closed.
    pub(crate) fn open(&self) -> Result<&dyn Component, Failure> {
        if self.closed.load(Ordering::Acquire) {
            let (plugin, name) = (self.component.plugin(), self.component.name());
            let message = format!("{name} (plugin {plugin}) was closed: only free it");
            return Err(Failure::new(MFN_CLOSED, message).with_origin(plugin, name));
        }
        Ok(&*self.component)
    }

    /// The component, for a call that may outlive its caller's patience.
    pub(crate) fn shared(&self) -> &Arc<dyn Component> {
        &self.component
    }
}

/// As [`Face::open`], for the owner of a face.
pub(crate) fn ensure_open(face: &mfn_component) -> Result<(), Failure> {
    guard::state(face)?.open().map(drop)
}

/// What one component is made from, as C gives it.
pub(crate) struct Order<'a> {
    pub(crate) plugin: &'a str,
    pub(crate) options: ComponentOptions,
}

/// Reads the arguments that the four open functions share.
pub(crate) fn order<'a>(
    plugin: *const c_char,
    name: *const c_char,
    config_json: *const c_char,
    base_dir: *const c_char,
) -> Result<Order<'a>, Failure> {
    let config = match argument::optional_text("config_json", config_json)? {
        None => serde_json::Value::Object(serde_json::Map::new()),
        Some(text) => serde_json::from_str(text)
            .map_err(|error| Failure::invalid(format!("config_json is not JSON: {error}")))?,
    };
    if !config.is_object() {
        return Err(Failure::invalid("config_json is no JSON object: give {} or {\"name\": value, ...}"));
    }
    let base_dir = argument::optional_text("base_dir", base_dir)?.map(PathBuf::from).unwrap_or_default();
    let name = argument::text("name", name)?.to_owned();
    Ok(Order {
        plugin: argument::text("plugin", plugin)?,
        options: ComponentOptions { name, config: config.into(), base_dir },
    })
}

/// Gives endpoints to the host.
pub(crate) fn give_endpoints(slot: Slot<*mut mfn_endpoints>, endpoints: Vec<ComponentEndpoint>) {
    let texts = endpoints
        .into_iter()
        .map(|endpoint| [endpoint.component, endpoint.endpoint.name, endpoint.endpoint.url].map(c_text))
        .collect();
    slot.hand_over(guard::create::<mfn_endpoints>(texts));
}

/// The component's name; "" for NULL. Lent by the component. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_component_name(component: *const mfn_component) -> *const c_char {
    guard::read(component, c"".as_ptr(), |face| Some(face.name.as_ptr()))
}

/// The plugin it is an instance of; "" for NULL. Lent by the component. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_component_plugin(component: *const mfn_component) -> *const c_char {
    guard::read(component, c"".as_ptr(), |face| Some(face.plugin.as_ptr()))
}

/// The last known health, one of the MFN_HEALTH_* constants; never waits. detail may be NULL; else the host
/// owns *detail and frees it with mfn_string_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_component_health(
    component: *const mfn_component,
    health: *mut i32,
    detail: *mut *mut c_char,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(component, error, |face| {
        let health_slot = Slot::required("health", health)?;
        let detail_slot = Slot::optional("detail", detail)?;
        let health = face.component.health();
        health_slot.write(match health.state {
            HealthState::Starting => MFN_HEALTH_STARTING,
            HealthState::Ready => MFN_HEALTH_READY,
            HealthState::Degraded => MFN_HEALTH_DEGRADED,
            HealthState::Down => MFN_HEALTH_DOWN,
        });
        if let Some(slot) = detail_slot {
            give_string(slot, health.detail);
        }
        Ok(())
    })
}

/// Tries the real thing without side effects: the error says what an operator has to put right. Nothing
/// changes hands. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_component_check(
    component: *const mfn_component,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(component, error, |face| Ok(face.open()?.check()?))
}

/// Where the component can be reached. The host owns *endpoints and frees it with mfn_endpoints_free().
/// [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_component_endpoints(
    component: *const mfn_component,
    endpoints: *mut *mut mfn_endpoints,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(component, error, |face| {
        let slot = Slot::required("endpoints", endpoints)?;
        let open = face.open()?;
        let component = open.name();
        let named = open
            .endpoints()?
            .into_iter()
            .map(|endpoint| ComponentEndpoint { component: component.to_owned(), endpoint });
        give_endpoints(slot, named.collect());
        Ok(())
    })
}

/// Finishes what was accepted, at most for timeout_ms. records_left may be NULL; else it is set to the
/// number of records that the component still holds. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_component_drain(
    component: *const mfn_component,
    timeout_ms: u64,
    records_left: *mut u64,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(component, error, |face| {
        let slot = Slot::optional("records_left", records_left)?;
        let drained = face.open()?.drain(milliseconds(timeout_ms))?;
        if let Some(slot) = slot {
            slot.write(drained.records_left);
        }
        Ok(())
    })
}

/// Closes the component early; freeing its owner does it too. Later calls that would use it answer
/// MFN_CLOSED. Safe twice. Nothing changes hands. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_component_close(
    component: *const mfn_component,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(component, error, |face| {
        face.closed.store(true, Ordering::Release);
        Ok(face.component.close()?)
    })
}

/// The last failure of a call with this component, or NULL. The host owns it and frees it with
/// mfn_error_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_component_last_error(component: *const mfn_component) -> *mut mfn_error {
    crate::error::last_of(component)
}

/// How many endpoints there are; 0 for NULL. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_endpoints_count(endpoints: *const mfn_endpoints) -> usize {
    guard::read(endpoints, 0, |endpoints| Some(endpoints.len()))
}

/// The component that listens; "" beyond the last. Lent by endpoints. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_endpoints_component(
    endpoints: *const mfn_endpoints,
    index: usize,
) -> *const c_char {
    guard::read(endpoints, c"".as_ptr(), |endpoints| Some(endpoints.get(index)?[0].as_ptr()))
}

/// What is there, such as "stream" or "metrics"; "" beyond the last. Lent by endpoints. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_endpoints_name(endpoints: *const mfn_endpoints, index: usize) -> *const c_char {
    guard::read(endpoints, c"".as_ptr(), |endpoints| Some(endpoints.get(index)?[1].as_ptr()))
}

/// The URL; "" beyond the last. Lent by endpoints. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_endpoints_url(endpoints: *const mfn_endpoints, index: usize) -> *const c_char {
    guard::read(endpoints, c"".as_ptr(), |endpoints| Some(endpoints.get(index)?[2].as_ptr()))
}

/// Frees a list of endpoints and the texts it lent. NULL is allowed. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_endpoints_free(endpoints: *mut mfn_endpoints) {
    guard::free(endpoints);
}
