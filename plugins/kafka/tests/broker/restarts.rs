//! Brokers that are killed and come back, and leaders that move, while records flow.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use mfn_plugin::{
    author::Component,
    testing::{FaultMemory, FaultRow, MemoryHost, fault_size},
};
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
};
use serde_json::json;

use crate::{
    cluster::{Cluster, exclusive},
    stream::{Judged, Seen, Writer},
    support::{PATIENCE, ack, connector, eventually, fetch},
};

const TOPIC: &str = "restarts";
const PARTITIONS: i32 = 4;
const BUFFER_BYTES: u64 = 1 << 20;

/// Partitions that are led by node 2, or `None` while nobody says.
fn led_by_second(client: &BaseConsumer) -> Option<usize> {
    let metadata = client.fetch_metadata(Some(TOPIC), Duration::from_secs(1)).ok()?;
    let partitions = metadata.topics().first()?.partitions();
    Some(partitions.iter().filter(|partition| partition.leader() == 2).count())
}

fn client(cluster: &Cluster, group: &str) -> BaseConsumer {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", cluster.brokers().join(",")).set("group.id", group).create().unwrap()
}

/// Guards fault 4: both brokers are killed with SIGKILL, one after the other (ten times each in full size), and leaders move
/// between them. No record is lost, none lies in the topic twice, the order holds per key, and at the end everything is
/// committed.
#[test]
fn brokers_are_killed_and_leaders_move() {
    let mut cluster = exclusive();
    cluster.create_topic(TOPIC, PARTITIONS, &[]);
    let host = MemoryHost::new();
    let rounds = fault_size(1, 10);
    // What the connector may read ahead, in the plugin and in librdkafka, three clients with their threads, and the test's
    // own list of what came.
    let memory = FaultMemory::here(2 * BUFFER_BYTES + (3 << 20)).kept_by_test(rounds << 20);
    let fields = json!({ "topics": [TOPIC], "group": TOPIC, "buffer_bytes_max": BUFFER_BYTES });
    let mut source = connector(&host, &*cluster, fields);
    let writer = Writer::start(&*cluster, TOPIC, Duration::from_millis(5));
    let (seen, must_stop) = (Seen::default(), Arc::new(AtomicBool::new(false)));
    let reader = {
        let (seen, must_stop) = (seen.clone(), Arc::clone(&must_stop));
        thread::spawn(move || {
            while !must_stop.load(Ordering::Acquire) {
                if let Some(batch) = fetch(&mut source, 50) {
                    seen.note(&batch);
                    ack(&mut source, &batch);
                }
            }
            source.close().unwrap();
        })
    };
    let watch = client(&cluster, "watch");
    let flows = |what: &str| {
        let (written, received) = (writer.written(), seen.count());
        eventually(what, || writer.written() > written + 50 && seen.count() > received + 50);
    };
    flows("records flow");
    // What the brokers say: one that died by the signal, partitions whose leader is another one than before.
    let mut struck = 0;
    for _ in 0..rounds {
        eventually("node 2 leads", || led_by_second(&watch).is_some_and(|led| led > 0));
        let led = led_by_second(&watch).unwrap_or_default();
        struck += cluster.kill(2);
        eventually("its leaders move", || led_by_second(&watch) == Some(0));
        struck += led as u64;
        flows("records flow with one node");
        cluster.ensure_up();
        eventually("leaders move back", || led_by_second(&watch).is_some_and(|led| led > 0));

        // The controller as well: for a moment there is nobody to ask.
        struck += cluster.kill(1);
        let before = writer.written();
        thread::sleep(Duration::from_millis(1500));
        cluster.ensure_up();
        flows("records flow after the controller came back");
        println!("{before} records before the controller went");
    }

    let written = writer.stop();
    eventually("everything came", || seen.count() >= written);
    must_stop.store(true, Ordering::Release);
    reader.join().unwrap();
    let Judged { lost, duplicated } = seen.judge(written);
    println!("{written} records, {duplicated} came again");
    FaultRow { number: 4, struck, lost, duplicated }.report(memory);
    assert_eq!(committed(&client(&cluster, TOPIC)), i64::try_from(written).unwrap());
}

/// The sum of the committed offsets: the topic holds one copy of each record from offset 0.
fn committed(client: &BaseConsumer) -> i64 {
    let mut list = TopicPartitionList::new();
    list.add_partition_range(TOPIC, 0, PARTITIONS - 1);
    let list = client.committed_offsets(list, PATIENCE).unwrap();
    let offset = |offset| if let Offset::Offset(offset) = offset { offset } else { 0 };
    list.elements().iter().map(|element| offset(element.offset())).sum()
}
