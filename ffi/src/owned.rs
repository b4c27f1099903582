//! Owned data: strings and byte arrays that are handed to the host for good.
//!
//! Texts that belong to an object are lent as const char * and end with it. What comes as char * or
//! mfn_bytes is the host's, and is freed here, not with free(). Every text is UTF-8 and ends with NUL.

use std::ffi::{CString, c_char};

use safer_ffi::layout::{ReprC, from_raw, into_raw};
use safer_ffi::prelude::{c_slice, char_p};

use crate::argument::Slot;
use crate::guard;
use crate::library::LiveMark;

/// Bytes that belong to the host. Freed with mfn_bytes_free().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_bytes {
    /// The first byte. Not NULL, even when len is 0.
    pub data: *mut u8,
    /// The number of bytes.
    pub len: usize,
}

/// What safer-ffi makes of owned bytes; [`mfn_bytes`] under another name.
type BytesLayout = <c_slice::Box<u8> as ReprC>::CLayout;

/// A text for C. NUL ends a C string, so one inside is replaced by U+FFFD, as a decoder would.
pub(crate) fn c_text(text: String) -> CString {
    CString::new(text).unwrap_or_else(|error| {
        let text = String::from_utf8_lossy(&error.into_vec()).replace('\0', "\u{fffd}");
        CString::new(text).unwrap_or_default()
    })
}

/// Gives a text to the host.
pub(crate) fn give_string(slot: Slot<*mut c_char>, text: String) {
    // SAFETY: the C layout of an owned text is its pointer; the host gives it back to be freed.
    let raw = unsafe { into_raw(char_p::Box::from(c_text(text))) };
    std::mem::forget(LiveMark::new());
    slot.write(raw.cast());
}

/// Gives bytes to the host.
pub(crate) fn give_bytes(slot: Slot<mfn_bytes>, bytes: Vec<u8>) {
    // SAFETY: the C layout of owned bytes is pointer and length; the host gives them back to be freed.
    let raw = unsafe { into_raw(c_slice::Box::from(bytes.into_boxed_slice())) };
    std::mem::forget(LiveMark::new());
    slot.write(mfn_bytes { data: raw.ptr, len: raw.len });
}

/// Frees a string that a function handed over. NULL is allowed. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_string_free(string: *mut c_char) {
    guard::value((), || {
        if !string.is_null() {
            // SAFETY: the host gives back what `give_string` gave away.
            drop(unsafe { from_raw::<char_p::Box>(string.cast()) });
            LiveMark::end_forgotten();
        }
    });
}

/// Frees bytes that a function handed over and sets data to NULL and len to 0. NULL and freed bytes are
/// allowed. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_bytes_free(bytes: *mut mfn_bytes) {
    guard::value((), || {
        let Ok(Some(slot)) = Slot::optional("bytes", bytes) else { return };
        // SAFETY: not NULL and aligned; the host gives back what `give_bytes` wrote, or what this
        // function wrote before.
        let mfn_bytes { data, len } = unsafe { bytes.read() };
        if !data.is_null() {
            // SAFETY: as above.
            drop(unsafe { from_raw::<c_slice::Box<u8>>(BytesLayout { ptr: data, len }) });
            LiveMark::end_forgotten();
        }
        slot.write(mfn_bytes { data: std::ptr::null_mut(), len: 0 });
    });
}
