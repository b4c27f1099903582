//! What librdkafka tells by itself: log lines, errors of the connection, statistics. They become the host's log,
//! the instance's health, and metrics.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use mfn_plugin::{
    host::{Host, Metric},
    value::{ErrorClass, Health, HealthState, PluginError},
};
use rdkafka::{Statistics, config::RDKafkaLogLevel, error::KafkaError, types::RDKafkaErrorCode as Code};

use crate::cause;

/// How many brokers and how many partitions get a label of their own; the others share the label `other`.
const BROKERS_MAX: usize = 32;
const PARTITIONS_MAX: usize = 128;
const OTHER: &str = "other";
/// How much of librdkafka's own words is shown.
const REASON_CHARS_MAX: usize = 300;

/// Hears one client.
pub(crate) struct Observer {
    host: Host,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The last trouble with the cluster that was not followed by a success.
    trouble: Option<PluginError>,
    /// What the last call has answered, where it was no success.
    call: Option<PluginError>,
    /// Counters of librdkafka as they were last seen: they become increments.
    sent_bytes: i64,
    received_bytes: i64,
    /// Label values in use.
    brokers: BTreeSet<String>,
    partitions: BTreeMap<(String, i32), Metric>,
}

impl Observer {
    pub(crate) fn new(host: Host) -> Self {
        Self { host, state: Mutex::default() }
    }

    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    /// A line of librdkafka's own log.
    pub(crate) fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        use RDKafkaLogLevel as L;
        self.host.scope(|| match level {
            L::Emerg | L::Alert | L::Critical | L::Error => tracing::error!(facility, "librdkafka: {line}"),
            L::Warning => tracing::warn!(facility, "librdkafka: {line}"),
            L::Notice | L::Info => tracing::info!(facility, "librdkafka: {line}"),
            L::Debug => tracing::debug!(facility, "librdkafka: {line}"),
        });
    }

    /// An error that concerns the client as a whole.
    pub(crate) fn error(&self, error: &KafkaError, reason: &str) {
        let mut told = cause::of_error("kafka", error);
        let follows = error.rdkafka_error_code() == Some(Code::AllBrokersDown);
        if follows {
            told.class = ErrorClass::Retryable;
        }
        self.host.scope(|| tracing::warn!(class = told.class.name(), reason, "{}", told.message));
        // Says which broker and why, for instance that its certificate is not trusted.
        told.message = format!("{}: {}", told.message, first_line(reason));
        // That no broker is left follows from what was told of each: a password or a certificate that is refused.
        let mut state = self.lock();
        if !(follows && state.trouble.is_some()) {
            state.trouble = Some(told);
        }
    }

    /// Notes what is wrong until [`well`](Self::well).
    pub(crate) fn trouble(&self, error: PluginError) {
        self.lock().trouble = Some(error);
    }

    /// Notes what a call has answered until [`well`](Self::well). It may quote the trouble and is not taken for one.
    pub(crate) fn call_failed(&self, error: PluginError) {
        self.lock().call = Some(error);
    }

    /// Notes that the cluster did what it was asked.
    pub(crate) fn well(&self) {
        let mut state = self.lock();
        (state.trouble, state.call) = (None, None);
    }

    /// The trouble there is, if any, without what calls have answered.
    pub(crate) fn current_trouble(&self) -> Option<PluginError> {
        self.lock().trouble.clone()
    }

    pub(crate) fn health(&self) -> Health {
        let state = self.lock();
        let worst = [&state.call, &state.trouble].into_iter().flatten();
        match worst.max_by_key(|error| error.class == ErrorClass::Fatal) {
            None => Health::ready(),
            Some(error) if error.class == ErrorClass::Fatal => {
                Health::new(HealthState::Down, error.message.clone())
            }
            Some(error) => Health::new(HealthState::Degraded, error.message.clone()),
        }
    }

    /// Statistics of librdkafka, every `statistics_interval_ms`.
    pub(crate) fn statistics(&self, statistics: &Statistics) {
        let host = &self.host;
        let mut state = self.lock();
        let state = &mut *state;
        let increase = |name: &str, help: &str, last: &mut i64, now: i64| {
            host.counter(name, help, &[]).update((now - *last).max(0) as f64);
            *last = now;
        };
        let sent = statistics.tx_bytes;
        increase("mfn_kafka_sent_bytes_total", "Bytes sent to brokers.", &mut state.sent_bytes, sent);
        let received = statistics.rx_bytes;
        let name = "mfn_kafka_received_bytes_total";
        increase(name, "Bytes received from brokers.", &mut state.received_bytes, received);

        let partitions = || statistics.topics.values().flat_map(|topic| topic.partitions.values());
        let fetched: (i64, u64) =
            partitions().fold((0, 0), |sum, p| (sum.0 + p.fetchq_cnt.max(0), sum.1 + p.fetchq_size));
        let gauge = |name, help, value: f64| host.gauge(name, help, &[]).update(value);
        let records = statistics.msg_cnt as f64 + fetched.0 as f64;
        gauge("mfn_kafka_queue_records", "Records in librdkafka's queues.", records);
        let bytes = statistics.msg_size as f64 + fetched.1 as f64;
        gauge("mfn_kafka_queue_bytes", "Bytes in librdkafka's queues.", bytes);
        self.round_trips(state, statistics);
        self.lags(state, statistics);
    }

    /// The mean time from a request to its answer, per broker.
    fn round_trips(&self, state: &mut State, statistics: &Statistics) {
        for broker in statistics.brokers.values().filter(|broker| broker.nodeid >= 0) {
            let Some(rtt) = broker.rtt.as_ref().filter(|rtt| rtt.cnt > 0) else { continue };
            let label = capped(&mut state.brokers, &broker.nodename, BROKERS_MAX);
            let help = "Mean time from a request to its answer, over the last interval.";
            let gauge = self.host.gauge("mfn_kafka_broker_rtt_seconds", help, &[("broker", label)]);
            gauge.update(rtt.avg as f64 / 1e6);
        }
    }

    /// How many records lie in each partition beyond what is committed.
    fn lags(&self, state: &mut State, statistics: &Statistics) {
        let help = "Records in the partition that are not committed yet.";
        let lag = |topic: &str, partition: &str| {
            self.host.gauge("mfn_kafka_lag_records", help, &[("topic", topic), ("partition", partition)])
        };
        let mut gone: BTreeSet<_> = state.partitions.keys().cloned().collect();
        let mut others = None;
        for topic in statistics.topics.values() {
            for partition in topic.partitions.values().filter(|p| p.desired && p.consumer_lag >= 0) {
                let key = (topic.topic.clone(), partition.partition);
                gone.remove(&key);
                let value = partition.consumer_lag as f64;
                if state.partitions.len() < PARTITIONS_MAX || state.partitions.contains_key(&key) {
                    let make = || lag(&topic.topic, &partition.partition.to_string());
                    state.partitions.entry(key).or_insert_with(make).update(value);
                } else {
                    *others.get_or_insert(0.0) += value;
                }
            }
        }
        // What another member has is no lag of this one.
        gone.iter().filter_map(|key| state.partitions.get(key)).for_each(|gauge| gauge.update(0.0));
        if let Some(sum) = others {
            lag(OTHER, OTHER).update(sum);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The beginning of a text's first line.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(REASON_CHARS_MAX).collect()
}

/// A label value, or `other` when there are too many already.
fn capped<'a>(known: &mut BTreeSet<String>, value: &'a str, max: usize) -> &'a str {
    if known.contains(value) {
        return value;
    }
    if known.len() >= max {
        return OTHER;
    }
    known.insert(value.to_owned());
    value
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use mfn_plugin::testing::MemoryHost;
    use rdkafka::statistics::{Partition, Topic};

    use super::*;

    fn of_partitions(count: i32, desired: bool) -> Statistics {
        let partition = |n| (n, Partition { partition: n, desired, consumer_lag: 2, ..Partition::default() });
        let topic = Topic {
            topic: "t".to_owned(),
            partitions: (0..count).map(partition).collect(),
            ..Topic::default()
        };
        Statistics { topics: [("t".to_owned(), topic)].into(), rx_bytes: 50, ..Statistics::default() }
    }

    /// Guards the memory of metrics: many partitions do not make many label sets, and none is forgotten.
    #[test]
    fn label_values_are_capped() {
        let memory = MemoryHost::new();
        let observer = Observer::new(memory.instance("in", Path::new("/")));
        observer.statistics(&of_partitions(1000, true));
        observer.statistics(&of_partitions(1000, true));
        assert_eq!(memory.number("mfn_kafka_lag_records", &[]), 2000.0);
        let families = memory.metrics();
        let lags = families.iter().find(|family| family.name == "mfn_kafka_lag_records").expect("lags");
        assert_eq!(lags.samples.len(), PARTITIONS_MAX + 1);
        assert_eq!(memory.number("mfn_kafka_received_bytes_total", &[]), 50.0);
        observer.statistics(&of_partitions(PARTITIONS_MAX as i32, false));
        assert_eq!(memory.number("mfn_kafka_lag_records", &[("topic", "t")]), 0.0);
    }
}
