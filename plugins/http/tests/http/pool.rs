//! The pool: connections are used again, and there are never more than allowed. Then the ways to a server
//! that are not open: private addresses, and the environment's proxy.

use std::{io::Read, net::TcpListener, time::Duration};

use mfn_plugin::{
    author::{Component, Publisher},
    testing::MemoryHost,
    value::ErrorClass,
};
use serde_json::{Value, json};

use crate::{
    common::{
        classes, connector, fetch_error, new_connector, new_publisher, publish, publisher, records, with,
    },
    server::{Act, Server, answer, ok},
};

/// Guards keep-alive: once the pool is warm, at least 95 % of the requests go over a connection that is
/// there, in both modes.
#[test]
fn connections_are_used_again() {
    for (config, count) in
        [(json!({ "concurrency": 8 }), 500), (json!({ "mode": "batch", "records_max": 10 }), 10)]
    {
        let server = Server::start(|_| answer(204, &[], ""));
        let host = MemoryHost::new();
        let mut target = publisher(&host, &server.url("/"), config);
        let mut send = |times: usize, count: usize| {
            for _ in 0..times {
                assert!(publish(&mut target, &records(count)).iter().all(Result::is_ok));
            }
            (server.requests(), server.accepted())
        };
        let warm = send(40, count.min(20));
        send(100, 1);
        let (requests, opened) = send(4, count);
        let (new, steady) = (opened - warm.1, requests - warm.0);
        assert!(new * 20 <= steady, "{new} connections for {steady} requests");
        assert_eq!(host.number("mfn_http_connections_opened_total", &[]), opened as f64);
        assert_eq!(host.number("mfn_http_requests_total", &[]), requests as f64);
        assert_eq!(host.number("mfn_http_requests_in_progress", &[]), 0.0);
        assert_eq!(host.number("mfn_http_pool_waiting", &[]), 0.0);
        let open = host.number("mfn_http_pool_open", &[]);
        assert!(
            open >= 1.0 && open <= opened as f64 && host.number("mfn_http_pool_idle", &[]) == open,
            "{open}"
        );
        let durations =
            host.metrics().into_iter().find(|family| family.name == "mfn_http_request_duration_seconds");
        assert!(durations.is_some());
    }
}

/// Guards the limit of connections where it hurts: many requests at once at a slow server, the pool small.
#[test]
fn there_are_never_more_connections_than_allowed() {
    for per_host in [6, 30] {
        let server = Server::start(|seen| {
            Act::After(Duration::from_millis(seen.number as u64 % 7 * 3), Box::new(answer(204, &[], "")))
        });
        let host = MemoryHost::new();
        let config = json!({ "concurrency": 30, "client": { "connections_per_host_max": per_host } });
        let mut target = publisher(&host, &server.url("/"), config);
        assert!(publish(&mut target, &records(1500)).iter().all(Result::is_ok));
        let most = server.open_max();
        assert!(most <= per_host, "{most} connections, {per_host} are allowed");
        assert!(most > per_host / 2, "the load did not reach the limit: {most}");
    }
}

/// Guards against servers inside the network, by address and by name; the error says how to allow it, nothing
/// is connected, and records are kept.
#[test]
fn private_addresses_are_refused() {
    let server = Server::start(|_| ok("[]"));
    let port = server.address.port();
    let host = MemoryHost::new();
    for literal in ["127.0.0.1", "127.1", "0x7f000001", "[::ffff:127.0.0.1]", "[::1]", "169.254.169.254"] {
        let config = json!({ "url": format!("http://{literal}:{port}/") });
        let error = new_connector(&host, config.clone()).unwrap_err();
        assert!(error.message.contains("allow_private_addresses"), "{literal}: {}", error.message);
        assert!(new_publisher(&host, with(config, json!({ "allow_unsigned": true }))).is_err());
    }
    let named = json!({ "url": format!("http://localhost:{port}/"), "allow_private_addresses": false });
    let mut source = connector(&host, "", named.clone());
    let error = fetch_error(&mut source);
    assert_eq!(error.class, ErrorClass::Blocked);
    assert!(error.message.contains("allow_private_addresses"), "{}", error.message);
    assert_eq!(source.check().unwrap_err().class, ErrorClass::Blocked);
    let mut target = publisher(&host, "", named);
    assert_eq!(classes(&publish(&mut target, &records(1))), [Some(ErrorClass::Blocked)]);
    assert_eq!(server.accepted(), 0);
    let allowed = json!({ "url": format!("http://localhost:{port}/") });
    assert!(publish(&mut publisher(&host, "", allowed), &records(1))[0].is_ok());
}

/// Guards the proxy: the configured one is used, with its credentials, and the target is not connected.
#[test]
fn the_configured_proxy_is_used() {
    let target = Server::start(|_| ok("[]"));
    let proxy = Server::start(|_| answer(204, &[], ""));
    let through = format!("http://user:word@{}", proxy.address);
    let config = json!({ "client": { "proxy": through } });
    let mut hook = publisher(&MemoryHost::new(), &target.url("/hook"), config);
    assert_eq!(classes(&publish(&mut hook, &records(1))), [None]);
    let seen = proxy.seen();
    assert_eq!(seen[0].target, target.url("/hook"));
    assert_eq!(seen[0].header("proxy-authorization"), Some("Basic dXNlcjp3b3Jk"));
    assert_eq!(target.accepted(), 0);
}

/// Guards connections that can not be made: a server that accepts and never answers the TLS greeting ends
/// with the connection's time-out, and nothing was sent.
#[test]
fn a_connection_has_its_own_time() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let holder = std::thread::spawn(move || {
        let mut bytes = [0; 8];
        silent.accept().unwrap().0.read_exact(&mut bytes).unwrap();
        std::thread::sleep(Duration::from_millis(800));
    });
    let config = json!({ "client": { "connect_timeout_ms": 300 } });
    let mut target = publisher(&MemoryHost::new(), &format!("https://{address}/"), config);
    let begin = std::time::Instant::now();
    let results = publish(&mut target, &records(1));
    assert_eq!(classes(&results), [Some(ErrorClass::Retryable)], "{results:?}");
    assert!(begin.elapsed() < Duration::from_millis(1500));
    holder.join().unwrap();
}

/// Guards traits against the configuration: the limits of a call are those that were set.
#[test]
fn the_limits_of_a_call_are_those_configured() {
    let config: Value = json!({ "records_max": 7, "bytes_max": 4096 });
    let target = publisher(&MemoryHost::new(), "http://127.0.0.1:9/", config);
    assert_eq!((target.traits().records_max, target.traits().bytes_max), (7, 4096));
}
