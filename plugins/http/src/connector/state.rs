//! What a connector remembers over a restart: where to go on, and which pages need not be seen again.
//!
//! A page counts only when all its records are settled, so whatever was on its way when the process ended comes
//! again, under the same ids. The file is replaced as a whole: it is always one that was written once. It holds
//! cursors and what the server said of a page's state; links are left out, as they may hold credentials.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use mfn_plugin::{
    author::Result,
    value::{ErrorClass, PluginError},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version of the format.
const VERSION: u32 = 1;
/// A larger file is none of ours: a thousand pages with long cursors take less.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// How often the file is written at most.
const SAVE_INTERVAL: Duration = Duration::from_millis(500);

/// The position of a feed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Position {
    version: u32,
    /// Names the feed: its name and the SHA-256 of its URL without the query.
    feed: String,
    /// Where the next pass begins; null for the first page.
    pub(crate) begin: Value,
    /// Pages whose records are all settled.
    pub(crate) pages: Vec<SettledPage>,
}

/// A page that need not be sent again as long as it stays as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettledPage {
    pub(crate) place: Value,
    pub(crate) next: Option<Value>,
    pub(crate) etag: Option<String>,
    pub(crate) last_modified: Option<String>,
}

impl Position {
    pub(crate) fn new(feed: String, begin: Value, pages: Vec<SettledPage>) -> Self {
        Self { version: VERSION, feed, begin, pages }
    }
}

/// The file of a position, for one instance at a time.
#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
    /// Held as long as the connector is open.
    _lock: File,
    saved_at: Option<Instant>,
}

impl StateFile {
    /// Takes the file for this instance and reads it. `None` when there is none yet, or when it is about another
    /// feed, which is logged.
    ///
    /// # Errors
    /// Blocked where another instance has it or it can not be reached; permanent where it is something else.
    pub(crate) fn open(path: &Path, feed: &str) -> Result<(Self, Option<Position>)> {
        let what = format!("state_file {}", path.display());
        let io_error = |error: io::Error| PluginError::io(&what, &error);
        fs::create_dir_all(parent(path)).map_err(io_error)?;
        let lock = private().open(beside(path, ".lock")).map_err(io_error)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let fix = "another instance uses it; stop that one or set state_file to another path";
                return Err(PluginError::new(ErrorClass::Blocked, format!("{what}: {fix}")));
            }
            Err(TryLockError::Error(error)) => return Err(io_error(error)),
        }
        let read = read(path).map_err(io_error)?;
        let own = Self { path: path.to_owned(), _lock: lock, saved_at: None };
        let Some(bytes) = read else { return Ok((own, None)) };
        let position = serde_json::from_slice::<Position>(&bytes).ok();
        let Some(position) = position.filter(|position| position.version == VERSION) else {
            return Err(PluginError::permanent(format!(
                "{what}: the file is no position of this plugin or of another version; move it away (records \
                 already read then come again) or name another state_file"
            )));
        };
        if position.feed != feed {
            tracing::warn!("the state_file is about another feed or URL; reading begins anew");
            return Ok((own, None));
        }
        Ok((own, Some(position)))
    }

    /// Whether the file may be written again.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.saved_at.is_none_or(|saved| now.duration_since(saved) >= SAVE_INTERVAL)
    }

    /// Replaces the file.
    ///
    /// # Errors
    /// Classified by the cause; the file is as it was, and so is what comes again after a restart.
    pub(crate) fn save(&mut self, position: &Position, now: Instant) -> Result<()> {
        self.saved_at = Some(now);
        self.write(position)
            .map_err(|error| PluginError::io(&format!("state_file {}", self.path.display()), &error))
    }

    fn write(&self, position: &Position) -> io::Result<()> {
        let temporary = beside(&self.path, ".tmp");
        let mut file = private().truncate(true).open(&temporary)?;
        file.write_all(&serde_json::to_vec(position)?)?;
        file.sync_all()?;
        fs::rename(&temporary, &self.path)?;
        File::open(parent(&self.path))?.sync_all()
    }
}

/// For files that nobody else needs to read.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).mode(0o600);
    options
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::metadata(path) {
        Ok(known) if known.is_file() && known.len() <= FILE_BYTES_MAX => fs::read(path).map(Some),
        // Said as what it is: no position.
        Ok(_) => Ok(Some(Vec::new())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(suffix);
    path.with_file_name(name)
}

/// The directory that holds `path`; the working directory for a bare name.
fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
