//! Reads what the publishers wrote, strictly: a half line is a failure.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The files of a directory whose names begin with `prefix`, without temporary ones.
pub(crate) fn files(directory: &Path, prefix: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix)))
        .collect();
    files.sort();
    files
}

/// Every JSON line of the files `<prefix>-*.jsonl`. Each line must be complete and valid.
pub(crate) fn lines(directory: &Path, prefix: &str) -> Vec<Value> {
    let mut values = Vec::new();
    for file in files(directory, prefix).iter().filter(|file| file.extension().is_some_and(|e| e == "jsonl"))
    {
        let text = std::fs::read_to_string(file).expect("text");
        assert!(text.is_empty() || text.ends_with('\n'), "{} ends in a half line", file.display());
        for line in text.lines() {
            let value = serde_json::from_str(line);
            values.push(value.unwrap_or_else(|error| panic!("{}: {error}: {line:?}", file.display())));
        }
    }
    values
}

/// Complete lines so far, of files that are being written.
pub(crate) fn count_of_lines(directory: &Path, prefix: &str) -> usize {
    let count = |file: &PathBuf| std::fs::read(file).map_or(0, |b| b.iter().filter(|b| **b == b'\n').count());
    files(directory, prefix).iter().map(count).sum()
}

/// The requests that results belong to.
pub(crate) fn requests(values: &[Value]) -> BTreeSet<String> {
    values.iter().map(|value| text(value, "request")).collect()
}

/// The results by id. Results of one id must be the same bytes.
pub(crate) fn by_id(values: &[Value]) -> BTreeMap<String, Value> {
    let mut by_id = BTreeMap::new();
    for value in values {
        if let Some(other) = by_id.insert(text(value, "id"), value.clone()) {
            assert_eq!(&other, value, "two results with one id differ");
        }
    }
    by_id
}

/// A text member of an object.
pub(crate) fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("no {key} in {value}")).to_owned()
}
