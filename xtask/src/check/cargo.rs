//! The checks that other programs do: rustfmt, clippy, rustdoc and cargo-deny.

use std::process::Command;

use anyhow::Result;

use super::Findings;
use crate::command;
use crate::workspace::Workspace;

/// Lines of a tool's output that are shown when it fails.
const OUTPUT_LINES_MAX: usize = 60;

/// Formatting.
pub(crate) fn fmt(workspace: &Workspace) -> Result<Findings> {
    let mut cargo = workspace.cargo();
    cargo.args(["fmt", "--all", "--", "--check", "-l"]);
    of_command(&mut cargo, "all members, rustfmt.toml")
}

/// Lints, with warnings as errors.
pub(crate) fn clippy(workspace: &Workspace) -> Result<Findings> {
    let mut cargo = workspace.cargo();
    cargo.args(["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]);
    of_command(&mut cargo, "all members, all targets, -D warnings")
}

/// Documentation without warnings.
pub(crate) fn rustdoc(workspace: &Workspace) -> Result<Findings> {
    let mut cargo = workspace.cargo();
    cargo.args(["doc", "--workspace", "--no-deps", "--quiet"]).env("RUSTDOCFLAGS", "-D warnings");
    of_command(&mut cargo, "all members, -D warnings")
}

/// Licences, bans and sources, and advisories when their database can be had.
pub(crate) fn deny(workspace: &Workspace) -> Result<Findings> {
    let mut licences = deny_command(workspace, &["bans", "licenses", "sources"]);
    let mut findings = of_command(&mut licences, "licences, bans, sources, advisories")?;
    let advisories = command::output(&mut deny_command(workspace, &["advisories"]))?;
    if !advisories.success {
        if is_unreachable(&advisories.text) {
            findings.scope = String::from("licences, bans, sources");
            findings.not_checked = Some(String::from("advisories: the RustSec database can not be reached"));
        } else {
            findings.faults.push(tail(&advisories.text));
        }
    }
    Ok(findings)
}

fn deny_command(workspace: &Workspace, what: &[&str]) -> Command {
    let mut cargo = workspace.cargo();
    cargo.args(["deny", "--color", "never", "check", "--hide-inclusion-graph"]).args(what);
    cargo
}

/// Whether the advisories could not be judged because their database could not be fetched.
fn is_unreachable(text: &str) -> bool {
    text.contains("failed to fetch advisory database") || text.contains("failed to load advisory database")
}

fn of_command(command: &mut Command, scope: &str) -> Result<Findings> {
    let output = command::output(command)?;
    let faults = if output.success { Vec::new() } else { vec![tail(&output.text)] };
    Ok(Findings::new(faults, scope.to_owned()))
}

/// The last lines of a tool's output.
fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let first = lines.len().saturating_sub(OUTPUT_LINES_MAX);
    if lines.is_empty() { String::from("failed without a word") } else { lines[first..].join("\n") }
}
