//! What the documents show is what the command does: their `mfn` lines are run, in order, and their output
//! is compared; their programs are those of `examples/`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use common::plugin_library;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The fenced blocks of a language.
fn blocks(document: &str, language: &str) -> Vec<String> {
    let text = fs::read_to_string(repository().join(document)).unwrap();
    let mut found = Vec::new();
    let mut open: Option<String> = None;
    for line in text.lines() {
        match &mut open {
            None if line == format!("```{language}") => open = Some(String::new()),
            None => {}
            Some(_) if line == "```" => found.extend(open.take()),
            Some(block) => {
                block.push_str(line);
                block.push('\n');
            }
        }
    }
    found
}

/// A copy of what the reader of the documents stands in: the repository after `cargo xtask stage`.
fn checkout() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let copy = Command::new("cp").arg("-r").arg(repository().join("examples")).arg(directory.path()).status();
    assert!(copy.unwrap().success());
    for (name, place) in
        [("file", "target/demo/plugins"), ("counter", "target/debug"), ("counter", "target/plugins")]
    {
        let library = plugin_library(name);
        fs::create_dir_all(directory.path().join(place)).unwrap();
        fs::copy(&library, directory.path().join(place).join(library.file_name().unwrap())).unwrap();
    }
    directory
}

/// Commands and the output that is shown for each.
fn commands(block: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for line in block.lines() {
        match (line.strip_prefix("$ "), found.last_mut()) {
            (Some(command), _) => found.push((command.to_owned(), String::new())),
            (None, Some((_, output))) => output.push_str(&format!("{line}\n")),
            (None, None) => panic!("output before a command: {line}"),
        }
    }
    found
}

/// Times are the only thing that differs from run to run: a last column with one decimal place.
fn without_times(text: &str) -> String {
    let line_without_time = |line: &str| match line.rsplit_once(' ') {
        Some((rest, last)) if last.rsplit_once('.').is_some_and(|(_, tenth)| tenth.len() == 1) => {
            format!("{}\n", rest.trim_end())
        }
        _ => format!("{line}\n"),
    };
    text.lines().map(line_without_time).collect()
}

/// Compares lines; `...` on a line of its own stands for any lines.
fn agrees(shown: &str, real: &str) -> bool {
    let (shown, real) = (without_times(shown), without_times(real));
    match shown.split_once("...\n") {
        Some((before, after)) => real.starts_with(before) && real.ends_with(after),
        None => shown == real,
    }
}

/// Runs every block of a document that needs nothing but the shell and `mfn`; gives how many commands.
fn replay(document: &str) -> usize {
    let directory = checkout();
    let bin = Path::new(env!("CARGO_BIN_EXE_mfn")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut count = 0;
    for block in blocks(document, "console") {
        let commands = commands(&block);
        if commands.iter().any(|(line, _)| !(line.starts_with("mfn ") || line.starts_with("echo "))) {
            continue;
        }
        for (line, shown) in commands {
            let run = Command::new("sh")
                .args(["-c", &line])
                .env("PATH", &path)
                .current_dir(directory.path())
                .output()
                .unwrap();
            let real = String::from_utf8(run.stdout).unwrap();
            let errors = String::from_utf8(run.stderr).unwrap();
            assert!(run.status.success(), "{document}: {line}: {errors}");
            assert!(agrees(&shown, &real), "{document}: {line} gives\n{real}but shown is\n{shown}");
            count += 1;
        }
    }
    count
}

/// Guards: the commands of the page for authors give the results that they show.
#[test]
fn plugins_is_true() {
    assert!(replay("docs/plugins.md") >= 3);
}

/// Guards: the programs shown are those that are built and tested; `cargo xtask test-dist` runs the commands.
#[test]
fn the_programs_shown_are_the_examples() {
    let simulate = |extension| format!("simulate.{extension}");
    for (language, file) in [
        ("c", simulate("c")),
        ("cpp", simulate("cpp")),
        ("go", simulate("go")),
        ("cmake", "CMakeLists.txt".to_owned()),
    ] {
        let shown = blocks("docs/start.md", language);
        let example = repository().join("examples").join(file);
        assert_eq!(shown, [fs::read_to_string(example).unwrap()]);
    }
}

/// Guards: the pieces of C++ on its page stand in a test, which compiles and runs them.
#[test]
fn the_pieces_of_cpp_are_tested() {
    let stripped = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join("\n");
    let tests =
        stripped(&fs::read_to_string(repository().join("bindings/cpp/tests/document_test.cpp")).unwrap());
    let pieces = blocks("docs/cpp.md", "cpp");
    assert!(pieces.len() >= 4);
    for piece in pieces {
        assert!(tests.contains(&stripped(&piece)), "not in bindings/cpp/tests/document_test.cpp:\n{piece}");
    }
}

/// Guards: the comparison itself, which must not accept anything.
#[test]
fn the_comparison_can_fail() {
    assert!(agrees("a 1 2.5\nb\n", "a 1 7.1\nb\n"));
    assert!(agrees("a\n...\nb\n", "a\nx\ny\nb\n"));
    assert!(!agrees("a 1 2.55\n", "a 1 7.11\n"));
    assert!(!agrees("a\n", "a\nb\n"));
    assert!(!agrees("a\n...\nb\n", "a\nx\n"));
}

/// Guards: the picture of the README is of the README's run, and a run gives the same bytes everywhere.
#[test]
fn the_picture_is_of_a_real_run() {
    let directory = tempfile::tempdir().unwrap();
    let [program] = <[String; 1]>::try_from(blocks("README.md", "c")).unwrap();
    let spec = program.split_once("spec = \"").unwrap().1.split_once("\";").unwrap().0.replace('\\', "");
    let mut spec: serde_json::Value = serde_json::from_str(&spec).unwrap();
    spec["steps"] = 1000.into();
    fs::write(directory.path().join("spec.json"), spec.to_string()).unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_mfn"))
        .args(["simulate", "--spec", "spec.json", "--out", "result", "--png", "--quiet"])
        .current_dir(directory.path())
        .status();
    assert!(run.unwrap().success());
    let drawn = fs::read(directory.path().join("result/field.png")).unwrap();
    let shown = fs::read(repository().join("docs/images/pattern.png")).unwrap();
    assert!(
        drawn == shown,
        "docs/images/pattern.png is not what `mfn simulate --png` draws of the README's run"
    );
}
