//! The Debian package in a clean root: dpkg installs it with its dependencies in order, programs find it, and removing it
//! leaves nothing behind.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::super::deb::NAME;
use super::super::discovery::VERSION;
use super::{names_below, printed};
use crate::command;

/// Installs the package under `root`, uses it and removes it.
pub(crate) fn check(deb: &Path, root: &Path) -> Result<()> {
    let place = Root::new(deb, root)?;
    let before = place.files()?;
    printed(place.dpkg().arg("--install").arg(deb))?;
    let installed: Vec<PathBuf> = place.files()?.difference(&before).cloned().collect();
    ensure!(installed.len() > 100, "only {} files were installed", installed.len());
    let listed = printed(place.dpkg().args(["--listfiles", NAME]))?;
    for file in installed.iter().filter(|file| file.starts_with("usr")) {
        ensure!(
            listed.lines().any(|line| Path::new(line) == Path::new("/").join(file)),
            "{} is not dpkg's",
            file.display()
        );
    }
    printed(place.dpkg().args(["--verify", NAME]))?;
    place.programs_find_it()?;
    printed(place.dpkg().args(["--purge", NAME]))?;
    let left: Vec<PathBuf> = place.files()?.difference(&before).cloned().collect();
    ensure!(left.is_empty(), "removing the package leaves {left:?}");
    ensure!(!root.join("usr").exists(), "removing the package leaves folders");
    Ok(())
}

/// A root with dpkg's records and nothing else.
struct Root<'a> {
    root: &'a Path,
}

impl<'a> Root<'a> {
    /// The records say that what the package depends on is installed, as it is on this machine. A dependency that is
    /// missing there or is too old makes the installation fail.
    fn new(deb: &Path, root: &'a Path) -> Result<Self> {
        let records = root.join("var/lib/dpkg");
        for folder in ["info", "updates", "triggers"] {
            std::fs::create_dir_all(records.join(folder))
                .with_context(|| format!("can not make {}", root.display()))?;
        }
        let depends = printed(Command::new("dpkg-deb").arg("--field").arg(deb).arg("Depends"))?;
        let names: Vec<&str> =
            depends.split([',', '|']).filter_map(|part| part.split_whitespace().next()).collect();
        ensure!(names.contains(&"libc6"), "the package depends on {names:?}, not on the C library");
        let status = printed(Command::new("dpkg-query").arg("--status").args(names))?;
        std::fs::write(records.join("status"), status)?;
        Ok(Self { root })
    }

    fn dpkg(&self) -> Command {
        let mut command = Command::new("dpkg");
        command.arg("--root").arg(self.root).args(["--force-not-root", "--log=/dev/null"]);
        command
    }

    /// Everything but dpkg's own records.
    fn files(&self) -> Result<BTreeSet<PathBuf>> {
        let is_record = |name: &PathBuf| name.starts_with("var/lib/dpkg");
        Ok(names_below(self.root)?.into_iter().filter(|name| !is_record(name)).collect())
    }

    /// The command says its version, ldconfig knows the library by its soname, a compiler and CMake find it where Debian
    /// keeps libraries.
    fn programs_find_it(&self) -> Result<()> {
        let usr = self.root.join("usr");
        let version = printed(Command::new(usr.join("bin/mfn")).arg("--version"))?;
        ensure!(version.trim() == format!("mfn {VERSION}"), "mfn --version prints {version}");
        let library = names_below(&usr)?
            .into_iter()
            .find(|name| name.ends_with("libmfn.so"))
            .context("no libmfn.so")?;
        let folder = usr.join(&library).parent().context("a library lies in a folder")?.to_owned();
        let is_found = command::capture(Command::new("ldconfig").args(["-N", "-v", "-n"]).arg(&folder))?;
        ensure!(is_found.contains("libmfn.so.0 -> libmfn.so."), "ldconfig sees\n{is_found}");
        let mut ask = Command::new("pkg-config");
        ask.env("PKG_CONFIG_LIBDIR", folder.join("pkgconfig")).args(["--cflags", "--libs", "mfn"]);
        let flags = printed(&mut ask)?;
        let program = self.root.join("simulate");
        let mut compile = Command::new("cc");
        compile
            .arg(usr.join("share/mfn/examples/simulate.c"))
            .args(flags.split_whitespace())
            .arg("-o")
            .arg(&program);
        printed(&mut compile)?;
        let says = printed(Command::new(&program).env("LD_LIBRARY_PATH", &folder))?;
        ensure!(says.starts_with("D_box "), "the program prints {says}");
        std::fs::remove_file(program)?;
        let build = self.root.join("build");
        let mut configure = Command::new("cmake");
        configure.arg("-S").arg(usr.join("share/mfn/examples")).arg("-B").arg(&build);
        printed(configure.arg(format!("-Dmfn_DIR={}", folder.join("cmake/mfn").display())))?;
        super::super::remove(&build)
    }
}
