//! What another client, `confluent-kafka` from PyPI, reads of what is published, and which offsets it says our group has
//! committed. It runs in a Python environment that the test makes once.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use mfn_plugin::{
    author::{Component, Connector},
    testing::MemoryHost,
    value::Record,
};
use serde_json::{Value, json};

use crate::{
    cluster::shared,
    support::{ack, connector, next, offsets, publish_all, publisher},
};

/// The release that the test is written for.
const CLIENT: &str = "confluent-kafka==2.16.1";

/// Prints a line of JSON for each message, then the committed offset of each partition.
const SCRIPT: &str = r#"
import json, sys
from confluent_kafka import Consumer, TopicPartition
brokers, topic, partitions, count, group = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
every = [TopicPartition(topic, n, 0) for n in range(partitions)]
reader = Consumer({"bootstrap.servers": brokers, "group.id": "python", "isolation.level": "read_committed"})
reader.assign(every)
while count > 0:
    message = reader.poll(20)
    if message is None or message.error():
        raise SystemExit(f"no message: {message and message.error()}")
    hexed = lambda value: None if value is None else bytes(value).hex()
    print(json.dumps({
        "partition": message.partition(), "offset": message.offset(), "time": message.timestamp()[1],
        "key": hexed(message.key()), "payload": hexed(message.value()),
        "headers": [[name, hexed(value)] for name, value in message.headers() or []],
    }))
    count -= 1
reader.close()
member = Consumer({"bootstrap.servers": brokers, "group.id": group})
print(json.dumps([partition.offset for partition in member.committed(every, timeout=20)]))
member.close()
"#;

fn run(command: &mut Command, what: &str) -> String {
    let output = command.output().unwrap_or_else(|error| {
        panic!("{what}: {command:?} can not be run: {error}; install python3 and python3-venv")
    });
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = String::from_utf8_lossy(&output.stderr);
    let help = "it needs python3, python3-venv and a package index";
    assert!(output.status.success(), "{what}: {command:?} failed; {help}\n{text}{said}");
    text
}

/// The interpreter of an environment with the client, made where it is missing.
fn python() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(CLIENT.replace("==", "-"));
    let python = folder.join("bin/python");
    let is_complete = folder.join("complete");
    if !is_complete.exists() {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder), "the environment");
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", CLIENT];
        run(Command::new(&python).args(pip), CLIENT);
        std::fs::write(is_complete, "").unwrap();
    }
    python
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Guards that we speak Kafka and not only with ourselves: another client reads the same keys, payloads, times and
/// headers, compressed, in and out of transactions, in the partition that its own hash would choose; and the offsets that
/// it sees committed are the ones that we say.
#[test]
fn another_client_agrees() {
    let cluster = shared();
    let topic = "third-party";
    cluster.create_topic(topic, 3, &[]);
    let host = MemoryHost::new();
    let records: Vec<Record> = (0..30u8)
        .map(|n| Record {
            id: format!("id-{n}"),
            key: (n % 5 != 0).then(|| vec![0xfe, n]),
            payload: vec![n; usize::from(n) * 100],
            content_type: "application/octet-stream".to_owned(),
            headers: vec![("bytes".to_owned(), vec![n, 0, 0xff])],
            timestamp_ms: Some(1_760_000_000_000 + i64::from(n)),
            ..Record::default()
        })
        .collect();
    for (n, compression) in ["none", "gzip", "snappy", "lz4", "zstd"].into_iter().enumerate() {
        let mut fields = json!({ "topic": topic, "compression": compression });
        if n % 2 == 0 {
            fields["transactional_id"] = json!(format!("third-party-{n}"));
        }
        let mut target = publisher(&host, &*cluster, fields);
        publish_all(&mut target, &records[n * 6..(n + 1) * 6]);
        target.close().unwrap();
    }
    let mut source = connector(&host, &*cluster, json!({ "topics": [topic], "group": "third-party" }));
    // Of each partition the offset behind the last record that is settled, and that of the first one that is not.
    let (mut count, mut ends, mut unsettled) = (0, [None; 3], [None; 3]);
    // The last batches are left unsettled: what is committed ends before them. All are read, because the mark of a
    // transaction's end takes an offset as well: whether a commit stands before or behind it depends on whether the
    // record that follows has come.
    while count < records.len() {
        let batch = next(&mut source, 3);
        let partition: usize = batch.partition.rsplit('-').next().unwrap().parse().unwrap();
        if count < 20 {
            ack(&mut source, &batch);
            ends[partition] = offsets(&batch).last().map(|last| last + 1);
        } else {
            unsettled[partition] = unsettled[partition].or(offsets(&batch).first().copied());
        }
        count += batch.records.len();
    }
    // A partition of which nothing was read has none.
    let ours: Vec<Option<i64>> = (0..3)
        .map(|n| {
            let position = source.position(&format!("{topic}-{n}")).unwrap();
            serde_json::from_slice::<Value>(&position).unwrap()["offset"].as_i64()
        })
        .collect();
    source.close().unwrap();

    let mut client = Command::new(python());
    client.arg("-c").arg(SCRIPT).arg(cluster.brokers().join(","));
    client.args([topic, "3", "30", "third-party"]);
    let text = run(&mut client, "the client");
    let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let committed: Vec<i64> =
        lines.pop().unwrap().as_array().unwrap().iter().map(|offset| offset.as_i64().unwrap()).collect();
    for record in &records {
        let id = json!(["mfn-record-id", hex(record.id.as_bytes())]);
        let found = lines.iter().find(|line| line["headers"].as_array().unwrap().contains(&id));
        let found = found.unwrap_or_else(|| panic!("{} was not read", record.id));
        assert_eq!(found["key"], json!(record.key.as_deref().map(hex)), "{}", record.id);
        assert_eq!(found["payload"], json!(hex(&record.payload)), "{}", record.id);
        assert_eq!(found["time"], json!(record.timestamp_ms), "{}", record.id);
        let content_type = json!(["content-type", hex(record.content_type.as_bytes())]);
        let bytes = json!(["bytes", hex(&record.headers[0].1)]);
        assert_eq!(found["headers"], json!([id, content_type, bytes]));
    }
    for (n, end) in ends.into_iter().enumerate().filter(|(_, end)| end.is_some()) {
        let wanted = unsettled[n].or(end).map(|offset| i64::try_from(offset).unwrap());
        assert_eq!((Some(committed[n]), ours[n]), (wanted, wanted), "{topic}-{n}: committed, our position");
    }
    assert!(
        ends.iter().any(Option::is_some) && unsettled.iter().any(Option::is_some),
        "{ends:?} {unsettled:?}"
    );
}
