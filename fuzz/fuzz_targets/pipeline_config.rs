//! Pipeline configurations, as TOML and as JSON. What must hold is in `mfn_fuzz_bodies::pipeline_config`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mfn_fuzz_bodies::pipeline_config(bytes));
