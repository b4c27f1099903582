//! The contract of connectors and publishers, as the kit's checker knows it.

use std::path::Path;

use mfn_plugin::{
    checker::{self, Setup},
    testing::MemoryHost,
};
use mfn_plugin_kafka::{KafkaConnector, KafkaPublisher};
use serde_json::json;

use crate::support::{PATIENCE, cluster, config, publish_all, publisher, record};

/// Guards everything the runtime relies on in a connector: settlement, limits, restart, a safe end.
#[test]
fn the_connector_keeps_the_contract() {
    let cluster = cluster(1, "t", 1);
    let host = MemoryHost::new();
    let mut target = publisher(&host, &cluster, json!({ "topic": "t" }));
    publish_all(&mut target, &[record("a", "1"), record("b", "2"), record("c", "3"), record("d", "4")]);
    let fields = json!({ "topics": ["t"], "group": "contract", "commit_interval_ms": 10, "properties": {
        // The checker closes an instance that is still joining: the group waits this long for it.
        "session.timeout.ms": 6000, "heartbeat.interval.ms": 300,
    } });
    let mut setup = Setup::new(config(&cluster, fields), Path::new("/"));
    // A group is joined in about three seconds.
    setup.patience = PATIENCE;
    checker::connector::<KafkaConnector>(&setup).assert_clean();
}

/// Guards the same for a publisher.
#[test]
fn the_publisher_keeps_the_contract() {
    let cluster = cluster(1, "t", 2);
    let setup = Setup::new(config(&cluster, json!({ "topic": "t" })), Path::new("/"));
    checker::publisher::<KafkaPublisher>(&setup).assert_clean();
}
