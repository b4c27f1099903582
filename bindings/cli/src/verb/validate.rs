//! `mfn validate`: one cycle through simulation, features, membrane, fractals and learning.

use std::ops::ControlFlow;

use clap::{Args, ValueEnum};
use mfn_sim::learning::validation::{ValidationConfig, ValidationError, ValidationReport, run_validation};

use crate::{
    failure::Failure,
    host::Threads,
    interrupt::Interrupt,
    output::Output,
    progress::Progress,
    table::{self, Align},
};

/// Run the validation cycle: simulate, train a small network, report a dozen numbers.
///
/// The network foretells from the first half of a run how rough the field is at its end; the loss is
/// measured on runs that it never saw. loss_constant is what the best constant would give.
#[derive(Args)]
#[command(after_help = "Example:\n  mfn validate\n  mfn validate --compat v4.1 --seed 42 --json")]
pub(crate) struct Arguments {
    /// The cycle of MyceliumFractalNet 4.1 instead: one token per sample, losses of two batches.
    #[arg(long, value_enum, value_name = "VERSION")]
    compat: Option<Version>,

    /// Seed of everything that is random.
    #[arg(long, default_value_t = ValidationConfig::default().seed)]
    seed: u64,

    /// Passes over the training samples [default: 30; with --compat v4.1: 1].
    #[arg(long, value_name = "N")]
    epochs: Option<u32>,

    /// Samples of one step of training.
    #[arg(long, value_name = "N", default_value_t = ValidationConfig::default().batch_size)]
    batch_size: usize,

    /// Cells along each side of the simulated grids.
    #[arg(long, value_name = "CELLS", default_value_t = ValidationConfig::default().grid_size)]
    grid_size: usize,

    /// Steps of each simulation.
    #[arg(long, value_name = "N", default_value_t = ValidationConfig::default().steps)]
    steps: u64,

    /// Leave activator and inhibitor out.
    #[arg(long)]
    no_turing: bool,

    /// Add noise to each cell in each step.
    #[arg(long)]
    quantum_jitter: bool,

    /// Write the numbers as one line of JSON, by name.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    threads: Threads,
}

#[derive(Clone, Copy, ValueEnum)]
enum Version {
    /// MyceliumFractalNet 4.1.
    #[value(name = "v4.1")]
    V4_1,
}

/// Does the work of the verb.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let defaults = match arguments.compat {
        Some(Version::V4_1) => ValidationConfig::v4_1(),
        None => ValidationConfig::default(),
    };
    let config = ValidationConfig {
        seed: arguments.seed,
        epochs: arguments.epochs.unwrap_or(defaults.epochs),
        batch_size: arguments.batch_size,
        grid_size: arguments.grid_size,
        steps: arguments.steps,
        turing_enabled: !arguments.no_turing,
        quantum_jitter: arguments.quantum_jitter,
        ..defaults
    };
    let interrupt = Interrupt::catch()?;
    let runtime = arguments.threads.runtime()?;
    let mut progress = Progress::begin(arguments.json, 0, "pieces of work");
    let result = runtime.install(|| {
        run_validation(&config, &mut |now| {
            progress.show(now.step, now.steps_total);
            if interrupt.is_raised() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
    });
    progress.end();
    let report = result.map_err(|error| match error {
        ValidationError::Cancelled => {
            Failure::cancelled("the validation was cancelled: there are no numbers")
        }
        ValidationError::Settings(_) | ValidationError::Steps { .. } => {
            Failure::usage(error.to_string(), "change the option of that name")
        }
        other => Failure::work(other.to_string(), "try another seed"),
    })?;
    let mut output = Output::stdout();
    if arguments.json { output.json(&report) } else { output.text(&table_of(&report)) }
}

/// The numbers under their names, one per line.
fn table_of(report: &ValidationReport) -> String {
    let metrics = &report.metrics;
    let mut named = vec![
        ("loss_start", metrics.loss_start),
        ("loss_final", metrics.loss_final),
        ("loss_drop", metrics.loss_drop),
        ("pot_min_mV", metrics.pot_min_mv),
        ("pot_max_mV", metrics.pot_max_mv),
        ("example_fractal_dim", metrics.example_fractal_dim),
        ("lyapunov_exponent", metrics.lyapunov_exponent),
        ("lyapunov_mean", metrics.lyapunov_mean),
        ("growth_events", metrics.growth_events),
        ("nernst_symbolic_mV", metrics.nernst_symbolic_mv),
        ("nernst_numeric_mV", metrics.nernst_numeric_mv),
        ("nernst_rtfz_mV", metrics.nernst_rtfz_mv),
    ];
    named.extend(report.loss_constant.map(|loss| ("loss_constant", loss)));
    let rows: Vec<_> =
        named.into_iter().map(|(name, value)| [name.to_owned(), table::number(value)]).collect();
    table::layout([("number", Align::Left, 0), ("value", Align::Right, 0)], &rows)
}
