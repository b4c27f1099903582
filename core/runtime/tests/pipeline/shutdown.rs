//! The end of a pipeline: by a deadline, whatever its components do.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mfn_plugin::testing::{FaultMemory, FaultRow};
use mfn_plugin::value::Verdict;
use mfn_runtime::{Pipeline, PipelineState};

use crate::scripted::*;

fn endless(bench: &Bench, records: Vec<mfn_plugin::value::Record>) -> Arc<ScriptedConnector> {
    let mut connector = ScriptedConnector::new(&bench.journal, "requests", records);
    connector.endless = true;
    Arc::new(connector)
}

fn wait_for(pipeline: &Pipeline, what: &str, done: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < deadline, "{what}: {:?}", pipeline.status());
        std::thread::sleep(Duration::from_millis(2));
    }
}

// Guards the deadline against a publisher that never returns: drain comes back in time, the records
// are given back, nothing is acknowledged, and the publisher is named.
#[test]
fn a_hung_publisher_does_not_hold_a_drain_beyond_its_deadline() {
    let mut bench = Bench::default();
    let gate = Arc::new(Gate::default());
    bench.connector = Some(endless(&bench, specs(8)));
    let mut publisher = ScriptedPublisher::willing(&bench.journal, "results");
    publisher.publish_gate = Some(Arc::clone(&gate));
    bench.publishers = vec![Arc::new(publisher)];
    bench.route = "batch_records_max = 4".into();
    // Eight small requests and one lattice.
    let memory = FaultMemory::here(4 << 20);
    let pipeline = bench.start();
    wait_for(&pipeline, "8 records in flight", || pipeline.status().in_flight == 8);
    let start = Instant::now();
    let report = pipeline.drain(Duration::from_millis(800));
    let elapsed = start.elapsed();
    assert!(elapsed < Duration::from_millis(1100), "{elapsed:?}");
    assert_eq!((report.returned, report.left), (8, 0), "{report:?}");
    assert_eq!(bench.verdicts("r0"), [Verdict::Nack { delay: Duration::ZERO }]);
    let status = pipeline.status();
    assert_conserved(&status);
    assert_eq!((status.state, status.delivered), (PipelineState::Stopped, 0));
    // It struck where a call had begun that never ended, and what was not given back would be lost.
    FaultRow { number: 13, struck: gate.held(), lost: 8 - report.returned, duplicated: 0 }.report(memory);
    gate.open();
}

// Guards an orderly end: what is in flight is finished, not thrown away, and all is closed once.
#[test]
fn a_drain_finishes_what_is_in_flight() {
    let mut bench = Bench::default();
    bench.connector = Some(endless(&bench, specs(30)));
    bench.publishers = vec![Arc::new(ScriptedPublisher::willing(&bench.journal, "results"))];
    let pipeline = bench.start();
    wait_for(&pipeline, "a first batch", || pipeline.status().received > 0);
    let report = pipeline.drain(Duration::from_secs(20));
    assert!(report.complete && report.returned == 0, "{report:?}");
    let status = pipeline.status();
    assert_eq!((status.received, status.in_flight), (status.delivered, 0));
    assert!(bench.connector.as_ref().unwrap().outstanding() == 0);
    assert_eq!(pipeline.drain(Duration::ZERO), report, "a second drain gives the first report");
    drop(pipeline);
    let closed = |entry: &Entry| matches!(entry, Entry::Closed { .. });
    assert_eq!(bench.entries().into_iter().filter(closed).count(), 2);
}

// Guards cancelling: a simulation of hours ends with the deadline and its request is given back.
#[test]
fn a_long_simulation_is_cancelled_and_given_back() {
    let mut bench = Bench::default();
    let long = request("long", "application/json", r#"{"grid_size":64,"steps":1000000000}"#);
    bench.connector = Some(endless(&bench, vec![long]));
    bench.publishers = vec![Arc::new(ScriptedPublisher::willing(&bench.journal, "results"))];
    bench.limits = "cell_steps_max = 1000000000000000".into();
    let pipeline = bench.start();
    wait_for(&pipeline, "progress", || {
        pipeline.status().active.first().is_some_and(|active| active.step > 0)
    });
    let active = pipeline.status().active;
    assert_eq!((active[0].request.as_str(), active[0].steps_total), ("long", 1_000_000_000));
    let start = Instant::now();
    let report = pipeline.drain(Duration::from_millis(400));
    assert!(start.elapsed() < Duration::from_millis(700));
    assert!(report.complete && report.returned == 1, "{report:?}");
    assert_eq!(bench.verdicts("long"), [Verdict::Nack { delay: Duration::ZERO }]);
    assert!(pipeline.last_snapshot().is_none());
}

// Guards the second Ctrl-C: a stop does not wait for a patient drain of another thread.
#[test]
fn a_stop_cuts_a_drain_short() {
    let mut bench = Bench::default();
    let long = request("long", "application/json", r#"{"grid_size":64,"steps":1000000000}"#);
    bench.connector = Some(endless(&bench, vec![long]));
    bench.publishers = vec![Arc::new(ScriptedPublisher::willing(&bench.journal, "results"))];
    bench.limits = "cell_steps_max = 1000000000000000".into();
    let pipeline = bench.start();
    wait_for(&pipeline, "a computation", || !pipeline.status().active.is_empty());
    std::thread::scope(|scope| {
        let drain = scope.spawn(|| pipeline.drain(Duration::from_secs(60)));
        wait_for(&pipeline, "the drain", || pipeline.status().state == PipelineState::Draining);
        let start = Instant::now();
        let report = pipeline.stop();
        assert!(start.elapsed() < Duration::from_secs(2), "took {:?}", start.elapsed());
        assert!(report.complete && report.returned == 1, "{report:?}");
        assert_eq!(drain.join().unwrap(), report);
    });
    assert_eq!(bench.verdicts("long"), [Verdict::Nack { delay: Duration::ZERO }]);
}

// Guards drop and a drain without time: neither hangs, and nothing is acknowledged that was not done.
#[test]
fn dropping_a_pipeline_stops_it() {
    let mut bench = Bench::default();
    let gate = Arc::new(Gate::default());
    bench.connector = Some(endless(&bench, specs(4)));
    let mut publisher = ScriptedPublisher::willing(&bench.journal, "results");
    publisher.publish_gate = Some(Arc::clone(&gate));
    bench.publishers = vec![Arc::new(publisher)];
    let pipeline = bench.start();
    wait_for(&pipeline, "records in flight", || pipeline.status().in_flight == 4);
    let start = Instant::now();
    drop(pipeline);
    assert!(start.elapsed() < Duration::from_millis(2500));
    assert!(!bench.verdicts("r0").contains(&Verdict::Ack));
    gate.open();

    let pipeline = bench.start();
    let start = Instant::now();
    pipeline.drain(Duration::ZERO);
    assert!(start.elapsed() < Duration::from_millis(500));
}

// Guards a finished pipeline: it stays open for its readers until it is told to end.
#[test]
fn a_finished_pipeline_stays_open() {
    let mut bench = Bench::default();
    bench.connector = Some(Arc::new(ScriptedConnector::new(&bench.journal, "requests", specs(1))));
    bench.publishers = vec![Arc::new(ScriptedPublisher::willing(&bench.journal, "results"))];
    let pipeline = bench.start();
    assert_eq!(pipeline.wait(Duration::from_secs(20)), PipelineState::Finished);
    assert!(!bench.entries().iter().any(|entry| matches!(entry, Entry::Closed { .. })));
    let report = pipeline.drain(Duration::from_secs(5));
    assert!(report.complete && report.elapsed < Duration::from_secs(2), "{report:?}");
    assert_eq!(pipeline.status().state, PipelineState::Stopped);
}
