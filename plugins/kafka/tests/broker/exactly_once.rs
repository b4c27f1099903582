//! From Kafka to Kafka exactly once, although the process in between is killed again and again.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use mfn_plugin::{
    author::{Connector, Publisher},
    testing::MemoryHost,
    value::{PublishContext, Record, RecordView, Verdict},
};
use rdkafka::{
    ClientConfig, Message,
    consumer::{BaseConsumer, Consumer},
};
use serde_json::json;

use crate::{
    cluster::shared,
    support::{Brokers, PATIENCE, connector, fetch, publish_all, publisher},
};

const RECORDS: usize = 3200;
/// Records of one transaction.
const TOGETHER: u32 = 20;
const KEYS: usize = 20;
/// How often the process is killed: at least, and at most where no kill has struck inside of a transaction.
const KILLS_MIN: usize = 4;
const KILLS_MAX: usize = 24;
const BROKERS: &str = "MFN_TEST_KAFKA_BROKERS";

/// Brokers that another process was told of.
struct Told(Vec<String>);

impl Brokers for Told {
    fn brokers(&self) -> Vec<String> {
        self.0.clone()
    }
}

/// Not a test of its own: the process that is killed. It forwards from `eo-in` to `eo-out`, and writes a line before and
/// after each transaction.
#[test]
#[ignore = "started by `every_record_once_although_killed`"]
fn forwarder() {
    let brokers = std::env::var(BROKERS).expect("started by the test beside it");
    let cluster = Told(brokers.split(',').map(str::to_owned).collect());
    let host = MemoryHost::new();
    let mut target =
        publisher(&host, &cluster, json!({ "topic": "eo-out", "transactional_id": "forwarder" }));
    let fields = json!({
        "topics": ["eo-in"], "group": "forwarder", "offsets": "transaction", "revoke_timeout_ms": 1000,
        "properties": { "session.timeout.ms": 3000, "heartbeat.interval.ms": 200 },
    });
    let mut source = connector(&host, &cluster, fields);
    let context = PublishContext { attempt: 1, timeout: PATIENCE };
    let mut last = Instant::now();
    // With nothing left to do it ends, and who waits for its next line learns of it.
    while last.elapsed() < 3 * PATIENCE {
        let Some(batch) = fetch(&mut source, TOGETHER) else { continue };
        last = Instant::now();
        tell("begin");
        let views: Vec<RecordView<'_>> = batch.records.iter().map(Record::view).collect();
        let answers = target.publish(&views, context).unwrap_or_else(|error| vec![Err(error); views.len()]);
        // Standard error is the test's: there is nothing to see there unless it fails.
        if let Some(error) = answers.iter().find_map(|answer| answer.as_ref().err()) {
            eprintln!("forwarder: {error}");
        }
        let verdicts: Vec<_> = answers.iter().map(|answer| verdict(answer.is_ok())).collect();
        tell("end");
        source.settle(batch.token, &verdicts).unwrap();
    }
}

fn verdict(ok: bool) -> Verdict {
    if ok { Verdict::Ack } else { Verdict::Nack { delay: Duration::from_millis(50) } }
}

fn tell(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "\n{line}").and_then(|()| out.flush());
}

/// A running forwarder, killed when it is dropped.
struct Forwarder(Child);

impl Forwarder {
    fn start(brokers: &str) -> (Self, impl Iterator<Item = String> + use<>) {
        let program = std::env::current_exe().unwrap();
        let mut child = Command::new(program)
            .args(["--exact", "exactly_once::forwarder", "--ignored", "--nocapture", "--test-threads=1"])
            .env(BROKERS, brokers)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        (Self(child), lines)
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Guards the promise of `offsets = "transaction"`: a reader of committed records sees each one exactly once, in the
/// order of its key, although the forwarding process is killed inside of transactions. That it was shows in the
/// records of aborted transactions, which a reader of everything sees.
#[test]
fn every_record_once_although_killed() {
    let cluster = shared();
    cluster.create_topic("eo-in", 2, &[]);
    cluster.create_topic("eo-out", 2, &[]);
    let host = MemoryHost::new();
    let mut target = publisher(&host, &*cluster, json!({ "topic": "eo-in" }));
    publish_all(&mut target, &numbered(RECORDS));

    let brokers = cluster.brokers().join(",");
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut draw = |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below
    };
    let mut committed = Reader::new(&brokers, "eo-out", "read_committed");
    let mut everything = Reader::new(&brokers, "eo-out", "read_uncommitted");
    let mut kills = 0;
    // A record that was written twice was in a transaction that was aborted.
    while kills < KILLS_MIN || (everything.repeated() == 0 && kills < KILLS_MAX) {
        let (forwarder, mut lines) = Forwarder::start(&brokers);
        let transactions = 1 + draw(2);
        let begun = lines.by_ref().filter(|line| line == "begin").take(transactions as usize).count();
        if (begun as u64) < transactions {
            // Everything is forwarded.
            break;
        }
        if draw(4) == 0 {
            // At any moment of about a whole transaction.
            std::thread::sleep(Duration::from_micros(draw(200_000)));
        } else {
            // When its records are in the log: their offsets are added, and it is committed, after that.
            everything.read_one(PATIENCE / 10);
        }
        drop(forwarder);
        kills += 1;
        everything.read();
    }
    let (_last, _lines) = Forwarder::start(&brokers);
    // After a kill that nobody took over in time the broker itself ends the transaction, after its time-out.
    let end = Instant::now() + 3 * PATIENCE;
    while committed.payloads.values().map(Vec::len).sum::<usize>() < RECORDS && Instant::now() < end {
        committed.read();
    }
    // Whatever would come twice has had its time.
    for _ in 0..3 {
        committed.read();
    }
    let mut numbers: Vec<usize> = committed.payloads.values().flatten().copied().collect();
    for (key, numbers) in &committed.payloads {
        assert!(numbers.is_sorted(), "{key}: out of order: {numbers:?}");
    }
    numbers.sort_unstable();
    everything.read();
    let (aborted, written) =
        (everything.repeated(), everything.payloads.values().map(Vec::len).sum::<usize>());
    let all = numbers.iter().copied().eq(0..RECORDS);
    assert!(all, "lost or doubled: {} committed, {written} written, {kills} kills", numbers.len());
    println!("{kills} kills, {aborted} records in transactions that were aborted");
    assert!(aborted > 0, "no kill has struck a transaction");
}

/// Guards transactions whose messages go out one to a request: each call commits, and a reader of committed records has
/// all of them in the order of their keys.
#[test]
fn a_transaction_of_single_messages_commits() {
    let cluster = shared();
    cluster.create_topic("eo-single", 2, &[]);
    let host = MemoryHost::new();
    let fields = json!({
        "topic": "eo-single", "transactional_id": "single", "properties": { "batch.num.messages": "1" },
    });
    let mut target = publisher(&host, &*cluster, fields);
    let records = numbered(200);
    records.chunks(50).for_each(|together| publish_all(&mut target, together));
    let mut committed = Reader::new(&cluster.brokers().join(","), "eo-single", "read_committed");
    let end = Instant::now() + PATIENCE;
    while committed.payloads.values().map(Vec::len).sum::<usize>() < records.len() && Instant::now() < end {
        committed.read();
    }
    assert!(committed.payloads.values().all(|numbers| numbers.is_sorted()));
    let numbers: BTreeSet<usize> = committed.payloads.values().flatten().copied().collect();
    assert_eq!((numbers.len(), committed.repeated()), (records.len(), 0));
}

/// Records with a number as payload, of a few keys.
fn numbered(count: usize) -> Vec<Record> {
    let record = |n: usize| Record {
        id: format!("r{n}"),
        key: Some(format!("k{}", n % KEYS).into_bytes()),
        payload: n.to_string().into_bytes(),
        ..Record::default()
    };
    (0..count).map(record).collect()
}

/// Reads the whole of a topic of two partitions, by key.
struct Reader {
    consumer: BaseConsumer,
    payloads: BTreeMap<String, Vec<usize>>,
}

impl Reader {
    fn new(brokers: &str, topic: &str, isolation: &str) -> Self {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("group.id", isolation)
            .set("isolation.level", isolation)
            .set("auto.offset.reset", "earliest")
            .set("enable.auto.commit", "false")
            .create()
            .unwrap();
        let mut partitions = rdkafka::TopicPartitionList::new();
        partitions.add_partition_range(topic, 0, 1);
        consumer.assign(&partitions).unwrap();
        Self { consumer, payloads: BTreeMap::new() }
    }

    /// Records that were seen more than once.
    fn repeated(&self) -> usize {
        let count = |numbers: &Vec<usize>| numbers.len() - BTreeSet::from_iter(numbers).len();
        self.payloads.values().map(count).sum()
    }

    /// Reads until nothing comes for a moment.
    fn read(&mut self) {
        while self.read_one(Duration::from_millis(300)) {}
    }

    /// Reads the next record, or the next error, if it comes in time.
    fn read_one(&mut self, timeout: Duration) -> bool {
        let Some(message) = self.consumer.poll(timeout) else { return false };
        if let Ok(message) = message {
            let key = String::from_utf8(message.key().unwrap().to_vec()).unwrap();
            let number = std::str::from_utf8(message.payload().unwrap()).unwrap().parse().unwrap();
            self.payloads.entry(key).or_default().push(number);
        }
        true
    }
}
