//! libabigail's judgement of the types: `abidiff` between the committed description of the last release and the header
//! of today. Types are read from a small library that is compiled with debug information from the header alone: the
//! debug information of libmfn.so describes Rust's types and has hundreds of megabytes; that libmfn.so exports exactly
//! these functions, and lays these structs out like this, is what other checks guard.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::Subject;
use super::interface::{Interface, Signature};
use crate::check::Findings;
use crate::command;

/// The committed description.
pub(super) const BASELINE: &str = "ffi/abi/libmfn.abi.xml";

/// What is asked of `abidw`, so that the description is small and the same on every machine.
const ABIDW: [&str; 5] =
    ["--no-corpus-path", "--no-comp-dir-path", "--no-show-locs", "--type-id-style", "hash"];

/// Compares the header with the committed description.
pub(super) fn check(subject: &Subject) -> Result<Findings> {
    let interface = subject.interface()?;
    let scope = format!("{} functions with their types, by abidiff", interface.functions.len());
    if cfg!(not(target_arch = "x86_64")) {
        let reason = format!("{BASELINE} describes a library for x86-64");
        return Ok(Findings { not_checked: Some(reason), ..Findings::new(Vec::new(), scope) });
    }
    let folder = tempfile::tempdir()?;
    let library = stand_in(&interface, &subject.include(), folder.path(), "")?;
    let suppressions = folder.path().join("growth.abignore");
    std::fs::write(&suppressions, growth(&interface))?;
    let baseline = subject.workspace.join(BASELINE);
    ensure!(baseline.is_file(), "{BASELINE} is missing; `cargo xtask abi --save-baseline` writes it");
    let mut abidiff = Command::new("abidiff");
    abidiff.args(["--no-added-syms", "--no-show-locs", "--suppressions"]).arg(&suppressions);
    let output = command::output(abidiff.arg(&baseline).arg(&library))?;
    let text = output.text.trim();
    ensure!(output.success || text.contains("change"), "abidiff: {text}");
    let fault = (!output.success).then(|| text.to_owned());
    subject.broken(fault.into_iter().collect(), scope, interface.version()?)
}

/// The description of a header, to be committed.
pub(super) fn describe(interface: &Interface, include: &Path) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let library = stand_in(interface, include, folder.path(), "")?;
    command::capture(Command::new("abidw").args(ABIDW).arg(&library))
}

/// What a struct that says its size may do: grow at its end.
fn growth(interface: &Interface) -> String {
    let growing: Vec<&str> =
        interface.structs.keys().map(String::as_str).filter(|name| interface.may_grow(name)).collect();
    format!(
        "[suppress_type]\n  type_kind = struct\n  name_regexp = ^({})$\n  has_data_member_inserted_at = end\n",
        growing.join("|")
    )
}

/// A library with the functions of the header that do nothing; `more` is further source.
pub(super) fn stand_in(interface: &Interface, include: &Path, folder: &Path, more: &str) -> Result<PathBuf> {
    let mut text = String::from("#include <mfn.h>\n");
    for (name, signature) in &interface.functions {
        text.push_str(&definition(name, signature)?);
    }
    text.push_str(more);
    let (source, library) = (folder.join("libmfn.c"), folder.join("libmfn.so"));
    std::fs::write(&source, text).context("can not write a stand-in")?;
    let mut cc = Command::new("gcc");
    cc.args(["-std=c99", "-g", "-O0", "-shared", "-fPIC", "-I"])
        .arg(include)
        .arg(&source)
        .arg("-o")
        .arg(&library);
    cc.arg(format!("-Wl,-soname,libmfn.so.{}", interface.version()?));
    command::capture(&mut cc)?;
    Ok(library)
}

fn definition(name: &str, signature: &Signature) -> Result<String> {
    let numbered = signature.parameters.iter().enumerate();
    let parameters: Vec<String> = numbered.map(|(number, of)| format!("{of} p{number}")).collect();
    let parameters = if parameters.is_empty() { String::from("void") } else { parameters.join(", ") };
    let result = &signature.result;
    let mut text = format!("{result} {name}({parameters}) {{ ");
    if result != "void" {
        let kept = result.strip_prefix("const ").unwrap_or(result);
        write!(text, "static {kept} nothing; return nothing; ")?;
    }
    Ok(text + "}\n")
}
