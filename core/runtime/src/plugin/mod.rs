//! Plugin loading: from a path that the host names to components behind the runtime's own traits.
//!
//! Loading foreign code is the most dangerous thing the runtime does, so it goes step by step, and
//! each step can refuse with a stable reason: read the manifest, look at the file without running it,
//! load a private copy, check that both sides lay out every shared type alike, let the plugin describe
//! itself, start it. Only this module knows `abi_stable`; everything beyond sees the traits of
//! [`component`](crate::component).
//!
//! A loaded library stays mapped until the process ends: threads and destructors of a plugin may
//! outlive every instance.

mod adapter;
mod host;
mod image;
mod layout;
mod library;
mod loader;
mod manifest;
mod refusal;
mod report;
mod source;

use std::path::{Path, PathBuf};

use mfn_plugin::descriptor::Descriptor;
use serde::Serialize;

pub(crate) use adapter::Instances;
pub(crate) use loader::Loader;
pub use manifest::{Manifest, manifest_path};
pub use refusal::{LoadRefusal, RefusalReason};
pub use report::{LoadAttempt, LoadOutcome, LoadReport};

/// Which plugin libraries are let in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PluginPolicy {
    /// Refuse a library without a manifest beside it.
    pub require_manifest: bool,
}

/// A loaded plugin.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PluginInfo {
    /// What the plugin says of itself.
    pub descriptor: Descriptor,
    /// The library, absolute and without links. A private copy of it is what runs.
    pub path: PathBuf,
    /// SHA-256 of the library in lower-case hexadecimal.
    pub sha256: String,
    /// The manifest that lay beside it.
    pub manifest: Option<Manifest>,
}

/// What a look at a library shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// What the plugin says of itself.
    pub descriptor: Descriptor,
    /// The library, absolute and without links.
    pub path: PathBuf,
    /// SHA-256 of the library in lower-case hexadecimal.
    pub sha256: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// The manifest that lay beside it.
    pub manifest: Option<Manifest>,
}

/// Looks at a plugin library: all checks of loading, then its own description, but neither its start
/// nor an instance. The library's own load-time code runs, and the copy stays mapped.
///
/// # Errors
/// The refusal that loading would answer.
pub fn inspect(path: &Path) -> Result<Inspection, LoadRefusal> {
    let candidate = loader::examine(path, PluginPolicy::default())?;
    let source = candidate.source;
    Ok(Inspection {
        descriptor: candidate.descriptor,
        bytes: u64::try_from(source.bytes.len()).unwrap_or(u64::MAX),
        path: source.path,
        sha256: source.sha256,
        manifest: source.manifest,
    })
}
