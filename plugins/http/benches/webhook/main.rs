//! Records per second to a receiver on loopback, and how much a batch is worth.
//!
//! Four ways to deliver the same records: the publisher in batches of 500, the publisher with one request for
//! each record, MFN v4.1's way (one request for each record, one after the other), and a plain reqwest loop that
//! sends the same batches without a record, a signature or a result, which is the bound. Prints a line for each
//! and fails when a batch is not worth what is promised. `cargo bench` measures for three seconds each, every
//! other call for half a second.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

mod receiver;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use mfn_plugin::{
    author::{Component, Publisher},
    testing::MemoryHost,
    value::{PublishContext, Record, RecordView},
};
use mfn_plugin_http::WebhookPublisher;
use receiver::Receiver;
use serde_json::json;

const BATCH: usize = 500;
const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Records per second of a way, by repeating calls of `count` records for `time`.
fn measure(time: Duration, count: usize, mut call: impl FnMut()) -> f64 {
    call();
    let begin = Instant::now();
    let mut calls = 0_u32;
    while begin.elapsed() < time {
        call();
        calls += 1;
    }
    f64::from(calls) * count as f64 / begin.elapsed().as_secs_f64()
}

fn publisher(url: &str, more: serde_json::Value) -> WebhookPublisher {
    let mut config = json!({ "url": url, "allow_private_addresses": true, "secrets": [KEY] });
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let mut publisher: WebhookPublisher = MemoryHost::new().create(config, "bench", Path::new("/")).unwrap();
    publisher.open().unwrap();
    publisher
}

fn main() {
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let time = Duration::from_millis(if is_bench { 3000 } else { 500 });
    let receiver = Receiver::start();
    let url = receiver.url();
    println!(
        "{:>8}  {:>12}  {:>12}  {:>12}  {:>12}",
        "bytes", "batch 500", "single", "v4.1's way", "plain reqwest"
    );
    let mut failures = Vec::new();
    for size in [100, 1024, 65_536] {
        // Calls stay below 8 MiB, as the publisher's default limits would keep them lower still.
        let batch = BATCH.min((8 << 20) / size);
        let payload = format!("{{\"fill\":\"{}\"}}", "x".repeat(size - 11)).into_bytes();
        let records: Vec<Record> = (0..batch)
            .map(|n| Record {
                id: format!("record-{n}"),
                payload: payload.clone(),
                content_type: "application/json".to_owned(),
                ..Record::default()
            })
            .collect();
        let views: Vec<RecordView<'_>> = records.iter().map(Record::view).collect();
        let context = PublishContext { attempt: 1, timeout: Duration::from_secs(30) };
        let run = |more: serde_json::Value, count: usize| {
            let mut target = publisher(&url, more);
            let views = &views[..count];
            measure(time, count, || {
                let results = target.publish(views, context).unwrap();
                assert!(results.iter().all(Result::is_ok), "{results:?}");
            })
        };
        let batched = run(json!({ "mode": "batch" }), batch);
        let single = run(json!({ "mode": "single" }), batch.min(200));
        // One after the other is one record per call: the next begins when the last is answered.
        let one_by_one = run(json!({ "mode": "single", "concurrency": 1 }), 1);
        let bound = plain(&url, time, batch, &payload);
        println!("{size:>8}  {batched:>12.0}  {single:>12.0}  {one_by_one:>12.0}  {bound:>12.0}");
        // What is promised is promised for small records; a large one costs its bytes in any form.
        if size <= 1024 {
            for (name, other, factor) in [("single", single, 5.0), ("v4.1's way", one_by_one, 20.0)] {
                if batched < factor * other {
                    failures.push(format!(
                        "{size} bytes: a batch is {:.1} times {name}, not {factor}",
                        batched / other
                    ));
                }
            }
        }
    }
    println!("{} MiB came", receiver.bytes() >> 20);
    assert!(failures.is_empty(), "{failures:?}");
}

/// The bound: the same bytes in the same pieces through reqwest alone.
fn plain(url: &str, time: Duration, batch: usize, payload: &[u8]) -> f64 {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let provider = rustls::crypto::ring::default_provider();
    let tls = rustls::ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let client = reqwest::Client::builder().no_proxy().tls_backend_preconfigured(tls).build().unwrap();
    let body = bytes::Bytes::from(payload.repeat(batch));
    measure(time, batch, || {
        let request = client.post(url).body(body.clone());
        let status = runtime.block_on(async { request.send().await.unwrap().status() });
        assert!(status.is_success());
    })
}
