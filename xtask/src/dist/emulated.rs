//! The tree of another architecture, tried out: a C program is compiled against it by the cross compiler, over the shared
//! and over the static library, and must print the same in the emulator; the command must load every plugin.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::target::Target;
use super::tree::{EXAMPLES, PLACES};
use crate::{command, tools};

/// Compiles and runs; tells what was printed.
pub(crate) fn try_out(target: &Target, tree: &Path) -> Result<()> {
    tools::require(&[tools::PKG_CONFIG])?;
    let folder = tempfile::tempdir().context("no temporary folder")?;
    let libraries = tree.join(PLACES.libraries);
    let mut outputs = Vec::new();
    for package in ["mfn", "mfn-static"] {
        let mut ask = Command::new("pkg-config");
        ask.env("PKG_CONFIG_LIBDIR", libraries.join("pkgconfig")).args(["--cflags", "--libs", package]);
        let flags = command::capture(&mut ask)?;
        let program = folder.path().join(package);
        let mut compile = Command::new(tools::AARCH64_GCC.program);
        compile.arg("-std=c99").arg(tree.join(EXAMPLES).join("simulate.c")).args(flags.split_whitespace());
        compile.arg(format!("-Wl,-rpath,{}", libraries.display())).arg("-o").arg(&program);
        command::capture(&mut compile)?;
        outputs.push(command::capture(&mut target.run(&program))?);
    }
    ensure!(
        outputs[0] == outputs[1] && outputs[0].starts_with("D_box "),
        "over the shared library the program prints\n{}over the static one\n{}",
        outputs[0],
        outputs[1]
    );
    let mut list = target.run(&tree.join("bin/mfn"));
    let plugins =
        command::capture(list.args(["plugin", "list", "--plugin-dir"]).arg(tree.join(PLACES.plugins)))?;
    println!("emulated: {}{plugins}", outputs[0]);
    Ok(())
}
