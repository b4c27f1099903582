//! Following docs/start.md: every command that it shows is run, in order and in one shell, in a folder that has the archive
//! and nothing else; what is printed must be what stands there.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::{Packages, bare, printed};

/// Somebody who has the archive, in a folder of its own.
pub(crate) struct Newcomer {
    /// The folder.
    pub(crate) folder: PathBuf,
    /// Where the archive will be unpacked.
    pub(crate) tree: PathBuf,
}

impl Newcomer {
    /// Puts the archive into an empty folder.
    pub(crate) fn new(packages: &Packages, folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("can not make {}", folder.display()))?;
        let name = packages.archive.file_name().context("an archive has a name")?;
        std::fs::copy(&packages.archive, folder.join(name))?;
        Ok(Self {
            folder: folder.to_owned(),
            tree: folder.join(packages.tree.file_name().context("a tree has a name")?),
        })
    }

    /// Runs the commands of a document and compares what they print; gives their number. What was unpacked is checked
    /// against its checksums.
    pub(crate) fn follow(&self, document: &str) -> Result<usize> {
        let commands = commands_of(document);
        ensure!(!commands.is_empty(), "the document shows no command");
        // A line that no program prints tells where the output of each command begins.
        let mark = |number: usize| format!("=== command {number} ===");
        let mut script = String::from("set -e\n");
        for (number, (command, _)) in commands.iter().enumerate() {
            script.push_str(&format!("echo '{}'\n{command}\n", mark(number)));
        }
        let printed_text = printed(bare("sh", &self.folder).args(["-c", &script]))?;
        for (number, (command, shown)) in commands.iter().enumerate() {
            let begin = printed_text.split_once(&format!("{}\n", mark(number))).map(|(_, rest)| rest);
            let begin = begin.with_context(|| format!("{command}: was not run"))?;
            let real = begin.split_once(&mark(number + 1)).map_or(begin, |(real, _)| real);
            ensure!(
                without_times(shown) == without_times(real),
                "{command} prints\n{real}but docs/start.md shows\n{shown}"
            );
        }
        printed(bare("sha256sum", &self.tree).args(["--check", "--quiet", "SHA256SUMS"]))?;
        Ok(commands.len())
    }
}

/// The commands of the console blocks, each with the output that is shown for it.
fn commands_of(document: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut is_console = false;
    for line in document.lines() {
        match (is_console, line) {
            (false, "```console") => is_console = true,
            (true, "```") => is_console = false,
            (true, line) => match (line.strip_prefix("$ "), found.last_mut()) {
                (Some(command), _) => found.push((command.to_owned(), String::new())),
                (None, Some((_, shown))) => shown.push_str(&format!("{line}\n")),
                (None, None) => {}
            },
            _ => {}
        }
    }
    found
}

/// Times are what differs from run to run: a last column with one decimal place.
fn without_times(text: &str) -> String {
    let without_time = |line: &str| match line.rsplit_once(' ') {
        Some((rest, last)) if last.rsplit_once('.').is_some_and(|(_, tenth)| tenth.len() == 1) => {
            format!("{}\n", rest.trim_end())
        }
        _ => format!("{line}\n"),
    };
    text.lines().map(without_time).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the reading of a document: only console blocks are run, and output belongs to the command above it.
    #[test]
    fn commands_come_with_their_output() {
        let document =
            "```c\n$ no\n```\n```console\n$ one\n1\n2\n$ two\n```\ntext\n```console\n$ three\n3\n```\n";
        let expected = [("one", "1\n2\n"), ("two", ""), ("three", "3\n")];
        assert_eq!(commands_of(document), expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }

    /// Guards the comparison, which must not accept anything.
    #[test]
    fn only_times_may_differ() {
        assert_eq!(without_times("a  1 2.5\n"), without_times("a  1 17.1\n"));
        assert_ne!(without_times("a 1.25\n"), without_times("a 1.26\n"));
    }
}
