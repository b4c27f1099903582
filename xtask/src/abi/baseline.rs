//! The committed promise of the last release against the header of today, item by item. Additions are told; a break is
//! a fault unless MFN_ABI_VERSION has risen.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::contract::{Contract, Difference};
use super::interface::Interface;
use super::{Subject, layout, types};
use crate::check::Findings;
use crate::header::HEADER;
use crate::workspace::Workspace;

/// The committed lines.
pub(super) const BASELINE: &str = "ffi/abi/mfn.contract";

/// The committed promise.
pub(super) fn committed(workspace: &Workspace) -> Result<Contract> {
    let text = workspace.read(BASELINE).context("`cargo xtask abi --save-baseline` writes it")?;
    Contract::parse(&text).with_context(|| String::from(BASELINE))
}

fn today(interface: &Interface, include: &Path) -> Result<Contract> {
    Contract::new(interface, &layout::in_c(interface, include)?)
}

/// Compares the two.
pub(super) fn check(subject: &Subject) -> Result<Findings> {
    let interface = subject.interface()?;
    let contract = today(&interface, &subject.include())?;
    let Difference { breaks, additions } = committed(&subject.workspace)?.compare(&contract);
    let scope = format!("{} items, {} of them new", contract.len(), additions.len());
    subject.broken(breaks, scope, interface.version()?)
}

/// Makes the header of today the promise; not when that would hide a break.
pub(super) fn save(workspace: &Workspace) -> Result<()> {
    let include = workspace.join("include");
    let interface = Interface::parse(&workspace.read(HEADER)?)?;
    let contract = today(&interface, &include)?;
    if workspace.join(BASELINE).is_file() {
        let old = committed(workspace)?;
        let breaks = old.compare(&contract).breaks;
        if !breaks.is_empty() && contract.version()? <= old.version()? {
            bail!("raise MFN_ABI_VERSION (and the soname in ffi/build.rs) for:\n  {}", breaks.join("\n  "));
        }
    }
    for (name, text) in
        [(BASELINE, contract.text()), (types::BASELINE, types::describe(&interface, &include)?)]
    {
        let path = workspace.join(name);
        std::fs::create_dir_all(path.parent().context("a file lies in a folder")?)?;
        std::fs::write(&path, text).with_context(|| format!("can not write {name}"))?;
        println!("wrote {name}");
    }
    Ok(())
}
