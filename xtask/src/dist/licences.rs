//! The licences of what others wrote and the binaries contain. Most of them ask that their text goes along.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::sbom::Part;

/// How the names of files with licences begin.
const NAMES: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE"];

/// The list: which packages stand under which licence, then every text once, with the packages that bring it.
pub(crate) fn list(parts: &[Part]) -> Result<String> {
    let mut text = String::from(
        "The binaries of libmfn contain code of these packages, and of the standard library of Rust (Apache-2.0 OR MIT).\n\
         Those whose name ends in -sys contain the C library of that name.\n\n",
    );
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for part in parts.iter().filter(|part| !part.is_own) {
        let name = format!("{} {}", part.name, part.version);
        text.push_str(&format!("{name}: {}\n", part.licence));
        for licence in licences_of(part)? {
            texts.entry(licence).or_default().push(name.clone());
        }
    }
    for (licence, names) in &texts {
        let rule = "-".repeat(100);
        text.push_str(&format!("\n{rule}\n{}\n{rule}\n\n{licence}", names.join(", ")));
    }
    Ok(text)
}

/// The texts that lie beside a package's manifest, and in the folder of the C library that it brings.
fn licences_of(part: &Part) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![part.folder.clone()];
    if part.name.ends_with("-sys") {
        folders.extend(folders_in(&part.folder)?);
    }
    for folder in folders {
        let mut files: Vec<_> = std::fs::read_dir(&folder)
            .with_context(|| format!("can not read {}", folder.display()))?
            .collect::<std::io::Result<Vec<_>>>()?;
        files.sort_by_key(std::fs::DirEntry::file_name);
        for file in files {
            let name = file.file_name().to_string_lossy().to_uppercase();
            if file.file_type()?.is_file() && NAMES.iter().any(|begin| name.starts_with(begin)) {
                let bytes = std::fs::read(file.path())?;
                found
                    .push(String::from_utf8_lossy(&bytes).replace("\r\n", "\n").trim_end().to_owned() + "\n");
            }
        }
    }
    Ok(found)
}

fn folders_in(folder: &std::path::Path) -> Result<Vec<std::path::PathBuf>> {
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    folders.sort();
    Ok(folders)
}
