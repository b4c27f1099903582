//! libmfn.so as a C host has it: opened by its path, its functions reached through pointers, so that nothing of it can be
//! inlined into this program. The structs are those of `include/mfn.h`; the library checks their sizes.

use std::error::Error as StdError;
use std::ffi::{CString, c_char, c_double, c_void};
use std::mem::MaybeUninit;
use std::path::Path;
use std::ptr;

use libloading::Library;

/// A handle of any type.
pub(crate) type Object = *const c_void;

/// A grid of doubles where it lies.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct mfn_field_view {
    /// Cell (0, 0).
    pub(crate) data: *const c_double,
    /// Number of rows.
    pub(crate) rows: usize,
    /// Number of columns.
    pub(crate) cols: usize,
    /// Distance from a row to the next, in doubles.
    pub(crate) row_stride: isize,
    /// Distance from a column to the next, in doubles.
    pub(crate) col_stride: isize,
}

/// How an equation is integrated.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct mfn_ode_options {
    struct_size: u32,
    method: i32,
    time_start: c_double,
    time_end: c_double,
    time_step: c_double,
    steps: u64,
    /// What steps of a fixed length do not use.
    rest: [u64; 8],
}

/// One message.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct mfn_record {
    /// Its own size.
    pub(crate) struct_size: u32,
    /// 1 when `timestamp_ms` holds a time.
    pub(crate) has_timestamp: i32,
    /// Identity.
    pub(crate) id: *const c_char,
    /// Media type of the payload.
    pub(crate) content_type: *const c_char,
    /// The operation that caused it.
    pub(crate) trace_parent: *const c_char,
    /// Ordering key.
    pub(crate) key: *const u8,
    /// Length of the key.
    pub(crate) key_len: usize,
    /// The message itself.
    pub(crate) payload: *const u8,
    /// Length of the payload.
    pub(crate) payload_len: usize,
    /// Further fields.
    pub(crate) headers: *const c_void,
    /// Number of further fields.
    pub(crate) header_count: usize,
    /// When it arose.
    pub(crate) timestamp_ms: i64,
}

/// The fate of a record.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct mfn_verdict {
    /// [`MFN_VERDICT_ACK`].
    pub(crate) fate: i32,
    /// For others.
    pub(crate) delay_ms: u32,
    /// For others.
    pub(crate) reason: *const c_char,
}

/// Everything that had to be done is done.
pub(crate) const MFN_VERDICT_ACK: i32 = 1;
/// Explicit Euler with fixed steps.
const MFN_ODE_EULER: i32 = 1;

/// The derivative of an equation.
pub(crate) type mfn_ode_fn =
    unsafe extern "C" fn(*mut c_void, c_double, *const c_double, *mut c_double, usize) -> i32;

/// What a C function answers that can fail.
pub(crate) type Status = i32;
/// Where it writes why.
pub(crate) type Error = *mut Object;

/// Declares the functions that are used: their names, which are their symbols, and their C types.
macro_rules! functions {
    ($($name:ident: fn($($argument:ty),*) $(-> $answer:ty)?;)*) => {
        /// The functions, as the library gave their addresses.
        #[derive(Clone, Copy)]
        pub(crate) struct Functions {
            $(pub(crate) $name: unsafe extern "C" fn($($argument),*) $(-> $answer)?,)*
        }

        impl Functions {
            fn of(library: &'static Library) -> Result<Self, libloading::Error> {
                Ok(Self {
                    // SAFETY: the header of the library declares the function of this name with these types.
                    $($name: unsafe { *library.get(concat!(stringify!($name), "\0").as_bytes())? },)*
                })
            }
        }
    };
}

functions! {
    mfn_live_handles: fn() -> u64;
    mfn_sim_create_json: fn(*const c_char, *mut Object, Error) -> Status;
    mfn_sim_step_count: fn(Object) -> u64;
    mfn_sim_field: fn(Object, *mut mfn_field_view, Error) -> Status;
    mfn_ode_options_init: fn(*mut mfn_ode_options, usize, Error) -> Status;
    mfn_ode_integrate: fn(mfn_ode_fn, *mut c_void, *mut c_double, usize, *const mfn_ode_options, *mut c_void, Error) -> Status;
    mfn_runtime_create: fn(Object, *mut Object, Error) -> Status;
    mfn_runtime_load_plugin: fn(Object, *const c_char, *mut *mut c_char, Error) -> Status;
    mfn_publisher_open: fn(Object, *const c_char, *const c_char, *const c_char, *const c_char, *mut Object, Error) -> Status;
    mfn_publisher_publish: fn(Object, *const mfn_record, usize, u32, u64, *mut Object, Error) -> Status;
    mfn_publisher_flush: fn(Object, u64, Error) -> Status;
    mfn_connector_open: fn(Object, *const c_char, *const c_char, *const c_char, *const c_char, *mut Object, Error) -> Status;
    mfn_connector_fetch: fn(Object, u32, u64, u64, *mut Object, Error) -> Status;
    mfn_connector_settle: fn(Object, Object, *const mfn_verdict, usize, Error) -> Status;
    mfn_batch_count: fn(Object) -> usize;
    mfn_batch_record: fn(Object, usize, *mut mfn_record, Error) -> Status;
    mfn_batch_free: fn(Object);
}

/// Stops where a call failed: nothing that failed is worth timing.
#[track_caller]
pub(crate) fn ok(status: Status) {
    assert_eq!(status, 0, "a call of libmfn failed");
}

/// The library with what its functions are called on. Handles live until the process ends.
#[derive(Clone, Copy)]
pub(crate) struct Host {
    /// The functions.
    pub(crate) of: Functions,
    runtime: Object,
}

impl Host {
    /// Opens libmfn.so, makes a runtime and loads the null plugin.
    pub(crate) fn new(library: &Path, plugin: &Path) -> Result<Self, Box<dyn StdError>> {
        // SAFETY: load-time code of libmfn runs, which is none but that of Rust's standard library.
        let library = Box::leak(Box::new(unsafe { Library::new(library) }?));
        let of = Functions::of(library)?;
        let plugin = CString::new(plugin.to_str().ok_or("the path of the plugin is no text")?)?;
        let mut runtime = ptr::null();
        // SAFETY: the arguments are as the header says; no error is asked for.
        ok(unsafe { (of.mfn_runtime_create)(ptr::null(), &raw mut runtime, ptr::null_mut()) });
        // SAFETY: as above.
        ok(unsafe {
            (of.mfn_runtime_load_plugin)(runtime, plugin.as_ptr(), ptr::null_mut(), ptr::null_mut())
        });
        Ok(Self { of, runtime })
    }

    /// A simulation on a grid of this side.
    pub(crate) fn simulation(&self, side: usize) -> Object {
        let spec = CString::new(format!("{{\"grid_size\": {side}}}")).expect("a text without NUL");
        let mut sim = ptr::null();
        // SAFETY: a text and a place for the handle.
        ok(unsafe { (self.of.mfn_sim_create_json)(spec.as_ptr(), &raw mut sim, ptr::null_mut()) });
        sim
    }

    /// A publisher of the null plugin.
    pub(crate) fn publisher(&self, name: &str) -> Object {
        let name = CString::new(name).expect("a text without NUL");
        let mut publisher = ptr::null();
        // SAFETY: a live runtime, texts, and a place for the handle; the optional texts are NULL.
        ok(unsafe {
            (self.of.mfn_publisher_open)(
                self.runtime,
                c"null".as_ptr(),
                name.as_ptr(),
                ptr::null(),
                ptr::null(),
                &raw mut publisher,
                ptr::null_mut(),
            )
        });
        publisher
    }

    /// A connector of the null plugin, which brings batches of so many records with so many payload bytes each.
    pub(crate) fn connector(&self, name: &str, records: usize, payload_bytes: usize) -> Object {
        let name = CString::new(name).expect("a text without NUL");
        let config = format!("{{\"records\": {records}, \"payload_bytes\": {payload_bytes}}}");
        let config = CString::new(config).expect("a text without NUL");
        let mut connector = ptr::null();
        // SAFETY: as for the publisher.
        ok(unsafe {
            (self.of.mfn_connector_open)(
                self.runtime,
                c"null".as_ptr(),
                name.as_ptr(),
                config.as_ptr(),
                ptr::null(),
                &raw mut connector,
                ptr::null_mut(),
            )
        });
        connector
    }

    /// The next batch, of so many records at most.
    pub(crate) fn fetch(&self, connector: Object, records_max: u32) -> Object {
        let mut batch = ptr::null();
        let bytes_max = u64::MAX;
        // SAFETY: a live connector and a place for the batch.
        ok(unsafe {
            (self.of.mfn_connector_fetch)(
                connector,
                records_max,
                bytes_max,
                0,
                &raw mut batch,
                ptr::null_mut(),
            )
        });
        batch
    }

    /// Options of an integration in Euler steps of length 1.
    pub(crate) fn euler(&self, steps: u64) -> mfn_ode_options {
        let mut options = MaybeUninit::<mfn_ode_options>::uninit();
        // SAFETY: a place of this size, which a call that succeeds fills.
        let options = unsafe {
            let size = size_of::<mfn_ode_options>();
            ok((self.of.mfn_ode_options_init)(options.as_mut_ptr(), size, ptr::null_mut()));
            options.assume_init()
        };
        mfn_ode_options { method: MFN_ODE_EULER, time_step: 1.0, steps, ..options }
    }
}
