//! The manifest beside a library: what it should be, readable without loading it.
//!
//! `libmfn_plugin_file.so` has `libmfn_plugin_file.plugin.toml`. Where a manifest lies it is
//! authoritative: a library that is something else is refused.

use std::{
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
};

use mfn_plugin::{
    descriptor::{Descriptor, INTERFACE_VERSION},
    value::Kind,
};
use semver::Version;
use serde::{Deserialize, Serialize};

use super::{RefusalReason, refusal::Fault};

/// The longest manifest that is read, in bytes.
const MANIFEST_BYTES_MAX: u64 = 65_536;

/// A library's manifest. Keys that this version does not know are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The plugin's name.
    pub name: String,
    /// The plugin's version.
    pub version: String,
    /// The kinds it serves.
    pub kinds: Vec<Kind>,
    /// The lowest interface version it works with, as `major.minor.patch`.
    pub interface_min: Version,
    /// The first interface version it does not work with any more.
    pub interface_below: Version,
    /// SHA-256 of the library in hexadecimal.
    pub sha256: String,
}

/// Where a library's manifest lies: `lib.so` and `lib.so.1` have `lib.plugin.toml` beside them.
#[must_use]
pub fn manifest_path(library: &Path) -> PathBuf {
    let name = library.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.split_once(".so").map_or(&*name, |(stem, _)| stem);
    library.with_file_name(format!("{stem}.plugin.toml"))
}

impl Manifest {
    /// The manifest that fits a plugin, for whoever packs one: it takes the interface of the plugin's
    /// own version up to the next major.
    ///
    /// # Errors
    /// When the descriptor's interface version is none.
    pub fn describing(descriptor: &Descriptor, sha256: &str) -> Result<Self, semver::Error> {
        let built_with = Version::parse(&descriptor.interface_version)?;
        Ok(Self {
            name: descriptor.name.clone(),
            version: descriptor.version.clone(),
            kinds: descriptor.kinds.iter().map(|kind| kind.kind).collect(),
            interface_min: Version::new(built_with.major, 0, 0),
            interface_below: Version::new(built_with.major + 1, 0, 0),
            sha256: sha256.to_owned(),
        })
    }

    /// Reads the manifest of a library; `None` where none lies.
    pub(crate) fn beside(library: &Path) -> Result<Option<Self>, Fault> {
        let path = manifest_path(library);
        let invalid =
            |why: String| Fault::new(RefusalReason::ManifestInvalid, format!("{}: {why}", path.display()));
        let mut text = String::new();
        let file = match super::source::open_regular(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(invalid(error.to_string())),
        };
        file.take(MANIFEST_BYTES_MAX + 1)
            .read_to_string(&mut text)
            .map_err(|error| invalid(error.to_string()))?;
        if text.len() as u64 > MANIFEST_BYTES_MAX {
            return Err(invalid("it is longer than 65536 bytes".to_owned()));
        }
        toml::from_str(&text).map(Some).map_err(|error| invalid(error.to_string().trim_end().to_owned()))
    }

    /// Compares with the library's bytes and with this host, before anything is loaded.
    pub(crate) fn check_before_loading(&self, sha256: &str) -> Result<(), Fault> {
        if !self.sha256.eq_ignore_ascii_case(sha256) {
            return Err(Fault::new(
                RefusalReason::ManifestMismatch,
                format!("the library's SHA-256 is {sha256}, its manifest says {:?}", self.sha256),
            ));
        }
        let host = Version::parse(INTERFACE_VERSION)
            .map_err(|error| Fault::new(RefusalReason::ManifestInvalid, error.to_string()))?;
        let range = format!(
            "its manifest asks for an interface from {} to below {}, this host has {host}",
            self.interface_min, self.interface_below
        );
        if host < self.interface_min {
            Err(Fault::new(RefusalReason::AbiTooNew, range))
        } else if host >= self.interface_below {
            Err(Fault::new(RefusalReason::AbiTooOld, range))
        } else {
            Ok(())
        }
    }

    /// Compares with what the loaded library says of itself.
    pub(crate) fn check_descriptor(&self, descriptor: &Descriptor) -> Result<(), Fault> {
        let kinds: Vec<Kind> = descriptor.kinds.iter().map(|kind| kind.kind).collect();
        let same_kinds = Kind::ALL.iter().all(|kind| self.kinds.contains(kind) == kinds.contains(kind));
        let differs = |what, manifest: &dyn std::fmt::Debug, library: &dyn std::fmt::Debug| {
            Err(Fault::new(
                RefusalReason::ManifestMismatch,
                format!("{what}: the manifest says {manifest:?}, the library {library:?}"),
            ))
        };
        if self.name != descriptor.name {
            differs("name", &self.name, &descriptor.name)
        } else if self.version != descriptor.version {
            differs("version", &self.version, &descriptor.version)
        } else if !same_kinds {
            differs("kinds", &self.kinds, &kinds)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(interface_min: &str, interface_below: &str) -> Manifest {
        let text = format!(
            "name = 'x'\nversion = '1.2.3'\nkinds = ['publisher']\nsha256 = 'aa'\nnew_key = 1\n\
             interface_min = '{interface_min}'\ninterface_below = '{interface_below}'\n"
        );
        toml::from_str(&text).unwrap()
    }

    /// Guards where a manifest is looked for.
    #[test]
    fn a_manifest_lies_beside_its_library() {
        for library in ["/p/libx.so", "/p/libx.so.1", "/p/libx.so.1.2.3"] {
            assert_eq!(manifest_path(Path::new(library)), Path::new("/p/libx.plugin.toml"));
        }
    }

    /// Guards both ends of the interface range, which decide without loading anything.
    #[test]
    fn the_interface_range_is_half_open() {
        assert_eq!(manifest("1.0.0", "2.0.0").check_before_loading("AA"), Ok(()));
        let reason = |min, below| manifest(min, below).check_before_loading("aa").unwrap_err().reason;
        assert_eq!(reason("1.99.0", "2.0.0"), RefusalReason::AbiTooNew);
        assert_eq!(reason("0.1.0", INTERFACE_VERSION), RefusalReason::AbiTooOld);
    }

    /// Guards that a manifest and its library agree in name, version and kinds.
    #[test]
    fn a_manifest_and_its_library_agree() {
        let descriptor = |name: &str, version: &str, kinds: &[Kind]| Descriptor {
            name: name.to_owned(),
            version: version.to_owned(),
            about: String::new(),
            interface_version: INTERFACE_VERSION.to_owned(),
            kinds: kinds
                .iter()
                .map(|kind| mfn_plugin::descriptor::KindDescriptor {
                    kind: *kind,
                    config_schema: serde_json::Value::Null,
                })
                .collect(),
        };
        let manifest = manifest("1.0.0", "2.0.0");
        let right = descriptor("x", "1.2.3", &[Kind::Publisher]);
        assert_eq!(manifest.check_descriptor(&right), Ok(()));
        assert_eq!(Manifest::describing(&right, "aa").unwrap(), manifest);
        for (wrong, what) in [
            (descriptor("y", "1.2.3", &[Kind::Publisher]), "name: "),
            (descriptor("x", "1.2.4", &[Kind::Publisher]), "version: "),
            (descriptor("x", "1.2.3", &[Kind::Publisher, Kind::Exporter]), "kinds: "),
        ] {
            let fault = manifest.check_descriptor(&wrong).unwrap_err();
            assert_eq!(fault.reason, RefusalReason::ManifestMismatch);
            assert!(fault.message.starts_with(what), "{}", fault.message);
        }
    }
}
