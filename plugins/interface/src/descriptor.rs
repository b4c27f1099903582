//! What a plugin says of itself: name, version, kinds and the schema of each kind's configuration.
//!
//! The descriptor crosses the boundary as JSON, so that it can gain fields without a new ABI.

use serde::{Deserialize, Serialize};

use crate::value::Kind;

/// Version of this interface as `major.minor.patch`. A host refuses a plugin of another major.
pub const INTERFACE_VERSION: &str = env!("CARGO_PKG_VERSION");

/// A plugin's account of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Descriptor {
    /// The name by which configurations choose it: `file`, `sse`.
    pub name: String,
    /// The plugin's own version.
    pub version: String,
    /// One sentence for a person.
    pub about: String,
    /// The [`INTERFACE_VERSION`] it was built with.
    pub interface_version: String,
    /// What it serves.
    pub kinds: Vec<KindDescriptor>,
}

/// One kind that a plugin serves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KindDescriptor {
    /// The kind.
    pub kind: Kind,
    /// JSON Schema (2020-12) of its configuration.
    pub config_schema: serde_json::Value,
}
