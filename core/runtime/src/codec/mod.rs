//! Codecs: from the bytes of a record to a typed value, chosen by the record's content type.
//!
//! A connector does not know what its bytes mean, and the simulation does not know how they were
//! written; this is the one place that knows both. Bytes come from anybody, so every codec gives a
//! [`DecodeError`] that says what is wrong and what to do, whatever it is fed.

mod csv_line;
mod json;

use mfn_sim::{Spec, SpecError, bounds::Bound};
use ndarray::{Array2, ArrayView2};

use crate::npy::{self, NpyError};
use crate::text;

/// Content type of a specification as one JSON object.
pub const JSON: &str = "application/json";
/// Content type of a specification as a CSV header line and one line of values.
pub const CSV: &str = "text/csv";
/// Content type of a field as a NumPy array.
pub const NPY: &str = "application/x-npy";

/// A decoded record.
#[derive(Debug, Clone, PartialEq)]
pub enum Observation {
    /// A simulation is asked for; the specification is valid.
    Simulation(Box<Spec>),
    /// A field of the host's own, in volts, finite and not empty; features are asked for.
    Field(Array2<f64>),
}

/// Why a record can not be decoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// No codec for this content type.
    #[error("content type {found:?} is not one of {}; send one of these", known().join(", "))]
    ContentType {
        /// The content type found.
        found: String,
    },
    /// Not JSON, or not a specification.
    #[error("{}{message}; send a JSON object with the fields of a specification", place(.path))]
    Json {
        /// The field, or empty for the whole.
        path: String,
        /// What is wrong with it.
        message: String,
    },
    /// Not a header line and one line of values, or not a specification.
    #[error("{}{message}; send a header line with fields of a specification and one line of values", place(.path))]
    Csv {
        /// The column, or empty for the whole.
        path: String,
        /// What is wrong with it.
        message: String,
    },
    /// The specification has values out of range.
    #[error("invalid specification: {0}")]
    Spec(#[from] SpecError),
    /// Not a NumPy array that is read here.
    #[error(transparent)]
    Npy(#[from] NpyError),
    /// The field holds a value that is no potential.
    #[error("field has {value} at row {row}, column {column}: send finite potentials in volts")]
    NotFinite {
        /// Row of the first such cell.
        row: usize,
        /// Column of the first such cell.
        column: usize,
        /// Its value.
        value: f64,
    },
}

/// Turns a payload into a value.
type Decode = fn(&[u8]) -> Result<Observation, DecodeError>;

/// The codecs by content type.
const CODECS: [(&str, Decode); 3] = [
    (JSON, |payload| simulation(json::decode(payload)?)),
    (CSV, |payload| simulation(csv_line::decode(payload)?)),
    (NPY, |payload| finite(npy::decode(payload)?)),
];

/// Decodes a payload by its content type; parameters such as `charset` and letter case are ignored.
///
/// # Errors
/// [`DecodeError`] that says what is wrong with the record and what to send instead.
pub fn decode(content_type: &str, payload: &[u8]) -> Result<Observation, DecodeError> {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let codec = CODECS.iter().find(|(name, _)| name.eq_ignore_ascii_case(essence));
    let (_, decode) =
        codec.ok_or_else(|| DecodeError::ContentType { found: essence.chars().take(100).collect() })?;
    decode(payload)
}

/// The content types that can be decoded.
#[must_use]
pub fn known() -> [&'static str; 3] {
    CODECS.map(|(name, _)| name)
}

fn simulation(spec: Spec) -> Result<Observation, DecodeError> {
    spec.validate()?;
    Ok(Observation::Simulation(Box::new(spec)))
}

fn finite(field: Array2<f64>) -> Result<Observation, DecodeError> {
    check_finite(field.view())?;
    Ok(Observation::Field(field))
}

/// Checks that every cell of a field is a potential.
///
/// # Errors
/// [`DecodeError::NotFinite`] with the first cell that is NaN or infinite.
pub fn check_finite(field: ArrayView2<'_, f64>) -> Result<(), DecodeError> {
    match field.indexed_iter().find(|(_, value)| !value.is_finite()) {
        Some(((row, column), &value)) => Err(DecodeError::NotFinite { row, column, value }),
        None => Ok(()),
    }
}

/// The most characters of a message that come from a request.
const QUOTE_CHARS_MAX: usize = 300;

/// A text of a request, or one that repeats it, fit for a message.
fn cut(text: &str) -> String {
    text::one_line(text, QUOTE_CHARS_MAX)
}

/// What is wrong, and for a field with bounds what it takes: serde names Rust's types, which say
/// nothing to the author of a request.
fn explain(path: &str, error: &serde_json::Error) -> String {
    let text = cut(&error.to_string());
    match Bound::of(path) {
        Some(bound) if error.is_data() => {
            let found = text.split_once(", expected ").map_or(text.as_str(), |(found, _)| found);
            let number = if bound.integer { "a whole number" } else { "a number" };
            format!("{found}, {number} in {bound} is needed")
        }
        _ => text,
    }
}

/// The beginning of a message about a place.
fn place(path: &str) -> String {
    // The path of a document that ends too early is a question mark.
    if matches!(path, "" | "." | "?") { String::new() } else { format!("{path}: ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(content_type: &str, payload: &str) -> Spec {
        match decode(content_type, payload.as_bytes()).unwrap() {
            Observation::Simulation(spec) => *spec,
            Observation::Field(_) => panic!("a field"),
        }
    }

    fn refused(content_type: &str, payload: &[u8]) -> String {
        decode(content_type, payload).unwrap_err().to_string()
    }

    // Guards the choice of the codec, and that one request is the same in both spellings.
    #[test]
    fn a_request_is_the_same_in_json_and_csv() {
        let json = spec(
            "Application/JSON; charset=utf-8",
            r#"{"grid_size":32,"alpha":0.12,"boundary_condition":"neumann","turing_enabled":false}"#,
        );
        let csv = spec(
            "text/csv",
            "grid_size, alpha,boundary_condition,turing_enabled,steps\r\n32,0.12,neumann,false,\r\n",
        );
        assert_eq!(json, csv);
        assert_eq!(json.steps, Spec::default().steps);
        let json = spec(JSON, r#"{"kinetics":{"name":"gray-scott","feed":0.03,"kill":0.06}}"#);
        let csv = spec("text/csv", "kinetics.name,kinetics.feed,kinetics.kill\ngray-scott,0.03,0.06\n");
        assert_eq!(json, csv);
        assert!(refused("image/png", b"").contains("application/x-npy"));
        assert!(refused("", b"{}").contains("content type"));
    }

    // Guards that a decimal number becomes the nearest double, as in Python: a specification with a
    // number off by one unit in the last place gives another field.
    #[test]
    fn numbers_are_read_to_the_last_bit() {
        for text in ["0.12999999999999998", "0.1412345678901234567", "1.2345678901234565e-1"] {
            let expected: f64 = text.parse().unwrap();
            assert_eq!(spec(JSON, &format!("{{\"alpha\":{text}}}")).alpha.to_bits(), expected.to_bits());
            assert_eq!(spec(CSV, &format!("alpha\n{text}\n")).alpha.to_bits(), expected.to_bits());
        }
    }

    // Guards that messages name the field and the range, for the person who has to correct the record.
    #[test]
    fn refusals_name_the_field() {
        assert!(refused(JSON, br#"{"grid_size":-3}"#).starts_with("grid_size: "));
        assert!(refused(JSON, br#"{"grid":3}"#).contains("unknown field `grid`"));
        assert!(refused(JSON, br#"{"alpha":0.9}"#).contains("[0, 0.25)"));
        assert!(refused(JSON, br#"{"alpha":0.1,"alpha":0.2}"#).contains("duplicate field"));
        assert!(refused(JSON, b"{\"alpha\":1e999}").contains("out of range"));
        assert!(refused(JSON, b"{\"alpha").starts_with("EOF"));
        assert!(refused(JSON, b"{} {}").contains("trailing"));
        assert!(refused(JSON, b"{\xff}").contains("line 1"));
        assert!(refused(JSON, b" [16, 20]").contains("not an object"));
        assert!(refused(CSV, b"alpha\nNaN\n").starts_with("alpha: "));
        assert!(refused(CSV, b"alpha\n0.1\n0.2\n").contains("more than one line"));
        assert!(refused(CSV, b"alpha\n").contains("no line of values"));
        assert!(refused(CSV, b"").contains("no line of values"));
        assert!(refused(CSV, b"alpha,alpha\n0.1,0.2\n").contains("twice"));
        assert!(refused(CSV, b"kinetics,kinetics.feed\ngray-scott,0.03\n").contains("beside"));
        assert!(refused(CSV, b"kinetics.feed,kinetics\n0.03,gray-scott\n").contains("beside"));
        assert!(refused(CSV, b"alpha.x\n0.1\n").starts_with("alpha"));
        assert!(refused(CSV, b"alpha\n0.1,0.2\n").contains("fields"));
        assert!(refused(CSV, b"alpha\n\xff\n").contains("UTF-8"));
        let field = ndarray::arr2(&[[0.0, f64::NAN]]);
        assert!(refused(NPY, &npy::encode(field.view())).contains("row 0, column 1"));
    }

    // Guards the stack: a deep document must be refused, not recursed into.
    #[test]
    fn deep_documents_are_refused() {
        for text in ["[".repeat(1_000_000), "{\"alpha\":".repeat(200_000)] {
            refused(JSON, text.as_bytes());
        }
    }
}
