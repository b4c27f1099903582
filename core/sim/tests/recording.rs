//! Recording a run: which frames there are, what stops it, and what a failing recorder leaves.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ops::ControlFlow::{Break, Continue};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use mfn_sim::record::{self, FrameRing, Plane, PlaneSet};
use mfn_sim::{Frame, Precision, RunEnd, SimError, Simulation, Spec, checkpoint};

fn simulation(record_every: u64, precision: Precision) -> Simulation {
    let spec = Spec { rows: Some(6), cols: Some(9), record_every, precision, ..Spec::default() };
    Simulation::new(spec).unwrap()
}

/// Runs and records the steps and potentials of all frames.
fn recorded(simulation: &mut Simulation, steps: u64) -> Vec<(u64, ndarray::Array2<f64>)> {
    let mut frames = Vec::new();
    let mut on_frame = |frame: Frame<'_>| -> Result<_, SimError> {
        frames.push((frame.step, frame.simulation.field().into_owned()));
        Ok(Continue(()))
    };
    record::run(simulation, steps, &mut on_frame, &mut |_| Continue(())).unwrap();
    frames
}

/// Guards which frames there are: after steps k, 2k, 3k of the run, with the fields of those steps, however
/// the run is cut into calls and checkpoints.
#[test]
fn frames_do_not_depend_on_the_calls() {
    for precision in [Precision::F64, Precision::F32] {
        let mut whole = simulation(4, precision);
        let expected = recorded(&mut whole, 30);
        assert_eq!(expected.iter().map(|frame| frame.0).collect::<Vec<_>>(), [4, 8, 12, 16, 20, 24, 28]);
        let mut stepped = simulation(0, precision);
        for step in 1..=30 {
            stepped.step().unwrap();
            if let Some(frame) = expected.iter().find(|frame| frame.0 == step) {
                assert_eq!(frame.1, stepped.field());
            }
        }
        let mut cut = simulation(4, precision);
        let mut frames = Vec::new();
        for steps in [0, 3, 1, 7, 10, 9] {
            frames.extend(recorded(&mut cut, steps));
            cut = checkpoint::restore(&checkpoint::encode(&cut)).unwrap();
        }
        assert_eq!(frames, expected);
        assert_eq!(recorded(&mut simulation(0, precision), 30), []);
    }
}

/// Guards the ring as a recorder: the newest frames of all planes, as they were.
#[test]
fn a_ring_keeps_the_newest_frames_of_a_run() {
    for precision in [Precision::F64, Precision::F32] {
        let mut run = simulation(2, precision);
        let mut ring = FrameRing::new(3, 6, 9, PlaneSet::ALL).unwrap();
        let mut on_frame = |frame: Frame<'_>| -> Result<_, Box<dyn std::error::Error>> {
            ring.record(&frame)?;
            Ok(Continue(()))
        };
        record::run(&mut run, 21, &mut on_frame, &mut |_| Continue(())).unwrap();
        assert_eq!((ring.len(), ring.dropped()), (3, 7));
        let mut again = simulation(0, precision);
        let mut kept = ring.frames();
        let mut next = kept.next();
        for step in 1..=20 {
            again.step().unwrap();
            if let Some(frame) = next.filter(|frame| frame.step() == step) {
                for plane in Plane::ALL {
                    assert_eq!(frame.plane(plane).unwrap(), plane.of(&again), "{step}");
                }
                next = kept.next();
            }
        }
        assert!(next.is_none());
    }
}

#[derive(Debug)]
enum Stop {
    Simulation(SimError),
    Full,
}

impl From<SimError> for Stop {
    fn from(error: SimError) -> Self {
        Self::Simulation(error)
    }
}

/// Guards a recorder that fails, also on the last step asked for: its error comes back, the state is the
/// one of the frame that it failed on, and the run can go on from there to the same bits.
#[test]
fn a_failing_recorder_ends_the_run_with_its_error() {
    let mut undisturbed = simulation(5, Precision::F64);
    recorded(&mut undisturbed, 40);
    for fails_at in [5, 20, 40] {
        let mut run = simulation(5, Precision::F64);
        let mut on_frame =
            |frame: Frame<'_>| if frame.step == fails_at { Err(Stop::Full) } else { Ok(Continue(())) };
        let failed = record::run(&mut run, 40, &mut on_frame, &mut |_| Continue(()));
        assert!(matches!(failed, Err(Stop::Full)), "{failed:?}");
        assert_eq!(run.step_count(), fails_at);
        recorded(&mut run, 40 - fails_at);
        assert_eq!(checkpoint::encode(&run), checkpoint::encode(&undisturbed));
    }
}

/// Guards that the simulation's own errors pass through.
#[test]
fn an_unstable_run_ends_with_its_error() {
    let spec = Spec { grid_size: 4, record_every: 1, ..Spec::v4_1() };
    // The sum of the neighbours and four times the cell overflow, and their difference is NaN.
    let field = ndarray::Array2::from_elem((4, 4), 1e308);
    let mut run = Simulation::with_initial_field(spec, field.view()).unwrap();
    let mut frames = 0;
    let mut on_frame = |_: Frame<'_>| -> Result<_, Stop> {
        frames += 1;
        Ok(Continue(()))
    };
    let failed = record::run(&mut run, 5, &mut on_frame, &mut |_| Continue(()));
    assert!(matches!(failed, Err(Stop::Simulation(SimError::Unstable { .. }))), "{failed:?}");
    assert_eq!(frames, run.step_count());
}

/// Guards progress and cancel from another thread while a run is recorded: the thread sees the run advance,
/// cancels it, and every frame of the steps done is there.
#[test]
fn another_thread_watches_and_cancels() {
    let mut run = simulation(10, Precision::F64);
    let token = run.cancel_token();
    let (reported, begun) = (AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            // The first report of progress, then a request to stop.
            while reported.load(Ordering::Relaxed) == 0 {
                thread::sleep(Duration::from_millis(1));
            }
            token.cancel();
        });
        let mut on_frame = |frame: Frame<'_>| -> Result<_, SimError> {
            assert_eq!(frame.step, 10 * begun.fetch_add(1, Ordering::Relaxed) + 10);
            Ok(Continue(()))
        };
        let end = record::run(&mut run, 1 << 40, &mut on_frame, &mut |at| {
            reported.store(at.step, Ordering::Relaxed);
            Continue(())
        });
        assert_eq!(end.unwrap(), RunEnd::Cancelled);
    });
    assert!(run.step_count() >= reported.load(Ordering::Relaxed) && reported.load(Ordering::Relaxed) > 0);
    assert_eq!(begun.load(Ordering::Relaxed), run.step_count() / 10);
}

/// Guards a recorder that has enough: the run ends after its step.
#[test]
fn a_recorder_can_stop_the_run() {
    let mut run = simulation(3, Precision::F64);
    let mut on_frame = |frame: Frame<'_>| -> Result<_, SimError> {
        Ok(if frame.step == 6 { Break(()) } else { Continue(()) })
    };
    let end = record::run(&mut run, 100, &mut on_frame, &mut |_| Continue(())).unwrap();
    assert_eq!((end, run.step_count()), (RunEnd::Cancelled, 6));
}
