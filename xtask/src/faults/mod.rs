//! `cargo xtask faults` and `cargo xtask soak`: the table of faults, each injected for real.
//!
//! Every row is the work of ordinary tests, which also run with all others; here they are run one by one, and
//! what each of them counted (how often the fault struck, what was lost, what came twice) is put into one table. A
//! fault without a test, and a test without a count, is a failure: silence proves nothing.

mod table;

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;
use crate::{stage, tools};
use table::{FAULTS, Fault, Test};

/// What a test of a fault writes before its four numbers.
const ROW_PREFIX: &str = "fault-row: ";
/// Asks the tests for the whole size of a fault.
const SIZE_VARIABLE: &str = "MFN_FAULTS";

/// What was counted for a fault.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counted {
    struck: u64,
    lost: u64,
    duplicated: u64,
}

/// Runs the table; `full`: in the size of a long run instead of that of continuous integration.
pub(crate) fn run(workspace: &Workspace, full: bool, only: &[u8]) -> Result<()> {
    if let Some(unknown) = only.iter().find(|number| FAULTS.iter().all(|fault| fault.number != **number)) {
        bail!("{unknown} is no fault of the table: give numbers from 1 to {}", FAULTS.len());
    }
    tools::require(&tools::FOR_TESTS)?;
    stage::run(workspace)?;
    let mut lines = Vec::new();
    let mut failed = Vec::new();
    for fault in FAULTS.iter().filter(|fault| only.is_empty() || only.contains(&fault.number)) {
        let counted = inject(workspace, fault, full);
        if let Err(error) = &counted {
            println!("fault {}: {error:#}", fault.number);
            failed.push(fault.number.to_string());
        }
        lines.push(line(fault, counted.ok()));
    }
    println!("\n{:>2}  {:<60} {:>9} {:>5} {:>10}", "#", "fault", "struck", "lost", "duplicated");
    println!("{}", lines.join("\n"));
    if !failed.is_empty() {
        bail!("{} of {} faults are not survived: {}", failed.len(), lines.len(), failed.join(", "));
    }
    Ok(())
}

/// A line of the table.
fn line(fault: &Fault, counted: Option<Counted>) -> String {
    let Fault { number, title, .. } = fault;
    match counted {
        Some(Counted { struck, lost, duplicated }) => {
            format!("{number:>2}  {title:<60} {struck:>9} {lost:>5} {duplicated:>10}  pass")
        }
        None => format!("{number:>2}  {title:<60} {:>9} {:>5} {:>10}  FAIL", "-", "-", "-"),
    }
}

/// Runs the tests of a fault.
fn inject(workspace: &Workspace, fault: &Fault, full: bool) -> Result<Counted> {
    if fault.tests.is_empty() {
        bail!("there is no test for it");
    }
    let mut sum = Counted::default();
    for test in fault.tests {
        let name = test.2;
        let output = run_test(workspace, *test, full)?;
        let counted = counted(&output, fault.number).with_context(|| format!("the test {name}"))?;
        sum.struck += counted.struck;
        sum.lost += counted.lost;
        sum.duplicated += counted.duplicated;
    }
    Ok(sum)
}

/// Runs one test and gives what it wrote.
fn run_test(workspace: &Workspace, (package, program, name): Test, full: bool) -> Result<String> {
    let mut cargo = workspace.cargo();
    cargo.args(["test", "--quiet", "--package", package]);
    match program {
        "lib" => cargo.arg("--lib"),
        program => cargo.args(["--test", program]),
    };
    cargo.args(["--", "--exact", "--nocapture", name]);
    println!("+ cargo test --package {package} {name}{}", if full { " (full size)" } else { "" });
    let output = sized(&mut cargo, full).stdin(Stdio::null()).output().context("could not start cargo")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        bail!("{name} failed:\n{text}{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(text)
}

fn sized(command: &mut Command, full: bool) -> &mut Command {
    if full { command.env(SIZE_VARIABLE, "full") } else { command.env_remove(SIZE_VARIABLE) }
}

/// The sum of the rows for a fault in what a test wrote.
fn counted(output: &str, number: u8) -> Result<Counted> {
    let mut sum = Counted::default();
    let mut rows = 0;
    // A test's first line can stand behind what the harness wrote without ending its line.
    for row in output.lines().filter_map(|line| Some(line.split_once(ROW_PREFIX)?.1)) {
        let numbers: Vec<u64> = row.split_whitespace().map_while(|word| word.parse().ok()).collect();
        let [of, struck, lost, duplicated] = numbers[..] else {
            bail!("`{row}` is not the numbers of fault, struck, lost, duplicated");
        };
        if of != u64::from(number) {
            continue;
        }
        if struck == 0 || lost > 0 {
            bail!("struck {struck} times, lost {lost} records");
        }
        sum.struck += struck;
        sum.duplicated += duplicated;
        rows += 1;
    }
    if rows == 0 {
        bail!("wrote no row: it was not run, or does not report what it injected");
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the verdict: rows of the fault are summed wherever they stand in a line; no row, a fault that did not
    /// strike, a lost record and a torn row are failures.
    #[test]
    fn rows_decide() {
        let output = "running 1 test\nx.fault-row: 3 2 0 7\nfault-row: 3 1 0 0\nfault-row: 4 9 0 0\n";
        assert_eq!(counted(output, 3).unwrap(), Counted { struck: 3, lost: 0, duplicated: 7 });
        for bad in ["", "fault-row: 4 1 0 0", "fault-row: 3 0 0 0", "fault-row: 3 1 1 0", "fault-row: 3 1 0"]
        {
            assert!(counted(bad, 3).is_err(), "{bad}");
        }
    }

    /// Guards the table: its numbers and names are those of the document, in order.
    #[test]
    fn the_document_has_the_same_faults() {
        let document = include_str!("../../../docs/delivery.md");
        let rows = document.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
        let named: Vec<(u8, &str)> = rows
            .filter_map(|(number, rest)| Some((number.parse().ok()?, rest.split_once(" | ")?.0)))
            .collect();
        let faults: Vec<(u8, &str)> = FAULTS.iter().map(|fault| (fault.number, fault.title)).collect();
        assert_eq!(named, faults);
    }
}
