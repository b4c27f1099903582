//! Commands in documents. `cargo xtask` lines are parsed by this program's own command line,
//! `mfn` lines are compared with the verbs of bindings/cli.

use anyhow::Result;
use clap::Parser;
use clap::error::ErrorKind;

use super::mfn_verbs::{self, Verbs};
use crate::cli::Cli;
use crate::workspace::Workspace;

/// What is known of the commands.
pub(super) struct Commands {
    mfn: Verbs,
}

/// A command found in a document.
enum Found<'a> {
    Xtask(Vec<&'a str>),
    Mfn(Vec<&'a str>),
}

impl Commands {
    /// Reads the verbs of the `mfn` command.
    pub(super) fn read(workspace: &Workspace) -> Result<Self> {
        Ok(Self { mfn: mfn_verbs::read(workspace)? })
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
    pub(super) fn problems(&self, line: &str) -> Vec<String> {
        commands_of(line).into_iter().filter_map(|found| self.problem(&found)).collect()
    }

    fn problem(&self, found: &Found<'_>) -> Option<String> {
        match found {
            Found::Xtask(words) => match Cli::try_parse_from(words.iter().copied()) {
                Ok(_) => None,
                Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
                    None
                }
                // `cargo xtask` alone, in running text.
                Err(_) if words.len() == 1 => None,
                Err(error) => {
                    let text = error.to_string();
                    Some(format!(
                        "cargo xtask {}: {}",
                        words[1..].join(" "),
                        text.lines().next().unwrap_or("refused")
                    ))
                }
            },
            Found::Mfn(words) => {
                self.mfn.problem(&words[1..]).map(|problem| format!("{}: {problem}", words.join(" ")))
            }
        }
    }
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

    fn commands() -> Commands {
        Commands { mfn: Verbs::of(&[("run", &[]), ("plugin", &["inspect", "list"])]) }
    }

    /// Guards that unknown verbs and flags are refused wherever they stand on a line.
    #[test]
    fn unknown_verbs_are_refused() {
        let lines = [
            "cargo xtask dmeo",
            "$ cargo xtask demo --sreve",
            "ls && cargo xtask tests",
            "mfn rnu demo.toml",
            "target/demo/bin/mfn plugin show X | head",
        ];
        for line in lines {
            assert_eq!(commands().problems(line).len(), 1, "{line}");
        }
    }

    /// Guards that good commands, help and running text pass.
    #[test]
    fn known_verbs_pass() {
        let lines = [
            "CI=true cargo xtask demo --serve --config FILE   # until Ctrl-C",
            "cargo xtask help",
            "cargo xtask",
            "mfn run demo.toml",
            "mfn plugin inspect PATH --json",
            "mfn --version",
            "mfn",
            "mfn_runtime",
        ];
        for line in lines {
            assert_eq!(commands().problems(line), Vec::<String>::new(), "{line}");
        }
    }
}
