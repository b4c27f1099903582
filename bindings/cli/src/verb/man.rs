//! `mfn man`: the manual pages, from the same definitions as `--help`. Packages are made with it.

use std::path::PathBuf;

use clap::{Args, CommandFactory};

use crate::{Cli, failure::Failure};

/// Write the manual pages, one for each verb.
#[derive(Args)]
#[command(hide = true, after_help = "Example:\n  mfn man --out man1")]
pub(crate) struct Arguments {
    /// The folder to write them to; it must exist.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Does the work of the verb.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    clap_mangen::generate_to(Cli::command(), &arguments.out)
        .map_err(|error| Failure::writing(&arguments.out, error))
}
