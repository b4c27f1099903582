//! A place to run the demo in: a copy of examples/ with the staged plugins, so that tests run beside
//! each other and beside a demo of the user.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{LazyLock, PoisonError};
use std::time::{Duration, Instant};

/// The repository.
pub(crate) static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the repository").to_owned()
});

/// target/demo, brought up to date once for all tests.
pub(crate) static STAGE: LazyLock<PathBuf> = LazyLock::new(|| {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .arg("stage")
        .current_dir(&*ROOT)
        .output()
        .expect("xtask starts");
    assert!(output.status.success(), "stage: {}", String::from_utf8_lossy(&output.stderr));
    ROOT.join("target/demo")
});

/// A copy of examples/ that a test may change.
pub(crate) struct Site {
    directory: tempfile::TempDir,
}

impl Site {
    /// The examples as they are.
    pub(crate) fn of_examples() -> Self {
        let site = Self { directory: tempfile::tempdir().expect("a temporary directory") };
        let examples = site.path("examples");
        copy_tree(&ROOT.join("examples/data"), &examples.join("data"));
        for name in ["demo.toml", "elsewhere.toml"] {
            std::fs::copy(ROOT.join("examples").join(name), examples.join(name)).expect("a configuration");
        }
        let demo = site.path("target/demo");
        std::fs::create_dir_all(&demo).expect("a directory");
        std::os::unix::fs::symlink(STAGE.join("plugins"), demo.join("plugins")).expect("a link");
        site
    }

    /// The examples with `count` small requests instead of their own, each of some 30 ms, and the one
    /// that is broken.
    pub(crate) fn of_small_requests(count: u64) -> Self {
        let site = Self::of_examples();
        let requests = site.path("examples/data/requests");
        std::fs::remove_dir_all(&requests).expect("the copy can be removed");
        std::fs::create_dir_all(&requests).expect("a directory");
        for seed in 0..count {
            let spec = format!("{{\"grid_size\": 64, \"steps\": 600, \"random_seed\": {seed}}}\n");
            std::fs::write(requests.join(format!("small-{seed:03}.json")), spec).expect("a request");
        }
        std::fs::write(requests.join("broken.json"), "{\"alpha\": 0.9}\n").expect("a request");
        site
    }

    /// A path in this place.
    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join(relative)
    }

    /// Where the results go.
    pub(crate) fn out(&self) -> PathBuf {
        self.path("target/demo/out")
    }

    /// Starts the staged C program.
    pub(crate) fn start(&self, config: &str, arguments: &[&str]) -> Running {
        let mut command = Command::new(STAGE.join("bin/pipeline"));
        command.current_dir(self.directory.path()).args(arguments).arg(self.path("examples").join(config));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let (sender, lines) = channel();
        let pipes: [Box<dyn std::io::Read + Send>; 2] =
            [Box::new(child.stdout.take().expect("a pipe")), Box::new(child.stderr.take().expect("a pipe"))];
        for pipe in pipes {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                    if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                        break;
                    }
                }
            });
        }
        Running { child, lines, seen: String::new() }
    }

    /// Runs the staged C program to its end; gives what it wrote.
    pub(crate) fn run(&self, config: &str) -> String {
        let mut running = self.start(config, &[]);
        let status = running.wait(Duration::from_secs(120));
        assert!(status.success(), "{status}\n{}", running.seen);
        running.seen.clone()
    }
}

fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("a directory of the repository") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy_tree(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("a copy");
        }
    }
}

/// A running program; killed when dropped.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    /// Everything it wrote so far, standard output and standard error.
    pub(crate) seen: String,
}

impl Running {
    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Takes in what was written meanwhile.
    pub(crate) fn read(&mut self) -> &str {
        while let Ok(line) = self.lines.try_recv() {
            self.seen.push_str(&line);
            self.seen.push('\n');
        }
        &self.seen
    }

    /// The URL it printed that contains `part`.
    pub(crate) fn wait_for_url(&mut self, part: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let is_wanted = |word: &&str| word.starts_with("http://") && word.contains(part);
            let word = self.read().split(|c: char| c.is_whitespace() || "'\"".contains(c)).find(is_wanted);
            if let Some(url) = word {
                return url.to_owned();
            }
            assert!(Instant::now() < deadline, "no URL with {part:?} in:\n{}", self.seen);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self, timeout: Duration) -> ExitStatus {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(status) = self.child.try_wait().expect("its state can be asked") {
                // The reading threads end with the pipes.
                while let Ok(line) = self.lines.recv_timeout(Duration::from_secs(5)) {
                    self.seen.push_str(&line);
                    self.seen.push('\n');
                }
                return status;
            }
            assert!(Instant::now() < deadline, "still running after {timeout:?}:\n{}", self.read());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("its state can be asked").is_some()
    }

    /// Ends it at once, as a power failure would: `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// Sends the signal of Ctrl-C.
    pub(crate) fn interrupt(&self) {
        let script = format!("kill -INT {}", self.id());
        let status = Command::new("sh").args(["-c", &script]).status().expect("sh starts");
        assert!(status.success(), "{script}: {status}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One after the other: tests that measure time or take all cores.
pub(crate) fn alone() -> impl Drop {
    static LOCK: std::sync::Mutex<()> = std::sync::Mutex::new(());
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}
