//! Shows that the guard guards: each of ten deliberate breaks is applied to a copy, and the named checks have to report
//! it; every check has to report one. Nothing of the workspace is built for it; where a library has to be wrong, a small
//! one stands in for libmfn.so, and where a plugin has to be, a built one is altered.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::{CHECKS, Subject, types};
use crate::copy::Copy;
use crate::header::HEADER;

/// A deliberate break.
struct Break {
    /// What is done.
    what: &'static str,
    apply: fn(&mut Broken<'_>) -> Result<()>,
    /// The checks that must catch it, each with a part of what it reports.
    caught_by: &'static [(&'static str, &'static str)],
}

/// What is broken: the copy's sources, and where needed something built.
struct Broken<'a> {
    copy: &'a Copy,
    subject: Subject,
    /// For what stands in.
    folder: &'a Path,
}

impl Broken<'_> {
    /// Replaces a text of the header.
    fn header(&self, from: &str, to: &str) -> Result<()> {
        self.copy.replace(HEADER, from, to)
    }
}

const BREAKS: [Break; 10] = [
    Break {
        what: "a function is removed",
        apply: |broken| broken.header("uint64_t mfn_live_handles(void);", ""),
        caught_by: &[("contract", "removed: function mfn_live_handles"), ("c++", "mfn_live_handles")],
    },
    Break {
        what: "a parameter has another type",
        apply: |broken| {
            broken.header("mfn_status_name(mfn_status status)", "mfn_status_name(int64_t status)")
        },
        caught_by: &[("abidiff", "mfn_status_name")],
    },
    Break {
        what: "a function answers another type",
        apply: |broken| broken.header("uint32_t mfn_abi_version(void);", "uint64_t mfn_abi_version(void);"),
        caught_by: &[("abidiff", "mfn_abi_version")],
    },
    Break {
        what: "two fields of a struct change places",
        apply: |broken| {
            swap_rows_and_cols(broken.copy)?;
            // Someone who changes the header's own checks with it.
            broken.header("offsetof(mfn_field_view, rows) == 8", "offsetof(mfn_field_view, rows) == 16")?;
            broken.header("offsetof(mfn_field_view, cols) == 16", "offsetof(mfn_field_view, cols) == 8")
        },
        caught_by: &[("layout", "mfn_field_view differs: cols lies at 8 in C and lies at 16 in Rust")],
    },
    Break {
        what: "a field is inserted in the middle of a struct",
        apply: |broken| broken.header("    double d_box;\n", "    double d_new;\n    double d_box;\n"),
        caught_by: &[("c", "mfn_features_size")],
    },
    Break {
        what: "a status has another number",
        apply: |broken| broken.header("#define MFN_CLOSED 6", "#define MFN_CLOSED 60"),
        caught_by: &[("contract", "changed: constant MFN_CLOSED: was 6, is 60")],
    },
    Break {
        what: "a function is exported that the header does not have",
        apply: |broken| {
            let (interface, include) = (broken.subject.interface()?, broken.subject.include());
            let more = "int mfn_secret(void) { return 0; }\n";
            broken.subject.library = types::stand_in(&interface, &include, broken.folder, more)?;
            Ok(())
        },
        caught_by: &[("exports", "mfn_secret is exported and not in the header")],
    },
    Break {
        what: "a struct has another size in C than in Rust",
        apply: |broken| {
            broken
                .header("    size_t len;\n} mfn_bytes;", "    size_t len;\n    size_t more;\n} mfn_bytes;")?;
            broken.header("sizeof(mfn_bytes) == 16", "sizeof(mfn_bytes) == 24")
        },
        caught_by: &[("layout", "mfn_bytes differs: 24 bytes in C, 16 in Rust")],
    },
    Break {
        what: "a function is written into the header by hand, which neither C++ nor Go reaches",
        apply: |broken| {
            let present = "uint64_t mfn_live_handles(void);";
            broken.header(present, &format!("{present}\nuint64_t mfn_unreached(void);"))
        },
        caught_by: &[
            ("header", "differs from the sources of ffi"),
            ("c++ face", "no header of bindings/cpp/include calls mfn_unreached"),
            ("go face", "nothing in bindings/go leads to mfn_unreached"),
        ],
    },
    Break {
        what: "a type of the plugin interface changes under the same version",
        apply: |broken| {
            broken.subject.plugins = plugins_with(
                &broken.subject.plugins,
                "class;message;retry_after_ms;",
                "class;message;retry_never_ms;",
                broken.folder,
            )?;
            Ok(())
        },
        caught_by: &[(
            "plugins",
            "with file plugin of today: expected [\"works: \", \": ok, \"], got \"refused: layout_differs",
        )],
    },
];

fn swap_rows_and_cols(copy: &Copy) -> Result<()> {
    let header = copy.workspace.read(HEADER)?;
    let view = header.split_once("typedef struct mfn_field_view {").context("no mfn_field_view")?.1;
    let (view, _) = view.split_once("} mfn_field_view;").context("an endless mfn_field_view")?;
    let swapped = view.replace("size_t rows;", "size_t \0;").replace("size_t cols;", "size_t rows;");
    copy.replace(HEADER, view, &swapped.replace('\0', "cols"))
}

/// A folder with the file plugin as it would be with another layout of a type: its description of that type, which the
/// loader compares, says something else. `from` and `to` are equally long.
fn plugins_with(plugins: &Path, from: &str, to: &str, folder: &Path) -> Result<PathBuf> {
    const FILE: &str = "libmfn_plugin_file.so";
    ensure!(from.len() == to.len(), "what lies behind {from:?} must stay where it is");
    let mut library = std::fs::read(plugins.join(FILE)).with_context(|| format!("can not read {FILE}"))?;
    let at = library.windows(from.len()).position(|window| window == from.as_bytes());
    let at = at.with_context(|| format!("{FILE} does not describe {from:?}"))?;
    library[at..at + to.len()].copy_from_slice(to.as_bytes());
    let altered = folder.join("plugins");
    std::fs::create_dir_all(&altered)?;
    std::fs::write(altered.join(FILE), library)?;
    Ok(altered)
}

/// Applies each break to a copy, and undoes it.
pub(super) fn run(original: &Subject) -> Result<()> {
    let unproven: Vec<&str> = CHECKS.iter().map(|check| check.name).filter(|name| !is_struck(name)).collect();
    ensure!(unproven.is_empty(), "no break strikes {}", unproven.join(", "));
    let copy = Copy::make(&original.workspace)?;
    let folder = tempfile::tempdir()?;
    let mut before = BTreeMap::new();
    let mut caught = 0_usize;
    for fault in &BREAKS {
        let subject = Subject { workspace: copy.workspace.clone(), ..original.clone() };
        let mut broken = Broken { copy: &copy, subject, folder: folder.path() };
        (fault.apply)(&mut broken).with_context(|| format!("could not apply: {}", fault.what))?;
        let mut noticed = true;
        for &(check, expected) in fault.caught_by {
            let found = reported(&broken.subject, check)?;
            if !before.contains_key(check) {
                before.insert(check, reported(original, check)?);
            }
            let fires = |texts: &[String]| texts.iter().any(|text| text.contains(expected));
            let fires_now = fires(&found) && !fires(&before[check]);
            println!("{check:<10} {:<7} {}", if fires_now { "caught" } else { "MISSED" }, fault.what);
            if !fires_now {
                println!("    expected {expected:?} in {found:?}, and not in {:?}", before[check]);
            }
            noticed &= fires_now;
        }
        copy.restore(&original.workspace)?;
        caught += usize::from(noticed);
    }
    println!("{caught} of {} breaks caught", BREAKS.len());
    if caught < BREAKS.len() {
        bail!("{} breaks were missed", BREAKS.len() - caught);
    }
    Ok(())
}

/// Whether a break strikes the check of that name.
fn is_struck(name: &str) -> bool {
    BREAKS.iter().flat_map(|fault| fault.caught_by).any(|(check, _)| *check == name)
}

/// What the check of that name reports.
fn reported(subject: &Subject, name: &str) -> Result<Vec<String>> {
    let check = CHECKS.iter().find(|check| check.name == name).context("a break names a check")?;
    Ok((check.run)(subject).map_or_else(|error| vec![format!("{error:#}")], |findings| findings.faults))
}
