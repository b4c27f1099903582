//! A copy of the repository that may be broken, for the self-tests: a check has to notice what is done to it.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::command;
use crate::workspace::Workspace;

/// A copy of the repository that may be broken.
pub(crate) struct Copy {
    /// Where it lies.
    pub(crate) workspace: Workspace,
}

impl Copy {
    /// Always at the same place, so that the next self-test finds its builds. It has a target
    /// directory of its own: cargo would take a broken build of the copy for one of the original.
    pub(crate) fn make(workspace: &Workspace) -> Result<Self> {
        let place = workspace.target_dir()?.join("self-test");
        let directory = place.join("repository");
        std::fs::create_dir_all(&directory)?;
        // The checks look at the files that git knows.
        command::capture(Command::new("git").current_dir(&directory).args(["init", "--quiet"]))?;
        std::fs::copy(workspace.join("Cargo.toml"), directory.join("Cargo.toml"))?;
        let copy = Self { workspace: Workspace::at(&directory)?.built_into(place.join("target")) };
        copy.restore(workspace)?;
        Ok(copy)
    }

    /// Makes the copy equal to the original. A file that is equal keeps its time, so cargo builds
    /// what was broken or restored and nothing else.
    pub(crate) fn restore(&self, workspace: &Workspace) -> Result<()> {
        for file in workspace.files()? {
            let (original, copy) = (std::fs::read(workspace.join(&file))?, self.workspace.join(&file));
            if std::fs::read(&copy).is_ok_and(|present| present == original) {
                continue;
            }
            std::fs::create_dir_all(copy.parent().context("a file without directory")?)?;
            std::fs::write(&copy, original).with_context(|| format!("can not write {}", copy.display()))?;
        }
        for file in self.workspace.files()? {
            if !workspace.join(&file).exists() {
                std::fs::remove_file(self.workspace.join(file))?;
            }
        }
        Ok(())
    }

    /// Writes a file.
    pub(crate) fn write(&self, file: &str, text: &str) -> Result<()> {
        std::fs::write(self.workspace.join(file), text).with_context(|| format!("can not write {file}"))
    }

    /// Removes a file.
    pub(crate) fn remove(&self, file: &str) -> Result<()> {
        std::fs::remove_file(self.workspace.join(file)).with_context(|| format!("can not remove {file}"))
    }

    /// Writes more at the end of a file.
    pub(crate) fn append(&self, file: &str, text: &str) -> Result<()> {
        self.write(file, &(self.workspace.read(file).unwrap_or_default() + text))
    }

    /// Replaces a text of a file, which has to be there.
    pub(crate) fn replace(&self, file: &str, from: &str, to: &str) -> Result<()> {
        let present = self.workspace.read(file)?;
        ensure!(present.contains(from), "{file} does not contain {from:?}");
        self.write(file, &present.replace(from, to))
    }

    /// Adds a line to the dependencies of a manifest.
    pub(crate) fn add_dependency(&self, manifest: &str, line: &str) -> Result<()> {
        self.replace(manifest, "[dependencies]\n", &format!("[dependencies]\n{line}\n"))
    }
}
