//! A specification as one JSON object.

use mfn_sim::Spec;

use super::{DecodeError, cut, explain};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Decodes the object. Ranges are not checked here. A byte order mark is skipped, as RFC 8259 allows.
pub(super) fn decode(payload: &[u8]) -> Result<Spec, DecodeError> {
    let text = payload.strip_prefix(BYTE_ORDER_MARK).unwrap_or(payload);
    // As a derived reader does, serde would take an array too, as the fields in their order.
    if text.trim_ascii_start().first().is_some_and(|&byte| byte != b'{') {
        let message = if std::str::from_utf8(text).is_ok() { "not an object" } else { "not UTF-8 text" };
        return Err(DecodeError::Json { path: String::new(), message: message.to_owned() });
    }
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let spec = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let message = explain(&path, &error.into_inner());
        DecodeError::Json { path: cut(&path), message }
    })?;
    deserializer
        .end()
        .map_err(|error| DecodeError::Json { path: String::new(), message: cut(&error.to_string()) })?;
    Ok(spec)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(payload: &[u8]) -> String {
        decode(payload).unwrap_err().to_string()
    }

    /// Guards that a value of the wrong type is answered with the range of its field, not with the
    /// name of a Rust type.
    #[test]
    fn a_wrong_type_names_the_range() {
        let text = message(br#"{"grid_size": 16.5}"#);
        assert!(text.contains("grid_size") && text.contains("16.5"), "{text}");
        assert!(text.contains("a whole number in [1, 65536] is needed") && !text.contains("usize"), "{text}");
        let text = message(br#"{"alpha": "high"}"#);
        assert!(text.contains("a number in [0, 1000000] is needed"), "{text}");
        let text = message(format!(r#"{{"{}": 1}}"#, "x".repeat(1_000_000)).as_bytes());
        assert!(text.contains("unknown field") && text.len() < 1000, "{}", text.len());
        let text = message(br#"{"alpha": 0.1, "alpha": 0.2}"#);
        assert!(text.contains("duplicate field"), "{text}");
    }

    /// Guards files of editors that write a mark, and says what is wrong with other encodings.
    #[test]
    fn encodings_are_told_apart() {
        assert!(decode(b"\xef\xbb\xbf{\"steps\": 3}").is_ok());
        assert!(message(b"\xff\xfe{\0\"\0").contains("not UTF-8 text"));
        assert!(message(b"[1]").contains("not an object"));
    }
}
