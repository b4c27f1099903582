//! Each function of the header keeps the rules. That libmfn.so exports exactly these functions, and what else compiled
//! programs rely on, is guarded by `cargo xtask abi`.

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use support::{root, source};

/// The functions that the header declares.
fn declared() -> BTreeSet<String> {
    let header = std::fs::read_to_string(root().join("include/mfn.h")).expect("the header is there");
    // A declaration begins at the start of a line, which no comment, macro or struct field does.
    header
        .lines()
        .filter(|line| {
            line.starts_with(|first: char| first.is_ascii_lowercase()) && !line.starts_with("typedef")
        })
        .filter_map(|line| line.split_once('(')?.0.rsplit([' ', '*']).next().map(str::to_owned))
        .filter(|name| name.starts_with("mfn_"))
        .collect()
}

// Guards the completeness of the sweep of wrong arguments: a function that is added must be added there.
#[test]
fn every_function_is_in_the_sweep_of_wrong_arguments() {
    let mut sweep = String::new();
    for file in std::fs::read_dir(source("")).unwrap() {
        let path = file.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("arguments_") {
            sweep += &std::fs::read_to_string(path).unwrap();
        }
    }
    let missing: Vec<_> =
        declared().into_iter().filter(|name| !sweep.contains(&format!("{name}("))).collect();
    assert!(missing.is_empty(), "not in tests/c/arguments_*.c: {missing:?}");
}

/// The exported functions of a source file with comment and body.
fn functions(path: &Path) -> Vec<(String, String, String)> {
    let source = std::fs::read_to_string(path).expect("a block is a file");
    let lines: Vec<_> = source.lines().collect();
    let mut functions = Vec::new();
    for (index, _) in lines.iter().enumerate().filter(|(_, line)| **line == "#[unsafe(no_mangle)]") {
        let before = lines[..index].iter().rev().take_while(|line| line.starts_with("///"));
        let mut comment: Vec<_> = before.copied().collect();
        comment.reverse();
        let body: Vec<_> = lines[index + 1..].iter().take_while(|line| **line != "}").copied().collect();
        let name = body[0]
            .split("fn ")
            .nth(1)
            .and_then(|rest| rest.split('(').next())
            .expect("a function has a name");
        functions.push((name.to_owned(), comment.join(" ").replace("/// ", ""), body.join("\n")));
    }
    functions
}

/// The private functions of a source file that pass the panic boundary, and those of the error block.
fn bounded_helpers(path: &Path) -> Vec<String> {
    let source = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut helpers = vec!["error::last_of".to_owned()];
    for item in source.split("\n}\n").filter(|item| item.contains("\nfn ") && item.contains("guard::")) {
        let after = item.rsplit("\nfn ").next().unwrap_or_default();
        helpers.extend(after.split(['(', '<']).next().map(str::to_owned));
    }
    helpers
}

// Guards rules 7 and 8: each function says its thread tag last, and stops panics. Those without a boundary
// give back constants only.
#[test]
fn every_function_has_a_thread_tag_and_a_panic_boundary() {
    let mut count = 0;
    for block in mfn_header::BLOCKS {
        let helpers = bounded_helpers(&root().join("ffi/src").join(block).with_extension("rs"));
        for (name, comment, body) in functions(&root().join("ffi/src").join(block).with_extension("rs")) {
            count += 1;
            assert!(
                comment.ends_with("[any-thread]") || comment.ends_with("[one-thread-per-handle]"),
                "{name} has no thread tag at its end: {comment}"
            );
            let bounded =
                body.contains("guard::") || helpers.iter().any(|helper| body.contains(&format!("{helper}(")));
            let constant = [
                "mfn_version",
                "mfn_abi_version",
                "mfn_status_name",
                "mfn_feature_name",
                "mfn_feature_unit",
                "mfn_descriptor_name",
                "mfn_descriptor_unit",
            ];
            assert!(bounded || constant.contains(&name.as_str()), "{name} has no panic boundary");
        }
    }
    assert_eq!(count, declared().len(), "an exported function is in no block of the header");
}
