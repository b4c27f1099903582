//! `mfn dataset`: the datasets of MyceliumFractalNet 4.1.

use clap::Args;
use mfn_dataset::{PRESET_NAMES, SweepPlan};

use super::sweep::{self, Writing};
use crate::failure::Failure;

/// Make a dataset of MyceliumFractalNet 4.1, with its runs, seeds and 28 columns.
///
/// small: 10 runs of 32 x 32 cells; medium: 100 of 64 x 64; large: 500 of 128 x 128; benchmark: 5 of 32 x 32.
/// Free sweeps over any parameter are made with mfn sweep.
#[derive(Args)]
#[command(after_help = "Example:\n  mfn dataset small --out small.parquet\n  \
    mfn dataset medium --out medium.csv --threads 2 --resume")]
pub(crate) struct Arguments {
    /// Which one.
    #[arg(value_name = "PRESET", value_parser = clap::builder::PossibleValuesParser::new(PRESET_NAMES))]
    preset: String,

    #[command(flatten)]
    writing: Writing,
}

/// Does the work of the verb.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let plan = SweepPlan::preset(&arguments.preset)
        .map_err(|error| Failure::usage(error.to_string(), "name a preset of mfn dataset --help"))?;
    sweep::write(&arguments.preset, plan, &arguments.writing)
}
