//! Shows that the guard guards: each of ten deliberate breaks is applied to a copy, and the named check has to report
//! it. Nothing of the workspace is built for it; where a library has to be wrong, a small one stands in for libmfn.so.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::{CHECKS, Subject, types};
use crate::copy::Copy;
use crate::header::HEADER;

/// A deliberate break.
struct Break {
    /// The check that must catch it.
    check: &'static str,
    /// What is done.
    what: &'static str,
    apply: fn(&Copy) -> Result<()>,
    /// Part of what is reported.
    expect: &'static str,
}

const BREAKS: [Break; 10] = [
    Break {
        check: "contract",
        what: "a function is removed",
        apply: |copy| copy.replace(HEADER, "uint64_t mfn_live_handles(void);", ""),
        expect: "removed: function mfn_live_handles",
    },
    Break {
        check: "abidiff",
        what: "a parameter has another type",
        apply: |copy| {
            copy.replace(HEADER, "mfn_status_name(mfn_status status)", "mfn_status_name(int64_t status)")
        },
        expect: "mfn_status_name",
    },
    Break {
        check: "abidiff",
        what: "a function answers another type",
        apply: |copy| {
            copy.replace(HEADER, "uint32_t mfn_abi_version(void);", "uint64_t mfn_abi_version(void);")
        },
        expect: "mfn_abi_version",
    },
    Break {
        check: "layout",
        what: "two fields of a struct change places",
        apply: |copy| {
            swap_rows_and_cols(copy)?;
            // Someone who changes the header's own checks with it.
            copy.replace(
                HEADER,
                "offsetof(mfn_field_view, rows) == 8",
                "offsetof(mfn_field_view, rows) == 16",
            )?;
            copy.replace(
                HEADER,
                "offsetof(mfn_field_view, cols) == 16",
                "offsetof(mfn_field_view, cols) == 8",
            )
        },
        expect: "mfn_field_view differs: cols lies at 8 in C and lies at 16 in Rust",
    },
    Break {
        check: "c",
        what: "a field is inserted in the middle of a struct",
        apply: |copy| copy.replace(HEADER, "    double d_box;\n", "    double d_new;\n    double d_box;\n"),
        expect: "mfn_features_size",
    },
    Break {
        check: "contract",
        what: "a status has another number",
        apply: |copy| copy.replace(HEADER, "#define MFN_CLOSED 6", "#define MFN_CLOSED 60"),
        expect: "changed: constant MFN_CLOSED: was 6, is 60",
    },
    Break {
        check: "exports",
        what: "a function is exported that the header does not have",
        apply: |_| Ok(()),
        expect: "mfn_secret is exported and not in the header",
    },
    Break {
        check: "layout",
        what: "a struct has another size in C than in Rust",
        apply: |copy| {
            copy.replace(
                HEADER,
                "    size_t len;\n} mfn_bytes;",
                "    size_t len;\n    size_t more;\n} mfn_bytes;",
            )?;
            copy.replace(HEADER, "sizeof(mfn_bytes) == 16", "sizeof(mfn_bytes) == 24")
        },
        expect: "mfn_bytes differs: 24 bytes in C, 16 in Rust",
    },
    Break {
        check: "header",
        what: "the header is edited by hand",
        apply: |copy| copy.append(HEADER, "/* edited */\n"),
        expect: "differs from the sources of ffi",
    },
    Break {
        check: "c++ face",
        what: "the C++ interface does not call a function",
        apply: |copy| copy.replace("bindings/cpp/include/mfn/picture.hpp", "mfn_picture_write,", "nullptr,"),
        expect: "calls mfn_picture_write",
    },
];

fn swap_rows_and_cols(copy: &Copy) -> Result<()> {
    let header = copy.workspace.read(HEADER)?;
    let view = header.split_once("typedef struct mfn_field_view {").context("no mfn_field_view")?.1;
    let (view, _) = view.split_once("} mfn_field_view;").context("an endless mfn_field_view")?;
    let swapped = view.replace("size_t rows;", "size_t \0;").replace("size_t cols;", "size_t rows;");
    copy.replace(HEADER, view, &swapped.replace('\0', "cols"))
}

/// Applies each break to a copy, and undoes it.
pub(super) fn run(original: &Subject) -> Result<()> {
    let copy = Copy::make(&original.workspace)?;
    let folder = tempfile::tempdir()?;
    let mut caught = 0_usize;
    for fault in &BREAKS {
        let subject = Subject {
            workspace: copy.workspace.clone(),
            library: library(original, fault, folder.path())?,
            ..original.clone()
        };
        (fault.apply)(&copy).with_context(|| format!("could not apply: {}", fault.what))?;
        let found = reported(&subject, fault.check)?;
        copy.restore(&original.workspace)?;
        let fires = |texts: &[String]| texts.iter().any(|text| text.contains(fault.expect));
        let before = reported(original, fault.check)?;
        let noticed = fires(&found) && !fires(&before);
        println!("{:<10} {:<7} {}", fault.check, if noticed { "caught" } else { "MISSED" }, fault.what);
        if !noticed {
            println!("    expected {:?} in {found:?}, and not in {before:?}", fault.expect);
        }
        caught += usize::from(noticed);
    }
    println!("{caught} of {} breaks caught", BREAKS.len());
    if caught < BREAKS.len() {
        bail!("{} breaks were missed", BREAKS.len() - caught);
    }
    Ok(())
}

/// libmfn.so, or where the break is one of the library a small one with a function too many.
fn library(subject: &Subject, fault: &Break, folder: &Path) -> Result<std::path::PathBuf> {
    if fault.check != "exports" {
        return Ok(subject.library.clone());
    }
    let more = "int mfn_secret(void) { return 0; }\n";
    types::stand_in(&subject.interface()?, &subject.include(), folder, more)
}

/// What the check of that name reports.
fn reported(subject: &Subject, name: &str) -> Result<Vec<String>> {
    let check = CHECKS.iter().find(|check| check.name == name).context("a break names a check")?;
    Ok((check.run)(subject).map_or_else(|error| vec![format!("{error:#}")], |findings| findings.faults))
}
