//! Why a library is not loaded: reasons with stable names, and the refusal that carries one.

use std::path::{Path, PathBuf};

use serde::Serialize;

/// The reason of a refusal. Names are stable: scripts and tests may compare them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RefusalReason {
    /// There is nothing at the path, or no way to it.
    NotFound,
    /// The file can not be read.
    Unreadable,
    /// It is no shared library: a text, a FIFO, an executable, a directory.
    NotASharedLibrary,
    /// The end of the library is missing.
    Truncated,
    /// It was built for another processor.
    WrongArchitecture,
    /// A shared library without the symbol that a plugin exports.
    MissingEntry,
    /// The symbol is there, but what it names is no plugin of libmfn.
    NotAPlugin,
    /// Built for an older, incompatible interface.
    AbiTooOld,
    /// Built for a newer, incompatible interface.
    AbiTooNew,
    /// A type that both sides share is laid out differently.
    LayoutDiffers,
    /// The plugin carries no description of its types, so nothing can be checked.
    NoLayout,
    /// The system's loader refused it, for example for a library that it needs.
    LoadFailed,
    /// It could not describe itself or start.
    InitFailed,
    /// The policy asks for a manifest and there is none.
    ManifestMissing,
    /// The manifest can not be read.
    ManifestInvalid,
    /// The manifest says something else than the library.
    ManifestMismatch,
    /// Another plugin of the same name is loaded.
    DuplicateName,
    /// Asked for from inside a log sink, where loading would wait for itself.
    Reentrant,
}

impl RefusalReason {
    /// All reasons.
    pub const ALL: [Self; 18] = [
        Self::NotFound,
        Self::Unreadable,
        Self::NotASharedLibrary,
        Self::Truncated,
        Self::WrongArchitecture,
        Self::MissingEntry,
        Self::NotAPlugin,
        Self::AbiTooOld,
        Self::AbiTooNew,
        Self::LayoutDiffers,
        Self::NoLayout,
        Self::LoadFailed,
        Self::InitFailed,
        Self::ManifestMissing,
        Self::ManifestInvalid,
        Self::ManifestMismatch,
        Self::DuplicateName,
        Self::Reentrant,
    ];

    /// The stable snake-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Unreadable => "unreadable",
            Self::NotASharedLibrary => "not_a_shared_library",
            Self::Truncated => "truncated",
            Self::WrongArchitecture => "wrong_architecture",
            Self::MissingEntry => "missing_entry",
            Self::NotAPlugin => "not_a_plugin",
            Self::AbiTooOld => "abi_too_old",
            Self::AbiTooNew => "abi_too_new",
            Self::LayoutDiffers => "layout_differs",
            Self::NoLayout => "no_layout",
            Self::LoadFailed => "load_failed",
            Self::InitFailed => "init_failed",
            Self::ManifestMissing => "manifest_missing",
            Self::ManifestInvalid => "manifest_invalid",
            Self::ManifestMismatch => "manifest_mismatch",
            Self::DuplicateName => "duplicate_name",
            Self::Reentrant => "reentrant",
        }
    }
}

impl std::fmt::Display for RefusalReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A library that was not loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{}: {reason}: {message}", path.display())]
pub struct LoadRefusal {
    /// The path as it was named.
    pub path: PathBuf,
    /// The stable reason.
    pub reason: RefusalReason,
    /// What was found and what to do about it.
    pub message: String,
}

/// A refusal whose path is still to be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) reason: RefusalReason,
    pub(crate) message: String,
}

impl Fault {
    pub(crate) fn new(reason: RefusalReason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }

    pub(crate) fn at(self, path: &Path) -> LoadRefusal {
        LoadRefusal { path: path.to_owned(), reason: self.reason, message: self.message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards that the three spellings of a reason (name, text, JSON) are one, and that none is missing.
    #[test]
    fn reasons_have_one_name() {
        for (index, reason) in RefusalReason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, index);
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.name());
            assert_eq!(reason.to_string(), reason.name());
        }
    }
}
