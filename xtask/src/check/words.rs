//! Text that must not be in the repository: paths and hosts of one machine, which mean nothing
//! anywhere else, and marks of unfinished work.

use anyhow::Result;

use super::Findings;
use crate::workspace::Workspace;

/// What is searched for, and why it must not stand there. Written in pieces, so that this file
/// does not contain it.
const FORBIDDEN: [(&str, &str); 12] = [
    (concat!("/wo", "rk/"), "a path of one machine"),
    (concat!("/ro", "ot/"), "a path of one machine"),
    (concat!("/ho", "me/"), "a path of one machine"),
    (concat!("/tm", "p/target"), "a path of one machine"),
    (concat!("/tm", "p/bash"), "a path of one machine"),
    (concat!("../sha", "red"), "a path outside the repository"),
    (concat!("arti", "factory"), "a host of one network"),
    (concat!("TO", "DO"), "unfinished work"),
    (concat!("FIX", "ME"), "unfinished work"),
    (concat!("XX", "X:"), "unfinished work"),
    (concat!("unimple", "mented!"), "unfinished work"),
    (concat!("tod", "o!("), "unfinished work"),
];

/// Searches every text file of the repository.
pub(crate) fn check(workspace: &Workspace) -> Result<Findings> {
    let mut faults = Vec::new();
    let mut files = 0_usize;
    for file in workspace.files()? {
        let bytes = std::fs::read(workspace.join(&file))?;
        let Ok(text) = String::from_utf8(bytes) else { continue };
        files += 1;
        for (number, line) in (1..).zip(text.lines()) {
            for (word, reason) in FORBIDDEN {
                if line.contains(word) {
                    faults.push(format!("{}:{number}: {word:?} is {reason}", file.display()));
                }
            }
        }
    }
    Ok(Findings::new(faults, format!("{files} text files, {} words", FORBIDDEN.len())))
}
