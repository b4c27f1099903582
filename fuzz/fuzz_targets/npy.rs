//! NPY files: header and data of any form. What must hold is in `mfn_fuzz_bodies::npy`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mfn_fuzz_bodies::npy(bytes));
