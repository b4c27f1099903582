//! The real binary, run by the tests.
#![allow(dead_code, reason = "each test file uses a part")]

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

/// A process that runs longer than this hangs.
const HANG: Duration = Duration::from_secs(60);

/// The command with arguments separated by spaces, in a directory.
pub(crate) fn mfn(directory: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mfn"));
    command.args(line.split_whitespace()).current_dir(directory).stdin(Stdio::null());
    command
}

/// What a finished command left.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// Standard output as one JSON value.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts the exit code and, for a failure, the form of the message: what, then what to do.
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(!self.stderr.contains("panicked"), "{self:?}");
        let by_clap = self.stderr.starts_with("error: ") || self.stderr.contains("Usage:");
        if code != 0 && !by_clap {
            let lines: Vec<&str> = self.stderr.lines().filter(|line| !line.contains('%')).collect();
            assert!(!lines.is_empty() && lines.len().is_multiple_of(2), "{self:?}");
            for pair in lines.chunks(2) {
                assert!(pair[0].starts_with("mfn: ") && pair[1].starts_with("  fix: "), "{self:?}");
            }
        }
        self
    }

    /// Asserts that the message names something.
    pub(crate) fn names(self, what: &str) -> Self {
        assert!(self.stderr.contains(what), "{what:?} is not named: {self:?}");
        self
    }
}

/// Runs a command line to its end.
pub(crate) fn run(directory: &Path, line: &str) -> Ended {
    finish(mfn(directory, line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
}

/// Runs a command line with text on its standard input.
pub(crate) fn run_with_input(directory: &Path, line: &str, input: &[u8]) -> Ended {
    let mut child = mfn(directory, line)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The command may refuse without reading everything.
    let _ = child.stdin.take().unwrap().write_all(input);
    finish(child)
}

/// Waits for a process, at most [`HANG`].
pub(crate) fn finish(mut child: Child) -> Ended {
    let begun = Instant::now();
    // Results are smaller than a pipe's buffer, so the process ends without a reader.
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > HANG {
            child.kill().unwrap();
            panic!("the command hangs: {:?}", child.wait_with_output());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    Ended {
        code: status.code(),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

/// Sends a signal to a running process.
pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// All paths below a directory, relative to it.
pub(crate) fn tree(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path.clone());
            }
            found.push(path.strip_prefix(directory).unwrap().to_str().unwrap().to_owned());
        }
    }
    found.sort();
    found
}

/// An NPY file of version 1.0.
pub(crate) fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(data);
    file
}

/// A square field of float64 cells as an NPY file.
pub(crate) fn field(side: usize, volts: impl Fn(usize, usize) -> f64) -> Vec<u8> {
    let data: Vec<u8> = (0..side * side).flat_map(|i| volts(i / side, i % side).to_le_bytes()).collect();
    npy("<f8", &format!("({side}, {side})"), &data)
}

/// The shared library of a plugin of this workspace. It is built beside the tests because the package is
/// one of their dependencies.
pub(crate) fn plugin_library(name: &str) -> PathBuf {
    let path = std::env::current_exe().unwrap().with_file_name(format!("libmfn_plugin_{name}.so"));
    assert!(path.exists(), "{} is not built", path.display());
    path
}

/// The paths of all fields of a plugin's configuration that hold secrets, by the plugin's own schema, sorted.
pub(crate) fn secret_fields(plugin: &str, kind: &str) -> Vec<String> {
    let library = plugin_library(plugin);
    let line = format!("plugin inspect {} --json", library.display());
    let shown = run(Path::new("/"), &line).expect(0).json();
    let kinds = shown["descriptor"]["kinds"].as_array().unwrap();
    let schema = &kinds.iter().find(|it| it["kind"] == kind).unwrap()["config_schema"];
    let mut found = Vec::new();
    secrets_of(schema, schema, "", &mut found);
    found.sort();
    found.dedup();
    found
}

fn secrets_of(root: &Value, schema: &Value, path: &str, found: &mut Vec<String>) {
    if matches!(&schema["x-mfn-secret"], Value::Bool(true) | Value::String(_)) {
        found.push(path.to_owned());
    }
    if let Some(target) = schema["$ref"].as_str().and_then(|it| root.pointer(it.trim_start_matches('#'))) {
        secrets_of(root, target, path, found);
    }
    for (name, below) in schema["properties"].as_object().into_iter().flatten() {
        let dot = if path.is_empty() { "" } else { "." };
        secrets_of(root, below, &format!("{path}{dot}{name}"), found);
    }
    for (keyword, mark) in [("items", "[]"), ("additionalProperties", ".*")] {
        if schema[keyword].is_object() {
            secrets_of(root, &schema[keyword], &format!("{path}{mark}"), found);
        }
    }
    for keyword in ["anyOf", "oneOf", "allOf"] {
        schema[keyword].as_array().into_iter().flatten().for_each(|it| secrets_of(root, it, path, found));
    }
}
