//! Features of small arrays of any content. What must hold is in `mfn_fuzz_bodies::features`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mfn_fuzz_bodies::features(bytes));
