//! Looks whether bytes are JSON that every reader can take, without recursion and without a tree of values.

use serde_json::value::RawValue;

/// Readers of JSON commonly stop at this nesting, serde_json among them.
pub const DEPTH_MAX: usize = 128;

/// The payload as JSON, its bytes untouched but for white space around it.
///
/// # Errors
/// A text that says why it is none.
pub fn read(payload: &[u8]) -> Result<&RawValue, String> {
    let value: &RawValue =
        serde_json::from_slice(payload).map_err(|error| format!("it is not JSON ({error})"))?;
    // A raw value is checked without recursion, so its nesting has no bound yet. With few brackets, which is what
    // nearly all payloads have, nothing else has to be looked at; that count is much faster than the levels.
    let brackets = memchr::memchr2_iter(b'[', b'{', value.get().as_bytes()).take(DEPTH_MAX + 1).count();
    if brackets > DEPTH_MAX && depth(value.get()) > DEPTH_MAX {
        return Err(format!("it is nested deeper than {DEPTH_MAX} levels"));
    }
    Ok(value)
}

/// The deepest nesting of arrays and objects in valid JSON.
#[must_use]
pub fn depth(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut is_escaped) = (false, false);
    for byte in json.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = in_string,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Puts valid JSON on one line. Line ends in it are white space between its parts, never content: in strings
/// they are escaped.
#[must_use]
pub fn on_one_line(mut json: Vec<u8>) -> Vec<u8> {
    put_on_one_line(&mut json);
    json
}

/// [`on_one_line`] where it lies.
pub fn put_on_one_line(json: &mut [u8]) {
    let mut done = 0;
    while let Some(found) = memchr::memchr2(b'\n', b'\r', &json[done..]) {
        done += found + 1;
        json[done - 1] = b' ';
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the count of levels against brackets that are text.
    #[test]
    fn brackets_in_strings_are_no_levels() {
        assert_eq!(depth(r#"{"a":["[[[", "\"[", {}]}"#), 3);
        assert!(read("[".repeat(128).as_bytes()).is_err());
        assert!(read(format!("{}{}", "[".repeat(128), "]".repeat(128)).as_bytes()).is_ok());
        assert!(read(format!("{}{}", "[".repeat(129), "]".repeat(129)).as_bytes()).is_err());
        // Many brackets beside each other are no deep nesting.
        assert!(read(format!("[{}[]]", "[],".repeat(200)).as_bytes()).is_ok());
    }
}
