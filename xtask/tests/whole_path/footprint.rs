//! What libmfn asks of a host: which libraries, how many bytes, how much memory.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::site::{STAGE, alone};

const STRIPPED_BYTES_MAX: u64 = 6 << 20;

fn library() -> String {
    STAGE.join("lib/libmfn.so").display().to_string()
}

fn output_of(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap_or_else(|e| panic!("{program}: {e}"));
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Guards that a host needs nothing but the C library.
#[test]
fn the_library_needs_only_the_c_library() {
    const ALLOWED: [&str; 7] =
        ["linux-vdso", "libgcc_s", "libc", "libm", "libdl", "libpthread", "ld-linux-x86-64"];
    let listing = output_of("ldd", &[&library()]);
    let mut count = 0;
    for line in listing.lines() {
        let word = line.split_whitespace().next().expect("a name");
        let name = Path::new(word).file_name().and_then(|name| name.to_str()).unwrap_or(word);
        let stem = name.split(".so").next().unwrap_or(name);
        let is_loader = stem.starts_with("ld-linux");
        assert!(is_loader || ALLOWED.contains(&stem), "libmfn.so needs {name}:\n{listing}");
        count += 1;
    }
    assert!(count >= 2, "{listing}");
}

/// Guards the size, and that no network stack has crept in: neither undefined socket functions nor the
/// texts of the libraries that would bring one.
#[test]
fn the_library_is_small_and_has_no_network_stack() {
    let directory = tempfile::tempdir().expect("a directory");
    let stripped = directory.path().join("libmfn.so");
    output_of("strip", &["-o", &stripped.display().to_string(), &library()]);
    let bytes = std::fs::metadata(&stripped).expect("a file").len();
    println!("libmfn.so stripped: {bytes} bytes");
    assert!(bytes < STRIPPED_BYTES_MAX, "{bytes} bytes stripped, at most {STRIPPED_BYTES_MAX}");

    let undefined = output_of("nm", &["--dynamic", "--undefined-only", &library()]);
    for name in ["socket", "connect", "getaddrinfo", "SSL_new", "rd_kafka_new"] {
        let calls = |line: &str| line.split(['@', ' ']).any(|word| word == name);
        assert!(!undefined.lines().any(calls), "libmfn.so calls {name}");
    }
    let content = std::fs::read(&stripped).expect("bytes");
    for text in ["HTTP/1.1", "rustls", "openssl", "librdkafka", "tokio-runtime", "hyper-0", "hyper-1"] {
        let is_there = content.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(!is_there, "libmfn.so contains {text:?}");
    }
}

/// Guards that memory does not grow with the number of steps: 200 times the steps, the same peak. One
/// double kept for each step would be 1.6 MB.
#[test]
fn memory_does_not_grow_with_the_steps() {
    const SLACK_KIB: u64 = 1024;
    let _alone = alone();
    let spec = |steps| format!("{{\"grid_size\": 32, \"steps\": {steps}, \"turing_enabled\": false}}");
    let [short, long] = [1_000, 200_000].map(|steps| peak_kib(&spec(steps), 1));
    println!("peak resident memory: {short} KiB for 1,000 steps, {long} KiB for 200,000");
    assert!(long <= short + SLACK_KIB, "{short} KiB for 1,000 steps, {long} KiB for 200,000");
}

/// Guards what a run takes, its analysis and its files with it: six grids of doubles and 16 MiB, also with more
/// threads, each of which has buffers of its own.
#[test]
fn a_run_takes_six_grids() {
    const SIDE: u64 = 1024;
    let _alone = alone();
    let allowed = 6 * SIDE * SIDE * 8 / 1024 + 16 * 1024;
    for threads in [1, 8] {
        let peak = peak_kib(&format!("{{\"grid_size\": {SIDE}, \"steps\": 64}}"), threads);
        let what =
            format!("{peak} KiB for {SIDE} x {SIDE} cells with {threads} threads, allowed {allowed} KiB");
        println!("peak resident memory: {what}");
        assert!(peak <= allowed, "{what}");
    }
}

/// The peak resident memory of `mfn simulate` with a specification and so many threads, as the kernel saw it just
/// before the end.
fn peak_kib(text: &str, threads: usize) -> u64 {
    let directory = tempfile::tempdir().expect("a directory");
    let spec = directory.path().join("spec.json");
    std::fs::write(&spec, text).expect("a specification");
    let mut child = Command::new(STAGE.join("bin/mfn"))
        .args(["simulate", "--quiet", "--threads", &threads.to_string(), "--spec"])
        .arg(&spec)
        .arg("--out")
        .arg(directory.path().join("out"))
        .stdin(Stdio::null())
        .spawn()
        .expect("mfn starts");
    let status_file = format!("/proc/{}/status", child.id());
    let deadline = Instant::now() + Duration::from_secs(120);
    let mut peak = 0;
    loop {
        // Read before asking for the end: a process that has ended has no memory.
        let status = std::fs::read_to_string(&status_file).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|text| text.trim().trim_end_matches(" kB").parse::<u64>().ok());
        peak = peak.max(kib.unwrap_or(0));
        if let Some(status) = child.try_wait().expect("its state can be asked") {
            assert!(status.success(), "mfn simulate: {status}");
            break;
        }
        assert!(Instant::now() < deadline, "{text} took too long");
        std::thread::sleep(Duration::from_micros(200));
    }
    assert!(peak > 0, "no reading within the run");
    peak
}
