//! The page for authors shows this plugin's code; this holds the two together.

use std::{fs, path::Path};

/// Guards: every Rust block of `docs/plugins.md` stands in the source, line for line, and so do the
/// lines of the first TOML block in the manifest.
#[test]
fn the_page_shows_this_code() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(here.join(path)).unwrap();
    let (page, source, manifest) = (read("../../docs/plugins.md"), read("src/lib.rs"), read("Cargo.toml"));
    let blocks = |language: &str| -> Vec<String> {
        let opening = format!("```{language}\n");
        let parts = page.split(opening.as_str()).skip(1);
        parts.map(|part| part.split("```").next().unwrap_or_default().to_owned()).collect()
    };
    let rust = blocks("rust");
    assert!(rust.len() >= 6, "{} blocks", rust.len());
    for block in rust {
        assert!(source.contains(&block), "not in src/lib.rs:\n{block}");
    }
    for line in blocks("toml").first().unwrap().lines() {
        assert!(manifest.lines().any(|own| own == line), "not in Cargo.toml: {line}");
    }
}
