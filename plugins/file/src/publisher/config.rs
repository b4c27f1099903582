//! What a file publisher can be told.

use std::path::PathBuf;

use mfn_plugin::{author::Result, faults::Faults};
use schemars::JsonSchema;
use serde::Deserialize;

/// Where to write records, and how. Relative paths start at the directory of the configuration file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublisherConfig {
    /// The directory to write to. It is made if missing.
    pub directory: PathBuf,
    /// Whether records share a file.
    #[serde(default)]
    pub mode: Mode,
    /// How a record is written.
    #[serde(default)]
    pub format: TargetFormat,
    /// What the files' names begin with; a sequence number and the extension follow, as in
    /// `results-000001.jsonl`. 1 to 100 letters, digits, `.`, `_` and `-`, not beginning with `.`.
    #[serde(default = "default_file_name")]
    pub file_name: String,
    /// With `mode = "append"`: begin a new file before this one grows beyond so many bytes, 1024 to
    /// 1099511627776; 0 for never. A single record above it still gets a file of its own.
    #[serde(default = "default_rotate_bytes")]
    pub rotate_bytes: u64,
    /// Whether records are on disk, and not just with the operating system, when a flush returns. Without it
    /// a power failure loses what the operating system still held; `kill -9` of the process does not.
    #[serde(default = "default_fsync")]
    pub fsync: bool,
    /// With `format = "jsonl"`: wrap each record as an object with `id`, `content_type`, `headers` and one of
    /// `payload` (JSON), `payload_text` and `payload_base64`. For dead letters: the headers hold the reason.
    #[serde(default)]
    pub include_headers: bool,
}

fn default_file_name() -> String {
    "results".to_owned()
}

fn default_rotate_bytes() -> u64 {
    128 << 20
}

fn default_fsync() -> bool {
    true
}

/// Whether records share a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Each record gets a file, which appears whole or not at all.
    FilePerRecord,
    /// Records are appended to a file as lines.
    #[default]
    Append,
}

/// How a record is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TargetFormat {
    /// One JSON document on one line.
    #[default]
    Jsonl,
    /// A row. The columns are the fields of the first record of the file, nested ones joined with dots, and
    /// `extra`, which takes the fields that the first record did not have, as a JSON object.
    Csv,
    /// The payload's bytes as they are; only with `mode = "file_per_record"`.
    Raw,
}

impl PublisherConfig {
    /// Checks the values.
    ///
    /// # Errors
    /// Permanent, with every fault.
    pub(crate) fn validate(&self) -> Result<()> {
        let mut faults = Faults::default();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        faults.check(
            (1..=100).contains(&self.file_name.len())
                && self.file_name.chars().all(is_plain)
                && !self.file_name.starts_with('.'),
            "file_name",
            &self.file_name,
            "1 to 100 letters, digits, '.', '_' and '-', not beginning with '.'",
            "choose a plain name without a path",
        );
        if self.rotate_bytes != 0 {
            faults.range("rotate_bytes", self.rotate_bytes, 1024, 1 << 40);
        }
        faults.check(
            self.mode == Mode::FilePerRecord || self.format != TargetFormat::Raw,
            "format",
            "raw",
            "jsonl or csv with mode = \"append\"",
            "set mode = \"file_per_record\", or format = \"jsonl\" with include_headers = true",
        );
        faults.check(
            !self.include_headers || self.format == TargetFormat::Jsonl,
            "include_headers",
            self.include_headers,
            "false without format = \"jsonl\"",
            "set format = \"jsonl\"",
        );
        faults.path("directory", &self.directory);
        faults.finish()
    }
}
