//! Where things lie: the repository, cargo's target directory, the demo's stage.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::command;

/// A checkout of the repository.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    root: PathBuf,
    /// Where cargo builds, when that is not for cargo to decide.
    target_dir: Option<PathBuf>,
}

impl Workspace {
    /// The checkout that this program was started in.
    pub(crate) fn find() -> Result<Self> {
        let manifest_dir = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest_dir.parent().context("xtask has no parent directory")?;
        Self::at(root)
    }

    /// The checkout at `root`.
    pub(crate) fn at(root: &Path) -> Result<Self> {
        let root = root.canonicalize().with_context(|| format!("no directory {}", root.display()))?;
        anyhow::ensure!(root.join("Cargo.toml").is_file(), "{} is no checkout", root.display());
        Ok(Self { root, target_dir: None })
    }

    /// This checkout, built into another directory.
    pub(crate) fn built_into(self, target_dir: PathBuf) -> Self {
        Self { target_dir: Some(target_dir), ..self }
    }

    /// The repository's root directory.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A path inside the repository.
    pub(crate) fn join(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    /// `cargo`, in the root of this checkout.
    pub(crate) fn cargo(&self) -> Command {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.current_dir(&self.root);
        // Set by `cargo run` for this program; would make a build of another checkout stale.
        command.env_remove("CARGO_MANIFEST_DIR");
        if let Some(target_dir) = &self.target_dir {
            command.env("CARGO_TARGET_DIR", target_dir);
        }
        command
    }

    /// What `cargo metadata` says with these extra arguments.
    pub(crate) fn metadata(&self, arguments: &[&str]) -> Result<Value> {
        let mut cargo = self.cargo();
        cargo.args(["metadata", "--format-version", "1"]).args(arguments);
        let text = command::capture(&mut cargo)?;
        serde_json::from_str(&text).context("cargo metadata gave no JSON")
    }

    /// The directory cargo builds into; honours `CARGO_TARGET_DIR`.
    pub(crate) fn target_dir(&self) -> Result<PathBuf> {
        let metadata = self.metadata(&["--no-deps"])?;
        let directory = metadata["target_directory"].as_str().context("no target_directory")?;
        Ok(PathBuf::from(directory))
    }

    /// The platform of this machine's compiler.
    pub(crate) fn host_triple(&self) -> Result<String> {
        let text = command::capture(Command::new("rustc").current_dir(&self.root).arg("-vV"))?;
        let host =
            text.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
        Ok(host.to_owned())
    }

    /// Where the demo is laid out. Fixed, because examples/demo.toml names it.
    pub(crate) fn stage_dir(&self) -> PathBuf {
        self.root.join("target/demo")
    }

    /// The files that belong to the repository: tracked or new, and not ignored by git; paths
    /// relative to the root.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>> {
        let mut git = Command::new("git");
        git.current_dir(&self.root);
        git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let listing = command::capture(&mut git)?;
        let mut files: Vec<PathBuf> = listing
            .split('\0')
            .filter(|name| !name.is_empty())
            .map(PathBuf::from)
            .filter(|name| self.root.join(name).is_file())
            .collect();
        files.sort();
        files.dedup();
        Ok(files)
    }

    /// The repository's files with one of these extensions.
    pub(crate) fn files_with_extension(&self, extensions: &[&str]) -> Result<Vec<PathBuf>> {
        let wanted = |path: &PathBuf| {
            path.extension().and_then(|e| e.to_str()).is_some_and(|e| extensions.contains(&e))
        };
        Ok(self.files()?.into_iter().filter(wanted).collect())
    }

    /// The text of a file of the repository.
    pub(crate) fn read(&self, relative: impl AsRef<Path>) -> Result<String> {
        let path = self.join(relative);
        std::fs::read_to_string(&path).with_context(|| format!("can not read {}", path.display()))
    }
}
