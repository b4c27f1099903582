//! Publishers whose calls do not come back: the lane goes on without them, and nothing stays locked.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mfn_plugin::testing::FaultRow;
use mfn_runtime::PipelineState;
use mfn_runtime::pipeline::BreakerState;

use crate::faulty::*;
use crate::scripted::assert_conserved;

const LONG: Duration = Duration::from_secs(20);
/// One failed call opens the circuit, and a call may take 100 ms.
const SHORT: &str = "retry = { timeout_ms = 100, initial_ms = 1, cap_ms = 5 }, \
                     breaker = { failures_max = 1, recovery_ms = 50 }";

fn route(more: &str) -> String {
    format!(
        "[[routes]]\nname = \"all\"\nwork = \"forward\"\nconnectors = [\"in\"]\npublishers = [\"out\"]\n\
         batch_records_max = 20\n{more}\n"
    )
}

// Guards the time-out of a call: one that does not come back is given up as unknown by its time-out and the grace,
// with an error that names plugin and method, and counts for the circuit. While it hangs the publisher is called no
// more. Its late answer settles nothing: the records go out again, under the same ids.
#[test]
fn a_call_that_hangs_is_given_up_and_its_late_answer_is_nobodys() {
    let (go, inside) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let (gate, guard) = (Arc::clone(&go), Arc::clone(&inside));
    let sent: Arc<Mutex<HashMap<String, u32>>> = Arc::default();
    let seen = Arc::clone(&sent);
    let publisher = Arc::new(Faulty::new("out", move |call, records| {
        assert_eq!(guard.fetch_add(1, Ordering::SeqCst), 0, "called while a call is out");
        for record in records {
            *seen.lock().unwrap().entry(record.id.to_owned()).or_default() += 1;
        }
        while call == 1 && !gate.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(2));
        }
        guard.fetch_sub(1, Ordering::SeqCst);
        Ok(vec![Ok(()); records.len()])
    }));
    let source = Counting::new("in", 400);
    let memory = memory(400);
    let delivery = format!("{SHORT}, batch = {{ records_max = 20 }}");
    let pipeline = start(&[&source], &[&publisher], &delivery, &route(""), std::path::Path::new("."));
    wait_for(&pipeline, "the call is given up", || delivery_of(&pipeline, "out").backing_off > 0);
    let status = delivery_of(&pipeline, "out");
    assert!(status.overdue && status.in_call == 0 && status.circuit == BreakerState::Open, "{status:?}");
    assert!(status.call_ms >= 1100, "{} ms", status.call_ms);
    let error = pipeline.status().last_error.unwrap();
    for part in ["out", "plugin faulty", "publish", "has not returned"] {
        assert!(error.contains(part), "{part} in {error}");
    }
    // Long enough for a probe, if there were one.
    std::thread::sleep(Duration::from_millis(150));
    assert_eq!(publisher.began.lock().unwrap().len(), 2, "called no more");
    assert_conserved(&pipeline.status());
    go.store(true, Ordering::Relaxed);
    assert_eq!(pipeline.wait(LONG), PipelineState::Finished, "{:#?}", pipeline.status());
    let status = pipeline.status();
    assert_conserved(&status);
    assert_eq!(status.delivered, 400);
    let lost = 400 - publisher.ids().len() as u64;
    assert!(!delivery_of(&pipeline, "out").overdue);
    let again = sent.lock().unwrap().values().filter(|&&times| times == 2).count();
    assert_eq!((again, publisher.taken_count()), (20, 420), "exactly the hung call went out again");
    // It struck as often as a call was out that the lane went on without: the one whose records came again.
    let struck = again as u64 / 20;
    FaultRow { number: 13, struck, lost, duplicated: again as u64 }.report(memory);
}

// Guards the spool against a publisher that hangs for ever: the drain ends by its deadline, whoever starts next has
// the spool although the old call still hangs, and delivers everything that was acknowledged.
#[test]
fn a_hung_publisher_keeps_no_spool_locked() {
    let directory = tempfile::tempdir().unwrap();
    let go = Arc::new(AtomicBool::new(false));
    let hung = Arc::new(Faulty::hung("out", &go));
    let source = Counting::new("in", 500);
    let spooled = route("durability = \"spooled\"\nspool = { directory = \"spool\", bytes_max = 1048576 }");
    let text = format!("[limits]\nrecord_bytes_max = 65536\n{spooled}");
    // In one run the call is given up before the drain, in the other by it.
    for delivery in [SHORT, ""] {
        let pipeline = start(&[&source], &[&hung], delivery, &text, directory.path());
        wait_for(&pipeline, "all is spooled", || source.acked().len() == 500);
        wait_for(&pipeline, "the call is out", || delivery_of(&pipeline, "out").call_ms > 0);
        if !delivery.is_empty() {
            wait_for(&pipeline, "the call is given up", || delivery_of(&pipeline, "out").backing_off > 0);
        }
        let started = Instant::now();
        let report = pipeline.drain(Duration::from_millis(800));
        assert!(started.elapsed() < Duration::from_millis(1300), "{:?}", started.elapsed());
        assert_eq!((report.left, report.spooled), (0, 500), "{report:?}");
        drop(pipeline);
    }
    let alive = Arc::new(Faulty::good("out"));
    let nothing = Counting::new("in", 0);
    let pipeline = start(&[&nothing], &[&alive], "", &text, directory.path());
    assert_eq!(pipeline.wait(LONG), PipelineState::Finished, "{:#?}", pipeline.status());
    assert_eq!((alive.ids(), hung.taken_count()), (source.acked(), 0));
    assert_eq!(hung.began.lock().unwrap().len(), 2, "the fault struck in both runs");
    go.store(true, Ordering::Relaxed);
}
