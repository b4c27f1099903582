//! The same program in every language: each example is built in C, C++ and Go against the unpacked tree, through pkg-config
//! and through CMake, over the shared and over the static library, and in Rust; all must print the same bytes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::super::tree::PLACES;
use super::start::Newcomer;
use super::{bare, printed};
use crate::command;
use crate::workspace::Workspace;

const EXAMPLES: [&str; 4] = ["simulate", "analyse", "stream", "pipeline"];
/// How many programs run side by side.
const AT_ONCE: usize = 8;
const WARNINGS: [&str; 4] = ["-Wall", "-Wextra", "-pedantic", "-Werror"];

/// One of the ways to build all examples.
type Build<'a> = fn(&Site<'a>) -> Result<Vec<Program>>;

/// How a program was built, and where it lies.
struct Program {
    example: &'static str,
    way: &'static str,
    file: PathBuf,
}

/// Builds all examples in all ways, runs them and compares; gives the number of programs.
pub(crate) fn compare(workspace: &Workspace, newcomer: &Newcomer) -> Result<usize> {
    let site = Site::new(newcomer)?;
    // Side by side: each of them compiles one file after the other for most of its time.
    let built: Vec<Result<Vec<Program>>> = std::thread::scope(|scope| {
        let builds: [Build<'_>; 3] = [Site::with_pkg_config, Site::with_cmake, Site::with_go];
        let site = &site;
        let started = builds.map(|build| scope.spawn(move || build(site)));
        started
            .map(|build| build.join().unwrap_or_else(|_| Err(anyhow!("a thread that builds panicked"))))
            .into()
    });
    let mut programs: Vec<Program> =
        built.into_iter().collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
    for program in &programs {
        is_linked_as_it_says(program)?;
    }
    programs.extend(in_rust(workspace)?);
    let mut first: BTreeMap<&str, (&str, String)> = BTreeMap::new();
    for (program, text) in programs.iter().zip(site.run_all(&programs)?) {
        let (way, expected) = first.entry(program.example).or_insert_with(|| (program.way, text.clone()));
        ensure!(
            text == *expected,
            "{} in {} prints\n{text}but in {way}\n{expected}",
            program.example,
            program.way
        );
    }
    Ok(programs.len())
}

/// A shared program needs libmfn.so and a static one does not: otherwise half of the comparison would be void.
fn is_linked_as_it_says(program: &Program) -> Result<()> {
    let needed = command::capture(Command::new("ldd").arg(&program.file))?;
    let is_static = program.way.ends_with("static");
    ensure!(
        needed.contains("libmfn.so.") != is_static,
        "{} in {} needs\n{needed}",
        program.example,
        program.way
    );
    Ok(())
}

/// The folder in which the newcomer builds.
struct Site<'a> {
    newcomer: &'a Newcomer,
    out: PathBuf,
}

impl<'a> Site<'a> {
    fn new(newcomer: &'a Newcomer) -> Result<Self> {
        let out = newcomer.folder.join("programs");
        std::fs::create_dir_all(&out).with_context(|| format!("can not make {}", out.display()))?;
        Ok(Self { newcomer, out })
    }

    fn tool(&self, program: &str) -> Command {
        let mut command = bare(program, &self.newcomer.folder);
        command.env("PKG_CONFIG_PATH", self.newcomer.tree.join(PLACES.libraries).join("pkgconfig"));
        command
    }

    fn flags(&self, package: &str, what: &str) -> Result<Vec<String>> {
        let text = printed(self.tool("pkg-config").args([what, package]))?;
        Ok(text.split_whitespace().map(str::to_owned).collect())
    }

    /// C and C++: each source is compiled once and linked in both ways.
    fn with_pkg_config(&self) -> Result<Vec<Program>> {
        let mut programs = Vec::new();
        let compile_flags = self.flags("mfn", "--cflags")?;
        let rpath = format!("-Wl,-rpath,{}", self.newcomer.tree.join(PLACES.libraries).display());
        for example in EXAMPLES {
            for (compiler, dialect, extension, ways) in [
                ("cc", "-std=c99", "c", ["C, shared", "C, static"]),
                ("c++", "-std=c++17", "cpp", ["C++, shared", "C++, static"]),
            ] {
                let object = self.out.join(format!("{example}-{extension}.o"));
                let source = self.newcomer.folder.join("examples").join(example).with_extension(extension);
                let mut compile = self.tool(compiler);
                compile
                    .arg(dialect)
                    .args(WARNINGS)
                    .args(&compile_flags)
                    .arg("-c")
                    .arg(source)
                    .arg("-o")
                    .arg(&object);
                printed(&mut compile)?;
                for (way, package) in ways.into_iter().zip(["mfn", "mfn-static"]) {
                    let file = self.out.join(format!("{example}-{extension}-{package}"));
                    let mut link = self.tool(compiler);
                    link.arg(&object).args(self.flags(package, "--libs")?).arg("-o").arg(&file);
                    if package == "mfn" {
                        link.arg(&rpath);
                    }
                    printed(&mut link)?;
                    programs.push(Program { example, way, file });
                }
            }
        }
        Ok(programs)
    }

    /// The project of the examples, in the folder where docs/start.md began to build it.
    fn with_cmake(&self) -> Result<Vec<Program>> {
        let build = self.newcomer.folder.join("build");
        ensure!(build.join("CMakeCache.txt").is_file(), "docs/start.md no longer builds with CMake in build");
        printed(self.tool("cmake").arg("--build").arg(&build).args(["--parallel", "2"]))?;
        let mut programs = Vec::new();
        for example in EXAMPLES {
            for (end, way) in [
                ("", "C by CMake, shared"),
                ("-static", "C by CMake, static"),
                ("-cpp", "C++ by CMake, shared"),
                ("-cpp-static", "C++ by CMake, static"),
            ] {
                programs.push(Program { example, way, file: build.join(format!("{example}{end}")) });
            }
        }
        Ok(programs)
    }

    /// Go, in the module that docs/start.md made.
    fn with_go(&self) -> Result<Vec<Program>> {
        let module = self.newcomer.folder.join("hello");
        ensure!(module.join("go.mod").is_file(), "docs/start.md no longer makes the module hello");
        let rpath = format!("-Wl,-rpath,{}", self.newcomer.tree.join(PLACES.libraries).display());
        let mut programs = Vec::new();
        for (way, tags) in [("Go, shared", "-tags="), ("Go, static", "-tags=mfn_static")] {
            for example in EXAMPLES {
                let name = format!("{example}.go");
                std::fs::copy(self.newcomer.folder.join("examples").join(&name), module.join(&name))?;
                let file = self.out.join(format!("{example}-{}", way.replace(", ", "-")));
                let mut go = self.tool("go");
                go.current_dir(&module).env("CGO_LDFLAGS", &rpath);
                printed(go.args(["build", tags, "-o"]).arg(&file).arg(&name))?;
                programs.push(Program { example, way, file });
            }
        }
        Ok(programs)
    }

    /// Runs programs, several at a time because they mostly wait; gives what each prints.
    fn run_all(&self, programs: &[Program]) -> Result<Vec<String>> {
        let mut texts = Vec::new();
        for (chunk, at_once) in programs.chunks(AT_ONCE).enumerate() {
            let ended: Vec<Result<String>> = std::thread::scope(|scope| {
                let started: Vec<_> = at_once
                    .iter()
                    .enumerate()
                    .map(|(number, program)| scope.spawn(move || self.run(program, chunk * AT_ONCE + number)))
                    .collect();
                let panicked = || anyhow!("the thread that ran a program panicked");
                started.into_iter().map(|run| run.join().unwrap_or_else(|_| Err(panicked()))).collect()
            });
            texts.extend(ended.into_iter().collect::<Result<Vec<_>>>()?);
        }
        Ok(texts)
    }

    /// Runs a program in a folder of its own; gives what it prints. The times that a pipeline took are left out: they are
    /// the one thing that differs.
    fn run(&self, program: &Program, number: usize) -> Result<String> {
        let folder = self.out.join(format!("run-{number}"));
        lay_out_requests(&folder, &self.newcomer.tree.join(PLACES.plugins))?;
        let mut command = bare(program.file.to_str().context("a path without text")?, &folder);
        match program.example {
            "stream" => _ = command.arg("pipeline.toml"),
            "pipeline" => _ = command.args(["pipeline.toml", "--plain", "--picture", "last.png"]),
            _ => {}
        }
        let text =
            printed(&mut command).with_context(|| format!("{} in {}", program.example, program.way))?;
        if text.is_empty() {
            bail!("{} in {} prints nothing", program.example, program.way);
        }
        let is_row = |line: &str| line.contains(".json ") && line.contains(" ok ");
        Ok(text
            .lines()
            .map(|line| {
                if is_row(line) {
                    line.rsplit_once(' ').map_or(line, |(row, _)| row.trim_end())
                } else {
                    line
                }
            })
            .fold(String::new(), |text, line| text + line + "\n"))
    }
}

/// A pipeline of three requests, one of which can not be done; one thread, so that they end in their order.
fn lay_out_requests(folder: &Path, plugins: &Path) -> Result<()> {
    let requests = folder.join("requests");
    std::fs::create_dir_all(&requests).with_context(|| format!("can not make {}", requests.display()))?;
    for (name, request) in [
        ("1.json", r#"{"grid_size": 32, "steps": 600, "random_seed": 1}"#),
        ("2.json", r#"{"grid_size": 32, "steps": 40, "alpha": 9}"#),
        ("3.json", r#"{"grid_size": 32, "steps": 900, "random_seed": 3, "boundary_condition": "neumann"}"#),
    ] {
        std::fs::write(requests.join(name), request)?;
    }
    let configuration = format!(
        "name = \"packaged\"\n[limits]\nthreads = 1\n[plugins]\ndirectories = [\"{}\"]\nrequire_manifest = true\n\
         [connectors.requests]\nplugin = \"file\"\n[connectors.requests.config]\ndirectory = \"requests\"\n\
         pattern = \"*.json\"\nstate_file = \"requests.journal\"\n\
         [publishers.results]\nplugin = \"file\"\n[publishers.results.config]\ndirectory = \"results\"\n\
         [publishers.rejected]\nplugin = \"file\"\n[publishers.rejected.config]\ndirectory = \"rejected\"\n\
         [[routes]]\nname = \"simulate\"\nconnectors = [\"requests\"]\npublishers = [\"results\"]\n\
         dead_letters = \"rejected\"\n",
        plugins.display()
    );
    std::fs::write(folder.join("pipeline.toml"), configuration).context("can not write the configuration")
}

/// The programs in Rust, built with the workspace: there is no package of the crates.
fn in_rust(workspace: &Workspace) -> Result<Vec<Program>> {
    command::run(workspace.cargo().args(["build", "--quiet", "--workspace"]))?;
    let folder = workspace.target_dir()?.join("debug");
    Ok(EXAMPLES.map(|example| Program { example, way: "Rust", file: folder.join(example) }).into())
}
