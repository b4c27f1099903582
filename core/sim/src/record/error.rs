//! Why a recording is refused.

/// Why a recording can not be made or a frame not be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// There is nothing to record.
    #[error("no planes to record: name at least one of field, activator, inhibitor")]
    NoPlanes,
    /// A ring has room for no frame.
    #[error("a ring of 0 frames keeps nothing: give a capacity of at least 1 frame")]
    NoCapacity,
    /// A side of the frames is out of range.
    #[error("frames of {rows} x {columns} cells: sides are 1 to 65536 cells, and at most 2^28 cells in all")]
    Shape {
        /// Rows of the frames.
        rows: usize,
        /// Columns of the frames.
        columns: usize,
    },
    /// The memory for the frames is not to be had.
    #[error(
        "{frames} frames of {rows} x {columns} cells and {planes} planes need {bytes} bytes, which are not \
         to be had: give a smaller capacity"
    )]
    Memory {
        /// Frames asked for.
        frames: usize,
        /// Rows of the frames.
        rows: usize,
        /// Columns of the frames.
        columns: usize,
        /// Planes of a frame.
        planes: usize,
        /// Bytes that they need together.
        bytes: u128,
    },
    /// A frame has another shape than the recording.
    #[error(
        "a frame of {given_rows} x {given_columns} cells for a recording of {rows} x {columns}: \
         record runs of one grid"
    )]
    Frame {
        /// Rows of the frame.
        given_rows: usize,
        /// Columns of the frame.
        given_columns: usize,
        /// Rows of the recording.
        rows: usize,
        /// Columns of the recording.
        columns: usize,
    },
}
