//! The tables of docs/performance.md.

use std::fmt::Write;

use super::marks::{BYTES_PER_CELL_STEP, MIB, marks};
use super::model::Model;
use super::results::{Results, Row};

/// Steps of the runs that the cost table counts.
const RUN_STEPS: f64 = 1000.0;

/// Makes the text of a section.
pub(super) type Section = fn(&Results) -> String;

/// The generated sections by name.
pub(super) const SECTIONS: [(&str, Section); 9] = [
    ("machine", machine),
    ("marks", required),
    ("step", step),
    ("variants", variants),
    ("bounds", bounds),
    ("features", features),
    ("processes", processes),
    ("peers", peers),
    ("model", model),
];

/// A table of Markdown; the first row is the head.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        let _ = writeln!(text, "| {} |", row.join(" | "));
        if index == 0 {
            let _ = writeln!(text, "|{}", "---|".repeat(row.len()));
        }
    }
    text
}

pub(super) fn cells<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).to_vec()
}

/// Three digits that count.
pub(super) fn digits(value: f64) -> String {
    let decimals = (2 - value.abs().max(1e-9).log10().floor() as i32).clamp(0, 4);
    format!("{value:.*}", decimals as usize)
}

pub(super) fn or_dash(value: Option<f64>) -> String {
    value.map_or_else(|| String::from("-"), digits)
}

fn machine(results: &Results) -> String {
    let machine = &results.machine;
    let run = if results.quick {
        "This is the short run (`--quick`): small grids and few rounds, good for trying the machinery and not for judging."
    } else {
        "This is the full run."
    };
    let rounds = results.of_task("step").map(|row| row.rounds).max().unwrap_or(0);
    format!(
        "Measured on {} ({} cores, {:.0} GiB, {}; vector levels {}), the best of up to {rounds} rounds. {run}\n",
        machine.processor,
        machine.cores,
        machine.memory_bytes as f64 / 1073741824.0,
        machine.system,
        machine.levels.join(", "),
    )
}

fn required(results: &Results) -> String {
    let mut rows = vec![cells(["figure", "size", "measured", "required", "verdict"])];
    for mark in marks(results) {
        let size = mark.size.to_string();
        rows.push(vec![mark.what.clone(), size, mark.shown(), mark.required(), mark.verdict().to_owned()]);
    }
    table(&rows)
}

/// A table with a program in each row and a size in each column.
fn by_size(results: &Results, task: &str, unit: &str, figure: impl Fn(&Row) -> f64) -> String {
    let sizes = results.sizes(task);
    let mut programs: Vec<&str> = Vec::new();
    for row in results.of_task(task) {
        if !programs.contains(&row.program.as_str()) {
            programs.push(&row.program);
        }
    }
    let mut head = vec![unit.to_owned()];
    head.extend(sizes.iter().map(u64::to_string));
    let mut rows = vec![head];
    for program in programs {
        let figures = sizes.iter().map(|&size| or_dash(results.row(task, size, program).map(&figure)));
        rows.push(std::iter::once(program.to_owned()).chain(figures).collect());
    }
    table(&rows)
}

fn step(results: &Results) -> String {
    by_size(results, "step", "million cell-steps a second", |row| row.rate() / 1e6)
}

fn variants(results: &Results) -> String {
    let mut rows = vec![cells(["run", "side", "million cell-steps a second", "cost of v4.1's step"])];
    for row in results.of_task("variant") {
        let cost = results.ratio("variant", row.size, "v4.1", &row.program);
        rows.push(vec![row.program.clone(), row.size.to_string(), digits(row.rate() / 1e6), or_dash(cost)]);
    }
    table(&rows)
}

fn bounds(results: &Results) -> String {
    let mut rows = vec![cells(["bound", "GB/s", "million cell-steps a second"])];
    for row in results.of_task("stream") {
        let rate = row.rate();
        rows.push(vec![
            format!("STREAM {} of {:.0} MB", row.program, row.work / 1e6),
            digits(rate / 1e9),
            digits(rate / BYTES_PER_CELL_STEP / 1e6),
        ]);
    }
    for way in results.machine.levels.iter().flat_map(|level| [level.clone(), format!("f32 {level}")]) {
        let rate = results.ceiling(&way).map(|rate| rate / 1e6);
        let name = format!("row kernel in the first-level cache, {way}");
        rows.push(vec![name, String::from("-"), or_dash(rate)]);
    }
    table(&rows)
}

fn features(results: &Results) -> String {
    let ms = |row: &Row| row.cpu_s * 1e3;
    by_size(results, "features", "CPU ms of a square field", ms)
        + "\n"
        + &by_size(results, "krum", "CPU ms; clients, each with ten times as many coordinates", ms)
}

fn processes(results: &Results) -> String {
    let mut rows = vec![cells(["program", "side", "CPU ms", "wall ms", "peak MiB"])];
    for row in results.of_task("start").chain(results.of_task("simulate")) {
        let peak = row.peak_bytes.map(|bytes| bytes as f64 / MIB);
        let [cpu, wall] = [row.cpu_s, row.wall_s].map(|seconds| digits(seconds * 1e3));
        rows.push(vec![row.program.clone(), row.size.to_string(), cpu, wall, or_dash(peak)]);
    }
    table(&rows)
}

fn peers(results: &Results) -> String {
    let mut rows = vec![cells(["peer", "version"])];
    rows.extend(results.versions.iter().map(|(name, version)| vec![name.clone(), version.clone()]));
    let mut text = table(&rows);
    text += "\nWhat a peer leaves out of the step or does otherwise:\n\n";
    for (peer, less) in &results.less {
        let _ = writeln!(text, "- {peer}: {less}.");
    }
    for missing in &results.missing {
        let _ = writeln!(text, "- Not measured: {} ({}): {}", missing.program, missing.task, missing.reason);
    }
    text
}

fn model(results: &Results) -> String {
    let Some(model) = Model::fit(results) else { return String::from("Too little was measured.\n") };
    let mut text = format!(
        "A run with one thread takes `{} us * N^2 / 4096 + steps * ({} us + {} ns * N^2)` on a grid of N x N cells; no \
         measured size is further than {:.0} % from it. M runs take M times as long; as an ensemble of runs of \
         64 x 64 with two threads, {} times as many a second as with one.\n",
        digits(model.create * 1e6),
        digits(model.step * 1e6),
        digits(model.cell * 1e9),
        model.error_max * 100.0,
        digits(model.ensemble_gain),
    );
    if let Some((cell, fixed)) = model.memory {
        let side = model.side_max(results.machine.memory_bytes as f64);
        let _ = write!(
            text,
            "\nMemory is {} bytes a cell and {:.0} MB beside; steps and recorded frames add nothing. This machine's \
             memory ends at N = {:.0}; a specification may say up to 65,536 rows and columns.\n",
            digits(cell),
            fixed.max(0.0) / 1e6,
            side.unwrap_or(0.0),
        );
    }
    let mut rows = vec![cells(["N", "1,000 steps take", "such runs an hour, one thread", "two threads"])];
    for side in [64.0, 128.0, 256.0, 1024.0, 4096.0] {
        let runs = model.runs_per_hour(side, RUN_STEPS);
        rows.push(vec![
            format!("{side:.0}"),
            format!("{} s", digits(3600.0 / runs)),
            format!("{runs:.0}"),
            format!("{:.0}", runs * model.ensemble_gain),
        ]);
    }
    text.push('\n');
    text + &table(&rows)
}
