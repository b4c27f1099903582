//! Reads the cursor that a client brings back, and makes the epochs that keep old cursors apart.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    time::{SystemTime, UNIX_EPOCH},
};

/// A name for one life of the transport: 16 hexadecimal digits from the time, the process and the
/// system's randomness, so that a cursor of an earlier life is never taken for one of this.
#[must_use]
pub fn new_epoch() -> String {
    let mut hasher = RandomState::new().build_hasher();
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    hasher.write_u128(since.as_nanos());
    hasher.write_u32(std::process::id());
    format!("{:016x}", hasher.finish())
}

/// Where a client stands, by what it says itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// It has everything of this epoch up to this sequence number; 0 for nothing.
    After(u64),
    /// It was connected to another life of the transport.
    OtherEpoch,
    /// What it brings is not a cursor.
    Malformed,
}

/// Reads `<epoch>-<sequence>`.
#[must_use]
pub fn parse(text: &[u8], epoch: &str) -> Position {
    let Some((theirs, sequence)) = std::str::from_utf8(text).ok().and_then(|text| text.rsplit_once('-'))
    else {
        return Position::Malformed;
    };
    // `u64::from_str` would take a plus sign as well.
    let digits = !sequence.is_empty() && sequence.bytes().all(|byte| byte.is_ascii_digit());
    let hexadecimal = theirs.len() == epoch.len() && theirs.bytes().all(|byte| byte.is_ascii_hexdigit());
    match sequence.parse() {
        Ok(sequence) if digits && theirs == epoch => Position::After(sequence),
        Ok(_) if digits && hexadecimal => Position::OtherEpoch,
        _ => Position::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards every way in which a cursor can be wrong, as clients may send any bytes.
    #[test]
    fn cursors_are_told_apart() {
        let epoch = "00000000000000aa";
        let read = |text: &str| parse(text.as_bytes(), epoch);
        assert_eq!(read("00000000000000aa-17"), Position::After(17));
        assert_eq!(read("00000000000000aa-0"), Position::After(0));
        assert_eq!(read("00000000000000ab-17"), Position::OtherEpoch);
        for bad in ["", "-", "17", "aa-17", "00000000000000aa-", "00000000000000aa-+1", "00000000000000aa--1"]
        {
            assert_eq!(read(bad), Position::Malformed, "{bad}");
        }
        assert_eq!(read("00000000000000aa-99999999999999999999"), Position::Malformed);
        assert_eq!(parse(b"\xff\xfe-1", epoch), Position::Malformed);
    }

    /// Guards the uniqueness of lives: two in the same process and moment differ.
    #[test]
    fn epochs_differ() {
        let epochs: std::collections::HashSet<_> = (0..1000).map(|_| new_epoch()).collect();
        assert_eq!(epochs.len(), 1000);
        assert!(epochs.iter().all(|epoch| epoch.len() == 16));
    }
}
