//! Loads a library that passed the look, and gets its root module out, checked.
#![allow(unsafe_code)]

use std::{error::Error, fmt, io::Write, mem::ManuallyDrop, path::Path};

use abi_stable::{
    StableAbi,
    library::{AbiHeader, AbiHeaderRef, LibHeader, LibraryError, RootModule, RootModuleError},
    sabi_types::VersionNumber,
};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use mfn_plugin::abi::{PLUGIN_SYMBOL, PluginModuleRef};

use super::{RefusalReason, image::Entry, layout, refusal::Fault};

/// What a plugin library exports.
pub(crate) const ENTRY: Entry<'static> =
    Entry { symbol: PLUGIN_SYMBOL, bytes_min: size_of::<AbiHeader>() as u64 };

/// Loads the bytes as an image of their own and gives the checked root module.
pub(crate) fn load(bytes: &[u8]) -> Result<PluginModuleRef, Fault> {
    let header = checked_header(map(bytes)?)?;
    check_version(header)?;
    check_layout(header)?;
    // SAFETY: `check_layout` compared the layouts of both sides just now.
    unsafe { header.init_root_module_with_unchecked_layout::<PluginModuleRef>() }.map_err(|error| match error
    {
        LibraryError::RootModule { err: RootModuleError::Unwound, .. } => {
            Fault::new(RefusalReason::InitFailed, "it panicked while it was loaded")
        }
        LibraryError::RootModule { err: RootModuleError::Returned(error), .. } => {
            Fault::new(RefusalReason::InitFailed, format!("its entry failed: {}", first_line(&error)))
        }
        other => Fault::new(RefusalReason::NotAPlugin, first_line(&other)),
    })
}

/// Maps a private copy of the library for the life of the process and finds the entry.
///
/// The copy has a name of its own, because the system's loader gives the old image for a name it
/// knows; and nobody can cut it short while it is mapped. The name goes at once, the image stays.
fn map(bytes: &[u8]) -> Result<AbiHeaderRef, Fault> {
    let failed = |what: &str, error: &dyn Error| {
        Fault::new(RefusalReason::LoadFailed, format!("{what}: {}", innermost(error)))
    };
    let directory = std::env::temp_dir();
    let place = format!("a private copy in {} (TMPDIR chooses the place)", directory.display());
    let mut copy = tempfile::Builder::new()
        .prefix("mfn-plugin-")
        .suffix(".so")
        .tempfile_in(&directory)
        .map_err(|error| failed(&place, &error))?;
    copy.write_all(bytes).map_err(|error| failed(&place, &error))?;
    let copy = copy.into_temp_path();
    let absolute = std::path::absolute(Path::new(&copy)).map_err(|error| failed(&place, &error))?;
    // SAFETY: load-time code of the library runs; the host named the library, which is its consent. The
    // path is absolute, so no system folder is searched.
    let library = unsafe { Library::open(Some(&absolute), RTLD_NOW | RTLD_LOCAL) }.map_err(|error| {
        let mut fault = failed("the system's loader", &error);
        // What glibc says of a copy that must not be run.
        if fault.message.contains("failed to map segment") {
            fault.message += "; let TMPDIR name a directory that is not mounted noexec";
        }
        fault
    })?;
    // Never unloaded: threads and destructors of the plugin may outlive every instance.
    let library = ManuallyDrop::new(library);
    // SAFETY: `image::look` found a data symbol of this name that is at least as large as an
    // `AbiHeader`, and any bytes are a valid `AbiHeader`; `AbiHeaderRef` is a pointer to one. The image
    // stays mapped, so the reference lives as long as the process.
    let entry = unsafe { library.get::<AbiHeaderRef>(PLUGIN_SYMBOL.as_bytes()) };
    entry.map(|symbol| *symbol).map_err(|error| failed(PLUGIN_SYMBOL, &error))
}

/// Checks that the entry is abi_stable's of this version.
fn checked_header(entry: AbiHeaderRef) -> Result<&'static LibHeader, Fault> {
    let ours = AbiHeader::VALUE;
    if entry.magic_string != ours.magic_string {
        return Err(Fault::new(
            RefusalReason::NotAPlugin,
            format!("its symbol {PLUGIN_SYMBOL} does not start with the mark of a plugin"),
        ));
    }
    let theirs = (entry.abi_major, entry.abi_minor);
    let expected = (ours.abi_major, ours.abi_minor);
    entry.upgrade().map_err(|error| match error {
        LibraryError::InvalidAbiHeader(_) => Fault::new(
            if theirs < expected { RefusalReason::AbiTooOld } else { RefusalReason::AbiTooNew },
            format!(
                "it uses version {}.{} of the table format, this host has {}.{}",
                theirs.0, theirs.1, expected.0, expected.1
            ),
        ),
        other => Fault::new(
            RefusalReason::LayoutDiffers,
            format!("it passes values to functions in another way: {}", first_line(&other)),
        ),
    })
}

/// Checks the interface version: the same major is compatible, as the layout check finds the rest.
fn check_version(header: &LibHeader) -> Result<(), Fault> {
    let text = header.version_strings();
    let unreadable =
        |error: &dyn fmt::Display| Fault::new(RefusalReason::NotAPlugin, format!("its version: {error}"));
    let theirs = VersionNumber::new(text).map_err(|error| unreadable(&error))?;
    let ours = VersionNumber::new(PluginModuleRef::VERSION_STRINGS).map_err(|error| unreadable(&error))?;
    let message = || {
        format!(
            "it was built with interface {theirs}, this host has {ours}; use a plugin for {}.x",
            ours.major
        )
    };
    match theirs.major.cmp(&ours.major) {
        std::cmp::Ordering::Less => Err(Fault::new(RefusalReason::AbiTooOld, message())),
        std::cmp::Ordering::Greater => Err(Fault::new(RefusalReason::AbiTooNew, message())),
        std::cmp::Ordering::Equal => Ok(()),
    }
}

fn check_layout(header: &LibHeader) -> Result<(), Fault> {
    let Some(theirs) = header.layout() else {
        return Err(Fault::new(
            RefusalReason::NoLayout,
            "it carries no description of its types, so they can not be checked; build it with mfn_plugin::export!",
        ));
    };
    layout::compatible(<PluginModuleRef as StableAbi>::LAYOUT, theirs)
        .map_err(|difference| Fault::new(RefusalReason::LayoutDiffers, difference))
}

/// The cause that says most: the system's own words.
fn innermost(error: &dyn Error) -> &dyn Error {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost
}

/// abi_stable's errors fill pages; the first line that says something is enough.
fn first_line(error: &dyn fmt::Display) -> String {
    let text = error.to_string();
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("no reason given").to_owned()
}
