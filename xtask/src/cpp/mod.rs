//! `cargo xtask test-cpp`: the C++ interface, compiled and tested in every dialect that it promises.
//!
//! GoogleTest runs the tests as C++17 under the address and the undefined-behaviour sanitizer, which must report the
//! defects of a program that has some, and as C++20 and C++23 without them; with clang++ too where it is installed. Then
//! the linker's view of the tests is compared with the C header: a function that no test calls is a fault.

pub(crate) mod coverage;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::header::HEADER;
use crate::workspace::Workspace;
use crate::{command, tools};

/// A compiler, a dialect, and whether the sanitizers are on.
struct Build {
    compiler: &'static str,
    standard: &'static str,
    sanitized: bool,
}

const GCC: [Build; 3] = [
    Build { compiler: "g++", standard: "17", sanitized: true },
    Build { compiler: "g++", standard: "20", sanitized: false },
    Build { compiler: "g++", standard: "23", sanitized: false },
];
const CLANG: [Build; 2] = [
    Build { compiler: "clang++", standard: "17", sanitized: false },
    Build { compiler: "clang++", standard: "23", sanitized: false },
];

/// Builds the libraries that the tests link and load, then all tests.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    tools::require(&[tools::CXX, tools::CMAKE, tools::NINJA, tools::NM])?;
    // The whole workspace, as all tests do: a part of it would be compiled with other features.
    command::run(workspace.cargo().args(["build", "--workspace"]))?;
    let libraries = workspace.target_dir()?.join("debug");
    let mut builds: Vec<&Build> = GCC.iter().collect();
    if tools::CLANGXX.find().is_some() {
        builds.extend(&CLANG);
    } else {
        println!("cpp: clang++ is not installed; only g++ is used");
    }
    for build in &builds {
        let directory = test(workspace, build, &libraries)
            .with_context(|| format!("{} as C++{}", build.compiler, build.standard))?;
        every_function_is_called(workspace, &directory.join("tests/tests"))?;
    }
    println!("cpp: {} builds passed, every function of {HEADER} was called", builds.len());
    Ok(())
}

/// Configures, builds and runs one build; gives its directory.
fn test(workspace: &Workspace, build: &Build, libraries: &Path) -> Result<PathBuf> {
    let directory =
        workspace.target_dir()?.join("cpp").join(format!("{}-{}", build.compiler, build.standard));
    let mut configure = Command::new("cmake");
    configure.arg("-S").arg(workspace.join("bindings/cpp")).arg("-B").arg(&directory);
    configure.args(["-G", "Ninja", "--log-level=WARNING"]);
    configure.arg(format!("-DCMAKE_CXX_COMPILER={}", build.compiler));
    configure.arg(format!("-DCMAKE_CXX_STANDARD={}", build.standard));
    configure.arg(format!("-DMFN_SANITIZE={}", if build.sanitized { "ON" } else { "OFF" }));
    configure.arg(format!("-DMFN_LIBRARY={}", libraries.join("libmfn.so").display()));
    configure.arg(format!("-DMFN_PLUGINS={}", libraries.display()));
    command::run(&mut configure)?;
    command::run(Command::new("cmake").arg("--build").arg(&directory).arg("--").arg("--quiet"))?;
    command::run(Command::new("ctest").arg("--test-dir").arg(&directory).arg("--output-on-failure"))?;
    Ok(directory)
}

/// Compares the symbols that the tests want from libmfn.so with the functions of the C header: the interface is nothing
/// but inline functions, so a test program wants exactly what its tests call.
fn every_function_is_called(workspace: &Workspace, tests: &Path) -> Result<()> {
    let symbols = command::capture(Command::new("nm").arg("--undefined-only").arg(tests))?;
    let wanted: Vec<&str> = symbols.lines().filter_map(|line| line.split_whitespace().last()).collect();
    let uncalled: Vec<String> = coverage::declared(&workspace.read(HEADER)?)
        .into_iter()
        .filter(|function| !wanted.contains(&function.as_str()))
        .collect();
    if !uncalled.is_empty() {
        bail!("no test of bindings/cpp/tests calls {}", uncalled.join(", "));
    }
    Ok(())
}
