//! `cargo xtask test-aarch64`: the numerics on the registers of another architecture, in an emulator.
//!
//! The promise of the same bits on every machine is kept by code that this machine may never run: the reference
//! vectors and the comparison with the plain loop are built for AArch64 and run by QEMU.

use anyhow::Result;

use crate::workspace::Workspace;
use crate::{command, tools};

const TARGET: &str = "aarch64-unknown-linux-gnu";
/// Where Debian's cross compiler has the C library that the emulated programs load.
const SYSTEM_ROOT: &str = "/usr/aarch64-linux-gnu";

/// Builds the tests whose results must not depend on the machine and runs them.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    tools::require(&[tools::AARCH64_GCC, tools::QEMU_AARCH64])?;
    // The compiler's part for the target; nothing happens where it is installed already.
    command::run(std::process::Command::new("rustup").args(["target", "add", TARGET]))?;
    let runner = format!("{} -L {SYSTEM_ROOT}", tools::QEMU_AARCH64.program);
    command::run(
        workspace
            .cargo()
            .args(["test", "--package", "mfn-sim", "--target", TARGET])
            .args(["--test", "reference", "--test", "equivalence"])
            .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", tools::AARCH64_GCC.program)
            .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER", runner),
    )
}
