//! The promise to compiled programs in one line for each item, and what another promise breaks of it. The committed
//! lines are those of the last release; `cargo xtask abi --save-baseline` writes them.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::{Context, Result};

use super::interface::Interface;
use super::layout::Layouts;

/// Each item with what a program was compiled to believe of it: `function mfn_version` and `const char * ()`,
/// `field mfn_spec.alpha` and `40 double`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Contract(BTreeMap<String, String>);

/// What differs between two promises.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    /// What a program compiled for the old one can not live with.
    pub(crate) breaks: Vec<String>,
    /// What only the new one has.
    pub(crate) additions: Vec<String>,
}

const VERSION: &str = "constant MFN_ABI_VERSION";

impl Contract {
    /// The promise of a header, with the layouts that the C compiler gives its structs.
    pub(crate) fn new(interface: &Interface, layouts: &Layouts) -> Result<Self> {
        let mut items = BTreeMap::new();
        items.extend(interface.functions.iter().map(|(name, s)| (format!("function {name}"), s.to_string())));
        items.extend(interface.callbacks.iter().map(|(name, s)| (format!("callback {name}"), s.to_string())));
        items.extend(interface.types.iter().map(|(name, old)| (format!("type {name}"), old.clone())));
        items.extend(interface.handles.keys().map(|name| (format!("handle {name}"), String::from("opaque"))));
        items.extend(interface.constants.iter().map(|(name, v)| (format!("constant {name}"), v.clone())));
        for (name, fields) in &interface.structs {
            let layout = layouts.get(name).with_context(|| format!("no layout of {name}"))?;
            items.insert(format!("struct {name}"), layout.size.to_string());
            for field in fields {
                let at = layout.offsets.get(&field.name).context("no offset of a field")?;
                items.insert(format!("field {name}.{}", field.name), format!("{at} {}", field.type_name));
            }
        }
        Ok(Self(items))
    }

    /// Reads the committed lines.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let item = |line: &str| {
            let (item, value) = line.split_once(": ").with_context(|| format!("no item: {line:?}"))?;
            Ok((item.to_owned(), value.to_owned()))
        };
        lines.map(item).collect::<Result<_>>().map(Self)
    }

    /// The lines to commit.
    pub(crate) fn text(&self) -> String {
        let mut text = String::from(
            "# What compiled programs rely on. Written by `cargo xtask abi --save-baseline`; do not edit.\n",
        );
        for (item, value) in &self.0 {
            let _ = writeln!(text, "{item}: {value}");
        }
        text
    }

    /// The ABI version of the promise.
    pub(crate) fn version(&self) -> Result<u32> {
        self.0.get(VERSION).context("no MFN_ABI_VERSION")?.parse().context("MFN_ABI_VERSION is no number")
    }

    /// How many items there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// What `newer` does to programs that were compiled for this promise.
    pub(crate) fn compare(&self, newer: &Self) -> Difference {
        let mut difference = Difference::default();
        for (item, old) in self.0.iter().filter(|(item, _)| *item != VERSION) {
            match newer.0.get(item) {
                None if self.is_taken_reserve(item, old, newer) => {}
                None => difference.breaks.push(format!("removed: {item}")),
                Some(new) if new == old || self.has_grown(item, old, new) => {}
                Some(new) => difference.breaks.push(format!("changed: {item}: was {old}, is {new}")),
            }
        }
        for (item, new) in newer.0.iter().filter(|(item, _)| !self.0.contains_key(*item)) {
            if self.fits(item, new) {
                difference.additions.push(item.clone());
            } else {
                difference.breaks.push(format!("inserted: {item} at {new}"));
            }
        }
        difference
    }

    /// Whether the struct of a field says its size, so that it may grow at its end.
    fn says_its_size(&self, name: &str) -> bool {
        self.0.contains_key(&format!("field {name}.struct_size"))
    }

    fn has_grown(&self, item: &str, old: &str, new: &str) -> bool {
        let Some(name) = item.strip_prefix("struct ") else { return false };
        let size = |text: &str| text.parse::<u64>().unwrap_or(0);
        self.says_its_size(name) && size(new) > size(old)
    }

    /// Whether a field was there to be taken and another of its place and type took it.
    fn is_taken_reserve(&self, item: &str, place: &str, newer: &Self) -> bool {
        let Some((name, field)) = item.split_once('.') else { return false };
        let in_struct = |other: &String| other.starts_with(&format!("{name}."));
        field.starts_with("reserved") && newer.0.iter().any(|(other, at)| in_struct(other) && at == place)
    }

    /// Whether a new item disturbs nothing: a field of a known struct has to lie behind its old end, or to take the
    /// place of a reserved one.
    fn fits(&self, item: &str, value: &str) -> bool {
        let Some((name, _)) = item.strip_prefix("field ").and_then(|path| path.split_once('.')) else {
            return true;
        };
        let Some(old_size) = self.0.get(&format!("struct {name}")) else { return true };
        let number = |text: &str| text.split(' ').next().and_then(|text| text.parse::<u64>().ok());
        let reserve = |(other, at): (&String, &String)| {
            other.starts_with(&format!("field {name}.reserved")) && at == value
        };
        self.0.iter().any(reserve) || (self.says_its_size(name) && number(value) >= number(old_size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "constant MFN_ABI_VERSION: 0\nconstant MFN_OK: 0\nfield s.struct_size: 0 uint32_t\n\
        field s.reserved: 4 uint32_t\nfield t.x: 0 double\nfunction f: int (int)\nstruct s: 8\nstruct t: 8\n";

    fn change(from: &str, to: &str) -> Difference {
        assert!(OLD.contains(from), "{from}");
        let parse = |text: &str| Contract::parse(text).expect("lines");
        parse(OLD).compare(&parse(&OLD.replace(from, to)))
    }

    /// Guards the promise itself: what breaks a compiled program is a break.
    #[test]
    fn breaks_are_breaks() {
        for (from, to, part) in [
            ("constant MFN_OK: 0\n", "", "removed: constant MFN_OK"),
            ("MFN_OK: 0", "MFN_OK: 1", "changed: constant MFN_OK: was 0, is 1"),
            ("function f: int (int)\n", "", "removed: function f"),
            ("int (int)", "int (long)", "changed: function f: was int (int), is int (long)"),
            ("struct t: 8", "field t.y: 8 double\nstruct t: 16", "changed: struct t: was 8, is 16"),
            ("struct s: 8", "field s.y: 4 float\nstruct s: 8", "inserted: field s.y at 4 float"),
            ("field s.reserved: 4 uint32_t\n", "", "removed: field s.reserved"),
            ("struct s: 8", "struct s: 4", "changed: struct s: was 8, is 4"),
        ] {
            let found = change(from, to);
            assert!(found.breaks.iter().any(|text| text == part), "{part}: {found:?}");
        }
    }

    /// Guards growth: what a compiled program does not notice is no break.
    #[test]
    fn growth_is_no_break() {
        for (from, to, added) in [
            ("MFN_ABI_VERSION: 0", "MFN_ABI_VERSION: 1", ""),
            ("struct t: 8", "struct t: 8\nfunction g: void ()", "function g"),
            ("struct s: 8", "field s.more: 8 double\nstruct s: 16", "field s.more"),
            ("field s.reserved", "field s.taken", "field s.taken"),
        ] {
            let found = change(from, to);
            assert!(found.breaks.is_empty(), "{found:?}");
            assert_eq!(found.additions.join(""), added);
        }
    }
}
