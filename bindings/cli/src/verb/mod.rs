//! The verbs of the command, one module each.

mod aggregate;
mod check;
mod dataset;
mod dead_letters;
mod features;
mod man;
mod network;
mod plugin;
mod run;
mod simulate;
mod sweep;
mod turing;
mod validate;

use clap::Subcommand;

use crate::failure::Failure;

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Verb {
    Simulate(simulate::Arguments),
    Features(features::Arguments),
    Sweep(sweep::Arguments),
    Dataset(dataset::Arguments),
    Network(network::Arguments),
    Turing(turing::Arguments),
    Aggregate(aggregate::Arguments),
    Validate(validate::Arguments),
    Run(run::Arguments),
    Check(check::Arguments),
    #[command(subcommand)]
    DeadLetters(dead_letters::Verb),
    #[command(subcommand)]
    Plugin(plugin::Verb),
    Man(man::Arguments),
}

impl Verb {
    /// Does it.
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Simulate(arguments) => simulate::run(&arguments),
            Self::Features(arguments) => features::run(&arguments),
            Self::Sweep(arguments) => sweep::run(&arguments),
            Self::Dataset(arguments) => dataset::run(&arguments),
            Self::Network(arguments) => network::run(&arguments),
            Self::Turing(arguments) => turing::run(&arguments),
            Self::Aggregate(arguments) => aggregate::run(&arguments),
            Self::Validate(arguments) => validate::run(&arguments),
            Self::Run(arguments) => run::run(&arguments),
            Self::Check(arguments) => check::run(&arguments),
            Self::DeadLetters(verb) => dead_letters::run(verb),
            Self::Plugin(verb) => plugin::run(verb),
            Self::Man(arguments) => man::run(&arguments),
        }
    }
}
