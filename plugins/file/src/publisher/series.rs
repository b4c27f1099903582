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
            let is_ours = number.bytes().all(|byte| byte.is_ascii_digit())
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
    number: u64,
    length: u64,
}

/// A series of files.
#[derive(Debug)]
pub(crate) struct Series {
    directory: PathBuf,
    prefix: String,
    extension: &'static str,
    rotate_bytes: u64,
    fsync: bool,
    open: Option<Open>,
    /// Files up to this number are not written any more: one of them is full or failed.
    closed_through: u64,
    /// Whether a file was made whose name may not be on disk.
    is_name_new: bool,
    /// What was answered with success and could not be made durable: told at the next flush.
    lost: Option<io::Error>,
}

impl Series {
    /// A series; nothing is opened yet.
    pub(crate) fn new(
        directory: PathBuf,
        prefix: String,
        extension: &'static str,
        rotate_bytes: u64,
        fsync: bool,
    ) -> Self {
        let open = None;
        Self {
            directory,
            prefix,
            extension,
            rotate_bytes,
            fsync,
            open,
            closed_through: 0,
            is_name_new: false,
            lost: None,
        }
    }

    /// Bytes of the open file; 0 when none is open.
    pub(crate) fn length(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.length)
    }

    /// Whether a line belongs to the next file when so many bytes are about to be appended before it.
    pub(crate) fn is_full_with(&self, buffered: usize, line: usize) -> bool {
        let length = self.length().saturating_add(buffered as u64);
        length > 0 && self.rotate_bytes > 0 && length.saturating_add(line as u64) > self.rotate_bytes
    }

    /// Makes sure that a file is open: the last of the series where it is free and has room, or a new one.
    /// Gives the first line of a file that was there, at most `line_bytes_max` of it.
    ///
    /// # Errors
    /// Those of the operating system.
    pub(crate) fn ensure_open(&mut self, line_bytes_max: usize) -> io::Result<Option<Vec<u8>>> {
        if self.open.is_some() {
            return Ok(None);
        }
        let numbers = numbers(&self.directory, &self.prefix, Some(self.extension))?;
        let last = numbers.last().copied().unwrap_or(0);
        for number in numbers {
            let path = self.path(number);
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
            let has_room = self.rotate_bytes == 0 || length < self.rotate_bytes;
            if number == last && number > self.closed_through && has_room && length > 0 {
                let first = first_line(&file, length, line_bytes_max)?;
                self.open = Some(Open { file, number, length });
                return Ok(Some(first));
            }
        }
        self.create(last + 1)?;
        Ok(None)
    }

    fn create(&mut self, from: u64) -> io::Result<()> {
        let mut number = from.max(self.closed_through + 1);
        loop {
            let path = self.path(number);
            match OpenOptions::new().read(true).write(true).create_new(true).open(&path) {
                // Another instance may have locked it between its making and now; then it has it.
                Ok(file) if lock(&file)? => {
                    self.open = Some(Open { file, number, length: 0 });
                    self.is_name_new = true;
                    return Ok(());
                }
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
            number += 1;
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
        let Some(open) = &mut self.open else { return Err(io::Error::from(ErrorKind::NotFound)) };
        if let Err(error) = open.file.write_all_at(lines, open.length) {
            if open.file.set_len(open.length).is_err() {
                self.give_up();
            }
            return Err(error);
        }
        open.length += lines.len() as u64;
        Ok(())
    }

    /// Closes the open file for good.
    pub(crate) fn rotate(&mut self) {
        if let Err(error) = self.sync() {
            self.lost.get_or_insert(error);
        }
        self.give_up();
    }

    fn give_up(&mut self) {
        if let Some(open) = self.open.take() {
            self.closed_through = self.closed_through.max(open.number);
        }
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
            self.give_up();
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
