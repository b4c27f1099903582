//! Commands in documents. `cargo xtask` lines are parsed by this program's own command line,
//! `mfn` lines by the built `mfn` command: with `--help` at their end it does nothing, but refuses
//! verbs and flags that it does not know.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use clap::Parser;
use clap::error::ErrorKind;

use crate::cli::Cli;
use crate::command;
use crate::workspace::Workspace;

/// What understands the commands.
pub(super) struct Commands {
    mfn: PathBuf,
}

/// A command found in a document.
enum Found<'a> {
    Xtask(Vec<&'a str>),
    Mfn(Vec<&'a str>),
}

impl Commands {
    /// Builds the `mfn` command.
    pub(super) fn build(workspace: &Workspace) -> Result<Self> {
        // With the features of the whole workspace, so that later builds of all of it compile nothing anew.
        command::capture(workspace.cargo().args(["build", "--quiet", "--workspace", "--bin", "mfn"]))?;
        Ok(Self { mfn: workspace.target_dir()?.join("debug/mfn") })
    }

    /// Whether a code span is a command.
    pub(super) fn is_command(&self, span: &str) -> bool {
        self.count(span) > 0
    }

    /// The number of commands on a line.
    pub(super) fn count(&self, line: &str) -> usize {
        commands_of(line).len()
    }

    /// Why commands on the line would be refused.
    pub(super) fn problems(&self, line: &str) -> Result<Vec<String>> {
        let problems: Result<Vec<_>> = commands_of(line).iter().map(|found| self.problem(found)).collect();
        Ok(problems?.into_iter().flatten().collect())
    }

    fn problem(&self, found: &Found<'_>) -> Result<Option<String>> {
        Ok(match found {
            Found::Xtask(words) => match Cli::try_parse_from(words.iter().copied()) {
                Ok(_) => None,
                Err(error) if error.kind() == ErrorKind::DisplayHelp => None,
                // `cargo xtask` alone, in running text.
                Err(_) if words.len() == 1 => None,
                Err(error) => Some(refusal("cargo xtask", &words[1..], &error.to_string())),
            },
            Found::Mfn(words) => {
                // What stands in brackets is optional, and its brackets are not typed.
                let arguments = words[1..].iter().filter(|word| !word.starts_with('['));
                let output = command::output(Command::new(&self.mfn).args(arguments).arg("--help"))?;
                (!output.success).then(|| refusal("mfn", &words[1..], &output.text))
            }
        })
    }
}

fn refusal(program: &str, words: &[&str], text: &str) -> String {
    format!("{program} {}: {}", words.join(" "), text.lines().next().unwrap_or("refused"))
}

/// The commands of one line: without prompt, variables and comment, cut at pipes and `&&`.
fn commands_of(line: &str) -> Vec<Found<'_>> {
    let line = line.trim().trim_start_matches("$ ");
    let line = line.split(" #").next().unwrap_or(line);
    line.split(['|', ';', '&', '>']).filter_map(command_of).collect()
}

fn command_of(part: &str) -> Option<Found<'_>> {
    let is_variable = |word: &&str| word.contains('=') && word.starts_with(|c: char| c.is_ascii_uppercase());
    let words: Vec<&str> = part.split_whitespace().skip_while(is_variable).collect();
    match words.as_slice() {
        ["cargo", "xtask", ..] => Some(Found::Xtask(words[1..].to_vec())),
        [program, ..] if *program == "mfn" || program.ends_with("/mfn") => Some(Found::Mfn(words)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stand-in for `mfn` would prove nothing; its lines are covered by `check --self-test`.
    fn problems(line: &str) -> Vec<String> {
        Commands { mfn: PathBuf::from("no-such-program") }.problems(line).unwrap()
    }

    /// Guards that unknown verbs and flags are refused wherever they stand on a line.
    #[test]
    fn unknown_verbs_are_refused() {
        for line in ["cargo xtask dmeo", "$ cargo xtask demo --sreve", "ls && cargo xtask tests | head"] {
            assert_eq!(problems(line).len(), 1, "{line}");
        }
    }

    /// Guards that good commands, help and running text pass.
    #[test]
    fn known_verbs_pass() {
        let lines = [
            "CI=true cargo xtask demo --serve --config FILE   # until Ctrl-C",
            "cargo xtask help",
            "cargo xtask",
            "mfn_runtime",
        ];
        for line in lines {
            assert_eq!(problems(line), Vec::<String>::new(), "{line}");
        }
    }

    /// Guards that `mfn` is recognised with and without a path, and that nothing else is.
    #[test]
    fn mfn_commands_are_found() {
        for (line, count) in
            [("mfn run a.toml", 1), ("target/demo/bin/mfn check a && mfn list", 2), ("mfn.h", 0)]
        {
            assert_eq!(commands_of(line).len(), count, "{line}");
        }
    }
}
