//! `/metrics` as a scraper sees it: over a real socket, read by a strict parser.
#![allow(clippy::unwrap_used)]

mod support;

use std::{
    io::Write,
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use mfn_listener::testing::{self, connect};
use mfn_plugin::{
    author::Component,
    host::Host,
    testing::MemoryHost,
    value::{ErrorClass, HealthState},
};
use mfn_plugin_prometheus::PrometheusExporter;
use serde_json::{Value, json};
use support::parse;

const OPEN: &str = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

fn create(memory: &MemoryHost, config: Value) -> Result<PrometheusExporter, mfn_plugin::value::PluginError> {
    let mut whole = json!({ "bind": "127.0.0.1:0" });
    whole.as_object_mut().unwrap().extend(config.as_object().unwrap().clone());
    PrometheusExporter::create(
        serde_json::from_value(whole).unwrap(),
        memory.instance("metrics", Path::new("/")),
    )
}

fn open(memory: &MemoryHost, config: Value) -> (PrometheusExporter, SocketAddr) {
    let mut exporter = create(memory, config).unwrap();
    exporter.open().unwrap();
    let url = exporter.endpoints()[0].url.clone();
    let address = url.strip_prefix("http://").unwrap().strip_suffix("/metrics").unwrap().parse().unwrap();
    (exporter, address)
}

fn fill(host: &Host) {
    host.counter("mfn_growth_events_total", "Growth events.", &[]).update(41.0);
    host.gauge("mfn_lyapunov_exponent", "Of the last run.", &[]).update(-2.25e-7);
    host.gauge("mfn_odd", "Help with \\ and \"quotes\"\nand two lines.", &[("path", "C:\\x\n\"y\" ü")])
        .update(1e300);
    let dimension = host.histogram(
        "mfn_fractal_dimension",
        "D_box.",
        &[("kind", "box")],
        &[1.0, 1.2, 1.4, 1.6, 1.8, 2.0],
    );
    [1.1, 1.2, 1.7, 1.7, 2.5].iter().for_each(|value| dimension.update(*value));
    let _ = host.histogram("mfn_empty", "No observation yet.", &[], &[0.5]);
}

/// Guards the whole answer in both formats: the type that was asked for, read back by a strict parser, with
/// every value as it was put in.
#[test]
fn both_formats_are_read_back() {
    let memory = MemoryHost::new();
    let host = memory.instance("simulate", Path::new("/"));
    fill(&host);
    let (_exporter, address) = open(&memory, json!({}));
    for (accept, open_metrics, media) in [
        (Some(OPEN), true, "application/openmetrics-text; version=1.0.0; charset=utf-8"),
        (Some("text/plain"), false, "text/plain; version=0.0.4; charset=utf-8"),
        (None, false, "text/plain; version=0.0.4; charset=utf-8"),
    ] {
        let headers: Vec<_> = accept.iter().map(|accept| ("accept", *accept)).collect();
        let reply = testing::get(address, "/metrics", &headers).unwrap();
        assert_eq!((reply.status, reply.header("content-type")), (200, Some(media)));
        let families = parse(&reply.body, open_metrics).unwrap();
        let component = ("component".to_owned(), "simulate".to_owned());
        let counter = if open_metrics { "mfn_growth_events" } else { "mfn_growth_events_total" };
        let expected = ("mfn_growth_events_total".to_owned(), vec![component.clone()], 41.0);
        assert_eq!(families[counter].samples, [expected]);
        assert_eq!(families["mfn_lyapunov_exponent"].samples[0].2, -2.25e-7);
        assert_eq!(families["mfn_odd"].help, "Help with \\ and \"quotes\"\nand two lines.");
        assert_eq!(families["mfn_odd"].samples[0].1[1].1, "C:\\x\n\"y\" ü");
        assert_eq!(families["mfn_odd"].samples[0].2, 1e300);
        let dimension = &families["mfn_fractal_dimension"];
        let counts: Vec<f64> = dimension.samples.iter().map(|sample| sample.2).collect();
        assert_eq!(counts, [0.0, 2.0, 2.0, 2.0, 4.0, 4.0, 5.0, 8.2, 5.0]);
        assert_eq!(families["mfn_empty"].kind, "histogram");
    }
    // The scrapes themselves are in the next one, under a bounded set of labels.
    testing::get(address, "/no/such/path", &[]).unwrap();
    let families = parse(&testing::get(address, "/metrics", &[]).unwrap().body, false).unwrap();
    let requests = &families["mfn_http_requests_total"].samples;
    let of = |endpoint: &str| {
        let has =
            |labels: &Vec<(String, String)>| labels.contains(&("endpoint".to_owned(), endpoint.to_owned()));
        requests.iter().find(|(_, labels, _)| has(labels)).map(|sample| sample.2)
    };
    assert_eq!((of("/metrics"), of("other")), (Some(3.0), Some(1.0)));
    assert!(families.contains_key("mfn_http_request_duration_seconds"));
    assert!(families.contains_key("mfn_http_requests_in_progress"));
}

/// Guards the parser of these tests: each of the mistakes it is there to find, it finds.
#[test]
fn the_strict_parser_finds_mistakes() {
    let good = "# HELP a A.\n# TYPE a gauge\na{x=\"1\"} 2\n";
    parse(good, false).unwrap();
    parse(&format!("{good}# EOF\n"), true).unwrap();
    let bucket = "# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"1.0\"} 2\nh_bucket{le=\"+Inf\"} 3\nh_sum 1\nh_count 3\n";
    parse(bucket, false).unwrap();
    for (text, open_metrics) in [
        (good.to_owned(), true),
        (format!("{good}# EOF"), true),
        (format!("{good}# EOF\n"), false),
        (format!("{good}{good}"), false),
        (format!("{good}a{{x=\"1\"}} 3\n"), false),
        (format!("{good}b 1\n"), false),
        (good.replace("a{", "a_total{"), false),
        (good.replace("\"1\"", "\"\\x\""), false),
        (good.replace("} 2", "} two"), false),
        (good.replace("# TYPE a gauge\n", ""), false),
        ("# HELP c_total C.\n# TYPE c_total counter\nc_total 1\n# EOF\n".to_owned(), true),
        (bucket.replace("} 2", "} 4"), false),
        (bucket.replace("h_count 3", "h_count 4"), false),
        (bucket.replace("h_bucket{le=\"+Inf\"} 3\n", ""), false),
    ] {
        assert!(parse(&text, open_metrics).is_err(), "{text}");
    }
}

/// Guards the door: metrics need the credential, the health probe does not, nothing else is there.
#[test]
fn metrics_are_guarded_and_health_is_not() {
    let token = "a-bearer-token-of-some-length";
    let memory = MemoryHost::new();
    let (_exporter, address) = open(&memory, json!({ "auth": { "bearer_token": token } }));
    let status = |path, headers: &[(&str, &str)]| testing::get(address, path, headers).unwrap().status;
    assert_eq!(status("/metrics", &[]), 401);
    assert_eq!(status("/metrics", &[("authorization", &format!("Bearer {token}"))]), 200);
    let health = testing::get(address, "/healthz", &[]).unwrap();
    assert_eq!((health.status, health.body.as_str()), (200, "ok\n"));
    assert_eq!(status("/", &[("authorization", &format!("Bearer {token}"))]), 404);
    assert_eq!(testing::request(address, "POST", "/healthz", &[]).unwrap().status, 405);
}

/// Guards the bound on scrapes: readers that do not read hold their places, one more is refused and counted, and
/// the places come back.
#[test]
fn scrapes_are_capped() {
    let memory = MemoryHost::new();
    let host = memory.instance("simulate", Path::new("/"));
    // Large enough that two answers do not fit the socket buffers.
    let value = "x".repeat(1 << 20);
    for number in 0..24 {
        host.gauge("mfn_large", "Large.", &[("number", &number.to_string()), ("value", &value)]).update(1.0);
    }
    let (_exporter, address) = open(&memory, json!({ "scrapes_max": 2 }));
    let hold = || {
        let mut stream = connect(address).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").unwrap();
        // The first bytes show that the scrape has begun.
        stream.peek(&mut [0; 1]).unwrap();
        stream
    };
    let held = [hold(), hold()];
    let reply = testing::get(address, "/metrics", &[]).unwrap();
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("1")));
    assert_eq!(memory.number("mfn_exporter_scrapes_refused_total", &[]), 1.0);
    assert_eq!(testing::get(address, "/healthz", &[]).unwrap().status, 200);
    drop(held);
    let deadline = Instant::now() + Duration::from_secs(10);
    while testing::get(address, "/metrics", &[]).unwrap().status != 200 {
        assert!(Instant::now() < deadline, "the places did not come back");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Guards many scrapers against each other, and the writer of metrics against them: all answers are whole
/// while values change.
#[test]
fn concurrent_scrapes_are_whole() {
    let memory = MemoryHost::new();
    let host = memory.instance("simulate", Path::new("/"));
    fill(&host);
    let (_exporter, address) = open(&memory, json!({ "scrapes_max": 100 }));
    let scrapers: Vec<_> = (0..6)
        .map(|_| {
            std::thread::spawn(move || {
                for _ in 0..20 {
                    let reply = testing::get(address, "/metrics", &[("accept", OPEN)]).unwrap();
                    assert_eq!(reply.status, 200);
                    parse(&reply.body, true).unwrap();
                }
            })
        })
        .collect();
    let counter = host.counter("mfn_growth_events_total", "Growth events.", &[]);
    while scrapers.iter().any(|scraper| !scraper.is_finished()) {
        counter.increment();
        std::thread::yield_now();
    }
    scrapers.into_iter().for_each(|scraper| scraper.join().unwrap());
}

/// Guards the life cycle: refusals at creation name their field, health follows, and nothing listens at the end.
#[test]
fn the_exporter_opens_and_closes() {
    let memory = MemoryHost::new();
    let error = create(&memory, json!({ "scrapes_max": 0 })).unwrap_err();
    assert_eq!(error.message, "scrapes_max: 0 is not in 1..=1000");
    let error = create(&memory, json!({ "bind": "0.0.0.0:0" })).unwrap_err();
    assert_eq!(error.class, ErrorClass::Permanent);
    let (mut exporter, address) = open(&memory, json!({}));
    assert_eq!(exporter.health().state, HealthState::Ready);
    exporter.check().unwrap();
    exporter.drain(Duration::from_secs(1)).unwrap();
    assert_eq!(exporter.health().state, HealthState::Down);
    assert!(connect(address).is_err());
    exporter.close().unwrap();
    exporter.close().unwrap();
}
