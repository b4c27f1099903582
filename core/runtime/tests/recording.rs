//! Recording a run into a file: what stands there at each moment.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::ops::ControlFlow::Continue;
use std::path::Path;

use mfn_runtime::checkpoint::{load, save};
use mfn_runtime::npy::stack::StackReader;
use mfn_runtime::recording::{FileRecorder, partial_path};
use mfn_sim::record::{self, Plane};
use mfn_sim::{Frame, Precision, Simulation, Spec};

fn spec(record_every: u64, precision: Precision) -> Spec {
    Spec { grid_size: 32, record_every, precision, turing_enabled: false, ..Spec::default() }
}

fn run(simulation: &mut Simulation, recorder: &mut FileRecorder, steps: u64) {
    let mut on_frame = |frame: Frame<'_>| -> Result<_, Box<dyn std::error::Error>> {
        recorder.record(&frame)?;
        Ok(Continue(()))
    };
    record::run(simulation, steps, &mut on_frame, &mut |_| Continue(())).unwrap();
}

/// A complete recording of an undisturbed run.
fn undisturbed(place: &Path, spec: &Spec, plane: Plane, steps: u64) -> Vec<u8> {
    let mut simulation = Simulation::new(spec.clone()).unwrap();
    let mut recorder = FileRecorder::create(place, spec, plane).unwrap();
    let earlier = fs::read(place).unwrap_or_default();
    run(&mut simulation, &mut recorder, steps - 1);
    assert!(fs::read(place).unwrap_or_default() == earlier, "replaced before the recording is complete");
    run(&mut simulation, &mut recorder, 1);
    assert_eq!(recorder.finish().unwrap(), place);
    assert!(!partial_path(place).exists());
    fs::read(place).unwrap()
}

// Guards what is recorded: the plane asked for, in the precision of the run, frame by frame.
#[test]
fn a_recording_holds_the_frames_of_the_run() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("frames.npy");
    for precision in [Precision::F64, Precision::F32] {
        for plane in Plane::ALL {
            let spec = Spec { turing_enabled: true, rows: Some(7), ..spec(3, precision) };
            undisturbed(&place, &spec, plane, 11);
            let mut stack = StackReader::open(&place).unwrap();
            assert_eq!((stack.frames(), stack.shape().rows, stack.shape().columns), (3, 7, 32));
            assert_eq!(stack.shape().element.bytes(), if precision == Precision::F32 { 4 } else { 8 });
            let mut simulation = Simulation::new(spec).unwrap();
            for step in 1..=9 {
                simulation.step().unwrap();
                if step % 3 == 0 {
                    assert_eq!(stack.frame(step / 3 - 1).unwrap(), plane.of(&simulation));
                }
            }
        }
    }
}

// Guards the pair of recording and checkpoint: a run that was killed behind its checkpoint, with frames that
// the checkpoint does not know and a part of one, ends with the same file as an undisturbed one.
#[test]
fn a_killed_recording_continues_from_the_checkpoint() {
    let directory = tempfile::tempdir().unwrap();
    let (place, state) = (directory.path().join("frames.npy"), directory.path().join("state"));
    let spec = spec(4, Precision::F64);
    let expected = undisturbed(&directory.path().join("whole.npy"), &spec, Plane::Potential, 40);

    let mut simulation = Simulation::new(spec.clone()).unwrap();
    let mut recorder = FileRecorder::create(&place, &spec, Plane::Potential).unwrap();
    run(&mut simulation, &mut recorder, 18);
    recorder.sync().unwrap();
    save(&state, &simulation).unwrap();
    run(&mut simulation, &mut recorder, 13);
    drop(recorder);
    let partial = partial_path(&place);
    let cut = fs::metadata(&partial).unwrap().len() - 100;
    fs::OpenOptions::new().write(true).open(&partial).unwrap().set_len(cut).unwrap();

    let mut simulation = load(&state).unwrap();
    let frames = simulation.step_count() / simulation.spec().record_every;
    let mut recorder = FileRecorder::resume(&place, &spec, Plane::Potential, frames).unwrap();
    run(&mut simulation, &mut recorder, 22);
    recorder.finish().unwrap();
    assert!(fs::read(&place).unwrap() == expected);
    // Nothing is left to continue.
    assert!(FileRecorder::resume(&place, &spec, Plane::Potential, 4).is_err());
}
