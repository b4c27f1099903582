//! The `mfn` command: simulate, analyse, run and check pipelines, inspect plugins.
//!
//! A host like any other: it owns what a host owns (arguments, files, signals, the terminal) and leaves
//! everything else to `mfn-sim` and `mfn-runtime`. One module per verb; what verbs share stands beside
//! them once. The exit code is 0 when the work is done, 1 when it failed, 2 when the command line, the
//! specification or the configuration is at fault.

mod core_file;
mod failure;
mod field;
mod host;
mod input;
mod interrupt;
mod keeping;
mod output;
mod progress;
mod specification;
mod staging;
mod table;
mod verb;

use std::process::ExitCode;

use clap::Parser;

/// Simulates reaction-diffusion fields, reduces them to features, and runs pipelines of plugins.
#[derive(Parser)]
#[command(name = "mfn", version, arg_required_else_help = true, disable_help_subcommand = true)]
#[command(after_help = "Exit codes: 0 done, 1 the work failed, 2 usage or configuration at fault.\n\n\
    Example:\n  mfn simulate --spec spec.json --out result")]
struct Cli {
    #[command(subcommand)]
    verb: verb::Verb,
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(message) => {
            // A reader that has gone (`mfn --help | head -1`) is no reason to fail.
            let _ = message.print();
            return if message.use_stderr() { failure::Code::Usage.into() } else { ExitCode::SUCCESS };
        }
    };
    match cli.verb.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.report();
            failure.code().into()
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::Cli;

    /// The command lines under "Example:" in the help of a command and of all below it.
    fn examples(command: &clap::Command, found: &mut Vec<(String, Vec<String>)>) {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let lines: Vec<String> = help
            .lines()
            .filter_map(|line| line.strip_prefix("  mfn "))
            .map(|line| format!("mfn {}", line.split(['|', '<', '>']).next().unwrap_or_default()))
            .collect();
        found.push((command.get_name().to_owned(), lines));
        for below in command.get_subcommands() {
            examples(below, found);
        }
    }

    /// Guards: every verb shows an example, and the shown command lines are ones the command accepts.
    #[test]
    fn every_verb_shows_examples_that_parse() {
        let mut found = Vec::new();
        examples(&Cli::command(), &mut found);
        assert!(found.len() >= 8, "fewer commands than there are verbs: {found:?}");
        for (name, lines) in found {
            assert!(!lines.is_empty(), "{name} shows no example");
            for line in lines {
                let parsed = Cli::try_parse_from(line.split_whitespace());
                assert!(
                    parsed.is_ok(),
                    "{name}: the example does not parse: {line}\n{}",
                    parsed.err().unwrap()
                );
            }
        }
    }

    /// Guards: argument definitions that clap only checks at run time (clashing names and the like).
    #[test]
    fn the_definitions_are_consistent() {
        Cli::command().debug_assert();
    }
}
