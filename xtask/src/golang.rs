//! `cargo xtask test-go`: the Go binding against an installed libmfn, found by pkg-config as a user finds it. Formatting,
//! vet, every test, and then the tests of package mfn under what finds mistakes with memory that two languages share: the
//! race detector with cgocheck2, and a static build whose collector runs all the time.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

use crate::cli::GoOptions;
use crate::workspace::Workspace;
use crate::{command, stage, tools};

/// How long 1,000 goroutines share simulations when nothing is said.
pub(crate) const STRESS_SECONDS: u64 = 4;
/// Where the module lies.
const MODULE: &str = "bindings/go";

/// Stages the demo, unless an installed tree is named, and tests the binding against it.
pub(crate) fn run(workspace: &Workspace, options: &GoOptions) -> Result<()> {
    tools::require(&[tools::CC, tools::GO, tools::LDD, tools::PKG_CONFIG])?;
    match &options.installed {
        Some(root) => test(workspace, root, options.stress_seconds),
        None => test(workspace, &stage::run(workspace)?.root, options.stress_seconds),
    }
}

/// Runs the benchmarks of the binding against the tree under `root`, each `count` times; gives what they printed.
pub(crate) fn bench(workspace: &Workspace, root: &Path, count: u32) -> Result<String> {
    let go = Go::at(workspace, root)?;
    let count = format!("-count={count}");
    command::capture(&mut go.go(&["test", "-run=^$", "-bench=.", "-benchtime=20ms", &count, "."]))
}

/// Tests the binding against the tree under `root`; 1,000 goroutines share simulations for `stress_seconds`.
pub(crate) fn test(workspace: &Workspace, root: &Path, stress_seconds: u64) -> Result<()> {
    let go = Go::at(workspace, root)?;
    let unformatted = command::capture(Command::new("gofmt").args(["-l", "."]).current_dir(&go.module))?;
    ensure!(unformatted.is_empty(), "not as gofmt writes them: {}", unformatted.trim().replace('\n', ", "));
    command::run(&mut go.go(&["vet", "./..."]))?;
    command::run(&mut go.go(&["test", "-count=1", "-timeout=10m", "./..."]))?;
    let timeout = format!("-timeout={}s", 600 + stress_seconds);
    command::run(
        go.go(&["test", "-race", "-count=1", &timeout, "."])
            .env("GOEXPERIMENT", "cgocheck2")
            .env("MFN_STRESS_SECONDS", stress_seconds.to_string()),
    )?;
    command::run(go.go(&["test", "-tags=mfn_static", "-count=1", "-timeout=10m", "."]).env("GOGC", "1"))
}

/// Installs the module, without what is only for its own tests, as `share/mfn/go`: Go builds bindings from sources.
pub(crate) fn install(workspace: &Workspace, root: &Path) -> Result<()> {
    for folder in ["", "internal/capi"] {
        let from = workspace.join(MODULE).join(folder);
        let to = root.join("share/mfn/go").join(folder);
        std::fs::create_dir_all(&to).with_context(|| format!("can not make {}", to.display()))?;
        for entry in std::fs::read_dir(&from).with_context(|| format!("can not read {}", from.display()))? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let source = [".go", ".c", ".h", "go.mod"].iter().any(|end| name.ends_with(end));
            if source && !name.ends_with("_test.go") {
                stage::install(&path, &to.join(name))?;
            }
        }
    }
    Ok(())
}

/// How `go` is run.
struct Go {
    module: PathBuf,
    root: PathBuf,
    library: String,
}

impl Go {
    fn at(workspace: &Workspace, root: &Path) -> Result<Self> {
        let root = root.canonicalize().with_context(|| format!("can not find {}", root.display()))?;
        Ok(Self { module: workspace.join(MODULE), library: library_flags(&root)?, root })
    }

    fn go(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("go");
        command
            .args(arguments)
            .current_dir(&self.module)
            .env("PKG_CONFIG_PATH", self.root.join("lib/pkgconfig"))
            .env("MFN_PLUGIN_DIR", self.root.join("plugins"))
            .env("CGO_LDFLAGS", &self.library);
        command
    }
}

/// The flags of the linker: where the library lies when a test runs, and the hash of the library. Go's build cache looks
/// at flags and not at libraries; without the hash it would give back programs with an older libmfn.a.
fn library_flags(root: &Path) -> Result<String> {
    let lib = root.join("lib");
    let mut hash = Sha256::new();
    for name in ["libmfn.so", "libmfn.a"] {
        let path = lib.join(name);
        hash.update(std::fs::read(&path).with_context(|| format!("can not read {}", path.display()))?);
    }
    let hash: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("-Wl,-rpath,{} -Wl,--defsym=mfn_library_{hash}=0", lib.display()))
}
