//! Reading the vectors.

use std::fs;
use std::path::PathBuf;

use ndarray::{Array2, Array3};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// One call of the reference system.
#[derive(Debug, Deserialize)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) group: String,
    #[serde(default)]
    seed: Value,
    #[serde(default)]
    pub(crate) params: Map<String, Value>,
    pub(crate) expected: Map<String, Value>,
    #[serde(default)]
    arrays: Map<String, Value>,
}

#[derive(Deserialize)]
struct Index {
    entries: Vec<Entry>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

/// All entries.
pub(crate) fn index() -> Vec<Entry> {
    let text = fs::read_to_string(folder().join("index.json")).expect("index.json");
    serde_json::from_str::<Index>(&text).expect("a list of entries").entries
}

impl Entry {
    /// The seed of the random stream.
    pub(crate) fn seed(&self) -> u64 {
        whole(&self.seed)
    }

    pub(crate) fn has_array(&self, name: &str) -> bool {
        self.arrays.contains_key(name)
    }

    /// The bytes of an array, checked against its checksum, and its shape.
    fn bytes(&self, name: &str) -> (Vec<u8>, Vec<usize>) {
        let array = &self.arrays[name];
        let bytes = fs::read(folder().join(array["file"].as_str().expect("file"))).expect("array file");
        let expected = array["sha256"].as_str().expect("sha256");
        assert_eq!(hex_sha256(&bytes), expected, "{} {name}: file checksum", self.id);
        let shape = array["shape"].as_array().expect("shape");
        (bytes, shape.iter().map(|side| side.as_u64().expect("side") as usize).collect())
    }

    /// The numbers of an array, row by row, and its shape.
    pub(crate) fn cells(&self, name: &str) -> (Vec<f64>, Vec<usize>) {
        let (bytes, shape) = self.bytes(name);
        (
            bytes.chunks_exact(8).map(|word| f64::from_le_bytes(word.try_into().expect("8 bytes"))).collect(),
            shape,
        )
    }

    pub(crate) fn grid(&self, name: &str) -> Array2<f64> {
        let (cells, shape) = self.cells(name);
        Array2::from_shape_vec((shape[0], shape[1]), cells).expect("a grid")
    }

    /// A history; a single field becomes a history of one frame.
    pub(crate) fn history(&self, name: &str) -> Array3<f64> {
        let (cells, shape) = self.cells(name);
        let frames = if shape.len() == 3 { shape[0] } else { 1 };
        let sides = &shape[shape.len() - 2..];
        Array3::from_shape_vec((frames, sides[0], sides[1]), cells).expect("a history")
    }

    pub(crate) fn mask(&self, name: &str) -> Array2<bool> {
        let (bytes, shape) = self.bytes(name);
        let cells = bytes.into_iter().map(|byte| byte != 0).collect();
        Array2::from_shape_vec((shape[0], shape[1]), cells).expect("a mask")
    }
}

/// A number, also where JSON has a string for it (`"nan"`, whole numbers beyond 2^53).
pub(crate) fn number(value: &Value) -> f64 {
    match value {
        Value::Number(number) => number.as_f64().expect("f64"),
        Value::String(text) => text.parse().expect("a number in a string"),
        other => panic!("{other} is not a number"),
    }
}

pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(number).collect()
}

/// A whole number written as a number or as a string.
pub(crate) fn whole<T: std::str::FromStr<Err: std::fmt::Debug>>(value: &Value) -> T {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    text.parse().expect("a whole number")
}

pub(crate) fn wholes<T: std::str::FromStr<Err: std::fmt::Debug>>(value: &Value) -> Vec<T> {
    value.as_array().expect("a list").iter().map(whole).collect()
}

pub(crate) fn hex_sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The checksum of cells as little-endian f64, as in the index.
pub(crate) fn checksum<'a>(cells: impl IntoIterator<Item = &'a f64>) -> String {
    let bytes: Vec<u8> = cells.into_iter().flat_map(|cell| cell.to_le_bytes()).collect();
    hex_sha256(&bytes)
}

/// Equality of every bit of every cell.
pub(crate) fn assert_same_bits<'a>(
    what: &str,
    actual: impl IntoIterator<Item = &'a f64>,
    expected: impl IntoIterator<Item = &'a f64>,
) {
    let actual: Vec<f64> = actual.into_iter().copied().collect();
    let expected: Vec<f64> = expected.into_iter().copied().collect();
    assert_eq!(actual.len(), expected.len(), "{what}: number of cells");
    for (index, (a, e)) in actual.iter().zip(&expected).enumerate() {
        assert_eq!(a.to_bits(), e.to_bits(), "{what}: cell {index} is {a:e}, expected {e:e}");
    }
}

/// Equality within `tolerance`, relative or absolute, whichever is larger; NaN equals NaN.
pub(crate) fn assert_close(what: &str, actual: f64, expected: f64, tolerance: f64) {
    let same = actual == expected || (actual.is_nan() && expected.is_nan());
    let near = (actual - expected).abs() <= tolerance * expected.abs().max(1.0);
    assert!(same || near, "{what}: {actual:e}, expected {expected:e}");
}
