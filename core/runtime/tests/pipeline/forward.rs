//! Routes that compute nothing: records go on as they are.

use std::sync::Arc;
use std::time::Duration;

use mfn_plugin::value::{PluginError, Record, Verdict};
use mfn_runtime::dead_letters::DeadLetters;
use mfn_runtime::{OutcomeStatus, PipelineState};

use crate::scripted::*;

const LONG: Duration = Duration::from_secs(20);

/// A record with every field, whose payload no codec knows.
fn letter(number: usize) -> Record {
    Record {
        id: format!("r{number}"),
        key: Some(vec![number as u8]),
        payload: vec![0xff, number as u8],
        content_type: "application/x-strange".into(),
        headers: vec![("a".into(), vec![1]), ("a".into(), vec![0xff])],
        timestamp_ms: Some(1_700_000_000_000 + number as i64),
        trace_parent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into(),
    }
}

// Guards forwarding: every field arrives as it came, in order, once, with the route's header behind the
// others; nothing is decoded, and the host is not flooded with outcomes.
#[test]
fn records_are_forwarded_unchanged() {
    let mut bench = Bench { route: "work = \"forward\"\nbatch_records_max = 7".into(), ..Bench::default() };
    let letters: Vec<_> = (0..40).map(letter).collect();
    bench.connector = Some(Arc::new(ScriptedConnector::new(&bench.journal, "requests", letters.clone())));
    let publisher = Arc::new(ScriptedPublisher::willing(&bench.journal, "results"));
    bench.publishers = vec![Arc::clone(&publisher)];
    bench.transports = vec![Arc::new(ScriptedTransport::new(&bench.journal, "live"))];
    let pipeline = bench.start();
    assert_eq!(pipeline.wait(LONG), PipelineState::Finished);
    let marked = |mut record: Record| {
        record.headers.push(("mfn-route".into(), b"simulate".to_vec()));
        record
    };
    assert_eq!(*publisher.taken.lock().unwrap(), letters.into_iter().map(marked).collect::<Vec<_>>());
    let status = pipeline.status();
    assert_conserved(&status);
    assert_eq!((status.delivered, status.outcomes_dropped, status.bytes_in_flight), (40, 0, 0));
    assert!(pipeline.next_outcome(LONG).is_none() && pipeline.last_snapshot().is_none());
    assert!(pipeline.drain(LONG).complete);
    assert_eq!(bench.entries().iter().filter(|entry| matches!(entry, Entry::Event { .. })).count(), 40);
}

// Guards the store of dead letters: what can not be done lies there as it came, with its reason and route, and can be
// read again after the pipeline is gone.
#[test]
fn dead_letters_are_stored_as_they_came() {
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("dead");
    let route = format!("work = \"forward\"\ndead_letters_store = {:?}", store.display().to_string());
    let mut bench = Bench { route, limits: "record_bytes_max = 10".into(), ..Bench::default() };
    let mut letters: Vec<_> = (0..5).map(letter).collect();
    letters[1].payload = vec![7; 11];
    bench.connector = Some(Arc::new(ScriptedConnector::new(&bench.journal, "requests", letters.clone())));
    let never = |request: &str, _| match request {
        "r3" => Err(PluginError::permanent("never this one")),
        _ => Ok(()),
    };
    bench.publishers = vec![Arc::new(ScriptedPublisher::new(&bench.journal, "results", Box::new(never)))];
    let pipeline = bench.start();
    assert_eq!(pipeline.wait(LONG), PipelineState::Finished);
    let status = pipeline.status();
    assert_conserved(&status);
    assert_eq!((status.delivered, status.dead_lettered, status.rejected), (3, 2, 0));
    assert!(pipeline.drain(LONG).complete);
    drop(pipeline);
    let (store, _) = DeadLetters::open(&store, 1 << 20).unwrap();
    let mut stored = store.list(0, 10).unwrap();
    stored.sort_by(|one, other| one.record.id.cmp(&other.record.id));
    assert_eq!(stored.len(), 2);
    assert_eq!((&stored[0].record, &stored[0].cause.route), (&letters[1], &"simulate".to_owned()));
    assert!(stored[0].cause.reason.contains("at most 10"), "{:?}", stored[0].cause);
    assert!(stored[1].record == letters[3] && stored[1].cause.reason.contains("never this one"));
}

// Guards the limits where nothing is decoded: what is too large or could not be read whole becomes a dead
// letter with its reason, and its neighbours go on.
#[test]
fn what_can_not_be_forwarded_is_a_dead_letter() {
    let mut bench = Bench { route: "work = \"forward\"".into(), ..Bench::default() };
    bench.limits = "record_bytes_max = 10".into();
    let mut letters: Vec<_> = (0..3).map(letter).collect();
    letters[0].payload = vec![0; 11];
    letters[2].headers.push((Record::FAULT_HEADER.into(), b"cut off".to_vec()));
    bench.connector = Some(Arc::new(ScriptedConnector::new(&bench.journal, "requests", letters)));
    bench.publishers = vec![Arc::new(ScriptedPublisher::willing(&bench.journal, "results"))];
    let rejected = Arc::new(ScriptedPublisher::willing(&bench.journal, "rejected"));
    bench.dead_letters = Some(Arc::clone(&rejected));
    let pipeline = bench.start();
    assert_eq!(pipeline.wait(LONG), PipelineState::Finished);
    assert_eq!((pipeline.status().delivered, pipeline.status().dead_lettered), (1, 2));
    assert_eq!(bench.verdicts("r1"), [Verdict::Ack]);
    assert!(matches!(&bench.verdicts("r2")[..], [Verdict::Reject { reason }] if reason == "cut off"));
    let outcomes: Vec<_> = std::iter::from_fn(|| pipeline.next_outcome(LONG)).collect();
    assert!(outcomes.len() == 2 && outcomes.iter().all(|it| it.status == OutcomeStatus::DeadLettered));
    for letter in rejected.taken.lock().unwrap().iter() {
        let routes = letter.headers.iter().filter(|(name, _)| name == "mfn-route").count();
        assert_eq!(routes, 1, "{:?}", letter.headers);
    }
}
