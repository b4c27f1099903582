//! `cargo xtask faults` and `cargo xtask soak`: the table of faults, each injected for real.
//!
//! Every row is the work of ordinary tests, which also run with all others; here they are run one by one, and
//! what each of them counted (how often the fault struck, what was lost, what came twice, the most memory that was
//! resident and the most that was allowed) is put into one table. A fault without a test, and a test without a count, is a failure: silence proves nothing.

mod soak;
mod table;

use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::tools;
use crate::workspace::Workspace;
pub(crate) use soak::{missing, stale};
use table::{FAULTS, Fault, Test};

/// What a test of a fault writes before its six numbers.
const ROW_PREFIX: &str = "fault-row: ";
/// Tells a test that it runs alone, and whether in the whole size of its fault.
const SIZE_VARIABLE: &str = "MFN_FAULTS";

/// What the simulator of the delivery machines has to run, and in which time.
const SEEDS_MIN: u64 = 10_000;
const SEEDS_SECONDS_MAX: u64 = 60;

/// What was counted for a fault.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Counted {
    struck: u64,
    lost: u64,
    duplicated: u64,
    /// Of the test that came closest to its limit.
    memory: Memory,
}

/// What was resident at most and what was allowed, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Memory {
    peak: u64,
    allowed: u64,
}

impl Memory {
    /// The one that is closer to its limit.
    fn closer(self, other: Self) -> Self {
        let part = |memory: Self| memory.peak as f64 / memory.allowed.max(1) as f64;
        if part(other) > part(self) { other } else { self }
    }
}

impl Counted {
    /// Both together.
    fn add(&mut self, other: Self) {
        self.struck += other.struck;
        self.lost += other.lost;
        self.duplicated += other.duplicated;
        self.memory = self.memory.closer(other.memory);
    }
}

/// Runs the table; `full`: in the size of a long run instead of that of continuous integration, and what it gives goes
/// into the document.
pub(crate) fn run(workspace: &Workspace, full: bool, only: &[u8]) -> Result<()> {
    if let Some(unknown) = only.iter().find(|number| FAULTS.iter().all(|fault| fault.number != **number)) {
        bail!("{unknown} is no fault of the table: give numbers from 1 to {}", FAULTS.len());
    }
    tools::require(&tools::FOR_TESTS)?;
    let injector = Injector { workspace, full, has_all: only.is_empty() };
    let mut lines = Vec::new();
    let mut failed = Vec::new();
    for fault in FAULTS.iter().filter(|fault| only.is_empty() || only.contains(&fault.number)) {
        let started = Instant::now();
        let counted = injector.inject(fault);
        let seconds = started.elapsed().as_secs();
        match &counted {
            Ok(counted) if full => soak::keep(workspace, fault.number, *counted, seconds)?,
            Ok(_) => {}
            Err(error) => {
                println!("fault {}: {error:#}", fault.number);
                failed.push(fault.number.to_string());
            }
        }
        lines.push(line(fault, counted.ok(), seconds));
    }
    println!(
        "\n{:>2}  {:<61} {:>8} {:>5} {:>10} {:>9} {:>9} {:>5}",
        "#", "fault", "struck", "lost", "duplicated", "peak MiB", "of MiB", "s"
    );
    println!("{}", lines.join("\n"));
    if only.is_empty()
        && let Err(error) = injector.simulate()
    {
        println!("simulator: {error:#}");
        failed.push("simulator".to_owned());
    }
    if !failed.is_empty() {
        bail!("not survived: {}", failed.join(", "));
    }
    Ok(())
}

/// A line of the table.
fn line(fault: &Fault, counted: Option<Counted>, seconds: u64) -> String {
    let Fault { number, title, .. } = fault;
    let (cells, verdict) = counted.map_or((std::array::from_fn(|_| "-".to_owned()), "FAIL"), |it| {
        let Memory { peak, allowed } = it.memory;
        let counts = [it.struck, it.lost, it.duplicated].map(|count| count.to_string());
        let [struck, lost, duplicated] = counts;
        ([struck, lost, duplicated, mebibytes(peak), mebibytes(allowed)], "pass")
    });
    let [struck, lost, duplicated, peak, allowed] = cells;
    format!(
        "{number:>2}  {title:<61} {struck:>8} {lost:>5} {duplicated:>10} {peak:>9} {allowed:>9} {seconds:>5}  {verdict}"
    )
}

/// Bytes as a number of MiB with one digit.
fn mebibytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / (1 << 20) as f64)
}

/// How tests are run.
struct Injector<'w> {
    workspace: &'w Workspace,
    full: bool,
    /// Whether all rows are run: then the programs that `cargo xtask test` has built are taken, whose features are those of
    /// the whole workspace; for single rows their packages are built alone, which is less where nothing is there yet.
    has_all: bool,
}

impl Injector<'_> {
    /// Runs the tests of a fault.
    fn inject(&self, fault: &Fault) -> Result<Counted> {
        if fault.tests.is_empty() {
            bail!("there is no test for it");
        }
        let mut sum = Counted::default();
        for test in fault.tests {
            let name = test.2;
            let output = self.run(*test)?;
            sum.add(counted(&output, fault.number).with_context(|| format!("the test {name}"))?);
        }
        Ok(sum)
    }

    /// The delivery machines against all faults at once in virtual time: every seed clean, within its time, and each bug that
    /// is planted on purpose found.
    fn simulate(&self) -> Result<()> {
        let test = |name| self.run(("mfn-runtime", "lib", name));
        // Finds the bugs, and has the program built before the time of the seeds is taken.
        let bugs = test("delivery::simulation::planted_bugs_are_found")?.matches(": seed ").count();
        let started = Instant::now();
        let output = test("delivery::simulation::ten_thousand_seeds_lose_nothing")?;
        let seconds = started.elapsed().as_secs();
        let told = output.lines().find_map(|line| line.split_once(" seeds: ")?.0.split_whitespace().last());
        let seeds: u64 = told
            .and_then(|count| count.parse().ok())
            .context("the simulator does not say how many seeds it ran")?;
        println!("simulator: {seeds} seeds clean in {seconds} s, {bugs} planted bugs found");
        if seeds < SEEDS_MIN || seconds > SEEDS_SECONDS_MAX || bugs == 0 {
            bail!("{SEEDS_MIN} seeds are to run in {SEEDS_SECONDS_MAX} s, and planted bugs to be found");
        }
        Ok(())
    }

    /// Runs one test and gives what it wrote.
    fn run(&self, (package, program, name): Test) -> Result<String> {
        let mut cargo = self.workspace.cargo();
        cargo.args(["test", "--quiet"]);
        if self.has_all {
            cargo.arg("--workspace")
        } else {
            cargo.args(["--package", package])
        };
        match program {
            "lib" => cargo.arg("--lib"),
            program => cargo.args(["--test", program]),
        };
        cargo.args(["--", "--exact", "--nocapture", name]);
        // A backtrace reads the debug information, a hundred megabytes, into the process whose memory is judged.
        cargo.env(SIZE_VARIABLE, if self.full { "full" } else { "ci" }).env("RUST_BACKTRACE", "0");
        println!("+ cargo test --package {package} {name}{}", if self.full { " (full size)" } else { "" });
        let output = cargo.stdin(Stdio::null()).output().context("could not start cargo")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            bail!("{name} failed:\n{text}{}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(text)
    }
}

/// The sum of the rows for a fault in what a test wrote.
fn counted(output: &str, number: u8) -> Result<Counted> {
    let mut sum = Counted::default();
    let mut rows = 0;
    // A test's first line can stand behind what the harness wrote without ending its line.
    for row in output.lines().filter_map(|line| Some(line.split_once(ROW_PREFIX)?.1)) {
        let numbers: Vec<u64> = row.split_whitespace().map_while(|word| word.parse().ok()).collect();
        let [of, struck, lost, duplicated, peak, allowed] = numbers[..] else {
            bail!(
                "`{row}` is not the numbers of fault, struck, lost, duplicated, bytes at most, bytes allowed"
            );
        };
        if of != u64::from(number) {
            continue;
        }
        if struck == 0 || lost > 0 || peak == 0 || peak > allowed {
            bail!("struck {struck} times, lost {lost} records, took {peak} bytes of {allowed}");
        }
        sum.add(Counted { struck, lost, duplicated, memory: Memory { peak, allowed } });
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
    /// strike, a lost record, too much memory, none, and a torn row are failures.
    #[test]
    fn rows_decide() {
        let output =
            "running 1 test\nx.fault-row: 3 2 0 7 10 11\nfault-row: 3 1 0 0 30 90\nfault-row: 4 9 0 0 9 9\n";
        let memory = Memory { peak: 10, allowed: 11 };
        assert_eq!(counted(output, 3).unwrap(), Counted { struck: 3, lost: 0, duplicated: 7, memory });
        for bad in
            ["", "4 1 0 0 1 1", "3 0 0 0 1 1", "3 1 1 0 1 1", "3 1 0 0 2 1", "3 1 0 0 0 1", "3 1 0 0 1"]
        {
            let bad = &format!("fault-row: {bad}");
            assert!(counted(bad, 3).is_err(), "{bad}");
        }
    }

    /// Guards the table: its numbers and names are those of the document, in order.
    #[test]
    fn the_document_has_the_same_faults() {
        let document = include_str!("../../../docs/delivery.md");
        // Behind it stands what long runs gave, with the same numbers.
        let (table, _) = document.split_once("<!-- generated: soak -->").unwrap();
        let rows = table.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
        let named: Vec<(u8, &str)> = rows
            .filter_map(|(number, rest)| Some((number.parse().ok()?, rest.split_once(" | ")?.0)))
            .collect();
        let faults: Vec<(u8, &str)> = FAULTS.iter().map(|fault| (fault.number, fault.title)).collect();
        assert_eq!(named, faults);
    }
}
