//! Plugins and hosts of different interface versions: those of earlier versions are kept as built files in
//! plugins/interface/matrix and run with each other, with today's libmfn and with today's plugins. Of one major version
//! all work, and what a minor version added is used where both sides have it; another major version is refused with its
//! reason.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::Subject;
use crate::check::Findings;
use crate::command;
use crate::workspace::Workspace;

/// Where the built files lie: a folder for each version, in it host.gz and plugin.gz.
const MATRIX: &str = "plugins/interface/matrix";

/// The version of the interface as it is built now.
const TODAY: &str = "plugins/interface/Cargo.toml";

/// What one side is built with: major and minor number.
type Version = (u32, u32);

/// The first version whose host tells its health to a plugin.
const HEALTH_SINCE: Version = (1, 1);

/// A program that loads plugins.
struct Host {
    version: Version,
    program: PathBuf,
    name: String,
}

/// A library that is loaded, with the configuration that its publisher needs.
struct Plugin {
    version: Version,
    library: PathBuf,
    name: String,
    config: String,
    /// Whether it is the plugin made for this check, which says what it finds.
    tells: bool,
}

/// Builds and keeps host and plugin of today's version, unless they are kept already.
pub(super) fn save(workspace: &Workspace) -> Result<()> {
    let folder = workspace.join(MATRIX).join(shown(today(workspace)?));
    if folder.is_dir() {
        println!("{} is kept already", folder.display());
        return Ok(());
    }
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--release", "--package", "mfn-runtime"]);
    command::run(cargo.args(["--example", "interface_host", "--example", "interface_plugin"]))?;
    let built = workspace.target_dir()?.join("release/examples");
    std::fs::create_dir_all(&folder)?;
    for (from, to) in [("interface_host", "host.gz"), ("libinterface_plugin.so", "plugin.gz")] {
        let stripped = tempfile::NamedTempFile::new()?;
        command::capture(Command::new("strip").arg(built.join(from)).arg("-o").arg(stripped.path()))?;
        let packed = std::fs::File::create(folder.join(to))?;
        let mut packer = flate2::write::GzEncoder::new(packed, flate2::Compression::best());
        packer.write_all(&std::fs::read(stripped.path())?)?;
        packer.finish()?;
        println!("wrote {}", folder.join(to).display());
    }
    Ok(())
}

/// Runs every host with every plugin.
pub(super) fn check(subject: &Subject) -> Result<Findings> {
    if cfg!(not(all(target_arch = "x86_64", target_os = "linux"))) {
        let reason = String::from("the built files are for Linux on x86-64");
        return Ok(Findings { not_checked: Some(reason), ..Findings::new(Vec::new(), String::from("none")) });
    }
    let folder = tempfile::tempdir()?;
    let (mut hosts, mut plugins) = kept(subject, folder.path())?;
    let today = today(&subject.workspace)?;
    let newest = hosts.iter().map(|host| host.version).max().unwrap_or_default();
    let mut faults = Vec::new();
    if newest < today {
        faults.push(format!("{MATRIX} lacks {}: `cargo xtask abi --save-baseline` builds it", shown(today)));
    }
    if hosts.len() < 2 || plugins.iter().all(|plugin| plugin.version.0 == today.0) {
        faults.push(format!("{MATRIX} lacks an earlier host, or a plugin of another major version"));
    }
    hosts.push(host_of_today(subject, today, folder.path())?);
    plugins.push(plugin_of_today(subject, today, folder.path()));
    let mut runs = 0_usize;
    for host in &hosts {
        for plugin in &plugins {
            faults.extend(fault(host, plugin)?);
            runs += 1;
        }
    }
    let scope = format!("{} hosts with {} plugins: {runs} combinations", hosts.len(), plugins.len());
    Ok(Findings::new(faults, scope))
}

/// What is wrong with one combination.
fn fault(host: &Host, plugin: &Plugin) -> Result<Option<String>> {
    let output = command::output(Command::new(&host.program).arg(&plugin.library).arg(&plugin.config))?;
    let told = output.stdout.trim();
    let expected = match plugin.version.0.cmp(&host.version.0) {
        std::cmp::Ordering::Less => vec!["refused: ", "abi_too_old"],
        std::cmp::Ordering::Greater => vec!["refused: ", "abi_too_new"],
        std::cmp::Ordering::Equal if !plugin.tells => vec!["works: ", ": ok, "],
        std::cmp::Ordering::Equal if plugin.version < HEALTH_SINCE => {
            vec!["works: ", "ok, an empty record; 1 accepted"]
        }
        std::cmp::Ordering::Equal if host.version < HEALTH_SINCE => {
            vec!["works: ", "host tells its health: false"]
        }
        std::cmp::Ordering::Equal => {
            vec!["works: ", "ok, an empty record; 1 accepted; host tells its health: true"]
        }
    };
    let right = output.success && expected.iter().all(|part| told.contains(part));
    Ok((!right).then(|| {
        format!(
            "{} with {}: expected {expected:?}, got {told:?} {}",
            host.name,
            plugin.name,
            output.text.trim()
        )
    }))
}

/// Unpacks the built files.
fn kept(subject: &Subject, folder: &Path) -> Result<(Vec<Host>, Vec<Plugin>)> {
    let (mut hosts, mut plugins) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(subject.workspace.join(MATRIX)).with_context(|| format!("no {MATRIX}"))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(version) = version(&name) else { continue };
        if let Some(program) = unpack(&path.join("host.gz"), &folder.join(format!("host-{name}")))? {
            hosts.push(Host { version, program, name: format!("host {name}") });
        }
        if let Some(library) = unpack(&path.join("plugin.gz"), &folder.join(format!("plugin-{name}.so")))? {
            let (name, config) = (format!("plugin {name}"), String::from("{}"));
            plugins.push(Plugin { version, library, name, config, tells: true });
        }
    }
    ensure!(!plugins.is_empty(), "{MATRIX} has no plugins");
    Ok((hosts, plugins))
}

/// Unpacks one file as something that can be run; `None` where it is not kept.
fn unpack(packed: &Path, target: &Path) -> Result<Option<PathBuf>> {
    if !packed.is_file() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(packed)?)
        .read_to_end(&mut bytes)
        .with_context(|| format!("can not unpack {}", packed.display()))?;
    std::fs::write(target, bytes)?;
    std::fs::set_permissions(target, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    Ok(Some(target.to_owned()))
}

/// A program against today's libmfn.
fn host_of_today(subject: &Subject, today: Version, folder: &Path) -> Result<Host> {
    let program = folder.join("host-today");
    let soname = format!("libmfn.so.{}", subject.interface()?.version()?);
    std::os::unix::fs::symlink(subject.library.canonicalize()?, folder.join(soname))?;
    let mut cc = Command::new("gcc");
    cc.args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-I"]).arg(subject.include());
    cc.arg(subject.workspace.join(MATRIX).join("host.c")).arg(&subject.library).arg("-o").arg(&program);
    cc.arg(format!("-Wl,-rpath,{}", folder.display()));
    command::capture(&mut cc)?;
    Ok(Host { version: today, program, name: String::from("libmfn.so of today") })
}

/// The file plugin as it is shipped.
fn plugin_of_today(subject: &Subject, today: Version, folder: &Path) -> Plugin {
    Plugin {
        version: today,
        library: subject.plugins.join("libmfn_plugin_file.so"),
        name: String::from("file plugin of today"),
        config: format!("{{\"directory\": \"{}\", \"file_name\": \"out\"}}", folder.join("out").display()),
        tells: false,
    }
}

/// The version that the interface has now.
fn today(workspace: &Workspace) -> Result<Version> {
    let manifest = workspace.read(TODAY)?;
    let line = manifest.lines().find_map(|line| line.strip_prefix("version = \""));
    line.and_then(version).with_context(|| format!("{TODAY} has no version"))
}

/// Reads `1.0`, and as much of `1.0.0"`.
fn version(text: &str) -> Option<Version> {
    let mut numbers = text.split(['.', '"']);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn shown((major, minor): Version) -> String {
    format!("{major}.{minor}")
}
