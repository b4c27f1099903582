//! Checkpoints, damaged in any way and sealed again. What must hold is in `mfn_fuzz_bodies::checkpoint`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mfn_fuzz_bodies::checkpoint(bytes));
