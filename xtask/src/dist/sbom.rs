//! The list of parts: every package whose code is in the binaries, as CycloneDX, from what cargo resolved for the target.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::discovery::VERSION;
use crate::stage;
use crate::workspace::Workspace;

/// A package that is part of the binaries.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// Its name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// Its licence, as an SPDX expression.
    pub(crate) licence: String,
    /// Whether it is of this repository.
    pub(crate) is_own: bool,
    /// Where its sources lie.
    pub(crate) folder: PathBuf,
    /// The names and versions of the parts it uses.
    uses: Vec<String>,
}

impl Part {
    /// What names it among the others.
    fn reference(&self) -> String {
        format!("pkg:cargo/{}@{}", self.name, self.version)
    }
}

/// The parts of libmfn, the plugins and the command: what they reach by normal dependencies; nothing that only builds or
/// tests them.
pub(crate) fn parts(metadata: &Value) -> Result<Vec<Part>> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let packages: BTreeMap<String, Value> =
        list(&metadata["packages"]).into_iter().map(|package| (text(&package["id"]), package)).collect();
    let mut uses: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for node in list(&metadata["resolve"]["nodes"]) {
        let normal =
            |dependency: &&Value| list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"].is_null());
        let used =
            list(&node["deps"]).iter().filter(normal).map(|dependency| text(&dependency["pkg"])).collect();
        uses.insert(text(&node["id"]), used);
    }
    let roots: Vec<&str> =
        ["mfn-ffi", "mfn-cli"].into_iter().chain(stage::PLUGINS.map(|(name, _)| name)).collect();
    let mut open: Vec<String> = packages
        .iter()
        .filter(|(_, package)| {
            package["source"].is_null() && package["name"].as_str().is_some_and(|name| roots.contains(&name))
        })
        .map(|(id, _)| id.clone())
        .collect();
    let mut reached: BTreeSet<String> = BTreeSet::new();
    while let Some(id) = open.pop() {
        // A macro runs in the compiler; neither it nor what it uses is in the binaries.
        let is_macro = list(&packages.get(&id).context("an unknown package")?["targets"])
            .iter()
            .any(|target| list(&target["kind"]).contains(&json!("proc-macro")));
        if !is_macro && reached.insert(id.clone()) {
            open.extend(uses.get(&id).cloned().unwrap_or_default());
        }
    }
    let mut parts = Vec::new();
    for id in &reached {
        let package = &packages[id];
        let manifest = PathBuf::from(text(&package["manifest_path"]));
        let mut part = Part {
            name: text(&package["name"]),
            version: text(&package["version"]),
            licence: text(&package["license"]).replace('/', " OR "),
            is_own: package["source"].is_null(),
            folder: manifest.parent().context("a manifest lies in a folder")?.to_owned(),
            uses: Vec::new(),
        };
        for used in uses[id].iter().filter(|used| reached.contains(*used)) {
            let used = &packages[used];
            part.uses.push(format!("pkg:cargo/{}@{}", text(&used["name"]), text(&used["version"])));
        }
        part.uses.sort();
        parts.push(part);
    }
    parts.sort_by_key(|part| (part.name.clone(), part.version.clone()));
    Ok(parts)
}

/// The parts as a CycloneDX 1.5 document, with the checksums that Cargo.lock has of them.
pub(crate) fn document(workspace: &Workspace, parts: &[Part]) -> Result<String> {
    let checksums = checksums(&workspace.read("Cargo.lock")?)?;
    let components: Vec<Value> = parts
        .iter()
        .map(|part| {
            let mut component = json!({
                "type": "library", "bom-ref": part.reference(), "name": part.name, "version": part.version,
                "licenses": [{"expression": part.licence}],
            });
            if !part.is_own {
                component["purl"] = part.reference().into();
            }
            if let Some(checksum) = checksums.get(&(part.name.clone(), part.version.clone())) {
                component["hashes"] = json!([{"alg": "SHA-256", "content": checksum}]);
            }
            component
        })
        .collect();
    let mut dependencies: Vec<Value> =
        parts.iter().map(|part| json!({"ref": part.reference(), "dependsOn": part.uses})).collect();
    let own: Vec<String> = parts.iter().filter(|part| part.is_own).map(Part::reference).collect();
    dependencies.push(json!({"ref": "libmfn", "dependsOn": own}));
    let document = json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {"component": {
            "type": "library", "bom-ref": "libmfn", "name": "libmfn", "version": VERSION,
            "licenses": [{"expression": "Apache-2.0 OR MIT"}],
        }},
        "components": components, "dependencies": dependencies,
    });
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

/// The checksums of Cargo.lock by name and version.
fn checksums(lock: &str) -> Result<BTreeMap<(String, String), String>> {
    let lock: toml::Table = lock.parse().context("Cargo.lock is no TOML")?;
    let packages =
        lock.get("package").and_then(toml::Value::as_array).context("Cargo.lock names no package")?;
    let field = |package: &toml::Value, name: &str| {
        package.get(name).and_then(toml::Value::as_str).map(str::to_owned)
    };
    Ok(packages
        .iter()
        .filter_map(|package| {
            Some(((field(package, "name")?, field(package, "version")?), field(package, "checksum")?))
        })
        .collect())
}
