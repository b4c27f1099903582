//! The queue of outcomes that a host polls, `core/runtime/src/pipeline/outcome.rs`: nothing is lost, and who waits is
//! woken.

use std::time::Duration;

use loom::sync::Arc;
use loom::thread;

use crate::outcome::{Outcome, OutcomeRing, OutcomeStatus};

fn outcome(request: &str) -> Outcome {
    Outcome {
        request: request.to_owned(),
        route: String::new(),
        status: OutcomeStatus::Ok,
        reason: None,
        features: None,
        statistics: None,
        growth_events: 0,
        turing_activations: 0,
        compute_ms: 0.0,
        snapshot_id: None,
    }
}

/// One thread tells two outcomes and that there will be no more, while another takes them. Without `close` the taker
/// waits for ever, which is the fault that loom has to report.
///
/// # Panics
/// Where an order of steps loses an outcome.
pub fn what_is_told_is_taken(close: bool) {
    let ring = Arc::new(OutcomeRing::default());
    let teller = Arc::clone(&ring);
    let worker = thread::spawn(move || {
        teller.push(outcome("1"));
        teller.push(outcome("2"));
        if close {
            teller.close();
        }
    });
    let taken: Vec<String> =
        std::iter::from_fn(|| ring.next(Duration::MAX)).map(|outcome| outcome.request).collect();
    assert_eq!(taken, ["1", "2"]);
    assert!(ring.is_ended());
    worker.join().expect("the teller does not panic");
}
