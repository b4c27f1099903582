//! Sizes and offsets of the structs that cross by value: what the C compiler makes of the header's text, against the
//! table that the Rust compiler checked when libmfn was built. The header checks itself by the same table; measuring it
//! finds what such a check can not: a struct or a field that is missing from the table.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::Subject;
use super::interface::Interface;
use crate::check::Findings;
use crate::command;

/// Size and offsets of a struct in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) size: u64,
    pub(crate) offsets: BTreeMap<String, u64>,
}

/// Layouts by the names of structs.
pub(crate) type Layouts = BTreeMap<String, Layout>;

/// What the C compiler makes of the header's structs.
pub(crate) fn in_c(interface: &Interface, include: &Path) -> Result<Layouts> {
    let folder = tempfile::tempdir()?;
    let mut lines = String::new();
    for (name, fields) in &interface.structs {
        writeln!(lines, "printf(\"{name} %zu\\n\", sizeof({name}));")?;
        for field in fields {
            let field = &field.name;
            writeln!(lines, "printf(\"{name} {field} %zu\\n\", offsetof({name}, {field}));")?;
        }
    }
    let source = folder.path().join("layout.c");
    std::fs::write(
        &source,
        format!("#include <mfn.h>\n#include <stdio.h>\nint main(void) {{\n{lines}return 0; }}\n"),
    )?;
    let program = folder.path().join("layout");
    let mut cc = Command::new("gcc");
    cc.args(["-std=c99", "-O0", "-I"]).arg(include).arg(&source).arg("-o").arg(&program);
    command::capture(&mut cc)?;
    let mut layouts = Layouts::new();
    for line in command::capture(&mut Command::new(&program))?.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let (name, number) = (words[0].to_owned(), words[words.len() - 1].parse().context("no number")?);
        let layout = layouts.entry(name).or_default();
        match words.as_slice() {
            [_, field, _] => drop(layout.offsets.insert((*field).to_owned(), number)),
            _ => layout.size = number,
        }
    }
    Ok(layouts)
}

/// What the Rust compiler was held to.
fn in_rust() -> Layouts {
    let own = |layout: &mfn_header::Layout| {
        let offsets = layout.offsets.iter().map(|(field, at)| ((*field).to_owned(), *at)).collect();
        (layout.name.to_owned(), Layout { size: layout.size, offsets })
    };
    mfn_header::LAYOUTS.iter().map(own).collect()
}

/// Compares the two.
pub(super) fn check(subject: &Subject) -> Result<Findings> {
    let c = in_c(&subject.interface()?, &subject.include())?;
    let rust = in_rust();
    let mut faults = Vec::new();
    for (name, layout) in &c {
        match rust.get(name) {
            None => faults.push(format!("{name} crosses by value and is not in ffi/src/layout/table.rs")),
            Some(other) if other == layout => {}
            Some(other) => faults.push(format!("{name} differs: {}", difference(layout, other))),
        }
    }
    let gone = rust.keys().filter(|name| !c.contains_key(*name));
    faults.extend(gone.map(|name| format!("{name} is in ffi/src/layout/table.rs and not in the header")));
    let fields: usize = c.values().map(|layout| layout.offsets.len()).sum();
    Ok(Findings::new(faults, format!("{} structs with {fields} fields, in C as in Rust", c.len())))
}

/// The first thing that differs between two layouts of a struct.
fn difference(c: &Layout, rust: &Layout) -> String {
    let offset = |layout: &Layout, field: &str| {
        layout.offsets.get(field).map_or_else(|| String::from("is missing"), |at| format!("lies at {at}"))
    };
    if c.size != rust.size {
        return format!("{} bytes in C, {} in Rust", c.size, rust.size);
    }
    let field =
        c.offsets.keys().chain(rust.offsets.keys()).find(|f| c.offsets.get(*f) != rust.offsets.get(*f));
    field.map_or_else(String::new, |field| {
        format!("{field} {} in C and {} in Rust", offset(c, field), offset(rust, field))
    })
}
