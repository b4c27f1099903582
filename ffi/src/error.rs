//! Error objects: what went wrong, where, why, and whether trying again can help.
//!
//! Every function that can fail takes a last argument `mfn_error **error`. It may be NULL. On failure a new
//! error object is written there, which the host frees with mfn_error_free(); on success, and for the
//! answers MFN_WOULD_BLOCK, MFN_CANCELLED and MFN_END, it is left alone. Handles also keep their last
//! failure for hosts that passed NULL: see the mfn_*_last_error() functions. Error objects never change, so
//! any number of threads may read one. Texts that an error lends live as long as the error.

use std::ffi::{CString, c_char};
use std::sync::Arc;

use ::mfn_runtime::codec::DecodeError;
use ::mfn_runtime::{ConfigError, ConfigFault};
use ::mfn_sim::{FeatureError, SimError, SpecError};
use mfn_plugin::value::{ErrorClass, PluginError};

use crate::guard::{self, Handle, opaque};
use crate::owned::c_text;
use crate::status::{MFN_CLOSED, MFN_FATAL, MFN_INVALID, MFN_UNSTABLE, mfn_status};

/// A failure. Freed with mfn_error_free().
pub struct mfn_error(Handle<Arc<Details>>);

opaque! { mfn_error(Arc<Details>) as "error" = 1; }

/// Trying again later can succeed.
pub const MFN_CLASS_RETRYABLE: i32 = 1;
/// As retryable, but not before mfn_error_retry_after_ms().
pub const MFN_CLASS_THROTTLED: i32 = 2;
/// Credentials or a target are missing: keep the data and ask an operator.
pub const MFN_CLASS_BLOCKED: i32 = 3;
/// Trying the same again can not succeed.
pub const MFN_CLASS_PERMANENT: i32 = 4;
/// Sent, but not answered: it may have happened. Try again only under the same record id.
pub const MFN_CLASS_UNKNOWN: i32 = 5;
/// Given up because the host asked for it.
pub const MFN_CLASS_CANCELLED: i32 = 6;
/// The object is unusable; only close and free it.
pub const MFN_CLASS_FATAL: i32 = 7;

/// The content of an error object, ready to be lent to C.
#[derive(Debug)]
pub struct Details {
    status: mfn_status,
    class: i32,
    retry_after_ms: u64,
    message: CString,
    causes: Vec<CString>,
    plugin: CString,
    component: CString,
    faults: Vec<[CString; 3]>,
}

/// One fault of a configuration.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) path: String,
    pub(crate) message: String,
    pub(crate) fix: String,
}

/// A call's way out without its result: an answer such as MFN_END, or a failure with its texts.
#[derive(Debug)]
pub(crate) struct Failure(Box<Content>);

#[derive(Debug)]
struct Content {
    status: mfn_status,
    class: ErrorClass,
    retry_after_ms: u64,
    message: String,
    causes: Vec<String>,
    plugin: String,
    component: String,
    faults: Vec<Fault>,
}

impl Failure {
    pub(crate) fn new(status: mfn_status, message: impl Into<String>) -> Self {
        Self(Box::new(Content {
            status,
            class: if matches!(status, MFN_CLOSED | MFN_FATAL) {
                ErrorClass::Fatal
            } else {
                ErrorClass::Permanent
            },
            retry_after_ms: 0,
            message: message.into(),
            causes: Vec::new(),
            plugin: String::new(),
            component: String::new(),
            faults: Vec::new(),
        }))
    }

    /// An argument is wrong and nothing was changed.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(MFN_INVALID, message)
    }

    /// No failure, but no result either.
    pub(crate) fn answer(status: mfn_status) -> Self {
        Self::new(status, "")
    }

    /// A failure with the chain of causes behind it.
    pub(crate) fn from_error(status: mfn_status, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut failure = Self::new(status, error.to_string());
        let mut cause = error.source();
        while let Some(error) = cause {
            failure.0.causes.push(error.to_string());
            cause = error.source();
        }
        failure
    }

    /// Names what the field belongs to that the message begins with.
    pub(crate) fn part_of(mut self, whole: &str) -> Self {
        self.0.message = format!("{whole}.{}", self.0.message);
        self
    }

    /// Names the argument that the message is about.
    pub(crate) fn about(mut self, argument: &str) -> Self {
        self.0.message = format!("{argument}: {}", self.0.message);
        self
    }

    pub(crate) fn with_origin(mut self, plugin: &str, component: &str) -> Self {
        plugin.clone_into(&mut self.0.plugin);
        component.clone_into(&mut self.0.component);
        self
    }

    pub(crate) fn with_faults(mut self, faults: Vec<Fault>) -> Self {
        self.0.faults = faults;
        self
    }

    pub(crate) fn with_plugin_error(mut self, error: &PluginError) -> Self {
        self.0.class = error.class;
        self.0.retry_after_ms =
            error.retry_after.map_or(0, |delay| u64::try_from(delay.as_millis()).unwrap_or(u64::MAX));
        self
    }

    pub(crate) fn status(&self) -> mfn_status {
        self.0.status
    }

    pub(crate) fn into_details(self) -> Details {
        let content = *self.0;
        Details {
            status: content.status,
            class: content.class.code(),
            retry_after_ms: content.retry_after_ms,
            message: c_text(content.message),
            causes: content.causes.into_iter().map(c_text).collect(),
            plugin: c_text(content.plugin),
            component: c_text(content.component),
            faults: content
                .faults
                .into_iter()
                .map(|fault| [c_text(fault.path), c_text(fault.message), c_text(fault.fix)])
                .collect(),
        }
    }
}

/// Settings of any part, each refused value with its place.
impl From<SpecError> for Failure {
    fn from(error: SpecError) -> Self {
        Self::from_error(MFN_INVALID, &error).with_faults(spec_faults(&error))
    }
}

impl From<SimError> for Failure {
    fn from(error: SimError) -> Self {
        let status = if matches!(error, SimError::Unstable { .. }) { MFN_UNSTABLE } else { MFN_INVALID };
        let failure = Self::from_error(status, &error);
        if let SimError::Spec(spec) = &error { failure.with_faults(spec_faults(spec)) } else { failure }
    }
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        let failure = Self::from_error(MFN_INVALID, &error);
        match error {
            DecodeError::Spec(spec) => failure.with_faults(spec_faults(&spec)),
            DecodeError::Json { path, message } => {
                let path = if matches!(path.as_str(), "." | "?") { String::new() } else { path };
                let fix = "send a JSON object with the fields of a specification".to_owned();
                failure.with_faults(vec![Fault { path, message, fix }])
            }
            _ => failure,
        }
    }
}

impl From<ConfigFault> for Fault {
    fn from(fault: ConfigFault) -> Self {
        Self { path: fault.path, message: fault.message, fix: fault.fix }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let failure = Self::from_error(MFN_INVALID, &error);
        failure.with_faults(error.faults.into_iter().map(Fault::from).collect())
    }
}

impl From<FeatureError> for Failure {
    fn from(error: FeatureError) -> Self {
        let failure = Self::from_error(MFN_INVALID, &error);
        if let FeatureError::Config(config) = &error {
            failure.with_faults(spec_faults(config))
        } else {
            failure
        }
    }
}

pub(crate) fn spec_faults(error: &SpecError) -> Vec<Fault> {
    error
        .faults()
        .iter()
        .map(|fault| Fault { path: fault.field().to_owned(), message: fault.finding(), fix: fault.advice() })
        .collect()
}

/// A value of the library's own as JSON.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> Result<String, Failure> {
    serde_json::to_string(value)
        .map_err(|error| Failure::new(MFN_FATAL, format!("the result can not be written as JSON: {error}")))
}

/// The last failure of a handle, as an object for the host; NULL when there was none.
pub(crate) fn last_of<H: guard::Opaque>(handle: *const H) -> *mut mfn_error {
    guard::value(std::ptr::null_mut(), || {
        guard::last_failure(handle)
            .map_or(std::ptr::null_mut(), |details| Box::into_raw(guard::create::<mfn_error>(details)))
    })
}

/// A text of an error, or "" for what is none.
fn lend(error: *const mfn_error, pick: impl FnOnce(&Details) -> Option<&CString>) -> *const c_char {
    guard::read(error, c"".as_ptr(), |details| pick(details).map(|text| text.as_ptr()))
}

/// The status of the failed call. MFN_OK for NULL. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_error_status(error: *const mfn_error) -> mfn_status {
    guard::read(error, 0, |details| Some(details.status))
}

/// What went wrong and what to do, in one line; "" for NULL. Lent by the error. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_error_message(error: *const mfn_error) -> *const c_char {
    lend(error, |details| Some(&details.message))
}

/// How many deeper causes the error has. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_error_cause_count(error: *const mfn_error) -> usize {
    guard::read(error, 0, |details| Some(details.causes.len()))
}

/// A deeper cause; 0 is the nearest. "" beyond the last. Lent by the error. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_error_cause(error: *const mfn_error, index: usize) -> *const c_char {
    lend(error, |details| details.causes.get(index))
}

/// The plugin where the error arose, or "". Lent by the error. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_error_plugin(error: *const mfn_error) -> *const c_char {
    lend(error, |details| Some(&details.plugin))
}

/// The component (the configured instance of a plugin) where the error arose, or "". Lent by the error.
/// [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_error_component(error: *const mfn_error) -> *const c_char {
    lend(error, |details| Some(&details.component))
}

/// What the caller should do: one of the MFN_CLASS_* constants; 0 for NULL. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_error_class(error: *const mfn_error) -> i32 {
    guard::read(error, 0, |details| Some(details.class))
}

/// 1 when the same call can succeed later without a change, else 0. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_error_retriable(error: *const mfn_error) -> i32 {
    guard::read(error, 0, |details| {
        Some(i32::from(matches!(
            details.class,
            MFN_CLASS_RETRYABLE | MFN_CLASS_THROTTLED | MFN_CLASS_BLOCKED | MFN_CLASS_UNKNOWN
        )))
    })
}

/// How long to wait before trying again, in milliseconds; 0 when the error does not say. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_error_retry_after_ms(error: *const mfn_error) -> u64 {
    guard::read(error, 0, |details| Some(details.retry_after_ms))
}

/// How many single faults a specification or configuration has; 0 for other errors. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_error_fault_count(error: *const mfn_error) -> usize {
    guard::read(error, 0, |details| Some(details.faults.len()))
}

/// Where a fault lies, such as "limits.threads". "" beyond the last. Lent by the error. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_error_fault_path(error: *const mfn_error, index: usize) -> *const c_char {
    lend(error, |details| details.faults.get(index).map(|[path, ..]| path))
}

/// What is wrong there. "" beyond the last. Lent by the error. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_error_fault_message(error: *const mfn_error, index: usize) -> *const c_char {
    lend(error, |details| details.faults.get(index).map(|[_, message, _]| message))
}

/// How to put it right. "" beyond the last. Lent by the error. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_error_fault_fix(error: *const mfn_error, index: usize) -> *const c_char {
    lend(error, |details| details.faults.get(index).map(|[.., fix]| fix))
}

/// Frees an error and the texts it lent. NULL is allowed. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_error_free(error: *mut mfn_error) {
    guard::free(error);
}
