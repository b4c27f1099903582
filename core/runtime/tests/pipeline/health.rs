//! The health of a pipeline: faults flip it, and it recovers by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mfn_plugin::value::{ErrorClass, PluginError};
use mfn_runtime::Pipeline;
use mfn_runtime::pipeline::{PipelineHealth, Readiness};

use crate::scripted::*;

/// Waits for a verdict and gives it with its reasons.
fn await_state(pipeline: &Pipeline, wanted: Readiness) -> PipelineHealth {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let health = pipeline.health();
        if health.state == wanted {
            return health;
        }
        assert!(Instant::now() < deadline, "wanted {wanted:?}: {health:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A pipeline that goes on, with a publisher that fails as long as the switch is on.
fn switched(class: ErrorClass) -> (Bench, Arc<AtomicBool>) {
    let mut bench = Bench::default();
    let mut connector = ScriptedConnector::new(&bench.journal, "requests", specs(3));
    connector.endless = true;
    bench.connector = Some(Arc::new(connector));
    let failing = Arc::new(AtomicBool::new(true));
    let switch = Arc::clone(&failing);
    let script = move |_: &str, _: u32| {
        let down = switch.load(Ordering::Relaxed);
        if down { Err(PluginError::new(class, "nobody listens there")) } else { Ok(()) }
    };
    bench.publishers = vec![Arc::new(ScriptedPublisher::new(&bench.journal, "results", Box::new(script)))];
    (bench, failing)
}

// Guards readiness: a publisher that somebody waits for is down, the pipeline is not ready and says why; the
// publisher comes back, the pipeline is ready again, with no one's help. It was live throughout.
#[test]
fn readiness_flips_and_recovers() {
    for class in [ErrorClass::Retryable, ErrorClass::Blocked] {
        let (bench, failing) = switched(class);
        let pipeline = bench.start();
        let health = await_state(&pipeline, Readiness::NotReady);
        assert!(health.state.is_live() && !health.state.is_ready());
        assert_eq!(health.reasons.len(), 1, "{health:?}");
        assert_eq!(health.reasons[0].component.as_deref(), Some("results"));
        assert!(health.reasons[0].reason.contains("nobody listens there"), "{health:?}");
        failing.store(false, Ordering::Relaxed);
        let health = await_state(&pipeline, Readiness::Ready);
        assert!(health.state.is_ready() && health.reasons.is_empty());
    }
}

// Guards the weights: a transport that fails takes nothing from readiness; a component that can not go on ends
// the pipeline, and that is told from one that was drained.
#[test]
fn what_nobody_waits_for_degrades_and_what_is_fatal_kills() {
    let (mut bench, failing) = switched(ErrorClass::Retryable);
    failing.store(false, Ordering::Relaxed);
    let mut transport = ScriptedTransport::new(&bench.journal, "live");
    transport.error = Some(PluginError::new(ErrorClass::Blocked, "no room"));
    bench.transports = vec![Arc::new(transport)];
    let pipeline = bench.start();
    let health = await_state(&pipeline, Readiness::Degraded);
    assert!(health.state.is_ready(), "{health:?}");
    pipeline.drain(Duration::from_secs(5));
    let health = await_state(&pipeline, Readiness::Dead);
    assert_eq!(health.reasons[0].reason, "stopped");

    let (bench, _failing) = switched(ErrorClass::Fatal);
    let health = await_state(&bench.start(), Readiness::Dead);
    assert!(
        !health.state.is_live() && health.reasons[0].reason.contains("nobody listens there"),
        "{health:?}"
    );
}

// Guards the end of the sources: nothing is wrong, but no work is taken any more.
#[test]
fn a_finished_pipeline_is_not_ready() {
    let mut bench = Bench::default();
    bench.connector = Some(Arc::new(ScriptedConnector::new(&bench.journal, "requests", specs(1))));
    bench.publishers = vec![Arc::new(ScriptedPublisher::willing(&bench.journal, "results"))];
    let pipeline = bench.start();
    let health = await_state(&pipeline, Readiness::NotReady);
    assert!(health.state.is_live() && health.reasons[0].reason.starts_with("finished"), "{health:?}");
    assert!(pipeline.probe(Duration::from_secs(5)).passed);
}
