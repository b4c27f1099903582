//! The contract of connectors and publishers, as the kit's checker knows it.

use std::path::Path;

use mfn_plugin::checker::{self, Setup};
use mfn_plugin_http::{RestConnector, WebhookPublisher};
use serde_json::json;

use crate::{
    common::{self, KEY},
    server::{Server, answer, ok},
};

/// Guards everything the runtime relies on in a connector: settlement, limits, restart, a safe end.
#[test]
fn the_connector_keeps_the_contract() {
    let server = Server::start(|_| ok("[{\"n\":1},{\"n\":2},{\"n\":3},{\"n\":4},{\"n\":5}]"));
    let config = json!({ "url": server.url("/feed"), "allow_private_addresses": true, "id": ["/n"] });
    checker::connector::<RestConnector>(&Setup::new(config, Path::new("/"))).assert_clean();
}

/// Guards the same for a publisher, in each mode.
#[test]
fn the_publisher_keeps_the_contract() {
    let server = Server::start(|_| answer(204, &[], ""));
    for mode in [
        json!({ "mode": "single" }),
        json!({ "mode": "single", "concurrency": 1 }),
        json!({ "mode": "batch" }),
        json!({ "mode": "batch", "batch_format": "jsonl", "include_headers": true }),
    ] {
        let base = json!({ "url": server.url("/hook"), "allow_private_addresses": true, "secrets": [KEY] });
        let config = common::with(base, mode);
        checker::publisher::<WebhookPublisher>(&Setup::new(config, Path::new("/"))).assert_clean();
    }
}
