//! Where a secret comes from, and reading it into memory that is wiped.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
    time::Duration,
};

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::{BYTES_MAX, error::SecretFault};

/// How long a file must have been left alone before its content counts as whole.
pub(super) const SETTLE: Duration = Duration::from_millis(500);

pub(super) enum Source {
    Literal(SecretString),
    Env(String),
    File(PathBuf),
}

/// What a look at a source found.
pub(super) struct Look {
    pub(super) text: SecretString,
    /// Whether nobody can be in the middle of writing it.
    pub(super) settled: bool,
}

impl Source {
    pub(super) fn literal(text: &str) -> Self {
        Self::Literal(wiped(text))
    }

    /// A fault comes with what may be shown of the text.
    pub(super) fn parse(text: &str, base_dir: &Path) -> Result<Self, (String, SecretFault)> {
        if let Some(name) = text.strip_prefix("env:") {
            return if is_variable(name) {
                Ok(Self::Env(name.to_owned()))
            } else {
                Err(("env:".to_owned(), SecretFault::Name))
            };
        }
        if let Some(path) = text.strip_prefix("file:") {
            return if path.is_empty() {
                Err(("file:".to_owned(), SecretFault::Path))
            } else {
                Ok(Self::File(base_dir.join(path)))
            };
        }
        let text = text.strip_prefix("literal:").unwrap_or(text);
        bounded(text).map_err(|fault| ("literal".to_owned(), fault))?;
        Ok(Self::literal(text))
    }

    /// The source as it may be shown.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Literal(_) => "literal".to_owned(),
            Self::Env(name) => format!("env:{name}"),
            Self::File(path) => format!("file:{}", path.display()),
        }
    }

    /// Whether it may bring another value later.
    pub(super) fn changes(&self) -> bool {
        matches!(self, Self::File(_))
    }

    pub(super) fn read(&self) -> Result<Look, SecretFault> {
        match self {
            Self::Literal(text) => Ok(Look { text: wiped(text.expose_secret()), settled: true }),
            Self::Env(name) => {
                let value = std::env::var_os(name).ok_or(SecretFault::Unset)?;
                let bytes = Zeroizing::new(value.into_encoded_bytes());
                Ok(Look { text: text_of(&bytes)?, settled: true })
            }
            Self::File(path) => read_file(path),
        }
    }

    pub(super) fn warning(&self) -> Option<String> {
        let Self::File(path) = self else { return None };
        let open = fs::metadata(path).is_ok_and(|metadata| is_open_to_all(&metadata));
        open.then(|| format!("{} can be read by everybody; chmod 600 it, or 640", path.display()))
    }
}

/// Whether every user of the machine may read the file.
pub(super) fn is_open_to_all(metadata: &fs::Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        metadata.mode() & 0o004 != 0
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        false
    }
}

pub(super) fn is_variable(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit())
}

fn read_file(path: &Path) -> Result<Look, SecretFault> {
    let unreadable = |error: std::io::Error| SecretFault::Unreadable { message: error.to_string() };
    // Before it is opened: opening a pipe would wait for its writer.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(SecretFault::NotAFile);
    }
    let mut file = File::open(path).map_err(unreadable)?;
    // All the room at once: growing would leave copies behind. Two more bytes for a line end, one to tell
    // that there is too much.
    let mut buffer = Zeroizing::new(vec![0; BYTES_MAX + 3]);
    let mut length = 0;
    while let Some(room) = buffer.get_mut(length..).filter(|room| !room.is_empty()) {
        match file.read(room) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(error)),
        }
    }
    let text = text_of(buffer.get(..length).unwrap_or_default())?;
    // After the reading, so that a write during it counts. A time in the future tells nothing.
    let changed = file.metadata().and_then(|metadata| metadata.modified()).map_err(unreadable)?;
    let settled = changed.elapsed().is_ok_and(|age| age >= SETTLE);
    Ok(Look { text, settled })
}

/// Takes off one line end, which editors and `echo` leave, and checks what is left.
fn text_of(bytes: &[u8]) -> Result<SecretString, SecretFault> {
    let bytes = bytes.strip_suffix(b"\n").map_or(bytes, |rest| rest.strip_suffix(b"\r").unwrap_or(rest));
    let text = std::str::from_utf8(bytes)
        .map_err(|_| if bytes.len() > BYTES_MAX { SecretFault::TooLarge } else { SecretFault::NotText })?;
    bounded(text)?;
    Ok(wiped(text))
}

fn bounded(text: &str) -> Result<(), SecretFault> {
    match text.len() {
        0 => Err(SecretFault::Empty),
        length if length > BYTES_MAX => Err(SecretFault::TooLarge),
        _ => Ok(()),
    }
}

/// A copy that is wiped when it is dropped. Its room is exact: shrinking would leave one that is not.
fn wiped(text: &str) -> SecretString {
    SecretString::from(Box::<str>::from(text))
}
