//! `cargo xtask check`: everything that can be said about the sources without running the
//! product. Each check prints one line; `--self-test` shows that each one can fail.

mod arrows;
mod cargo;
pub(crate) mod cpp;
mod documents;
mod figures;
pub(crate) mod header;
mod performance;
mod self_test;
mod sizes;
mod unsafe_code;
mod words;

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::cli::CheckOptions;
use crate::tools;
use crate::workspace::Workspace;

/// What a check found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// What is wrong; empty when all is well.
    pub(crate) faults: Vec<String>,
    /// What is not wrong yet but soon will be.
    pub(crate) warnings: Vec<String>,
    /// What was looked at, for the line that is printed.
    pub(crate) scope: String,
    /// What could not be looked at, and why.
    pub(crate) not_checked: Option<String>,
}

impl Findings {
    /// Findings without warnings.
    pub(crate) fn new(faults: Vec<String>, scope: String) -> Self {
        Self { faults, scope, ..Self::default() }
    }

    /// The finding that nothing could be found.
    pub(crate) fn could_not_run(error: anyhow::Error) -> Self {
        Self::new(vec![format!("{error:#}")], String::from("could not run"))
    }

    /// Prints a line with the verdict, and one for each thing found.
    pub(crate) fn print(&self, name: &str, took: Duration) {
        let verdict = if self.faults.is_empty() { "ok" } else { "FAILED" };
        println!("{name:<10} {verdict:<6} {:>5.1} s  {}", took.as_secs_f64(), self.scope);
        for fault in &self.faults {
            println!("    fault: {}", fault.replace('\n', "\n    "));
        }
        for warning in &self.warnings {
            println!("    warning: {warning}");
        }
        if let Some(reason) = &self.not_checked {
            println!("    NOT CHECKED: {reason}");
        }
    }
}

/// One check of the sources.
#[derive(Clone, Copy)]
struct Check {
    name: &'static str,
    run: fn(&Workspace) -> Result<Findings>,
}

/// All checks, the quick ones first.
const CHECKS: [Check; 13] = [
    Check { name: "words", run: words::check },
    Check { name: "sizes", run: sizes::check },
    Check { name: "unsafe", run: unsafe_code::check },
    Check { name: "fmt", run: cargo::fmt },
    Check { name: "arrows", run: arrows::check },
    Check { name: "documents", run: documents::check },
    Check { name: "figures", run: figures::check },
    Check { name: "performance", run: performance::check },
    Check { name: "header", run: header::check },
    Check { name: "cpp", run: cpp::check },
    Check { name: "deny", run: cargo::deny },
    Check { name: "clippy", run: cargo::clippy },
    Check { name: "rustdoc", run: cargo::rustdoc },
];

/// Runs the checks, or shows that they can fail.
pub(crate) fn run(workspace: &Workspace, options: &CheckOptions) -> Result<()> {
    tools::require(&[tools::GIT, tools::CARGO_DENY])?;
    for name in &options.only {
        if !CHECKS.iter().any(|check| check.name == name) {
            let names: Vec<&str> = CHECKS.iter().map(|check| check.name).collect();
            bail!("there is no check {name:?}; there are {}", names.join(", "));
        }
    }
    let wanted = |check: &&Check| options.only.is_empty() || options.only.iter().any(|n| n == check.name);
    let checks: Vec<Check> = CHECKS.iter().filter(wanted).copied().collect();
    if options.self_test { self_test::run(workspace, &checks) } else { run_all(workspace, &checks) }
}

fn run_all(workspace: &Workspace, checks: &[Check]) -> Result<()> {
    let mut failed = Vec::new();
    for check in checks {
        let started = Instant::now();
        let findings = (check.run)(workspace).unwrap_or_else(Findings::could_not_run);
        findings.print(check.name, started.elapsed());
        if !findings.faults.is_empty() {
            failed.push(check.name);
        }
    }
    if !failed.is_empty() {
        bail!("{} of {} checks failed: {}", failed.len(), checks.len(), failed.join(", "));
    }
    println!("check: all {} checks passed", checks.len());
    Ok(())
}
