//! The loops beside the routes: the clients alone, which is the bound, and the way of MFN v4.1.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use rdkafka::{ClientConfig, ClientContext};

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

/// What the messages of a producer loop hold beside their payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Messages {
    /// Nothing.
    Bare,
    /// What a route's have: id, media type and route as headers.
    OfRoute,
}

/// The bound: librdkafka's producer with the settings of the plugin's publisher, but for a linger of 2 ms: a loop that sends
/// without end is slower without one. It sends as fast as the queue takes messages, and ends when all are acknowledged.
pub(crate) fn kafka(brokers: &str, topic: &str, records: u64, payload: &[u8], messages: Messages) -> Spent {
    let producer = producer(brokers, topic);
    // An idempotent producer first gets its number from a broker, which is no part of the bound.
    produce(&producer, topic, WARM_UP_RECORDS, payload, messages, None);
    Spent::of(records, || produce(&producer, topic, records, payload, messages, None))
}

/// Fills a topic, its partitions evenly: a mock partition keeps only its last messages.
pub(crate) fn fill(brokers: &str, topic: &str, records: u64, payload: &[u8]) {
    produce(&producer(brokers, topic), topic, records, payload, Messages::Bare, Some(PARTITIONS));
}

/// Notes the report of each message.
#[derive(Debug, Default)]
struct Reports {
    delivered: AtomicU64,
}

impl ClientContext for Reports {}

impl ProducerContext for Reports {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        assert!(result.is_ok(), "{result:?}");
        self.delivered.fetch_add(1, Ordering::Relaxed);
    }
}

fn producer(brokers: &str, topic: &str) -> BaseProducer<Reports> {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", brokers)
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("linger.ms", "2")
        .set("queue.buffering.max.kbytes", "65536")
        .set("queue.buffering.max.messages", "0")
        .set("partitioner", "murmur2_random");
    let producer = BaseProducer::from_config_and_context(&config, Reports::default()).unwrap();
    // Connections are made before the clock runs, as they are for a route.
    producer.client().fetch_metadata(Some(topic), Duration::from_secs(10)).unwrap();
    producer
}

fn produce(
    producer: &BaseProducer<Reports>,
    topic: &str,
    records: u64,
    payload: &[u8],
    messages: Messages,
    partitions: Option<i32>,
) {
    let delivered = &producer.client().context().delivered;
    let before = delivered.load(Ordering::Relaxed);
    for number in 0..records {
        let mut message = BaseRecord::<(), [u8]>::to(topic).payload(payload);
        if let Some(partitions) = partitions {
            message = message.partition((number % partitions as u64) as i32);
        }
        if messages == Messages::OfRoute {
            message = message.headers(headers(&format!("{number:016}")));
        }
        while let Err((error, back)) = producer.send(message) {
            assert_eq!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull));
            producer.poll(Duration::from_millis(1));
            message = back;
        }
        producer.poll(Duration::ZERO);
    }
    // With a longer time it would go on polling after the last report.
    while producer.flush(Duration::ZERO).is_err() {
        producer.poll(Duration::from_millis(2));
    }
    assert_eq!((producer.in_flight_count(), delivered.load(Ordering::Relaxed) - before), (0, records));
}

/// The headers that the plugin's publisher writes for a record of the benches.
fn headers(id: &str) -> OwnedHeaders {
    let header = |key, value| Header { key, value: Some(value) };
    OwnedHeaders::new_with_capacity(3)
        .insert(header("mfn-record-id", id))
        .insert(header("content-type", "application/json"))
        .insert(header("mfn-route", "all"))
}
