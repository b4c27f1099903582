//! `mfn simulate`: one run of the simulation, from a specification to files.

use std::path::{Path, PathBuf};

use clap::Args;
use mfn_runtime::{
    npy,
    snapshot::{Identity, Summary},
};
use mfn_sim::{Execution, FeatureConfig, Simulation};

use super::features::table_of;
use crate::{
    failure::Failure,
    field,
    host::Threads,
    interrupt::Interrupt,
    keeping::{Keeper, Keeping},
    output::Output,
    progress::Progress,
    specification,
    staging::Staging,
};

/// Run one simulation and write its fields, features and statistics.
///
/// Writes field.npy (volts), activator.npy, inhibitor.npy (two-dimensional; float64, or float32 for a run with precision f32) and snapshot.json
/// into the output directory. The files appear together when the run is complete; Ctrl-C leaves none, but
/// with --checkpoint the state, from which --resume goes on. Memory depends on the grid, not on the number
/// of steps or of recorded frames.
#[derive(Args)]
#[command(after_help = "Example:\n  mfn simulate --spec spec.json --out result --png\n  \
    mfn simulate --spec - --out result --json < spec.json\n  \
    mfn simulate --spec spec.json --out result --checkpoint state.mfn --checkpoint-every 10000\n  \
    mfn simulate --resume state.mfn --out result --checkpoint state.mfn\n  \
    mfn simulate --spec spec.json --out result --record frames.npy --record-every 100\n\n\
    A specification is a JSON object; what it leaves out has a default:\n  \
    {\"grid_size\": 64, \"steps\": 200, \"random_seed\": 42, \"boundary_condition\": \"periodic\"}")]
pub(crate) struct Arguments {
    /// The specification as JSON; - reads standard input.
    #[arg(long, value_name = "FILE", required_unless_present = "resume")]
    spec: Option<PathBuf>,

    /// The directory for the results; made where it is missing. Earlier results in it are replaced.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Also draw the final field into field.png, with a scale in mV.
    #[arg(long)]
    png: bool,

    /// Write the snapshot as one line of JSON instead of a table, and no progress.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    threads: Threads,

    /// Show nothing but errors.
    #[arg(long, conflicts_with = "json")]
    quiet: bool,

    #[command(flatten)]
    keeping: Keeping,
}

/// Does the work of the verb.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let interrupt = Interrupt::catch()?;
    let simulation = prepare(arguments)?;
    let staging = Staging::begin(&arguments.out)?;
    let runtime = arguments.threads.runtime()?;
    let mut keeper = arguments.keeping.begin(&simulation)?;
    let written = runtime
        .install(|| advance(simulation, arguments, &mut keeper, &interrupt))
        .and_then(|simulation| stage(&simulation, staging, arguments, &keeper, &interrupt));
    let (summary, json, staging) = match written {
        Ok(written) => written,
        Err(failure) => {
            keeper.abandon();
            return Err(failure);
        }
    };
    let recorded = keeper.finish()?;
    let mut places = staging.publish()?;
    places.extend(recorded);

    let mut output = Output::stdout();
    if arguments.json {
        output.line(&json)
    } else if arguments.quiet {
        Ok(())
    } else {
        let written: String = places.iter().map(|place| format!("wrote {}\n", place.display())).collect();
        output.text(&format!("{}\n{written}", table_of(summary.features())))
    }
}

/// Writes the results where they can be published together.
fn stage(
    simulation: &Simulation,
    mut staging: Staging,
    arguments: &Arguments,
    keeper: &Keeper<'_>,
    interrupt: &Interrupt,
) -> Result<(Summary, String, Staging), Failure> {
    let identity = Identity { request: request_name(arguments), route: "simulate".to_owned() };
    let not_json = |error| Failure::work(format!("the snapshot is not JSON: {error}"), "report this fault");
    // Without copies of the fields: a run is at the end no larger than in its midst.
    let summary = Summary::of_simulation(identity, simulation).map_err(not_json)?;
    let json = summary.to_json().map_err(not_json)?;
    let json = String::from_utf8_lossy(&json).into_owned();
    for (name, cells, single) in [
        ("field.npy", simulation.field(), simulation.field_f32()),
        ("activator.npy", simulation.activator(), simulation.activator_f32()),
        ("inhibitor.npy", simulation.inhibitor(), simulation.inhibitor_f32()),
    ] {
        // A file has the precision in which its run computed.
        staging.write_with(name, |file| match single {
            Some(cells) => npy::write_single_to(file, cells),
            None => npy::write_to(file, cells.view()),
        })?;
    }
    if arguments.png {
        staging.write("field.png", &field::png("the final field", simulation.field().view())?)?;
    }
    staging.write("snapshot.json", format!("{json}\n").as_bytes())?;
    if interrupt.is_raised() {
        return Err(keeper.cancelled(simulation));
    }
    Ok((summary, json, staging))
}

/// The run of the specification, or of the checkpoint.
fn prepare(arguments: &Arguments) -> Result<Simulation, Failure> {
    let Some(path) = &arguments.spec else {
        let checkpoint = arguments.keeping.resume.as_deref().unwrap_or(Path::new("-"));
        return Keeping::load(checkpoint);
    };
    let mut spec = specification::read(path)?;
    arguments.keeping.apply(&mut spec);
    if !arguments.quiet && !arguments.json {
        specification::report(&specification::warnings(&spec));
    }
    let mut simulation =
        Simulation::new(spec).map_err(|error| Failure::usage(error.to_string(), "correct it"))?;
    // On the pool of the runtime, whose size --threads sets.
    let execution = Execution { threads: 0, ..Execution::default() };
    simulation
        .set_execution(execution)
        .map_err(|error| Failure::work(error.to_string(), "report this fault"))?;
    simulation
        .enable_temporal_features(&FeatureConfig::of_mode(simulation.spec().compat))
        .map_err(|error| Failure::work(error.to_string(), "report this fault"))?;
    Ok(simulation)
}

/// Runs all steps, unless a signal comes.
fn advance(
    mut simulation: Simulation,
    arguments: &Arguments,
    keeper: &mut Keeper<'_>,
    interrupt: &Interrupt,
) -> Result<Simulation, Failure> {
    let silent = arguments.quiet || arguments.json;
    let mut progress = Progress::begin(silent, simulation.spec().steps, "steps");
    let end = keeper.advance(&mut simulation, interrupt, &mut progress);
    progress.end();
    end.map(|()| simulation)
}

/// What the snapshot calls the request: the file's name.
fn request_name(arguments: &Arguments) -> String {
    let file = arguments.spec.as_ref().or(arguments.keeping.resume.as_ref());
    match file.and_then(|file| file.file_name()) {
        Some(name) if name != "-" => name.to_string_lossy().into_owned(),
        _ => "stdin".to_owned(),
    }
}
