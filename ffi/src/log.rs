//! Log: what the runtime and its plugins say, by callback or by polling.
//!
//! A host chooses in mfn_runtime_options: a callback, a queue that it polls (for event loops and languages
//! that do not like to be called back), both, or none. Without one nothing is logged.

use std::ffi::{CString, c_char, c_void};
use std::fmt::Write as _;
use std::sync::{PoisonError, RwLock};

use ::mfn_runtime::{LogRecord, LogSink};

use crate::guard::{self, Handle, opaque};
use crate::log_queue::LogQueue;
use crate::owned::c_text;

/// Log nothing.
pub const MFN_LOG_OFF: i32 = 0;
/// Work was lost or given up.
pub const MFN_LOG_ERROR: i32 = 1;
/// Something needs a look.
pub const MFN_LOG_WARN: i32 = 2;
/// What the runtime does.
pub const MFN_LOG_INFO: i32 = 3;
/// Details for a developer.
pub const MFN_LOG_DEBUG: i32 = 4;
/// Everything.
pub const MFN_LOG_TRACE: i32 = 5;

/// One log record, lent. The texts live as long as the record.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_log_record {
    /// sizeof(mfn_log_record) of the library; later versions may have more fields.
    pub struct_size: u32,
    /// How grave it is: MFN_LOG_ERROR to MFN_LOG_TRACE.
    pub level: i32,
    /// The part of the program that speaks.
    pub target: *const c_char,
    /// One sentence, then fields as name=value.
    pub message: *const c_char,
    /// The component that speaks, or "".
    pub component: *const c_char,
    /// The plugin that speaks, or "" for the runtime itself.
    pub plugin: *const c_char,
}

/// Takes a log record, which is lent for the length of the call. Called on whatever thread speaks, on
/// several at once. It should return soon, and must not call functions of a runtime, a component or a
/// pipeline. What is logged during the call on the same thread is dropped, so logging does not re-enter.
pub type mfn_log_fn = Option<unsafe extern "C" fn(user_data: *mut c_void, record: *const mfn_log_record)>;

/// Ends a user_data. Called once, when the library will not use it again.
pub type mfn_destroy_fn = Option<unsafe extern "C" fn(user_data: *mut c_void)>;

/// A log record that was polled. Freed with mfn_log_entry_free().
pub struct mfn_log_entry(Handle<Entry>);

opaque! { mfn_log_entry(Entry) as "log_entry" = 3; }

/// The texts of a record and the view of them that C sees.
pub(crate) struct Entry {
    record: mfn_log_record,
    // The record points into these, whose buffers do not move.
    _texts: [CString; 4],
}

// SAFETY: the pointers of the record lead to the texts beside it, which nobody changes.
unsafe impl Send for Entry {}

impl Entry {
    fn new(record: &LogRecord<'_>) -> Self {
        let mut message = record.message.to_owned();
        for (name, value) in record.fields {
            // Writing to a string does not fail.
            let _ = write!(message, " {name}={value}");
        }
        let owned = |text: &str| c_text(text.to_owned());
        let texts = [
            owned(record.target),
            c_text(message),
            owned(record.component.unwrap_or_default()),
            owned(record.plugin.unwrap_or_default()),
        ];
        let [target, message, component, plugin] = texts.each_ref().map(|text| text.as_ptr());
        Self {
            record: mfn_log_record {
                struct_size: size_of::<mfn_log_record>() as u32,
                level: i32::from(record.level.code()),
                target,
                message,
                component,
                plugin,
            },
            _texts: texts,
        }
    }
}

/// The host's callback, if it gave one. Its user_data ends with it.
struct Callback {
    log: mfn_log_fn,
    user_data: *mut c_void,
    destroy: mfn_destroy_fn,
}

// SAFETY: the host promises that the callback may be called on any thread with its user_data.
unsafe impl Send for Callback {}
// SAFETY: as above, on several threads at once.
unsafe impl Sync for Callback {}

impl Drop for Callback {
    fn drop(&mut self) {
        if let Some(destroy) = self.destroy {
            // SAFETY: the host gave this function for this user_data; it is called once, here.
            unsafe { destroy(self.user_data) };
        }
    }
}

/// Where the log of one runtime goes. Plugins are never unloaded and may keep it for ever, so the host's
/// part is taken out when the runtime's handle is freed.
pub(crate) struct HostLog {
    callback: RwLock<Option<Callback>>,
    queue: LogQueue<Entry>,
}

impl HostLog {
    pub(crate) fn new(
        log: mfn_log_fn,
        user_data: *mut c_void,
        destroy: mfn_destroy_fn,
        queue_max: usize,
    ) -> Self {
        Self {
            callback: RwLock::new(Some(Callback { log, user_data, destroy })),
            queue: LogQueue::new(queue_max),
        }
    }

    /// A log that nobody listens to.
    pub(crate) fn silent() -> Self {
        Self::new(None, std::ptr::null_mut(), None, 0)
    }

    /// Waits for callbacks under way and ends the host's user_data.
    pub(crate) fn close(&self) {
        drop(self.callback.write().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Gives the user_data back without ending it: the host keeps it when nothing was created.
    pub(crate) fn release(&self) {
        if let Some(mut callback) = self.callback.write().unwrap_or_else(PoisonError::into_inner).take() {
            callback.destroy = None;
        }
    }

    /// What the host polls.
    pub(crate) fn queue(&self) -> &LogQueue<Entry> {
        &self.queue
    }
}

impl LogSink for HostLog {
    fn log(&self, record: &LogRecord<'_>) {
        let entry = Entry::new(record);
        if let Some(Callback { log: Some(log), user_data, .. }) =
            &*self.callback.read().unwrap_or_else(PoisonError::into_inner)
        {
            // SAFETY: the host gave a function of this type, to be called with its own user_data; the
            // record lives during the call.
            unsafe { log(*user_data, &raw const entry.record) };
        }
        self.queue.push(entry);
    }
}

/// The record of a polled entry; NULL for NULL. Lent by the entry. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_log_entry_record(entry: *const mfn_log_entry) -> *const mfn_log_record {
    guard::read(entry, std::ptr::null(), |entry| Some(&raw const entry.record))
}

/// Frees a polled entry and the record it lent. NULL is allowed. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_log_entry_free(entry: *mut mfn_log_entry) {
    guard::free(entry);
}
