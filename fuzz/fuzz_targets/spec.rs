//! Specifications as JSON: parse, validate, a tiny run. What must hold is in `mfn_fuzz_bodies::spec`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mfn_fuzz_bodies::spec(bytes));
