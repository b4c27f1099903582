//! `cargo xtask test`: every test there is. The whole-path tests run the staged demo, so that is
//! built first; the C and C++ tests need compilers and valgrind, and fail without them.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;
use crate::{command, cpp, dist, golang, stage, tools};

/// Builds what the tests drive and runs all of them.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let started = Instant::now();
    tools::require(&tools::FOR_TESTS)?;
    let stage = stage::run(workspace)?;
    // Tests that load plugins or link libmfn take these from the target directory.
    command::run(workspace.cargo().args(["build", "--workspace"]))?;
    // A failure of the C++ or Go interface or of the packages is told at the end, like that of any test.
    let cpp = cpp::run(workspace);
    let go = golang::test(workspace, &stage.root, golang::STRESS_SECONDS);
    let packages = dist::test::run(workspace);
    let (counts, succeeded) = cargo_test(workspace)?;
    // Ignored are those that other tests start as programs of their own.
    let Counts { passed, failed, ignored } = counts;
    let seconds = started.elapsed().as_secs();
    println!("test: {passed} passed, {failed} failed, {ignored} ignored, in {seconds} s");
    if !succeeded || failed > 0 {
        bail!("{failed} tests failed, or a test program did");
    }
    cpp.and(go).and(packages)
}

/// Runs the test of the Kafka plugin over TLS. It is built apart, so that the plugin of all other tests stays as it is.
pub(crate) fn kafka_tls(workspace: &Workspace) -> Result<()> {
    tools::require(&[tools::CC, tools::CXX, tools::JAVA, tools::MAVEN])?;
    let mut cargo = workspace.cargo();
    cargo.args(["test", "--package", "mfn-plugin-kafka", "--features", "tls", "--test", "broker", "tls::"]);
    command::run(cargo.arg("--target-dir").arg(workspace.target_dir()?.join("kafka-tls")))
}

/// How many tests ended how.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Counts {
    /// Adds what a line such as `test result: ok. 3 passed; 0 failed; 0 ignored; ..` says.
    fn add_line(&mut self, line: &str) {
        let Some((_, summary)) = line.split_once("test result: ") else { return };
        for part in summary.split([';', '.']) {
            let mut words = part.split_whitespace();
            let (Some(number), Some(what)) = (words.next(), words.next()) else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

/// Runs all tests of the workspace and of its documents, shows their output and counts them.
fn cargo_test(workspace: &Workspace) -> Result<(Counts, bool)> {
    let mut cargo = workspace.cargo();
    cargo
        .args(["test", "--workspace", "--no-fail-fast", "--quiet"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    println!("+ cargo test --workspace --no-fail-fast --quiet");
    let mut child = cargo.spawn().context("could not start cargo")?;
    let mut counts = Counts::default();
    for line in BufReader::new(child.stdout.take().context("cargo has no output")?).lines() {
        let line = line.context("cargo wrote no text")?;
        counts.add_line(&line);
        println!("{line}");
    }
    Ok((counts, child.wait().context("cargo did not end")?.success()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the closing line: a failed or left-out test must be counted as one.
    #[test]
    fn results_are_summed() {
        let mut counts = Counts::default();
        for line in [
            "running 3 tests",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "test result: FAILED. 2 passed; 4 failed; 0 ignored; 0 measured; 7 filtered out; finished in 1.25s",
        ] {
            counts.add_line(line);
        }
        assert_eq!(counts, Counts { passed: 5, failed: 4, ignored: 1 });
    }
}
