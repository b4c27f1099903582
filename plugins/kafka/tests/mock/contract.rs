//! The contract of publishers, as the kit's checker knows it; on a broker that does not say what it allows.

use std::path::Path;

use mfn_plugin::checker::{self, Setup};
use mfn_plugin_kafka::KafkaPublisher;
use serde_json::json;

use crate::{cluster, support::config};

/// Guards everything the runtime relies on in a publisher.
#[test]
fn the_publisher_keeps_the_contract() {
    let cluster = cluster("t", 2);
    let setup = Setup::new(config(&cluster, json!({ "topic": "t" })), Path::new("/"));
    checker::publisher::<KafkaPublisher>(&setup).assert_clean();
}
