//! Stacks as they are written, left by a killed writer, and made by others.

use std::fs;

use ndarray::Array2;

use super::*;

const SHAPE: FrameShape = FrameShape { rows: 3, columns: 5, element: Element::F64 };

fn frame(number: u64) -> Array2<f64> {
    Array2::from_shape_fn((3, 5), |(row, column)| number as f64 + row as f64 / 8.0 - column as f64 / 64.0)
}

fn place() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("stack.npy");
    (directory, path)
}

// Guards the format: what `numpy.save` writes for such an array, with the header's length padded, and read
// back frame by frame in any order with the same bits.
#[test]
fn a_stack_is_written_and_read_back() {
    let (_directory, path) = place();
    let mut writer = StackWriter::create(&path, SHAPE).unwrap();
    for number in 0..11 {
        // A transposed copy transposed again: strides do not matter.
        writer.push(frame(number).t().to_owned().t()).unwrap();
    }
    writer.sync().unwrap();
    let bytes = fs::read(&path).unwrap();
    assert_eq!(bytes.len(), 128 + 11 * 3 * 5 * 8);
    assert_eq!(&bytes[..10], b"\x93NUMPY\x01\x00\x76\x00");
    let text = "{'descr': '<f8', 'fortran_order': False, 'shape': (11, 3, 5), }";
    assert!(bytes[10..].starts_with(text.as_bytes()));
    assert!(bytes[10 + text.len()..127].iter().all(|&byte| byte == b' '));
    assert_eq!(bytes[127], b'\n');
    let mut reader = StackReader::open(&path).unwrap();
    assert_eq!((reader.frames(), reader.shape()), (11, SHAPE));
    for number in [10, 0, 7] {
        assert_eq!(reader.frame(number).unwrap(), frame(number));
    }
    assert!(matches!(reader.frame(11), Err(StackError::Frames { have: 11, need: 12, .. })));
    assert!(reader.frame(u64::MAX).is_err());
}

// Guards the conversion of numbers: single precision is kept exactly in both types.
#[test]
fn single_precision_is_kept() {
    let cells = ndarray::arr2(&[[0.1f32, f32::NAN, -0.0], [f32::INFINITY, 1e-42, 3.0]]);
    for element in [Element::F32, Element::F64] {
        let (_directory, path) = place();
        let mut writer = StackWriter::create(&path, FrameShape { rows: 2, columns: 3, element }).unwrap();
        writer.push(cells.view()).unwrap();
        writer.sync().unwrap();
        let read = StackReader::open(&path).unwrap().frame(0).unwrap();
        let same =
            |(a, b): (&f32, &f64)| f64::from(*a).to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
        assert!(cells.iter().zip(&read).all(same), "{read:?}");
    }
}

// Guards what a kill leaves: never read as complete unless it is, and continued from any whole frame, after
// which the file is the one of an undisturbed writer.
#[test]
fn a_killed_writer_leaves_frames_that_can_be_continued() {
    let (directory, path) = place();
    let complete = directory.path().join("complete.npy");
    let mut writer = StackWriter::create(&complete, SHAPE).unwrap();
    (0..6).for_each(|number| writer.push(frame(number).view()).unwrap());
    writer.sync().unwrap();
    let expected = fs::read(&complete).unwrap();

    for (cut, synced) in
        [(128, 0), (129, 0), (128 + 3 * 120, 0), (128 + 3 * 120 + 119, 2), (128 + 4 * 120, 4)]
    {
        let mut writer = StackWriter::create(&path, SHAPE).unwrap();
        for number in 0..5 {
            if number == synced {
                writer.sync().unwrap();
            }
            writer.push(frame(number).view()).unwrap();
        }
        drop(writer);
        OpenOptions::new().write(true).open(&path).unwrap().set_len(cut).unwrap();
        let is_complete = cut == 128 + synced * 120;
        assert_eq!(StackReader::open(&path).is_ok(), is_complete, "{cut}");
        let whole = (cut - 128) / 120;
        let refused = StackWriter::resume(&path, SHAPE, whole + 1);
        assert!(matches!(refused, Err(StackError::Frames { have, .. }) if have == whole), "{cut}");
        assert_eq!(fs::metadata(&path).unwrap().len(), cut, "a refusal changed the file");
        let from = whole.min(2);
        let mut writer = StackWriter::resume(&path, SHAPE, from).unwrap();
        assert_eq!(StackReader::open(&path).unwrap().frames(), from);
        (from..6).for_each(|number| writer.push(frame(number).view()).unwrap());
        writer.sync().unwrap();
        assert_eq!(fs::read(&path).unwrap(), expected, "{cut}");
    }
}

// Guards against mixing recordings: other frames are never added to a file.
#[test]
fn other_frames_are_refused() {
    let (directory, path) = place();
    let mut writer = StackWriter::create(&path, SHAPE).unwrap();
    assert!(matches!(writer.push(frame(0).t()), Err(StackError::Frame { given_rows: 5, .. })));
    writer.push(frame(0).view()).unwrap();
    writer.sync().unwrap();
    for shape in [
        FrameShape { rows: 5, columns: 3, ..SHAPE },
        FrameShape { element: Element::F32, ..SHAPE },
        FrameShape { rows: 1, ..SHAPE },
    ] {
        assert!(matches!(StackWriter::resume(&path, shape, 1), Err(StackError::Differs { .. })));
    }
    assert_eq!(StackReader::open(&path).unwrap().frames(), 1);
    for (rows, columns) in [(0, 5), (5, 0), (65_537, 1), (1, usize::MAX)] {
        let refused = StackWriter::create(&path, FrameShape { rows, columns, ..SHAPE });
        assert!(matches!(refused, Err(StackError::Shape { .. })));
    }
    assert!(matches!(StackReader::open(directory.path()), Err(StackError::File(NpyError::File { .. }))));
    assert!(matches!(StackReader::open(&path.join("x")), Err(StackError::File(NpyError::Io { .. }))));
}

// Guards the reader against the headers of a hostile file, before memory is taken for what they claim.
#[test]
fn hostile_stacks_are_refused() {
    let (_directory, path) = place();
    for (header, expected) in [
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (18446744073709551615, 2, 2), }", "TooLarge"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 65536, 65536), }", "Truncated"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 0, 2), }", "Shape"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2, 18446744073709551615), }", "Shape"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 2, 2), }", "Trailing"),
        ("{'descr': '<f8', 'fortran_order': True, 'shape': (1, 2, 2), }", "Header"),
        ("{'descr': '>f8', 'fortran_order': False, 'shape': (1, 2, 2), }", "ElementType"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }", "Stack"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2, 3), }", "Truncated"),
    ] {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend_from_slice(&(header.len() as u16).to_le_bytes());
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(&[0; 32]);
        fs::write(&path, &bytes).unwrap();
        let error = StackReader::open(&path).unwrap_err();
        assert!(format!("{error:?}").contains(expected), "{header}: {error:?}");
        assert!(StackWriter::resume(&path, SHAPE, 0).is_err());
        assert_eq!(fs::read(&path).unwrap(), bytes, "a refusal changed the file");
    }
}

// Guards a disk that is full: a typed error, a file that ends with a whole frame, and no more frames.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_ends_with_an_error() {
    let full = Path::new("/dev/full");
    let refused = StackWriter::create(full, SHAPE);
    assert!(matches!(refused, Err(StackError::File(NpyError::Io { .. }))), "{refused:?}");
    let (_directory, path) = place();
    let mut writer = StackWriter::create(&path, SHAPE).unwrap();
    writer.push(frame(0).view()).unwrap();
    writer.file = OpenOptions::new().write(true).open(full).unwrap();
    assert!(matches!(writer.push(frame(1).view()), Err(StackError::File(_))));
    assert_eq!(writer.frames(), 1);
    assert!(matches!(writer.push(frame(1).view()), Err(StackError::Failed { frames: 1, .. })));
}
