//! A numbered series of files that whole lines are appended to.
//!
//! Each file belongs to one instance at a time, by a lock that the kernel gives back however the process
//! ends. A last line that `kill -9` or a full disk cut short is moved to a `.torn` file before anything is
//! written after it, so it is never glued to the next.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Write},
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
};

use crate::durable;

const CHUNK_BYTES: u64 = 64 * 1024;
/// A longer number is not of a series: counting on from it could overflow.
const DIGITS_MAX: usize = 15;

/// The numbers of the files `<prefix>-<number>.<extension>` of a directory, ascending. Without an
/// extension: of all extensions.
///
/// # Errors
/// When the directory can not be listed.
pub(crate) fn numbers(directory: &Path, prefix: &str, extension: Option<&str>) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| {
            let (number, rest) = name.strip_prefix(prefix)?.strip_prefix('-')?.split_once('.')?;
            let is_ours = number.len() <= DIGITS_MAX
                && number.bytes().all(|byte| byte.is_ascii_digit())
                && extension.is_none_or(|extension| rest == extension);
            if is_ours { number.parse::<u64>().ok() } else { None }
        });
        numbers.extend(number);
    }
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}

/// The name of a file of a series.
pub(crate) fn name(prefix: &str, number: u64, extension: &str) -> String {
    format!("{prefix}-{number:06}.{extension}")
}

/// The file that lines go to.
#[derive(Debug)]
struct Open {
    file: File,
    length: u64,
}

/// A series of files. The next one is made when the first line for it comes.
#[derive(Debug)]
pub(crate) struct Series {
    directory: PathBuf,
    prefix: String,
    extension: &'static str,
    rotate_bytes: u64,
    fsync: bool,
    open: Option<Open>,
    /// The highest number that is taken.
    last: u64,
    /// Whether a file was made whose name may not be on disk.
    is_name_new: bool,
    /// What was answered with success and could not be made durable: told at the next flush.
    lost: Option<io::Error>,
}

impl Series {
    /// Repairs what earlier instances left, and goes on with the last file where it is free and has room.
    /// Gives the first line of that file, at most `line_bytes_max` of it.
    ///
    /// # Errors
    /// Those of the operating system.
    pub(crate) fn open(
        directory: PathBuf,
        prefix: String,
        extension: &'static str,
        rotate_bytes: u64,
        fsync: bool,
        line_bytes_max: usize,
    ) -> io::Result<(Self, Option<Vec<u8>>)> {
        let numbers = numbers(&directory, &prefix, Some(extension))?;
        let last = numbers.last().copied().unwrap_or(0);
        let (open, is_name_new, lost) = (None, false, None);
        let mut series =
            Self { directory, prefix, extension, rotate_bytes, fsync, open, last, is_name_new, lost };
        let mut first = None;
        for number in numbers {
            let path = series.path(number);
            let file = match OpenOptions::new().read(true).write(true).open(&path) {
                Ok(file) => file,
                // Moved away meanwhile, or not ours to write: its number stays taken.
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => {
                    continue;
                }
                Err(error) => return Err(error),
            };
            if !lock(&file)? {
                continue;
            }
            let length = repair(&file, &path)?;
            if number == last && length > 0 && (rotate_bytes == 0 || length < rotate_bytes) {
                first = Some(first_line(&file, length, line_bytes_max)?);
                series.open = Some(Open { file, length });
            }
        }
        Ok((series, first))
    }

    /// Bytes of the open file; 0 when the next line begins a new one.
    pub(crate) fn length(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.length)
    }

    /// Whether a line belongs to the next file when so many bytes are about to be appended before it.
    pub(crate) fn is_full_with(&self, buffered: usize, line: usize) -> bool {
        let length = self.length().saturating_add(buffered as u64);
        length > 0 && self.rotate_bytes > 0 && length.saturating_add(line as u64) > self.rotate_bytes
    }

    /// Makes the next file that no other instance has.
    fn create(&mut self) -> io::Result<Open> {
        loop {
            let number = self.last + 1;
            let created = OpenOptions::new().read(true).write(true).create_new(true).open(self.path(number));
            match created {
                Ok(file) => {
                    self.last = number;
                    // Another instance may have locked it between its making and now; then it has it.
                    if lock(&file)? {
                        self.is_name_new = true;
                        return Ok(Open { file, length: 0 });
                    }
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => self.last = number,
                Err(error) => return Err(error),
            }
        }
    }

    fn path(&self, number: u64) -> PathBuf {
        self.directory.join(name(&self.prefix, number, self.extension))
    }

    /// Appends whole lines. On failure the file is as it was, or is given up for the next one.
    ///
    /// # Errors
    /// Those of the operating system.
    pub(crate) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.create()?,
        };
        let written = open.file.write_all_at(lines, open.length);
        if written.is_ok() {
            open.length += lines.len() as u64;
        } else if open.file.set_len(open.length).is_err() {
            // The torn line is moved aside when the next instance opens.
            return written;
        }
        self.open = Some(open);
        written
    }

    /// Closes the open file; the next line begins a new one.
    pub(crate) fn rotate(&mut self) {
        if let Err(error) = self.sync() {
            self.lost.get_or_insert(error);
        }
        self.open = None;
    }

    /// Makes everything appended durable.
    ///
    /// # Errors
    /// Those of the operating system, also of a file that was closed since the last call. What was appended
    /// since then must be appended again; it goes to a new file.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let now = self.sync();
        if now.is_err() {
            // After a failed fsync the kernel may have dropped what it could not write.
            self.open = None;
        }
        self.lost.take().map_or(now, Err)
    }

    fn sync(&mut self) -> io::Result<()> {
        let Some(open) = &self.open else { return Ok(()) };
        if open.file.metadata()?.nlink() == 0 {
            return Err(io::Error::new(
                ErrorKind::NotFound,
                "the output file was deleted while it was written",
            ));
        }
        if self.fsync {
            open.file.sync_data()?;
            if self.is_name_new {
                durable::sync_directory(&self.directory)?;
                self.is_name_new = false;
            }
        }
        Ok(())
    }
}

/// `false` where another instance has the file.
fn lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Moves what follows the last line end to `<name>.torn`. Returns the length that is left.
fn repair(file: &File, path: &Path) -> io::Result<u64> {
    let length = file.metadata()?.len();
    let whole = end_of_last_line(file, length)?;
    if whole == length {
        return Ok(length);
    }
    let mut torn_name = path.as_os_str().to_os_string();
    torn_name.push(".torn");
    let mut torn = OpenOptions::new().create(true).append(true).open(&torn_name)?;
    let mut offset = whole;
    while offset < length {
        let mut chunk = vec![0; usize::try_from((length - offset).min(CHUNK_BYTES)).unwrap_or_default()];
        file.read_exact_at(&mut chunk, offset)?;
        torn.write_all(&chunk)?;
        offset += chunk.len() as u64;
    }
    torn.write_all(b"\n")?;
    torn.sync_all()?;
    file.set_len(whole)?;
    file.sync_all()?;
    tracing::warn!(
        file = %path.display(),
        bytes = length - whole,
        "the last line was cut short by an earlier stop and was moved to the .torn file beside it"
    );
    Ok(whole)
}

/// The offset behind the last line end.
fn end_of_last_line(file: &File, length: u64) -> io::Result<u64> {
    let mut end = length;
    while end > 0 {
        let begin = end.saturating_sub(if end == length { 1 } else { CHUNK_BYTES });
        let mut chunk = vec![0; usize::try_from(end - begin).unwrap_or_default()];
        file.read_exact_at(&mut chunk, begin)?;
        if let Some(at) = memchr::memrchr(b'\n', &chunk) {
            return Ok(begin + at as u64 + 1);
        }
        end = begin;
    }
    Ok(0)
}

/// The first line of a file, at most `bytes_max` of it.
fn first_line(file: &File, length: u64, bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut line = vec![0; usize::try_from(length).unwrap_or(usize::MAX).min(bytes_max)];
    file.read_exact_at(&mut line, 0)?;
    line.truncate(memchr::memchr(b'\n', &line).unwrap_or(line.len()));
    Ok(line)
}
