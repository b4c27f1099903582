//! What documents say about the repository: every path named in a code span, a code block or a
//! link exists, and every `cargo xtask` and `mfn` command is one that the program understands.

mod commands;

use std::path::{Component, Path, PathBuf};

use anyhow::Result;
use globset::GlobBuilder;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use self::commands::Commands;
use super::Findings;
use crate::workspace::Workspace;

/// Directories that are made by running things; documents name files in them.
const GENERATED: [&str; 4] = ["target", "first", "fuzz/artifacts", "fuzz/corpus"];
/// Extensions that make a word with a slash a path, wherever it begins.
const PATH_EXTENSIONS: [&str; 13] =
    ["c", "cpp", "go", "h", "hpp", "json", "jsonl", "md", "npy", "py", "rs", "toml", "yml"];
/// Languages of code blocks that hold commands.
const SHELLS: [&str; 5] = ["", "bash", "console", "sh", "shell"];

/// Reads every Markdown file of the repository.
pub(crate) fn check(workspace: &Workspace) -> Result<Findings> {
    let files = workspace.files()?;
    let tree = Tree { root: workspace.root(), files: &files };
    let commands = Commands::build(workspace)?;
    let mut faults = Vec::new();
    let mut counted = Counted::default();
    for document in workspace.files_with_extension(&["md"])? {
        let text = workspace.read(&document)?;
        for (offset, piece) in pieces(&text) {
            let problems = match &piece {
                Piece::Span(span) => {
                    counted.commands += usize::from(commands.is_command(span));
                    commands
                        .problems(span)?
                        .into_iter()
                        .chain(tree.problems(&document, span, &mut counted))
                        .collect()
                }
                Piece::CommandLine(line) => {
                    counted.commands += commands.count(line);
                    let mut problems = commands.problems(line)?;
                    for word in line.split_whitespace() {
                        problems.extend(tree.problems(&document, word, &mut counted));
                    }
                    problems
                }
                Piece::Link(target) => tree.link_problems(&document, target, &mut counted),
            };
            let line = text[..offset].lines().count().max(1);
            faults.extend(
                problems.into_iter().map(|problem| format!("{}:{line}: {problem}", document.display())),
            );
        }
        counted.documents += 1;
    }
    let Counted { documents, paths, commands } = counted;
    Ok(Findings::new(faults, format!("{documents} documents, {paths} paths, {commands} commands")))
}

/// How much was looked at. A check that looked at nothing has not passed.
#[derive(Default)]
struct Counted {
    documents: usize,
    paths: usize,
    commands: usize,
}

/// A part of a document that can be checked.
enum Piece {
    Span(String),
    CommandLine(String),
    Link(String),
}

/// The checkable parts of a document with their byte offsets.
fn pieces(text: &str) -> Vec<(usize, Piece)> {
    let mut pieces = Vec::new();
    let mut in_shell = false;
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        match event {
            Event::Code(span) => pieces.push((range.start, Piece::Span(span.into_string()))),
            Event::Start(Tag::CodeBlock(kind)) => {
                let language = match &kind {
                    CodeBlockKind::Fenced(language) => language.as_ref(),
                    CodeBlockKind::Indented => "",
                };
                in_shell = SHELLS.contains(&language);
            }
            Event::End(TagEnd::CodeBlock) => in_shell = false,
            Event::Text(block) if in_shell => {
                let joined = block.replace("\\\n", " ");
                pieces.extend(joined.lines().map(|line| (range.start, Piece::CommandLine(line.to_owned()))));
            }
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                pieces.push((range.start, Piece::Link(dest_url.into_string())));
            }
            _ => {}
        }
    }
    pieces
}

/// The files that documents may name.
struct Tree<'a> {
    root: &'a Path,
    files: &'a [PathBuf],
}

impl Tree<'_> {
    /// Why `word`, when it is a path, is none of this repository.
    fn problems(&self, document: &Path, word: &str, counted: &mut Counted) -> Vec<String> {
        let word = word.trim_matches(|c: char| "\"'`,;()".contains(c)).trim_end_matches('/');
        // `file.rs:12` and `directory/file.rs::item` name a place inside a file.
        let word = word.split(':').next().unwrap_or(word);
        let word = word.strip_prefix("./").unwrap_or(word);
        if !self.is_path(word) {
            return Vec::new();
        }
        counted.paths += 1;
        if self.exists(document, word) { Vec::new() } else { vec![format!("there is no {word}")] }
    }

    /// Why a link leads nowhere. Links to other sites are not followed.
    fn link_problems(&self, document: &Path, target: &str, counted: &mut Counted) -> Vec<String> {
        let path = target.split('#').next().unwrap_or(target);
        if path.is_empty() || target.contains("://") || target.starts_with("mailto:") {
            return Vec::new();
        }
        counted.paths += 1;
        let directory = document.parent().unwrap_or(Path::new(""));
        if self.matches(&directory.join(path)) {
            Vec::new()
        } else {
            vec![format!("the link {target} leads nowhere")]
        }
    }

    /// Whether the word is meant as a path of the repository.
    fn is_path(&self, word: &str) -> bool {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/*{},".contains(c);
        if !word.contains('/') || word.starts_with('/') || !word.chars().all(is_plain) {
            return false;
        }
        // A capital word is a placeholder, such as NAME in plugins/NAME.
        let is_placeholder = |part: &str| {
            part.len() > 1
                && !part.contains('.')
                && part == part.to_uppercase()
                && part.chars().any(|c| c.is_ascii_alphabetic())
        };
        if word.split(['/', '.']).any(is_placeholder) && !self.root.join(word).exists()
            || GENERATED.iter().any(|directory| Path::new(word).starts_with(directory))
        {
            return false;
        }
        let first = word.split('/').next().unwrap_or(word);
        let begins_here =
            !first.is_empty() && first != "." && first != ".." && self.root.join(first).exists();
        let extension = Path::new(word).extension().and_then(|e| e.to_str());
        begins_here || extension.is_some_and(|e| PATH_EXTENSIONS.contains(&e))
    }

    /// Whether the path exists, seen from the root or from the document.
    fn exists(&self, document: &Path, word: &str) -> bool {
        let directory = document.parent().unwrap_or(Path::new(""));
        self.matches(Path::new(word)) || self.matches(&directory.join(word))
    }

    /// Whether a path or pattern relative to the root names something.
    fn matches(&self, path: &Path) -> bool {
        let path = normalise(path);
        if self.root.join(&path).exists() {
            return true;
        }
        let pattern = path.to_string_lossy();
        if !pattern.contains(['*', '{']) {
            return false;
        }
        let Ok(glob) = GlobBuilder::new(&pattern).literal_separator(true).build() else { return false };
        let matcher = glob.compile_matcher();
        // Each file, and each directory above it.
        self.files.iter().any(|file| file.ancestors().any(|ancestor| matcher.is_match(ancestor)))
    }
}

/// The path without `.` and `..`.
fn normalise(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                normal.pop();
            }
            Component::CurDir => {}
            other => normal.push(other),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards what counts as a path: content types, placeholders and generated files do not.
    #[test]
    fn only_paths_are_paths() {
        let workspace = Workspace::find().unwrap();
        let tree = Tree { root: workspace.root(), files: &[] };
        for word in ["core/sim", "core/gone.rs", "nowhere/file.rs", "docs/*.md"] {
            assert!(tree.is_path(word), "{word}");
        }
        for word in ["application/json", "plugins/NAME", "target/demo/out", "a", "/metrics", "and/or"] {
            assert!(!tree.is_path(word), "{word}");
        }
    }
}
