//! Runs that are continued: by another process, and from files of earlier versions.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use mfn_sim::kinetics::Kinetics;
use mfn_sim::rng::Generator;
use mfn_sim::{
    Coefficient, Execution, FeatureConfig, InitialCondition, Precision, RngKind, Simulation, Spec, checkpoint,
};
use ndarray::Array2;

use crate::draws::{self, Rotation};

/// Where the other process finds its work.
const WORK: &str = "MFN_TEST_CHECKPOINTS";
/// Runs that are interrupted.
const RUNS: u64 = 150;

fn run(simulation: &mut Simulation, steps: u64) {
    simulation.run(steps, &mut |_| ControlFlow::Continue(())).unwrap();
}

fn restore(bytes: &[u8]) -> Simulation {
    let mut simulation = checkpoint::restore(bytes).unwrap();
    if simulation.lacks_host_reaction() {
        simulation.set_host_reaction(Arc::new(Rotation)).unwrap();
    }
    simulation
}

/// Guards the promise: everything that decides how a run goes on is in its checkpoint. A checkpoint holds
/// the whole state, so equal bytes after the end mean equal bits in every field, counter and sum.
#[test]
fn another_process_continues_with_the_same_bits() {
    let directory = std::env::temp_dir().join(format!("mfn-checkpoints-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    let mut seen = [0; 4];
    let mut ends = Vec::new();
    for number in 0..RUNS {
        let mut draw = Generator::new(number);
        let mut simulation = draws::simulation(&mut draw);
        run(&mut simulation, draw.integer_below(30));
        let state = simulation.state();
        for (count, is_there) in seen.iter_mut().zip([
            state.pcg64.is_some(),
            state.maps.iter().any(Option::is_some),
            state.temporal.is_some(),
            state.spec.kinetics == Kinetics::Host,
        ]) {
            *count += u64::from(is_there);
        }
        let steps = draw.integer_below(30);
        let name = directory.join(format!("{number}-{steps}"));
        fs::write(name, checkpoint::encode(&simulation)).unwrap();
        run(&mut simulation, steps);
        ends.push((number, steps, checkpoint::encode(&simulation)));
    }
    assert!(seen.iter().all(|&count| count >= RUNS / 20), "the draws leave something out: {seen:?}");

    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "continued::the_other_process", "--ignored"])
        .env(WORK, &directory)
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    for (number, steps, expected) in ends {
        let end = fs::read(directory.join(format!("{number}-{steps}.end"))).unwrap();
        assert!(end == expected, "run {number} goes on in another way");
    }
    fs::remove_dir_all(&directory).unwrap();
}

/// The other process: continues what it finds, on another number of threads.
#[test]
#[ignore = "another test runs it in a process of its own"]
fn the_other_process() {
    let directory = std::env::var_os(WORK).expect("started by another test");
    let work: Vec<_> = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    for path in &work {
        let name = path.file_name().unwrap().to_str().unwrap();
        let steps: u64 = name.split_once('-').unwrap().1.parse().unwrap();
        let mut simulation = restore(&fs::read(path).unwrap());
        let threads = 1 + name.len() % 3;
        simulation.set_execution(Execution { threads, band_rows: 2, ..Execution::default() }).unwrap();
        run(&mut simulation, steps);
        fs::write(path.with_extension("end"), checkpoint::encode(&simulation)).unwrap();
    }
    assert_eq!(work.len() as u64, RUNS);
}

/// Guards the results beside the state: features and statistics of a continued run.
#[test]
fn features_and_statistics_go_on() {
    let mut draw = Generator::new(5);
    for _ in 0..20 {
        let mut simulation = draws::simulation(&mut draw);
        run(&mut simulation, 9);
        let mut restored = restore(&checkpoint::encode(&simulation));
        run(&mut simulation, 4);
        run(&mut restored, 4);
        // Through text, so that NaN equals NaN.
        let (a, b) = (simulation.features(), restored.features());
        assert_eq!(format!("{a:?}"), format!("{b:?}"));
        assert_eq!(format!("{:?}", simulation.statistics()), format!("{:?}", restored.statistics()));
    }
}

/// Guards runs in single precision whose map lies at the upper end of its range: a cell that is rounded
/// onto the end is refused when it is given, so that the checkpoint of what was taken can be restored.
#[test]
fn maps_taken_in_single_precision_are_restored() {
    let below = f64::from(0.25f32.next_down());
    let numbers = [
        (below, true),
        // Half way to 0.25, which is rounded to it, and less than half way, which is not.
        ((below + 0.25) / 2.0, false),
        ((3.0 * below + 0.25) / 4.0, true),
        (0.249_999_999_99, false),
        (0.25, false),
        // Too small for the precision, but negative.
        (-1e-60, false),
    ];
    for coefficient in [Coefficient::Alpha, Coefficient::DActivator, Coefficient::DInhibitor] {
        for (time_step, (number, taken)) in numbers.map(|number| [(1.0, number), (0.5, number)]).concat() {
            let precision = Precision::F32;
            let spec = Spec { grid_size: 4, time_step, leak_rate: 0.0, precision, ..Spec::default() };
            let mut simulation = Simulation::new(spec).unwrap();
            let map = Array2::from_elem((4, 4), number / time_step);
            let given = simulation.set_map(coefficient, Some(map.view()));
            let bytes = checkpoint::encode(&simulation);
            let restored = checkpoint::restore(&bytes);
            assert!(restored.is_ok(), "{coefficient:?} {number} at {time_step}: {restored:?}");
            assert_eq!(given.is_ok(), taken, "{coefficient:?} {number} at {time_step}: {given:?}");
        }
    }
}

/// The runs whose files are kept: every section is in one of them.
fn kept_runs() -> [(&'static str, Simulation); 3] {
    let base = Spec { grid_size: 4, cols: Some(5), quantum_jitter: true, ..Spec::default() };
    let double = Spec { rng: RngKind::Pcg64, ..base.clone() };
    let single = Spec {
        cols: None,
        precision: Precision::F32,
        kinetics: Kinetics::by_name("schnakenberg").unwrap(),
        ..base
    };
    let initial_condition = InitialCondition::Random;
    let host = Spec { kinetics: Kinetics::Host, initial_condition, rows: Some(1), ..double.clone() };
    let mut runs = [("double", double), ("single", single), ("host", host)]
        .map(|(name, spec)| (name, Simulation::new(spec).unwrap()));
    for (number, coefficient) in (1..).zip(Coefficient::ALL) {
        let map =
            Array2::from_shape_fn((4, 5), |(row, col)| 0.01 * f64::from(number) + 0.001 * (row * col) as f64);
        runs[0].1.set_map(coefficient, Some(map.view())).unwrap();
    }
    runs[1].1.enable_temporal_features(&FeatureConfig::default()).unwrap();
    runs[2].1.set_host_reaction(Arc::new(Rotation)).unwrap();
    runs
}

/// Writes the files of [`files_of_version_1_are_read`]. A new format version gets files of its own, and
/// these stay. Where the numerics change on purpose, only the `.end` files are replaced.
#[test]
#[ignore = "writes the files that another test reads"]
fn write_the_files_of_version_1() {
    for (name, mut simulation) in kept_runs() {
        run(&mut simulation, 7);
        fs::write(format!("tests/checkpoint/v1/{name}.checkpoint"), checkpoint::encode(&simulation)).unwrap();
        run(&mut simulation, 10);
        fs::write(format!("tests/checkpoint/v1/{name}.end"), checkpoint::encode(&simulation)).unwrap();
    }
}

/// Guards the format: files of version 1 are read by this version, byte by byte as they were meant, and
/// go on to the bits that the run had when they were written.
#[test]
fn files_of_version_1_are_read() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/checkpoint/v1");
    for name in ["double", "single", "host"] {
        let bytes = fs::read(directory.join(format!("{name}.checkpoint"))).unwrap();
        let mut simulation = restore(&bytes);
        assert_eq!(checkpoint::encode(&simulation), bytes, "{name}");
        run(&mut simulation, 10);
        let end = fs::read(directory.join(format!("{name}.end"))).unwrap();
        assert!(checkpoint::encode(&simulation) == end, "{name} goes on in another way");
    }
}
