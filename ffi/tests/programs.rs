//! C programs that use libmfn as a host would, most of them under valgrind.

mod support;

use std::process::Command;

use support::{STRICT, Workshop, libraries, root, source, succeed, valgrind, valgrind_with_runtime};

// Guards the layout checks of the header: a compiler that lays a struct out in another way must stop.
#[test]
fn a_struct_of_another_layout_does_not_compile() {
    let workshop = Workshop::new();
    let header = std::fs::read_to_string(root().join("include/mfn.h")).unwrap();
    let broken = header.replacen("    double d_box;", "    double d_box, moved;", 1);
    assert_ne!(header, broken, "the header has no d_box any more: adapt this test");
    std::fs::write(workshop.path().join("mfn.h"), broken).unwrap();
    let file = workshop.path().join("broken.c");
    std::fs::write(&file, "#include \"mfn.h\"\n").unwrap();
    let mut command = Command::new("gcc");
    let output = support::run(command.args(["-std=c99", "-fsyntax-only"]).arg(&file), "gcc");
    assert!(!output.status.success(), "a struct with another field was accepted");
}

// Guards the program in the header's introduction: it compiles and runs as it stands there.
#[test]
fn the_program_in_the_header_works() {
    let workshop = Workshop::new();
    let header = std::fs::read_to_string(root().join("include/mfn.h")).unwrap();
    let lines = header.lines().skip_while(|line| !line.ends_with("A first program:")).skip(1);
    let body: Vec<_> = lines
        .take_while(|line| line.starts_with(" *     ") || *line == " *")
        .filter_map(|line| line.strip_prefix(" *    "))
        .collect();
    assert!(body.len() > 5, "the introduction of the header was not understood");
    let program = format!(
        "#include <mfn.h>\n#include <stdio.h>\nint main(void)\n{{\n{}\n    return mfn_live_handles() != 0;\n}}\n",
        body.join("\n")
    );
    let file = workshop.path().join("first.c");
    std::fs::write(&file, program).unwrap();
    valgrind(&workshop.compile(&file), &[]);
}

// Guards the tests here: a program that leaks fails.
#[test]
#[should_panic(expected = "definitely lost")]
fn valgrind_notices_a_leak() {
    let workshop = Workshop::new();
    valgrind(&workshop.compile(&source("leak.c")), &[]);
}

// Guards the 60-line promise: a program written only from mfn.h works without an error or a leak.
#[test]
fn an_embedding_program_works_under_valgrind() {
    let workshop = Workshop::new();
    let lines = std::fs::read_to_string(source("embed.c")).unwrap().lines().count();
    assert!(lines <= 66, "embed.c should stay a program of about 60 lines, it has {lines}");
    let text = valgrind(&workshop.compile(&source("embed.c")), &[]);
    assert!(text.starts_with("50 steps, last reported 50, mean -"), "{text}");
}

// Guards every function against NULL, misaligned, foreign and impossible arguments.
#[test]
fn wrong_arguments_are_refused_under_valgrind() {
    let workshop = Workshop::new();
    valgrind(&workshop.compile(&source("arguments_simulation.c")), &[]);
    valgrind(&workshop.compile(&source("arguments_learning.c")), &[]);
    valgrind_with_runtime(&workshop.compile(&source("arguments_pipeline.c")), &[]);
}

// Guards the analysis of kinetics from C, with right and wrong arguments.
#[test]
fn kinetics_are_analysed_under_valgrind() {
    let workshop = Workshop::new();
    valgrind(&workshop.compile(&source("arguments_kinetics.c")), &[]);
}

// Guards what a host gives to a run: fields, maps, kinetics, threads; and both versions of a specification.
#[test]
fn input_of_a_run_works_under_valgrind() {
    let workshop = Workshop::new();
    valgrind_with_runtime(&workshop.compile(&source("arguments_simulation_input.c")), &[]);
}

// Guards that a host's array is read in place, whatever its strides, with the same bits.
#[test]
fn strided_arrays_give_the_bits_of_contiguous_ones() {
    let workshop = Workshop::new();
    valgrind(&workshop.compile(&source("strides.c")), &[]);
}

// Guards aggregation, plasticity, attention, networks and validation as a C host calls them.
#[test]
fn aggregation_and_learning_work_under_valgrind() {
    let workshop = Workshop::new();
    valgrind(&workshop.compile(&source("learning.c")), &[]);
}

// Guards the thread tags of the header.
#[test]
fn threads_can_cancel_and_read_but_not_collide() {
    let workshop = Workshop::new();
    succeed(&mut Command::new(workshop.compile(&source("threads.c"))), "gcc");
}

// Guards the static library: it links with the libraries named here and works the same.
#[test]
fn the_static_library_links() {
    let workshop = Workshop::new();
    let program = workshop.path().join("static");
    let mut compiler = Command::new("cc");
    compiler
        .args(STRICT)
        .args(["-std=c99", "-I"])
        .arg(root().join("include"))
        .arg(source("embed.c"))
        .arg("-o")
        .arg(&program)
        .arg(libraries().join("libmfn.a"))
        .args(["-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl", "-lc"]);
    succeed(&mut compiler, "gcc");
    let needed = succeed(Command::new("readelf").arg("-d").arg(&program), "binutils");
    assert!(!needed.contains("libmfn"), "the program still wants a shared libmfn");
    let text = succeed(&mut Command::new(&program), "gcc");
    assert!(text.starts_with("50 steps"), "{text}");
}

// Guards the examples of the README: they compile as strictly as everything else and print what they say.
#[test]
fn the_small_examples_work() {
    let workshop = Workshop::new();
    let text = valgrind(&workshop.compile(&root().join("examples/simulate.c")), &[]);
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    assert!(text.starts_with("D_box ") && readme.contains(text.trim_end()), "README.md does not show {text}");
    let text = valgrind(&workshop.compile(&root().join("examples/features.c")), &[]);
    assert_eq!(text.lines().count(), 18, "{text}");
    assert!(text.lines().any(|line| line.starts_with("V_min") && line.ends_with("mV")), "{text}");
    let text = valgrind(&workshop.compile(&root().join("examples/analyse.c")), &[]);
    assert_eq!(text.lines().count(), 4, "{text}");
    let grown = text.lines().last().and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
    assert!(grown.is_some_and(|dimension| (1.4..1.9).contains(&dimension)), "{text}");
}

// Guards networks as a host sees them, and their functions against wrong arguments.
#[test]
fn networks_answer_and_refuse_under_valgrind() {
    let workshop = Workshop::new();
    valgrind(&workshop.compile(&source("graph.c")), &[]);
    valgrind(&workshop.compile(&source("arguments_graph.c")), &[]);
}

// Guards descriptors as a host sees them, and their functions against wrong arguments.
#[test]
fn descriptors_answer_and_refuse_under_valgrind() {
    let workshop = Workshop::new();
    valgrind(&workshop.compile(&source("descriptors.c")), &[]);
    valgrind(&workshop.compile(&source("arguments_descriptors.c")), &[]);
}

// Guards checkpoints and recorders as a host uses them, and their functions against wrong arguments.
#[test]
fn runs_are_recorded_and_continued_under_valgrind() {
    let workshop = Workshop::new();
    valgrind_with_runtime(
        &workshop.compile(&source("recording.c")),
        &[&workshop.path().display().to_string()],
    );
    valgrind_with_runtime(&workshop.compile(&source("arguments_recording.c")), &[]);
}

// Guards ensembles and sweeps: order, failures, threads, wrong arguments, and the memory of all of it.
#[test]
fn ensembles_and_sweeps_work_under_valgrind() {
    let workshop = Workshop::new();
    let program = workshop.compile(&source("ensemble.c"));
    valgrind_with_runtime(&program, &[&workshop.path().display().to_string()]);
    valgrind_with_runtime(&workshop.compile(&source("arguments_ensemble.c")), &[]);
}

// Guards the example: its dataset is complete, and beginning again refuses to write it twice.
#[test]
fn the_sweep_example_works() {
    let workshop = Workshop::new();
    let program = workshop.compile(&root().join("examples/sweep.c"));
    let target = workshop.path().join("feed.csv");
    let text = succeed(Command::new(&program).arg(&target), "gcc");
    assert!(text.starts_with("48 rows in "), "{text}");
    assert_eq!(std::fs::read_to_string(&target).unwrap().lines().count(), 49);
    let again = support::run(Command::new(&program).arg(&target), "gcc");
    assert!(!again.status.success() && String::from_utf8_lossy(&again.stderr).contains("exists"));
}

// Guards potentials, integration, point sets and exponents as a host sees them, and their functions against wrong
// arguments.
#[test]
fn dynamics_are_computed_and_refused_under_valgrind() {
    let workshop = Workshop::new();
    valgrind(&workshop.compile(&source("dynamics.c")), &[]);
    valgrind(&workshop.compile(&source("arguments_dynamics.c")), &[]);
}

// Guards what v4.1 computed beside its engine, and those functions against wrong arguments.
#[test]
fn functions_of_v4_1_give_its_numbers_under_valgrind() {
    let workshop = Workshop::new();
    valgrind(&workshop.compile(&source("v4_1.c")), &[]);
    valgrind(&workshop.compile(&source("arguments_v4_1.c")), &[]);
}

// Guards operators and histories as a host's own solver uses them, and their functions against wrong arguments.
#[test]
fn fields_of_a_host_are_measured_under_valgrind() {
    let workshop = Workshop::new();
    valgrind(&workshop.compile(&source("fields.c")), &[]);
    valgrind(&workshop.compile(&source("arguments_fields.c")), &[]);
}
