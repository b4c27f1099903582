//! `mfn simulate`: one run of the simulation, from a specification to files.

use std::{ops::ControlFlow, path::PathBuf};

use clap::Args;
use mfn_runtime::{
    RuntimeOptions, npy,
    snapshot::{Identity, Snapshot},
};
use mfn_sim::{FeatureConfig, RunEnd, Simulation};

use super::features::table_of;
use crate::{
    failure::Failure, field, host, interrupt::Interrupt, output::Output, progress::Progress, specification,
    staging::Staging,
};

/// Run one simulation and write its fields, features and statistics.
///
/// Writes field.npy (volts), activator.npy, inhibitor.npy (float64, two-dimensional) and snapshot.json
/// into the output directory. The files appear together when the run is complete; Ctrl-C leaves none.
/// Memory depends on the grid, not on the number of steps.
#[derive(Args)]
#[command(after_help = "Example:\n  mfn simulate --spec spec.json --out result --png\n  \
    mfn simulate --spec - --out result --json < spec.json\n\n\
    A specification is a JSON object; what it leaves out has a default:\n  \
    {\"grid_size\": 64, \"steps\": 200, \"random_seed\": 42, \"boundary_condition\": \"periodic\"}")]
pub(crate) struct Arguments {
    /// The specification as JSON; - reads standard input.
    #[arg(long, value_name = "FILE")]
    spec: PathBuf,

    /// The directory for the results; made where it is missing. Earlier results in it are replaced.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Also draw the final field into field.png, with a scale in mV.
    #[arg(long)]
    png: bool,

    /// Write the snapshot as one line of JSON instead of a table, and no progress.
    #[arg(long)]
    json: bool,

    /// The most threads to compute with; 0 uses all cores. The result does not depend on it.
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,

    /// Show nothing but errors.
    #[arg(long, conflicts_with = "json")]
    quiet: bool,
}

/// Does the work of the verb.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let interrupt = Interrupt::catch()?;
    let simulation = prepare(arguments)?;
    let mut staging = Staging::begin(&arguments.out)?;
    let options = RuntimeOptions { threads: arguments.threads, ..RuntimeOptions::default() };
    let runtime = host::start(options)?;
    let simulation = runtime.install(|| advance(simulation, arguments, &interrupt))?;

    let identity = Identity { request: request_name(arguments), route: "simulate".to_owned() };
    let not_json = |error| Failure::work(format!("the snapshot is not JSON: {error}"), "report this fault");
    let snapshot = Snapshot::of_simulation(identity, &simulation).map_err(not_json)?;
    let json = snapshot.to_json(false).map_err(not_json)?;
    let json = String::from_utf8_lossy(&json);
    for (name, cells) in [
        ("field.npy", simulation.field()),
        ("activator.npy", simulation.activator()),
        ("inhibitor.npy", simulation.inhibitor()),
    ] {
        staging.write(name, &npy::encode(cells.view()))?;
    }
    if arguments.png {
        staging.write("field.png", &field::png("the final field", simulation.field().view())?)?;
    }
    staging.write("snapshot.json", format!("{json}\n").as_bytes())?;
    if interrupt.is_raised() {
        return Err(cancelled(&simulation));
    }
    let places = staging.publish()?;

    let mut output = Output::stdout();
    if arguments.json {
        output.line(&json)
    } else if arguments.quiet {
        Ok(())
    } else {
        let written: String = places.iter().map(|place| format!("wrote {}\n", place.display())).collect();
        output.text(&format!("{}\n{written}", table_of(snapshot.features())))
    }
}

/// Reads and checks the specification.
fn prepare(arguments: &Arguments) -> Result<Simulation, Failure> {
    let spec = specification::read(&arguments.spec)?;
    if !arguments.quiet && !arguments.json {
        specification::report(&specification::warnings(&spec));
    }
    let mut simulation =
        Simulation::new(spec).map_err(|error| Failure::usage(error.to_string(), "correct it"))?;
    simulation
        .enable_temporal_features(&FeatureConfig::default())
        .map_err(|error| Failure::work(error.to_string(), "report this fault"))?;
    Ok(simulation)
}

/// Runs all steps, unless a signal comes.
fn advance(
    mut simulation: Simulation,
    arguments: &Arguments,
    interrupt: &Interrupt,
) -> Result<Simulation, Failure> {
    let steps = simulation.spec().steps;
    let mut progress = Progress::begin(arguments.quiet || arguments.json, steps, "steps");
    let end = simulation.run(steps, &mut |at| {
        progress.show(at.step, at.steps_total);
        if interrupt.is_raised() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    progress.end();
    match end {
        Ok(RunEnd::Completed) => Ok(simulation),
        Ok(RunEnd::Cancelled) => Err(cancelled(&simulation)),
        Err(error) => Err(Failure::work(error.to_string(), "change the parameters; nothing was written")),
    }
}

fn cancelled(simulation: &Simulation) -> Failure {
    Failure::cancelled(format!(
        "cancelled after {} of {} steps; nothing was written",
        simulation.step_count(),
        simulation.spec().steps
    ))
}

/// What the snapshot calls the request: the file's name.
fn request_name(arguments: &Arguments) -> String {
    match arguments.spec.file_name() {
        Some(name) if name != "-" => name.to_string_lossy().into_owned(),
        _ => "stdin".to_owned(),
    }
}
