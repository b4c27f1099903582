//! What is measured: one function for each part.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mfn_benches::marks::Required;
use mfn_benches::report::{Latency, Report};
use mfn_plugin::value::{Fetch, FetchLimits, PublishContext, Record, RecordView, Verdict};
use mfn_runtime::component::{Connector, Publisher};

use super::memory::{Sink, Source};
use super::peers::{self, Messages};
use super::programs::{Program, Table};
use super::route::{Bed, Spent};
use super::server::{PARTITIONS, Server, TOPICS};

/// The parts, as they are chosen.
pub(crate) const NAMES: [&str; 6] = ["file", "webhook", "kafka", "durability", "latency", "cost"];
/// Payload bytes of a record.
const SIZES: [usize; 3] = [100, 1024, 65_536];
/// Records that a route fetches at once, and of a webhook's batch.
const BATCH: usize = 500;
/// Bytes of a webhook's batch.
const BATCH_BYTES: usize = 8 << 20;
/// Bytes that a route asks for at most in one fetch.
const FETCH_BYTES: u64 = 4 << 20;
/// Bytes of a topic that is read: half of what a mock cluster keeps of it.
const TOPIC_BYTES: usize = PARTITIONS as usize * (5 << 20) / 2;

const FROM_MEMORY: &str = "[connectors.in]\nplugin = \"memory\"\n";
const TO_MEMORY: &str = "[publishers.out]\nplugin = \"memory\"\n";
const FROM_FILE: &str =
    "[connectors.in]\nplugin = \"file\"\nconfig = { files = [\"in.jsonl\"], state_file = \"journal\" }\n";
const TO_FILE: &str = "[publishers.out]\nplugin = \"file\"\nconfig = { directory = \"out\" }\n";
const DELIVERED: &str = "durability = \"delivered\"\n";
/// Of a publisher that would take more in a call.
const CALLS_OF_500: &str = "[publishers.out.delivery]\nbatch = { records_max = 500 }\n";

/// What all parts share.
pub(crate) struct Parts {
    bed: Bed,
    sizes: Vec<usize>,
    is_quick: bool,
}

impl Parts {
    /// Parts that find their plugins in a directory, with records of these sizes, or of all without any.
    pub(crate) fn new(plugins: &Path, sizes: &[usize], is_quick: bool) -> Self {
        let sizes = if sizes.is_empty() { &SIZES } else { sizes };
        Self { bed: Bed::new(plugins), sizes: sizes.to_vec(), is_quick }
    }

    /// Measures a part of [`NAMES`], prints what it took and keeps it in the report.
    pub(crate) fn run(&self, part: &str, report: &mut Report) {
        if part == "latency" {
            return self.latency(report);
        }
        Table::print_head();
        // Each program has so many turns, and its best counts.
        let table = Table { part, rounds: if self.is_quick { 1 } else { 3 }, report };
        match part {
            "file" => self.file(table),
            "webhook" => self.webhook(table),
            "kafka" => self.kafka(table),
            "durability" => self.durability(table),
            _ => self.cost(table),
        }
    }

    /// How many records of a size to send: at most so many, and at most so many MiB.
    fn count(&self, size: usize, records_max: usize, mib_max: usize) -> u64 {
        let less = if self.is_quick { 5 } else { 1 };
        (records_max.min((mib_max << 20) / size) / less).max(20) as u64
    }

    /// Runs a route in a directory of its own, from `source` or from a file with as many records.
    fn route(&self, document: &str, records: u64, payload: &[u8], source: Option<&Arc<Source>>) -> Spent {
        let directory = tempfile::tempdir().unwrap();
        if document.contains(FROM_FILE) {
            let line = [payload, b"\n"].concat();
            std::fs::write(directory.path().join("in.jsonl"), line.repeat(records as usize)).unwrap();
        }
        self.bed.run(document, directory.path(), records, source)
    }

    fn memory_to(&self, to: &str, more: &str, records: u64, payload: &[u8]) -> Spent {
        let source = Arc::new(Source::new(records, payload.to_vec(), None));
        self.route(&document(FROM_MEMORY, to, more), records, payload, Some(&source))
    }

    fn file(&self, mut table: Table<'_>) {
        for &size in &self.sizes {
            let (payload, records) = (payload(size), self.count(size, 200_000, 256));
            let document = document(FROM_FILE, TO_FILE, DELIVERED);
            let mut programs =
                [Program::new("file -> file", || self.route(&document, records, &payload, None))];
            table.in_turns(size, &mut programs);
        }
    }

    fn webhook(&self, mut table: Table<'_>) {
        let server = Server::start("webhook");
        let http = peers::Http::new(&server.address);
        let (batch, single) = (to_webhook(&server, "batch"), to_webhook(&server, "single"));
        for &size in &self.sizes {
            let payload = payload(size);
            let (many, few) = (self.count(size, 200_000, 512), self.count(size, 10_000, 128));
            let from_file = document(FROM_FILE, &batch, DELIVERED);
            let in_batch = BATCH.min(BATCH_BYTES / size);
            let mut programs = [
                Program::new("file -> webhook, batch 500", || self.route(&from_file, many, &payload, None)),
                Program::new("memory -> webhook, batch 500", || {
                    self.memory_to(&batch, DELIVERED, many, &payload)
                }),
                Program::new("memory -> webhook, single", || {
                    self.memory_to(&single, DELIVERED, few, &payload)
                }),
                Program::new("v4.1's way", || http.one_by_one(few, &payload)),
                Program::new("plain reqwest, batch 500", || http.plain(many, &payload, in_batch)),
            ];
            let bests = table.in_turns(size, &mut programs);
            // It is promised for small records: a large one costs its bytes in any form.
            if size <= 1024 {
                let times = |other: usize| bests[1].rate / bests[other].rate;
                let figure = |over: &str| format!("batched webhooks over {over}, {size} bytes");
                let report = &mut *table.report;
                report.must_hold(Required::AtLeast(5.0), &figure("single ones"), times(2), "x");
                report.must_hold(Required::AtLeast(20.0), &figure("v4.1's way"), times(3), "x");
            }
        }
    }

    fn kafka(&self, mut table: Table<'_>) {
        let server = Server::start("kafka");
        let topics = Cell::new(0);
        let next = || {
            let topic = topics.replace(topics.get() + 1);
            assert!(topic < TOPICS, "the cluster has too few topics");
            format!("t{topic}")
        };
        for &size in &self.sizes {
            let payload = payload(size);
            let stored = self.count(size, 100_000, TOPIC_BYTES >> 20);
            let records = self.count(size, 500_000, 512);
            let from = next();
            peers::fill(&server.address, &from, stored, &payload);
            let mut programs = [
                Program::new("Kafka -> Kafka", || {
                    let to = next();
                    let from = from_kafka(&server, &from, &format!("group-{to}"));
                    let document = document(&from, &to_kafka(&server, &to, ""), DELIVERED);
                    self.route(&document, stored, &payload, None)
                }),
                Program::new("memory -> Kafka", || {
                    self.memory_to(&to_kafka(&server, &next(), ""), DELIVERED, records, &payload)
                }),
                Program::new("memory -> Kafka, calls of 500", || {
                    self.memory_to(&to_kafka(&server, &next(), CALLS_OF_500), DELIVERED, records, &payload)
                }),
                Program::new("plain librdkafka producer, same messages", || {
                    peers::kafka(&server.address, &next(), records, &payload, Messages::OfRoute)
                }),
                Program::new("plain librdkafka producer", || {
                    peers::kafka(&server.address, &next(), records, &payload, Messages::Bare)
                }),
            ];
            let bests = table.in_turns(size, &mut programs);
            if size == 1024 {
                // The loop that sends the same messages: what they hold besides is no cost of this library.
                let percent = 100.0 * bests[1].rate / bests[3].rate;
                let figure = "publishing to Kafka, of the plain loop with the same messages, 1024 bytes";
                table.report.must_hold(Required::AtLeast(80.0), figure, percent, "%");
                let bare = 100.0 * bests[1].rate / bests[4].rate;
                println!("publishing to Kafka, of the plain loop with bare messages: {bare:.1} %");
            }
        }
    }

    fn durability(&self, mut table: Table<'_>) {
        for &size in &self.sizes {
            let (payload, records) = (payload(size), self.count(size, 500_000, 512));
            let run = |more: &str| self.memory_to(TO_MEMORY, more, records, &payload);
            let spool =
                "durability = \"spooled\"\nspool = { directory = \"spool\", bytes_max = 1073741824 }\n";
            let mut programs = [
                Program::new("memory -> memory, delivered", || run(DELIVERED)),
                Program::new("memory -> memory, accepted", || run("durability = \"accepted\"\n")),
                Program::new("memory -> memory, spooled", || run(spool)),
            ];
            let bests = table.in_turns(size, &mut programs);
            let over =
                |n: usize| (1e6 / bests[n].rate - 1e6 / bests[0].rate, bests[n].cpu_us - bests[0].cpu_us);
            for (name, (wall, cpu)) in [("accepted", over(1)), ("spooled", over(2))] {
                println!(
                    "{name} over delivered, {size} bytes: {wall:+.2} us wall, {cpu:+.2} us CPU per record"
                );
            }
            if size == 1024 {
                let figure = "spooled publish, 1024 bytes";
                table.report.must_hold(Required::AtLeast(50_000.0), figure, bests[2].rate, "records/s");
            }
        }
    }

    fn latency(&self, report: &mut Report) {
        let (webhook, kafka) = (Server::start("webhook"), Server::start("kafka"));
        let targets = [
            ("file", TO_FILE.to_owned()),
            ("webhook, batch 500", to_webhook(&webhook, "batch")),
            ("webhook, single", to_webhook(&webhook, "single")),
            ("Kafka", to_kafka(&kafka, "t0", "")),
        ];
        let seconds = if self.is_quick { 1.0 } else { 4.0 };
        println!(
            "{:<34} {:>7} {:>12} {:>12} {:>10} {:>10}",
            "route", "bytes", "records/s", "offered", "p50 ms", "p99 ms"
        );
        for &size in &self.sizes {
            let payload = payload(size);
            for (name, to) in &targets {
                let records = self.count(size, if name.contains("single") { 10_000 } else { 200_000 }, 256);
                let full = self.memory_to(to, DELIVERED, records, &payload).rate();
                let offered = full / 2.0;
                let records = (offered * seconds) as u64 + 1;
                let source = Arc::new(Source::new(records, payload.clone(), Some(offered)));
                self.route(&document(FROM_MEMORY, to, DELIVERED), records, &payload, Some(&source));
                let mut latencies = source.latencies();
                assert_eq!(latencies.len() as u64, records - 1);
                latencies.sort_unstable();
                let part = |part: f64| latencies[((records - 2) as f64 * part) as usize].as_secs_f64() * 1e3;
                let (route, p50_ms, p99_ms) = (format!("memory -> {name}"), part(0.5), part(0.99));
                println!("{route:<34} {size:>7} {full:>12.0} {offered:>12.0} {p50_ms:>10.2} {p99_ms:>10.2}");
                let (full_per_s, offered_per_s) = (full, offered);
                report.latency(Latency { route, bytes: size, full_per_s, offered_per_s, p50_ms, p99_ms });
            }
        }
    }

    fn cost(&self, mut table: Table<'_>) {
        for &size in &self.sizes {
            let (payload, records) = (payload(size), self.count(size, 2_000_000, 2048));
            let mut programs = [
                Program::new("plain loop, memory -> memory", || plain(records, &payload)),
                Program::new("memory -> memory", || self.memory_to(TO_MEMORY, DELIVERED, records, &payload)),
            ];
            let bests = table.in_turns(size, &mut programs);
            // The loop pays for making and dropping the records as well: the difference is the runtime's.
            let own = bests[1].cpu_us - bests[0].cpu_us;
            let figure = format!("the runtime's own CPU time per record, {size} bytes");
            table.report.must_hold(Required::AtMost(2.0), &figure, own, "us");
        }
    }
}

/// The least that can be done: fetch as much as the route does, publish, flush, settle, one after another.
fn plain(records: u64, payload: &[u8]) -> Spent {
    let (source, sink) = (Source::new(records, payload.to_vec(), None), Sink);
    let limits = FetchLimits { records_max: BATCH as u32, bytes_max: FETCH_BYTES, timeout: Duration::ZERO };
    let context = PublishContext { attempt: 1, timeout: Duration::from_secs(30) };
    Spent::of(records, || {
        while let Fetch::Batch(batch) = source.fetch(limits).unwrap() {
            let views: Vec<RecordView<'_>> = batch.records.iter().map(Record::view).collect();
            sink.publish(&views, context).unwrap();
            sink.flush(context.timeout).unwrap();
            source.settle(batch.token, &vec![Verdict::Ack; batch.records.len()]).unwrap();
        }
    })
}

/// A JSON object of so many bytes.
fn payload(size: usize) -> Vec<u8> {
    format!("{{\"fill\":\"{}\"}}", "x".repeat(size - 11)).into_bytes()
}

/// A pipeline with one route that forwards.
fn document(from: &str, to: &str, more: &str) -> String {
    format!(
        "name = \"bench\"\n{from}{to}[[routes]]\nname = \"all\"\nwork = \"forward\"\nconnectors = [\"in\"]\n\
         publishers = [\"out\"]\nbatch_records_max = {BATCH}\n{more}"
    )
}

fn to_webhook(server: &Server, mode: &str) -> String {
    let url = &server.address;
    format!(
        "[publishers.out]\nplugin = \"http\"\n[publishers.out.config]\nurl = \"{url}\"\nmode = \"{mode}\"\n\
         allow_private_addresses = true\nsecrets = [\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"]\n\
         records_max = {BATCH}\nbytes_max = {BATCH_BYTES}\n"
    )
}

fn from_kafka(server: &Server, topic: &str, group: &str) -> String {
    let brokers = &server.address;
    format!(
        "[connectors.in]\nplugin = \"kafka\"\nconfig = {{ brokers = [\"{brokers}\"], topics = [\"{topic}\"], \
         group = \"{group}\" }}\n"
    )
}

/// With all defaults, but for what the mock cluster can not say (`message_bytes_max`) and for `more`.
fn to_kafka(server: &Server, topic: &str, more: &str) -> String {
    let brokers = &server.address;
    format!(
        "[publishers.out]\nplugin = \"kafka\"\n\
         config = {{ brokers = [\"{brokers}\"], topic = \"{topic}\", message_bytes_max = 1000000 }}\n{more}"
    )
}
