//! A wall clock that jumps: timers keep their time, and nobody who listens is disconnected.
//!
//! The clock of a child process is moved by libfaketime: only the wall clock, not the monotonic one, and not the times
//! of files, which is what happens when an operator or a time server sets a machine's clock.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use common::{mfn, plugin_library, signal};
use mfn_plugin::testing::{FaultMemory, FaultRow, fault_size, peak_of};

/// Where distributions keep the library.
const LIBRARIES: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib64/faketime/libfaketime.so.1",
];
/// Offsets from the true time: an hour and ten years, to and fro.
const JUMPS: [&str; 6] = ["+1h", "-1h", "+10y", "-10y", "+0", "-10y"];
/// How much later than usual something may happen.
const LATE: Duration = Duration::from_secs(1);

/// The wall clock that a child process sees.
struct Clock {
    library: &'static str,
    file: std::path::PathBuf,
}

impl Clock {
    fn new(directory: &Path) -> Self {
        let found = LIBRARIES.into_iter().find(|library| Path::new(library).exists());
        let library = found.expect("libfaketime is missing: install the package faketime");
        let clock = Self { library, file: directory.join("clock") };
        clock.jump("+0");
        clock
    }

    fn jump(&self, offset: &str) {
        // In one step: a reader must not meet an empty file.
        fs::write(self.file.with_extension("new"), offset).unwrap();
        fs::rename(self.file.with_extension("new"), &self.file).unwrap();
    }

    fn show_to<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .env("LD_PRELOAD", self.library)
            .env("FAKETIME_TIMESTAMP_FILE", &self.file)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("DONT_FAKE_MONOTONIC", "1")
            .env("NO_FAKE_STAT", "1")
    }

    /// By how many seconds a process is off.
    fn offset(&self) -> u64 {
        let output = self.show_to(Command::new("date").arg("+%s")).output().unwrap();
        let shown: u64 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().abs_diff(shown)
    }
}

/// A running `mfn run` that is killed at the end.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A stream of events, connected once and for all.
struct Events(BufReader<TcpStream>);

impl Events {
    fn connect(port: u16) -> Self {
        let begun = Instant::now();
        let mut stream = loop {
            match TcpStream::connect(("127.0.0.1", port)) {
                Ok(stream) => break stream,
                Err(error) => assert!(begun.elapsed() < Duration::from_secs(20), "no listener: {error}"),
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
            .write_all(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n")
            .unwrap();
        let mut events = Self(BufReader::new(stream));
        assert!(events.line().contains("200"));
        events
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.0.read_line(&mut line).unwrap() > 0, "disconnected");
        line
    }

    /// Waits for the event whose data holds the text.
    fn wait_for(&mut self, text: &str) {
        while !self.line().contains(text) {}
    }
}

/// Fault 11: guards polling, settling times and streams against the wall clock.
#[test]
fn a_jumping_clock_stops_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    for below in ["plugins", "requests"] {
        fs::create_dir(path.join(below)).unwrap();
    }
    for name in ["file", "sse"] {
        let library = plugin_library(name);
        fs::copy(&library, path.join("plugins").join(library.file_name().unwrap())).unwrap();
    }
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let configuration = format!(
        r#"
name = "clock"
[plugins]
directories = ["plugins"]
[connectors.requests]
plugin = "file"
[connectors.requests.config]
directory = "requests"
pattern = "*.json"
at_end = "watch"
after = "delete"
[transports.live]
plugin = "sse"
[transports.live.config]
bind = "127.0.0.1:{port}"
[[routes]]
name = "simulate"
connectors = ["requests"]
transports = ["live"]
"#
    );
    fs::write(path.join("pipeline.toml"), configuration).unwrap();
    let clock = Clock::new(path);
    let mut command = mfn(path, "run pipeline.toml");
    let running = clock.show_to(&mut command).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let running = Running(running);
    let mut events = Events::connect(port);
    let maps = fs::read_to_string(format!("/proc/{}/maps", running.0.id())).unwrap();
    assert!(maps.contains("libfaketime"), "the process keeps its own clock");

    let mut request = |seed: usize| {
        let begun = Instant::now();
        let text = format!(r#"{{"grid_size": 8, "steps": 4, "random_seed": {seed}}}"#);
        fs::write(path.join("request.tmp"), text).unwrap();
        fs::rename(path.join("request.tmp"), path.join(format!("requests/r{seed}.json"))).unwrap();
        events.wait_for(&format!("\"random_seed\":{seed}"));
        begun.elapsed()
    };
    let usual = (1..=4).map(&mut request).max().unwrap();
    // Requests come one at a time, of some hundred bytes; the stream keeps the last events for whoever comes back.
    let mut memory = FaultMemory::of_children(peak_of(running.0.id()).unwrap(), 1 << 20);
    let mut struck = 0;
    for (seed, jump) in (1000..1000 + fault_size(12, 48)).zip(JUMPS.into_iter().cycle()) {
        clock.jump(jump);
        struck += u64::from(clock.offset() > 3000);
        let taken = request(seed);
        assert!(taken < usual + LATE, "{taken:?} after {jump}, usually {usual:?}");
        std::thread::sleep(Duration::from_millis(fault_size(50, 5000)));
    }
    memory.look_at(running.0.id());
    // Each request was waited for: one that had not come would have ended the test.
    FaultRow { number: 11, struck, ..FaultRow::default() }.report(memory);
    signal(&running.0, "TERM");
}
