//! What is promised of each record: published, flushed, settled, in this order and once.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mfn_plugin::value::{ErrorClass, PluginError, Record, Verdict};
use mfn_runtime::{OutcomeStatus, PipelineState};

use crate::scripted::*;

const LONG: Duration = Duration::from_secs(20);

fn bench(records: usize) -> Bench {
    let bench = Bench::default();
    Bench {
        connector: Some(Arc::new(ScriptedConnector::new(&bench.journal, "requests", specs(records)))),
        ..bench
    }
}

// Guards the promise itself: no acknowledgement before both publishers have published and flushed, all
// records arrive, batches settle in order, and the counters agree at every look.
#[test]
fn records_are_settled_after_every_publisher_has_flushed() {
    let mut bench = bench(40);
    bench.publishers = vec![
        Arc::new(ScriptedPublisher::willing(&bench.journal, "first")),
        Arc::new(ScriptedPublisher::willing(&bench.journal, "second")),
    ];
    bench.route = "batch_records_max = 7".into();
    let pipeline = bench.start();
    let deadline = Instant::now() + LONG;
    while pipeline.wait(Duration::ZERO) == PipelineState::Running && Instant::now() < deadline {
        assert_conserved(&pipeline.status());
    }
    let status = pipeline.status();
    assert_eq!((status.state, status.delivered, status.in_flight), (PipelineState::Finished, 40, 0));
    assert_eq!(status.bytes_in_flight, 0);
    let entries = bench.entries();
    for (at, entry) in entries.iter().enumerate() {
        let Entry::Settled { request, verdict } = entry else { continue };
        assert_eq!(*verdict, Verdict::Ack);
        for name in ["first", "second"] {
            let published = entries[..at].iter().position(|entry| {
                matches!(entry, Entry::Published { publisher, request: of, .. } if publisher == name && of == request)
            });
            let published = published.expect("published before it was settled");
            let flush = Entry::Flushed { publisher: name.into() };
            assert!(entries[published..at].contains(&flush), "{request} was not flushed by {name}");
        }
    }
    let tokens = bench.connector.as_ref().unwrap().settled_tokens();
    assert!(tokens.is_sorted() && tokens.len() == 6, "{tokens:?}");
    let outcomes: Vec<_> = std::iter::from_fn(|| pipeline.next_outcome(LONG)).collect();
    let requests: Vec<_> = outcomes.iter().map(|outcome| outcome.request.clone()).collect();
    assert_eq!(requests, (0..40).map(|n| format!("r{n}")).collect::<Vec<_>>());
    assert!(outcomes.iter().all(|outcome| outcome.status == OutcomeStatus::Ok && outcome.features.is_some()));
    assert_eq!(pipeline.last_snapshot().unwrap().request(), "r39");
}

// Guards the fates after errors: permanent goes to the dead letters, one that may pass is published again
// under the same id without bothering the connector, and neighbours notice nothing.
#[test]
fn errors_decide_the_fate_of_their_record_alone() {
    let mut bench = bench(6);
    bench.retry = "initial_ms = 10".into();
    let script = |request: &str, attempt: u32| match (request, attempt) {
        ("r1", _) => Err(PluginError::permanent("too strange")),
        ("r3", 1) => Err(PluginError::retryable("come again")),
        _ => Ok(()),
    };
    bench.publishers = vec![Arc::new(ScriptedPublisher::new(&bench.journal, "results", Box::new(script)))];
    bench.dead_letters = Some(Arc::new(ScriptedPublisher::willing(&bench.journal, "rejected")));
    let pipeline = bench.start();
    assert_eq!(pipeline.wait(LONG), PipelineState::Finished);
    let status = pipeline.status();
    assert_conserved(&status);
    assert_eq!((status.received, status.delivered, status.dead_lettered, status.nacked), (6, 5, 1, 0));
    assert!(
        matches!(&bench.verdicts("r1")[..], [Verdict::Reject { reason }] if reason.contains("too strange"))
    );
    assert_eq!(bench.published("r1"), [("rejected".to_owned(), "dead_lettered".to_owned())]);
    assert_eq!(bench.verdicts("r3"), [Verdict::Ack]);
    let results = status.components.iter().find(|component| component.name == "results").unwrap();
    assert_eq!(results.delivery.unwrap().retries, 1);
    assert_eq!(bench.verdicts("r2"), [Verdict::Ack]);
    let letter = std::iter::from_fn(|| pipeline.next_outcome(LONG)).find(|outcome| outcome.request == "r1");
    let letter = letter.unwrap();
    assert_eq!(letter.status, OutcomeStatus::DeadLettered);
    assert!(letter.reason.unwrap().contains("too strange"));
}

// Guards duplicates: what comes again is published under the same id, so that a reader can tell.
#[test]
fn a_repeated_record_has_the_same_id() {
    let mut bench = bench(1);
    bench.retry = "strategy = \"none\", initial_ms = 1, cap_ms = 5".into();
    bench.publishers = vec![
        Arc::new(ScriptedPublisher::willing(&bench.journal, "first")),
        Arc::new(ScriptedPublisher::new(
            &bench.journal,
            "second",
            Box::new(|_, attempt| if attempt == 1 { Err(PluginError::retryable("later")) } else { Ok(()) }),
        )),
    ];
    let pipeline = bench.start();
    assert_eq!(pipeline.wait(LONG), PipelineState::Finished);
    let id = |entry: &Entry| match entry {
        Entry::Published { id, .. } => Some(id.clone()),
        _ => None,
    };
    let ids: Vec<_> = bench.entries().iter().filter_map(id).collect();
    assert_eq!(ids.len(), 3);
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 1);
}

// Guards records that come again after their connector has said that it is at its end.
#[test]
fn the_end_of_a_source_waits_for_what_is_outstanding() {
    let mut bench = bench(0);
    bench.retry = "strategy = \"none\", initial_ms = 1, cap_ms = 5".into();
    let mut connector = ScriptedConnector::new(&bench.journal, "requests", specs(3));
    connector.ends_early = true;
    bench.connector = Some(Arc::new(connector));
    let script = |_: &str, attempt| if attempt == 1 { Err(PluginError::retryable("later")) } else { Ok(()) };
    bench.publishers = vec![Arc::new(ScriptedPublisher::new(&bench.journal, "results", Box::new(script)))];
    let pipeline = bench.start();
    assert_eq!(pipeline.wait(LONG), PipelineState::Finished);
    assert_eq!((pipeline.status().delivered, pipeline.status().nacked), (3, 3));
}

// Guards against an acknowledgement of what is not durable: after a failed flush everything is published
// again, under the same ids, and only then acknowledged.
#[test]
fn a_failed_flush_acknowledges_nothing() {
    let mut bench = bench(3);
    bench.retry = "initial_ms = 10".into();
    let publisher = ScriptedPublisher::willing(&bench.journal, "results");
    publisher.flush_errors.lock().unwrap().push_back(PluginError::retryable("disk full"));
    let publisher = Arc::new(publisher);
    bench.publishers = vec![Arc::clone(&publisher)];
    let pipeline = bench.start();
    assert_eq!(pipeline.wait(LONG), PipelineState::Finished);
    let status = pipeline.status();
    assert_eq!((status.delivered, status.nacked), (3, 0));
    assert!(status.last_error.unwrap().contains("disk full"));
    let taken = publisher.taken.lock().unwrap();
    let ids: HashSet<_> = taken.iter().map(|record| record.id.clone()).collect();
    assert!(taken.len() > ids.len() && ids.len() == 3, "{}", taken.len());
    let entries = bench.entries();
    let flushed = entries.iter().position(|entry| matches!(entry, Entry::Flushed { .. })).unwrap();
    let settled = entries.iter().position(|entry| matches!(entry, Entry::Settled { .. })).unwrap();
    assert!(flushed < settled);
}

// Guards records whose settlement the connector could not make durable: they count as given back,
// come again and are delivered again.
#[test]
fn a_refused_settlement_counts_as_not_done() {
    let mut bench = bench(2);
    *bench.connector.as_ref().unwrap().settle_failures.lock().unwrap() = 1;
    bench.publishers = vec![Arc::new(ScriptedPublisher::willing(&bench.journal, "results"))];
    let pipeline = bench.start();
    assert_eq!(pipeline.wait(LONG), PipelineState::Finished);
    let status = pipeline.status();
    assert_conserved(&status);
    assert_eq!((status.received, status.delivered, status.nacked), (4, 2, 2));
}

// Guards the report of a publisher that can not go on: the pipeline fails with its reason, gives back
// what it has and fetches no more.
#[test]
fn a_fatal_publisher_fails_the_pipeline() {
    let mut bench = bench(100);
    let fatal = |_: &str, _| Err(PluginError::fatal("the target is gone"));
    bench.publishers = vec![Arc::new(ScriptedPublisher::new(&bench.journal, "results", Box::new(fatal)))];
    bench.route = "batch_records_max = 4".into();
    let pipeline = bench.start();
    assert_eq!(pipeline.wait(LONG), PipelineState::Failed);
    assert!(pipeline.next_outcome(LONG).is_none());
    let status = pipeline.status();
    assert!(status.last_error.unwrap().contains("the target is gone"));
    assert!(status.delivered == 0 && status.received < 100);
    let report = pipeline.drain(LONG);
    assert!(report.complete, "{report:?}");
    assert_eq!(bench.connector.unwrap().outstanding(), 0);
}

// Guards a source with a passing fault, and one that can never be read.
#[test]
fn a_source_may_fail_for_a_while_but_not_for_good() {
    let mut bench = bench(2);
    bench.publishers = vec![Arc::new(ScriptedPublisher::willing(&bench.journal, "results"))];
    let errors = &bench.connector.as_ref().unwrap().fetch_errors;
    errors.lock().unwrap().push_back(PluginError::retryable("not now"));
    let pipeline = bench.start();
    assert_eq!(pipeline.wait(LONG), PipelineState::Finished);
    assert_eq!(pipeline.status().delivered, 2);
    errors.lock().unwrap().push_back(PluginError::permanent("no such directory"));
    let pipeline = bench.start();
    assert_eq!(pipeline.wait(LONG), PipelineState::Failed);
    assert!(pipeline.status().last_error.unwrap().contains("no such directory"));
}

// Guards a source whose credential has expired: it is asked again and again, never given up, slower each time,
// although its retries are long used up; after it is mended everything arrives.
#[test]
fn a_blocked_source_is_asked_slowly_and_never_given_up() {
    let mut bench = bench(2);
    bench.connector_retry = "initial_ms = 2, cap_ms = 20, retries_max = 1, exhausted = \"return\"".into();
    bench.publishers = vec![Arc::new(ScriptedPublisher::willing(&bench.journal, "results"))];
    let errors = &bench.connector.as_ref().unwrap().fetch_errors;
    let blocked = || PluginError::new(ErrorClass::Blocked, "401 Unauthorized");
    errors.lock().unwrap().extend((0..6).map(|_| blocked()));
    let start = Instant::now();
    let pipeline = bench.start();
    assert_eq!(pipeline.wait(LONG), PipelineState::Finished);
    // The upper halves of 2, 4, 8, 16, 20 and 20 ms.
    assert!(start.elapsed() >= Duration::from_millis(35), "{:?}", start.elapsed());
    assert_eq!(pipeline.status().delivered, 2);
    assert!(pipeline.status().last_error.unwrap().contains("401"));

    bench.connector = Some(Arc::new(ScriptedConnector::new(&bench.journal, "requests", specs(1))));
    let errors = &bench.connector.as_ref().unwrap().fetch_errors;
    errors.lock().unwrap().extend((0..2).map(|_| PluginError::retryable("connection refused")));
    let pipeline = bench.start();
    assert_eq!(pipeline.wait(LONG), PipelineState::Failed, "exhausted after one retry");
}

// Guards a publisher against more than it takes in one call, and the record that it can never take.
#[test]
fn calls_have_the_size_that_the_publisher_takes() {
    let mut bench = bench(10);
    let mut publisher = ScriptedPublisher::willing(&bench.journal, "results");
    publisher.traits.records_max = 3;
    let publisher = Arc::new(publisher);
    bench.publishers = vec![Arc::clone(&publisher)];
    let mut small = ScriptedPublisher::willing(&bench.journal, "small");
    small.traits.bytes_max = 10;
    let pipeline = bench.start();
    assert_eq!(pipeline.wait(LONG), PipelineState::Finished);
    assert!(publisher.calls.lock().unwrap().iter().all(|&records| records <= 3));
    drop(pipeline);

    bench.connector = Some(Arc::new(ScriptedConnector::new(&bench.journal, "requests", specs(2))));
    bench.publishers = vec![Arc::new(small)];
    let pipeline = bench.start();
    assert_eq!(pipeline.wait(LONG), PipelineState::Finished);
    assert_eq!(pipeline.status().rejected, 2);
    assert!(pipeline.next_outcome(LONG).unwrap().reason.unwrap().contains("at most 10"));
}

// Guards the budget: with one of 64 KiB and records of 6 KB, no fetch is allowed more than half of it,
// and the peak stays below the budget although 300 KB pass through.
#[test]
fn the_byte_budget_is_kept() {
    let mut bench = Bench::default();
    let padding = " ".repeat(12_000);
    let records = (0..50)
        .map(|n| {
            request(&format!("r{n}"), "application/json", format!("{{\"grid_size\":8,\"steps\":1}}{padding}"))
        })
        .collect();
    let connector = Arc::new(ScriptedConnector::new(&bench.journal, "requests", records));
    bench.connector = Some(Arc::clone(&connector));
    bench.publishers = vec![Arc::new(ScriptedPublisher::willing(&bench.journal, "results"))];
    bench.limits = "bytes_in_flight_max = 65536\nrecord_bytes_max = 20000".into();
    let pipeline = bench.start();
    assert_eq!(pipeline.wait(LONG), PipelineState::Finished);
    let status = pipeline.status();
    assert_eq!(status.delivered, 50);
    assert!(*connector.bytes_max_seen.lock().unwrap() <= 32768);
    // Two records, the result of the first and a computation of 23 KiB are less.
    assert!(status.bytes_in_flight_peak <= 65536, "{}", status.bytes_in_flight_peak);
    assert_eq!(status.bytes_in_flight, 0);
}

// Guards the account at the end: a pipeline that says it is finished holds nothing. Reporting these records takes the
// route longer than the connector takes to say that it is at its end, and then the connector's thread takes a while to
// drop them.
#[test]
fn what_is_finished_holds_nothing() {
    let headers: Vec<_> = (0..50).map(|number| (format!("h{number}"), vec![1])).collect();
    let unreadable = |n| Record {
        headers: headers.clone(),
        ..request(&format!("r{n}"), "application/x-strange", String::new())
    };
    for durability in ["delivered", "accepted"] {
        let route = format!("batch_records_max = 10000\ndurability = \"{durability}\"");
        let mut bench = Bench { route, ..Bench::default() };
        let records = (0..10_000).map(unreadable).collect();
        bench.connector = Some(Arc::new(ScriptedConnector::new(&bench.journal, "requests", records)));
        bench.publishers = vec![Arc::new(ScriptedPublisher::willing(&bench.journal, "results"))];
        let pipeline = bench.start();
        assert_eq!(pipeline.wait(LONG), PipelineState::Finished);
        let status = pipeline.status();
        assert_eq!((status.rejected, status.bytes_in_flight), (10_000, 0), "{durability}");
    }
}
