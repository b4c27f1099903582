//! Transports are best effort: they are offered everything and hold back nothing.

use std::sync::Arc;
use std::time::Duration;

use mfn_plugin::value::{PluginError, Verdict};
use mfn_runtime::PipelineState;

use crate::scripted::*;

// Guards settlement against transports: one fails every event, one hangs, one works; every record is
// delivered and acknowledged, and the working one has every event.
#[test]
fn a_failing_or_hung_transport_holds_nothing_back() {
    let mut bench = Bench::default();
    let gate = Arc::new(Gate::default());
    bench.connector = Some(Arc::new(ScriptedConnector::new(&bench.journal, "requests", specs(20))));
    bench.publishers = vec![Arc::new(ScriptedPublisher::willing(&bench.journal, "results"))];
    let mut failing = ScriptedTransport::new(&bench.journal, "failing");
    failing.error = Some(PluginError::retryable("nobody listens"));
    let mut hung = ScriptedTransport::new(&bench.journal, "hung");
    hung.gate = Some(Arc::clone(&gate));
    let working = ScriptedTransport::new(&bench.journal, "working");
    bench.transports = vec![Arc::new(failing), Arc::new(hung), Arc::new(working)];
    let pipeline = bench.start();
    assert_eq!(pipeline.wait(Duration::from_secs(20)), PipelineState::Finished);
    assert_eq!(pipeline.status().delivered, 20);
    assert_eq!(bench.verdicts("r19"), [Verdict::Ack]);
    let report = pipeline.drain(Duration::from_secs(1));
    assert_eq!(report.left, 0);
    // The hung one was offered 20 events and is inside the first.
    assert_eq!(pipeline.status().events_dropped, 19);
    let events =
        |entries: Vec<Entry>| entries.iter().filter(|entry| matches!(entry, Entry::Event { .. })).count();
    assert_eq!(events(bench.entries()), 20);
    gate.open();
}

// Guards routes that only show results: a record is done when it was computed.
#[test]
fn a_route_without_publishers_acknowledges_what_it_computed() {
    let mut bench = Bench::default();
    bench.connector = Some(Arc::new(ScriptedConnector::new(&bench.journal, "requests", specs(3))));
    bench.transports = vec![Arc::new(ScriptedTransport::new(&bench.journal, "live"))];
    let pipeline = bench.start();
    assert_eq!(pipeline.wait(Duration::from_secs(20)), PipelineState::Finished);
    assert_eq!(pipeline.status().delivered, 3);
    assert_eq!(bench.verdicts("r2"), [Verdict::Ack]);
}
