//! The Debian package, made of the tree by Debian's own tools: they find out what it depends on and pack it.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::discovery::{self, Places, VERSION};
use super::target::Target;
use super::tree::{self, DOCUMENTS};
use crate::{command, stage};

/// The name of the package.
pub(crate) const NAME: &str = "mfn";

/// Makes the package in `folder`.
pub(crate) fn make(target: &Target, tree: &Path, folder: &Path, time_s: u64) -> Result<PathBuf> {
    let architecture = target.debian_architecture()?;
    let package = folder.join(format!("{NAME}_{VERSION}_{architecture}"));
    super::remove(&package)?;
    let soname = lay_out(target, tree, &package)?;
    let control = package.join("DEBIAN");
    std::fs::create_dir_all(&control).with_context(|| format!("can not make {}", control.display()))?;
    let depends = depends(target, &package)?;
    let size_kib = size_bytes(&package)?.div_ceil(1024);
    std::fs::write(
        control.join("control"),
        format!(
            "Package: {NAME}\nVersion: {VERSION}\nSection: science\nPriority: optional\nArchitecture: {architecture}\n\
             Multi-Arch: foreign\nInstalled-Size: {size_kib}\nDepends: {depends}\nRecommends: pkgconf\n\
             Maintainer: libmfn <libmfn@localhost>\n\
             Description: MyceliumFractalNet simulation as a library\n \
             Reaction-diffusion on a grid and the fractal features of its result, for C, C++ and Go programs, with\n \
             plugins that bring requests in and carry results out, and the mfn command.\n"
        ),
    )?;
    let (library, number) = soname.split_once(".so.").context("a soname has a number")?;
    std::fs::write(control.join("shlibs"), format!("{library} {number} {NAME} (>= {VERSION})\n"))?;
    std::fs::write(control.join("triggers"), "activate-noawait ldconfig\n")?;
    write_md5sums(&package, &control.join("md5sums"))?;
    let deb = folder.join(format!("{NAME}_{VERSION}_{architecture}.deb"));
    let mut pack = Command::new("dpkg-deb");
    pack.args(["--root-owner-group", "-Zzstd", "-z9", "--build"]).arg(&package).arg(&deb);
    // dpkg-deb gives everything this time when it is newer.
    command::capture(pack.env("SOURCE_DATE_EPOCH", time_s.to_string()))?;
    super::remove(&package)?;
    Ok(deb)
}

/// Fills the folder of the package as Debian wants it; gives the name of the library that programs ask for.
fn lay_out(target: &Target, tree: &Path, package: &Path) -> Result<String> {
    let prefix = package.join("usr");
    tree::copy(tree, &prefix)?;
    std::fs::remove_file(prefix.join("SHA256SUMS")).context("the tree has no SHA256SUMS")?;
    let libraries = format!("lib/{}", target.multiarch());
    let plugins = format!("{libraries}/mfn/plugins");
    std::fs::rename(prefix.join("lib"), prefix.join("libraries")).context("the tree has no lib")?;
    std::fs::create_dir(prefix.join("lib"))?;
    std::fs::rename(prefix.join("libraries"), prefix.join(&libraries))?;
    let places = Places { libraries: &libraries, plugins: &plugins };
    let soname = stage::soname(&prefix.join(&libraries).join("libmfn.so"))?;
    discovery::write_pkg_config(&prefix, &places)?;
    discovery::write_cmake(&prefix, &places, &soname)?;
    let documents = prefix.join(DOCUMENTS);
    let apache = documents.join("LICENSE-APACHE");
    std::fs::remove_file(&apache).context("the tree has no LICENSE-APACHE")?;
    // Debian has that text once, for all.
    symlink("../../common-licenses/Apache-2.0", apache)?;
    let mit = std::fs::read_to_string(documents.join("LICENSE-MIT"))?;
    std::fs::write(
        documents.join("copyright"),
        format!(
            "libmfn stands under the Apache License 2.0 (/usr/share/common-licenses/Apache-2.0) or the MIT licence, at your\n\
             option. LICENSES-THIRD-PARTY has the licences of what others wrote.\n\n{mit}"
        ),
    )?;
    Ok(soname)
}

/// What must be installed beside the package, as dpkg-shlibdeps finds it; of a foreign architecture, the C library in the
/// version that the binaries need.
fn depends(target: &Target, package: &Path) -> Result<String> {
    let binaries: Vec<PathBuf> = tree::files_of(package)?
        .into_iter()
        .filter(|file| !file.is_symlink())
        .filter(|file| std::fs::read(file).is_ok_and(|bytes| bytes.starts_with(b"\x7fELF")))
        .collect();
    ensure!(!binaries.is_empty(), "there is no binary in {}", package.display());
    if target.is_cross() {
        return needed_versions(target, &binaries);
    }
    // It wants the source package's control file.
    let work = package.join("work");
    std::fs::create_dir_all(work.join("debian"))?;
    std::fs::write(
        work.join("debian/control"),
        format!("Source: {NAME}\n\nPackage: {NAME}\nArchitecture: any\n"),
    )?;
    let mut tool = Command::new("dpkg-shlibdeps");
    tool.current_dir(&work).args(["-O", "--warnings=0"]);
    tool.args(binaries.iter().map(|binary| format!("-e{}", binary.display())));
    let answer = command::capture(&mut tool)?;
    super::remove(&work)?;
    let depends = answer.lines().find_map(|line| line.strip_prefix("shlibs:Depends="));
    Ok(depends.context("dpkg-shlibdeps names no dependency")?.to_owned())
}

/// `libc6 (>= 2.x)` with the newest version that a symbol asks for, and the packages of the other libraries.
fn needed_versions(target: &Target, binaries: &[PathBuf]) -> Result<String> {
    let mut newest = (0, 0);
    for binary in binaries {
        let symbols =
            command::capture(target.binutil("readelf").args(["--version-info", "--wide"]).arg(binary))?;
        for version in symbols.split("GLIBC_").skip(1) {
            let digits = version.split(|c: char| !c.is_ascii_digit() && c != '.').next().unwrap_or_default();
            let mut numbers = digits.split('.').map_while(|number| number.parse::<u32>().ok());
            newest = newest.max((numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)));
        }
    }
    Ok(format!("libc6 (>= {}.{}), libgcc-s1", newest.0, newest.1))
}

fn size_bytes(folder: &Path) -> Result<u64> {
    let files = tree::files_of(folder)?;
    files.iter().map(|file| Ok(file.symlink_metadata()?.len())).sum()
}

/// The checksums by which dpkg --verify finds what was changed.
fn write_md5sums(package: &Path, to: &Path) -> Result<()> {
    let files = tree::files_of(&package.join("usr"))?;
    let mut tool = Command::new("md5sum");
    tool.current_dir(package);
    for file in files.iter().filter(|file| !file.is_symlink()) {
        tool.arg(file.strip_prefix(package)?);
    }
    std::fs::write(to, command::capture(&mut tool)?)
        .with_context(|| format!("can not write {}", to.display()))
}
