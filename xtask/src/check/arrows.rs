//! Import arrows: which member of the workspace may depend on which, and what must not be in the
//! dependency tree of the core. Directions that nothing executes are wishes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Findings;
use crate::workspace::Workspace;

/// The members that each member may import in its normal and build dependencies; the table of
/// docs/architecture.md. A plugin is recognised by its name, see [`allowed_for`].
const ALLOWED: [(&str, &[&str]); 14] = [
    ("mfn-sim", &[]),
    ("mfn-plugin", &[]),
    ("mfn-listener", &["mfn-plugin"]),
    ("mfn-runtime", &["mfn-sim", "mfn-plugin"]),
    ("mfn-dataset", &["mfn-sim"]),
    ("mfn-ffi", &["mfn-runtime", "mfn-dataset", "mfn-sim", "mfn-plugin"]),
    ("mfn-cli", &["mfn-runtime", "mfn-dataset", "mfn-sim", "mfn-plugin"]),
    ("mfn-benches", &["mfn-runtime", "mfn-dataset", "mfn-sim", "mfn-plugin"]),
    ("mfn-crossing", &["mfn-runtime", "mfn-plugin"]),
    ("mfn-examples", &["mfn-runtime", "mfn-sim"]),
    ("mfn-fuzz-bodies", &["mfn-runtime", "mfn-dataset", "mfn-sim", "mfn-plugin"]),
    ("mfn-header", &[]),
    ("mfn-interleavings", &["mfn-sim"]),
    ("xtask", &["mfn-header", "mfn-sim", "mfn-runtime"]),
];
/// What a plugin may import: the contract and the shared listener.
const PLUGIN: &[&str] = &["mfn-plugin", "mfn-listener"];

/// Members that a host links; a network stack in their tree would be in every host program.
const CORE: [&str; 6] = ["mfn-sim", "mfn-plugin", "mfn-dataset", "mfn-runtime", "mfn-ffi", "mfn-cli"];
/// Packages that bring a network stack, TLS, Kafka or MPI.
const BANNED_IN_CORE: [&str; 14] = [
    "axum",
    "curl",
    "h2",
    "hyper",
    "mio",
    "mpi",
    "native-tls",
    "openssl-sys",
    "rdkafka",
    "reqwest",
    "ring",
    "rustls",
    "tokio",
    "tungstenite",
];

/// Where the name of the library behind the plugin boundary may stand: the boundary's two sides, the
/// loader's tests with their broken plugins, and what lists dependencies.
const ABI_LIBRARY: &str = concat!("abi_", "stable");
const ABI_PLACES: [&str; 7] = [
    "Cargo.toml",
    "core/runtime/Cargo.toml",
    "core/runtime/examples",
    "core/runtime/src/plugin",
    "core/runtime/tests/loader",
    "deny.toml",
    "plugins/interface",
];

/// Checks imports between members, the core's tree, and who names the ABI library.
pub(crate) fn check(workspace: &Workspace) -> Result<Findings> {
    let host = workspace.host_triple()?;
    let metadata = workspace.metadata(&["--filter-platform", &host])?;
    let packages = Packages::read(&metadata)?;
    let mut faults = packages.forbidden_imports();
    faults.extend(packages.banned_in_core());
    faults.extend(names_of_abi_library(workspace)?);
    Ok(Findings::new(faults, format!("{} members, {} packages", packages.members.len(), packages.tree.len())))
}

/// The parts of `cargo metadata` that are looked at.
struct Packages {
    /// Member name to its manifest's directory, relative to the workspace root, and its direct
    /// normal and build dependencies.
    members: BTreeMap<String, (String, BTreeSet<String>)>,
    /// Package id to (name, ids of normal dependencies).
    tree: BTreeMap<String, (String, Vec<String>)>,
}

impl Packages {
    fn read(metadata: &Value) -> Result<Self> {
        let root = metadata["workspace_root"].as_str().context("no workspace_root")?;
        let member_ids: BTreeSet<&str> = strings(&metadata["workspace_members"]).collect();
        let mut names = BTreeMap::new();
        let mut members = BTreeMap::new();
        for package in array(&metadata["packages"]) {
            let id = package["id"].as_str().context("a package without id")?;
            let name = package["name"].as_str().context("a package without name")?;
            names.insert(id.to_owned(), name.to_owned());
            if member_ids.contains(id) {
                let manifest = Path::new(package["manifest_path"].as_str().context("no manifest_path")?);
                let place = manifest.parent().and_then(|p| p.strip_prefix(root).ok()).unwrap_or(manifest);
                let imports = array(&package["dependencies"])
                    .filter(|dependency| dependency["kind"].as_str() != Some("dev"))
                    .filter_map(|dependency| dependency["name"].as_str().map(str::to_owned))
                    .collect();
                members.insert(name.to_owned(), (place.display().to_string(), imports));
            }
        }
        let mut tree = BTreeMap::new();
        for node in array(&metadata["resolve"]["nodes"]) {
            let id = node["id"].as_str().context("a node without id")?;
            let is_normal =
                |dependency: &&Value| array(&dependency["dep_kinds"]).any(|kind| kind["kind"].is_null());
            let dependencies = array(&node["deps"])
                .filter(is_normal)
                .filter_map(|dependency| dependency["pkg"].as_str().map(str::to_owned))
                .collect();
            let name = names.get(id).cloned().unwrap_or_else(|| id.to_owned());
            tree.insert(id.to_owned(), (name, dependencies));
        }
        Ok(Self { members, tree })
    }

    fn forbidden_imports(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (name, (place, imports)) in &self.members {
            let Some(allowed) = allowed_for(name) else {
                faults.push(format!("{name} ({place}) has no row in the table of imports"));
                continue;
            };
            for import in imports.iter().filter(|import| self.members.contains_key(*import)) {
                if !allowed.contains(&import.as_str()) {
                    faults.push(format!("{name} must not import {import}; it may import {allowed:?}"));
                }
            }
        }
        faults
    }

    fn banned_in_core(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for core in CORE {
            let Some(start) = self.tree.iter().find(|(_, (name, _))| name == core).map(|(id, _)| id) else {
                faults.push(format!("{core} is no member of the workspace"));
                continue;
            };
            let mut seen = BTreeSet::from([start]);
            let mut open = vec![start];
            while let Some((name, dependencies)) = open.pop().and_then(|id| self.tree.get(id)) {
                if BANNED_IN_CORE.contains(&name.as_str()) {
                    faults.push(format!("{core} has {name} in its dependency tree"));
                }
                open.extend(dependencies.iter().filter(|id| seen.insert(id)));
            }
        }
        faults
    }
}

/// The members that the member `name` may import.
fn allowed_for(name: &str) -> Option<&'static [&'static str]> {
    let row = ALLOWED.iter().find(|(member, _)| *member == name).map(|(_, allowed)| *allowed);
    row.or_else(|| name.starts_with("mfn-plugin-").then_some(PLUGIN))
}

/// Files outside the boundary that name the ABI library.
fn names_of_abi_library(workspace: &Workspace) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for file in workspace.files_with_extension(&["rs", "toml"])? {
        let is_allowed = ABI_PLACES.iter().any(|place| file.starts_with(place));
        if !is_allowed && workspace.read(&file)?.contains(ABI_LIBRARY) {
            faults.push(format!("{} names {ABI_LIBRARY}; only {ABI_PLACES:?} may", file.display()));
        }
    }
    Ok(faults)
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn strings(value: &Value) -> impl Iterator<Item = &str> {
    array(value).filter_map(Value::as_str)
}
