//! Records per second into a real Apache Kafka: through this plugin, and by a plain librdkafka producer that does nothing
//! else, with the same options and in turn. The plain loop is the bound.
//!
//! `cargo bench --package mfn-plugin-kafka --bench publish`
#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "../tests/broker/cluster.rs"]
mod cluster;
#[path = "../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use mfn_plugin::{
    author::Publisher,
    testing::MemoryHost,
    value::{PublishContext, Record, RecordView},
};
use rdkafka::{
    ClientConfig,
    producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer},
};
use serde_json::json;

impl support::Brokers for cluster::Cluster {
    fn brokers(&self) -> Vec<String> {
        self.brokers()
    }
}

/// Records of one call of the plugin.
const TOGETHER: usize = 5000;
/// Pairs of runs; the best of each side counts, as other work of the machine only slows.
const ROUNDS: usize = 2;

fn plain(brokers: &str, payload: &[u8], count: usize) -> f64 {
    let producer: ThreadedProducer<DefaultProducerContext> = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("linger.ms", "2")
        .set("queue.buffering.max.messages", "0")
        .set("queue.buffering.max.kbytes", "65536")
        .create()
        .unwrap();
    // Connections and the producer's id are not what is measured, on either side.
    producer.send(BaseRecord::to("bench").payload(payload).key(b"warm")).map_err(|(error, _)| error).unwrap();
    producer.flush(Duration::from_secs(60)).unwrap();
    let start = Instant::now();
    for number in 0..count {
        let key = number.to_le_bytes();
        let mut record = BaseRecord::to("bench").payload(payload).key(&key[..]);
        while let Err((_, refused)) = producer.send(record) {
            record = refused;
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    producer.flush(Duration::from_secs(60)).unwrap();
    count as f64 / start.elapsed().as_secs_f64()
}

fn plugin(cluster: &cluster::Cluster, payload: &[u8], count: usize, together: usize) -> f64 {
    let host = MemoryHost::new();
    let mut target =
        support::publisher(&host, cluster, json!({ "topic": "bench", "statistics_interval_ms": 0 }));
    let records: Vec<Record> = (0..together)
        .map(|number| Record {
            id: format!("record-{number}"),
            key: Some(number.to_le_bytes().to_vec()),
            payload: payload.to_vec(),
            ..Record::default()
        })
        .collect();
    support::publish_all(&mut target, &records[..1]);
    let start = Instant::now();
    for _ in 0..count / together {
        let views: Vec<RecordView<'_>> = records.iter().map(Record::view).collect();
        let context = PublishContext { attempt: 1, timeout: Duration::from_secs(60) };
        target.publish(&views, context).unwrap().into_iter().for_each(|answer| answer.unwrap());
    }
    (count / together * together) as f64 / start.elapsed().as_secs_f64()
}

fn main() {
    let cluster = cluster::shared();
    cluster.create_topic("bench", 4, &[]);
    let brokers = cluster.brokers().join(",");
    println!("{:>8} {:>9} {:>12} {:>12} {:>7}", "bytes", "together", "plain /s", "plugin /s", "share");
    for (bytes, count) in [(100, 200_000), (1024, 100_000), (65_536, 4_000)] {
        let payload = vec![b'x'; bytes];
        // A call may carry 16 MiB.
        let together = TOGETHER.min((16 << 20) / bytes);
        let (mut bound, mut ours) = (0f64, 0f64);
        for _ in 0..ROUNDS {
            bound = bound.max(plain(&brokers, &payload, count));
            ours = ours.max(plugin(&cluster, &payload, count, together));
        }
        println!("{bytes:>8} {together:>9} {bound:>12.0} {ours:>12.0} {:>6.0}%", 100.0 * ours / bound);
    }
}
