//! Gives libmfn.so its versioned soname: programs linked to one ABI refuse another.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // The number is MFN_ABI_VERSION of src/library.rs; a test compares the two.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libmfn.so.0");
        // Functions that became the same code are kept once; nothing compares the addresses of functions. Only
        // where Rust brings the linker that can: elsewhere the library is a little larger.
        let target = std::env::var("TARGET").unwrap_or_default();
        let profile = std::env::var("PROFILE").unwrap_or_default();
        if target == "x86_64-unknown-linux-gnu" && profile == "release" {
            println!("cargo:rustc-cdylib-link-arg=-Wl,--icf=all");
        }
    }
}
