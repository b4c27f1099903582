//! Where `unsafe` may stand: at the C boundary, at the plugin boundary and in one SIMD module.
//! The lint `unsafe_code` can be switched off beside any item; this list can not.

use std::path::Path;
use std::str::FromStr;

use anyhow::Result;
use proc_macro2::{TokenStream, TokenTree};

use super::Findings;
use crate::workspace::Workspace;

/// Files and directories whose Rust code may say `unsafe`. The examples of the runtime are the broken
/// plugins that its loader must refuse.
const ALLOWED: [&str; 6] = [
    "core/runtime/examples",
    "core/runtime/src/plugin",
    "core/sim/src/simd",
    "ffi",
    "fuzz",
    "plugins/interface",
];

/// Looks for the keyword in every Rust file outside the allowed places.
pub(crate) fn check(workspace: &Workspace) -> Result<Findings> {
    let files = workspace.files_with_extension(&["rs"])?;
    let mut faults = Vec::new();
    for file in &files {
        if ALLOWED.iter().any(|allowed| file.starts_with(Path::new(allowed))) {
            continue;
        }
        match TokenStream::from_str(&workspace.read(file)?) {
            Ok(tokens) => faults.extend(
                lines_of_unsafe(tokens)
                    .into_iter()
                    .map(|line| format!("{}:{line}: unsafe is not allowed here", file.display())),
            ),
            Err(error) => faults.push(format!("{}: is no Rust: {error}", file.display())),
        }
    }
    Ok(Findings::new(faults, format!("{} files, allowed in {}", files.len(), ALLOWED.join(", "))))
}

/// The lines on which the keyword stands; comments and strings do not count.
fn lines_of_unsafe(tokens: TokenStream) -> Vec<usize> {
    let mut lines = Vec::new();
    for tree in tokens {
        match tree {
            TokenTree::Ident(ident) if ident == "unsafe" => lines.push(ident.span().start().line),
            TokenTree::Group(group) => lines.extend(lines_of_unsafe(group.stream())),
            _ => {}
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards that the keyword is found in nested code and not in comments, strings or names.
    #[test]
    fn only_the_keyword_counts() {
        let text = "// unsafe\nfn unsafe_name() { let _ = \"unsafe\"; }\nfn f() { { unsafe { g() } } }";
        let lines = lines_of_unsafe(TokenStream::from_str(text).unwrap());
        assert_eq!(lines, [3]);
    }
}
