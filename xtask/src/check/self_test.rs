//! Shows that the checks can fail: each break is applied to a copy of the repository, and the
//! check it belongs to must report a fault that it did not report before.

use anyhow::{Context, Result, bail, ensure};

use super::Check;
use crate::copy::Copy;
use crate::header::HEADER;
use crate::workspace::Workspace;

/// A deliberate fault.
struct Break {
    /// The check that must notice.
    check: &'static str,
    /// What is done.
    what: &'static str,
    apply: fn(&Copy) -> Result<()>,
    /// Part of the fault's text.
    expect: &'static str,
}

const BREAKS: [Break; 22] = [
    Break {
        check: "words",
        what: "a path of one machine in a document",
        apply: |copy| copy.append("README.md", concat!("\nsee /wo", "rk/notes\n")),
        expect: "a path of one machine",
    },
    Break {
        check: "sizes",
        what: "a source file of 501 lines",
        apply: |copy| copy.write("core/sim/src/long.rs", &"// line\n".repeat(501)),
        expect: "has 501 lines",
    },
    Break {
        check: "unsafe",
        what: "an unsafe block in a plugin",
        apply: |copy| copy.append("plugins/file/src/lib.rs", "\nfn f() { unsafe { g() } }\n"),
        expect: "unsafe is not allowed here",
    },
    Break {
        check: "fmt",
        what: "an unformatted function",
        apply: |copy| copy.append("core/sim/src/lib.rs", "\nfn   f( ){}\n"),
        expect: "core/sim/src/lib.rs",
    },
    Break {
        check: "arrows",
        what: "a plugin that imports the runtime",
        apply: |copy| copy.add_dependency("plugins/file/Cargo.toml", "mfn-runtime.workspace = true"),
        expect: "mfn-plugin-file must not import mfn-runtime",
    },
    Break {
        check: "arrows",
        what: "a simulation that imports the plugin contract",
        apply: |copy| copy.add_dependency("core/sim/Cargo.toml", "mfn-plugin.workspace = true"),
        expect: "mfn-sim must not import mfn-plugin",
    },
    Break {
        check: "arrows",
        what: "a runtime with tokio",
        apply: |copy| copy.add_dependency("core/runtime/Cargo.toml", "tokio.workspace = true"),
        expect: "mfn-ffi has tokio in its dependency tree",
    },
    Break {
        check: "arrows",
        what: "the ABI library named outside the boundary",
        apply: |copy| copy.append("core/runtime/src/lib.rs", concat!("\nuse abi_", "stable;\n")),
        expect: "core/runtime/src/lib.rs names",
    },
    Break {
        check: "documents",
        what: "a document that names a file that is not there",
        apply: |copy| copy.append("README.md", "\nsee `core/sim/src/gone.rs`\n"),
        expect: "there is no core/sim/src/gone.rs",
    },
    Break {
        check: "documents",
        what: "a document with a link that leads nowhere",
        apply: |copy| copy.append("README.md", "\nsee [this](docs/gone.md)\n"),
        expect: "leads nowhere",
    },
    Break {
        check: "documents",
        what: "a document with an unknown task",
        apply: |copy| copy.append("README.md", "\n```sh\ncargo xtask dance\n```\n"),
        expect: "cargo xtask dance",
    },
    Break {
        check: "documents",
        what: "a document with an unknown verb of mfn",
        apply: |copy| copy.append("README.md", "\nrun `mfn dance`\n"),
        expect: "mfn dance",
    },
    Break {
        check: "figures",
        what: "a figure that nobody drew",
        apply: |copy| copy.remove("docs/images/network.png"),
        expect: "docs/images/network.png is missing",
    },
    Break {
        check: "figures",
        what: "a picture that no document shows",
        apply: |copy| copy.write("docs/images/forgotten.png", ""),
        expect: "no document shows docs/images/forgotten.png",
    },
    Break {
        check: "performance",
        what: "a figure of docs/performance.md that nobody measured",
        apply: |copy| copy.replace("docs/performance.md", "| plain Rust loop | ", "| plain Rust loop | 9"),
        expect: "docs/performance.md is not what the results give",
    },
    Break {
        check: "performance",
        what: "results without a new drawing",
        apply: |copy| copy.replace("docs/data/performance.json", "\"cpu_s\": ", "\"cpu_s\": 1"),
        expect: "docs/performance.md is not what the results give",
    },
    Break {
        check: "performance",
        what: "a picture of other results",
        apply: |copy| copy.write("docs/images/scaling.png", "another"),
        expect: "the picture scaling is not what the results give",
    },
    Break {
        check: "header",
        what: "a header edited by hand",
        apply: |copy| copy.append(HEADER, "/* edited */\n"),
        expect: "differs from the sources of ffi",
    },
    Break {
        check: "cpp",
        what: "a function that the C++ interface does not call",
        apply: |copy| copy.replace("bindings/cpp/include/mfn/picture.hpp", "mfn_picture_write,", "nullptr,"),
        expect: "calls mfn_picture_write",
    },
    Break {
        check: "deny",
        what: "a licence that is not allowed",
        apply: |copy| copy.replace("deny.toml", "    \"MIT\",\n", ""),
        expect: "MIT",
    },
    Break {
        check: "clippy",
        what: "a public function without documentation, in code that compiles",
        apply: |copy| copy.append("core/sim/src/lib.rs", "\npub fn undocumented() {}\n"),
        expect: "missing documentation",
    },
    Break {
        check: "rustdoc",
        what: "a link to an item that is not there",
        apply: |copy| copy.append("core/sim/src/lib.rs", "\n/// See [`Gone`].\npub fn f() {}\n"),
        expect: "Gone",
    },
];

/// Checks that compile what they look at, and the member in which their breaks are.
const COMPILES: [&str; 2] = ["clippy", "rustdoc"];
const COMPILED: &str = "core/sim";

/// Applies each break to a copy, and undoes it.
pub(crate) fn run(workspace: &Workspace, checks: &[Check]) -> Result<()> {
    let copy = Copy::make(workspace)?;
    let mut missed = Vec::new();
    let mut count = 0_usize;
    for check in checks {
        let breaks: Vec<&Break> = BREAKS.iter().filter(|fault| fault.check == check.name).collect();
        ensure!(!breaks.is_empty(), "no break shows that {} can fail", check.name);
        let prepare = || if COMPILES.contains(&check.name) { copy.keep_member(COMPILED) } else { Ok(()) };
        prepare()?;
        let already = faults(check, &copy.workspace);
        for fault in breaks {
            prepare()?;
            (fault.apply)(&copy).with_context(|| format!("could not apply: {}", fault.what))?;
            let found = faults(check, &copy.workspace);
            copy.restore(workspace)?;
            let fires = |text: &String| text.contains(fault.expect);
            let noticed = found.iter().any(fires) && !already.iter().any(fires);
            println!("{:<10} {:<7} {}", check.name, if noticed { "noticed" } else { "MISSED" }, fault.what);
            if !noticed {
                missed.push(fault.what);
                println!("    expected {:?} in {found:?}", fault.expect);
            }
            count += 1;
        }
    }
    if !missed.is_empty() {
        bail!("{} of {count} breaks went unnoticed: {}", missed.len(), missed.join("; "));
    }
    println!("check --self-test: all {count} breaks were noticed");
    Ok(())
}

fn faults(check: &Check, workspace: &Workspace) -> Vec<String> {
    (check.run)(workspace).map_or_else(|error| vec![format!("{error:#}")], |findings| findings.faults)
}
