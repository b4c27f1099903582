//! Pictures: every figure that `cargo xtask figures` draws is there, and every picture is shown by a document. Whether a
//! picture is current is not looked at: drawing them takes a minute.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;

use super::Findings;
use crate::figures::{DIRECTORY, files};
use crate::workspace::Workspace;

/// Compares the list of figures, the pictures that lie there, and the links of the documents.
pub(crate) fn check(workspace: &Workspace) -> Result<Findings> {
    let present: BTreeSet<String> = workspace
        .files_with_extension(&["png"])?
        .iter()
        .filter(|file| file.parent() == Some(Path::new(DIRECTORY)) && workspace.join(file).exists())
        .filter_map(|file| Some(file.file_name()?.to_str()?.to_owned()))
        .collect();
    let mut documents = String::new();
    for document in workspace.files_with_extension(&["md"])? {
        documents += &workspace.read(&document)?;
    }
    let missing = files()
        .filter(|file| !present.contains(file))
        .map(|file| format!("{DIRECTORY}/{file} is missing: run cargo xtask figures"));
    let unseen = present
        .iter()
        .filter(|file| !documents.contains(&format!("images/{file})")))
        .map(|file| format!("no document shows {DIRECTORY}/{file}"));
    let faults = missing.chain(unseen).collect();
    Ok(Findings::new(faults, format!("{} pictures", present.len())))
}
