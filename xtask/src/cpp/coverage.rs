//! bindings/cpp/COVERAGE.md: every function of include/mfn.h with the C++ that calls it. A function that a header of
//! bindings/cpp does not name is a gap; `cargo xtask check` refuses it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use anyhow::{Result, ensure};

use crate::header::HEADER;
use crate::workspace::Workspace;

/// Where the generated table lies.
pub(crate) const TABLE: &str = "bindings/cpp/COVERAGE.md";

/// Where the headers of the C++ interface lie.
const HEADERS: &str = "bindings/cpp/include";

/// The table and the functions that it has no C++ for.
pub(crate) struct Coverage {
    /// The text of the table.
    pub(crate) table: String,
    /// Functions of the C header that no C++ header names.
    pub(crate) gaps: Vec<String>,
    /// How many functions there are.
    pub(crate) functions: usize,
}

/// Reads both interfaces and compares them.
pub(crate) fn generate(workspace: &Workspace) -> Result<Coverage> {
    let functions = declared(&workspace.read(HEADER)?);
    ensure!(functions.len() > 200, "{HEADER} was not understood: {} functions", functions.len());
    let mut uses: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for file in workspace.files_with_extension(&["hpp"])? {
        let Ok(name) = file.strip_prefix(HEADERS) else { continue };
        for (function, place) in places(&workspace.read(&file)?, &functions) {
            uses.entry(function).or_default().insert(format!("`{place}` in `include/{}`", name.display()));
        }
    }
    let mut table = String::from(OPENING);
    for function in &functions {
        if let Some(places) = uses.get(function.as_str()) {
            let places = places.iter().cloned().collect::<Vec<_>>().join(", ");
            writeln!(table, "| `{function}` | {places} |")?;
        }
    }
    let gaps = functions.iter().filter(|function| !uses.contains_key(function.as_str())).cloned().collect();
    Ok(Coverage { table, gaps, functions: functions.len() })
}

/// The functions that the C header declares: a declaration begins at the start of a line, which no comment, macro or
/// struct field does.
pub(crate) fn declared(header: &str) -> BTreeSet<String> {
    header
        .lines()
        .filter(|line| {
            line.starts_with(|first: char| first.is_ascii_lowercase()) && !line.starts_with("typedef")
        })
        .filter_map(|line| line.split_once('(')?.0.rsplit([' ', '*']).next().map(str::to_owned))
        .filter(|name| name.starts_with("mfn_"))
        .collect()
}

/// Where a C++ header names functions of the C header: the function and the C++ function or class around it.
fn places<'a>(source: &str, functions: &'a BTreeSet<String>) -> Vec<(&'a str, String)> {
    let mut found = Vec::new();
    let mut class = String::new();
    let mut member = String::new();
    for line in source.lines() {
        let code = line.split("//").next().unwrap_or(line);
        let indent = code.len() - code.trim_start().len();
        let words: Vec<&str> = identifiers(code).collect();
        if indent == 0 && matches!(words.first(), Some(&("class" | "struct"))) {
            class = words.get(1).map(ToString::to_string).unwrap_or_default();
            // What stands on this line is the function that frees the handle.
            member = format!("~{class}");
        } else if indent == 0 && code.starts_with('}') {
            class.clear();
            member.clear();
        } else if indent == if class.is_empty() { 0 } else { 4 }
            && let Some((before, _)) = code.split_once('(')
            && let Some(name) = identifiers(before).last()
        {
            let tilde = if before.ends_with(&format!("~{name}")) { "~" } else { "" };
            member = format!("{tilde}{name}");
        }
        for word in words {
            if let Some(function) = functions.get(word) {
                let scope = if class.is_empty() { "mfn".to_owned() } else { format!("mfn::{class}") };
                found.push((function.as_str(), format!("{scope}::{member}")));
            }
        }
    }
    found
}

/// The identifiers of a line of code.
fn identifiers(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

const OPENING: &str = "# The C++ interface, function by function

Every function of `include/mfn.h` and the C++ that calls it. `cargo xtask header` writes this table; `cargo xtask check`
refuses a function without a line, and `cargo xtask test-cpp` one that no test of `bindings/cpp/tests` calls.

| C | C++ |
|---|---|
";

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the table against names that stand only in comments, and against wrong places.
    #[test]
    fn functions_are_found_where_they_are_called() {
        let functions =
            declared("mfn_status mfn_a(void);\nconst char *mfn_b(int x);\n  mfn_c(\nvoid mfn_free(x);\n");
        assert_eq!(functions.iter().map(String::as_str).collect::<Vec<_>>(), ["mfn_a", "mfn_b", "mfn_free"]);
        let source = "inline int one(int x) {\n    return mfn_a();  // not mfn_b\n}\n\nclass two : public h<mfn_free> {\n\
                      \x20   [[nodiscard]] result<int> three(x) const {\n        return mfn_b(1);\n    }\n};\n";
        let found = places(source, &functions);
        let expected = [("mfn_a", "mfn::one"), ("mfn_free", "mfn::two::~two"), ("mfn_b", "mfn::two::three")];
        assert_eq!(found, expected.map(|(function, place)| (function, place.to_owned())));
    }
}
