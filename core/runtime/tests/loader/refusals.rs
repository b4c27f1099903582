//! Every refusal, each with a real file, and that the process survives it.

use std::{fs, os::unix::fs::symlink, path::Path, process::Command};

use mfn_runtime::{LogLevel, RefusalReason, plugin};

use crate::fixtures::{changed, find, library, overwrite, runtime};

/// Loads and inspects; both have to refuse alike. Gives the reason and the text.
fn refusal(path: &Path) -> (RefusalReason, String) {
    let (runtime, _) = runtime(LogLevel::Off);
    let refusal = runtime.load_plugin(path).unwrap_err();
    assert_eq!(refusal.path, path);
    assert!(runtime.plugins().is_empty());
    assert_eq!(runtime.load_report().attempts[0].refusal().unwrap(), refusal);
    assert!(refusal.message.len() < 1000, "{} bytes: {}", refusal.message.len(), refusal.message);
    (refusal.reason, refusal.message)
}

fn reason(path: &Path) -> RefusalReason {
    refusal(path).0
}

/// Guards paths that lead nowhere; a link that points at itself must not be followed for ever.
#[test]
fn nothing_at_the_path() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "x").unwrap();
    symlink("dangling-target", dir.path().join("dangling.so")).unwrap();
    symlink("loop.so", dir.path().join("loop.so")).unwrap();
    for path in ["missing.so", "dangling.so", "loop.so", "file/x.so"] {
        assert_eq!(reason(&dir.path().join(path)), RefusalReason::NotFound, "{path}");
    }
    assert_eq!(reason(Path::new("")), RefusalReason::NotFound);
    assert_eq!(reason(Path::new("a\0b.so")), RefusalReason::NotFound);
    assert_eq!(reason(&dir.path().join("x".repeat(5000))), RefusalReason::NotFound);
    // A bare name is a path here, never a search of the system's folders.
    assert_eq!(reason(Path::new("libc.so.6")), RefusalReason::NotFound);
}

/// Guards files that are something else; a FIFO without a writer must not block.
#[test]
fn not_a_shared_library() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("fifo.so");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    assert_eq!(refusal(&fifo), (RefusalReason::NotASharedLibrary, "it is a FIFO".to_owned()));
    assert_eq!(reason(dir.path()), RefusalReason::NotASharedLibrary);
    assert_eq!(reason(Path::new("/dev/null")), RefusalReason::NotASharedLibrary);
    for (name, content) in
        [("empty", &b""[..]), ("text", b"hello"), ("script", b"#!/bin/sh\n"), ("elf", b"\x7fEL")]
    {
        let path = dir.path().join(name);
        fs::write(&path, content).unwrap();
        assert_eq!(reason(&path), RefusalReason::NotASharedLibrary, "{name}");
    }
    // The type in the ELF header: 1 object file, 2 executable, 4 core dump.
    for kind in [1, 2, 4, 9] {
        let path = changed(dir.path(), "fixture_plugin", |bytes| bytes[16] = kind);
        assert_eq!(reason(&path), RefusalReason::NotASharedLibrary, "{kind}");
    }
}

/// Guards the process against SIGBUS: mapping a library that was cut short kills it. The cuts go from
/// one byte missing down to the middle of the header.
#[test]
fn truncated() {
    let dir = tempfile::tempdir().unwrap();
    let path = changed(dir.path(), "fixture_no_layout", |_| {});
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    let len = file.metadata().unwrap().len();
    let spread = (0..24).map(|step| len - 1 - step * (len / 24));
    for cut in spread.chain([4096, 1000, 500, 65, 64, 63, 17, 6, 5, 4]) {
        file.set_len(cut).unwrap();
        let (reason, message) = refusal(&path);
        assert_eq!(reason, RefusalReason::Truncated, "{cut} of {len} bytes: {message}");
    }
}

/// Guards against libraries of other machines: another processor, width or byte order.
#[test]
fn wrong_architecture() {
    let dir = tempfile::tempdir().unwrap();
    let other_machine = if cfg!(target_arch = "aarch64") { 62 } else { 183 };
    for (offset, value) in [(18, other_machine), (19, 0x7f), (4, 1), (5, 2)] {
        let path = changed(dir.path(), "fixture_plugin", |bytes| bytes[offset] = value);
        let (reason, message) = refusal(&path);
        assert_eq!(reason, RefusalReason::WrongArchitecture, "{offset}: {message}");
        assert!(message.contains("this "), "{message}");
    }
}

/// Guards that an ordinary library is not even loaded, and that the text names the symbol.
#[test]
fn missing_entry() {
    let (reason, message) = refusal(&library("fixture_no_entry"));
    assert_eq!(reason, RefusalReason::MissingEntry);
    assert!(message.contains(mfn_plugin::abi::PLUGIN_SYMBOL), "{message}");
}

/// The mark at the start of every plugin's table.
const MARK: &[u8] = b"abi stable library for Rust";

/// Guards against a symbol of the right name over something else.
#[test]
fn not_a_plugin() {
    let dir = tempfile::tempdir().unwrap();
    let path = changed(dir.path(), "fixture_plugin", |bytes| overwrite(bytes, MARK, &[b'x'; MARK.len()]));
    assert_eq!(reason(&path), RefusalReason::NotAPlugin);
    let unreadable =
        changed(dir.path(), "fixture_foreign", |bytes| overwrite(bytes, b"4242.0.0", b"x242.0.0"));
    assert_eq!(reason(&unreadable), RefusalReason::NotAPlugin);
}

/// Guards the version of the table format, and of the interface in both directions.
#[test]
fn other_abi_versions() {
    let dir = tempfile::tempdir().unwrap();
    // The format's major and minor stand behind the mark, which takes 32 bytes.
    for (offset, value, expected) in [(32, 9, RefusalReason::AbiTooNew), (36, 1, RefusalReason::AbiTooOld)] {
        let path = changed(dir.path(), "fixture_plugin", |bytes| {
            for place in find(bytes, MARK) {
                bytes[place + offset] = value;
            }
        });
        assert_eq!(reason(&path), expected);
    }
    let (reason, message) = refusal(&library("fixture_foreign"));
    assert_eq!(reason, RefusalReason::AbiTooNew);
    assert!(message.contains("4242.0.0") && message.contains("1.x"), "{message}");
    let old = changed(dir.path(), "fixture_foreign", |bytes| overwrite(bytes, b"4242.0.0", b"0000.9.0"));
    assert_eq!(refusal(&old).0, RefusalReason::AbiTooOld);
}

/// Guards that types of another shape are found before any function is called, and that the text is the
/// first difference and not abi_stable's forty kilobytes.
#[test]
fn layout_differs() {
    let dir = tempfile::tempdir().unwrap();
    let path = changed(dir.path(), "fixture_foreign", |bytes| overwrite(bytes, b"4242.0.0", b"0001.0.0"));
    let (reason, message) = refusal(&path);
    assert_eq!(reason, RefusalReason::LayoutDiffers);
    assert!(message.contains("differs: the "), "{message}");
}

/// Guards that a plugin which can not be checked is not trusted.
#[test]
fn no_layout() {
    assert_eq!(reason(&library("fixture_no_layout")), RefusalReason::NoLayout);
}

/// Guards that a failing or panicking start ends in a refusal and not in the end of the process.
#[test]
fn init_fails() {
    let dir = tempfile::tempdir().unwrap();
    let (reason, message) = refusal(&library("fixture_start"));
    assert_eq!((reason, message.as_str()), (RefusalReason::InitFailed, "init: the start was refused"));
    let path = changed(dir.path(), "fixture_start", |bytes| overwrite(bytes, b"start=er", b"start=pa"));
    let (reason, message) = refusal(&path);
    assert_eq!(reason, RefusalReason::InitFailed);
    assert_eq!(message, "init: panicked in init: the start went wrong");
    // The same library with a start that goes well is let in, so the marker is what decided.
    let path = changed(dir.path(), "fixture_start", |bytes| overwrite(bytes, b"start=er", b"start=ok"));
    assert_eq!(runtime(LogLevel::Off).0.load_plugin(&path).unwrap().descriptor.name, "fixture-start");
    // An inspection does not start the plugin.
    assert_eq!(plugin::inspect(&library("fixture_start")).unwrap().descriptor.name, "fixture-start");
}

/// Guards against a panic while the plugin's table is made.
#[test]
fn panics_at_load() {
    let (reason, message) = refusal(&library("fixture_panics_at_load"));
    assert_eq!(reason, RefusalReason::InitFailed);
    assert_eq!(message, "it panicked while it was loaded");
}

/// Guards the text for a library that the system's own loader refuses: here a needed library whose name
/// was changed to one that does not exist.
#[test]
fn a_needed_library_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let path = changed(dir.path(), "fixture_plugin", |bytes| {
        overwrite(bytes, b"libgcc_s.so.1\0", b"libgcc_x.so.1\0")
    });
    let (reason, message) = refusal(&path);
    assert_eq!(reason, RefusalReason::LoadFailed);
    assert!(message.contains("libgcc_x.so.1"), "{message}");
}
