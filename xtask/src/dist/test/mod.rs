//! `cargo xtask test-dist`: what ships is what is tested. The packages are made twice and must be equal; the archive is
//! unpacked in an empty folder outside of the repository, where docs/start.md is followed and every example is built in
//! every way and must print the same; the Debian package is installed in a clean root and removed again.

mod examples;
mod installation;
mod start;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::Packages;
use super::target::Target;
use super::tree::files_of;
use crate::workspace::Workspace;
use crate::{command, tools};

/// Makes the packages and tests them.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    tools::require(&[
        tools::CC,
        tools::CMAKE,
        tools::CXX,
        tools::GO,
        tools::LDD,
        tools::PKG_CONFIG,
        tools::ZSTD,
    ])?;
    let folder = tempfile::tempdir().context("no temporary folder")?;
    let outside = folder.path().canonicalize()?;
    ensure!(!outside.starts_with(workspace.root()), "the folder for temporary files lies in the repository");
    let target = Target::host(workspace)?;
    let mut clock = Clock(Instant::now());
    let packages = super::make(workspace, &target, &workspace.join("target/dist"))?;
    clock.lap("packages made");
    is_reproducible(workspace, &target, &packages, &outside.join("again"))?;
    clock.lap("made again, byte for byte the same");
    let newcomer = start::Newcomer::new(&packages, &outside.join("newcomer"))?;
    let commands = newcomer.follow(&workspace.read("docs/start.md")?)?;
    clock.lap(&format!("{commands} commands of docs/start.md followed"));
    let programs = examples::compare(workspace, &newcomer)?;
    clock.lap(&format!("{programs} programs print what their twins print"));
    installation::check(&packages.deb, &outside.join("root"))?;
    clock.lap("Debian package installed and removed");
    Ok(())
}

/// Tells how long each part took.
struct Clock(Instant);

impl Clock {
    fn lap(&mut self, what: &str) {
        println!("dist: {what}, {:.1} s", self.0.elapsed().as_secs_f64());
        self.0 = Instant::now();
    }
}

/// Makes the packages in another folder and compares them.
fn is_reproducible(workspace: &Workspace, target: &Target, packages: &Packages, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let again = super::make(workspace, target, folder)?;
    for (first, second) in [(&packages.archive, &again.archive), (&packages.deb, &again.deb)] {
        ensure!(
            std::fs::read(first)? == std::fs::read(second)?,
            "{} made twice is not the same: compare the trees {} and {}",
            first.display(),
            packages.tree.display(),
            again.tree.display()
        );
    }
    super::remove(folder)
}

/// A command that sees nothing of the repository: the environment has the search path and Go's cache, no more.
fn bare(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .env_clear()
        .env("LC_ALL", "C.UTF-8")
        .env("GOPROXY", "off")
        .env("GOFLAGS", "-mod=mod");
    for name in ["PATH", "HOME", "GOCACHE", "GOPATH", "TMPDIR"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

/// The files below a folder, as names that start there.
fn names_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let names: std::result::Result<Vec<_>, _> =
        files_of(folder)?.iter().map(|file| file.strip_prefix(folder).map(Path::to_owned)).collect();
    Ok(names?)
}

/// Runs a command; what it wrote is part of the error.
fn printed(command: &mut Command) -> Result<String> {
    let output = command::output(command)?;
    ensure!(output.success, "{command:?} failed:\n{}", output.text);
    Ok(output.stdout)
}
