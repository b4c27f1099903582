//! `mfn features`: the 18 features of a field in an NPY file.

use std::path::PathBuf;

use clap::Args;
use mfn_sim::{
    Compat, FeatureConfig, Features,
    descriptors::{self, DescriptorConfig, Descriptors},
    features::{self, Connectivity, NAMES, UNITS},
};
use ndarray::ArrayView2;
use serde::Serialize;

use crate::{
    failure::Failure,
    field,
    output::Output,
    staging,
    table::{self, Align},
};

/// Compute the 18 features of a field.
///
/// The field is a two-dimensional NPY array of float64 or float32 in volts. The temporal features dV_mean,
/// dV_max and E_trend need a history and are 0 for a single field; T_stable is then NaN (null in JSON).
#[derive(Args)]
#[command(
    after_help = "Example:\n  mfn features result/field.npy\n  mfn features result/field.npy --json\n  mfn features result/field.npy --compat v4.1\n  \
    mfn features result/field.npy --descriptors\n  \
    mfn features field.npy --threshold-low-mv -65 --png field.png"
)]
pub(crate) struct Arguments {
    /// The field, in volts.
    #[arg(value_name = "FILE.npy")]
    file: PathBuf,

    /// Write the features as one line of JSON, by name; a value that is not finite is null.
    #[arg(long)]
    json: bool,

    /// Also compute the descriptors: further dimensions, lacunarity, perimeter, wavelength, entropy. They use the
    /// low threshold, the wrap and the connectivity of the settings.
    #[arg(long)]
    descriptors: bool,

    /// Also draw the field into this PNG file.
    #[arg(long, value_name = "FILE")]
    png: Option<PathBuf>,

    #[command(flatten)]
    settings: Settings,
}

/// What the features depend on beside the field.
#[derive(Args)]
#[command(next_help_heading = "Settings")]
struct Settings {
    /// Compute the features of MyceliumFractalNet 4.1 with their faults; for square fields.
    #[arg(long, value_name = "VERSION", value_parser = compat)]
    compat: Option<Compat>,

    /// Let clusters go on across the edges, as on a periodic grid.
    #[arg(long)]
    wrap: bool,

    /// A cell above it is active (D_box, f_active, N_clusters_low, cluster sizes), mV.
    #[arg(long, value_name = "MV", allow_negative_numbers = true, default_value_t = FeatureConfig::default().threshold_low_mv)]
    threshold_low_mv: f64,

    /// Threshold of N_clusters_med, mV.
    #[arg(long, value_name = "MV", allow_negative_numbers = true, default_value_t = FeatureConfig::default().threshold_med_mv)]
    threshold_med_mv: f64,

    /// Threshold of N_clusters_high, mV.
    #[arg(long, value_name = "MV", allow_negative_numbers = true, default_value_t = FeatureConfig::default().threshold_high_mv)]
    threshold_high_mv: f64,

    /// Smallest box of the box counting, cells.
    #[arg(long, value_name = "CELLS", default_value_t = FeatureConfig::default().min_box_size)]
    min_box_size: usize,

    /// Largest box of the box counting, cells; derived from the active cells when absent.
    #[arg(long, value_name = "CELLS")]
    max_box_size: Option<usize>,

    /// Number of box sizes.
    #[arg(long, value_name = "N", default_value_t = FeatureConfig::default().num_scales)]
    num_scales: usize,

    /// Which cells are neighbours in a cluster: 4 share an edge, 8 an edge or a corner.
    #[arg(long, value_name = "4|8", default_value = "4", value_parser = connectivity)]
    connectivity: Connectivity,
}

fn compat(text: &str) -> Result<Compat, String> {
    match text {
        "v4.1" => Ok(Compat::V4_1),
        _ => Err("give v4.1".to_owned()),
    }
}

fn connectivity(text: &str) -> Result<Connectivity, String> {
    match text {
        "4" => Ok(Connectivity::Four),
        "8" => Ok(Connectivity::Eight),
        _ => Err("give 4 or 8".to_owned()),
    }
}

impl Settings {
    fn config(&self) -> FeatureConfig {
        FeatureConfig {
            min_box_size: self.min_box_size,
            max_box_size: self.max_box_size,
            num_scales: self.num_scales,
            threshold_low_mv: self.threshold_low_mv,
            threshold_med_mv: self.threshold_med_mv,
            threshold_high_mv: self.threshold_high_mv,
            connectivity: self.connectivity,
            compat: self.compat,
            wrap: self.wrap.then_some(true),
            ..FeatureConfig::default()
        }
    }
}

/// Does the work of the verb.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let config = arguments.settings.config();
    config.validate().map_err(|error| Failure::options(&error))?;
    let array = field::read(&arguments.file)?;
    let features = features::compute(array.view(), &config).map_err(|error| {
        Failure::work(
            format!("{}: {error}", arguments.file.display()),
            "give a two-dimensional field (square for --compat v4.1), such as the field.npy of mfn simulate",
        )
    })?;
    if let Some(place) = &arguments.png {
        let name = arguments.file.display().to_string();
        staging::write_whole(place, &field::png(&name, array.view())?)?;
    }
    let descriptors = arguments.descriptors.then(|| describe(arguments, array.view())).transpose()?;
    let mut output = Output::stdout();
    if arguments.json {
        return output.json(&Answer { features, descriptors });
    }
    output.text(&table_of(&features))?;
    let Some(descriptors) = descriptors else { return Ok(()) };
    output.text("\n")?;
    output.text(&table_with("descriptor", &descriptors::NAMES, &descriptors.to_array(), &descriptors::UNITS))
}

/// What `--json` writes: one object with all names.
#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    features: Features,
    #[serde(flatten)]
    descriptors: Option<Descriptors>,
}

fn describe(arguments: &Arguments, field: ArrayView2<'_, f64>) -> Result<Descriptors, Failure> {
    let Settings { threshold_low_mv, wrap, connectivity, .. } = arguments.settings;
    let config = DescriptorConfig {
        threshold_mv: threshold_low_mv,
        wrap,
        connectivity,
        ..DescriptorConfig::default()
    };
    descriptors::compute(field, &config).map_err(|error| {
        Failure::work(format!("{}: {error}", arguments.file.display()), "give a field of finite numbers")
    })
}

/// The features with their units, one per line.
pub(crate) fn table_of(features: &Features) -> String {
    table_with("feature", &NAMES, &features.to_array(), &UNITS)
}

/// Named numbers with their units, one per line.
fn table_with(heading: &str, names: &[&str], values: &[f64], units: &[&str]) -> String {
    let rows: Vec<_> = names
        .iter()
        .zip(values)
        .zip(units)
        .map(|((name, &value), unit)| [(*name).to_owned(), table::number(value), (*unit).to_owned()])
        .collect();
    table::layout([(heading, Align::Left, 0), ("value", Align::Right, 0), ("unit", Align::Left, 0)], &rows)
}
