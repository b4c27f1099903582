//! The headers compile alone, and twice in one unit, in every dialect that a user may have: mfn.h as C99 to C23 and as
//! C++11 to C++23, mfn.hpp as C++17 to C++23, both with gcc and clang.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};

use super::Subject;
use crate::check::Findings;
use crate::command;

/// Warnings are errors.
const STRICT: [&str; 5] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"];

/// A compiler for C and one for C++ of one make, with the names that they have for the dialects. C23 and C++23 go by
/// their names of before the standards were published, which all versions since know.
const COMPILERS: [(&str, &str); 2] = [("gcc", "g++"), ("clang", "clang++")];
const C: [&str; 4] = ["c99", "c11", "c17", "c2x"];
const CPP: [&str; 5] = ["c++11", "c++14", "c++17", "c++20", "c++2b"];
const CPP_INTERFACE: [&str; 3] = ["c++17", "c++20", "c++2b"];

/// One run of a compiler.
struct Unit {
    compiler: &'static str,
    dialect: &'static str,
    header: PathBuf,
}

/// The C header in every dialect of both compilers.
pub(super) fn check_c(subject: &Subject) -> Result<Findings> {
    let header = PathBuf::from("mfn.h");
    let mut units = Vec::new();
    for (c, cpp) in COMPILERS {
        let unit = |compiler, dialect| Unit { compiler, dialect, header: header.clone() };
        units.extend(C.map(|dialect| unit(c, dialect)));
        units.extend(CPP.map(|dialect| unit(cpp, dialect)));
    }
    let scope = format!("mfn.h: {} of gcc and clang", count(&units, "dialects"));
    Ok(Findings::new(compile(subject, &units)?, scope))
}

/// The C++ interface in its dialects; that each of its headers compiles alone is a part of `cargo xtask test-cpp`.
pub(super) fn check_cpp(subject: &Subject) -> Result<Findings> {
    let mut units = Vec::new();
    for (_, compiler) in COMPILERS {
        for dialect in CPP_INTERFACE {
            units.push(Unit { compiler, dialect, header: PathBuf::from("mfn.hpp") });
        }
    }
    let scope = format!("mfn.hpp in {} of g++ and clang++", count(&units, "dialects"));
    Ok(Findings::new(compile(subject, &units)?, scope))
}

fn count(units: &[Unit], of: &str) -> String {
    format!("{} {of}", units.len())
}

/// Compiles all units, as many at a time as there are processors; gives what the compilers complain of.
fn compile(subject: &Subject, units: &[Unit]) -> Result<Vec<String>> {
    let folder = tempfile::tempdir()?;
    let next = AtomicUsize::new(0);
    let faults = Mutex::new(Vec::new());
    let work = || -> Result<()> {
        while let Some(unit) = units.get(next.fetch_add(1, Ordering::Relaxed)) {
            let fault = complaint(subject, unit, folder.path())?;
            faults.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(fault);
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads()).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a worker does not panic"))
    })?;
    Ok(faults.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Compiles one unit; the first line of what the compiler says when it refuses.
fn complaint(subject: &Subject, unit: &Unit, folder: &Path) -> Result<Option<String>> {
    let header = unit.header.display();
    let in_c = !unit.dialect.starts_with("c++");
    let name = format!("{}-{}-{}", unit.compiler, unit.dialect, header.to_string().replace('/', "-"));
    let source = folder.join(name).with_extension(if in_c { "c" } else { "cpp" });
    let twice = format!("#include <{header}>\n#include <{header}>\nint main(void) {{ return 0; }}\n");
    std::fs::write(&source, twice).context("can not write a unit")?;
    let mut compiler = Command::new(unit.compiler);
    compiler.args(STRICT).arg(format!("-std={}", unit.dialect)).arg("-I").arg(subject.include());
    compiler.arg("-I").arg(subject.workspace.join("bindings/cpp/include")).arg(&source);
    let output = command::output(&mut compiler)?;
    let first = || output.text.lines().find(|line| line.contains("error")).unwrap_or("it failed").to_owned();
    Ok((!output.success).then(|| format!("{header} with {} as {}: {}", unit.compiler, unit.dialect, first())))
}
