//! C hosts under the sanitizers of gcc. The library is as it is shipped, without instrumentation: the sanitizers see what
//! the host does with memory of the library, what the library allocates and frees, and on which threads it calls back.
//! What happens between the library's own threads is the part of the models in core/interleavings.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Workshop, run, source, succeed};

/// Address, leak and undefined-behaviour sanitizer; the first report ends the program.
const MEMORY: [&str; 3] = ["-std=c99", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
/// The thread sanitizer.
const THREADS: [&str; 2] = ["-std=c99", "-fsanitize=thread"];

fn compile(workshop: &Workshop, name: &str, flags: &[&str]) -> PathBuf {
    workshop.compile_with(&source(name), flags, &[])
}

/// A program that ends with an error when the thread sanitizer has something to say. The library is left out, because its
/// locks and atomics were compiled without the sanitizer, which would take every hand-over inside it for a race.
fn watched(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env("TSAN_OPTIONS", "ignore_noninstrumented_modules=1 exitcode=66");
    command
}

// Guards hosts against wrong accesses, leaks and undefined behaviour, in what they are given and in what they hand in.
#[test]
fn hosts_run_clean_under_the_memory_sanitizers() {
    for name in
        ["embed.c", "strides.c", "fields.c", "graph.c", "learning.c", "dynamics.c", "threads.c", "hammer.c"]
    {
        let workshop = Workshop::new();
        succeed(&mut Command::new(compile(&workshop, name, &MEMORY)), "gcc");
    }
}

// Guards the promises about threads: callbacks come on the thread of the call, answers go to their own call.
#[test]
fn eight_threads_run_clean_under_the_thread_sanitizer() {
    let workshop = Workshop::new();
    let text = succeed(&mut watched(&compile(&workshop, "hammer.c", &THREADS)), "gcc");
    assert_eq!(text, "8 threads, no report\n");
}

// Guards the two tests above: each sanitizer finds a defect that was made for it, and nothing without one.
#[test]
fn the_sanitizers_are_on() {
    let workshop = Workshop::new();
    let program = compile(&workshop, "faults.c", &MEMORY);
    succeed(Command::new(&program).arg("none"), "gcc");
    for (word, report) in [
        ("view", "heap-use-after-free"),
        ("leak", "detected memory leaks"),
        ("overflow", "signed integer overflow"),
    ] {
        let output = run(Command::new(&program).arg(word), "gcc");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && text.contains(report), "{word}: {text}");
    }
    let workshop = Workshop::new();
    let program = compile(&workshop, "faults.c", &THREADS);
    succeed(watched(&program).arg("none"), "gcc");
    let output = run(watched(&program).arg("race"), "gcc");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.code() == Some(66) && text.contains("data race") && text.contains("in count"),
        "{text}"
    );
}
