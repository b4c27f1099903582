//! The step of libmfn in all its ways, each with its ratio to the plain loop and to the bounds of the machine: STREAM
//! copy and update, and the same kernel on a grid that fits the first-level cache.
//!
//! `cargo bench -p mfn-benches --bench step`; a run with `-- --quick` leaves out the largest grid.
#![allow(clippy::print_stdout)]

use std::time::Duration;

use criterion::{BenchmarkId, Throughput};
use mfn_benches::clock::{Times, time, units_for};
use mfn_benches::subjects::{L1_COLS, Subject, VARIANTS, subject};
use mfn_sim::SimdLevel;

const SIDES: [usize; 4] = [64, 256, 1024, 4096];
/// Doubles of STREAM are those of three grids of this side: beyond every cache.
const STREAM_SIDE: usize = 4096;
/// A step reads and writes three doubles a cell.
const BYTES_PER_CELL_STEP: f64 = 48.0;
/// Alternations; the best of each program counts, because other programs only ever slow one down.
const ROUNDS: usize = 7;
/// Shortest time of one timed run.
const RUN_MIN: Duration = Duration::from_millis(20);

/// A program of the comparison and its best times.
struct Row {
    name: String,
    subject: Subject,
    units: u64,
    best: Times,
}

impl Row {
    fn new(name: &str, side: usize) -> Option<Self> {
        let mut subject = subject(name, side)?;
        let units = units_for(&mut subject.run, subject.units_min, RUN_MIN);
        let best = Times { cpu: f64::INFINITY, wall: f64::INFINITY };
        Some(Self { name: name.to_owned(), subject, units, best })
    }

    /// Work in a second of CPU time, or of wall time when the program has threads.
    fn rate(&self) -> f64 {
        let seconds = if self.name.ends_with("-threads") { self.best.wall } else { self.best.cpu };
        self.subject.work_per_unit / seconds
    }
}

/// Times programs in turns.
fn measured(names: &[String], side: usize) -> Vec<Row> {
    let mut rows: Vec<Row> = names.iter().filter_map(|name| Row::new(name, side)).collect();
    for _ in 0..ROUNDS {
        for row in &mut rows {
            row.best = row.best.best(time(&mut row.subject.run, row.units));
        }
    }
    rows
}

/// Every way of a step.
fn ways() -> Vec<String> {
    let levels = SimdLevel::available();
    let levels = levels.iter().flat_map(|level| [level.name().to_owned(), format!("f32 {}", level.name())]);
    let threads = [1, 2, 8].map(|threads| format!("{threads}-threads"));
    let variants = VARIANTS.iter().map(|(name, _)| (*name).to_owned());
    let others = ["map", "jitter"].map(str::to_owned);
    levels.chain(threads).chain(variants).chain(others).map(|way| format!("step {way}")).collect()
}

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let sides = &SIDES[..if quick { 2 } else { SIDES.len() }];
    let mut criterion = mfn_benches::criterion();
    for &side in sides {
        let mut group = criterion.benchmark_group("step");
        group.throughput(Throughput::Elements((side * side) as u64));
        for (label, name) in [("libmfn", "step"), ("plain", "plain")] {
            let Some(mut subject) = subject(name, side) else { continue };
            // Criterion says how many units to time; a run is never cut into single steps.
            group.bench_function(BenchmarkId::new(label, side), |bencher| {
                bencher.iter_custom(|units| {
                    let started = std::time::Instant::now();
                    (subject.run)(units);
                    started.elapsed()
                });
            });
        }
        group.finish();
    }
    criterion.final_summary();

    let stream = measured(&["copy".to_owned(), "update".to_owned()], if quick { 1024 } else { STREAM_SIDE });
    let levels = SimdLevel::available();
    let names: Vec<String> =
        levels.iter().flat_map(|level| [level.name().to_owned(), format!("f32 {}", level.name())]).collect();
    let names: Vec<String> = names.iter().map(|way| format!("row {way}")).collect();
    let [narrow, wide] = L1_COLS.map(|cols| measured(&names, cols));
    let ceilings: Vec<Ceiling> = narrow.iter().zip(&wide).map(Ceiling::of).collect();
    for row in &stream {
        println!("{:<28} {:>10.2} GB/s", row.name, row.rate() / 1e9);
    }
    for ceiling in &ceilings {
        println!("{:<28} {:>10.1} million cell-steps/s", ceiling.name, ceiling.rate / 1e6);
    }
    println!(
        "{:>5} {:<24} {:>14} {:>9} {:>9} {:>9} {:>9}",
        "side", "program", "Mcell-steps/s", "/plain", "/copy", "/update", "/L1"
    );
    for &side in sides {
        let names: Vec<String> = std::iter::once("plain".to_owned()).chain(ways()).collect();
        let rows = measured(&names, side);
        let plain = rows.first().map_or(f64::NAN, Row::rate);
        for row in &rows {
            let bytes =
                if row.name.contains("f32") { BYTES_PER_CELL_STEP / 2.0 } else { BYTES_PER_CELL_STEP };
            let over =
                |bound: Option<f64>, unit: f64| bound.map_or(f64::NAN, |bound| row.rate() * unit / bound);
            println!(
                "{side:>5} {:<24} {:>14.1} {:>9.2} {:>9.2} {:>9.2} {:>9.2}",
                row.name.trim_start_matches("step "),
                row.rate() / 1e6,
                row.rate() / plain,
                over(stream.first().map(Row::rate), bytes),
                over(stream.get(1).map(Row::rate), bytes),
                over(ceiling_of(&row.name, &ceilings), 1.0),
            );
        }
    }
    println!(
        "best of {ROUNDS} in turns; CPU time, but wall time for threads; 48 bytes a cell-step (f32: 24)"
    );
}

/// Cells in a second of a kernel whose rows come from the first-level cache.
struct Ceiling {
    name: String,
    rate: f64,
}

impl Ceiling {
    /// From what the wider of two grids takes longer.
    fn of((narrow, wide): (&Row, &Row)) -> Self {
        let cells = wide.subject.work_per_unit - narrow.subject.work_per_unit;
        Self { name: wide.name.clone(), rate: cells / (wide.best.cpu - narrow.best.cpu) }
    }
}

/// The bound of the same level and precision; of the widest level where the name has none.
fn ceiling_of(name: &str, ceilings: &[Ceiling]) -> Option<f64> {
    let levels = SimdLevel::available();
    let named = levels.iter().find(|level| name.split(' ').any(|part| part == level.name()));
    let level = named.or(levels.last())?.name();
    let bound = if name.contains("f32") { format!("row f32 {level}") } else { format!("row {level}") };
    ceilings.iter().find(|ceiling| ceiling.name == bound).map(|ceiling| ceiling.rate)
}
