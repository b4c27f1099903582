//! Runtime: the threads, the log, the metrics and the loaded plugins of one host.
//!
//! Two runtimes share nothing. A plugin is loaded only when the host names its file or directory, here or
//! in a pipeline's configuration. A loaded library stays in memory until the process ends.

use std::ffi::{c_char, c_void};
use std::path::Path;
use std::sync::Arc;

use ::mfn_runtime::{LogLevel, LogSink, PluginPolicy, Runtime, RuntimeError, RuntimeOptions};

use crate::argument::{self, SizedSlot, Slot, milliseconds, read_sized, sized32};
use crate::error::{Failure, Fault, json, mfn_error};
use crate::guard::{self, Handle, opaque};
use crate::log::{HostLog, mfn_destroy_fn, mfn_log_entry, mfn_log_fn};
use crate::owned::give_string;
use crate::status::{MFN_INVALID, MFN_IO, MFN_PLUGIN, MFN_WOULD_BLOCK, mfn_status};

/// What one host has of libmfn. Freed with mfn_runtime_free().
pub struct mfn_runtime(Handle<Host>);

pub(crate) struct Host {
    pub(crate) runtime: Runtime,
    log: Arc<HostLog>,
}

impl Drop for Host {
    fn drop(&mut self) {
        self.log.close();
    }
}

opaque! { mfn_runtime(Host) as "runtime" = 4; }

/// How a runtime is set up. Fill it with mfn_runtime_options_init().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_runtime_options {
    /// sizeof(mfn_runtime_options).
    pub struct_size: u32,
    /// Threads for computing; 0: one for each core. Results do not depend on it.
    pub threads: u32,
    /// How much is logged: MFN_LOG_OFF to MFN_LOG_TRACE.
    pub log_level: i32,
    /// 1: refuse plugins without a manifest beside them. 0: do not.
    pub require_manifest: i32,
    /// Log records kept for mfn_runtime_next_log(); the oldest go when it is full. 0: no queue.
    pub log_queue_max: u64,
    /// Called for each log record, or NULL.
    pub log: mfn_log_fn,
    /// Given to log. It stays the host's when mfn_runtime_create() fails.
    pub log_user_data: *mut c_void,
    /// Called with log_user_data by mfn_runtime_free(), or NULL.
    pub log_destroy: mfn_destroy_fn,
}

sized32! { mfn_runtime_options = 48; }

/// The most log records a queue may hold.
const LOG_QUEUE_MAX: u64 = 1 << 20;

impl From<RuntimeError> for Failure {
    fn from(error: RuntimeError) -> Self {
        match error {
            RuntimeError::Config(error) => error.into(),
            RuntimeError::Component(error) => error.into(),
            RuntimeError::Load(refusal) => refusal.into(),
            RuntimeError::Probe { ref faults } => Self::from_error(MFN_PLUGIN, &error)
                .with_faults(faults.iter().cloned().map(Fault::from).collect()),
            RuntimeError::Threads(_) | RuntimeError::Directory { .. } => Self::from_error(MFN_IO, &error),
            _ => Self::from_error(MFN_INVALID, &error),
        }
    }
}

impl From<::mfn_runtime::LoadRefusal> for Failure {
    fn from(refusal: ::mfn_runtime::LoadRefusal) -> Self {
        let origin = refusal.path.file_name().map(|name| name.to_string_lossy().into_owned());
        Self::from_error(MFN_PLUGIN, &refusal).with_origin(&origin.unwrap_or_default(), "")
    }
}

/// A path from C. Paths are UTF-8 here, as everything else.
fn path<'a>(name: &str, pointer: *const c_char) -> Result<&'a Path, Failure> {
    Ok(Path::new(argument::text(name, pointer)?))
}

fn level(name: &str, code: i32) -> Result<LogLevel, Failure> {
    u32::try_from(code).ok().and_then(LogLevel::from_code).ok_or_else(|| {
        Failure::invalid(format!("{name} = {code}: give 0 (MFN_LOG_OFF) to 5 (MFN_LOG_TRACE)"))
    })
}

/// Fills options with the defaults: all cores, warnings and errors, no log. struct_size is
/// sizeof(mfn_runtime_options). options belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_runtime_options_init(
    options: *mut mfn_runtime_options,
    struct_size: usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        SizedSlot::of_size("options", options, struct_size)?.write(&mfn_runtime_options {
            struct_size: 0,
            threads: 0,
            log_level: i32::from(LogLevel::default().code()),
            require_manifest: 0,
            log_queue_max: 0,
            log: None,
            log_user_data: std::ptr::null_mut(),
            log_destroy: None,
        });
        Ok(())
    })
}

/// Creates a runtime. options may be NULL for the defaults. The host owns *runtime and frees it with
/// mfn_runtime_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_runtime_create(
    options: *const mfn_runtime_options,
    runtime: *mut *mut mfn_runtime,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let slot = Slot::required("runtime", runtime)?;
        let given = if options.is_null() { None } else { Some(read_sized("options", options)?) };
        let (settings, log) = match given {
            None => (RuntimeOptions::default(), Arc::new(HostLog::silent())),
            Some(given) => settings(&given)?,
        };
        let runtime = Runtime::new(settings).inspect_err(|_| log.release())?;
        slot.hand_over(guard::create(Host { runtime, log }));
        Ok(())
    })
}

fn settings(given: &mfn_runtime_options) -> Result<(RuntimeOptions, Arc<HostLog>), Failure> {
    let log_level = level("options.log_level", given.log_level)?;
    let require_manifest = argument::flag("options.require_manifest", given.require_manifest)?;
    if given.log_queue_max > LOG_QUEUE_MAX {
        return Err(Failure::invalid(format!(
            "options.log_queue_max = {}: give at most {LOG_QUEUE_MAX}",
            given.log_queue_max
        )));
    }
    // At most a million.
    let queue_max = given.log_queue_max as usize;
    let log = Arc::new(HostLog::new(given.log, given.log_user_data, given.log_destroy, queue_max));
    let listens = given.log.is_some() || queue_max > 0;
    let settings = RuntimeOptions {
        threads: given.threads as usize,
        log_level,
        log_sink: listens.then(|| Arc::clone(&log) as Arc<dyn LogSink>),
        plugin_policy: PluginPolicy { require_manifest },
    };
    Ok((settings, log))
}

/// Changes how much is logged, here and in the loaded plugins. Nothing changes hands. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_runtime_set_log_level(
    runtime: *const mfn_runtime,
    log_level: i32,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(runtime, error, |host| {
        host.runtime.set_log_level(level("log_level", log_level)?);
        Ok(())
    })
}

/// Takes the oldest record of the log queue, and waits for one at most timeout_ms. MFN_WOULD_BLOCK: none
/// came. The host owns *entry and frees it with mfn_log_entry_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_runtime_next_log(
    runtime: *const mfn_runtime,
    timeout_ms: u64,
    entry: *mut *mut mfn_log_entry,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(runtime, error, |host| {
        let slot = Slot::required("entry", entry)?;
        let next = host.log.queue().next(milliseconds(timeout_ms));
        slot.hand_over(guard::create(next.ok_or(Failure::answer(MFN_WOULD_BLOCK))?));
        Ok(())
    })
}

/// How many log records the queue had no room for; 0 for a handle that is NULL. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_runtime_log_dropped(runtime: *const mfn_runtime) -> u64 {
    guard::read(runtime, 0, |host| Some(host.log.queue().dropped()))
}

/// Loads one plugin library. One that is loaded already is fine. MFN_PLUGIN: refused, and the message says
/// why. name may be NULL; else the host owns *name, the plugin's name, and frees it with
/// mfn_string_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_runtime_load_plugin(
    runtime: *const mfn_runtime,
    path: *const c_char,
    name: *mut *mut c_char,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(runtime, error, |host| {
        let slot = Slot::optional("name", name)?;
        let info = host.runtime.load_plugin(self::path("path", path)?)?;
        if let Some(slot) = slot {
            give_string(slot, info.descriptor.name);
        }
        Ok(())
    })
}

/// Loads every plugin library in a directory. Those that are refused are no failure: see the load report.
/// loaded may be NULL; else it is set to the number of libraries that can be used. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_runtime_scan_directory(
    runtime: *const mfn_runtime,
    directory: *const c_char,
    loaded: *mut usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(runtime, error, |host| {
        let slot = Slot::optional("loaded", loaded)?;
        let attempts = host.runtime.scan_directory(path("directory", directory)?)?;
        if let Some(slot) = slot {
            slot.write(attempts.iter().filter(|attempt| attempt.refusal().is_none()).count());
        }
        Ok(())
    })
}

/// Lists the loaded plugins as a JSON array, sorted by name: path, sha256, manifest, and descriptor with
/// name, version, about and kinds, each kind with the JSON Schema of its configuration. The host owns
/// *json and frees it with mfn_string_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_runtime_plugins(
    runtime: *const mfn_runtime,
    json: *mut *mut c_char,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(runtime, error, |host| {
        let slot = Slot::required("json", json)?;
        give_string(slot, self::json(&host.runtime.plugins())?);
        Ok(())
    })
}

/// Describes one loaded plugin as a JSON object, as in mfn_runtime_plugins(). The host owns *json and
/// frees it with mfn_string_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_runtime_plugin_describe(
    runtime: *const mfn_runtime,
    name: *const c_char,
    json: *mut *mut c_char,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(runtime, error, |host| {
        let slot = Slot::required("json", json)?;
        let name = argument::text("name", name)?;
        let plugins = host.runtime.plugins();
        let Some(info) = plugins.iter().find(|info| info.descriptor.name == name) else {
            let loaded = plugins.into_iter().map(|info| info.descriptor.name).collect();
            return Err(RuntimeError::UnknownPlugin { name: name.to_owned(), loaded }.into());
        };
        give_string(slot, self::json(info)?);
        Ok(())
    })
}

/// Every path that was tried and what became of it: one line each, or with as_json = 1 a JSON object.
/// The host owns *report and frees it with mfn_string_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_runtime_load_report(
    runtime: *const mfn_runtime,
    as_json: i32,
    report: *mut *mut c_char,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(runtime, error, |host| {
        let slot = Slot::required("report", report)?;
        let load_report = host.runtime.load_report();
        let text =
            if argument::flag("as_json", as_json)? { json(&load_report)? } else { load_report.to_string() };
        give_string(slot, text);
        Ok(())
    })
}

/// The last failure of a call with this handle, or NULL. The host owns it and frees it with
/// mfn_error_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_runtime_last_error(runtime: *const mfn_runtime) -> *mut mfn_error {
    crate::error::last_of(runtime)
}

/// Frees a runtime: waits for log callbacks under way, then calls log_destroy. Components and pipelines
/// made from it live on and stop logging. NULL is allowed. [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_runtime_free(runtime: *mut mfn_runtime) {
    guard::free(runtime);
}
