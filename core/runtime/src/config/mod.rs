//! The configuration of a pipeline: which plugins, which components, which routes, which limits.
//!
//! A document in TOML or JSON becomes a [`PipelineConfig`] or a [`ConfigError`] with every fault at
//! once. Nothing here does more than read: that a plugin exists and accepts its part of the
//! configuration is found out by [`Pipeline::check`](crate::pipeline::Pipeline::check).

mod delivery;
mod document;
mod error;
mod reader;
mod rules;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Serialize;
use zeroize::Zeroizing;

pub use delivery::{
    BatchConfig, BreakerConfig, DeliveryConfig, Durability, Exhausted, RetryConfig, RetryStrategy,
    SpoolConfig, Work,
};
pub use document::{DEPTH_MAX, DOCUMENT_BYTES_MAX};
pub use error::{ConfigError, ConfigFault, FAULTS_MAX};
pub use settings::Settings;

/// A whole pipeline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PipelineConfig {
    /// Names the pipeline in logs and reports.
    pub name: String,
    /// Where relative paths of the document start; absolute.
    pub base_dir: PathBuf,
    /// Which libraries to load.
    pub plugins: PluginsConfig,
    /// What the pipeline may use.
    pub limits: Limits,
    /// Components that read records in, by name.
    pub connectors: BTreeMap<String, ComponentConfig>,
    /// Components that deliver durably, by name.
    pub publishers: BTreeMap<String, ComponentConfig>,
    /// Components that hand events to listeners, by name.
    pub transports: BTreeMap<String, ComponentConfig>,
    /// Components that show metrics, by name.
    pub exporters: BTreeMap<String, ComponentConfig>,
    /// What happens before the first record is fetched.
    pub start: StartConfig,
    /// Which connectors feed which publishers and transports.
    pub routes: Vec<RouteConfig>,
}

/// Which libraries to load. Nothing is loaded that is not named here or by the host.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct PluginsConfig {
    /// Libraries.
    pub files: Vec<PathBuf>,
    /// Directories whose libraries are all loaded.
    pub directories: Vec<PathBuf>,
    /// Whether a library without a manifest beside it is refused.
    pub require_manifest: bool,
}

/// Bounds on what a pipeline may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Memory for records fetched, queued and being computed together, bytes.
    pub bytes_in_flight_max: u64,
    /// Payload of one record, bytes; a larger record is rejected.
    pub record_bytes_max: u64,
    /// Rows times columns times steps of one request; a more expensive request is rejected.
    pub cell_steps_max: u64,
    /// Threads that simulate; 0: those of the runtime. Results do not depend on it.
    pub threads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes_in_flight_max: 64 << 20,
            record_bytes_max: 16 << 20,
            cell_steps_max: 4_000_000_000,
            threads: 0,
        }
    }
}

/// What happens before the first record is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct StartConfig {
    /// What a failed probe of a component means.
    pub probe: StartProbe,
    /// How long each component may take for its probe, milliseconds; 1 to 600000.
    pub probe_timeout_ms: u64,
}

impl Default for StartConfig {
    fn default() -> Self {
        Self { probe: StartProbe::Report, probe_timeout_ms: 5_000 }
    }
}

/// What a failed probe means for the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StartProbe {
    /// Any failure forbids it.
    Require,
    /// A failure that can not pass by itself forbids it; one that may, such as an endpoint that is down, is
    /// logged, and the pipeline starts and waits for the endpoint.
    Report,
    /// Nothing is probed.
    Skip,
}

impl StartProbe {
    /// The words, for a message.
    pub(crate) const WORDS: &str = "\"require\", \"report\" or \"skip\"";

    /// Reads a word.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        match word {
            "require" => Some(Self::Require),
            "report" => Some(Self::Report),
            "skip" => Some(Self::Skip),
            _ => None,
        }
    }
}

/// One instance of a plugin.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComponentConfig {
    /// The plugin's name.
    pub plugin: String,
    /// What the plugin is told; an object. The plugin checks it.
    pub config: Settings,
    /// How it is called; of publishers, and the retry of connectors.
    pub delivery: DeliveryConfig,
}

/// One way of records: connectors, simulation, publishers and transports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RouteConfig {
    /// Names the route in headers and metrics.
    pub name: String,
    /// Where records come from; at least one, and each in one route only.
    pub connectors: Vec<String>,
    /// What is done with a record.
    pub work: Work,
    /// Who must have a result, durably; with [`Durability::Delivered`] before its request is settled.
    pub publishers: Vec<String>,
    /// Publishers that get every result and that nobody waits for.
    pub best_effort: Vec<String>,
    /// When a record is settled.
    pub durability: Durability,
    /// Where a route of [`Durability::Spooled`] keeps its records; `None` for the default.
    pub spool: Option<SpoolConfig>,
    /// Who is offered every result, best effort.
    pub transports: Vec<String>,
    /// The publisher that takes requests which can not be done.
    pub dead_letters: Option<String>,
    /// The directory that takes them instead, to be listed and replayed.
    pub dead_letters_store: Option<PathBuf>,
    /// How much lies in [`dead_letters_store`](Self::dead_letters_store) at most, bytes, 1 MiB to 1 TiB; `None` for
    /// 1 GiB. When it is full, what can not be done waits, and holds up its batch.
    pub dead_letters_bytes_max: Option<u64>,
    /// The topic under which transports get the results.
    pub topic: String,
    /// Records that are fetched together and settled together, at most.
    pub batch_records_max: u32,
    /// What a result holds.
    pub output: OutputConfig,
}

/// What a result holds beside features and statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct OutputConfig {
    /// Whether the final field (volts, rows of numbers) is part of the JSON.
    pub field: bool,
}

impl PipelineConfig {
    /// Reads a TOML document. Relative paths in it start at `base_dir`.
    ///
    /// # Errors
    /// [`ConfigError`] with every fault found.
    pub fn from_toml(text: &str, base_dir: &Path) -> Result<Self, ConfigError> {
        Self::from_document(document::from_toml(text)?, base_dir)
    }

    /// Reads the same document as JSON. Relative paths in it start at `base_dir`.
    ///
    /// # Errors
    /// [`ConfigError`] with every fault found.
    pub fn from_json(text: &str, base_dir: &Path) -> Result<Self, ConfigError> {
        Self::from_document(document::from_json(text)?, base_dir)
    }

    /// Reads a file: JSON when its name ends in `.json`, TOML otherwise. Relative paths in it start
    /// at the file's directory.
    ///
    /// # Errors
    /// [`ConfigError`] when the file can not be read (not a regular file, above
    /// [`DOCUMENT_BYTES_MAX`], not UTF-8), or with every fault found in it.
    pub fn from_path(path: &Path) -> Result<Self, ConfigError> {
        let text = Zeroizing::new(document::read_file(path)?);
        let base_dir = path.parent().unwrap_or(Path::new("."));
        let base_dir = if base_dir.as_os_str().is_empty() { Path::new(".") } else { base_dir };
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
            Self::from_json(&text, base_dir)
        } else {
            Self::from_toml(&text, base_dir)
        }
    }

    /// Checks values and references; done by every reader above, and for a configuration that a host
    /// has put together itself, by the pipeline.
    ///
    /// # Errors
    /// [`ConfigError`] with every fault found.
    pub fn validate(&self) -> Result<(), ConfigError> {
        ConfigError::from_faults(rules::faults(self))
    }

    /// A path of the document, made absolute.
    #[must_use]
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.base_dir.join(path)
    }

    fn from_document(document: document::Document, base_dir: &Path) -> Result<Self, ConfigError> {
        let mut faults = document.faults;
        let config = reader::pipeline(document.root, base_dir, &mut faults);
        // A value that could not be read was replaced by its default: what the rules say of that would
        // only repeat the fault.
        let unread: BTreeSet<String> = faults.iter().map(|fault| fault.path.clone()).collect();
        faults.extend(rules::faults(&config).into_iter().filter(|fault| !unread.contains(&fault.path)));
        ConfigError::from_faults(faults)?;
        Ok(config)
    }
}
