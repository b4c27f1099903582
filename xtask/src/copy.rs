//! A copy of the repository that may be broken, for the self-tests: a check has to notice what is done to it.

use std::path::Path;
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
        let target_dir = place.join("target");
        if !target_dir.exists() {
            seed(&workspace.target_dir()?, &target_dir)?;
        }
        let copy = Self { workspace: Workspace::at(&directory)?.built_into(target_dir) };
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

    /// Leaves one member in the copy, so that a check that compiles does not compile the others.
    pub(crate) fn keep_member(&self, member: &str) -> Result<()> {
        let manifest = self.workspace.read("Cargo.toml")?;
        let (before, rest) = manifest.split_once("members = [").context("the workspace lists no members")?;
        let (_, after) = rest.split_once(']').context("the list of members does not end")?;
        self.write("Cargo.toml", &format!("{before}members = [\"{member}\"]{after}"))
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

/// Gives a new target directory what the original has compiled of other projects: cargo finds it by name there,
/// while our own packages have other names at another place. Only links, which a compiler replaces and does not
/// write through. Where there is nothing, or no `cp` that can link, all is compiled.
fn seed(original: &Path, target_dir: &Path) -> Result<()> {
    let debug = target_dir.join("debug");
    std::fs::create_dir_all(&debug)?;
    for part in [".fingerprint", "build", "deps"] {
        command::output(Command::new("cp").arg("-al").arg(original.join("debug").join(part)).arg(&debug))?;
    }
    Ok(())
}
