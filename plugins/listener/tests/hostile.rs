//! What clients may do to a listener: be slow, be many, be wrong; and that stopping ends it all.
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    io::{Read, Write},
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use axum::{Extension, Router, routing::get};
use mfn_listener::{
    Auth, Connection, Limits, Listener, Plan,
    testing::{self, Answer, connect, exchange},
};
use mfn_plugin::testing::MemoryHost;

const LARGE_BYTES: usize = 32 << 20;

fn open(name: &str, limits: Limits) -> (MemoryHost, Listener, SocketAddr) {
    let memory = MemoryHost::new();
    let host = memory.instance(name, Path::new("/"));
    let plan = Plan::new("127.0.0.1:0", &Auth::default(), &limits, &host).unwrap();
    let cut = async |Extension(connection): Extension<Connection>| {
        connection.cut();
        std::future::pending::<()>().await;
    };
    let router = Router::new()
        .route("/", get(async || "hello"))
        .route("/large", get(async || vec![b'x'; LARGE_BYTES]))
        .route("/never", get(async || std::future::pending::<()>().await))
        .route("/cut", get(cut));
    let listener = Listener::open(&plan, router).unwrap();
    let address = listener.address();
    (memory, listener, address)
}

/// The names of this process's threads.
fn threads(name: &str) -> usize {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let comm = |task: fs::DirEntry| fs::read_to_string(task.path().join("comm")).unwrap_or_default();
    tasks.filter_map(Result::ok).map(comm).filter(|comm| comm.trim() == name).count()
}

/// Guards against clients that hold a connection by sending a head a byte at a time, or nothing.
#[test]
fn a_slow_head_is_cut_off() {
    let limits = Limits { header_timeout_ms: 300, ..Limits::default() };
    let (_memory, _listener, address) = open("slow-head", limits);
    for start in [&b""[..], b"GET / HT", b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: "] {
        let (_, time) = exchange(address, start).unwrap();
        assert!(time >= Duration::from_millis(250) && time < Duration::from_secs(3), "{time:?}");
    }
    let mut dripping = connect(address).unwrap();
    let begin = Instant::now();
    dripping.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    while begin.elapsed() < Duration::from_secs(5) && dripping.write_all(b"a: b\r\n").is_ok() {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(begin.elapsed() < Duration::from_secs(3), "each header line must not buy more time");
}

/// Guards the parser and its limits: nonsense gets a 4xx or a closed connection, and the next client is served.
#[test]
fn malformed_requests_harm_nobody() {
    let (_memory, _listener, address) = open("malformed", Limits::default());
    let long_line = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(100_000));
    let long_head = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(100_000));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(2_000));
    let cases: [&[u8]; 11] = [
        b"\r\n\r\n\r\n\r\nrubbish\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00\xff\xfe\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
        b"GET / HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        long_line.as_bytes(),
        long_head.as_bytes(),
        many.as_bytes(),
    ];
    for case in cases {
        let mut bytes = case.to_vec();
        // The one case that is only a fragment ends by the client's own close below.
        bytes.extend_from_slice(b"\r\n\r\n");
        let (answer, time) = exchange(address, &bytes).unwrap();
        let text = String::from_utf8_lossy(&answer).into_owned();
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 4"), "{text}");
        assert!(time < Duration::from_secs(5), "{time:?}");
        assert_eq!(testing::get(address, "/", &[]).unwrap().status, 200);
    }
}

/// Guards against bodies: nothing here takes one, whatever the way it is announced.
#[test]
fn bodies_are_not_taken() {
    let (_memory, _listener, address) = open("bodies", Limits::default());
    for framing in
        ["content-length: 5\r\n\r\nhello", "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"]
    {
        let bytes = format!("GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n{framing}");
        let (answer, _) = exchange(address, bytes.as_bytes()).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 413"), "{}", String::from_utf8_lossy(&answer));
    }
    assert_eq!(testing::request(address, "POST", "/", &[("content-length", "0")]).unwrap().status, 405);
}

/// Guards the bound on connections: the one too many gets a 503, and a place that is left is given again.
#[test]
fn connections_are_capped() {
    let limits = Limits { connections_max: 2, ..Limits::default() };
    let (memory, _listener, address) = open("capped", limits);
    let first = Answer::open(address, "GET", "/", &[]).unwrap();
    let second = Answer::open(address, "GET", "/", &[]).unwrap();
    let reply = testing::get(address, "/", &[]).unwrap();
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("5")));
    assert_eq!(memory.number("mfn_http_connections_refused_total", &[]), 1.0);
    drop((first, second));
    let deadline = Instant::now() + Duration::from_secs(5);
    while testing::get(address, "/", &[]).unwrap().status != 200 {
        assert!(Instant::now() < deadline, "the places of closed connections were not given again");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Guards against clients that ask for much and read nothing: their connection and its memory are freed.
#[test]
fn a_stalled_reader_is_cut_off() {
    let limits = Limits { write_timeout_ms: 300, connections_max: 1, ..Limits::default() };
    let (_memory, _listener, address) = open("stalled", limits);
    let mut stalled = connect(address).unwrap();
    stalled.write_all(b"GET /large HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").unwrap();
    let deadline = Instant::now() + Duration::from_secs(8);
    while testing::get(address, "/", &[]).map_or(503, |reply| reply.status) != 200 {
        assert!(Instant::now() < deadline, "the only place is still taken");
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut rest = Vec::new();
    let _ = stalled.read_to_end(&mut rest);
    assert!(rest.len() < LARGE_BYTES, "the answer was cut short");
}

/// Guards the handle by which a plugin gets rid of a client that does not read.
#[test]
fn a_handler_can_cut_its_connection() {
    let (_memory, _listener, address) = open("cut", Limits::default());
    let (answer, time) = exchange(address, b"GET /cut HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").unwrap();
    assert!(answer.is_empty());
    assert!(time < Duration::from_secs(3));
}

/// Guards the end: idle connections close at once, a hanging answer is cut at the deadline, and the
/// thread is gone, also after a mere drop.
#[test]
fn stopping_leaves_no_thread_behind() {
    let (_memory, listener, address) = open("idle", Limits::default());
    // A thread names itself when it starts, so one that answers has its name.
    let _idle = Answer::open(address, "GET", "/", &[]).unwrap();
    assert_eq!(threads("mfn-idle"), 1);
    let begin = Instant::now();
    assert_eq!(listener.stop(Duration::from_secs(5)), 0, "an idle connection needs no cutting");
    assert!(begin.elapsed() < Duration::from_secs(2), "and no waiting");
    assert_eq!(threads("mfn-idle"), 0);
    assert!(connect(address).is_err(), "nobody listens any more");

    let (_memory, listener, address) = open("hang", Limits::default());
    let mut hanging = connect(address).unwrap();
    hanging.write_all(b"GET /never HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let begin = Instant::now();
    assert_eq!(listener.stop(Duration::from_millis(300)), 1);
    assert!(begin.elapsed() < Duration::from_secs(2));
    assert_eq!(threads("mfn-hang"), 0);

    let (_memory, listener, address) = open("dropped", Limits::default());
    testing::get(address, "/", &[]).unwrap();
    assert_eq!(threads("mfn-dropped"), 1);
    drop(listener);
    assert_eq!(threads("mfn-dropped"), 0);
}
