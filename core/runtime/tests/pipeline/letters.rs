//! The store of dead letters when it is full: backpressure, and nothing lost.

use std::sync::Arc;
use std::time::Duration;

use mfn_plugin::value::PluginError;
use mfn_runtime::PipelineState;
use mfn_runtime::dead_letters::DeadLetters;
use mfn_runtime::pipeline::Readiness;

use crate::faulty::*;
use crate::scripted::assert_conserved;

const LONG: Duration = Duration::from_secs(20);

// Guards the limit of the store: when it is full, fetching stops, what has no letter is not settled and goes back to its
// connector at the end, and with room again the rest becomes dead letters, each under its id.
#[test]
fn a_full_store_of_dead_letters_holds_back_and_loses_nothing() {
    const RECORDS: u64 = 12_000;
    let directory = tempfile::tempdir().unwrap();
    let never = || {
        let mut publisher = Faulty::new("out", |_, records| {
            Ok(vec![Err(PluginError::permanent("never this one")); records.len()])
        });
        publisher.traits.records_max = 100;
        Arc::new(publisher)
    };
    let text = "[limits]\nbytes_in_flight_max = 1048576\nrecord_bytes_max = 65536\n[[routes]]\nname = \"all\"\n\
                work = \"forward\"\nconnectors = [\"in\"]\npublishers = [\"out\"]\nbatch_records_max = 100\n\
                dead_letters_store = \"dead\"\ndead_letters_bytes_max = 1048576\n";
    let source = Counting::new("in", RECORDS);
    let publisher = never();
    let pipeline = start(&[&source], &[&publisher], "", text, directory.path());
    wait_for(&pipeline, "the store is full", || {
        let reasons = pipeline.health().reasons;
        reasons.iter().any(|reason| reason.reason.contains("can not take"))
    });
    wait_for(&pipeline, "nothing is fetched any more", || {
        let before = source.fetched();
        std::thread::sleep(Duration::from_millis(300));
        before == source.fetched()
    });
    assert_eq!(pipeline.health().state, Readiness::NotReady);
    let status = pipeline.status();
    assert_conserved(&status);
    assert!(status.dead_lettered > 1000 && status.in_flight > 0, "{status:#?}");
    assert!(source.fetched() < RECORDS && status.rejected == 0 && status.delivered == 0);
    let report = pipeline.drain(Duration::from_secs(2));
    let kept = pipeline.status().dead_lettered;
    assert_eq!((report.left, report.returned), (0, source.fetched() - kept), "{report:?}");
    drop(pipeline);

    let stored = |store: &DeadLetters| store.list(0, 20_000).unwrap();
    let ids = |store: &DeadLetters| {
        stored(store).into_iter().map(|letter| letter.record.id).collect::<std::collections::BTreeSet<_>>()
    };
    let (store, report) = DeadLetters::open(&directory.path().join("dead"), 1 << 20).unwrap();
    let first = ids(&store);
    assert!(report.bytes <= 1 << 20 && first.len() as u64 >= kept);
    assert_eq!(store.replay(|_| true, |_| true).unwrap().refused, 0);
    drop(store);

    // What was given back comes again, and now there is room for all of it.
    let rest = Arc::new(Counting::telling("in", RECORDS, |_| {}).numbered_from(kept));
    let roomy = text.replace("dead_letters_bytes_max = 1048576", "dead_letters_bytes_max = 16777216");
    let pipeline = start(&[&rest], &[&never()], "", &roomy, directory.path());
    assert_eq!(pipeline.wait(LONG), PipelineState::Finished, "{:#?}", pipeline.status());
    assert_eq!(pipeline.status().dead_lettered, RECORDS - kept);
    assert!(pipeline.drain(LONG).complete);
    drop(pipeline);
    let (store, _) = DeadLetters::open(&directory.path().join("dead"), 16 << 20).unwrap();
    let all: std::collections::BTreeSet<_> = first.union(&ids(&store)).cloned().collect();
    assert_eq!(all.len() as u64, RECORDS);
    assert!(
        stored(&store).iter().all(|letter| letter.record.payload == Counting::payload(&letter.record.id))
    );
}
