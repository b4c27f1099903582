//! Answers that are wrong in every way: typed errors or rejected records, bounded memory, and the next item
//! soon.

use std::time::{Duration, Instant};

use mfn_plugin::{
    author::Connector,
    testing::{FaultMemory, FaultRow, MemoryHost},
    value::ErrorClass,
};
use serde_json::json;

use crate::{
    common::{acks, batch, connector, fault, fetch_error, gzip, ids},
    server::{Act, Server, answer, ok},
};

const LIMIT: u64 = 64 << 10;

fn head(extra: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 X\r\ncontent-type: application/json\r\n{extra}\r\n").into_bytes()
}

fn gzipped(bytes: Vec<u8>) -> Act {
    answer(200, &[("content-encoding", "gzip"), ("content-type", "application/json")], bytes)
}

/// The three pages of a feed: a bad one between two good ones.
fn sandwich(bad: Act) -> Server {
    Server::start(move |seen| match seen.query("page") {
        Some("1") => ok("[{\"id\":1}]"),
        Some("2") => bad.clone(),
        Some("3") => ok("[{\"id\":3}]"),
        _ => ok("[]"),
    })
}

/// Guards row 10 of the fault table: a page whose content is bad is one rejected record with a reason, and the
/// next page comes within a second.
#[test]
fn bad_content_is_rejected_and_the_next_page_comes() {
    let whole = gzip(b"[{\"id\":2},{\"id\":22},{\"id\":222}]");
    let deep = "[".repeat(1_000_000);
    let cases = [
        ("truncated gzip", gzipped(whole[..whole.len() - 9].to_vec()), "cut or broken"),
        ("broken gzip", gzipped(b"no gzip at all".to_vec()), "broken"),
        ("gzip bomb", gzipped(gzip(&vec![b' '; 50 << 20])), "more than 65536 bytes"),
        ("unknown encoding", answer(200, &[("content-encoding", "br")], "x"), "encoding"),
        ("bad JSON", ok("[{\"id\":2},"), "not JSON"),
        ("HTML", ok("<html>busy</html>"), "not JSON"),
        ("bad UTF-8", ok(b"[\"\xff\xfe\"]".to_vec()), "not UTF-8"),
        ("too large", ok(vec![b' '; 70_000]), "more than 65536 bytes"),
        ("endless", Act::Forever(head(""), vec![b' '; 10_000], Duration::ZERO), "more than 65536 bytes"),
        ("wrong place", ok("7"), "neither an array nor an object"),
        ("depth 1e6", ok(format!("{deep}{}", deep.replace('[', "]"))), "1000000"),
    ];
    // One page at a time, of which one may have 4 MiB; each case's server is in this process, and has its page twice.
    let memory = FaultMemory::here(2 * (4 << 20)).kept_by_test(8 << 20);
    let (mut struck, mut lost) = (0, 0);
    for (name, bad, reason) in cases {
        let server = sandwich(bad);
        let limit = if name.starts_with("depth") { 4 << 20 } else { LIMIT };
        let config = json!({ "id": ["/id"], "pagination": { "by": "page", "query": "page" },
            "client": { "response_bytes_max": limit }, "poll_interval_ms": 60_000 });
        let mut source = connector(&MemoryHost::new(), &server.url("/f"), config);
        let first = batch(&mut source);
        assert_eq!(ids(&first.records), ["feed/1"], "{name}");
        source.settle(first.token, &acks(&first)).unwrap();
        let begin = Instant::now();
        let bad = batch(&mut source);
        assert_eq!(bad.records.len(), 1, "{name}");
        // An item of that depth has no id of its own and is rejected for that or its depth.
        let told = fault(&bad.records[0]).unwrap_or_default();
        assert!(told.contains(reason) || name.starts_with("depth") && !told.is_empty(), "{name}: {told}");
        let next = batch(&mut source);
        lost += u64::from(ids(&next.records) != ["feed/3"]);
        assert!(begin.elapsed() < Duration::from_secs(1), "{name}: {:?}", begin.elapsed());
        struck += u64::from(!told.is_empty());
    }
    FaultRow { number: 10, struck, lost, duplicated: 0 }.report(memory);
}

/// Guards the wire: an answer that did not come whole is an error that may pass, is asked for again, and then
/// comes.
#[test]
fn answers_that_are_cut_off_are_asked_for_again() {
    let slow = Duration::from_millis(100);
    let cases = [
        (
            "short body",
            Act::Raw([head("content-length: 100\r\n"), b"[{\"id\":2}]".to_vec()].concat()),
            "cut off",
        ),
        (
            "reset in the body",
            Act::Reset([head("content-length: 100\r\n"), b"[{".to_vec()].concat()),
            "cut off",
        ),
        (
            "cut chunk",
            Act::Raw([head("transfer-encoding: chunked\r\n"), b"ff\r\n[{".to_vec()].concat()),
            "cut off",
        ),
        ("no answer", Act::Close, "no answer"),
        ("reset", Act::Reset(Vec::new()), "no answer"),
        ("no HTTP", Act::Raw(b"SSH-2.0-OpenSSH\r\n\r\n".to_vec()), "no answer"),
        ("two lengths", Act::Raw(head("content-length: 2\r\ncontent-length: 3\r\n")), "no answer"),
        (
            "endless head",
            Act::Forever(head("").split_off(0)[..16].to_vec(), vec![b'x'; 10_000], Duration::ZERO),
            "no answer",
        ),
        ("slow first byte", Act::After(Duration::from_millis(900), Box::new(ok("[]"))), "none began within"),
        (
            "slow body",
            Act::Forever(head("content-length: 1000\r\n"), b" ".to_vec(), slow),
            "did not end within",
        ),
        ("slow head", Act::Forever(Vec::new(), b"H".to_vec(), slow), "no answer"),
    ];
    for (name, bad, reason) in cases {
        let server =
            Server::start(move |seen| if seen.number == 0 { bad.clone() } else { ok("[{\"id\":2}]") });
        let config = json!({ "id": ["/id"],
            "client": { "first_byte_timeout_ms": 400, "timeout_ms": 600, "response_bytes_max": LIMIT } });
        let mut source = connector(&MemoryHost::new(), &server.url("/f"), config);
        let begin = Instant::now();
        let error = fetch_error(&mut source);
        assert_eq!(error.class, ErrorClass::Retryable, "{name}: {}", error.message);
        assert!(error.message.contains(reason), "{name}: {}", error.message);
        assert_eq!(ids(&batch(&mut source).records), ["feed/2"], "{name}");
        assert!(begin.elapsed() < Duration::from_millis(1600), "{name}: {:?}", begin.elapsed());
    }
}

/// Guards gzip as such: what came compressed is what was sent.
#[test]
fn compressed_pages_are_read() {
    let server = Server::start(|seen| {
        assert_eq!(seen.header("accept-encoding"), Some("gzip"));
        gzipped(gzip(b"[{\"id\":1},{\"id\":2}]"))
    });
    let mut source = connector(&MemoryHost::new(), &server.url("/f"), json!({ "id": ["/id"] }));
    assert_eq!(ids(&batch(&mut source).records), ["feed/1", "feed/2"]);
}

/// Guards the memory: pages that nobody settles are held up to the limit, and no further one is asked for.
#[test]
fn no_more_pages_are_held_than_allowed() {
    let server = Server::start(|seen| {
        let page = seen.query("page").unwrap();
        ok(format!("[{{\"id\":{page},\"fill\":\"{}\"}}]", "x".repeat(30_000)))
    });
    let config = json!({ "id": ["/id"], "pagination": { "by": "page", "query": "page" },
        "held_bytes_max": 200_000, "client": { "response_bytes_max": 40_000 } });
    let mut source = connector(&MemoryHost::new(), &server.url("/f"), config);
    let begin = Instant::now();
    let mut batches = Vec::new();
    while begin.elapsed() < Duration::from_millis(500) {
        if let mfn_plugin::value::Fetch::Batch(batch) = source.fetch(crate::common::LIMITS).unwrap() {
            batches.push(batch);
        }
    }
    let held = batches.len();
    assert!((2..=6).contains(&held), "{held} pages of 30 kB in 200 kB");
    assert_eq!(server.requests(), held);
    source.settle(batches[0].token, &acks(&batches[0])).unwrap();
    batch(&mut source);
}
