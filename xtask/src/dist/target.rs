//! What a package is built for: this machine, or AArch64 by the cross compiler of Debian. Everything that differs between
//! the two (linker, binutils, how a program is run) stands here.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::workspace::Workspace;
use crate::{command, tools};

/// The platform that can be built beside this machine's own.
pub(crate) const AARCH64: &str = "aarch64-unknown-linux-gnu";
/// Where Debian's cross compiler has the C library that emulated programs load.
pub(crate) const AARCH64_SYSTEM_ROOT: &str = "/usr/aarch64-linux-gnu";
/// What the names of binutils for it begin with.
const BINUTILS: &str = "aarch64-linux-gnu-";

/// A platform and its tools.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// Its name, as rustc has it.
    pub(crate) triple: String,
    /// Whether it is not this machine's.
    is_cross: bool,
}

impl Target {
    /// This machine.
    pub(crate) fn host(workspace: &Workspace) -> Result<Self> {
        Ok(Self { triple: workspace.host_triple()?, is_cross: false })
    }

    /// The platform of that name, this machine's when there is none.
    pub(crate) fn named(workspace: &Workspace, triple: Option<&str>) -> Result<Self> {
        let host = Self::host(workspace)?;
        match triple {
            None => Ok(host),
            Some(name) if name == host.triple => Ok(host),
            Some(AARCH64) => Ok(Self { triple: AARCH64.to_owned(), is_cross: true }),
            Some(other) => {
                bail!("--target {other}: packages are made for {} and {AARCH64} here", host.triple)
            }
        }
    }

    /// The folder of cargo's target directory under which its builds lie.
    pub(crate) fn folder(&self) -> &str {
        if self.is_cross { &self.triple } else { "" }
    }

    /// Lets cargo build for it.
    pub(crate) fn set_up(&self, cargo: &mut Command) {
        if self.is_cross {
            cargo.args(["--target", &self.triple]);
            cargo.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", tools::AARCH64_GCC.program);
            // librdkafka's own configure knows these names only; what a build script compiles for this machine goes by
            // the names that begin with HOST.
            let [ar, nm] = ["ar", "nm"].map(|name| format!("{BINUTILS}{name}"));
            let tools = [
                ("CC", tools::AARCH64_GCC.program),
                ("CXX", tools::AARCH64_GXX.program),
                ("AR", &ar),
                ("NM", &nm),
                ("HOST_CC", tools::CC.program),
                ("HOST_CXX", tools::CXX.program),
                ("HOST_AR", "ar"),
            ];
            cargo.envs(tools);
        }
    }

    /// Fails when a program is missing without which nothing can be built for it; brings the compiler's part for it.
    pub(crate) fn require(&self) -> Result<()> {
        if !self.is_cross {
            return tools::require(&[tools::CC, tools::READELF, tools::STRIP]);
        }
        tools::require(&[tools::AARCH64_GCC, tools::AARCH64_GXX, tools::QEMU_AARCH64, tools::READELF])?;
        // Nothing happens where it is installed already.
        command::run(Command::new("rustup").args(["target", "add", &self.triple]))
    }

    /// Whether it is not this machine's platform.
    pub(crate) fn is_cross(&self) -> bool {
        self.is_cross
    }

    /// A program of binutils for its files.
    pub(crate) fn binutil(&self, name: &str) -> Command {
        Command::new(if self.is_cross { format!("{BINUTILS}{name}") } else { name.to_owned() })
    }

    /// One of its programs, run on this machine.
    pub(crate) fn run(&self, program: &Path) -> Command {
        if !self.is_cross {
            return Command::new(program);
        }
        let mut emulator = Command::new(tools::QEMU_AARCH64.program);
        emulator.args(["-L", AARCH64_SYSTEM_ROOT]).arg(program);
        emulator
    }

    /// What Debian calls its processor.
    pub(crate) fn debian_architecture(&self) -> Result<&'static str> {
        match self.triple.split('-').next() {
            Some("x86_64") => Ok("amd64"),
            Some("aarch64") => Ok("arm64"),
            _ => bail!("no Debian package is made for {}", self.triple),
        }
    }

    /// The folder of its libraries on Debian.
    pub(crate) fn multiarch(&self) -> String {
        self.triple.replace("-unknown", "")
    }
}
