//! The loops beside the routes: the clients alone, which is the bound, and the way of MFN v4.1.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::config::FromClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use super::route::Spent;
use super::server::PARTITIONS;

/// Messages that a producer sends before it is timed.
const WARM_UP_RECORDS: u64 = 100;

/// Webhooks by reqwest alone.
pub(crate) struct Http {
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
    url: String,
}

impl Http {
    pub(crate) fn new(url: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let client = reqwest::Client::builder().no_proxy().build();
        Self { runtime: runtime.unwrap(), client: client.unwrap(), url: url.to_owned() }
    }

    /// The bound: bodies with the bytes of `batch` records, one after another, without records, signatures or results.
    pub(crate) fn plain(&self, records: u64, payload: &[u8], batch: usize) -> Spent {
        let body = payload.repeat(batch);
        let calls = records.div_ceil(batch as u64);
        Spent::of(calls * batch as u64, || {
            self.runtime.block_on(async {
                for _ in 0..calls {
                    send(&self.client, &self.url, body.clone()).await;
                }
            });
        })
    }

    /// The way of MFN v4.1: a request for each record, a new task for each request, and the next one only when the last is
    /// answered.
    pub(crate) fn one_by_one(&self, records: u64, payload: &[u8]) -> Spent {
        Spent::of(records, || {
            self.runtime.block_on(async {
                for _ in 0..records {
                    let (client, url, body) = (self.client.clone(), self.url.clone(), payload.to_vec());
                    tokio::spawn(async move { send(&client, &url, body).await }).await.unwrap();
                }
            });
        })
    }
}

async fn send(client: &reqwest::Client, url: &str, body: Vec<u8>) {
    let request = client.post(url).header("content-type", "application/json").body(body);
    let status = request.send().await.unwrap().status();
    assert!(status.is_success(), "{status}");
}

/// The bound: librdkafka's producer with the settings of the plugin's publisher, as fast as its queue takes messages,
/// until all are acknowledged.
pub(crate) fn kafka(brokers: &str, topic: &str, records: u64, payload: &[u8]) -> Spent {
    let producer = producer(brokers, topic);
    // An idempotent producer first gets its number from a broker, which is no part of the bound.
    produce(&producer, topic, WARM_UP_RECORDS, payload, None);
    Spent::of(records, || produce(&producer, topic, records, payload, None))
}

/// Fills a topic, its partitions evenly: a mock partition keeps only its last messages.
pub(crate) fn fill(brokers: &str, topic: &str, records: u64, payload: &[u8]) {
    produce(&producer(brokers, topic), topic, records, payload, Some(PARTITIONS));
}

fn producer(brokers: &str, topic: &str) -> BaseProducer {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", brokers)
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("linger.ms", "2")
        .set("queue.buffering.max.kbytes", "65536")
        .set("queue.buffering.max.messages", "0");
    let producer = BaseProducer::from_config(&config).unwrap();
    // Connections are made before the clock runs, as they are for a route.
    producer.client().fetch_metadata(Some(topic), Duration::from_secs(10)).unwrap();
    producer
}

fn produce(producer: &BaseProducer, topic: &str, records: u64, payload: &[u8], partitions: Option<i32>) {
    for number in 0..records {
        let mut message = BaseRecord::<(), [u8]>::to(topic).payload(payload);
        if let Some(partitions) = partitions {
            message = message.partition((number % partitions as u64) as i32);
        }
        while let Err((error, back)) = producer.send(message) {
            assert_eq!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull));
            producer.poll(Duration::from_millis(1));
            message = back;
        }
        producer.poll(Duration::ZERO);
    }
    producer.flush(Duration::from_secs(60)).unwrap();
    assert_eq!(producer.in_flight_count(), 0);
}
