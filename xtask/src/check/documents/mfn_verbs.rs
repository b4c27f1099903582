//! The verbs of the `mfn` command, read from the sources of bindings/cli: the enums that derive
//! clap's `Subcommand`. So a document can be checked without building the command.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use syn::{Attribute, Fields, Item, ItemEnum, ItemStruct, Type};

use crate::workspace::Workspace;

/// Verbs and their own verbs; a verb without any takes arguments.
#[derive(Debug, Default)]
pub(super) struct Verbs {
    verbs: BTreeMap<String, Vec<String>>,
}

impl Verbs {
    #[cfg(test)]
    pub(super) fn of(verbs: &[(&str, &[&str])]) -> Self {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self { verbs: verbs.iter().map(|(verb, nested)| ((*verb).to_owned(), owned(nested))).collect() }
    }

    /// Why these words after `mfn` name no verb.
    pub(super) fn problem(&self, words: &[&str]) -> Option<String> {
        let verb = words.first().copied().filter(|word| is_verb(word))?;
        let Some(nested) = self.verbs.get(verb) else {
            let known: Vec<&str> = self.verbs.keys().map(String::as_str).collect();
            return Some(format!("there is no verb {verb}; there are {}", known.join(", ")));
        };
        let inner = words.get(1).copied().filter(|word| is_verb(word))?;
        (!nested.is_empty() && !nested.iter().any(|name| name == inner))
            .then(|| format!("{verb} has no verb {inner}; it has {}", nested.join(", ")))
    }
}

/// Whether the word can be a verb: no flag, no placeholder, no prose.
fn is_verb(word: &str) -> bool {
    !word.is_empty()
        && *word != *"help"
        && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
        && !word.starts_with('-')
}

/// Reads the verbs from the sources.
pub(super) fn read(workspace: &Workspace) -> Result<Verbs> {
    let mut items = Vec::new();
    for file in workspace.files_with_extension(&["rs"])? {
        if file.starts_with("bindings/cli/src") {
            let text = workspace.read(&file)?;
            items.extend(
                syn::parse_file(&text).map_err(|e| anyhow::anyhow!("{}: {e}", file.display()))?.items,
            );
        }
    }
    let enums: Vec<&ItemEnum> = items
        .iter()
        .filter_map(|item| match item {
            Item::Enum(item) if derives(&item.attrs, "Subcommand") => Some(item),
            _ => None,
        })
        .collect();
    let structs: Vec<&ItemStruct> = items
        .iter()
        .filter_map(|item| match item {
            Item::Struct(item) => Some(item),
            _ => None,
        })
        .collect();
    let named = |name: &str| enums.iter().find(|item| item.ident == name).copied();
    // An enum with verbs: named by the type itself, or by the field of a struct of arguments.
    let enum_of = |name: &str| {
        named(name).or_else(|| {
            let arguments = structs.iter().find(|item| item.ident == name)?;
            subcommand_type(&arguments.fields).and_then(|inner| named(&inner))
        })
    };
    let root = structs
        .iter()
        .filter(|item| derives(&item.attrs, "Parser"))
        .find_map(|item| subcommand_type(&item.fields))
        .and_then(|name| named(&name));
    let mut verbs = Verbs::default();
    for variant in root.into_iter().flat_map(|root| &root.variants) {
        let nested = subcommand_type(&variant.fields).or_else(|| only_type(&variant.fields));
        let nested = nested.and_then(|name| enum_of(&name));
        let names = nested.into_iter().flat_map(|item| &item.variants).map(verb_name).collect();
        verbs.verbs.insert(verb_name(variant), names);
    }
    ensure!(!verbs.verbs.is_empty(), "no clap verbs in bindings/cli/src");
    Ok(verbs)
}

fn verb_name(variant: &syn::Variant) -> String {
    let mut name = String::new();
    for c in variant.ident.to_string().chars() {
        if c.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}

fn derives(attributes: &[Attribute], wanted: &str) -> bool {
    attributes.iter().any(|attribute| mentions(attribute, "derive", wanted))
}

/// Whether `#[name(.. word ..)]`.
fn mentions(attribute: &Attribute, name: &str, word: &str) -> bool {
    let list = attribute.meta.require_list();
    attribute.path().is_ident(name)
        && list.is_ok_and(|list| list.tokens.clone().into_iter().any(|tree| tree.to_string() == word))
}

/// The type of the field marked `#[command(subcommand)]`.
fn subcommand_type(fields: &Fields) -> Option<String> {
    let is_marked =
        |attributes: &[Attribute]| attributes.iter().any(|a| mentions(a, "command", "subcommand"));
    fields.iter().find(|field| is_marked(&field.attrs)).and_then(|field| type_name(&field.ty))
}

/// The type of a variant's only field.
fn only_type(fields: &Fields) -> Option<String> {
    let mut fields = fields.iter();
    let first = fields.next()?;
    if fields.next().is_some() { None } else { type_name(&first.ty) }
}

fn type_name(ty: &Type) -> Option<String> {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        _ => None,
    }
}
