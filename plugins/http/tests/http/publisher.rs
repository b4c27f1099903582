//! The webhook publisher against servers that refuse, forget, half-succeed and die.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use mfn_plugin::{
    author::{Component, Publisher},
    testing::{FaultMemory, FaultRow, MemoryHost},
    value::{self, ErrorClass},
};
use serde_json::{Value, json};

use crate::{
    common::{self, CONTEXT, classes, new_publisher, publish, publish_within, publisher, record, records},
    server::{Act, Seen, Server, answer, ok},
};

/// The ids in the body of a batch.
fn batch_ids(seen: &Seen) -> Vec<String> {
    let body = seen.json();
    body.as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// A generator of small random numbers, the same in every run.
fn random(state: &Mutex<u64>) -> u64 {
    let mut state = state.lock().unwrap();
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// Guards a single webhook: the payload as it is, the record's id in both headers, the same in every attempt.
#[test]
fn a_record_is_a_request() {
    let server = Server::start(|_| answer(204, &[], ""));
    let mut target =
        publisher(&MemoryHost::new(), &server.url("/hook"), json!({ "headers": { "X-Tenant": "t" } }));
    let mut one = record("order-17", b"{\"a\" : 1}\n");
    one.trace_parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned();
    assert_eq!(classes(&publish(&mut target, &[one.clone()])), [None]);
    assert_eq!(classes(&publish(&mut target, &[one.clone(), record("a.b/ü", b"")])), [None, None]);
    let seen = server.seen();
    let first = &seen[0];
    assert_eq!((first.method.as_str(), first.target.as_str()), ("POST", "/hook"));
    assert_eq!(first.body, one.payload);
    assert_eq!(first.header("content-type"), Some("application/json"));
    assert_eq!(first.header("traceparent"), Some(one.trace_parent.as_str()));
    assert_eq!(first.header("x-tenant"), Some("t"));
    for name in ["webhook-id", "idempotency-key"] {
        assert_eq!(first.header(name), Some("order-17"));
        assert_eq!(seen.iter().filter(|seen| seen.header(name) == Some("order-17")).count(), 2);
    }
    let odd = seen.iter().find(|seen| seen.header("webhook-id") != Some("order-17")).unwrap();
    assert!(odd.header("webhook-id").unwrap().starts_with("msg_"));
}

/// Guards a batch in both forms: every record with its id and payload, and an id of the whole that is the
/// same in every attempt.
#[test]
fn many_records_share_a_request() {
    let server = Server::start(|_| answer(200, &[], ""));
    let mixed = [record("a", b"{\"n\":\n1}"), record("b", b"plain"), record("c", b"\xff\x00")];
    for format in ["json", "jsonl"] {
        let config = json!({ "mode": "batch", "batch_format": format, "include_headers": true });
        let mut target = publisher(&MemoryHost::new(), &server.url("/hook"), config);
        for _ in 0..2 {
            assert_eq!(classes(&publish(&mut target, &mixed)), [None, None, None]);
        }
    }
    let seen = server.seen();
    assert_eq!(seen.len(), 4);
    let items: Vec<Value> = seen[0].json().as_array().unwrap().clone();
    let lines: Vec<Value> = seen[2]
        .body
        .split(|b| *b == b'\n')
        .filter(|l| !l.is_empty())
        .map(|l| serde_json::from_slice(l).unwrap())
        .collect();
    assert_eq!(items, lines);
    assert_eq!(items[0]["payload"], json!({ "n": 1 }));
    assert_eq!(items[1]["payload_text"], "plain");
    assert_eq!(items[2]["payload_base64"], "/wA=");
    assert_eq!(seen[0].header("webhook-id"), seen[1].header("webhook-id"));
    assert_eq!(seen[0].body, seen[1].body);
}

/// Guards every row of the table of answers, for a single record and for a batch, and that redirects are not
/// followed: no record and no credential reaches the other server.
#[test]
fn every_status_is_the_class_of_the_table() {
    use ErrorClass::{Blocked, Permanent, Retryable, Throttled};
    let other = Server::start(|_| answer(200, &[], ""));
    let elsewhere = other.url("/stolen");
    let server = Server::start(move |seen| {
        let status: u16 = seen.target.trim_start_matches('/').parse().unwrap();
        answer(status, &[("location", elsewhere.as_str()), ("retry-after", "2")], "")
    });
    let table = [
        (200, None),
        (201, None),
        (202, None),
        (204, None),
        (301, Some(Permanent)),
        (302, Some(Permanent)),
        (303, Some(Permanent)),
        (307, Some(Permanent)),
        (308, Some(Permanent)),
        (429, Some(Throttled)),
        (502, Some(Throttled)),
        (503, Some(Throttled)),
        (504, Some(Throttled)),
        (408, Some(Retryable)),
        (425, Some(Retryable)),
        (500, Some(Retryable)),
        (520, Some(Retryable)),
        (501, Some(Permanent)),
        (505, Some(Permanent)),
        (401, Some(Blocked)),
        (403, Some(Blocked)),
        (407, Some(Blocked)),
        (400, Some(Permanent)),
        (404, Some(Permanent)),
        (409, Some(Permanent)),
        (413, Some(Permanent)),
        (422, Some(Permanent)),
    ];
    for (status, class) in table {
        for mode in ["single", "batch"] {
            let config = json!({ "mode": mode, "auth": { "bearer_token": "t" } });
            let mut target = publisher(&MemoryHost::new(), &server.url(&format!("/{status}")), config);
            let results = publish(&mut target, &records(2));
            assert_eq!(classes(&results), [class, class], "{status} {mode}: {results:?}");
            let wait = (class == Some(Throttled)).then(|| Duration::from_secs(2));
            assert_eq!(results[0].as_ref().err().and_then(|error| error.retry_after), wait, "{status}");
        }
    }
    assert_eq!(other.accepted(), 0);
}

/// Guards good records beside a bad one: a receiver that refuses the whole batch because of it is sent halves, until only
/// the bad one is refused.
#[test]
fn a_refused_batch_costs_the_bad_record_only() {
    for status in [400, 422] {
        let server = Server::start(move |seen| match batch_ids(seen).iter().any(|id| id == "r-13") {
            true => answer(status, &[], ""),
            false => ok(""),
        });
        let mut target = publisher(&MemoryHost::new(), &server.url("/"), json!({ "mode": "batch" }));
        let results = publish(&mut target, &records(40));
        let expected: Vec<_> = (0..40).map(|n| (n == 13).then_some(ErrorClass::Permanent)).collect();
        assert_eq!(classes(&results), expected, "{status}");
        assert!(server.requests() <= 13, "{} requests", server.requests());
    }
}

/// Guards row 7 of the fault table, first half: a 200 that hides failures fails exactly those, and only
/// those are sent again.
#[test]
fn a_200_with_failures_fails_exactly_those() {
    let state = Mutex::new(7);
    let accepted = Arc::new(Mutex::new(Vec::<String>::new()));
    let kept = Arc::clone(&accepted);
    let refused = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&refused);
    let server = Server::start(move |seen| {
        let results: Vec<Value> = batch_ids(seen)
            .into_iter()
            .map(|id| {
                if random(&state).is_multiple_of(4) {
                    count.fetch_add(1, Ordering::SeqCst);
                    return json!({ "id": id, "status": 503, "error": "busy" });
                }
                kept.lock().unwrap().push(id.clone());
                json!({ "id": id, "status": 200 })
            })
            .collect();
        ok(json!({ "results": results }).to_string())
    });
    let mut target = publisher(&MemoryHost::new(), &server.url("/"), json!({ "mode": "batch" }));
    let mut left = records(400);
    // A call's records once more as JSON; the server is in this process and keeps all that it has seen.
    let memory = FaultMemory::here(1 << 20).kept_by_test(4 << 20);
    let mut sent = 0;
    while !left.is_empty() {
        sent += left.len();
        let results = publish(&mut target, &left);
        let mut results = results.iter();
        left.retain(|_| results.next().unwrap().is_err());
    }
    let accepted = accepted.lock().unwrap();
    let lost = 400 - accepted.iter().collect::<HashSet<_>>().len() as u64;
    let refused = refused.load(Ordering::SeqCst);
    assert!(refused > 50, "the fault struck {refused} times");
    assert_eq!(sent, 400 + refused);
    let duplicated = accepted.len() as u64 - (400 - lost);
    FaultRow { number: 7, struck: refused as u64, lost, duplicated }.report(memory);
    assert_eq!(duplicated, 0, "what was taken was sent again");
}

/// Guards row 7, second half: answers lost after the receiver has taken the record (1 % of them and more) are
/// unknown, never failed; sent again under the same id they leave exactly all after deduplication.
#[test]
fn lost_answers_are_unknown_and_keep_their_id() {
    let state = Mutex::new(11);
    let server =
        Server::start(
            move |_| if random(&state).is_multiple_of(50) { Act::Close } else { answer(204, &[], "") },
        );
    let mut target = publisher(&MemoryHost::new(), &server.url("/"), json!({ "concurrency": 8 }));
    let mut left = records(1000);
    let memory = FaultMemory::here(1 << 20).kept_by_test(4 << 20);
    let mut unknown = 0;
    while !left.is_empty() {
        let results = publish(&mut target, &left);
        for class in classes(&results).into_iter().flatten() {
            assert_eq!(class, ErrorClass::Unknown, "{results:?}");
            unknown += 1;
        }
        let mut results = results.iter();
        left.retain(|_| results.next().unwrap().is_err());
    }
    assert!(unknown >= 10, "the fault struck {unknown} times in 1000");
    let seen = server.seen();
    assert_eq!(seen.len(), 1000 + unknown);
    let by_id: HashSet<_> =
        seen.iter().map(|seen| (seen.header("webhook-id").unwrap(), &seen.body)).collect();
    let ids: HashSet<_> = by_id.iter().map(|(id, _)| id).collect();
    assert_eq!(by_id.len(), ids.len(), "duplicates have the same id and bytes");
    let (lost, duplicated) = (1000 - ids.len() as u64, (seen.len() - ids.len()) as u64);
    FaultRow { number: 7, struck: unknown as u64, lost, duplicated }.report(memory);
}

/// Guards row 5 at this layer: of random 503 exactly those records fail, with the time to wait.
#[test]
fn random_503_fail_exactly_their_records() {
    let state = Mutex::new(3);
    let server = Server::start(move |_| match random(&state) % 2 {
        0 => answer(503, &[("retry-after", "1")], ""),
        _ => answer(204, &[], ""),
    });
    let mut target = publisher(&MemoryHost::new(), &server.url("/"), json!({}));
    let results = publish(&mut target, &records(300));
    let failed: Vec<_> = results.iter().filter_map(|result| result.as_ref().err()).collect();
    assert!((100..200).contains(&failed.len()), "the fault struck {} times", failed.len());
    assert!(failed.iter().all(|error| error.class == ErrorClass::Throttled));
    assert!(failed.iter().all(|error| error.retry_after == Some(Duration::from_secs(1))));
}

/// Guards 413: the batch is split until it fits, each record arrives once and in order, and one that never
/// fits is refused for good without its neighbours.
#[test]
fn a_batch_that_is_too_large_is_split() {
    let taken = Arc::new(Mutex::new(Vec::<String>::new()));
    let kept = Arc::clone(&taken);
    let server = Server::start(move |seen| {
        let ids = batch_ids(seen);
        if ids.len() > 3 || ids.contains(&"r-5".to_owned()) {
            return answer(413, &[], "");
        }
        kept.lock().unwrap().extend(ids);
        answer(204, &[], "")
    });
    let mut target = publisher(&MemoryHost::new(), &server.url("/"), json!({ "mode": "batch" }));
    let results = publish(&mut target, &records(20));
    let failed: Vec<usize> = (0..20).filter(|n| results[*n].is_err()).collect();
    assert_eq!(failed, [5]);
    assert_eq!(results[5].as_ref().unwrap_err().class, ErrorClass::Permanent);
    let expected: Vec<String> = (0..20).filter(|n| *n != 5).map(|n| format!("r-{n}")).collect();
    assert_eq!(*taken.lock().unwrap(), expected);
    let whole: HashSet<_> =
        server.seen().iter().map(|seen| seen.header("webhook-id").unwrap().to_owned()).collect();
    assert_eq!(whole.len(), server.requests(), "each part has an id of its own");
}

/// Guards order where it is promised: after an error that may pass nothing later is sent.
#[test]
fn order_is_kept_across_an_error() {
    let server = Server::start(|seen| {
        answer(if seen.header("webhook-id") == Some("r-2") { 500 } else { 204 }, &[], "")
    });
    let mut target = publisher(&MemoryHost::new(), &server.url("/"), json!({ "concurrency": 1 }));
    assert_eq!(target.traits().ordering, value::Ordering::All);
    let results = publish(&mut target, &records(5));
    let retryable = Some(ErrorClass::Retryable);
    assert_eq!(classes(&results), [None, None, retryable, retryable, retryable]);
    assert_eq!(server.requests(), 3);
    let parallel = publisher(&MemoryHost::new(), &server.url("/"), json!({}));
    assert_eq!(parallel.traits().ordering, value::Ordering::None);
}

/// Guards what can not be known: every way to die after the request was sent is unknown; where nothing was
/// sent, the record is not in doubt.
#[test]
fn what_was_sent_without_an_answer_is_unknown() {
    let head =
        b"HTTP/1.1 200 X\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{\"results\":["
            .to_vec();
    let cases = [
        ("closed", Act::Close),
        ("reset", Act::Reset(Vec::new())),
        ("results cut off", Act::Raw(head.clone())),
        ("results reset", Act::Reset(head)),
        ("silent", Act::After(Duration::from_secs(2), Box::new(answer(204, &[], "")))),
        ("no HTTP", Act::Raw(b"hello\r\n\r\n".to_vec())),
    ];
    for (name, act) in cases {
        let server = Server::start(move |_| act.clone());
        for mode in ["single", "batch"] {
            let config = json!({ "mode": mode, "client": { "first_byte_timeout_ms": 300 } });
            let mut target = publisher(&MemoryHost::new(), &server.url("/"), config);
            let results = publish(&mut target, &records(1));
            assert_eq!(classes(&results), [Some(ErrorClass::Unknown)], "{name} {mode}: {results:?}");
        }
        assert_eq!(server.requests(), 2, "{name}");
    }
    let gone = {
        let server = Server::start(|_| Act::Close);
        server.url("/")
    };
    let mut target = publisher(&MemoryHost::new(), &gone, json!({}));
    let results = publish(&mut target, &records(2));
    let retryable = Some(ErrorClass::Retryable);
    assert_eq!(classes(&results), [retryable, retryable], "{results:?}");
}

/// Guards the time of a call: it holds for all records together, and those whose turn did not come were
/// not sent.
#[test]
fn a_call_ends_in_its_time() {
    let server = Server::start(|_| Act::After(Duration::from_millis(200), Box::new(answer(204, &[], ""))));
    let config = json!({ "concurrency": 2 });
    let mut target = publisher(&MemoryHost::new(), &server.url("/"), config);
    let begin = Instant::now();
    let results = publish_within(&mut target, &records(50), Duration::from_millis(500));
    assert!(begin.elapsed() < Duration::from_millis(1200), "{:?}", begin.elapsed());
    let delivered = results.iter().filter(|result| result.is_ok()).count();
    assert!((2..=4).contains(&delivered), "{delivered}");
    let unsent = classes(&results).into_iter().filter(|class| *class == Some(ErrorClass::Retryable)).count();
    assert!(unsent > 40, "{results:?}");
}

/// Guards the receiver's word where it is wanted, and that it can be left out.
#[test]
fn results_can_be_left_out() {
    let server = Server::start(|_| ok(r#"{"results":[{"id":"r-0","status":500}]}"#));
    let host = MemoryHost::new();
    let mut heard = publisher(&host, &server.url("/"), json!({ "mode": "batch" }));
    assert_eq!(classes(&publish(&mut heard, &records(2))), [Some(ErrorClass::Retryable), None]);
    let mut status = publisher(&host, &server.url("/"), json!({ "mode": "batch", "answers": "status" }));
    assert_eq!(classes(&publish(&mut status, &records(2))), [None, None]);
}

/// Guards the refusals: no key and no permission to do without, a key that is none, headers of its own.
#[test]
fn a_bad_configuration_is_refused() {
    let host = MemoryHost::new();
    let told = |config: Value| new_publisher(&host, config).unwrap_err().message;
    assert!(told(json!({ "url": "https://example.org/" })).contains("secrets"));
    let many = json!({ "url": "https://u:p@example.org/", "secrets": ["x"], "concurrency": 0, "records_max": 0,
        "headers": { "Webhook-Id": "x", "Host": "y" }, "include_headers": true });
    let text = told(many);
    for field in ["url", "secrets[0]", "concurrency", "records_max", "headers", "include_headers"] {
        assert!(text.lines().any(|line| line.starts_with(field)), "{field} in {text}");
    }
    let unsigned = json!({ "url": "https://example.org/", "allow_unsigned": true });
    assert!(new_publisher(&host, unsigned).is_ok());
}

/// Guards `check`: it delivers nothing, takes "POST only" for an answer, and finds out about credentials and
/// redirects.
#[test]
fn check_delivers_nothing() {
    let server = Server::start(|seen| {
        answer(seen.target.trim_start_matches('/').parse().unwrap(), &[("location", "/x")], "")
    });
    let check =
        |status: u16| publisher(&MemoryHost::new(), &server.url(&format!("/{status}")), json!({})).check();
    for good in [200, 204, 404, 405, 400, 501] {
        check(good).unwrap();
    }
    for (bad, class) in
        [(401, ErrorClass::Blocked), (503, ErrorClass::Throttled), (301, ErrorClass::Permanent)]
    {
        assert_eq!(check(bad).unwrap_err().class, class);
    }
    assert!(server.seen().iter().all(|seen| seen.method == "HEAD" && seen.body.is_empty()));
}

/// Guards the end: a closed publisher leaves no connection and takes nothing more.
#[test]
fn closing_ends_its_connections() {
    let server = Server::start(|_| answer(204, &[], ""));
    let mut target = publisher(&MemoryHost::new(), &server.url("/"), json!({}));
    publish(&mut target, &records(1));
    target.close().unwrap();
    target.close().unwrap();
    assert!(target.publish(&[], CONTEXT).is_err());
    crate::common::wait_for("the end of the connection", || server.open() == 0);
}

/// Guards a rotation: a key that is replaced in its file signs at once beside the new one, within five
/// seconds, without a restart; a credential that is replaced is sent instead of the old one.
#[test]
fn replaced_secrets_are_taken_up() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let fresh = directory.path().join("fresh");
        std::fs::write(&fresh, text).unwrap();
        std::fs::rename(fresh, directory.path().join(name)).unwrap();
    };
    write("key", common::KEY);
    write("token", "old-token");
    let server = Server::start(|_| answer(204, &[], ""));
    let file = |name: &str| format!("file:{}", directory.path().join(name).display());
    let config = json!({ "secrets": [file("key")], "auth": { "bearer_token": file("token") } });
    let mut target = publisher(&MemoryHost::new(), &server.url("/"), config);
    let mut send = || {
        assert!(publish(&mut target, &records(1))[0].is_ok());
        let seen = server.seen().pop().unwrap();
        let signatures = seen.header("webhook-signature").unwrap().split(' ').count();
        (signatures, seen.header("authorization").unwrap().to_owned())
    };
    assert_eq!(send(), (1, "Bearer old-token".to_owned()));
    write("key", common::OTHER_KEY);
    write("token", "new-token");
    let begin = Instant::now();
    common::wait_for("both signatures and the new token", || send() == (2, "Bearer new-token".to_owned()));
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    // A key that is none is an error that may be put right, and nothing is sent unsigned.
    write("key", "no key");
    let before = server.requests();
    common::wait_for("the refusal", || {
        let results = publish(&mut target, &records(1));
        results[0].as_ref().is_err_and(|error| {
            assert_eq!(error.class, ErrorClass::Blocked);
            error.message.starts_with("secrets[0]: ") && !error.message.contains("no key")
        })
    });
    assert!(
        server.requests() >= before && server.seen().iter().all(|s| s.header("webhook-signature").is_some())
    );
}
