//! How build systems find an installed libmfn: files for pkg-config and a package for CMake. Both start at their own
//! place, so that a tree works wherever it is unpacked.

use std::path::Path;

use anyhow::{Context, Result};

/// The version of libmfn.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a program links beside libmfn.a; docs/abi.md names the same.
const STATIC_LIBRARIES: [&str; 6] = ["gcc_s", "util", "rt", "pthread", "m", "dl"];

/// Where things lie below the prefix.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places<'a> {
    /// Libraries.
    pub(crate) libraries: &'a str,
    /// Plugins.
    pub(crate) plugins: &'a str,
}

impl Places<'_> {
    /// The way from a folder of the libraries' folder back to the prefix.
    fn back(&self, depth_below_libraries: usize) -> String {
        vec![".."; self.libraries.split('/').count() + depth_below_libraries].join("/")
    }
}

/// Writes mfn.pc and, for libmfn.a, mfn-static.pc. A file of its own for the static library is needed because -lmfn takes
/// the shared one where both are.
pub(crate) fn write_pkg_config(root: &Path, places: &Places<'_>) -> Result<()> {
    let private = STATIC_LIBRARIES.map(|name| format!("-l{name}")).join(" ");
    for (name, what, libraries) in [
        ("mfn", "", format!("-L${{libdir}} -lmfn\nLibs.private: {private}")),
        ("mfn-static", ", linked statically", format!("${{libdir}}/libmfn.a {private}")),
    ] {
        let text = format!(
            "prefix=${{pcfiledir}}/{back}\nlibdir=${{prefix}}/{lib}\nincludedir=${{prefix}}/include\n\
             plugindir=${{prefix}}/{plugins}\n\nName: {name}\n\
             Description: the MyceliumFractalNet simulation as a library{what}\nVersion: {VERSION}\n\
             Cflags: -I${{includedir}}\nLibs: {libraries}\n",
            back = places.back(1),
            lib = places.libraries,
            plugins = places.plugins,
        );
        write(&root.join(places.libraries).join("pkgconfig"), &format!("{name}.pc"), &text)?;
    }
    Ok(())
}

/// Writes the package for `find_package(mfn)`: imported targets for the C and the C++ interface, each over the shared and
/// over the static library.
pub(crate) fn write_cmake(root: &Path, places: &Places<'_>, soname: &str) -> Result<()> {
    let libraries = STATIC_LIBRARIES.map(|name| format!("-l{name}")).join(";");
    let fill = |template: &str| {
        template
            .replace("@VERSION@", VERSION)
            .replace("@BACK@", &places.back(2))
            .replace("@LIBRARIES@", places.libraries)
            .replace("@PLUGINS@", places.plugins)
            .replace("@SONAME@", soname)
            .replace("@STATIC_LIBRARIES@", &libraries)
    };
    let folder = root.join(places.libraries).join("cmake/mfn");
    write(&folder, "mfnConfig.cmake", &fill(include_str!("mfnConfig.cmake.in")))?;
    write(&folder, "mfnConfigVersion.cmake", &fill(include_str!("mfnConfigVersion.cmake.in")))
}

fn write(folder: &Path, name: &str, text: &str) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("can not make {}", folder.display()))?;
    let path = folder.join(name);
    std::fs::write(&path, text).with_context(|| format!("can not write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::command;

    // Guards the files for pkg-config: they lead to the tree in which they lie, also where libraries lie one folder
    // deeper, and the static one to libmfn.a.
    #[test]
    fn pkg_config_finds_the_tree_around_its_file() {
        for libraries in ["lib", "lib/x86_64-linux-gnu"] {
            let folder = tempfile::tempdir().expect("a folder");
            write_pkg_config(folder.path(), &Places { libraries, plugins: "plugins" }).expect("files");
            for (name, expected) in [("mfn", "-lmfn"), ("mfn-static", "/libmfn.a -lgcc_s")] {
                let mut ask = Command::new("pkg-config");
                ask.args(["--cflags", "--libs", name]);
                ask.env("PKG_CONFIG_PATH", folder.path().join(libraries).join("pkgconfig"));
                let flags = command::capture(&mut ask).expect("pkg-config");
                let include = flags.split_whitespace().find_map(|flag| flag.strip_prefix("-I")).expect("-I");
                let include =
                    Path::new(include).parent().expect("a prefix").canonicalize().expect("a folder");
                assert_eq!(include, folder.path().canonicalize().expect("a folder"), "{name}: {flags}");
                assert!(flags.contains(expected), "{name}: {flags}");
            }
        }
    }
}
