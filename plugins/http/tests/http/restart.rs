//! The REST connector over a restart: it goes on after what was settled, and brings everything else again.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use mfn_plugin::{
    author::{Component, Connector},
    testing::MemoryHost,
    value::{ErrorClass, HealthState, Verdict},
};
use mfn_plugin_http::RestConnector;
use serde_json::json;

use crate::{
    common::{LIMITS, acks, batch, connector, ids, new_connector, read_all, wait_for},
    server::{Server, answer, ok},
};

/// A feed without an end, of one item for each cursor.
fn endless() -> Server {
    Server::start(|seen| {
        let number: u64 = seen.query("after").map_or(0, |text| text.parse().unwrap());
        ok(format!(r#"{{"items":[{{"id":{number}}}],"next":{}}}"#, number + 1))
    })
}

fn resuming(server: &Server, state: &Path) -> RestConnector {
    let config = json!({ "items": "/items", "id": ["/id"], "state_file": state,
        "pagination": { "by": "cursor", "pointer": "/next", "query": "after", "resume": true } });
    connector(&MemoryHost::new(), &server.url("/f"), config)
}

/// Guards the cursor over a process that dies: it is after the contiguous settled pages, never after a page whose
/// records are open, although a later one is settled.
#[test]
fn a_cursor_moves_over_settled_pages_only() {
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("deep/state.json");
    let server = endless();
    let mut source = resuming(&server, &state);
    let pages: Vec<_> = (0..4).map(|_| batch(&mut source)).collect();
    assert_eq!(ids(&pages[3].records), ["feed/3"]);
    let settle = |source: &mut RestConnector, page: usize, verdict: Verdict| {
        source.settle(pages[page].token, &[verdict]).unwrap();
    };
    settle(&mut source, 0, Verdict::Ack);
    settle(&mut source, 1, Verdict::Reject { reason: "no".into() });
    settle(&mut source, 3, Verdict::Ack);
    wait_for("the position", || {
        source.fetch(LIMITS).unwrap();
        std::fs::read_to_string(&state).is_ok_and(|text| text.contains(r#""begin":{"cursor":2}"#))
    });
    // Killed: nothing is closed.
    drop(source);
    let asked = server.requests();
    let mut source = resuming(&server, &state);
    assert_eq!(ids(&batch(&mut source).records), ["feed/2"]);
    assert_eq!(server.seen()[asked].query("after"), Some("2"), "the first page is not asked for again");
    assert_eq!(ids(&batch(&mut source).records), ["feed/3"], "what was settled out of order comes again");
}

/// Guards the conditions over a restart: pages whose records are all settled are asked for with what the server said
/// of them, and bring nothing; one with an open record is asked for without, and comes again.
#[test]
fn settled_pages_are_not_sent_again_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state.json");
    const DATE: &str = "Wed, 21 Oct 2015 07:28:00 GMT";
    let server = Server::start(|seen| match seen.query("page") {
        Some("1") if seen.header("if-none-match") == Some("\"v1\"") => answer(304, &[], ""),
        Some("1") => answer(200, &[("etag", "\"v1\"")], "[{\"id\":1}]"),
        Some("2") if seen.header("if-modified-since") == Some(DATE) => answer(304, &[], ""),
        Some("2") => answer(200, &[("last-modified", DATE)], "[{\"id\":2}]"),
        Some("3") if seen.header("if-none-match") == Some("\"v3\"") => answer(304, &[], ""),
        Some("3") => answer(200, &[("etag", "\"v3\"")], "[{\"id\":3},{\"id\":4}]"),
        _ => ok("[]"),
    });
    let config = json!({ "id": ["/id"], "at_end": "end", "state_file": state,
        "pagination": { "by": "page", "query": "page" } });
    let open = || connector(&MemoryHost::new(), &server.url("/f"), config.clone());
    let mut source = open();
    for _ in 0..2 {
        let page = batch(&mut source);
        source.settle(page.token, &acks(&page)).unwrap();
    }
    let half = batch(&mut source);
    let verdicts = [Verdict::Ack, Verdict::Nack { delay: std::time::Duration::from_secs(60) }];
    source.settle(half.token, &verdicts).unwrap();
    source.drain(std::time::Duration::from_secs(1)).unwrap();
    source.close().unwrap();
    let mut source = open();
    assert_eq!(ids(&read_all(&mut source)), ["feed/3", "feed/4"]);
    source.close().unwrap();
    // All is settled now.
    let asked = server.requests();
    assert!(read_all(&mut open()).is_empty());
    let conditions: Vec<_> = server.seen()[asked..asked + 3]
        .iter()
        .map(|seen| {
            seen.header("if-none-match").or(seen.header("if-modified-since")).unwrap_or("none").to_owned()
        })
        .collect();
    assert_eq!(conditions, ["\"v1\"", DATE, "\"v3\""]);
}

/// Guards a page that grows while its first record is open: settling what came of the older page says nothing of the newer
/// one, whose record comes again after a restart.
#[test]
fn a_page_that_grew_is_not_settled_by_the_older_one() {
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state.json");
    let asked = AtomicUsize::new(0);
    let server = Server::start(move |seen| match asked.fetch_add(1, Ordering::Relaxed) {
        0 => answer(200, &[("etag", "\"v1\"")], "[{\"id\":1}]"),
        _ if seen.header("if-none-match") == Some("\"v2\"") => answer(304, &[], ""),
        _ => answer(200, &[("etag", "\"v2\"")], "[{\"id\":1},{\"id\":2}]"),
    });
    let config = json!({ "id": ["/id"], "state_file": state });
    let open = || connector(&MemoryHost::new(), &server.url("/f"), config.clone());
    let mut source = open();
    let older = batch(&mut source);
    assert_eq!(ids(&older.records), ["feed/1"]);
    let newer = batch(&mut source);
    assert_eq!(ids(&newer.records), ["feed/2"]);
    source.settle(older.token, &acks(&older)).unwrap();
    source.close().unwrap();
    let mut source = open();
    let again = batch(&mut source);
    assert!(ids(&again.records).contains(&"feed/2"), "{again:?}");
}

/// Guards the file: one that is something else is refused and left as it is, a second instance is refused while the
/// first is open, and a disk that can not be written is shown, loses nothing and is tried again.
#[test]
fn a_state_file_that_can_not_be_used_is_said_so() {
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state.json");
    let server = endless();
    std::fs::write(&state, "{\"version\":1").unwrap();
    let config = json!({ "url": server.url("/f"), "allow_private_addresses": true, "state_file": state });
    let error = new_connector(&MemoryHost::new(), config.clone()).unwrap().open().unwrap_err();
    assert_eq!(error.class, ErrorClass::Permanent);
    assert!(error.message.contains("state_file") && error.message.contains("move it away"), "{error}");
    assert_eq!(std::fs::read_to_string(&state).unwrap(), "{\"version\":1");
    std::fs::remove_file(&state).unwrap();

    let mut source = resuming(&server, &state);
    let error = new_connector(&MemoryHost::new(), config).unwrap().open().unwrap_err();
    assert_eq!(error.class, ErrorClass::Blocked);

    // What is to be written is in the way.
    let obstacle = directory.path().join("state.json.tmp");
    std::fs::create_dir(&obstacle).unwrap();
    let page = batch(&mut source);
    source.settle(page.token, &acks(&page)).unwrap();
    assert_eq!(source.health().state, HealthState::Degraded);
    assert!(source.health().detail.contains("state_file") && !state.exists());
    std::fs::remove_dir(&obstacle).unwrap();
    wait_for("another try", || {
        source.fetch(LIMITS).unwrap();
        source.health().state == HealthState::Ready
    });
    assert!(state.exists());
}
