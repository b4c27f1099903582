//! `mfn run` between real neighbours: an Apache Kafka on loopback and HTTP servers. The process is killed in the middle of
//! its work, and every secret that it was given is looked for in everything that it leaves.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod canary;
#[allow(dead_code, reason = "the cluster can do more than is needed here")]
#[path = "../../../../plugins/kafka/tests/broker/cluster.rs"]
mod cluster;
#[path = "../common/mod.rs"]
mod common;
mod kafka;
#[allow(dead_code, reason = "the server can do more than is needed here")]
#[path = "../../../../plugins/http/tests/http/server.rs"]
mod server;
mod webhook;

use std::{
    fs,
    fs::File,
    path::{Path, PathBuf},
    process::Child,
    time::{Duration, Instant},
};

use common::{mfn, plugin_library};

/// The longest that anything may take here.
const PATIENCE: Duration = Duration::from_secs(150);

/// A directory with plugins and a pipeline.
struct Site(tempfile::TempDir);

impl Site {
    fn new(plugins: &[&str], pipeline: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("plugins")).unwrap();
        for name in plugins {
            let library = plugin_library(name);
            let copy = directory.path().join("plugins").join(library.file_name().unwrap());
            // A link will do, and costs no time.
            std::os::unix::fs::symlink(library, copy).unwrap();
        }
        fs::write(directory.path().join("pipeline.toml"), pipeline).unwrap();
        Self(directory)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Starts the pipeline; what it says goes to the files `said` and `log`.
    fn start(&self, arguments: &str) -> Run {
        self.start_with(arguments, &[])
    }

    /// The same with variables of the environment.
    fn start_with(&self, arguments: &str, variables: &[(&str, &str)]) -> Run {
        let file = |name: &str| File::create(self.path().join(name)).unwrap();
        let mut command = mfn(self.path(), &format!("run pipeline.toml --json {arguments}"));
        command.envs(variables.iter().copied());
        let child = command.stdout(file("said")).stderr(file("log")).spawn().unwrap();
        Run { child, said: self.path().join("said"), log: self.path().join("log") }
    }
}

/// A running pipeline, killed when it is dropped.
struct Run {
    child: Child,
    said: PathBuf,
    log: PathBuf,
}

impl Run {
    /// Kills it with SIGKILL; gives 1 if it died of that.
    fn kill(&mut self) -> usize {
        use std::os::unix::process::ExitStatusExt;
        self.child.kill().unwrap();
        usize::from(self.child.wait().unwrap().signal() == Some(9))
    }

    /// Waits until it ends by itself.
    fn finish(mut self) {
        eventually("the end of the run", || self.child.try_wait().unwrap().is_some());
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {}", fs::read_to_string(&self.log).unwrap());
    }

    /// Asks it to end, and waits until it has.
    fn terminate(self) {
        common::signal(&self.child, "TERM");
        self.finish();
    }

    /// Asks it to end, and waits until it has, well or not.
    fn end(mut self) {
        common::signal(&self.child, "TERM");
        eventually("the end of the run", || self.child.try_wait().unwrap().is_some());
    }

    /// What it has said until now.
    fn said(&self) -> String {
        fs::read_to_string(&self.said).unwrap()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
