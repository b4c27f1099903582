//! Members that come and go: partitions change hands without loss, and nothing is committed after it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use mfn_plugin::{
    author::{Component, Connector},
    testing::{FaultMemory, FaultRow, MemoryHost, fault_size},
    value::Batch,
};
use mfn_plugin_kafka::KafkaConnector;
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
};
use serde_json::json;

use crate::{
    cluster::{Cluster, shared},
    stream::{Judged, Seen, Writer},
    support::{PATIENCE, ack, connector, eventually, fetch, next, publish_all, publisher, record},
};

/// Two members of one group: the first has everything in hand when the second comes.
fn second_member(
    host: &MemoryHost,
    cluster: &Cluster,
    topic: &str,
    revoke_timeout_ms: u64,
) -> (KafkaConnector, Vec<Batch>, KafkaConnector) {
    cluster.create_topic(topic, 2, &[]);
    let mut target = publisher(host, cluster, json!({ "topic": topic, "partition": "round_robin" }));
    let records: Vec<_> = (0..8).map(|n| record(&n.to_string(), &n.to_string())).collect();
    publish_all(&mut target, &records);
    let fields = json!({
        "topics": [topic], "group": topic, "commit_interval_ms": 60000, "revoke_timeout_ms": revoke_timeout_ms,
        "properties": { "session.timeout.ms": 6000, "heartbeat.interval.ms": 200 },
    });
    let mut first = connector(host, cluster, fields.clone());
    let mut batches = Vec::new();
    while batches.iter().map(|batch: &Batch| batch.records.len()).sum::<usize>() < 8 {
        batches.push(next(&mut first, 100));
    }
    let second = connector(host, cluster, fields);
    (first, batches, second)
}

/// Guards rule 3: a partition that is wanted back is given away only after its records are settled and committed,
/// so the next owner brings none of them again.
#[test]
fn a_revoked_partition_is_drained_before_it_goes() {
    let host = MemoryHost::new();
    let cluster = shared();
    let (mut first, batches, mut second) = second_member(&host, &cluster, "drained", 60_000);
    eventually("a partition is wanted back", || {
        let _ = fetch(&mut first, 100);
        host.number("mfn_kafka_rebalances_total", &[("kind", "revoke")]) >= 1.0
    });
    assert!(fetch(&mut second, 100).is_none(), "given away with records outstanding");
    batches.iter().for_each(|batch| ack(&mut first, batch));
    eventually("the second member has its partition", || {
        assert!(fetch(&mut second, 100).is_none(), "a settled record came again");
        ["drained-0", "drained-1"].iter().any(|name| second.position(name).is_ok())
    });
    assert_eq!(host.number("mfn_kafka_void_settlements_total", &[]), 0.0);
}

/// Guards the fence: when the time is over the partition goes, its records come to the next owner, and what the old
/// one settles then has no effect.
#[test]
fn a_late_settlement_is_void() {
    let host = MemoryHost::new();
    let cluster = shared();
    let (mut first, batches, mut second) = second_member(&host, &cluster, "late", 0);
    let again = next(&mut second, 100);
    let late: Vec<_> = batches.iter().filter(|batch| batch.partition == again.partition).collect();
    let records: usize = late.iter().map(|batch| batch.records.len()).sum();
    assert!(records > 0, "nothing was outstanding in {}", again.partition);
    late.iter().for_each(|batch| ack(&mut first, batch));
    assert_eq!(host.number("mfn_kafka_void_settlements_total", &[]), late.len() as f64);
    assert!(first.position(&again.partition).is_err());
    // Had the late settlement been committed, a third member would not get them.
    second.close().unwrap();
    first.close().unwrap();
    let mut third = connector(&host, &*cluster, json!({ "topics": ["late"], "group": "late" }));
    let mut ids = Vec::new();
    while ids.len() < 8 {
        ids.extend(next(&mut third, 100).records.into_iter().map(|record| record.id));
    }
    assert!(again.records.iter().all(|record| ids.contains(&record.id)), "{ids:?}");
}

const MEMBERS: usize = 4;
const BUFFER_BYTES: u64 = 1 << 20;
/// What librdkafka takes for a client, its threads and what it knows of the cluster.
const CLIENT_BYTES: u64 = 1 << 20;
const PARTITIONS: i32 = 8;

/// A member that fetches, works for a moment and acknowledges, until it is told to leave. One that stalls keeps a batch
/// for longer than a revocation waits.
struct Member {
    must_leave: Arc<AtomicBool>,
    received: Arc<AtomicUsize>,
    thread: JoinHandle<()>,
}

impl Member {
    fn start(host: &MemoryHost, cluster: &Cluster, seen: &Seen, stalls: bool) -> Self {
        let fields = json!({
            "topics": ["crowd"], "group": "crowd", "commit_interval_ms": 50, "revoke_timeout_ms": 500,
            "outstanding_max": 200, "buffer_bytes_max": BUFFER_BYTES,
            "properties": { "session.timeout.ms": 3000, "heartbeat.interval.ms": 100 },
        });
        let mut source = connector(host, cluster, fields);
        let (must_leave, received) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (leave, count, seen) = (Arc::clone(&must_leave), Arc::clone(&received), seen.clone());
        let thread = thread::spawn(move || {
            while !leave.load(Ordering::Acquire) {
                let Some(batch) = fetch(&mut source, 20) else { continue };
                seen.note(&batch);
                count.fetch_add(1, Ordering::AcqRel);
                thread::sleep(Duration::from_millis(if stalls { 1500 } else { 2 }));
                ack(&mut source, &batch);
            }
            source.close().unwrap();
        });
        Self { must_leave, received, thread }
    }

    fn leave(self) {
        self.must_leave.store(true, Ordering::Release);
        self.thread.join().unwrap();
    }
}

/// Guards fault 4: a group grows from one member to four and shrinks to one, twice (20 times in full size), one member keeping batches
/// for longer than a revocation waits. Nothing is lost, the order holds per key, and the committed offsets, watched all
/// the time, never go back: nobody commits after it gave a partition away.
#[test]
fn members_come_and_go() {
    let cluster = shared();
    cluster.create_topic("crowd", PARTITIONS, &[]);
    let host = MemoryHost::new();
    let seen = Seen::default();
    let rounds = fault_size(2, 20);
    // Each member may read ahead, in the plugin and in librdkafka; clients, threads and their metadata are some megabytes
    // each.
    let clients = FaultMemory::here(MEMBERS as u64 * (2 * BUFFER_BYTES + CLIENT_BYTES) + 2 * CLIENT_BYTES);
    let writer = Writer::start(&*cluster, "crowd", Duration::from_millis(10));
    let watch = Watch::start(&cluster);
    // It stalls from the beginning, so partitions are taken from it while it holds batches.
    let mut last = Member::start(&host, &cluster, &seen, true);
    for _ in 0..rounds {
        eventually("the first member works", || last.received.load(Ordering::Acquire) > 0);
        let mut members: Vec<_> =
            (1..MEMBERS).map(|_| Member::start(&host, &cluster, &seen, false)).collect();
        eventually("each member works", || {
            members.iter().all(|member| member.received.load(Ordering::Acquire) > 2)
        });
        last.leave();
        last = members.remove(0);
        members.into_iter().for_each(Member::leave);
    }
    let written = writer.stop();
    eventually("everything came", || seen.count() >= written);
    eventually("everything is committed", || watch.committed() == i64::try_from(written).unwrap());
    last.leave();
    let samples = watch.stop();
    let Judged { lost, duplicated } = seen.judge(written);
    // An id and a number of each record, and while they are judged maps of both.
    let memory = clients.kept_by_test(128 * written);
    let rebalances = host.number("mfn_kafka_rebalances_total", &[("kind", "revoke")]);
    let void = host.number("mfn_kafka_void_settlements_total", &[]);
    println!(
        "{written} records, {duplicated} came again; {rebalances} revocations, {void} void settlements, {samples} samples"
    );
    FaultRow { number: 4, struck: rebalances as u64, lost, duplicated }.report(memory);
    // Whether a settlement is late depends on when its partition is taken; `a_late_settlement_is_void` makes one so.
    assert!(rebalances >= 2.0 * rounds as f64, "too few partitions changed hands");
}

/// Looks at the group's committed offsets all the time.
struct Watch {
    must_stop: Arc<AtomicBool>,
    sum: Arc<AtomicI64>,
    thread: JoinHandle<usize>,
}

impl Watch {
    fn start(cluster: &Cluster) -> Self {
        let client: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", cluster.brokers().join(","))
            .set("group.id", "crowd")
            .create()
            .unwrap();
        let (must_stop, sum) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicI64::new(0)));
        let (stop, total) = (Arc::clone(&must_stop), Arc::clone(&sum));
        let thread = thread::spawn(move || {
            let mut last: BTreeMap<i32, i64> = BTreeMap::new();
            let mut samples = 0;
            while !stop.load(Ordering::Acquire) {
                let mut list = TopicPartitionList::new();
                list.add_partition_range("crowd", 0, PARTITIONS - 1);
                let Ok(list) = client.committed_offsets(list, PATIENCE) else { continue };
                for element in list.elements() {
                    let Offset::Offset(offset) = element.offset() else { continue };
                    let before = last.insert(element.partition(), offset).unwrap_or(0);
                    assert!(before <= offset, "crowd-{}: {before}, then {offset}", element.partition());
                }
                total.store(last.values().sum(), Ordering::Release);
                samples += 1;
                thread::sleep(Duration::from_millis(20));
            }
            samples
        });
        Self { must_stop, sum, thread }
    }

    fn committed(&self) -> i64 {
        self.sum.load(Ordering::Acquire)
    }

    /// Ends it; gives how often it looked.
    fn stop(self) -> usize {
        self.must_stop.store(true, Ordering::Release);
        self.thread.join().unwrap()
    }
}
