//! A specification as one JSON object.

use mfn_sim::Spec;

use super::DecodeError;

/// Decodes the object. Ranges are not checked here.
pub(super) fn decode(payload: &[u8]) -> Result<Spec, DecodeError> {
    // As a derived reader does, serde would take an array too, as the fields in their order.
    if payload.trim_ascii_start().first().is_some_and(|&byte| byte != b'{') {
        return Err(DecodeError::Json { path: String::new(), message: "not an object".to_owned() });
    }
    let mut deserializer = serde_json::Deserializer::from_slice(payload);
    let spec = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| DecodeError::Json {
        path: error.path().to_string(),
        message: error.inner().to_string(),
    })?;
    deserializer
        .end()
        .map_err(|error| DecodeError::Json { path: String::new(), message: error.to_string() })?;
    Ok(spec)
}
