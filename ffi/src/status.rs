//! Status codes: what a call says about itself and about what it left behind.
//!
//! A status tells the caller what to do next. MFN_OK, MFN_WOULD_BLOCK, MFN_CANCELLED and MFN_END are
//! answers; every other status is a failure and comes with an error object. Numbers are never reused,
//! and later versions may add some: treat an unknown one as a failure.

/// What a call answers: one of the MFN_* constants below.
pub type mfn_status = i32;

/// Done. Outputs are written.
pub const MFN_OK: mfn_status = 0;
/// Nothing there yet within the time given. Call again.
pub const MFN_WOULD_BLOCK: mfn_status = 1;
/// An argument is wrong. Nothing was changed; the error says which argument, and what is allowed.
pub const MFN_INVALID: mfn_status = 2;
/// A simulation step gave NaN or infinity and was discarded. The state is the last good one.
pub const MFN_UNSTABLE: mfn_status = 3;
/// A plugin failed or was refused. The error names it; everything else works on.
pub const MFN_PLUGIN: mfn_status = 4;
/// Stopped because the host asked for it. The state is that of the last complete step.
pub const MFN_CANCELLED: mfn_status = 5;
/// The object was closed or stopped before. Only free it.
pub const MFN_CLOSED: mfn_status = 6;
/// A defect inside the library was caught. The handle is poisoned and can only be freed.
pub const MFN_FATAL: mfn_status = 7;
/// A file or another resource of the system failed. The error says which and why.
pub const MFN_IO: mfn_status = 8;
/// There will be no more: the source is exhausted or the work is finished.
pub const MFN_END: mfn_status = 9;

/// Whether a status is an answer, for which no error object is made.
pub(crate) const fn is_answer(status: mfn_status) -> bool {
    matches!(status, MFN_OK | MFN_WOULD_BLOCK | MFN_CANCELLED | MFN_END)
}

/// The name of a status, such as "MFN_INVALID"; "MFN_UNKNOWN" for a number that is none.
/// The text is static. [any-thread]
#[unsafe(no_mangle)]
pub extern "C" fn mfn_status_name(status: mfn_status) -> *const std::ffi::c_char {
    let name = match status {
        MFN_OK => c"MFN_OK",
        MFN_WOULD_BLOCK => c"MFN_WOULD_BLOCK",
        MFN_INVALID => c"MFN_INVALID",
        MFN_UNSTABLE => c"MFN_UNSTABLE",
        MFN_PLUGIN => c"MFN_PLUGIN",
        MFN_CANCELLED => c"MFN_CANCELLED",
        MFN_CLOSED => c"MFN_CLOSED",
        MFN_FATAL => c"MFN_FATAL",
        MFN_IO => c"MFN_IO",
        MFN_END => c"MFN_END",
        _ => c"MFN_UNKNOWN",
    };
    name.as_ptr()
}
