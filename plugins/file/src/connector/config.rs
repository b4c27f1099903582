//! What a file connector can be told, and the checked form of it.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use globset::{GlobBuilder, GlobMatcher};
use mfn_plugin::{author::Result, faults::Faults, host::Host, value::PluginError};
use schemars::JsonSchema;
use serde::Deserialize;

const MIB: u64 = 1 << 20;
/// What to do about a target directory that is the source.
pub(crate) const APART_FIX: &str = "name a subdirectory or another place, or files are read again for ever";

/// Which files to read, how, and what becomes of them. Relative paths start at the directory of the
/// configuration file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectorConfig {
    /// The directory to read, without its subdirectories. Either this or `files`.
    #[serde(default)]
    pub directory: Option<PathBuf>,
    /// The files to read. Either this or `directory`.
    #[serde(default)]
    pub files: Vec<PathBuf>,
    /// Which names of the directory to take: a glob with `*`, `?`, `[a-z]`, `{json,csv}`.
    #[serde(default = "default_pattern")]
    pub pattern: String,
    /// How to read the files.
    #[serde(default)]
    pub format: SourceFormat,
    /// What becomes of a file when all its records are settled.
    #[serde(default)]
    pub after: After,
    /// With `after = "move"`: the directory that settled files are moved to. It is made if missing.
    #[serde(default)]
    pub move_to: Option<PathBuf>,
    /// The directory that a file is moved to when one of its records or more was rejected, whatever
    /// `after` says. Without it such a file is treated like any other. It is made if missing.
    #[serde(default)]
    pub rejected_to: Option<PathBuf>,
    /// Whether to end when everything is read, or to wait for new files.
    #[serde(default)]
    pub at_end: AtEnd,
    /// With `at_end = "watch"`: how often to look for new files, 10 to 3600000 ms.
    #[serde(default = "default_poll_interval_ms")]
    pub poll_interval_ms: u64,
    /// A file is complete when its size and time of change stayed the same for this long, 0 to 3600000
    /// ms; 0 takes it at once. Without it: 0 with `at_end = "end"`, 500 with `"watch"`. Names that begin
    /// with `.` or end in `.tmp` or `.part` are never taken: write under such a name, then rename.
    #[serde(default)]
    pub settle_ms: Option<u64>,
    /// Where to remember what was read. Without it: `.mfn-<instance>.journal`, in `directory`, or, with
    /// `files`, in the directory of the configuration file. Its directory is made if missing.
    #[serde(default)]
    pub state_file: Option<PathBuf>,
    /// The largest file that is taken as one record (JSON, NPY), 1 to 4294967296 bytes; a larger one is
    /// rejected unread.
    #[serde(default = "default_file_bytes_max")]
    pub file_bytes_max: u64,
    /// The longest line of JSON Lines and CSV, 1 to 1073741824 bytes; a longer one is rejected unread.
    #[serde(default = "default_line_bytes_max")]
    pub line_bytes_max: u64,
    /// Whether symbolic links in `directory` are followed. Links in `files` always are.
    #[serde(default)]
    pub follow_links: bool,
}

fn default_pattern() -> String {
    "*".to_owned()
}

fn default_poll_interval_ms() -> u64 {
    500
}

fn default_file_bytes_max() -> u64 {
    64 * MIB
}

fn default_line_bytes_max() -> u64 {
    16 * MIB
}

/// How files are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SourceFormat {
    /// By extension: `.json`, `.jsonl`, `.ndjson`, `.csv`, `.npy`; other files are left alone.
    #[default]
    Auto,
    /// One JSON document: one record.
    Json,
    /// JSON Lines: one record for each line that is not blank.
    Jsonl,
    /// A header line, then one record for each line that is not blank; a record's payload is the header
    /// line and its own line.
    Csv,
    /// A NumPy array: one record.
    Npy,
}

/// What becomes of a settled file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum After {
    /// It stays; the journal remembers it.
    #[default]
    Keep,
    /// It is moved to `move_to`.
    Move,
    /// It is deleted.
    Delete,
}

/// What to do when everything is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AtEnd {
    /// End.
    #[default]
    End,
    /// Wait for new files.
    Watch,
}

/// What is known of a format once it is no longer `auto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Jsonl,
    Csv,
    Npy,
}

impl Format {
    /// The format that an extension names.
    fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "json" => Some(Self::Json),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            "csv" => Some(Self::Csv),
            "npy" => Some(Self::Npy),
            _ => None,
        }
    }

    /// Whether each line is a record.
    pub(crate) const fn is_lines(self) -> bool {
        matches!(self, Self::Jsonl | Self::Csv)
    }

    /// Whether the content must be UTF-8.
    pub(crate) const fn is_text(self) -> bool {
        !matches!(self, Self::Npy)
    }

    /// The content type of a record.
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Json | Self::Jsonl => "application/json",
            Self::Csv => "text/csv",
            Self::Npy => "application/x-npy",
        }
    }
}

/// Where files come from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    Directory {
        path: PathBuf,
        pattern: GlobMatcher,
        follow_links: bool,
    },
    /// Names as configured, with their absolute paths.
    Files(Vec<(String, PathBuf)>),
}

/// The checked configuration; paths are absolute.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) source: Source,
    /// The partition's name: the directory as configured, or `files`.
    pub(crate) partition: String,
    format: SourceFormat,
    pub(crate) delete: bool,
    pub(crate) move_to: Option<PathBuf>,
    pub(crate) rejected_to: Option<PathBuf>,
    pub(crate) watch: bool,
    pub(crate) poll_interval: Duration,
    pub(crate) settle_time: Duration,
    pub(crate) state_file: PathBuf,
    pub(crate) file_bytes_max: u64,
    pub(crate) line_bytes_max: usize,
}

impl Settings {
    /// Checks a configuration, without I/O.
    ///
    /// # Errors
    /// Permanent, with every fault: the field, its value, what is allowed and what to do.
    pub(crate) fn new(config: ConnectorConfig, host: &Host) -> Result<Self> {
        let mut faults = Faults::default();
        faults.check(
            config.directory.is_some() == config.files.is_empty(),
            "directory, files",
            if config.directory.is_some() { "both" } else { "neither" },
            "exactly one of the two",
            "name a directory or a list of files",
        );
        faults.check(
            (config.after == After::Move) == config.move_to.is_some(),
            "move_to",
            config.move_to.as_deref().unwrap_or(Path::new("")),
            "set with after = \"move\" and only then",
            "set both or neither",
        );
        let paths = [
            ("directory", &config.directory),
            ("move_to", &config.move_to),
            ("rejected_to", &config.rejected_to),
            ("state_file", &config.state_file),
        ];
        for (field, path) in paths {
            if let Some(path) = path {
                faults.path(field, path);
            }
        }
        for file in &config.files {
            faults.path("files", file);
        }
        let directory = config.directory.as_ref().map(|path| host.resolve(path));
        for (field, target) in [("move_to", &config.move_to), ("rejected_to", &config.rejected_to)] {
            let Some(target) = target else { continue };
            let is_apart = Some(host.resolve(target)) != directory;
            faults.check(is_apart, field, target, "another directory than the one read", APART_FIX);
        }
        for file in &config.files {
            let is_known = config.format != SourceFormat::Auto || Format::of(file).is_some();
            let allowed = ".json, .jsonl, .ndjson, .csv or .npy with format = \"auto\"";
            faults.check(is_known, "files", file, allowed, "set format, or leave the file out");
        }
        faults.range("poll_interval_ms", config.poll_interval_ms, 10, 3_600_000);
        let settle_ms = config.settle_ms.unwrap_or(if config.at_end == AtEnd::Watch { 500 } else { 0 });
        faults.range("settle_ms", settle_ms, 0, 3_600_000);
        faults.range("file_bytes_max", config.file_bytes_max, 1, 4096 * MIB);
        faults.range("line_bytes_max", config.line_bytes_max, 1, 1024 * MIB);
        let pattern = GlobBuilder::new(&config.pattern).literal_separator(true).build();
        if let Err(error) = &pattern {
            let allowed = "a glob such as *.json or run-[0-9]*.{json,npy}";
            faults.check(false, "pattern", &config.pattern, allowed, &error.kind().to_string());
        }
        faults.finish()?;
        let pattern = pattern
            .map_err(|error| PluginError::permanent(format!("pattern: {}", error.kind())))?
            .compile_matcher();
        let journal_name = format!(".mfn-{}.journal", file_name_of(host.instance()));
        let (source, partition, default_state) = match &config.directory {
            Some(directory) => {
                let path = host.resolve(directory);
                let state = path.join(journal_name);
                let source = Source::Directory { path, pattern, follow_links: config.follow_links };
                (source, directory.to_string_lossy().into_owned(), state)
            }
            None => {
                let mut files: Vec<_> = config
                    .files
                    .iter()
                    .map(|file| (super::scan::text_name(file.as_os_str()), host.resolve(file)))
                    .collect();
                files.sort();
                files.dedup_by(|a, b| a.0 == b.0);
                (Source::Files(files), "files".to_owned(), host.resolve(Path::new(&journal_name)))
            }
        };
        Ok(Self {
            source,
            partition,
            format: config.format,
            delete: config.after == After::Delete,
            move_to: config.move_to.map(|path| host.resolve(&path)),
            rejected_to: config.rejected_to.map(|path| host.resolve(&path)),
            watch: config.at_end == AtEnd::Watch,
            poll_interval: Duration::from_millis(config.poll_interval_ms),
            settle_time: Duration::from_millis(settle_ms),
            state_file: config.state_file.map_or(default_state, |path| host.resolve(&path)),
            file_bytes_max: config.file_bytes_max,
            line_bytes_max: usize::try_from(config.line_bytes_max).unwrap_or(usize::MAX),
        })
    }

    /// How a file is to be read; `None` leaves it alone.
    pub(crate) fn format_of(&self, path: &Path) -> Option<Format> {
        match self.format {
            SourceFormat::Auto => Format::of(path),
            SourceFormat::Json => Some(Format::Json),
            SourceFormat::Jsonl => Some(Format::Jsonl),
            SourceFormat::Csv => Some(Format::Csv),
            SourceFormat::Npy => Some(Format::Npy),
        }
    }
}

/// An instance's name with everything that has a meaning in paths replaced by `_`.
fn file_name_of(instance: &str) -> String {
    instance.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect()
}
