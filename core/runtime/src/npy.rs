//! NumPy's `.npy` files: one two-dimensional array of floats, read from bytes that nobody vouches for.
//!
//! Read are format versions 1, 2 and 3 with little-endian `<f4` and `<f8` in C and Fortran order;
//! written is version 1 with `<f8` in C order, which every NumPy reads. The header is a Python
//! literal; the part of Python that NumPy writes is parsed here, and nothing is allocated for data
//! before the shape agrees with the bytes that are there. Pickled objects are never read.
//!
//! Format: NumPy Enhancement Proposal 1 and `numpy.lib.format` (R. Kern, 2007; version 3, 2018).

mod header;
pub mod stack;

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use mfn_sim::bounds::CELLS_MAX;
use ndarray::{Array2, ArrayView2, ShapeBuilder};

use crate::durable;
use header::Header;

/// What every file begins with.
const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// The longest header that is looked at, bytes. NumPy itself writes less than 200.
const HEADER_BYTES_MAX: usize = 4096;
/// The largest file that is read, bytes: the largest grid in double precision.
pub const FILE_BYTES_MAX: u64 = CELLS_MAX as u64 * 8 + HEADER_BYTES_MAX as u64;

/// Why bytes are not an array that is read here.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NpyError {
    /// The file can not be opened, read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not a regular file, or too large.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The first six bytes are not those of the format.
    #[error("not a .npy file: it does not begin with \\x93NUMPY; write it with numpy.save")]
    Magic,
    /// A version that does not exist.
    #[error(".npy version {major}.{minor} is not one of 1.0, 2.0, 3.0; write it with numpy.save")]
    Version {
        /// First number.
        major: u8,
        /// Second number.
        minor: u8,
    },
    /// The bytes end before the header or the data do.
    #[error("truncated: {have} bytes, {need} are needed; write the file anew")]
    Truncated {
        /// Bytes that are there.
        have: usize,
        /// Bytes that the header asks for.
        need: u64,
    },
    /// The header is not a literal that NumPy writes.
    #[error("bad .npy header: {reason}; write it with numpy.save")]
    Header {
        /// What is wrong with it.
        reason: String,
    },
    /// The elements are not floats that are read here.
    #[error("descr {descr:?} is not '<f8' or '<f4': convert with numpy.asarray(a, dtype='<f8')")]
    ElementType {
        /// The type found.
        descr: String,
    },
    /// The array does not have two dimensions.
    #[error("shape {shape:?} is not two-dimensional: save one field of rows and columns")]
    Dimensions {
        /// The shape found.
        shape: Vec<u64>,
    },
    /// The array does not have three dimensions.
    #[error("shape {shape:?} is not three-dimensional: save frames of rows and columns")]
    Stack {
        /// The shape found.
        shape: Vec<u64>,
    },
    /// The number of bytes that the shape asks for can not be counted.
    #[error("shape {rows} x {columns} is too large")]
    TooLarge {
        /// Rows of the shape.
        rows: u64,
        /// Columns of the shape.
        columns: u64,
    },
    /// There are more bytes than the shape asks for.
    #[error("{extra} bytes behind the data: write the file anew")]
    Trailing {
        /// Bytes too many.
        extra: usize,
    },
}

/// A type of the numbers in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// Single precision, `<f4`.
    F32,
    /// Double precision, `<f8`.
    F64,
}

impl Element {
    /// The name in a header.
    #[must_use]
    pub fn descr(self) -> &'static str {
        match self {
            Self::F32 => "<f4",
            Self::F64 => "<f8",
        }
    }

    /// Bytes of a number.
    #[must_use]
    pub fn bytes(self) -> u64 {
        match self {
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    fn of(descr: &str) -> Option<Self> {
        [Self::F32, Self::F64].into_iter().find(|element| element.descr() == descr)
    }

    /// Decodes whole numbers of this type.
    fn decode(self, data: &[u8]) -> Vec<f64> {
        match self {
            Self::F32 => data.as_chunks().0.iter().map(|&cell| f64::from(f32::from_le_bytes(cell))).collect(),
            Self::F64 => data.as_chunks().0.iter().map(|&cell| f64::from_le_bytes(cell)).collect(),
        }
    }
}

/// Decodes an array of rows and columns. NaN and infinite values are kept.
///
/// # Errors
/// [`NpyError`] that says what is wrong with the bytes and how to write better ones.
pub fn decode(bytes: &[u8]) -> Result<Array2<f64>, NpyError> {
    let (header, data) = split(bytes)?;
    let (rows, columns) = match header.shape[..] {
        [rows, columns] => (rows, columns),
        _ => return Err(NpyError::Dimensions { shape: header.shape }),
    };
    let Some(element) = Element::of(&header.descr) else {
        return Err(NpyError::ElementType { descr: header.descr });
    };
    let too_large = || NpyError::TooLarge { rows, columns };
    let cells = rows.checked_mul(columns);
    let need = cells.and_then(|cells| cells.checked_mul(element.bytes())).ok_or_else(too_large)?;
    let have = data.len() as u64;
    if have < need {
        let before = (bytes.len() - data.len()) as u64;
        return Err(NpyError::Truncated { have: bytes.len(), need: before.saturating_add(need) });
    }
    if have > need {
        return Err(NpyError::Trailing { extra: (have - need) as usize });
    }
    let values = element.decode(data);
    let shape = (rows as usize, columns as usize).set_f(header.fortran_order);
    // A shape with a zero and a huge number passes the check of bytes and is refused here.
    let array = Array2::from_shape_vec(shape, values).map_err(|_| too_large())?;
    Ok(if header.fortran_order { array.as_standard_layout().into_owned() } else { array })
}

/// Encodes rows and columns as `<f8` in C order, version 1.
#[must_use]
pub fn encode(values: ArrayView2<'_, f64>) -> Vec<u8> {
    encode_as(Element::F64, values, |value| value.to_le_bytes())
}

/// Encodes rows and columns as `<f4` in C order, version 1.
#[must_use]
pub fn encode_single(values: ArrayView2<'_, f32>) -> Vec<u8> {
    encode_as(Element::F32, values, |value| value.to_le_bytes())
}

fn encode_as<T: Copy, const BYTES: usize>(
    element: Element,
    values: ArrayView2<'_, T>,
    bytes_of: impl Fn(T) -> [u8; BYTES],
) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.reserve_exact(header::ALIGNMENT * 2 + values.len() * BYTES);
    // A vector takes everything.
    _ = write_as(&mut bytes, element, values, bytes_of);
    bytes
}

/// Writes what [`encode`] gives, without a copy of the whole in memory.
///
/// # Errors
/// What the writer says.
pub fn write_to(writer: &mut (impl Write + ?Sized), values: ArrayView2<'_, f64>) -> io::Result<()> {
    write_as(writer, Element::F64, values, |value| value.to_le_bytes())
}

/// Writes what [`encode_single`] gives, without a copy of the whole in memory.
///
/// # Errors
/// What the writer says.
pub fn write_single_to(writer: &mut (impl Write + ?Sized), values: ArrayView2<'_, f32>) -> io::Result<()> {
    write_as(writer, Element::F32, values, |value| value.to_le_bytes())
}

fn write_as<T: Copy, const BYTES: usize>(
    writer: &mut (impl Write + ?Sized),
    element: Element,
    values: ArrayView2<'_, T>,
    bytes_of: impl Fn(T) -> [u8; BYTES],
) -> io::Result<()> {
    let (rows, columns) = values.dim();
    writer.write_all(&header::write(element, &[rows as u64, columns as u64], header::ALIGNMENT))?;
    let mut row_bytes = Vec::with_capacity(columns * BYTES);
    for row in values.rows() {
        row_bytes.clear();
        row_bytes.extend(row.iter().flat_map(|&value| bytes_of(value)));
        writer.write_all(&row_bytes)?;
    }
    Ok(())
}

/// Reads a file of at most [`FILE_BYTES_MAX`].
///
/// # Errors
/// [`NpyError`] when it is not a regular file, can not be read, or is not such an array.
pub fn read(path: &Path) -> Result<Array2<f64>, NpyError> {
    let io = |source| NpyError::Io { path: path.display().to_string(), source };
    let refuse = |reason: String| NpyError::File { path: path.display().to_string(), reason };
    // Looked at before it is opened: opening a pipe would wait for a writer.
    let metadata = std::fs::metadata(path).map_err(io)?;
    if !metadata.is_file() {
        return Err(refuse("not a regular file".into()));
    }
    if metadata.len() > FILE_BYTES_MAX {
        return Err(refuse(format!("{} bytes, at most {FILE_BYTES_MAX} are read", metadata.len())));
    }
    let mut bytes = Vec::new();
    File::open(path).map_err(io)?.take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(io)?;
    decode(&bytes)
}

/// Writes a file whole and durably, replacing what is there.
///
/// # Errors
/// [`NpyError::Io`] when it can not be written; what was there is then still there.
pub fn write(path: &Path, values: ArrayView2<'_, f64>) -> Result<(), NpyError> {
    let io = |source| NpyError::Io { path: path.display().to_string(), source };
    durable::write_whole(path, |writer| write_to(writer, values)).map_err(io)
}

/// Splits a file into its header and its data.
fn split(bytes: &[u8]) -> Result<(Header, &[u8]), NpyError> {
    let have = bytes.len();
    let truncated = |need: usize| NpyError::Truncated { have, need: need as u64 };
    let rest = bytes.strip_prefix(MAGIC).ok_or(NpyError::Magic)?;
    let (&[major, minor], rest) = rest.split_first_chunk().ok_or_else(|| truncated(MAGIC.len() + 2))?;
    let (length, rest) = match (major, minor) {
        (1, 0) => {
            let (length, rest) = rest.split_first_chunk().ok_or_else(|| truncated(MAGIC.len() + 4))?;
            (usize::from(u16::from_le_bytes(*length)), rest)
        }
        (2 | 3, 0) => {
            let (length, rest) = rest.split_first_chunk().ok_or_else(|| truncated(MAGIC.len() + 6))?;
            (usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX), rest)
        }
        _ => return Err(NpyError::Version { major, minor }),
    };
    if length > HEADER_BYTES_MAX {
        let reason = format!("{length} bytes long, at most {HEADER_BYTES_MAX} are read");
        return Err(NpyError::Header { reason });
    }
    let (header, data) =
        rest.split_at_checked(length).ok_or_else(|| truncated(have - rest.len() + length))?;
    let text = std::str::from_utf8(header)
        .map_err(|error| NpyError::Header { reason: format!("not UTF-8 at byte {}", error.valid_up_to()) })?;
    let header = header::parse(text).map_err(|reason| NpyError::Header { reason })?;
    Ok((header, data))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&[1, 0]);
        bytes.extend_from_slice(&(header.len() as u16).to_le_bytes());
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(data);
        bytes
    }

    // Guards that what is written is read back bit for bit, NaN and infinity included, and that data
    // begins where NumPy's alignment wants it.
    #[test]
    fn written_arrays_are_read_back() {
        let values = ndarray::arr2(&[[1.5, -0.0, f64::NAN], [f64::INFINITY, f64::MIN_POSITIVE, -0.07]]);
        let bytes = encode(values.view());
        assert_eq!((bytes.len() - 6 * 8) % header::ALIGNMENT, 0);
        let read = decode(&bytes).unwrap();
        assert_eq!(read.dim(), (2, 3));
        assert!(values.iter().zip(&read).all(|(a, b)| a.to_bits() == b.to_bits()));
        // A transposed view is written in the order of its rows.
        assert_eq!(decode(&encode(values.t())).unwrap().dim(), (3, 2));
    }

    // Guards against swapped rows and columns: Fortran order is the order of columns.
    #[test]
    fn fortran_order_and_single_precision_are_read() {
        let data: Vec<u8> = [1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0].iter().flat_map(|v| v.to_le_bytes()).collect();
        let header = "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }\n";
        let read = decode(&file(header, &data)).unwrap();
        assert_eq!(read, ndarray::arr2(&[[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]]));
        assert!(read.is_standard_layout());
    }

    // Guards versions 2 and 3, whose header length has four bytes.
    #[test]
    fn versions_two_and_three_are_read() {
        let header = "{\"shape\": (1, 1), 'fortran_order': False, 'descr': '<f8'}";
        for version in [2, 3] {
            let mut bytes = MAGIC.to_vec();
            bytes.extend_from_slice(&[version, 0]);
            bytes.extend_from_slice(&(header.len() as u32).to_le_bytes());
            bytes.extend_from_slice(header.as_bytes());
            bytes.extend_from_slice(&0.25f64.to_le_bytes());
            assert_eq!(decode(&bytes).unwrap()[[0, 0]], 0.25);
        }
    }

    // Guards against the headers of a hostile file: each is refused with its reason, before memory is
    // taken for what it claims.
    #[test]
    fn hostile_files_are_refused() {
        let shape = |shape: &str| format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}");
        let refused = |bytes: &[u8]| decode(bytes).unwrap_err();
        assert!(matches!(refused(b""), NpyError::Magic));
        assert!(matches!(refused(b"\x93NUMPY"), NpyError::Truncated { .. }));
        assert!(matches!(refused(b"\x93NUMPY\x09\x00\x00\x00"), NpyError::Version { major: 9, .. }));
        assert!(matches!(refused(b"\x93NUMPY\x02\x00\xff\xff\xff\xff"), NpyError::Header { .. }));
        assert!(matches!(refused(b"\x93NUMPY\x01\x00\x10\x00{"), NpyError::Truncated { .. }));
        for (text, expected) in [
            ("(18446744073709551615, 2)", "TooLarge"),
            ("(4294967296, 4294967296)", "TooLarge"),
            ("(0, 18446744073709551615)", "Trailing"),
            ("(1000000, 1000000)", "Truncated"),
            ("(99999999999999999999, 1)", "Header"),
            ("(-1, 1)", "Header"),
            ("(2,)", "Dimensions"),
            ("()", "Dimensions"),
            ("(1, 1, 1)", "Dimensions"),
            ("(1, 2", "Header"),
            ("((((1", "Header"),
        ] {
            let error = refused(&file(&shape(text), &[0; 8]));
            assert!(format!("{error:?}").starts_with(expected), "{text}: {error:?}");
        }
        assert!(matches!(
            refused(&file(&shape("(0, 18446744073709551615)"), &[])),
            NpyError::TooLarge { .. }
        ));
        assert!(matches!(refused(&file(&shape("(1, 1)"), &[0; 9])), NpyError::Trailing { extra: 1 }));
        assert!(matches!(refused(&file(&shape("(1, 1)"), &[0; 7])), NpyError::Truncated { .. }));
        for descr in ["'>f8'", "'<i8'", "'|O'", "[('a', '<f8')]", "'<f16'"] {
            let header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (1, 1), }}");
            assert!(decode(&file(&header, &[0; 8])).is_err(), "{descr}");
        }
    }

    // Guards that reading a directory or a missing file is an error with its path.
    #[test]
    fn files_that_are_none_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        assert!(matches!(read(directory.path()), Err(NpyError::File { .. })));
        let path = directory.path().join("a.npy");
        assert!(matches!(read(&path), Err(NpyError::Io { .. })));
        write(&path, ndarray::arr2(&[[1.0, 2.0]]).view()).unwrap();
        assert_eq!(read(&path).unwrap(), ndarray::arr2(&[[1.0, 2.0]]));
    }
}
