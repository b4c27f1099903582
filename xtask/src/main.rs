//! The one task runner of this repository: `cargo xtask VERB`. Every job of continuous
//! integration and every command of the documents is a verb of it, so that they can not differ
//! from what a developer runs.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod aarch64;
mod abi;
mod bench;
mod check;
mod ci;
mod cli;
mod command;
mod copy;
mod cpp;
mod demo;
mod dist;
mod example_data;
mod faults;
mod figures;
mod golang;
mod header;
mod stage;
mod test;
mod tools;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::cli::{Cli, Verb};
use crate::workspace::Workspace;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<()> {
    let workspace = Workspace::find()?;
    match cli.verb {
        Verb::Demo(options) => demo::run(&workspace, &options),
        Verb::Stage => stage::run(&workspace).map(drop),
        Verb::Dist(options) => dist::run(&workspace, &options),
        Verb::TestDist => dist::test::run(&workspace),
        Verb::Test => test::run(&workspace),
        Verb::TestGo(options) => golang::run(&workspace, &options),
        Verb::TestAarch64 => aarch64::run(&workspace),
        Verb::TestKafkaTls => test::kafka_tls(&workspace),
        Verb::Faults(options) => faults::run(&workspace, false, &options.numbers),
        Verb::Soak(options) => faults::run(&workspace, true, &options.numbers),
        Verb::TestCpp => cpp::run(&workspace),
        Verb::Check(options) => check::run(&workspace, &options),
        Verb::Ci => ci::run(&workspace),
        Verb::Abi(options) => abi::run(&workspace, &options),
        Verb::Header => header::write(&workspace),
        Verb::ExampleData => example_data::write(&workspace),
        Verb::Figures(options) => figures::write(&workspace, &options.names),
        Verb::Bench(options) => bench::run(&workspace, &options),
    }
}
