//! The contract of transports, as the kit's checker knows it.

use std::path::Path;

use mfn_plugin::checker::{self, Setup};
use mfn_plugin_sse::SseTransport;

/// Guards everything the runtime relies on in a transport: cursors, waiting for nobody, a safe end.
#[test]
fn the_transport_keeps_the_contract() {
    let config = serde_json::json!({ "bind": "127.0.0.1:0" });
    checker::transport::<SseTransport>(&Setup::new(config, Path::new("."))).assert_clean();
}
