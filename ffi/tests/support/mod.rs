//! Compiles C programs against the header and the libraries of this build, and runs them, with valgrind
//! where asked.
#![allow(dead_code, reason = "each test program uses its part")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What every C program here is compiled with.
pub(crate) const STRICT: &[&str] = &["-Wall", "-Wextra", "-pedantic", "-Werror", "-g", "-O1"];

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("ffi lies in the repository").to_owned()
}

/// A source file of the C tests.
pub(crate) fn source(name: &str) -> PathBuf {
    root().join("ffi/tests/c").join(name)
}

/// The folder with libmfn.so and libmfn.a of this build. Cargo builds both for the tests of this package.
pub(crate) fn libraries() -> PathBuf {
    let program = std::env::current_exe().expect("a test has a path");
    let folder = program.parent().expect("a test lies in a folder").to_owned();
    for name in ["libmfn.so", "libmfn.a"] {
        assert!(folder.join(name).is_file(), "{name} is not in {}", folder.display());
    }
    folder
}

/// Runs a command; a program that is missing is an error that names its package.
pub(crate) fn run(command: &mut Command, package: &str) -> Output {
    let program = command.get_program().to_string_lossy().into_owned();
    match command.output() {
        Ok(output) => output,
        Err(error) => panic!("can not run {program} ({error}): install the package {package}"),
    }
}

/// Runs a command and expects success; returns what it printed.
pub(crate) fn succeed(command: &mut Command, package: &str) -> String {
    let output = run(command, package);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{command:?}\n{}\n{text}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

/// A temporary folder for programs.
pub(crate) struct Workshop {
    folder: tempfile::TempDir,
}

impl Workshop {
    /// A new one; it also holds libmfn under its soname, as an installation would.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::os::unix::fs::symlink(libraries().join("libmfn.so"), folder.path().join("libmfn.so.0"))
            .expect("a link");
        Self { folder }
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Compiles a C99 program linked to libmfn.so.
    pub(crate) fn compile(&self, source: &Path) -> PathBuf {
        self.compile_with(source, &["-std=c99"], &[])
    }

    /// As [`compile`](Self::compile), with further arguments.
    pub(crate) fn compile_with(&self, source: &Path, flags: &[&str], libraries_after: &[&str]) -> PathBuf {
        let program = self.path().join(source.file_stem().expect("a source has a name"));
        let mut compiler = Command::new("cc");
        compiler
            .args(STRICT)
            .args(flags)
            .arg("-I")
            .arg(root().join("include"))
            .arg(source)
            .arg("-o")
            .arg(&program)
            .arg(libraries().join("libmfn.so"))
            .args(["-lm", "-lpthread"])
            .args(libraries_after)
            .arg(format!("-Wl,-rpath,{}", self.path().display()));
        succeed(&mut compiler, "gcc");
        program
    }
}

/// Runs a program under valgrind: any memory error, and any block that is lost at the end, fails.
pub(crate) fn valgrind(program: &Path, arguments: &[&str]) -> String {
    valgrind_for(program, arguments, "definite,indirect,possible")
}

/// As [`valgrind`], for programs with a runtime, but without what valgrind calls possibly lost: the threads
/// for computing may still be ending when the program does, and a loaded plugin, which stays for ever, holds
/// on to its host's log and metrics by pointers to the inside of blocks.
pub(crate) fn valgrind_with_runtime(program: &Path, arguments: &[&str]) -> String {
    valgrind_for(program, arguments, "definite,indirect")
}

fn valgrind_for(program: &Path, arguments: &[&str], leaks: &str) -> String {
    let mut command = Command::new("valgrind");
    command
        .args(["--quiet", "--error-exitcode=99", "--leak-check=full"])
        .arg(format!("--suppressions={}", root().join("ffi/tests/valgrind.supp").display()))
        .arg(format!("--show-leak-kinds={leaks}"))
        .arg(format!("--errors-for-leak-kinds={leaks}"))
        .arg(program)
        .args(arguments);
    succeed(&mut command, "valgrind")
}
