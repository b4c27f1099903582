//! `cargo xtask dist`: packages that people install. The release build becomes a tree that works wherever it is unpacked,
//! the tree becomes an archive and, with Debian's tools, a package. The same build gives the same bytes.

mod archive;
mod deb;
pub(crate) mod discovery;
mod emulated;
mod licences;
mod reference;
mod sbom;
pub(crate) mod target;
pub(crate) mod test;
mod tree;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use self::discovery::VERSION;
use self::target::Target;
use crate::cli::DistOptions;
use crate::workspace::Workspace;
use crate::{command, stage, tools};

/// What a run made.
#[derive(Debug)]
pub(crate) struct Packages {
    /// The installable tree.
    pub(crate) tree: PathBuf,
    /// The tree as an archive.
    pub(crate) archive: PathBuf,
    /// The Debian package.
    pub(crate) deb: PathBuf,
}

/// Makes the packages in target/dist and tells their sizes.
pub(crate) fn run(workspace: &Workspace, options: &DistOptions) -> Result<()> {
    let target = Target::named(workspace, options.target.as_deref())?;
    let packages = make(workspace, &target, &workspace.join("target/dist"))?;
    if target.is_cross() {
        emulated::try_out(&target, &packages.tree)?;
    }
    for path in [&packages.archive, &packages.deb] {
        let size = path.metadata().with_context(|| format!("can not read {}", path.display()))?.len();
        println!("{} {:.1} MB", path.display(), size as f64 / 1e6);
    }
    Ok(())
}

/// Builds for the target and makes its packages in `folder`, replacing those that are there.
pub(crate) fn make(workspace: &Workspace, target: &Target, folder: &Path) -> Result<Packages> {
    target.require()?;
    tools::require(&tools::FOR_PACKAGES)?;
    let release = stage::build(workspace, target)?;
    let name = format!("mfn-{VERSION}-{}", target.triple);
    let time_s = source_date(workspace)?;
    let tree = folder.join(&name);
    remove(&tree)?;
    tree::lay_out(workspace, target, &release, &tree)?;
    let archive = folder.join(format!("{name}.tar.zst"));
    archive::write(&tree, &name, &archive, time_s)?;
    let deb = deb::make(target, &tree, folder, time_s)?;
    archive::write_checksums(folder, &[&archive, &deb], &folder.join(format!("{name}.sha256")))?;
    Ok(Packages { tree, archive, deb })
}

/// The time that everything in a package bears, seconds since 1970: SOURCE_DATE_EPOCH, or that of the last commit.
fn source_date(workspace: &Workspace) -> Result<u64> {
    let text = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text,
        Err(_) => {
            let mut git = Command::new("git");
            command::capture(git.current_dir(workspace.root()).args(["log", "-1", "--format=%ct"])).context(
                "a package bears the time of the last commit; outside of git set SOURCE_DATE_EPOCH",
            )?
        }
    };
    text.trim()
        .parse()
        .with_context(|| format!("SOURCE_DATE_EPOCH is {text:?}, which is no number of seconds"))
}

/// Removes a folder with what is in it, if it is there.
fn remove(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("can not remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}
