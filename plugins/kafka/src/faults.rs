//! Collects the faults of a configuration, so that an operator sees all of them at once.

use std::fmt::Debug;

use mfn_plugin::{author::Result, value::PluginError};

/// The longest topic name that Kafka allows.
const TOPIC_LENGTH_MAX: usize = 249;

/// The faults found so far.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<String>);

impl Faults {
    /// Notes that `field` holds `value`, which is not `allowed`, and what to do, unless `ok`.
    pub(crate) fn check(&mut self, ok: bool, field: &str, value: impl Debug, allowed: &str, fix: &str) {
        if !ok {
            self.0.push(format!("{field}: {value:?} is not allowed, it must be {allowed}; {fix}"));
        }
    }

    /// Notes a fault whose value is not shown, because it may be a secret.
    pub(crate) fn note(&mut self, field: &str, reason: &str) {
        self.0.push(format!("{field}: {reason}"));
    }

    /// Checks that a number lies in a closed range.
    pub(crate) fn range(&mut self, field: &str, value: u64, min: u64, max: u64) {
        let fix = "choose a number in this range or leave the field out";
        self.check((min..=max).contains(&value), field, value, &format!("{min} to {max}"), fix);
    }

    /// Checks that a text can be the name of a topic.
    pub(crate) fn topic(&mut self, field: &str, value: &str) {
        let allowed = "1 to 249 letters, digits, '.', '_' and '-', and neither \".\" nor \"..\"";
        self.check(is_topic(value), field, value, allowed, "name a topic");
    }

    /// Checks that a text can be the name of a header that configurations choose.
    pub(crate) fn header(&mut self, field: &str, value: &str) {
        let ok = !value.is_empty() && value.len() <= 255 && !value.contains('\0');
        let allowed = "1 to 255 bytes without NUL, not beginning with \"mfn-kafka-\"";
        let ok = ok && !crate::headers::is_reserved(value);
        self.check(ok, field, value, allowed, "choose another header");
    }

    /// One error with every fault, or nothing.
    ///
    /// # Errors
    /// Permanent, where there is a fault.
    pub(crate) fn finish(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(PluginError::permanent(self.0.join("\n"))) }
    }
}

/// Whether Kafka takes this as the name of a topic.
pub(crate) fn is_topic(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=TOPIC_LENGTH_MAX).contains(&name.len()) && name.bytes().all(is_plain) && name != "." && name != ".."
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards that an operator reads all faults at once and that names Kafka refuses are found early.
    #[test]
    fn every_fault_is_told() {
        let mut faults = Faults::default();
        faults.range("linger_ms", 7_000_000, 0, 60_000);
        faults.topic("topic", "a b");
        faults.topic("topic", "orders.v2_x-1");
        faults.header("id_header", "mfn-kafka-source");
        let text = faults.finish().expect_err("three faults").message;
        assert_eq!(text.lines().count(), 3, "{text}");
        for name in ["", ".", "..", "a/b", "\u{e4}", &"x".repeat(250)] {
            assert!(!is_topic(name), "{name:?} was taken");
        }
    }
}
