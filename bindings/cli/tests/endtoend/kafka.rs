//! From Kafka to Kafka through a real cluster, with `kill -9` in the middle: at least once, and exactly once.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use rdkafka::{
    ClientConfig, Message, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    message::Headers,
    producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer},
};

use crate::{PATIENCE, Site, cluster::shared};

const PARTITIONS: i32 = 3;
const KEYS: usize = 20;

fn pipeline(brokers: &str, from: &str, to: &str, source: &str, target: &str) -> String {
    format!(
        r#"
name = "kafka"
[plugins]
directories = ["plugins"]
[limits]
bytes_in_flight_max = 8388608
record_bytes_max = 65536
[connectors.source]
plugin = "kafka"
[connectors.source.config]
brokers = ["{brokers}"]
topics = ["{from}"]
group = "{from}"
commit_interval_ms = 50
revoke_timeout_ms = 1000
properties = {{ "session.timeout.ms" = 1000, "heartbeat.interval.ms" = 200 }}
{source}
[publishers.target]
plugin = "kafka"
[publishers.target.config]
brokers = ["{brokers}"]
topic = "{to}"
{target}
[publishers.target.delivery]
retry = {{ initial_ms = 20, cap_ms = 500 }}
batch = {{ records_max = 50 }}
[[routes]]
name = "through"
work = "forward"
connectors = ["source"]
publishers = ["target"]
batch_records_max = 50
"#
    )
}

fn payload(number: usize) -> String {
    format!("{number} {:x>200}", number * 7919)
}

fn fill(brokers: &str, topic: &str, count: usize) {
    let producer: ThreadedProducer<DefaultProducerContext> = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("enable.idempotence", "true")
        .create()
        .unwrap();
    for number in 0..count {
        let (key, payload) = (format!("k{}", number % KEYS), payload(number));
        producer.send(BaseRecord::to(topic).key(&key).payload(&payload)).unwrap();
    }
    producer.flush(PATIENCE).unwrap();
}

/// All of a topic, as far as it is committed, in the order in which it is read.
struct Arrived {
    consumer: BaseConsumer,
    /// The number and the record's id of each message.
    seen: Vec<(usize, String)>,
    distinct: BTreeSet<usize>,
}

impl Arrived {
    fn new(brokers: &str, topic: &str) -> Self {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("group.id", "judge")
            .set("isolation.level", "read_committed")
            .set("auto.offset.reset", "earliest")
            .set("enable.auto.commit", "false")
            .create()
            .unwrap();
        let mut partitions = TopicPartitionList::new();
        partitions.add_partition_range(topic, 0, PARTITIONS - 1);
        consumer.assign(&partitions).unwrap();
        Self { consumer, seen: Vec::new(), distinct: BTreeSet::new() }
    }

    /// Reads until so many different records have come.
    fn read_until(&mut self, count: usize) {
        let begun = Instant::now();
        while self.distinct.len() < count {
            assert!(
                begun.elapsed() < PATIENCE,
                "{} of {count} records within {PATIENCE:?}",
                self.distinct.len()
            );
            self.read_one(Duration::from_millis(100));
        }
    }

    /// Reads what is there, until nothing comes for a moment.
    fn read_rest(&mut self) {
        while self.read_one(Duration::from_millis(500)) {}
    }

    fn read_one(&mut self, patience: Duration) -> bool {
        let Some(message) = self.consumer.poll(patience) else { return false };
        let Ok(message) = message else { return true };
        let text = String::from_utf8(message.payload().unwrap().to_vec()).unwrap();
        let number: usize = text.split(' ').next().unwrap().parse().unwrap();
        assert_eq!((text, message.key()), (payload(number), Some(format!("k{}", number % KEYS).as_bytes())));
        let headers = message.headers().unwrap();
        let id = headers.iter().find(|header| header.key == "mfn-record-id").unwrap().value.unwrap();
        self.seen.push((number, String::from_utf8(id.to_vec()).unwrap()));
        self.distinct.insert(number);
        true
    }

    /// Records that came more than once, after looking that each has one id, that their order held, and that none of `count`
    /// is lost.
    fn judge(&self, count: usize) -> usize {
        let (mut ids, mut last) = (BTreeMap::new(), BTreeMap::new());
        let mut again = 0;
        for (number, id) in &self.seen {
            if let Some(known) = ids.insert(number, id) {
                assert_eq!(known, id, "record {number} came under two ids");
                again += 1;
            } else if let Some(before) = last.insert(number % KEYS, *number) {
                assert!(before < *number, "record {number} came after {before}");
            }
        }
        let lost = (0..count).filter(|number| !ids.contains_key(number)).count();
        assert_eq!((lost, ids.len()), (0, count), "lost, or invented");
        again
    }
}

/// Runs the pipeline from one topic to another, killing it twice at work; gives how many records came again.
fn killed_twice(name: &str, count: usize, source: &str, target: &str) -> usize {
    let cluster = shared();
    let (from, to) = (format!("{name}-from"), format!("{name}-to"));
    cluster.create_topic(&from, PARTITIONS, &[]);
    cluster.create_topic(&to, PARTITIONS, &[]);
    let addresses = cluster.brokers();
    fill(&addresses.join(","), &from, count);
    let site = Site::new(&["kafka"], &pipeline(&addresses.join("\", \""), &from, &to, source, target));
    let mut arrived = Arrived::new(&addresses.join(","), &to);
    let mut struck = 0;
    for until in [count / 10, count / 2] {
        let mut run = site.start("");
        arrived.read_until(until);
        struck += run.kill();
        arrived.read_rest();
        assert!(arrived.distinct.len() < count, "all was done before the kill");
    }
    assert_eq!(struck, 2);
    let run = site.start("");
    arrived.read_until(count);
    run.terminate();
    arrived.read_rest();
    let again = arrived.judge(count);
    println!("{name}: {count} records, {struck} kills, {again} came again, lost 0");
    again
}

/// Guards at least once: nothing is lost, what came again has its id and its bytes, and first comings keep their order.
#[test]
fn a_killed_run_loses_nothing() {
    killed_twice("least", 20_000, "", "");
}

/// Guards exactly once: with offsets in the transactions of the publisher, a reader of committed records sees each record
/// once, whenever the process was killed.
#[test]
fn a_killed_run_with_transactions_delivers_once() {
    let target = "transactional_id = \"through\"";
    assert_eq!(killed_twice("once", 6_000, "offsets = \"transaction\"", target), 0);
}
