//! The command line of `cargo xtask`. The document check parses every documented command with
//! it, so a verb or flag that is renamed here fails the check until the documents follow.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Every task of this repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_version_flag = true)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// The tasks.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Builds libmfn, the plugins and the C example, and runs it on examples/data.
    Demo(DemoOptions),
    /// Builds and lays out target/demo without running anything.
    Stage,
    /// Makes packages in target/dist: an installable tree, an archive of it, and a Debian package.
    Dist(DistOptions),
    /// Unpacks and installs the packages outside of the repository, and uses them as docs/start.md says. Part of `test`.
    TestDist,
    /// Runs every test there is.
    Test,
    /// Runs the tests of the Go binding, with the race detector, cgocheck2 and a static build. Part of `test`.
    TestGo(GoOptions),
    /// Runs the reference vectors and the comparison with the plain loop as AArch64 programs under QEMU.
    TestAarch64,
    /// Runs the test of the Kafka plugin over TLS, with a real broker. Needs OpenSSL's headers.
    TestKafkaTls,
    /// Injects the faults of docs/delivery.md in the size of continuous integration and prints a line for each.
    Faults(FaultOptions),
    /// Injects them in full size: hours.
    Soak(FaultOptions),
    /// Compiles and tests the C++ interface as C++17, 20 and 23, with the sanitizers.
    TestCpp,
    /// Formatting, lints, documentation, licences, import arrows, documents, header drift.
    Check(CheckOptions),
    /// What continuous integration runs: check, test, demo, fuzz targets; with timings.
    Ci,
    /// Writes include/mfn.h anew from the sources of ffi, and the table of the C++ that calls it.
    Header,
    /// Guards what compiled programs and plugins rely on: header, exports, layouts, types, dialects, plugin versions.
    Abi(AbiOptions),
    /// Writes examples/data/fields anew.
    ExampleData,
    /// Draws the pictures of docs/images anew, from real runs.
    Figures(FigureOptions),
    /// Runs the criterion benches, or measures peers, counts instructions, or draws the results.
    Bench(BenchOptions),
}

/// Options of `cargo xtask demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoOptions {
    /// Stay up after the last request, so that the stream and the metrics can be looked at;
    /// Ctrl-C drains and ends with exit code 0.
    #[arg(long)]
    pub(crate) serve: bool,
    /// The pipeline configuration to run.
    #[arg(long, value_name = "FILE", default_value = "examples/demo.toml")]
    pub(crate) config: PathBuf,
    /// Go on where a run that was killed stopped, instead of starting from scratch.
    #[arg(long)]
    pub(crate) resume: bool,
}

/// Options of `cargo xtask faults` and `cargo xtask soak`.
#[derive(Debug, Args)]
pub(crate) struct FaultOptions {
    /// Numbers of faults; all when none is given.
    pub(crate) numbers: Vec<u8>,
}

/// Options of `cargo xtask check`.
#[derive(Debug, Args)]
pub(crate) struct CheckOptions {
    /// Break a copy of the repository on purpose, once for each check, and show that the check
    /// notices.
    #[arg(long)]
    pub(crate) self_test: bool,
    /// Run only the named checks.
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Vec<String>,
}

/// Options of `cargo xtask figures`.
#[derive(Debug, Args)]
pub(crate) struct FigureOptions {
    /// Names of figures, such as `network`; all when none is named.
    pub(crate) names: Vec<String>,
}

/// Options of `cargo xtask bench`. Without a flag the criterion benches run.
#[derive(Debug, Default, Args)]
pub(crate) struct BenchOptions {
    /// Measure libmfn and its peers in one run, in a Python environment made for it, and print each required figure
    /// with its verdict.
    #[arg(long, conflicts_with = "gate")]
    pub(crate) peers: bool,
    /// Count the instructions of small cases under callgrind and compare them with the committed counts.
    #[arg(long)]
    pub(crate) gate: bool,
    /// Build the plugins for release, measure routes and the spool, and print each required figure with its verdict.
    #[arg(long, conflicts_with_all = ["gate", "peers"])]
    pub(crate) delivery: bool,
    /// Measure what it costs to cross into libmfn.so, a plugin and the bindings, each next to the same work without a
    /// boundary, and print each required figure with its verdict.
    #[arg(long, conflicts_with_all = ["gate", "peers", "delivery"])]
    pub(crate) crossing: bool,
    /// Small sizes and few rounds, to try the machinery.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Keep what was measured as what is committed: with --peers, --delivery or --crossing the results and all that is made from
    /// them, with --gate the counts.
    #[arg(long)]
    pub(crate) save: bool,
    /// Write docs/performance.md and its pictures anew from the committed results.
    #[arg(long)]
    pub(crate) draw: bool,
    /// Handed on to criterion, such as a filter; with --peers or --delivery the parts to measure, such as `steps` or `kafka`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) arguments: Vec<String>,
}

/// Options of `cargo xtask test-go`.
#[derive(Debug, Args)]
pub(crate) struct GoOptions {
    /// Test against the libmfn installed under this folder (include, lib, plugins) instead of staging target/demo.
    #[arg(long, value_name = "DIR")]
    pub(crate) installed: Option<PathBuf>,
    /// How long 1,000 goroutines share simulations under the race detector.
    #[arg(long, value_name = "SECONDS", default_value_t = crate::golang::STRESS_SECONDS)]
    pub(crate) stress_seconds: u64,
}

/// Options of `cargo xtask abi`.
#[derive(Debug, Default, Args)]
pub(crate) struct AbiOptions {
    /// Apply ten deliberate breaks to a copy, one after the other, and show that each is caught.
    #[arg(long)]
    pub(crate) self_test: bool,
    /// Make the header of today the promise that later ones are compared with; refused where it breaks the present one
    /// and MFN_ABI_VERSION has not risen.
    #[arg(long, conflicts_with = "self_test")]
    pub(crate) save_baseline: bool,
    /// Look at the libmfn installed under this folder (lib, plugins) instead of staging target/demo.
    #[arg(long, value_name = "DIR")]
    pub(crate) installed: Option<PathBuf>,
}

/// Options of `cargo xtask dist`.
#[derive(Debug, Args)]
pub(crate) struct DistOptions {
    /// The platform: this machine's, or aarch64-unknown-linux-gnu by Debian's cross compiler.
    #[arg(long, value_name = "TRIPLE")]
    pub(crate) target: Option<String>,
}
