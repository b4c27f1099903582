//! Programs that cargo does not bring along. What is missing is named together with the package
//! that has it, all at once, before any work starts.

use std::path::PathBuf;

use anyhow::{Result, bail};

/// A program and the packages that have it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tool {
    /// Name of the executable.
    pub(crate) program: &'static str,
    /// What it is needed for.
    purpose: &'static str,
    debian: &'static str,
    fedora: &'static str,
    homebrew: &'static str,
}

/// The C compiler.
pub(crate) const CC: Tool = Tool {
    program: "cc",
    purpose: "compiles examples/pipeline.c",
    debian: "gcc",
    fedora: "gcc",
    homebrew: "gcc",
};

/// The C compiler by the name that knows every dialect of the standard.
pub(crate) const GCC: Tool =
    Tool { program: "gcc", purpose: "compiles include/mfn.h as C99, C11 and C17", ..CC };

/// The C++ compiler.
pub(crate) const CXX: Tool = Tool {
    program: "g++",
    purpose: "compiles include/mfn.h as C++",
    debian: "g++",
    fedora: "gcc-c++",
    homebrew: "gcc",
};

/// The other C compiler.
pub(crate) const CLANG: Tool =
    Tool { program: "clang", debian: "clang", fedora: "clang", homebrew: "llvm", ..GCC };

/// The other C++ compiler.
pub(crate) const CLANGXX: Tool =
    Tool { program: "clang++", purpose: "compiles include/mfn.h and the C++ interface", ..CLANG };

/// Compares the types of two libraries.
pub(crate) const ABIDIFF: Tool = Tool {
    program: "abidiff",
    purpose: "compares the ABI with that of the last release",
    debian: "abigail-tools",
    fedora: "libabigail",
    homebrew: "(not available)",
};

/// Configures the tests of the C++ interface.
pub(crate) const CMAKE: Tool = Tool {
    program: "cmake",
    purpose: "configures the tests of bindings/cpp, which also need GoogleTest: Debian libgtest-dev, Fedora gtest-devel, \
              Homebrew googletest",
    debian: "cmake",
    fedora: "cmake",
    homebrew: "cmake",
};

/// Builds the tests of the C++ interface.
pub(crate) const NINJA: Tool = Tool {
    program: "ninja",
    purpose: "builds the tests of bindings/cpp",
    debian: "ninja-build",
    fedora: "ninja-build",
    homebrew: "ninja",
};

/// The memory checker.
pub(crate) const VALGRIND: Tool = Tool {
    program: "valgrind",
    purpose: "checks the C programs for leaks and bad accesses",
    debian: "valgrind",
    fedora: "valgrind",
    homebrew: "valgrind",
};

/// Symbol listing.
pub(crate) const NM: Tool = Tool {
    program: "nm",
    purpose: "lists the symbols of libmfn.so",
    debian: "binutils",
    fedora: "binutils",
    homebrew: "binutils",
};

/// Reads the dynamic section of a library.
pub(crate) const READELF: Tool = Tool { program: "readelf", purpose: "reads the name of libmfn.so", ..NM };

/// Removes symbols from a copy of libmfn.so to measure it.
pub(crate) const STRIP: Tool = Tool { program: "strip", purpose: "measures libmfn.so", ..NM };

/// Lists the libraries that libmfn.so needs.
pub(crate) const LDD: Tool = Tool {
    program: "ldd",
    purpose: "lists the libraries that libmfn.so needs",
    debian: "libc-bin",
    fedora: "glibc-common",
    homebrew: "(part of the system)",
};

/// Version control; checks look at the files that git knows.
pub(crate) const GIT: Tool = Tool {
    program: "git",
    purpose: "lists the files of the repository",
    debian: "git",
    fedora: "git",
    homebrew: "git",
};

/// The Go toolchain.
pub(crate) const GO: Tool = Tool {
    program: "go",
    purpose: "builds and tests the Go binding; 1.25 or newer",
    debian: "golang-go",
    fedora: "golang",
    homebrew: "go",
};

/// Tells compilers where an installed library lies.
pub(crate) const PKG_CONFIG: Tool = Tool {
    program: "pkg-config",
    purpose: "finds the installed libmfn for the Go binding",
    debian: "pkgconf",
    fedora: "pkgconf-pkg-config",
    homebrew: "pkgconf",
};

/// Reads datasets with pyarrow, as their users do.
pub(crate) const PYTHON: Tool = Tool {
    program: "python3",
    purpose: "reads Parquet files with pyarrow, in an environment of its own",
    debian: "python3-venv",
    fedora: "python3",
    homebrew: "python",
};

/// Licence and advisory checks of the dependencies.
pub(crate) const CARGO_DENY: Tool = Tool {
    program: "cargo-deny",
    purpose: "checks licences, sources and advisories of the dependencies",
    debian: "(cargo install cargo-deny --locked)",
    fedora: "(cargo install cargo-deny --locked)",
    homebrew: "cargo-deny",
};

/// The linker of programs for AArch64, with their C library.
pub(crate) const AARCH64_GCC: Tool = Tool {
    program: "aarch64-linux-gnu-gcc",
    purpose: "links tests for AArch64",
    debian: "gcc-aarch64-linux-gnu",
    fedora: "(its cross compiler has no C library)",
    homebrew: "(not available)",
};

/// The same for C++, which librdkafka's build wants to have.
pub(crate) const AARCH64_GXX: Tool = Tool {
    program: "aarch64-linux-gnu-g++",
    purpose: "builds librdkafka for AArch64",
    debian: "g++-aarch64-linux-gnu",
    ..AARCH64_GCC
};

/// Runs programs of AArch64 on another machine.
pub(crate) const QEMU_AARCH64: Tool = Tool {
    program: "qemu-aarch64",
    purpose: "runs tests for AArch64",
    debian: "qemu-user",
    fedora: "qemu-user",
    homebrew: "(not available)",
};

/// Moves the wall clock of a program.
pub(crate) const FAKETIME: Tool = Tool {
    program: "faketime",
    purpose: "has the library that moves the wall clock of a program under test",
    debian: "faketime",
    fedora: "libfaketime",
    homebrew: "libfaketime",
};

/// Runs the broker that the Kafka plugin is tested with.
pub(crate) const JAVA: Tool = Tool {
    program: "java",
    purpose: "runs Apache Kafka for the tests of the Kafka plugin; 17 or newer",
    debian: "openjdk-17-jre-headless",
    fedora: "java-17-openjdk-headless",
    homebrew: "openjdk@17",
};

/// Brings that broker.
pub(crate) const MAVEN: Tool = Tool {
    program: "mvn",
    purpose: "brings Apache Kafka for the tests of the Kafka plugin",
    debian: "maven",
    fedora: "maven",
    homebrew: "maven",
};

/// What the guard of the ABI needs.
pub(crate) const FOR_ABI: [Tool; 8] = [ABIDIFF, CLANG, CLANGXX, CXX, GCC, NM, READELF, STRIP];

/// Writes the reference of the headers.
pub(crate) const DOXYGEN: Tool = Tool {
    program: "doxygen",
    purpose: "writes the reference of the C and C++ interface",
    debian: "doxygen",
    fedora: "doxygen",
    homebrew: "doxygen",
};

/// Packs the Debian package.
pub(crate) const DPKG_DEB: Tool = Tool {
    program: "dpkg-deb",
    purpose: "packs the Debian package",
    debian: "dpkg",
    fedora: "dpkg",
    homebrew: "dpkg",
};

/// Finds what the Debian package depends on.
pub(crate) const DPKG_SHLIBDEPS: Tool = Tool {
    program: "dpkg-shlibdeps",
    purpose: "finds what the Debian package depends on",
    debian: "dpkg-dev",
    fedora: "dpkg-dev",
    homebrew: "(not available)",
};

/// Unpacks what the packages are packed with.
pub(crate) const ZSTD: Tool = Tool {
    program: "zstd",
    purpose: "lets tar unpack the archive",
    debian: "zstd",
    fedora: "zstd",
    homebrew: "zstd",
};

/// What packages are made with, beside a compiler.
pub(crate) const FOR_PACKAGES: [Tool; 4] = [DOXYGEN, DPKG_DEB, DPKG_SHLIBDEPS, GIT];

/// What the tests need.
pub(crate) const FOR_TESTS: [Tool; 21] = [
    CC,
    CMAKE,
    CXX,
    DOXYGEN,
    DPKG_DEB,
    DPKG_SHLIBDEPS,
    FAKETIME,
    GCC,
    GIT,
    GO,
    JAVA,
    LDD,
    MAVEN,
    NINJA,
    NM,
    PKG_CONFIG,
    PYTHON,
    READELF,
    STRIP,
    VALGRIND,
    ZSTD,
];

/// What continuous integration needs.
pub(crate) const ALL: [Tool; 25] = [
    ABIDIFF,
    CARGO_DENY,
    CC,
    CLANG,
    CLANGXX,
    CMAKE,
    CXX,
    DOXYGEN,
    DPKG_DEB,
    DPKG_SHLIBDEPS,
    FAKETIME,
    GCC,
    GIT,
    GO,
    JAVA,
    LDD,
    MAVEN,
    NINJA,
    NM,
    PKG_CONFIG,
    PYTHON,
    READELF,
    STRIP,
    VALGRIND,
    ZSTD,
];

impl Tool {
    /// Where the program lies, or `None` when it is not installed.
    pub(crate) fn find(&self) -> Option<PathBuf> {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).map(|directory| directory.join(self.program)).find(|file| file.is_file())
    }

    fn how_to_get(&self) -> String {
        format!(
            "{} ({}): Debian {}, Fedora {}, Homebrew {}",
            self.program, self.purpose, self.debian, self.fedora, self.homebrew
        )
    }
}

/// Fails with one line for each tool that is not installed.
pub(crate) fn require(tools: &[Tool]) -> Result<()> {
    let missing: Vec<String> =
        tools.iter().filter(|tool| tool.find().is_none()).map(Tool::how_to_get).collect();
    if !missing.is_empty() {
        bail!("not installed:\n  {}", missing.join("\n  "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards that a missing tool is an error that names a package, not a silent skip.
    #[test]
    fn a_missing_tool_is_named_with_its_package() {
        let absent = Tool { program: "no-such-compiler", ..CXX };
        let error = require(&[GIT, absent]).unwrap_err().to_string();
        assert!(error.contains("no-such-compiler") && error.contains("Debian g++"), "{error}");
        assert!(!error.contains("git ("), "a tool that is there is not listed: {error}");
    }
}
