//! target/demo: what an installed libmfn looks like. Release libraries, the headers, the plugins
//! with their manifests, the C example and the `mfn` command, laid out so that programs find
//! the library beside themselves.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

use crate::command;
use crate::dist::discovery::{self, Places};
use crate::dist::target::Target;
use crate::golang;
use crate::header::HEADER;
use crate::tools;
use crate::workspace::Workspace;

/// The plugins that are shipped: package and library name.
pub(crate) const PLUGINS: [(&str, &str); 5] = [
    ("mfn-plugin-file", "mfn_plugin_file"),
    ("mfn-plugin-http", "mfn_plugin_http"),
    ("mfn-plugin-kafka", "mfn_plugin_kafka"),
    ("mfn-plugin-prometheus", "mfn_plugin_prometheus"),
    ("mfn-plugin-sse", "mfn_plugin_sse"),
];

/// The directories of the layout.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    /// The layout's root.
    pub(crate) root: PathBuf,
}

impl Stage {
    /// The C example.
    pub(crate) fn program(&self) -> PathBuf {
        self.root.join("bin/pipeline")
    }

    /// The `mfn` command.
    pub(crate) fn mfn(&self) -> PathBuf {
        self.root.join("bin/mfn")
    }

    /// The shared library.
    pub(crate) fn library(&self) -> PathBuf {
        self.root.join("lib/libmfn.so")
    }

    /// The directory of the plugins.
    pub(crate) fn plugins(&self) -> PathBuf {
        self.root.join("plugins")
    }
}

/// Builds everything and brings target/demo up to date.
pub(crate) fn run(workspace: &Workspace) -> Result<Stage> {
    tools::require(&[tools::CC, tools::READELF])?;
    let release = build(workspace, &Target::host(workspace)?)?;
    let stage = Stage { root: workspace.stage_dir() };
    for directory in ["bin", "include", "lib/pkgconfig", "plugins"] {
        let directory = stage.root.join(directory);
        std::fs::create_dir_all(&directory)
            .with_context(|| format!("can not make {}", directory.display()))?;
    }
    install_library(&release, &stage)?;
    install(&release.join("libmfn.a"), &stage.root.join("lib/libmfn.a"))?;
    discovery::write_pkg_config(&stage.root, &Places { libraries: "lib", plugins: "plugins" })?;
    golang::install(workspace, &stage.root)?;
    install(&release.join("mfn"), &stage.mfn())?;
    install(&workspace.join(HEADER), &stage.root.join("include/mfn.h"))?;
    install_cpp(workspace, &stage.root)?;
    for (_, library) in PLUGINS {
        let file = format!("lib{library}.so");
        let target = stage.plugins().join(&file);
        install(&release.join(&file), &target)?;
        write_manifest(Command::new(stage.mfn()), &target)?;
    }
    compile(workspace, &stage)?;
    Ok(stage)
}

/// Builds the release libraries for a target; returns the directory they lie in.
pub(crate) fn build(workspace: &Workspace, target: &Target) -> Result<PathBuf> {
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--release", "--package", "mfn-ffi", "--package", "mfn-cli"]);
    for (package, _) in PLUGINS {
        cargo.args(["--package", package]);
    }
    target.set_up(&mut cargo);
    command::run(&mut cargo)?;
    Ok(workspace.target_dir()?.join(target.folder()).join("release"))
}

/// Copies a file when it differs. The copy is renamed into place, because a running program may
/// have the old one mapped.
pub(crate) fn install(from: &Path, to: &Path) -> Result<bool> {
    let bytes = std::fs::read(from).with_context(|| format!("can not read {}", from.display()))?;
    if std::fs::read(to).is_ok_and(|present| present == bytes) {
        return Ok(false);
    }
    let name = to.file_name().context("a path without file name")?.to_string_lossy();
    let fresh = to.with_file_name(format!(".{name}.{}", std::process::id()));
    std::fs::copy(from, &fresh).with_context(|| format!("can not write {}", fresh.display()))?;
    std::fs::rename(&fresh, to).with_context(|| format!("can not write {}", to.display()))?;
    Ok(true)
}

/// Installs the headers of the C++ interface beside the C header.
pub(crate) fn install_cpp(workspace: &Workspace, root: &Path) -> Result<()> {
    for file in workspace.files_with_extension(&["hpp"])? {
        let Ok(name) = file.strip_prefix("bindings/cpp/include") else { continue };
        let target = root.join("include").join(name);
        std::fs::create_dir_all(target.parent().context("a header lies in a folder")?)?;
        install(&workspace.join(&file), &target)?;
    }
    Ok(())
}

/// Installs libmfn.so under its name and under its soname, which a linked program asks for.
fn install_library(release: &Path, stage: &Stage) -> Result<()> {
    let library = stage.library();
    install(&release.join("libmfn.so"), &library)?;
    let soname = soname(&library)?;
    if soname != "libmfn.so" {
        let link = library.with_file_name(soname);
        if std::fs::read_link(&link).is_err() {
            std::os::unix::fs::symlink("libmfn.so", &link)
                .with_context(|| format!("can not link {}", link.display()))?;
        }
    }
    Ok(())
}

/// The name by which a library asks to be found.
pub(crate) fn soname(library: &Path) -> Result<String> {
    let dynamic = command::capture(Command::new("readelf").arg("--dynamic").arg(library))?;
    let name = dynamic
        .lines()
        .find(|line| line.contains("(SONAME)"))
        .and_then(|line| line.split(['[', ']']).nth(1))
        .with_context(|| format!("{} has no soname", library.display()))?;
    Ok(name.to_owned())
}

/// Writes the manifest beside a plugin: what it says of itself, and the digest of its file. Nothing is
/// done when the manifest present has that digest. `mfn` is the command of the same build.
pub(crate) fn write_manifest(mut mfn: Command, plugin: &Path) -> Result<()> {
    let digest = hex(&Sha256::digest(std::fs::read(plugin)?));
    let path = plugin.with_extension("plugin.toml");
    if std::fs::read_to_string(&path).is_ok_and(|text| text.contains(&digest)) {
        return Ok(());
    }
    command::capture(mfn.args(["plugin", "manifest"]).arg(plugin))?;
    let text = std::fs::read_to_string(&path).with_context(|| format!("can not read {}", path.display()))?;
    ensure!(text.contains(&digest), "{} changed while it was staged", plugin.display());
    Ok(())
}

/// Compiles the C example against what was staged.
fn compile(workspace: &Workspace, stage: &Stage) -> Result<()> {
    let source = workspace.join("examples/pipeline.c");
    let program = stage.program();
    let inputs = [&source, &stage.library(), &stage.root.join("include/mfn.h")];
    if is_newer(&program, &inputs) {
        return Ok(());
    }
    let mut cc = Command::new("cc");
    cc.args(["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "-O2"]);
    cc.arg("-I").arg(stage.root.join("include")).arg(&source).arg("-o").arg(&program);
    cc.arg("-L").arg(stage.root.join("lib")).args(["-lmfn", "-Wl,-rpath,$ORIGIN/../lib"]);
    command::run(&mut cc)?;
    ensure!(program.is_file(), "cc made no {}", program.display());
    Ok(())
}

/// Whether `file` is newer than each input.
fn is_newer(file: &Path, inputs: &[&PathBuf]) -> bool {
    let changed = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
    let Some(made) = changed(file) else { return false };
    inputs.iter().all(|input| changed(input).is_some_and(|time| time < made))
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
