//! The text of the stream: events and notices in the format of the HTML standard (WHATWG HTML,
//! section 9.2, "Server-sent events").

use bytes::Bytes;
use mfn_plugin::value::{Cursor, PluginError};

/// Topics that would be taken for the notices of the stream itself.
pub const RESERVED: [&str; 2] = ["gap", "resync"];

/// The longest topic in bytes.
pub const TOPIC_BYTES_MAX: usize = 256;

/// Why a text cannot be a topic, or `None`.
#[must_use]
pub fn topic_fault(topic: &str) -> Option<&'static str> {
    if topic.is_empty() {
        Some("is empty")
    } else if topic.len() > TOPIC_BYTES_MAX {
        Some("is longer than 256 bytes")
    } else if topic.chars().any(char::is_control) {
        Some("has control characters")
    } else if topic.starts_with(' ') {
        // A reader strips one space after the colon.
        Some("starts with a space")
    } else if RESERVED.contains(&topic) {
        Some("is reserved for the stream's own notices")
    } else {
        None
    }
}

/// One event as it is sent. Line ends in the payload (LF, CR LF or CR) arrive as LF, as the format has
/// no other way to carry them.
///
/// # Errors
/// Permanent: the topic is no topic, the payload is not UTF-8, or the text is longer than `bytes_max`.
pub fn event(cursor: &Cursor, topic: &str, payload: &[u8], bytes_max: usize) -> Result<Bytes, PluginError> {
    if let Some(fault) = topic_fault(topic) {
        let shown: String = topic.chars().take(64).collect();
        return Err(PluginError::permanent(format!("topic: {shown:?} {fault}")));
    }
    let text = std::str::from_utf8(payload).map_err(|error| {
        let place = error.valid_up_to();
        PluginError::permanent(format!("payload: not UTF-8 at byte {place}, which server-sent events need"))
    })?;
    let lines = lines(text);
    let head = format!("id: {cursor}\nevent: {topic}\n");
    let length = head.len() + 1 + lines.clone().map(|line| "data: \n".len() + line.len()).sum::<usize>();
    if length > bytes_max {
        return Err(PluginError::permanent(format!(
            "payload: the event has {length} bytes, event_bytes_max is {bytes_max}"
        )));
    }
    let mut frame = String::with_capacity(length);
    frame.push_str(&head);
    for line in lines {
        frame.push_str("data: ");
        frame.push_str(line);
        frame.push('\n');
    }
    frame.push('\n');
    Ok(frame.into())
}

/// Splits at LF, CR LF and CR, keeping empty lines.
fn lines(text: &str) -> impl Iterator<Item = &str> + Clone {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let current = rest?;
        let Some(end) = current.find(['\n', '\r']) else {
            rest = None;
            return Some(current);
        };
        let (line, tail) = current.split_at(end);
        rest = Some(tail.strip_prefix("\r\n").unwrap_or_else(|| &tail[1..]));
        Some(line)
    })
}

/// What a client receives first: how long to wait before it comes back, and where it stands, so that
/// one that loses the connection before its first event does not miss any.
#[must_use]
pub fn preamble(retry_ms: u64, standing: &Cursor) -> String {
    format!("retry: {retry_ms}\nid: {standing}\n\n")
}

/// Says that events between what the client got and what follows are left out, exactly `count`.
/// `last` is the last of them.
#[must_use]
pub fn gap(count: u64, last: &Cursor) -> String {
    format!("id: {last}\nevent: gap\ndata: {{\"dropped\":{count}}}\n\n")
}

/// Why a client has to start anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResyncReason {
    /// The events after its cursor are no longer kept.
    Overrun,
    /// Its cursor is of another life of the transport.
    Epoch,
    /// Its cursor is not one, or is ahead of the stream.
    Malformed,
}

impl ResyncReason {
    /// As it stands in the notice and in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Overrun => "overrun",
            Self::Epoch => "epoch",
            Self::Malformed => "malformed",
        }
    }
}

/// Says that the stream does not continue what the client had: whatever it derived from earlier events
/// has to be fetched anew. What follows are all kept events after `standing`. `lost` is the
/// number of events it missed for good, `null` where that is not known; `lost_max` bounds it.
#[must_use]
pub fn resync(reason: ResyncReason, lost: Option<u64>, lost_max: Option<u64>, standing: &Cursor) -> String {
    let number = |value: Option<u64>| value.map_or_else(|| "null".to_owned(), |value| value.to_string());
    let (reason, lost, lost_max) = (reason.name(), number(lost), number(lost_max));
    format!(
        "id: {standing}\nevent: resync\ndata: {{\"reason\":\"{reason}\",\"lost\":{lost},\"lost_max\":{lost_max}}}\n\n"
    )
}

/// A comment that keeps the connection open; the id tells where the client stands by now, so that one
/// on a quiet topic can come back after the ring has moved on.
#[must_use]
pub fn heartbeat(standing: &Cursor) -> String {
    format!(": heartbeat\nid: {standing}\n\n")
}

/// The last thing a client gets.
pub const CLOSING: &str = ": end of stream\n\n";

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor() -> Cursor {
        Cursor { epoch: "e".to_owned(), sequence: 7 }
    }

    /// Guards the framing: no payload can end an event early or smuggle in a field.
    #[test]
    fn payloads_of_any_shape_stay_inside_their_event() {
        let frame = |payload: &str| {
            String::from_utf8(event(&cursor(), "t", payload.as_bytes(), 1000).unwrap().to_vec()).unwrap()
        };
        assert_eq!(frame("x"), "id: e-7\nevent: t\ndata: x\n\n");
        assert_eq!(frame(""), "id: e-7\nevent: t\ndata: \n\n");
        assert_eq!(frame("a\nb\r\nc\rd"), "id: e-7\nevent: t\ndata: a\ndata: b\ndata: c\ndata: d\n\n");
        assert_eq!(frame("a\n\nid: 9"), "id: e-7\nevent: t\ndata: a\ndata: \ndata: id: 9\n\n");
        assert_eq!(frame("end\n"), "id: e-7\nevent: t\ndata: end\ndata: \n\n");
        assert_eq!(frame("\n\r"), "id: e-7\nevent: t\ndata: \ndata: \ndata: \n\n");
    }

    /// Guards the refusals: each is permanent, names what is wrong, and the limit is exact.
    #[test]
    fn what_cannot_be_sent_is_refused() {
        use mfn_plugin::value::ErrorClass;
        let refuse =
            |topic: &str, payload: &[u8], max: usize| event(&cursor(), topic, payload, max).unwrap_err();
        for topic in ["", "a\nb", "a\0", "gap", "resync", " t", &"t".repeat(257)] {
            let error = refuse(topic, b"x", 1000);
            assert_eq!(error.class, ErrorClass::Permanent);
            assert!(error.message.starts_with("topic: "), "{}", error.message);
        }
        let error = refuse("t", b"ab\xff", 1000);
        assert_eq!(error.message, "payload: not UTF-8 at byte 2, which server-sent events need");
        let exact = event(&cursor(), "t", b"a\nb", 1000).unwrap().len();
        assert!(event(&cursor(), "t", b"a\nb", exact).is_ok());
        assert!(refuse("t", b"a\nb", exact - 1).message.contains("event_bytes_max"));
    }
}
