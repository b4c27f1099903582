//! Memory does not grow with the number of recorded frames. Alone in its process, so that nothing else
//! allocates meanwhile.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(target_os = "linux")]

use std::fs;
use std::ops::ControlFlow::Continue;

use mfn_runtime::recording::FileRecorder;
use mfn_sim::record::{self, FrameRing, Plane, PlaneSet};
use mfn_sim::{Frame, Simulation, Spec};

/// Peak resident memory of this process, kB.
fn peak_resident_kb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

// Guards against the leak of MFN 4.1, which kept every frame: 20,000 frames of 8 KiB, 160 MiB in all, go
// to a file and through a ring, and the process needs no more memory than for the first 200.
#[test]
fn a_long_recording_keeps_no_frames() {
    let spec = Spec { grid_size: 32, record_every: 1, turing_enabled: false, ..Spec::default() };
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("frames.npy");
    let mut simulation = Simulation::new(spec.clone()).unwrap();
    let mut recorder = FileRecorder::create(&place, &spec, Plane::Potential).unwrap();
    let mut ring = FrameRing::new(100, 32, 32, PlaneSet::ALL).unwrap();
    let mut run = |steps| {
        let mut on_frame = |frame: Frame<'_>| -> Result<_, Box<dyn std::error::Error>> {
            recorder.record(&frame)?;
            ring.record(&frame)?;
            Ok(Continue(()))
        };
        record::run(&mut simulation, steps, &mut on_frame, &mut |_| Continue(())).unwrap();
    };
    run(200);
    let before = peak_resident_kb();
    run(19_800);
    let grown = peak_resident_kb() - before;
    assert!(grown < 256, "{grown} kB more after 20,000 frames");
    assert_eq!((recorder.frames(), ring.dropped()), (20_000, 19_900));
    recorder.finish().unwrap();
    assert_eq!(fs::metadata(&place).unwrap().len(), 128 + 20_000 * 32 * 32 * 8);
}
