//! What include/mfn.h promises, read from its text: functions, callbacks, types, handles, structs and constants. It is
//! a reader of its own, so that what another tool can not see (constants, parameters of callbacks) is compared too. A
//! statement that it does not understand is an error, never left out.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};

/// A function or the type of a callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signature {
    /// The type of the answer.
    pub(crate) result: String,
    /// The types of the parameters; empty for `void`.
    pub(crate) parameters: Vec<String>,
}

/// A member of a struct: its name, and its type with the length of an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) type_name: String,
}

/// Everything that the header declares, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Interface {
    pub(crate) functions: BTreeMap<String, Signature>,
    pub(crate) callbacks: BTreeMap<String, Signature>,
    pub(crate) types: BTreeMap<String, String>,
    pub(crate) handles: BTreeMap<String, ()>,
    pub(crate) structs: BTreeMap<String, Vec<Field>>,
    pub(crate) constants: BTreeMap<String, String>,
}

impl std::fmt::Display for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.result, self.parameters.join(", "))
    }
}

impl Interface {
    /// Reads the text of the header.
    pub(crate) fn parse(header: &str) -> Result<Self> {
        let mut interface = Self::default();
        for statement in interface.statements(header)? {
            interface.read(&statement).with_context(|| format!("in the header: {statement}"))?;
        }
        Ok(interface)
    }

    /// The ABI version, which a break has to raise.
    pub(crate) fn version(&self) -> Result<u32> {
        let text = self.constants.get("MFN_ABI_VERSION").context("the header has no MFN_ABI_VERSION")?;
        text.parse().with_context(|| format!("MFN_ABI_VERSION is {text:?}"))
    }

    /// Whether a struct says its size, and so may grow at its end.
    pub(crate) fn may_grow(&self, name: &str) -> bool {
        self.structs.get(name).and_then(|fields| fields.first()).is_some_and(|f| f.name == "struct_size")
    }

    /// Takes the constants and gives the declarations, each in one line without comments.
    fn statements(&mut self, header: &str) -> Result<Vec<String>> {
        let mut statements = Vec::new();
        let mut statement = String::new();
        let mut depth = 0_usize;
        let mut for_cpp = false;
        for line in without_comments(header)?.lines().map(str::trim) {
            if line.starts_with("#if UINTPTR_MAX") {
                break;
            }
            if line.starts_with('#') {
                for_cpp = line == "#ifdef __cplusplus";
                self.define(line)?;
                continue;
            }
            if for_cpp {
                continue;
            }
            for character in line.chars() {
                match character {
                    '{' => depth += 1,
                    '}' => depth = depth.checked_sub(1).context("a } too many")?,
                    ';' if depth == 0 => {
                        statements.push(std::mem::take(&mut statement));
                        continue;
                    }
                    _ => {}
                }
                statement.push(character);
            }
            statement.push(' ');
        }
        ensure!(statement.trim().is_empty() && depth == 0, "an unfinished declaration: {statement}");
        Ok(statements.iter().map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")).collect())
    }

    /// Takes a constant; the guard and inclusions are none.
    fn define(&mut self, line: &str) -> Result<()> {
        let Some(definition) = line.strip_prefix("#define ") else { return Ok(()) };
        if let Some((name, value)) = definition.trim().split_once(char::is_whitespace) {
            ensure!(!name.contains('('), "a macro with arguments is no constant: {line}");
            self.constants.insert(name.to_owned(), value.trim().to_owned());
        }
        Ok(())
    }

    fn read(&mut self, statement: &str) -> Result<()> {
        let Some(definition) = statement.strip_prefix("typedef ") else {
            let (name, signature) = function(statement)?;
            self.functions.insert(name, signature);
            return Ok(());
        };
        if let Some((before, body)) = definition.split_once('{') {
            let (body, name) = body.rsplit_once('}').context("a struct without end")?;
            let name = name.trim();
            ensure!(before.trim() == format!("struct {name}"), "tag and name of a struct differ");
            let fields = body.split(';').map(str::trim).filter(|field| !field.is_empty());
            self.structs.insert(name.to_owned(), fields.map(field).collect::<Result<_>>()?);
        } else if let Some((result, rest)) = definition.split_once("(*") {
            let (name, parameters) = rest.split_once(')').context("a callback without name")?;
            let signature = Signature { result: result.trim().to_owned(), parameters: types(parameters)? };
            self.callbacks.insert(name.to_owned(), signature);
        } else if let Some(names) = definition.strip_prefix("struct ") {
            let (tag, name) = names.split_once(' ').context("a handle without name")?;
            ensure!(tag == name, "tag and name of a handle differ");
            self.handles.insert(name.to_owned(), ());
        } else {
            let (old, name) = definition.rsplit_once(' ').context("a type without name")?;
            self.types.insert(name.to_owned(), old.to_owned());
        }
        Ok(())
    }
}

fn function(statement: &str) -> Result<(String, Signature)> {
    let (before, parameters) = statement.split_once('(').context("neither a type nor a function")?;
    let (result, name) = split_name(before.trim())?;
    Ok((
        name.to_owned(),
        Signature { result: result.to_owned(), parameters: types(&format!("({parameters}"))? },
    ))
}

/// The types of a list of parameters in parentheses.
fn types(parameters: &str) -> Result<Vec<String>> {
    let list = parameters.trim().strip_prefix('(').and_then(|list| list.strip_suffix(')'));
    let list = list.context("no list of parameters")?.trim();
    ensure!(!list.contains(['(', '[']), "a parameter that is a function or an array");
    if list == "void" {
        return Ok(Vec::new());
    }
    list.split(',').map(|one| split_name(one.trim()).map(|(type_name, _)| type_name.to_owned())).collect()
}

fn field(declaration: &str) -> Result<Field> {
    let (declaration, length) = match declaration.split_once('[') {
        Some((before, length)) => (before, format!("[{length}")),
        None => (declaration, String::new()),
    };
    let (type_name, name) = split_name(declaration)?;
    Ok(Field { name: name.to_owned(), type_name: format!("{type_name}{length}") })
}

/// Splits `const char *name` before its name.
fn split_name(declaration: &str) -> Result<(&str, &str)> {
    let at = declaration.rfind([' ', '*']).context("a declaration without a name")? + 1;
    let (type_name, name) = declaration.split_at(at);
    ensure!(!name.is_empty(), "a declaration without a name");
    Ok((type_name.trim(), name))
}

/// The header without its comments; what begins with a star of a rule stays one line.
fn without_comments(header: &str) -> Result<String> {
    let mut text = String::new();
    let mut rest = header;
    while let Some(at) = rest.find('/') {
        let (before, comment) = rest.split_at(at);
        text.push_str(before);
        rest = if comment.starts_with("//") {
            comment.find('\n').map_or("", |end| &comment[end..])
        } else if comment.starts_with("/*") {
            comment.split_once("*/").context("a comment without end")?.1
        } else {
            bail!("a / that begins no comment")
        };
    }
    Ok(text + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "\
#ifndef MFN_H
#define MFN_H
#include <stdint.h>
#ifdef __cplusplus
extern \"C\" {
#endif
// A number; not { code.
#define MFN_OK 0
typedef int32_t mfn_status;
typedef struct mfn_sim mfn_sim;
typedef struct mfn_spec {
    uint32_t struct_size; // bytes
    double values[4];
    const char *const *names;
} mfn_spec;
typedef int32_t (*mfn_done_fn)(void *user_data, uint64_t step);
/* A function. */
const char *mfn_version(void);
mfn_status mfn_sim_create(const mfn_spec *spec,
                          mfn_sim **sim);
#ifdef __cplusplus
}
#endif
#if UINTPTR_MAX == 0xffu
what follows is for the compiler
";

    /// Guards the reader against every form of declaration that the header has.
    #[test]
    fn every_kind_of_declaration_is_read() {
        let interface = Interface::parse(HEADER).expect("a header");
        assert_eq!(interface.constants, BTreeMap::from([("MFN_OK".to_owned(), "0".to_owned())]));
        assert_eq!(interface.types["mfn_status"], "int32_t");
        assert!(interface.handles.contains_key("mfn_sim") && interface.may_grow("mfn_spec"));
        assert_eq!(interface.functions["mfn_version"].to_string(), "const char * ()");
        assert_eq!(
            interface.functions["mfn_sim_create"].to_string(),
            "mfn_status (const mfn_spec *, mfn_sim **)"
        );
        assert_eq!(interface.callbacks["mfn_done_fn"].to_string(), "int32_t (void *, uint64_t)");
        let fields = &interface.structs["mfn_spec"];
        let shown: Vec<_> = fields.iter().map(|f| (f.name.as_str(), f.type_name.as_str())).collect();
        assert_eq!(
            shown,
            [("struct_size", "uint32_t"), ("values", "double[4]"), ("names", "const char *const *")]
        );
    }

    /// Guards against declarations that the reader would pass over.
    #[test]
    fn what_is_not_understood_is_an_error() {
        for wrong in
            ["mfn_status x;", "int f(int (*g)(void));", "#define F(x) x\n", "struct a {", "int f(int a[2]);"]
        {
            assert!(Interface::parse(wrong).is_err(), "{wrong}");
        }
    }
}
