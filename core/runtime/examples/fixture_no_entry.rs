//! An ordinary shared library that is no plugin, for the tests of the loader.

/// Something to export.
#[allow(unsafe_code)]
// SAFETY (of the export): the name is this library's own; nothing else defines it.
#[unsafe(no_mangle)]
pub extern "C" fn fixture_answer() -> i32 {
    42
}
