//! `cargo xtask abi`: the guard of what compiled programs and plugins rely on. Each check prints one line; breaks are
//! refused unless the major version rises; `--self-test` shows that deliberate breaks are caught, and
//! `--save-baseline` makes the header of today the promise that the next ones are compared with.

mod baseline;
mod contract;
mod dialects;
mod exports;
mod faces;
mod interface;
mod layout;
mod plugins;
mod self_test;
mod types;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::check::{self, Findings};
use crate::cli::AbiOptions;
use crate::header::HEADER;
use crate::workspace::Workspace;
use crate::{stage, tools};
use interface::Interface;

/// What is looked at: a checkout, and the release library with its plugins.
#[derive(Debug, Clone)]
struct Subject {
    workspace: Workspace,
    /// libmfn.so as it is shipped.
    library: PathBuf,
    /// The folder of the plugins as they are shipped.
    plugins: PathBuf,
}

impl Subject {
    /// What the header declares.
    fn interface(&self) -> Result<Interface> {
        Interface::parse(&self.workspace.read(HEADER)?)
    }

    /// The folder of the header.
    fn include(&self) -> PathBuf {
        self.workspace.join("include")
    }

    /// Breaks as faults, or as warnings where the ABI version has risen over that of the committed promise.
    fn broken(&self, breaks: Vec<String>, scope: String, version: u32) -> Result<Findings> {
        let before = baseline::committed(&self.workspace)?.version()?;
        if version > before {
            let warnings =
                breaks.into_iter().map(|text| format!("a break, as ABI {version} may have: {text}"));
            return Ok(Findings { warnings: warnings.collect(), scope, ..Findings::default() });
        }
        Ok(Findings::new(breaks, scope))
    }
}

/// One check of the promise.
#[derive(Clone, Copy)]
struct Check {
    name: &'static str,
    run: fn(&Subject) -> Result<Findings>,
}

const CHECKS: [Check; 10] = [
    Check { name: "header", run: |subject| check::header::check(&subject.workspace) },
    Check { name: "exports", run: exports::check },
    Check { name: "layout", run: layout::check },
    Check { name: "contract", run: baseline::check },
    Check { name: "abidiff", run: types::check },
    Check { name: "c", run: dialects::check_c },
    Check { name: "c++", run: dialects::check_cpp },
    Check { name: "c++ face", run: faces::check_cpp },
    Check { name: "go face", run: faces::check_go },
    Check { name: "plugins", run: plugins::check },
];

/// Does what the options say.
pub(crate) fn run(workspace: &Workspace, options: &AbiOptions) -> Result<()> {
    tools::require(&tools::FOR_ABI)?;
    if options.save_baseline {
        baseline::save(workspace)?;
        return plugins::save(workspace);
    }
    let root = match &options.installed {
        Some(root) => root.clone(),
        None => stage::run(workspace)?.root,
    };
    let subject = Subject {
        workspace: workspace.clone(),
        library: root.join("lib/libmfn.so"),
        plugins: root.join("plugins"),
    };
    if options.self_test { self_test::run(&subject) } else { run_all(&subject) }
}

fn run_all(subject: &Subject) -> Result<()> {
    let mut failed = Vec::new();
    for check in CHECKS {
        let started = Instant::now();
        let findings = (check.run)(subject).unwrap_or_else(Findings::could_not_run);
        findings.print(check.name, started.elapsed());
        if !findings.faults.is_empty() {
            failed.push(check.name);
        }
    }
    if !failed.is_empty() {
        bail!("{} of {} checks failed: {}", failed.len(), CHECKS.len(), failed.join(", "));
    }
    println!("abi: all {} checks passed", CHECKS.len());
    Ok(())
}
