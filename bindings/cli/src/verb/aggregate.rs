//! `mfn aggregate`: one gradient out of many, although some clients lie.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use mfn_sim::aggregation::{Aggregation, GeometricMedian, Method, aggregate};

use crate::{
    failure::Failure,
    field,
    host::Threads,
    output::Output,
    table::{self, Align},
};

/// Aggregate the gradients of many clients, some of which may lie.
///
/// The file is a two-dimensional NPY array of float64 or float32: one row per client, one column per
/// coordinate. Krum and Multi-Krum need at least 2 N + 3 clients for N attackers, the others 2 N + 1.
#[derive(Args)]
#[command(after_help = "Example:\n  mfn aggregate gradients.npy --byzantine 2\n  \
    mfn aggregate gradients.npy --method trimmed-mean --byzantine 2 --json")]
pub(crate) struct Arguments {
    /// The gradients, one row per client.
    #[arg(value_name = "FILE.npy")]
    file: PathBuf,

    /// How the gradients become one.
    #[arg(long, value_enum, default_value = "krum")]
    method: Name,

    /// Attackers to be survived.
    #[arg(long, value_name = "N", default_value_t = 0)]
    byzantine: usize,

    /// Write the result as one line of JSON: value, selected clients, scores, convergence.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    threads: Threads,
}

/// The methods by name.
#[derive(Clone, Copy, ValueEnum)]
enum Name {
    /// The gradient that lies closest to its neighbours.
    Krum,
    /// The mean of the gradients that lie closest to their neighbours.
    MultiKrum,
    /// In each coordinate the mean without the N lowest and N highest values.
    TrimmedMean,
    /// The median of each coordinate.
    Median,
    /// The point with the smallest sum of distances.
    GeometricMedian,
}

impl From<Name> for Method {
    fn from(name: Name) -> Self {
        match name {
            Name::Krum => Self::Krum,
            Name::MultiKrum => Self::MultiKrum { selected: None },
            Name::TrimmedMean => Self::TrimmedMean,
            Name::Median => Self::Median,
            Name::GeometricMedian => Self::GeometricMedian(GeometricMedian::default()),
        }
    }
}

/// Does the work of the verb.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let gradients = field::read_array(&arguments.file, "one row of float64 per client")?;
    let (method, byzantine) = (arguments.method.into(), arguments.byzantine);
    let runtime = arguments.threads.runtime()?;
    let result = runtime.install(|| aggregate(gradients.view(), &method, byzantine)).map_err(|error| {
        Failure::work(
            format!("{}: {error}", arguments.file.display()),
            "change the file, --method or --byzantine",
        )
    })?;
    let mut output = Output::stdout();
    if arguments.json { output.json(&result) } else { output.text(&text_of(&result)) }
}

/// The aggregate, one coordinate per line, and what it was made of.
fn text_of(result: &Aggregation) -> String {
    let rows: Vec<_> = result
        .value
        .iter()
        .enumerate()
        .map(|(coordinate, value)| [coordinate.to_string(), table::number(*value)])
        .collect();
    let mut text = table::layout([("coordinate", Align::Right, 0), ("value", Align::Right, 0)], &rows);
    if !result.selected.is_empty() {
        let selected: Vec<String> = result.selected.iter().map(usize::to_string).collect();
        text.push_str(&format!("selected clients: {}\n", selected.join(", ")));
    }
    if let Some(end) = result.convergence {
        let word = if end.converged { "converged" } else { "not converged" };
        text.push_str(&format!(
            "{word} after {} iterations, sum of distances at most {:.1e} above the smallest\n",
            end.iterations, end.relative_gap_max
        ));
    }
    text
}
