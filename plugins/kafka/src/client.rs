//! What connector and publisher have in common: how to reach a cluster.

use std::collections::BTreeMap;

use rdkafka::{ClientConfig, config::RDKafkaLogLevel};

use crate::{
    faults::Faults,
    properties::{self, Options, PropertyValue},
};

/// How to reach a cluster: the fields that both configurations have.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) brokers: Vec<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) statistics_interval_ms: u64,
    pub(crate) properties: BTreeMap<String, PropertyValue>,
}

/// The default of `statistics_interval_ms`.
pub(crate) fn default_statistics_interval_ms() -> u64 {
    5000
}

impl Client {
    /// Notes what is wrong with the fields.
    pub(crate) fn check(&self, faults: &mut Faults) {
        let fix = "name at least one broker";
        faults.check(!self.brokers.is_empty(), "brokers", &self.brokers, "1 or more of host:port", fix);
        for broker in &self.brokers {
            if !is_address(broker) {
                // The text may be a URL with a password, so it is not shown.
                faults.note("brokers", "an entry is not host:port; write for example \"kafka-1:9092\"");
            }
        }
        let interval = self.statistics_interval_ms;
        let ok = interval == 0 || (100..=3_600_000).contains(&interval);
        faults.check(ok, "statistics_interval_ms", interval, "0 or 100 to 3600000", "choose one of these");
        if let Some(id) = &self.client_id {
            let ok = !id.is_empty() && id.len() <= 255 && id.bytes().all(|byte| byte.is_ascii_graphic());
            let allowed = "1 to 255 printable ASCII characters without blanks";
            faults.check(ok, "client_id", id, allowed, "choose another or leave it out");
        }
        properties::check(faults, &self.properties);
    }

    /// The options for librdkafka; `instance` names the client where the configuration does not.
    pub(crate) fn options(self, instance: &str) -> Options {
        let mut own = ClientConfig::new();
        own.set("bootstrap.servers", self.brokers.join(","));
        own.set("client.id", self.client_id.unwrap_or_else(|| format!("mfn-{instance}")));
        own.set("statistics.interval.ms", self.statistics_interval_ms.to_string());
        own.set_log_level(RDKafkaLogLevel::Info);
        Options::new(own, self.properties)
    }
}

/// Whether a text is `host:port`, with the host perhaps an IPv6 address in brackets.
fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let is_host = |c: char| c.is_ascii_alphanumeric() || "-._[]:".contains(c);
    !host.is_empty() && host.chars().all(is_host) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards that a URL with a password in the place of an address is refused, and not shown.
    #[test]
    fn addresses_are_host_and_port() {
        for good in ["a:1", "kafka-1.example.org:9092", "127.0.0.1:65535", "[::1]:9092"] {
            assert!(is_address(good), "{good}");
        }
        for bad in ["", "a", "a:", ":1", "a:0", "a:65536", "kafka://user:canary@host:9092", "a b:1"] {
            assert!(!is_address(bad), "{bad}");
        }
    }
}
