//! Gives libmfn.so its versioned soname: programs linked to one ABI refuse another.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // The number is MFN_ABI_VERSION of src/library.rs; a test compares the two.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libmfn.so.0");
    }
}
