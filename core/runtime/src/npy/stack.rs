//! Stacks of frames: `.npy` files of shape (frames, rows, columns) that are written, and read, one frame at
//! a time in memory that does not depend on their number.
//!
//! The header has room for any number of frames and is written over when the number is known, so a file
//! that is complete is one that `numpy.load` reads and maps. A file whose writer was killed has a header
//! with fewer frames than data; [`StackWriter::resume`] counts the whole frames that are there and goes on.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use mfn_sim::Real;
use ndarray::{Array2, ArrayView2};

use super::header::{self, STACK_START_BYTES};
use super::{Element, HEADER_BYTES_MAX, NpyError, split};

/// Longest side of a frame, cells.
pub const SIDE_MAX: usize = 65_536;
/// Bytes that are gathered before they are written.
const WRITE_BYTES: usize = 1 << 16;

/// What all frames of a stack have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameShape {
    /// Rows of a frame, 1 to [`SIDE_MAX`].
    pub rows: usize,
    /// Columns of a frame, 1 to [`SIDE_MAX`].
    pub columns: usize,
    /// Type of the numbers.
    pub element: Element,
}

impl FrameShape {
    /// Bytes of a frame.
    #[must_use]
    pub fn frame_bytes(&self) -> u64 {
        (self.rows as u64).saturating_mul(self.columns as u64).saturating_mul(self.element.bytes())
    }

    fn validate(&self) -> Result<(), StackError> {
        let in_range = |side| (1..=SIDE_MAX).contains(&side);
        if in_range(self.rows) && in_range(self.columns) {
            return Ok(());
        }
        Err(StackError::Shape { rows: self.rows, columns: self.columns })
    }

    fn start(&self, frames: u64) -> Vec<u8> {
        header::write(
            self.element,
            &[frames, self.rows as u64, self.columns as u64],
            // A frame number of 20 digits and sides of 5 fit.
            STACK_START_BYTES,
        )
    }
}

impl std::fmt::Display for FrameShape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} x {} of {}", self.rows, self.columns, self.element.descr())
    }
}

/// Why a stack can not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StackError {
    /// The file is no array, or can not be read or written.
    #[error(transparent)]
    File(#[from] NpyError),
    /// A side of a frame is out of range.
    #[error("frames of {rows} x {columns} cells can not be recorded: sides are 1 to 65536 cells")]
    Shape {
        /// Rows.
        rows: usize,
        /// Columns.
        columns: usize,
    },
    /// A frame has another shape than the stack.
    #[error(
        "a frame of {given_rows} x {given_columns} cells for a stack of {expected}: give frames of its shape"
    )]
    Frame {
        /// Rows of the frame.
        given_rows: usize,
        /// Columns of the frame.
        given_columns: usize,
        /// What the stack holds.
        expected: FrameShape,
    },
    /// The file is a stack of other frames than those to be added.
    #[error("{path} holds frames of shape {found}, wanted are {wanted}: name another file")]
    Differs {
        /// The file.
        path: String,
        /// What its header says, without the number of frames.
        found: String,
        /// What was asked for.
        wanted: FrameShape,
    },
    /// The file has fewer whole frames than are needed.
    #[error("{path} has {have} whole frames, {need} are needed: name another file")]
    Frames {
        /// The file.
        path: String,
        /// Whole frames in the file.
        have: u64,
        /// Frames asked for.
        need: u64,
    },
    /// Writing failed before; the file ends with the last whole frame.
    #[error("{path}: writing failed before, after {frames} whole frames; begin a new recording")]
    Failed {
        /// The file.
        path: String,
        /// Whole frames in the file.
        frames: u64,
    },
}

/// Writes a stack frame by frame.
///
/// Dropping it leaves a file whose header may name fewer frames than it has;
/// [`complete`](Self::complete) makes it whole.
#[derive(Debug)]
pub struct StackWriter {
    path: PathBuf,
    file: File,
    shape: FrameShape,
    frames: u64,
    failed: bool,
    buffer: Vec<u8>,
}

impl StackWriter {
    /// Begins a stack, replacing what is at `path`.
    ///
    /// # Errors
    /// [`StackError`] when the shape is out of range or the file can not be written.
    pub fn create(path: &Path, shape: FrameShape) -> Result<Self, StackError> {
        shape.validate()?;
        let io = |source| NpyError::Io { path: path.display().to_string(), source };
        let mut file = File::create(path).map_err(io)?;
        file.write_all(&shape.start(0)).map_err(io)?;
        Ok(Self { path: path.to_owned(), file, shape, frames: 0, failed: false, buffer: Vec::new() })
    }

    /// Goes on behind the first `frames` frames of a stack that was left by a writer, killed or not. What
    /// lies behind them is dropped.
    ///
    /// # Errors
    /// [`StackError`] when the file is no stack of such frames or has fewer; it is then unchanged.
    pub fn resume(path: &Path, shape: FrameShape, frames: u64) -> Result<Self, StackError> {
        shape.validate()?;
        let io = |source| NpyError::Io { path: path.display().to_string(), source };
        let mut options = OpenOptions::new();
        let found = read_start(path, options.read(true).write(true))?;
        if (found.shape, found.start_bytes) != (shape, STACK_START_BYTES as u64) {
            let found = found.shape.to_string();
            return Err(StackError::Differs { path: path.display().to_string(), found, wanted: shape });
        }
        let have = found.data_bytes / shape.frame_bytes();
        if have < frames {
            return Err(StackError::Frames { path: path.display().to_string(), have, need: frames });
        }
        let file = found.file;
        // In this order: a header never names more frames than there are.
        let mut writer =
            Self { path: path.to_owned(), file, shape, frames, failed: false, buffer: Vec::new() };
        writer.write_header().map_err(io)?;
        writer.file.set_len(writer.end()).map_err(io)?;
        Ok(writer)
    }

    /// Whole frames written.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// What the frames have in common.
    #[must_use]
    pub fn shape(&self) -> FrameShape {
        self.shape
    }

    /// Adds a frame, of any strides. Numbers become those of the stack's type: single precision is widened
    /// exactly, double is rounded to the nearest.
    ///
    /// # Errors
    /// [`StackError`] when the frame has another shape, or can not be written; the stack then ends with the
    /// frame before it, and takes no more.
    pub fn push<T: Real>(&mut self, frame: ArrayView2<'_, T>) -> Result<(), StackError> {
        let (given_rows, given_columns) = frame.dim();
        if (given_rows, given_columns) != (self.shape.rows, self.shape.columns) {
            return Err(StackError::Frame { given_rows, given_columns, expected: self.shape });
        }
        if self.failed {
            return Err(StackError::Failed { path: self.path.display().to_string(), frames: self.frames });
        }
        if let Err(source) = self.write_frame(frame) {
            self.failed = true;
            // A part of a frame does no harm: it is not counted, and dropped by whoever goes on.
            let _ = self.file.set_len(self.end());
            return Err(self.io(source).into());
        }
        self.frames += 1;
        Ok(())
    }

    /// Writes the number of frames and makes all of them durable. More may follow.
    ///
    /// # Errors
    /// [`StackError::File`] when that fails.
    pub fn sync(&mut self) -> Result<(), StackError> {
        // The frames first: a header never names frames that are not there.
        let written = self.file.sync_data().and_then(|()| self.write_header());
        written.and_then(|()| self.file.sync_all()).map_err(|source| self.io(source).into())
    }

    /// As [`sync`](Self::sync), for a stack that shall be whole.
    ///
    /// # Errors
    /// [`StackError::Failed`] when a frame could not be written, else as [`sync`](Self::sync).
    pub fn complete(&mut self) -> Result<(), StackError> {
        if self.failed {
            return Err(StackError::Failed { path: self.path.display().to_string(), frames: self.frames });
        }
        self.sync()
    }

    fn write_frame<T: Real>(&mut self, frame: ArrayView2<'_, T>) -> std::io::Result<()> {
        self.file.seek(SeekFrom::Start(self.end()))?;
        self.buffer.clear();
        for cell in frame {
            match self.shape.element {
                Element::F32 => self.buffer.extend_from_slice(&(cell.wide() as f32).to_le_bytes()),
                Element::F64 => self.buffer.extend_from_slice(&cell.wide().to_le_bytes()),
            }
            if self.buffer.len() >= WRITE_BYTES {
                self.file.write_all(&self.buffer)?;
                self.buffer.clear();
            }
        }
        self.file.write_all(&self.buffer)
    }

    fn write_header(&mut self) -> std::io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&self.shape.start(self.frames))
    }

    fn end(&self) -> u64 {
        STACK_START_BYTES as u64 + self.frames * self.shape.frame_bytes()
    }

    fn io(&self, source: std::io::Error) -> NpyError {
        NpyError::Io { path: self.path.display().to_string(), source }
    }
}

/// Reads the frames of a complete stack in any order, one at a time.
#[derive(Debug)]
pub struct StackReader {
    path: PathBuf,
    start: Start,
    frames: u64,
}

impl StackReader {
    /// Opens a stack in C order, of this library or of `numpy.save`.
    ///
    /// # Errors
    /// [`StackError`] when it can not be read, is no three-dimensional array of floats, or its length is
    /// not the one that its header names.
    pub fn open(path: &Path) -> Result<Self, StackError> {
        let start = read_start(path, OpenOptions::new().read(true))?;
        let too_large =
            NpyError::TooLarge { rows: start.shape.rows as u64, columns: start.shape.columns as u64 };
        let need = start.frames.checked_mul(start.shape.frame_bytes()).ok_or(too_large)?;
        let have = start.data_bytes;
        if have < need {
            let have = usize::try_from(start.start_bytes + have).unwrap_or(usize::MAX);
            return Err(NpyError::Truncated { have, need: start.start_bytes.saturating_add(need) }.into());
        }
        if have > need {
            return Err(
                NpyError::Trailing { extra: usize::try_from(have - need).unwrap_or(usize::MAX) }.into()
            );
        }
        Ok(Self { path: path.to_owned(), frames: start.frames, start })
    }

    /// Frames in the stack.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// What the frames have in common.
    #[must_use]
    pub fn shape(&self) -> FrameShape {
        self.start.shape
    }

    /// Reads a frame, counted from 0; single precision is widened.
    ///
    /// # Errors
    /// [`StackError::Frames`] for a frame that is not there, [`StackError::File`] when it can not be read.
    pub fn frame(&mut self, index: u64) -> Result<Array2<f64>, StackError> {
        let Self { path, start, frames } = self;
        if index >= *frames {
            let need = index.saturating_add(1);
            return Err(StackError::Frames { path: path.display().to_string(), have: *frames, need });
        }
        let io = |source| NpyError::Io { path: path.display().to_string(), source };
        let shape = start.shape;
        // No more than the file has, which was compared when it was opened.
        let mut bytes = vec![0; shape.frame_bytes() as usize];
        start.file.seek(SeekFrom::Start(start.start_bytes + index * shape.frame_bytes())).map_err(io)?;
        start.file.read_exact(&mut bytes).map_err(io)?;
        let too_large = |_| NpyError::TooLarge { rows: shape.rows as u64, columns: shape.columns as u64 };
        let cells = shape.element.decode(&bytes);
        Ok(Array2::from_shape_vec((shape.rows, shape.columns), cells).map_err(too_large)?)
    }
}

/// A file of frames, read up to its data.
#[derive(Debug)]
struct Start {
    file: File,
    shape: FrameShape,
    frames: u64,
    start_bytes: u64,
    data_bytes: u64,
}

fn read_start(path: &Path, options: &OpenOptions) -> Result<Start, StackError> {
    let io = |source| NpyError::Io { path: path.display().to_string(), source };
    // Looked at before it is opened: opening a pipe would wait for a writer.
    if !std::fs::metadata(path).map_err(io)?.is_file() {
        let reason = "not a regular file".into();
        return Err(NpyError::File { path: path.display().to_string(), reason }.into());
    }
    let mut file = options.open(path).map_err(io)?;
    let file_bytes = file.metadata().map_err(io)?.len();
    let mut bytes = Vec::new();
    (&mut file).take(HEADER_BYTES_MAX as u64 + 12).read_to_end(&mut bytes).map_err(io)?;
    let (header, data) = split(&bytes)?;
    let start_bytes = (bytes.len() - data.len()) as u64;
    let Some(element) = Element::of(&header.descr) else {
        return Err(NpyError::ElementType { descr: header.descr }.into());
    };
    let [frames, rows, columns] = header.shape[..] else {
        return Err(NpyError::Stack { shape: header.shape }.into());
    };
    if header.fortran_order {
        let reason = "the frames are in Fortran order: save numpy.ascontiguousarray(a)".into();
        return Err(NpyError::Header { reason }.into());
    }
    let side = |side: u64| usize::try_from(side).unwrap_or(usize::MAX);
    let shape = FrameShape { rows: side(rows), columns: side(columns), element };
    shape.validate()?;
    Ok(Start { file, shape, frames, start_bytes, data_bytes: file_bytes.saturating_sub(start_bytes) })
}

#[cfg(test)]
mod tests;
