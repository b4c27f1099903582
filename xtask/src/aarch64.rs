//! `cargo xtask test-aarch64`: the numerics on the registers of another architecture, in an emulator.
//!
//! The promise of the same bits on every machine is kept by code that this machine may never run: the reference
//! vectors and the comparison with the plain loop are built for AArch64 and run by QEMU.

use anyhow::Result;

use crate::dist::target::{AARCH64, AARCH64_SYSTEM_ROOT, Target};
use crate::workspace::Workspace;
use crate::{command, tools};

/// Builds the tests whose results must not depend on the machine and runs them.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let target = Target::named(workspace, Some(AARCH64))?;
    target.require()?;
    let runner = format!("{} -L {AARCH64_SYSTEM_ROOT}", tools::QEMU_AARCH64.program);
    let mut cargo = workspace.cargo();
    cargo.args(["test", "--package", "mfn-sim", "--test", "reference", "--test", "equivalence"]);
    target.set_up(&mut cargo);
    command::run(cargo.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER", runner))
}
