//! The contract of connectors and publishers, as the kit's checker knows it.

use std::path::Path;

use mfn_plugin::{
    checker::{self, Setup},
    testing::MemoryHost,
};
use mfn_plugin_kafka::{KafkaConnector, KafkaPublisher};
use serde_json::json;

use crate::{
    cluster::shared,
    support::{PATIENCE, config, publish_all, publisher, record},
};

/// Guards everything the runtime relies on in a connector: settlement, limits, restart, a safe end.
#[test]
fn the_connector_keeps_the_contract() {
    let cluster = shared();
    cluster.create_topic("contract-in", 1, &[]);
    let host = MemoryHost::new();
    let mut target = publisher(&host, &*cluster, json!({ "topic": "contract-in" }));
    publish_all(&mut target, &[record("a", "1"), record("b", "2"), record("c", "3"), record("d", "4")]);
    let fields = json!({ "topics": ["contract-in"], "group": "contract", "commit_interval_ms": 10 });
    let mut setup = Setup::new(config(&*cluster, fields), Path::new("/"));
    setup.patience = PATIENCE;
    checker::connector::<KafkaConnector>(&setup).assert_clean();
}

/// Guards the same for a publisher, with and without transactions.
#[test]
fn the_publisher_keeps_the_contract() {
    let cluster = shared();
    cluster.create_topic("contract-out", 2, &[]);
    let plain = json!({ "topic": "contract-out" });
    let transactional = json!({ "topic": "contract-out", "transactional_id": "contract" });
    for fields in [plain, transactional] {
        let setup = Setup::new(config(&*cluster, fields), Path::new("/"));
        checker::publisher::<KafkaPublisher>(&setup).assert_clean();
    }
}
