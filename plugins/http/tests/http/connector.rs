//! The REST connector against servers that behave: pages, conditions, credentials, settlement.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use mfn_plugin::{
    author::{Component, Connector},
    testing::MemoryHost,
    value::{ErrorClass, Fetch, Verdict},
};
use serde_json::json;

use crate::{
    common::{LIMITS, acks, batch, connector, fetch_error, ids, new_connector, read_all, wait_for},
    server::{Seen, Server, answer, ok},
};

const ONCE: &str = "end";

/// Guards pagination by cursor in the query: every item of every page once, in order, and a one-shot end.
#[test]
fn pages_are_followed_by_cursor() {
    let server = Server::start(|seen| match seen.query("after") {
        None => ok(r#"{"items":[{"id":1},{"id":2}],"next":"c 2&x"}"#),
        Some("c+2%26x") => ok(r#"{"items":[{"id":3}],"next":4}"#),
        Some("4") => ok(r#"{"items":[{"id":5}],"next":null}"#),
        Some(_) => answer(400, &[], ""),
    });
    let host = MemoryHost::new();
    let config = json!({ "items": "/items", "id": ["/id"], "at_end": ONCE,
        "pagination": { "by": "cursor", "pointer": "/next", "query": "after" } });
    let records = read_all(&mut connector(&host, &server.url("/f?size=2"), config));
    assert_eq!(ids(&records), ["feed/1", "feed/2", "feed/3", "feed/5"]);
    assert!(server.seen().iter().all(|seen| seen.query("size") == Some("2")));
}

/// Guards pagination by cursor and by number in the body of a `POST`; numbers stay numbers.
#[test]
fn pages_are_followed_in_the_body() {
    let server = Server::start(|seen| match seen.json()["page"].as_u64() {
        Some(number @ 0..=2) => ok(format!("[{{\"id\":{number}}}]")),
        Some(3) => ok("[]"),
        _ => answer(400, &[], ""),
    });
    let host = MemoryHost::new();
    let config = json!({ "method": "post", "body": r#"{"query":"all"}"#, "id": ["/id"], "at_end": ONCE,
        "pagination": { "by": "page", "body_field": "page", "first": 0 } });
    let records = read_all(&mut connector(&host, &server.url("/search"), config));
    assert_eq!(ids(&records), ["feed/0", "feed/1", "feed/2"]);
    let seen = server.seen();
    assert!(seen.iter().all(|seen| seen.method == "POST" && seen.json()["query"] == "all"));
    assert_eq!(seen[0].header("content-type"), Some("application/json"));
}

/// Guards pagination by `Link`, relative targets included, and that a link to another port is not followed:
/// the credentials would go there.
#[test]
fn links_are_followed_at_home_only() {
    let other = Server::start(|_| ok("[{\"id\":\"stolen\"}]"));
    let away = format!("<{}>; rel=\"next\"", other.url("/"));
    let server = Server::start(move |seen| match seen.target.as_str() {
        "/list" => {
            answer(200, &[("link", "</list?p=2>; rel=\"next\", </list?p=9>; rel=\"last\"")], "[{\"id\":1}]")
        }
        "/list?p=2" => answer(200, &[("link", away.as_str())], "[{\"id\":2}]"),
        _ => answer(404, &[], ""),
    });
    let host = MemoryHost::new();
    let config = json!({ "id": ["/id"], "at_end": ONCE, "auth": { "bearer_token": "t" }, "pagination": { "by": "link" } });
    let records = read_all(&mut connector(&host, &server.url("/list"), config));
    assert_eq!(ids(&records)[..2], ["feed/1", "feed/2"]);
    // What could not be followed is a rejected record, not a silent end.
    assert!(crate::common::fault(&records[2]).unwrap().contains("another scheme, host or port"));
    assert_eq!((server.requests(), other.accepted()), (2, 0));
}

/// Guards conditional requests: 304 is nothing new and no error, and it is asked for only when all records
/// of the page are settled.
#[test]
fn unchanged_pages_are_not_sent_again() {
    let server = Server::start(|seen| match seen.header("if-none-match") {
        Some("\"v1\"") => answer(304, &[], ""),
        _ => answer(200, &[("etag", "\"v1\"")], "[{\"id\":1}]"),
    });
    let host = MemoryHost::new();
    let mut source = connector(&host, &server.url("/f"), json!({ "id": ["/id"], "conditional": true }));
    let first = batch(&mut source);
    // Two passes while the record is open: asked without a condition.
    let fetch_until = |source: &mut mfn_plugin_http::RestConnector, count: usize| {
        wait_for("the next pass", || {
            assert_eq!(source.fetch(LIMITS).unwrap(), Fetch::Empty);
            server.requests() >= count
        });
    };
    fetch_until(&mut source, 3);
    assert!(server.seen().iter().all(|seen| seen.header("if-none-match").is_none()));
    source.settle(first.token, &acks(&first)).unwrap();
    let settled_at = server.requests();
    fetch_until(&mut source, settled_at + 3);
    let seen = server.seen();
    assert_eq!(seen.last().unwrap().header("if-none-match"), Some("\"v1\""));
    assert!(host.number("mfn_http_requests_total", &[("status", "304")]) >= 1.0);
}

/// Guards `Last-Modified` where there is no `ETag`.
#[test]
fn the_date_of_change_is_a_condition_too() {
    const DATE: &str = "Wed, 21 Oct 2015 07:28:00 GMT";
    let server = Server::start(|seen| match seen.header("if-modified-since") {
        Some(DATE) => answer(304, &[], ""),
        _ => answer(200, &[("last-modified", DATE)], "[]"),
    });
    let host = MemoryHost::new();
    let mut source = connector(&host, &server.url("/f"), json!({}));
    wait_for("a conditional request", || {
        assert_eq!(source.fetch(LIMITS).unwrap(), Fetch::Empty);
        server.seen().iter().any(|seen| seen.header("if-modified-since") == Some(DATE))
    });
}

/// Guards settlement: what is given back comes again with the same bytes and not before its delay, what
/// is settled does not come with the next pass, and what was changed does.
#[test]
fn records_come_until_they_are_settled() {
    let passes = AtomicUsize::new(0);
    let server = Server::start(move |_| match passes.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => ok(r#"[{"id":1,"v":1},{"id":2,"v":1}]"#),
        _ => ok(r#"[{"id":1,"v":1},{"id":2,"v":2}]"#),
    });
    let host = MemoryHost::new();
    let mut source = connector(&host, &server.url("/f"), json!({ "id": ["/id", "/v"] }));
    let first = batch(&mut source);
    assert_eq!(ids(&first.records), ["feed/1:1", "feed/2:1"]);
    let delay = Duration::from_millis(150);
    let given_back = Instant::now();
    source.settle(first.token, &[Verdict::Nack { delay }, Verdict::Ack]).unwrap();
    let mut came = Vec::new();
    while came.len() < 2 {
        let next = batch(&mut source);
        source.settle(next.token, &acks(&next)).unwrap();
        if next.records.contains(&first.records[0]) {
            assert!(given_back.elapsed() >= delay);
        }
        came.extend(next.records);
    }
    let mut names = ids(&came);
    names.sort_unstable();
    assert_eq!(names, ["feed/1:1", "feed/2:2"]);
    let again = came.iter().find(|record| record.id == "feed/1:1").unwrap();
    assert_eq!(again, &first.records[0]);
    let position: serde_json::Value = serde_json::from_slice(&source.position("feed").unwrap()).unwrap();
    assert!(position["pass"].as_u64().unwrap() >= 2, "{position}");
}

/// Guards a feed that is continued: the next pass begins at the last cursor, and an empty page with a new
/// cursor ends a pass instead of asking for ever.
#[test]
fn a_feed_is_continued_from_its_last_cursor() {
    let server = Server::start(|seen| {
        let since: u64 = seen.query("since").map_or(0, |text| text.parse().unwrap());
        match since {
            0 => ok(r#"{"items":[{"id":1}],"next":10}"#),
            // New items arise at 12; before, the cursor moves without any.
            10 | 11 => ok(format!("{{\"items\":[],\"next\":{}}}", since + 1)),
            _ => ok(r#"{"items":[{"id":2}],"next":12}"#),
        }
    });
    let host = MemoryHost::new();
    let config = json!({ "items": "/items", "id": ["/id"],
        "pagination": { "by": "cursor", "pointer": "/next", "query": "since", "resume": true } });
    let mut source = connector(&host, &server.url("/f"), config);
    let (first, second) = (batch(&mut source), batch(&mut source));
    assert_eq!((ids(&first.records), ids(&second.records)), (vec!["feed/1"], vec!["feed/2"]));
    let begins = server.seen().iter().filter(|seen| seen.query("since").is_none()).count();
    assert_eq!(begins, 1);
}

/// Guards each way to say who one is, where it goes, and that a mixture is refused.
#[test]
fn credentials_go_where_they_belong() {
    let server = Server::start(|_| ok("[]"));
    let host = MemoryHost::new();
    let sent = |auth: serde_json::Value| -> Seen {
        let config = json!({ "at_end": ONCE, "auth": auth, "headers": { "X-Tenant": "t1" } });
        read_all(&mut connector(&host, &server.url("/f?a=b"), config));
        server.seen().pop().unwrap()
    };
    let bearer = sent(json!({ "bearer_token": "tok" }));
    assert_eq!(bearer.header("authorization"), Some("Bearer tok"));
    assert_eq!(bearer.header("x-tenant"), Some("t1"));
    assert!(bearer.header("user-agent").unwrap().starts_with("libmfn/"));
    let basic = sent(json!({ "username": "Aladdin", "password": "open sesame" }));
    assert_eq!(basic.header("authorization"), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
    assert_eq!(sent(json!({ "api_key": "k1" })).header("x-api-key"), Some("k1"));
    let named = sent(json!({ "api_key": "k1", "api_key_header": "X-Token" }));
    assert_eq!(named.header("x-token"), Some("k1"));
    let query = sent(json!({ "api_key": "k 1", "api_key_query": "key" }));
    assert_eq!(query.target, "/f?a=b&key=k+1");
    let mixed = json!({ "url": server.url("/"), "allow_private_addresses": true,
        "auth": { "bearer_token": "a", "api_key": "b" } });
    assert!(new_connector(&host, mixed).unwrap_err().message.contains("at most one of"));
}

/// Guards the report of a bad configuration: every fault at once, each with its field.
#[test]
fn every_fault_of_a_configuration_is_named() {
    let config = json!({ "url": "ftp://h/", "id": ["x"], "items": "y", "body": "{", "poll_interval_ms": 1,
        "client": { "timeout_ms": 0, "connections_max": 101, "connections_per_host_max": 31, "dns_cache_s": 301 },
        "pagination": { "by": "page" } });
    let error = new_connector(&MemoryHost::new(), config).unwrap_err();
    assert_eq!(error.class, ErrorClass::Permanent);
    for field in [
        "url",
        "id",
        "items",
        "body",
        "poll_interval_ms",
        "client.timeout_ms",
        "client.connections_max",
        "client.connections_per_host_max",
        "client.dns_cache_s",
        "pagination.query",
    ] {
        assert!(error.message.lines().any(|line| line.starts_with(field)), "{field} in {}", error.message);
    }
}

/// Guards every row of the table of answers, as an operator and the runtime see it, and that redirects are
/// not followed.
#[test]
fn every_status_is_the_class_of_the_table() {
    use ErrorClass::{Blocked, Permanent, Retryable, Throttled};
    let server = Server::start(|seen| {
        let status: u16 = seen.query("status").unwrap().parse().unwrap();
        answer(status, &[("location", "/elsewhere"), ("retry-after", "3")], "")
    });
    let table = [
        (301, Permanent),
        (302, Permanent),
        (307, Permanent),
        (308, Permanent),
        (304, Permanent),
        (429, Throttled),
        (502, Throttled),
        (503, Throttled),
        (504, Throttled),
        (408, Retryable),
        (425, Retryable),
        (500, Retryable),
        (507, Retryable),
        (599, Retryable),
        (501, Permanent),
        (505, Permanent),
        (401, Blocked),
        (403, Blocked),
        (407, Blocked),
        (400, Permanent),
        (404, Permanent),
        (410, Permanent),
        (413, Permanent),
        (422, Permanent),
    ];
    let host = MemoryHost::new();
    for (status, class) in table {
        let mut source = connector(&host, &server.url(&format!("/f?status={status}")), json!({}));
        let error = fetch_error(&mut source);
        assert_eq!(error.class, class, "{status}: {}", error.message);
        assert!(error.message.contains(&status.to_string()), "{}", error.message);
        let wait = (class == Throttled).then(|| Duration::from_secs(3));
        assert_eq!(error.retry_after, wait, "{status}");
    }
    assert_eq!(server.requests(), table.len());
}

/// Guards the time that a server asks for: nothing is sent before it is over.
#[test]
fn nothing_is_asked_before_retry_after() {
    let server = Server::start(|seen| match seen.number {
        0 => answer(503, &[("retry-after", "1")], ""),
        _ => ok("[{\"id\":1}]"),
    });
    let mut source = connector(&MemoryHost::new(), &server.url("/f"), json!({}));
    assert_eq!(fetch_error(&mut source).class, ErrorClass::Throttled);
    let told = Instant::now();
    batch(&mut source);
    assert!(told.elapsed() >= Duration::from_millis(950), "{:?}", told.elapsed());
    assert_eq!(server.requests(), 2);
}

/// Guards `check`: it tells a feed that can be read from one that can not, and takes no record.
#[test]
fn check_looks_at_the_first_page() {
    let server = Server::start(|seen| match seen.target.as_str() {
        "/good" => ok("[{\"id\":1}]"),
        "/bad" => ok("<html>"),
        _ => answer(401, &[], ""),
    });
    let host = MemoryHost::new();
    let mut good = connector(&host, &server.url("/good"), json!({}));
    good.check().unwrap();
    assert_eq!(batch(&mut good).records.len(), 1);
    let told = |path: &str| connector(&host, &server.url(path), json!({})).check().unwrap_err();
    assert!(told("/bad").message.contains("not JSON"));
    assert_eq!(told("/none").class, ErrorClass::Blocked);
}

/// Guards the thread: a closed connector leaves none, even with a request under way.
#[test]
fn closing_ends_the_thread() {
    let server = Server::start(|_| crate::server::Act::After(Duration::from_secs(3), Box::new(ok("[]"))));
    let mut source = connector(&MemoryHost::new(), &server.url("/f"), json!({}));
    assert_eq!(source.fetch(LIMITS).unwrap(), Fetch::Empty);
    wait_for("the request", || server.requests() == 1);
    let begin = Instant::now();
    source.close().unwrap();
    source.close().unwrap();
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    assert!(source.fetch(LIMITS).is_err());
}
