//! What is timed: a way over a boundary, and beside it the same work without one.
//!
//! What stands beside is a function of this program, called through a pointer that the compiler can not see through, with
//! the arguments of the crossing; or, where bytes change hands, their plain copy.

use std::ffi::{CString, c_char, c_void};
use std::hint::black_box;
use std::path::Path;
use std::ptr;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use mfn_plugin::value::PluginError;
use mfn_runtime::component::Publisher;
use mfn_runtime::{ComponentOptions, Runtime, RuntimeOptions};

use crate::library::{
    Error, Host, MFN_VERDICT_ACK, Object, Status, mfn_field_view, mfn_record, mfn_verdict, ok,
};

/// Does so many units of work.
pub type Program = Box<dyn FnMut(u64)>;

/// A crossing and what stands beside it.
pub struct Pair {
    /// What crosses.
    pub crossing: String,
    /// What does the same without a boundary.
    pub beside: &'static str,
    /// The crossing.
    pub run: Program,
    /// The other.
    pub plain: Program,
}

/// What stands beside most.
const POINTER: &str = "function pointer";
/// Records of a batch of 1 MiB, and payload bytes of each.
const BATCH: (usize, usize) = (256, 4096);

/// All of them.
pub fn pairs(library: &Path, plugin: &Path) -> Result<Vec<Pair>, Box<dyn std::error::Error>> {
    let host = Host::new(library, plugin)?;
    let mut pairs = calls(host);
    pairs.extend([64, 1024].map(|side| field(host, side)));
    pairs.push(callback(host));
    pairs.extend(plugin_calls(host, plugin)?);
    pairs.extend([100, 65536].map(|bytes| published(host, 1, bytes)));
    pairs.extend([100, 65536].map(|bytes| fetched(host, 1, bytes)));
    pairs.push(published(host, BATCH.0, BATCH.1));
    pairs.push(fetched(host, BATCH.0, BATCH.1));
    Ok(pairs)
}

fn program(mut unit: impl FnMut() + 'static) -> Program {
    Box::new(move |units| (0..units).for_each(|_| unit()))
}

extern "C" fn plain_count() -> u64 {
    7
}

extern "C" fn plain_count_of(object: Object) -> usize {
    object.addr()
}

/// What other threads may change, behind the lock that the library has before a simulation.
extern "C" fn plain_locked(object: Object) -> u64 {
    // SAFETY: the caller gives such a lock.
    unsafe { &*object.cast::<RwLock<u64>>() }.try_read().map_or(0, |count| *count)
}

/// A call without a handle, one that reads a handle, and one that reads what other calls change.
fn calls(host: Host) -> Vec<Pair> {
    let sim = host.simulation(8);
    let batch = host.fetch(host.connector("count", 1, 1), 1);
    let lock: Object = ptr::from_ref(Box::leak(Box::new(RwLock::new(7_u64)))).cast();
    let live = black_box(host.of.mfn_live_handles);
    let count = black_box(host.of.mfn_sim_step_count);
    let plain = black_box(plain_count as extern "C" fn() -> u64);
    let records = black_box(host.of.mfn_batch_count);
    let plain_of = black_box(plain_count_of as extern "C" fn(Object) -> usize);
    let plain_locked = black_box(plain_locked as extern "C" fn(Object) -> u64);
    vec![
        Pair {
            crossing: String::from("C call: mfn_live_handles"),
            beside: POINTER,
            run: program(move || {
                // SAFETY: it has no arguments.
                black_box(unsafe { live() });
            }),
            plain: program(move || {
                black_box(plain());
            }),
        },
        Pair {
            crossing: String::from("C call with a handle: mfn_batch_count"),
            beside: POINTER,
            run: program(move || {
                // SAFETY: a live batch.
                black_box(unsafe { records(black_box(batch)) });
            }),
            plain: program(move || {
                black_box(plain_of(black_box(batch)));
            }),
        },
        Pair {
            crossing: String::from("C call that reads what calls change: mfn_sim_step_count"),
            beside: "function pointer, under a lock",
            run: program(move || {
                // SAFETY: a live simulation.
                black_box(unsafe { count(black_box(sim)) });
            }),
            plain: program(move || {
                black_box(plain_locked(black_box(lock)));
            }),
        },
    ]
}

/// A field that is looked at where it lies, beside its copy.
fn field(host: Host, side: usize) -> Pair {
    let sim = host.simulation(side);
    let borrow = black_box(host.of.mfn_sim_field);
    let mut view = mfn_field_view { data: ptr::null(), rows: 0, cols: 0, row_stride: 0, col_stride: 0 };
    let source = vec![1.0_f64; side * side];
    let mut copy = source.clone();
    Pair {
        crossing: format!("borrowing a field of {side} x {side}: mfn_sim_field"),
        beside: "copying it",
        run: program(move || {
            // SAFETY: a live simulation and a place for the view.
            ok(unsafe { borrow(sim, &raw mut view, ptr::null_mut()) });
            black_box(&view);
        }),
        plain: program(move || {
            copy.copy_from_slice(black_box(&source));
            black_box(&copy);
        }),
    }
}

unsafe extern "C" fn derivative(_: *mut c_void, _: f64, _: *const f64, slope: *mut f64, _: usize) -> i32 {
    // SAFETY: the caller gives a place for one slope.
    unsafe { *slope = 0.5 };
    0
}

/// A callback of the host's, once in each Euler step, beside the same steps in a loop.
fn callback(host: Host) -> Pair {
    let integrate = host.of.mfn_ode_integrate;
    let function = black_box(derivative as unsafe extern "C" fn(_, _, _, _, _) -> _);
    Pair {
        crossing: String::from("callback: a derivative of mfn_ode_integrate"),
        beside: "the same steps over a function pointer",
        run: Box::new(move |units| {
            let (options, mut state) = (host.euler(units), 1.0);
            // SAFETY: one component, options of an own version, and no report.
            ok(unsafe {
                integrate(
                    function,
                    ptr::null_mut(),
                    &raw mut state,
                    1,
                    &raw const options,
                    ptr::null_mut(),
                    ptr::null_mut(),
                )
            });
            black_box(state);
        }),
        plain: Box::new(move |units| {
            let (mut state, mut slope) = (1.0, 0.0);
            for step in 0..units {
                // SAFETY: one component.
                let stop =
                    unsafe { function(ptr::null_mut(), step as f64, &raw const state, &raw mut slope, 1) };
                state += slope;
                if stop != 0 || !state.is_finite() {
                    return;
                }
            }
            black_box(state);
        }),
    }
}

fn plain_flush(object: &mut u64, timeout: Duration) -> Result<(), PluginError> {
    *object = timeout.as_secs();
    Ok(())
}

extern "C" fn plain_flush_of(object: Object, timeout_ms: u64, _: Error) -> Status {
    i32::from(object.addr() as u64 == timeout_ms)
}

/// A method of a loaded plugin, called from Rust as the runtime calls it, and from C.
fn plugin_calls(host: Host, plugin: &Path) -> Result<Vec<Pair>, Box<dyn std::error::Error>> {
    const TIMEOUT: Duration = Duration::from_secs(1);
    let runtime = Runtime::new(RuntimeOptions { threads: 1, ..RuntimeOptions::default() })?;
    let name = runtime.load_plugin(plugin)?.descriptor.name;
    let options = ComponentOptions {
        name: String::from("bench"),
        config: serde_json::json!({}).into(),
        base_dir: std::path::PathBuf::new(),
    };
    let loaded: Arc<dyn Publisher> = runtime.open_publisher(&name, options)?;
    let publisher = host.publisher("flush");
    let flush = black_box(host.of.mfn_publisher_flush);
    let plain = black_box(plain_flush as fn(&mut u64, Duration) -> Result<(), PluginError>);
    let plain_of = black_box(plain_flush_of as extern "C" fn(Object, u64, Error) -> Status);
    let mut object = 0;
    Ok(vec![
        Pair {
            crossing: String::from("plugin call: flush of a publisher"),
            beside: POINTER,
            run: program(move || {
                // The runtime lives as long as its components are used.
                let _ = &runtime;
                black_box(loaded.flush(black_box(TIMEOUT))).expect("the null plugin flushes");
            }),
            plain: program(move || {
                black_box(plain(black_box(&mut object), black_box(TIMEOUT))).expect("it succeeds");
            }),
        },
        Pair {
            crossing: String::from("plugin call from C: mfn_publisher_flush"),
            beside: POINTER,
            run: program(move || {
                // SAFETY: a live publisher.
                ok(unsafe { flush(black_box(publisher), 1000, ptr::null_mut()) });
            }),
            plain: program(move || ok(plain_of(black_box(publisher), 1000, ptr::null_mut()))),
        },
    ])
}

/// What a record is read into.
const EMPTY: mfn_record = mfn_record {
    struct_size: size_of::<mfn_record>() as u32,
    has_timestamp: 0,
    id: ptr::null(),
    content_type: c"application/json".as_ptr(),
    trace_parent: ptr::null(),
    key: ptr::null(),
    key_len: 0,
    payload: ptr::null(),
    payload_len: 0,
    headers: ptr::null(),
    header_count: 0,
    timestamp_ms: 0,
};

/// Records as a C program has them.
struct Records {
    _ids: Vec<CString>,
    _payload: Vec<u8>,
    records: Vec<mfn_record>,
}

impl Records {
    fn new(count: usize, payload_bytes: usize) -> Self {
        let ids: Vec<CString> =
            (0..count).map(|n| CString::new(format!("record-{n}")).expect("no NUL")).collect();
        let payload = vec![b'x'; count * payload_bytes];
        let record = |(n, id): (usize, &CString)| {
            let payload = payload[n * payload_bytes..].as_ptr();
            mfn_record { id: id.as_ptr(), payload, payload_len: payload_bytes, ..EMPTY }
        };
        let records = ids.iter().enumerate().map(record).collect();
        Self { _ids: ids, _payload: payload, records }
    }

    /// Through `self`, so that a closure takes all of it and not the pointers alone.
    fn as_ptr(&self) -> *const mfn_record {
        self.records.as_ptr()
    }
}

/// Copies the payloads of records that follow each other in memory.
unsafe extern "C" fn copy_payloads(records: *const mfn_record, count: usize, to: *mut u8) {
    // SAFETY: the caller gives so many records, and room for what they hold.
    unsafe {
        let mut to = to;
        for record in std::slice::from_raw_parts(records, count) {
            ptr::copy_nonoverlapping(record.payload, to, record.payload_len);
            to = to.add(record.payload_len);
        }
    }
}

fn named(verb: &str, records: usize, bytes: usize) -> String {
    if records == 1 {
        format!("a record of {bytes} bytes {verb}")
    } else {
        format!("{records} records of {bytes} bytes {verb}")
    }
}

/// Records on their way out of the host: through C, the runtime and the plugin, which answers for each.
fn published(host: Host, count: usize, payload_bytes: usize) -> Pair {
    let publisher = host.publisher(&format!("publish-{count}-{payload_bytes}"));
    let publish = black_box(host.of.mfn_publisher_publish);
    let records = Records::new(count, payload_bytes);
    let mut results: Vec<Object> = vec![ptr::null(); count];
    let (sources, mut copy) = (Records::new(count, payload_bytes), vec![0_u8; count * payload_bytes]);
    let plain = black_box(copy_payloads as unsafe extern "C" fn(_, _, _));
    Pair {
        crossing: named("published", count, payload_bytes),
        beside: "copying the payload",
        run: program(move || {
            let records = records.as_ptr();
            // SAFETY: so many records that live during the call, and as many places for results.
            ok(unsafe { publish(publisher, records, count, 1, 1000, results.as_mut_ptr(), ptr::null_mut()) });
        }),
        plain: program(move || {
            // SAFETY: so many records, and room for what they hold.
            unsafe { plain(sources.as_ptr(), count, copy.as_mut_ptr()) };
            black_box(&copy);
        }),
    }
}

/// Records on their way into the host: fetched, looked at, settled, freed.
fn fetched(host: Host, count: usize, payload_bytes: usize) -> Pair {
    let of = host.of;
    let connector = host.connector(&format!("fetch-{count}-{payload_bytes}"), count, payload_bytes);
    let verdict = mfn_verdict { fate: MFN_VERDICT_ACK, delay_ms: 0, reason: ptr::null::<c_char>() };
    let verdicts = vec![verdict; count];
    let mut record = EMPTY;
    let sources: Vec<Vec<u8>> = vec![vec![b'x'; payload_bytes]; count];
    Pair {
        crossing: named("fetched and settled", count, payload_bytes),
        beside: "allocating and copying the payload",
        run: program(move || {
            let batch = host.fetch(connector, count as u32);
            // SAFETY: a live connector, its batch, and a place for a record; the batch is freed once, at the end.
            unsafe {
                for index in 0..count {
                    ok((of.mfn_batch_record)(batch, index, &raw mut record, ptr::null_mut()));
                    assert_eq!(record.payload_len, payload_bytes, "a record of another size");
                }
                ok((of.mfn_connector_settle)(connector, batch, verdicts.as_ptr(), count, ptr::null_mut()));
                (of.mfn_batch_free)(batch);
            }
        }),
        plain: program(move || {
            black_box(black_box(&sources).clone());
        }),
    }
}
