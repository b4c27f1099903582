//! What it costs to cross a boundary: from a C host into libmfn.so, back by a callback, into a loaded plugin, and with
//! records; each beside the same work without a boundary.
//!
//! Crossing and plain work take turns in one run and the best of each counts, because whatever else the machine does only
//! adds to one. `cargo xtask bench --crossing` builds what this bench needs and names it: `MFN_LIBRARY` is a libmfn.so,
//! `MFN_PLUGIN` the library of `plugins/interface/examples/null_plugin.rs`, `MFN_RESULTS` a file for what was measured.
//! `--quick` takes fewer turns.
#![allow(clippy::print_stdout)]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use mfn_benches::clock::{Times, time, units_for};
use mfn_crossing::programs::{Pair, Program, pairs};
use serde::Serialize;

/// Turns of each program, and the least that one takes.
const ROUNDS: usize = 200;
const ROUND_MIN: Duration = Duration::from_millis(1);

/// What one unit of both took at its best, nanoseconds.
#[derive(Serialize)]
struct Row {
    crossing: String,
    ns: f64,
    beside: String,
    plain_ns: f64,
}

fn main() {
    let path = |name| std::env::var_os(name).map(PathBuf::from);
    let (Some(library), Some(plugin)) = (path("MFN_LIBRARY"), path("MFN_PLUGIN")) else {
        return println!("run it with `cargo xtask bench --crossing`");
    };
    let quick = std::env::args().any(|argument| argument == "--quick");
    let mut pairs = pairs(&library, &plugin).expect("the library and the plugin can be loaded");
    let mut criterion = mfn_benches::criterion();
    for pair in &mut pairs {
        let mut group = criterion.benchmark_group(&pair.crossing);
        for (name, program) in [("crossing", &mut pair.run), (pair.beside, &mut pair.plain)] {
            group.bench_function(name, |bencher| {
                bencher.iter_custom(|units| {
                    let started = Instant::now();
                    program(units);
                    started.elapsed()
                });
            });
        }
        group.finish();
    }
    criterion.final_summary();
    let rows: Vec<Row> =
        pairs.iter_mut().map(|pair| in_turns(pair, if quick { 20 } else { ROUNDS })).collect();
    for Row { crossing, ns, beside, plain_ns } in &rows {
        let (more, times) = (ns - plain_ns, ns / plain_ns);
        println!("{crossing:<52} {ns:>10.1} ns; {beside}: {plain_ns:.1} ns; {more:+.1} ns, {times:.2} times");
    }
    if let Some(results) = path("MFN_RESULTS") {
        let text = serde_json::to_string_pretty(&rows).expect("rows are JSON");
        std::fs::write(results, text).expect("the file of results can be written");
    }
}

/// Times a pair in turns.
fn in_turns(pair: &mut Pair, rounds: usize) -> Row {
    let units = |program: &mut Program| units_for(program, 10, ROUND_MIN);
    let (units, plain_units) = (units(&mut pair.run), units(&mut pair.plain));
    let never = Times { cpu: f64::INFINITY, wall: f64::INFINITY };
    let (mut best, mut plain_best) = (never, never);
    for _ in 0..rounds {
        best = best.best(time(&mut pair.run, units));
        plain_best = plain_best.best(time(&mut pair.plain, plain_units));
    }
    Row {
        crossing: pair.crossing.clone(),
        ns: best.wall * 1e9,
        beside: pair.beside.to_owned(),
        plain_ns: plain_best.wall * 1e9,
    }
}
