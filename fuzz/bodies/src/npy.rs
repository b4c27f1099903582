//! NPY files of any form.

use mfn_runtime::npy;

/// Bytes that may be an NPY file.
///
/// Holds for every input: it is refused, or it is an array whose cells are no more than the bytes that
/// are there, and which, written and read again, has the same shape and the same bits.
pub fn npy(bytes: &[u8]) {
    let Ok(array) = npy::decode(bytes) else { return };
    assert!(array.len() * 4 <= bytes.len(), "{} cells out of {} bytes", array.len(), bytes.len());
    let written = npy::encode(array.view());
    let again = npy::decode(&written).expect("what was written can be read");
    assert_eq!(array.dim(), again.dim());
    assert!(array.iter().zip(&again).all(|(before, after)| before.to_bits() == after.to_bits()));
}
