//! The installable tree: what lies where below its prefix. It works where it is unpacked, and can be copied into another
//! prefix as it is.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::discovery::{self, Places, VERSION};
use super::target::Target;
use super::{archive, licences, reference, sbom};
use crate::header::HEADER;
use crate::workspace::Workspace;
use crate::{command, golang, stage};

/// Where things lie in the tree.
pub(crate) const PLACES: Places<'_> = Places { libraries: "lib", plugins: "lib/mfn/plugins" };
/// Examples, with their data and a CMakeLists.txt.
pub(crate) const EXAMPLES: &str = "share/mfn/examples";
/// Licences, list of parts, documents.
pub(crate) const DOCUMENTS: &str = "share/doc/mfn";

/// Fills the folder `root`.
pub(crate) fn lay_out(workspace: &Workspace, target: &Target, release: &Path, root: &Path) -> Result<()> {
    let tree = Tree { workspace, target, release, root };
    tree.library()?;
    tree.program()?;
    tree.plugins()?;
    tree.copy(HEADER, "include/mfn.h")?;
    stage::install_cpp(workspace, root)?;
    golang::install(workspace, root)?;
    tree.manual()?;
    tree.examples()?;
    tree.documents()?;
    set_modes(root)?;
    archive::write_checksums(root, &files_of(root)?, &root.join("SHA256SUMS"))
}

struct Tree<'a> {
    workspace: &'a Workspace,
    target: &'a Target,
    release: &'a Path,
    root: &'a Path,
}

impl Tree<'_> {
    /// A place in the tree; its folder is made.
    fn place(&self, name: &str) -> Result<PathBuf> {
        let path = self.root.join(name);
        let folder = path.parent().context("a place has a folder")?;
        std::fs::create_dir_all(folder).with_context(|| format!("can not make {}", folder.display()))?;
        Ok(path)
    }

    fn copy(&self, from: &str, to: &str) -> Result<()> {
        let to = self.place(to)?;
        std::fs::copy(self.workspace.join(from), &to).with_context(|| format!("can not copy {from}"))?;
        Ok(())
    }

    /// Copies something built, without what only debuggers read.
    fn binary(&self, name: &str, to: &str, flag: &str) -> Result<PathBuf> {
        let to = self.place(to)?;
        let mut strip = self.target.binutil("strip");
        strip.args([flag, "--enable-deterministic-archives", "-o"]).arg(&to).arg(self.release.join(name));
        command::capture(&mut strip)?;
        Ok(to)
    }

    /// The library under its full version, with links by the name that programs ask for and by that of the linker.
    fn library(&self) -> Result<()> {
        let library = self.binary("libmfn.so", &format!("lib/libmfn.so.{VERSION}"), "--strip-unneeded")?;
        let soname = stage::soname(&library)?;
        ensure!(
            format!("libmfn.so.{VERSION}").starts_with(&format!("{soname}.")),
            "the library {VERSION} has the soname {soname}: the major version is the number of the ABI"
        );
        for (name, to) in [(soname.as_str(), format!("libmfn.so.{VERSION}")), ("libmfn.so", soname.clone())] {
            symlink(to, self.root.join("lib").join(name)).with_context(|| format!("can not link {name}"))?;
        }
        self.binary("libmfn.a", "lib/libmfn.a", "--strip-debug")?;
        discovery::write_pkg_config(self.root, &PLACES)?;
        discovery::write_cmake(self.root, &PLACES, &soname)
    }

    fn program(&self) -> Result<()> {
        self.binary("mfn", "bin/mfn", "--strip-all").map(drop)
    }

    fn plugins(&self) -> Result<()> {
        for (_, library) in stage::PLUGINS {
            let file = format!("lib{library}.so");
            let plugin = self.binary(&file, &format!("{}/{file}", PLACES.plugins), "--strip-unneeded")?;
            stage::write_manifest(self.target.run(&self.root.join("bin/mfn")), &plugin)?;
        }
        Ok(())
    }

    /// The manual pages of `mfn`, which the command writes itself.
    fn manual(&self) -> Result<()> {
        let folder = self.place("share/man/man1/mfn.1")?.with_file_name("");
        let mut mfn = self.target.run(&self.root.join("bin/mfn"));
        command::capture(mfn.args(["man", "--out"]).arg(folder)).map(drop)
    }

    /// The examples that a user of the package can build. Configurations of the repository name target/demo; those of the
    /// package name the folder above them.
    fn examples(&self) -> Result<()> {
        for file in self.workspace.files()? {
            let Ok(name) = file.strip_prefix("examples") else { continue };
            let extension = name.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
            let is_data = name.starts_with("data");
            let is_program = name.parent() == Some(Path::new(""))
                && ["c", "cpp", "go", "toml", "txt"].contains(&extension)
                && !name.ends_with("Cargo.toml");
            if !is_data && !is_program {
                continue;
            }
            let to = self.place(&format!("{EXAMPLES}/{}", name.display()))?;
            if extension == "toml" {
                let text = self.workspace.read(&file)?;
                let text =
                    text.replace("../target/demo/plugins", "../plugins").replace("../target/demo/", "../");
                std::fs::write(&to, text).with_context(|| format!("can not write {}", to.display()))?;
            } else {
                std::fs::copy(self.workspace.join(&file), &to)
                    .with_context(|| format!("can not copy {}", file.display()))?;
            }
        }
        Ok(())
    }

    fn documents(&self) -> Result<()> {
        for name in ["CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"] {
            self.copy(name, &format!("{DOCUMENTS}/{name}"))?;
        }
        for file in self.workspace.files_with_extension(&["md"])? {
            if file.parent() == Some(Path::new("docs")) {
                let from = file.display().to_string();
                self.copy(&from, &format!("{DOCUMENTS}/{}", from.trim_start_matches("docs/")))?;
            }
        }
        let metadata = self.workspace.metadata(&["--locked", "--filter-platform", &self.target.triple])?;
        let parts = sbom::parts(&metadata)?;
        std::fs::write(
            self.place(&format!("{DOCUMENTS}/sbom.cdx.json"))?,
            sbom::document(self.workspace, &parts)?,
        )?;
        std::fs::write(self.place(&format!("{DOCUMENTS}/LICENSES-THIRD-PARTY"))?, licences::list(&parts)?)?;
        reference::write(self.workspace, &self.root.join(DOCUMENTS).join("reference"))
    }
}

/// Every file and link below a folder, sorted; paths start with the folder.
pub(crate) fn files_of(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in
            std::fs::read_dir(&folder).with_context(|| format!("can not read {}", folder.display()))?
        {
            let entry = entry?;
            if entry.file_type()?.is_dir() { folders.push(entry.path()) } else { found.push(entry.path()) }
        }
    }
    found.sort();
    Ok(found)
}

/// Programs and shared libraries may be run, nothing else; whatever the umask.
fn set_modes(root: &Path) -> Result<()> {
    for file in files_of(root)?.iter().filter(|file| !file.is_symlink()) {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let runs = file.starts_with(root.join("bin")) || name.contains(".so.") || name.ends_with(".so");
        let mode = if runs { 0o755 } else { 0o644 };
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode))
            .with_context(|| format!("can not set the mode of {}", file.display()))?;
    }
    Ok(())
}

/// Copies a tree with its links.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to).with_context(|| format!("can not make {}", to.display()))?;
    command::capture(Command::new("cp").args(["-a", "--"]).arg(from.join(".")).arg(to)).map(drop)
}
