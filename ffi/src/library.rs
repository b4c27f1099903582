//! The library itself: versions, and a count of what the host still holds.
//!
//! A program compiled for one ABI version runs with every libmfn of that version, whatever the release
//! version. Compare mfn_abi_version() with MFN_ABI_VERSION when loading the library by hand.

use std::ffi::c_char;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::guard;

/// Version of this header's ABI. It changes when a compiled program could break.
pub const MFN_ABI_VERSION: u32 = 0;

static LIVE: AtomicU64 = AtomicU64::new(0);

/// Counts one object for as long as it is held.
pub(crate) struct LiveMark(());

impl LiveMark {
    pub(crate) fn new() -> Self {
        LIVE.fetch_add(1, Ordering::Relaxed);
        Self(())
    }

    /// Ends a mark that was forgotten while the host held plain data.
    pub(crate) fn end_forgotten() {
        drop(Self(()));
    }
}

impl Drop for LiveMark {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The release version of the library, such as "0.1.0". The text is static. [any-thread]
#[unsafe(no_mangle)]
pub extern "C" fn mfn_version() -> *const c_char {
    const TEXT: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    TEXT.as_ptr().cast()
}

/// The ABI version of the library that runs; see MFN_ABI_VERSION. [any-thread]
#[unsafe(no_mangle)]
pub extern "C" fn mfn_abi_version() -> u32 {
    MFN_ABI_VERSION
}

/// How many objects (handles, errors, strings, byte arrays) this library has handed out and the host
/// has not freed. 0 at the end of a program that leaks nothing. [any-thread]
#[unsafe(no_mangle)]
pub extern "C" fn mfn_live_handles() -> u64 {
    guard::value(u64::MAX, || LIVE.load(Ordering::Relaxed))
}
