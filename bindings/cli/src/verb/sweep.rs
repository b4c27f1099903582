//! `mfn sweep`: many runs, from a plan to a dataset.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Args;
use mfn_dataset::{DatasetError, Existing, PlanError, Sweep, SweepEnd, SweepOptions, SweepPlan, SweepReport};
use mfn_sim::ensemble::EnsembleError;
use serde::Serialize;

use crate::{
    failure::{Failure, Fault},
    input,
    interrupt::Interrupt,
    output::Output,
    progress::Progress,
    table::{self, Align},
};

/// Run many simulations over a range of parameters and write one row for each.
///
/// The plan says what varies (a grid, a Latin hypercube, a Sobol sequence) and how many seeds each
/// configuration gets. The dataset appears when it is complete. What is done is kept in FILE.partial until
/// then, so a sweep that was stopped or killed goes on with --resume, and leaves the same bytes.
#[derive(Args)]
#[command(after_help = "Example:\n  mfn sweep plan.toml --out dataset.parquet\n  \
    mfn sweep plan.toml --out dataset.parquet --resume\n  \
    mfn sweep - --out dataset.csv --threads 4 --json < plan.json\n\n\
    A plan, as TOML (or the same as JSON):\n  \
    name = \"feed\"\n  method = \"sobol\"          # or grid, latin-hypercube, config-sampler\n  \
    count = 64\n  seeds_per_config = 3\n  \
    [base]                     # fields of a specification\n  preset = \"mycelium\"\n  steps = 500\n  \
    [[axes]]\n  field = \"kinetics.feed\"\n  min = 0.03\n  max = 0.05\n  \
    [[axes]]\n  field = \"boundary_condition\"\n  values = [\"periodic\", \"neumann\"]\n\n\
    A grid needs points in each range, and no count. A table [descriptors], which may be empty or hold\n\
    threshold_mv, wrap, connectivity and so on, adds columns for the descriptors of mfn features.")]
pub(crate) struct Arguments {
    /// The plan: TOML where the name ends in .toml, else JSON; - reads either from standard input.
    #[arg(value_name = "PLAN")]
    plan: PathBuf,

    #[command(flatten)]
    writing: Writing,
}

/// How a dataset is written.
#[derive(Args)]
pub(super) struct Writing {
    /// The dataset: .parquet or .csv. The folders above it are made.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Go on with a sweep that was stopped or killed; begin where there is none.
    #[arg(long, conflicts_with = "replace")]
    resume: bool,

    /// Throw a stopped sweep away, and replace a dataset that is there.
    #[arg(long)]
    replace: bool,

    /// The most threads to compute with; 0 uses all cores. The dataset does not depend on it.
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,

    /// The most memory of the runs that are computed at once, MiB.
    #[arg(long, value_name = "MIB", default_value_t = 4096)]
    memory_mib: u64,

    /// Write a summary as one line of JSON instead of a table, and no progress.
    #[arg(long)]
    json: bool,

    /// Show nothing but errors.
    #[arg(long, conflicts_with = "json")]
    quiet: bool,
}

/// Does the work of the verb.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let name = input::name(&arguments.plan);
    let plan = read(&arguments.plan, &name)?;
    write(&name, plan, &arguments.writing)
}

/// Reads a plan in either language.
fn read(path: &Path, name: &str) -> Result<SweepPlan, Failure> {
    let document = input::read(path)?;
    let refused = |error: String| {
        Failure::usage(format!("{name}: {error}"), "correct the plan; mfn sweep --help shows one")
    };
    let text = std::str::from_utf8(&document).map_err(|error| refused(format!("not UTF-8: {error}")))?;
    let is_toml = match path.extension() {
        Some(extension) => extension == "toml",
        None => !text.trim_start().starts_with('{'),
    };
    if is_toml {
        toml::from_str(text).map_err(|error| refused(error.to_string()))
    } else {
        serde_json::from_str(text).map_err(|error| refused(error.to_string()))
    }
}

/// Checks a plan, computes and writes it, and tells about it.
pub(super) fn write(name: &str, plan: SweepPlan, writing: &Writing) -> Result<(), Failure> {
    let sweep = plan.check().map_err(|error| refused_plan(name, error))?;
    let mut options = SweepOptions::default();
    options.ensemble.threads = writing.threads;
    options.ensemble.memory_bytes_max = writing.memory_mib.saturating_mul(1 << 20);
    options.existing = match (writing.resume, writing.replace) {
        (true, _) => Existing::Resume,
        (false, true) => Existing::Replace,
        (false, false) => Existing::Refuse,
    };
    let cancel = options.cancel_token();
    let interrupt = Interrupt::catch_and(move || cancel.cancel())?;
    let report = compute(&sweep, writing, &options, &interrupt)?;
    if report.end == SweepEnd::Cancelled {
        return Err(Failure::work(
            format!(
                "cancelled after {} of {} runs; they are kept in {}",
                report.succeeded + report.failed,
                report.runs,
                report.path.display()
            ),
            "run the command again with --resume to go on",
        ));
    }
    tell(&report, writing)
}

fn compute(
    sweep: &Sweep,
    writing: &Writing,
    options: &SweepOptions,
    interrupt: &Interrupt,
) -> Result<SweepReport, Failure> {
    let mut progress = Progress::begin(writing.quiet || writing.json, sweep.runs(), "runs");
    let report = sweep.write(&writing.out, options, &mut |at| {
        progress.show(at.done, at.runs);
        if interrupt.is_raised() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    progress.end();
    report.map_err(|error| not_written(&error))
}

/// The summary for scripts. Numbers that are not finite are null.
#[derive(Serialize)]
struct Summary<'a> {
    path: String,
    runs: u64,
    succeeded: u64,
    failed: u64,
    resumed: u64,
    failures: &'a [(u64, String)],
    features: serde_json::Map<String, serde_json::Value>,
}

fn tell(report: &SweepReport, writing: &Writing) -> Result<(), Failure> {
    let mut output = Output::stdout();
    if writing.json {
        let features = report.stats.columns().map(|(name, summary)| {
            let value = serde_json::to_value(summary).unwrap_or_default();
            (name.to_owned(), value)
        });
        return output.json(&Summary {
            path: report.path.display().to_string(),
            runs: report.runs,
            succeeded: report.succeeded,
            failed: report.failed,
            resumed: report.resumed,
            failures: &report.failures,
            features: features.collect(),
        });
    }
    if writing.quiet {
        return Ok(());
    }
    let rows: Vec<[String; 5]> = report
        .stats
        .columns()
        .map(|(name, summary)| {
            let [min, mean, max, std] =
                [summary.min, summary.mean, summary.max, summary.std].map(table::number);
            [name.to_owned(), min, mean, max, std]
        })
        .collect();
    let columns = [
        ("feature", Align::Left, 0),
        ("min", Align::Right, 0),
        ("mean", Align::Right, 0),
        ("max", Align::Right, 0),
        ("std", Align::Right, 0),
    ];
    let mut text = table::layout(columns, &rows);
    for (index, reason) in &report.failures {
        text.push_str(&format!("run {index} failed: {reason}\n"));
    }
    let more = report.failed.saturating_sub(report.failures.len() as u64);
    if more > 0 {
        text.push_str(&format!("{more} more runs failed; see the columns status and error\n"));
    }
    text.push_str(&format!("{} of {} runs succeeded\n", report.succeeded, report.runs));
    output.text(&format!("{text}wrote {}\n", report.path.display()))
}

fn refused_plan(name: &str, error: PlanError) -> Failure {
    let faults = error
        .faults
        .into_iter()
        .map(|fault| Fault { what: format!("{name}: {}: {}", fault.path, fault.message), fix: fault.fix });
    Failure::faults(faults.collect())
}

fn not_written(error: &DatasetError) -> Failure {
    let what = error.to_string();
    match error {
        DatasetError::Extension { .. } => Failure::usage(what, "name a file, such as dataset.parquet"),
        DatasetError::TargetExists { .. } => Failure::usage(what, "give another --out, or --replace"),
        DatasetError::PartialExists { .. } => Failure::usage(what, "give --resume, or --replace"),
        DatasetError::OtherPlan { .. } | DatasetError::NoJournal { .. } => {
            Failure::usage(what, "give the plan it was begun with, another --out, or --replace")
        }
        DatasetError::Ensemble(EnsembleError::Option { .. }) => Failure::usage(what, "correct the option"),
        DatasetError::Busy { .. } => Failure::work(what, "wait until the other process has ended"),
        DatasetError::NothingSucceeded { .. } => Failure::work(what, "change the plan; nothing was written"),
        _ => Failure::work(what, "free space or choose a folder that you may write to, then give --resume"),
    }
}
