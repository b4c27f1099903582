//! What can be watched while the demo runs: the stream of results and the metrics.

use std::collections::BTreeSet;
use std::time::Duration;

use super::client::{EventSource, page};
use super::results;
use super::site::Site;

const REQUESTS: u64 = 40;

/// Guards the stream: a client that goes away every few events and comes back with Last-Event-ID gets
/// each event once and in order, and they are the results that were published.
#[test]
fn a_reconnecting_client_misses_no_event_and_sees_none_twice() {
    let site = Site::of_small_requests(REQUESTS);
    let mut running = site.start("demo.toml", &["--serve"]);
    let url = running.wait_for_url("/events");
    let mut source = EventSource::open(&url);
    let mut cursors = Vec::new();
    let mut requests = BTreeSet::new();
    let total = usize::try_from(REQUESTS).unwrap() + 9;
    loop {
        let event = source.next().expect("the stream stays open while the program serves");
        assert_eq!(event.name, "snapshots", "{event:?}");
        let (_, number) = event.id.rsplit_once('-').expect("a cursor");
        cursors.push(number.parse::<u64>().expect("a number"));
        let value = serde_json::from_str(&event.data).expect("a result");
        requests.extend(results::requests(&[value]));
        if cursors.last() == Some(&(total as u64)) {
            break;
        }
        if cursors.len() % 5 == 0 {
            source.reconnect();
        }
    }
    let expected: Vec<u64> = (cursors[0]..=total as u64).collect();
    assert_eq!(cursors, expected, "each event once, in order");
    assert!(cursors.len() > total / 2, "the client came while most was still to be done: {cursors:?}");
    running.interrupt();
    let status = running.wait(Duration::from_secs(15));
    assert!(status.success(), "Ctrl-C drains and ends with exit code 0: {status}\n{}", running.seen);
    // Transports are served first, so only now are all of them on disk.
    let published = results::lines(&site.out(), "results");
    assert!(requests.is_subset(&results::requests(&published)));
}

/// Guards the metrics: they can be read during the run, and at its end they agree with what came out.
#[test]
fn metrics_agree_with_the_results() {
    let site = Site::of_small_requests(12);
    let mut running = site.start("demo.toml", &["--serve"]);
    let url = running.wait_for_url("/metrics");
    let accept = "Accept: application/openmetrics-text; version=1.0.0\r\n";
    let during = page(&url, accept);
    assert!(during.trim_end().ends_with("# EOF"), "OpenMetrics ends with EOF:\n{during}");

    let total = 12 + 9;
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    let metrics = loop {
        let metrics = page(&url, accept);
        if sum(&metrics, "mfn_records_delivered_total") >= f64::from(total) && results_are(&site, 21) {
            break metrics;
        }
        assert!(std::time::Instant::now() < deadline, "not done:\n{metrics}\n{}", running.read());
        std::thread::sleep(Duration::from_millis(50));
    };
    let published = results::lines(&site.out(), "results");
    let growth: f64 = published.iter().filter_map(|r| r["statistics"]["growth_events"].as_f64()).sum();
    assert!(growth > 0.0);
    assert_eq!(sum(&metrics, "mfn_growth_events_total"), growth, "{metrics}");
    assert_eq!(sum(&metrics, "mfn_records_delivered_total"), f64::from(total), "{metrics}");
    assert_eq!(sum(&metrics, "mfn_dead_letters_total"), 1.0, "{metrics}");
    assert_eq!(sum(&metrics, "mfn_fractal_dimension_count"), f64::from(total), "{metrics}");
    running.interrupt();
    assert!(running.wait(Duration::from_secs(15)).success());
}

fn results_are(site: &Site, count: usize) -> bool {
    results::count_of_lines(&site.out(), "results") == count
}

/// The sum of all samples of a name, whatever their labels.
fn sum(metrics: &str, name: &str) -> f64 {
    let value_of = |line: &str| {
        let rest = line.strip_prefix(name)?;
        let rest = if rest.starts_with('{') { rest.split_once('}')?.1 } else { rest };
        rest.strip_prefix(' ')?.split(' ').next()?.parse::<f64>().ok()
    };
    metrics.lines().filter_map(value_of).sum()
}
