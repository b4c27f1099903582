//! What libmfn.so offers to the linker: exactly the functions of the header, under the soname of the header's ABI
//! version, with no dependency but the C library, and with the versions that it says it has.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::Subject;
use crate::check::Findings;
use crate::command;

/// What libmfn.so may need.
const NEEDED: [&str; 6] =
    ["libgcc_s.so.1", "libm.so.6", "libc.so.6", "libdl.so.2", "libpthread.so.0", "ld-linux-x86-64.so.2"];

/// Compares the library with the header.
pub(super) fn check(subject: &Subject) -> Result<Findings> {
    let interface = subject.interface()?;
    let declared: BTreeSet<String> = interface.functions.keys().cloned().collect();
    let exported = exported(&subject.library)?;
    let mut faults = Vec::new();
    faults.extend(
        exported.difference(&declared).map(|name| format!("{name} is exported and not in the header")),
    );
    faults.extend(
        declared.difference(&exported).map(|name| format!("{name} is in the header and not exported")),
    );
    let soname = format!("libmfn.so.{}", interface.version()?);
    let dynamic =
        command::capture(Command::new("readelf").args(["--dynamic", "--wide"]).arg(&subject.library))?;
    let entries = |kind: &'static str| {
        let lines = dynamic.lines().filter(move |line| line.contains(kind));
        lines.filter_map(|line| line.split(['[', ']']).nth(1))
    };
    if entries("(SONAME)").collect::<Vec<_>>() != [soname.as_str()] {
        faults.push(format!("the soname is not {soname}, which MFN_ABI_VERSION asks for"));
    }
    let foreign = entries("(NEEDED)").filter(|name| !NEEDED.contains(name));
    faults.extend(foreign.map(|name| format!("the library needs {name}")));
    if faults.is_empty() {
        faults.extend(version_fault(subject)?);
    }
    Ok(Findings::new(faults, format!("{} functions, {soname}", exported.len())))
}

/// The names that a library exports.
fn exported(library: &Path) -> Result<BTreeSet<String>> {
    let symbols = command::capture(Command::new("nm").args(["--dynamic", "--defined-only"]).arg(library))?;
    Ok(symbols.lines().filter_map(|line| line.split_whitespace().last()).map(str::to_owned).collect())
}

/// Asks the library for its versions.
fn version_fault(subject: &Subject) -> Result<Option<String>> {
    let folder = tempfile::tempdir()?;
    let (source, program) = (folder.path().join("version.c"), folder.path().join("version"));
    std::fs::write(
        &source,
        "#include <mfn.h>\n#include <stdio.h>\nint main(void) {\n    \
         printf(\"%s %d\", mfn_version(), mfn_abi_version() == MFN_ABI_VERSION);\n    return 0;\n}\n",
    )?;
    let mut cc = Command::new("gcc");
    cc.arg("-I").arg(subject.include()).arg(&source).arg(&subject.library).arg("-o").arg(&program);
    command::capture(&mut cc)?;
    // The soname is looked for, which only an installed library has beside it.
    let soname = format!("libmfn.so.{}", subject.interface()?.version()?);
    std::os::unix::fs::symlink(subject.library.canonicalize()?, folder.path().join(soname))
        .context("can not link the library")?;
    let told = command::capture(Command::new(&program).env("LD_LIBRARY_PATH", folder.path()))?;
    let expected = format!("{} 1", env!("CARGO_PKG_VERSION"));
    Ok((told != expected)
        .then(|| format!("the library says version and ABI match {told:?}, not {expected:?}")))
}
