//! Publishers that fail: each test injects a fault, shows that it struck, and that nothing was lost by it.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mfn_plugin::metric::MetricValue;
use mfn_plugin::testing::{FaultMemory, FaultRow};
use mfn_plugin::value::{ErrorClass, HealthState, PluginError};
use mfn_runtime::pipeline::BreakerState;
use mfn_runtime::{PipelineState, Runtime, RuntimeOptions};

use crate::faulty::*;
use crate::scripted::assert_conserved;

const LONG: Duration = Duration::from_secs(20);

/// A route from `in` to these publishers.
fn forward(publishers: &str, more: &str) -> String {
    format!(
        "[[routes]]\nname = \"all\"\nwork = \"forward\"\nconnectors = [\"in\"]\npublishers = [{publishers}]\n\
         batch_records_max = 20\n{more}\n"
    )
}

fn throttled(after: Duration) -> PluginError {
    PluginError {
        retry_after: Some(after),
        ..PluginError::new(ErrorClass::Throttled, "503 Service Unavailable")
    }
}

// Guards fault 5: an endpoint that answers every second call with 503 and Retry-After gets everything, is
// never called before the time it asked for, and a record takes at most 2.1 attempts on average.
#[test]
fn a_throttling_publisher_is_called_when_it_asked_to_be() {
    const RETRY_AFTER: Duration = Duration::from_millis(20);
    // One of two calls, at random which.
    let mut random = 1u64;
    let strike = |_| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        [random >> 63 == 1, random >> 63 == 0]
    };
    let struck: Vec<bool> = (0..5000).flat_map(strike).collect();
    let strikes = struck.clone();
    let publisher = Arc::new(Faulty::new("out", move |call, records| {
        if strikes[call as usize % strikes.len()] {
            return Err(throttled(RETRY_AFTER));
        }
        Ok(vec![Ok(()); records.len()])
    }));
    let source = Counting::new("in", 2000);
    let memory = memory(2000);
    let delivery = "retry = { initial_ms = 5 }, batch = { records_max = 40 }";
    let pipeline = start(&[&source], &[&publisher], delivery, &forward("\"out\"", ""), Path::new("."));
    assert_eq!(pipeline.wait(LONG), PipelineState::Finished, "{:#?}", pipeline.status());
    let status = pipeline.status();
    assert_conserved(&status);
    assert_eq!((status.delivered, status.nacked, publisher.ids().len()), (2000, 0, 2000));
    let began = publisher.began.lock().unwrap();
    let strikes = began.windows(2).enumerate().filter(|(call, _)| struck[*call]);
    let mut count = 0;
    for (call, pair) in strikes {
        let waited = pair[1].0.duration_since(pair[0].0);
        assert!(waited >= RETRY_AFTER, "call {call} was followed after {waited:?}");
        count += 1;
    }
    assert!(count >= 10, "struck {count} times");
    let attempts: usize = began.iter().map(|(_, records)| records).sum();
    assert!(attempts as f64 / 2000.0 <= 2.1, "{attempts} attempts");
    assert_eq!(delivery_of(&pipeline, "out").retries, attempts as u64 - 2000);
    FaultRow { number: 5, struck: count, ..FaultRow::default() }.report(memory);
}

// Guards rule 6: an answer of the wrong count says nothing about any record. All are published again under
// the same ids, and the breach is counted.
#[test]
fn a_wrong_number_of_answers_is_a_breach_and_loses_nothing() {
    let publisher = Arc::new(Faulty::new("out", |call, records| {
        Ok(vec![Ok(()); if call % 3 == 1 { records.len() + 1 } else { records.len() }])
    }));
    let source = Counting::new("in", 300);
    let memory = memory(300);
    let delivery = "retry = { initial_ms = 2 }, batch = { records_max = 20 }";
    let pipeline = start(&[&source], &[&publisher], delivery, &forward("\"out\"", ""), Path::new("."));
    assert_eq!(pipeline.wait(LONG), PipelineState::Finished, "{:#?}", pipeline.status());
    assert_eq!(pipeline.status().delivered, 300);
    let lost = 300 - publisher.ids().len() as u64;
    let (breaches, taken) = (delivery_of(&pipeline, "out").breaches, publisher.taken_count());
    assert!(breaches >= 3 && taken > 300, "{breaches} breaches, {taken} taken");
    FaultRow { number: 13, struck: breaches, lost, duplicated: (taken - 300) as u64 }.report(memory);
}

// Guards fault 7 in the runtime: of calls that fail in part exactly the failed records are published again, and of
// calls whose answer is lost after the target took them, all of them, under their ids: told apart by id, everything
// is there once.
#[test]
fn exactly_what_failed_is_published_again() {
    let seen: Arc<Mutex<Vec<(String, u64)>>> = Arc::default();
    let (lost_answers, calls) = (Arc::new(AtomicU64::new(0)), Arc::clone(&seen));
    let lost = Arc::clone(&lost_answers);
    let publisher = Arc::new(Faulty::new("out", move |call, records| {
        calls.lock().unwrap().extend(records.iter().map(|record| (record.id.to_owned(), call)));
        if call % 20 == 7 {
            // Taken, and nobody is told.
            lost.fetch_add(records.len() as u64, Ordering::Relaxed);
            return Err(PluginError::new(ErrorClass::Unknown, "the connection broke after the request"));
        }
        // By its place and the call: another record fails each time.
        let fails = |(place, _)| (place as u64 + call).is_multiple_of(5);
        let answer = |record: (usize, _)| match fails(record) {
            true => Err(PluginError::retryable("this one not")),
            false => Ok(()),
        };
        Ok(records.iter().enumerate().map(answer).collect())
    }));
    let source = Counting::new("in", 2000);
    let memory = memory(2000);
    let delivery = "retry = { initial_ms = 2, cap_ms = 5 }, batch = { records_max = 20 }, breaker = { failures_max = 1000 }";
    let pipeline = start(&[&source], &[&publisher], delivery, &forward("\"out\"", ""), Path::new("."));
    assert_eq!(pipeline.wait(LONG), PipelineState::Finished, "{:#?}", pipeline.status());
    assert_eq!((pipeline.status().delivered, pipeline.status().nacked), (2000, 0));
    // Nothing that was answered with success was published again: each was answered so once.
    let missing = 2000 - publisher.ids().len() as u64;
    assert_eq!(publisher.taken_count(), 2000);
    let lost = lost_answers.load(Ordering::Relaxed);
    let published = seen.lock().unwrap().len() as u64;
    assert_eq!(delivery_of(&pipeline, "out").retries, published - 2000);
    assert!(lost >= 20 && published > 2000 + lost, "{lost} lost answers, {published} published");
    FaultRow { number: 7, struck: published - 2000, lost: missing, duplicated: lost }.report(memory);
}

// Guards good records against a bad one in their batch: a publisher that answers one refusal for the whole call costs
// the bad records only, which are dead letters with its reason; the others are delivered, in order and once.
#[test]
fn a_refused_call_costs_the_bad_records_only() {
    let bad = |id: &str| id.ends_with("7") && id.contains("0001");
    let refused = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&refused);
    let publisher = Arc::new(Faulty::new("out", move |_, records| {
        if records.iter().any(|record| bad(record.id)) {
            count.fetch_add(u64::from(records.len() > 1), Ordering::Relaxed);
            return Err(PluginError::permanent("the batch does not fit the schema"));
        }
        Ok(vec![Ok(()); records.len()])
    }));
    let letters = Arc::new(Faulty::good("letters"));
    let source = Counting::new("in", 1000);
    let route = forward("\"out\"", "dead_letters = \"letters\"").replace("= 20", "= 200");
    let pipeline = start(&[&source], &[&publisher, &letters], "", &route, Path::new("."));
    assert_eq!(pipeline.wait(LONG), PipelineState::Finished, "{:#?}", pipeline.status());
    let status = pipeline.status();
    assert_conserved(&status);
    // in-000017, in-000107, in-000117 ... in-000197
    assert_eq!((status.delivered, status.dead_lettered, status.rejected), (989, 11, 0));
    assert!(letters.ids().iter().all(|id| bad(id)) && letters.ids().len() == 11);
    let taken: Vec<String> = publisher.taken.lock().unwrap().iter().map(|(id, _)| id.clone()).collect();
    assert!(taken.len() == 989 && taken.is_sorted());
    assert!(refused.load(Ordering::Relaxed) > 0, "no batch was refused");
}

// Guards fault 13 for publish: a panic fences the publisher with an error that names plugin and method; the
// pipeline fails, gives everything back, and the host lives.
#[test]
fn a_panic_in_publish_fences_the_publisher() {
    let panics = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&panics);
    let publisher = Arc::new(Faulty::new("out", move |call, records| {
        if call == 3 {
            count.fetch_add(1, Ordering::Relaxed);
            panic!("a defect of the plugin");
        }
        Ok(vec![Ok(()); records.len()])
    }));
    let source = Counting::new("in", 10_000);
    let memory = memory(10_000);
    let pipeline = start(&[&source], &[&publisher], "", &forward("\"out\"", ""), Path::new("."));
    assert_eq!(pipeline.wait(LONG), PipelineState::Failed);
    let report = pipeline.drain(LONG);
    assert!(report.complete, "{report:?}");
    let status = pipeline.status();
    assert_conserved(&status);
    let error = status.last_error.unwrap();
    for part in ["out", "plugin faulty", "publish", "a defect of the plugin"] {
        assert!(error.contains(part), "{part} in {error}");
    }
    assert_eq!(publisher.began.lock().unwrap().len(), 4, "called no more");
    assert_eq!(status.delivered, source.acked().len() as u64);
    let taken = publisher.ids();
    let lost = source.acked().iter().filter(|id| !taken.contains(id)).count() as u64;
    FaultRow { number: 13, struck: panics.load(Ordering::Relaxed), lost, duplicated: 0 }.report(memory);
}

// Guards the others against a publisher nobody waits for: one that panics and one that hangs change
// nothing for the route, and what they did not get is counted exactly.
#[test]
fn best_effort_publishers_stop_nobody() {
    let go = Arc::new(AtomicBool::new(false));
    let main = Arc::new(Faulty::good("out"));
    let hung = Arc::new(Faulty::hung("hung", &go));
    let copy = Arc::new(Faulty::good("copy"));
    let broken = Arc::new(Faulty::new("broken", |_, _| panic!("a defect of the plugin")));
    let source = Counting::new("in", 100_000);
    let route = forward("\"out\"", "best_effort = [\"copy\", \"hung\", \"broken\"]");
    let text = format!("[limits]\nbytes_in_flight_max = 4194304\nrecord_bytes_max = 65536\n{route}");
    let pipeline = start(&[&source], &[&main, &hung, &copy, &broken], "", &text, Path::new("."));
    assert_eq!(pipeline.wait(LONG), PipelineState::Finished, "{:#?}", pipeline.status());
    let status = pipeline.status();
    assert_eq!((status.delivered, main.taken_count()), (100_000, 100_000));
    assert!(status.bytes_in_flight_peak <= 4_194_304);
    let failed = delivery_of(&pipeline, "broken");
    assert!(failed.failed && failed.dropped == 100_000, "{failed:?}");
    wait_for(&pipeline, "the copy", || delivery_of(&pipeline, "copy").queued == 0);
    let copied = delivery_of(&pipeline, "copy");
    assert_eq!(copy.taken_count() as u64 + copied.dropped, 100_000);
    let held = delivery_of(&pipeline, "hung");
    assert!(held.dropped > 0 && held.queued + held.dropped == 100_000, "{held:?}");
    go.store(true, Ordering::Relaxed);
}

// Guards fault 8: with one of four publishers black-holed, the other routes keep 95 % of their rate, although
// all share one byte budget. The hung call is shown in the health.
#[test]
fn a_black_hole_leaves_the_other_routes_their_rate() {
    let rate = |black_hole: bool| {
        let go = Arc::new(AtomicBool::new(false));
        let paced = |name| Arc::new(Faulty::paced(name, 10, Duration::from_millis(5)));
        let good = [paced("a"), paced("b"), paced("c")];
        let hole = if black_hole { Arc::new(Faulty::hung("d", &go)) } else { paced("d") };
        let sources = ["ia", "ib", "ic", "id"].map(|name| Counting::new(name, u64::MAX));
        let mut text = "[limits]\nbytes_in_flight_max = 1048576\nrecord_bytes_max = 65536\n".to_owned();
        for name in ["a", "b", "c", "d"] {
            text.push_str(&forward(&format!("\"{name}\""), "").replace("\"in\"", &format!("\"i{name}\"")));
            text = text.replace("\"all\"", &format!("\"r{name}\""));
        }
        let publishers = [&good[0], &good[1], &good[2], &hole];
        let delivery = "retry = { timeout_ms = 100 }";
        let pipeline = start(&sources.each_ref(), &publishers, delivery, &text, Path::new("."));
        if black_hole {
            // The fault has struck fully when the hole has swallowed all it can.
            let held = || delivery_of(&pipeline, "d").queued;
            wait_for(&pipeline, "the hole is full", || {
                let before = held();
                std::thread::sleep(Duration::from_millis(50));
                before > 0 && before == held()
            });
        }
        let count = || good.iter().map(|publisher| publisher.taken_count()).sum::<usize>();
        let (start, before) = (Instant::now(), count());
        std::thread::sleep(Duration::from_millis(1200));
        let rate = (count() - before) as f64 / start.elapsed().as_secs_f64();
        if black_hole {
            assert!(hole.taken_count() == 0 && delivery_of(&pipeline, "d").overdue);
            let components = pipeline.status().components;
            let health = &components.iter().find(|component| component.name == "d").unwrap().health;
            assert_eq!(health.state, HealthState::Down);
            assert!(health.detail.contains("has not returned"));
        }
        go.store(true, Ordering::Relaxed);
        rate
    };
    // Pipelines of 1 MiB, one after the other; the test keeps what comes in two seconds from four publishers of 2,000 records
    // a second, twice.
    warm_up();
    let memory = FaultMemory::here(1 << 20).kept_by_test(2 * 16_000 * RECORD_BYTES);
    // Both runs share the machine with whatever else runs there: the better of two counts.
    let (mut part, mut struck) = (0.0f64, 0);
    for _ in 0..3 {
        let (with, without) = (rate(true), rate(false));
        part = part.max(with / without);
        struck += 1;
        if part >= 0.95 {
            FaultRow { number: 8, struck, ..FaultRow::default() }.report(memory);
            return;
        }
    }
    panic!("{part:.3} of the rate");
}

// Guards the breaker in the pipeline: a dead endpoint is left alone after its failures in a row, asked by one
// small probe at a time, and gets everything when it is back; a retry keeps its memory permit.
#[test]
fn a_dead_endpoint_is_probed_and_gets_everything_when_it_is_back() {
    let back = Arc::new(AtomicBool::new(false));
    let alive = Arc::clone(&back);
    let refused = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&refused);
    let publisher = Arc::new(Faulty::new("out", move |_, records| {
        if alive.load(Ordering::Relaxed) {
            return Ok(vec![Ok(()); records.len()]);
        }
        count.fetch_add(1, Ordering::Relaxed);
        Err(PluginError::retryable("connection refused"))
    }));
    let source = Counting::new("in", 1000);
    let delivery =
        "retry = { initial_ms = 1, cap_ms = 5 }, breaker = { failures_max = 3, recovery_ms = 100 }";
    let pipeline = start(&[&source], &[&publisher], delivery, &forward("\"out\"", ""), Path::new("."));
    wait_for(&pipeline, "the circuit opens", || delivery_of(&pipeline, "out").circuit == BreakerState::Open);
    let (before, start) = (refused.load(Ordering::Relaxed), Instant::now());
    std::thread::sleep(Duration::from_millis(350));
    let probes = refused.load(Ordering::Relaxed) - before;
    let allowed = start.elapsed().as_millis() as u64 / 100 + 1;
    assert!((1..=allowed).contains(&probes), "{probes} probes, at most {allowed}");
    assert!(publisher.began.lock().unwrap().iter().skip(3).all(|(_, records)| *records == 1));
    let status = pipeline.status();
    assert_conserved(&status);
    assert!(status.backing_off > 0 && status.bytes_in_flight > 0 && status.nacked == 0, "{status:?}");
    back.store(true, Ordering::Relaxed);
    assert_eq!(pipeline.wait(LONG), PipelineState::Finished);
    assert_eq!((pipeline.status().delivered, publisher.ids().len()), (1000, 1000));
    assert_eq!(delivery_of(&pipeline, "out").circuit, BreakerState::Closed);
}

// Guards the gauges of a publisher that is dead or hangs: they are right while it does, and the log says so once.
#[test]
fn trouble_is_shown_while_it_lasts() {
    let go = Arc::new(AtomicBool::new(false));
    let (dead, hung) = (
        Arc::new(Faulty::new("dead", |_, _| Err(PluginError::retryable("connection refused")))),
        Arc::new(Faulty::hung("hung", &go)),
    );
    let source = Counting::new("in", 60);
    let delivery =
        "retry = { initial_ms = 1, timeout_ms = 1 }, breaker = { failures_max = 2, recovery_ms = 60000 }";
    let runtime = Runtime::new(RuntimeOptions { threads: 1, ..RuntimeOptions::default() }).unwrap();
    let route = forward("\"dead\", \"hung\"", "");
    let pipeline = start_on(&runtime, &[&source], &[&dead, &hung], delivery, &route, Path::new("."));
    let gauge = |name: &str, component: &str| {
        let families = runtime.metrics().snapshot();
        let family = families.iter().find(|family| family.name == name).unwrap();
        let of = |labels: &[(String, String)]| labels.iter().any(|(_, value)| value == component);
        match family.samples.iter().find(|sample| of(&sample.labels)).unwrap().value {
            MetricValue::Number(number) => number,
            MetricValue::Histogram { .. } => panic!("{name} is a histogram"),
        }
    };
    wait_for(&pipeline, "the gauges", || {
        gauge("mfn_circuit_state", "dead") == 2.0 && gauge("mfn_queue_depth", "hung") == 60.0
    });
    wait_for(&pipeline, "the age", || gauge("mfn_queue_oldest_age_seconds", "hung") > 0.5);
    assert!(gauge("mfn_queue_depth", "dead") == 60.0 && gauge("mfn_backing_off", "dead") >= 1.0);
    assert!(gauge("mfn_retries_total", "dead") >= 1.0);
    wait_for(&pipeline, "the complaint", || {
        pipeline.status().last_error.is_some_and(|error| error.contains("publish: has not returned"))
    });
    go.store(true, Ordering::Relaxed);
}

// Guards order through retries: with a publisher that orders all, nothing overtakes what is tried again.
#[test]
fn order_is_kept_through_retries() {
    let publisher = Arc::new(Faulty::new("out", |call, records| {
        let answer = |(index, _)| match call % 4 == 1 && index == 3 {
            true => Err(PluginError::retryable("not this one yet")),
            false => Ok(()),
        };
        // Whoever refuses one in the middle must refuse what follows, or order is gone by its own doing.
        let refused = call % 4 == 1 && records.len() > 3;
        let mut answers: Vec<_> = records.iter().enumerate().map(answer).collect();
        if refused {
            answers[3..].fill(Err(PluginError::retryable("not this one yet")));
        }
        Ok(answers)
    }));
    let source = Counting::new("in", 500);
    let delivery = "retry = { initial_ms = 2 }, batch = { records_max = 10 }";
    let pipeline = start(&[&source], &[&publisher], delivery, &forward("\"out\"", ""), Path::new("."));
    assert_eq!(pipeline.wait(LONG), PipelineState::Finished);
    assert!(delivery_of(&pipeline, "out").retries >= 7);
    let taken: Vec<String> = publisher.taken.lock().unwrap().iter().map(|(id, _)| id.clone()).collect();
    assert!(taken.len() == 500 && taken.is_sorted(), "{taken:?}");
}
