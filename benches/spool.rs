//! The spool against the same bytes written plainly: append and fsync with group commit, restart, replay.
//!
//! The bounds are measured in the same run, in turns: for appending, `write` and `fdatasync` of as many bytes to one
//! file; for replaying, reading as many bytes of a file. `cargo bench -p mfn-benches --bench spool`; set `TMPDIR` to the disk
//! that is meant. `--quick` has one round; `--out FILE` keeps what was measured.
#![allow(clippy::print_stdout)]

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use mfn_benches::marks::Required;
use mfn_benches::report::{Report, Row};
use mfn_plugin::value::Record;
use mfn_runtime::spool::{Spool, SpoolOptions};

/// Records in one append, and payload bytes of each.
const BATCH: usize = 500;
const PAYLOAD_BYTES: usize = 1024;
/// Batches of one timed run of appending.
const BATCHES: usize = 200;
/// Rounds in turns; the median counts, because a disk has no best time.
const ROUNDS: usize = 5;
/// Threads that append and sync at once.
const THREADS: [usize; 2] = [1, 4];
/// Size of the spool that is opened and replayed.
const REPLAY_BYTES: u64 = 1 << 30;

fn batch() -> Vec<Record> {
    let record = |n: usize| Record {
        id: format!("record-{n:08}"),
        payload: (0..PAYLOAD_BYTES).map(|at| (at.wrapping_mul(n + 7) >> 3) as u8).collect(),
        content_type: "application/json".to_owned(),
        timestamp_ms: Some(1_700_000_000_000),
        ..Record::default()
    };
    (0..BATCH).map(record).collect()
}

fn open(directory: &Path) -> Spool {
    Spool::open(directory, SpoolOptions::new(4 << 30)).expect("a spool").0
}

/// Appends and syncs so many batches from so many threads.
fn append(spool: &Spool, batch: &[&Record], batches: usize, threads: usize) -> Duration {
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                for _ in 0..batches / threads {
                    let ids = spool.append(batch).expect("room");
                    assert!(spool.sync().expect("a disk") >= ids.end);
                }
            });
        }
    });
    started.elapsed()
}

/// Writes as many bytes to one file, each write followed by fdatasync.
fn plain(file: &mut File, bytes: &[u8], writes: usize) -> Duration {
    let started = Instant::now();
    for _ in 0..writes {
        file.write_all(bytes).expect("room");
        file.sync_data().expect("a disk");
    }
    started.elapsed()
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(f64::NAN, Duration::as_secs_f64)
}

/// The most memory this process has had, MiB.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok()).map_or(0, |kib| kib / 1024)
}

fn main() {
    let (mut is_bench, mut rounds, mut out) = (false, ROUNDS, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match &*argument {
            "--bench" => is_bench = true,
            "--quick" => rounds = 1,
            "--out" => out = arguments.next(),
            other => panic!("`{other}`: there are --quick and --out FILE"),
        }
    }
    // As a test there is nothing to measure.
    if !is_bench {
        return println!("run it with `cargo xtask bench --delivery -- spool`");
    }
    let records = batch();
    let batch: Vec<&Record> = records.iter().collect();
    let frames = frame_bytes(&batch);
    let dir = tempfile::tempdir().expect("a directory");
    let mut report = Report::default();
    appending(dir.path(), &batch, frames, rounds, &mut report);
    replaying(dir.path(), &batch, frames, &mut report);
    if let Some(out) = out {
        report.write(Path::new(&out)).expect("a file");
    }
}

fn row(program: String, records_per_s: f64) -> Row {
    Row { part: "spool".to_owned(), program, bytes: PAYLOAD_BYTES, records_per_s, cpu_us: None }
}

/// Bytes that one append writes.
fn frame_bytes(batch: &[&Record]) -> usize {
    let dir = tempfile::tempdir().expect("a directory");
    let spool = open(dir.path());
    spool.append(batch).expect("room");
    let one = spool.status().bytes;
    spool.append(batch).expect("room");
    (spool.status().bytes - one) as usize
}

fn appending(directory: &Path, batch: &[&Record], frames: usize, rounds: usize, report: &mut Report) {
    let bytes: Vec<u8> = (0..frames).map(|at| (at >> 3) as u8).collect();
    let mut file = File::create(directory.join("plain")).expect("a file");
    let mut plain_times = Vec::new();
    let mut times = THREADS.map(|_| Vec::new());
    for round in 0..rounds {
        plain_times.push(plain(&mut file, &bytes, BATCHES));
        for (times, threads) in times.iter_mut().zip(THREADS) {
            let path = directory.join(format!("append-{threads}-{round}"));
            let spool = open(&path);
            times.push(append(&spool, batch, BATCHES, threads));
            drop(spool);
            std::fs::remove_dir_all(path).expect("files");
        }
        file.set_len(0).expect("a file");
        file = OpenOptions::new().append(true).open(directory.join("plain")).expect("a file");
    }
    let count = (BATCHES * BATCH) as f64;
    let bound = median(plain_times);
    println!("batches of {BATCH} records of {PAYLOAD_BYTES} bytes, {frames} bytes with frames");
    println!("{:<28} {:>12} {:>9} {:>14}", "program", "records/s", "MB/s", "bound / time");
    let mut tell = |name: &str, seconds: f64| {
        let mb = (BATCHES * frames) as f64 / seconds / 1e6;
        println!("{name:<28} {:>12.0} {mb:>9.1} {:>14.2}", count / seconds, bound / seconds);
        report.row(row(name.to_owned(), count / seconds));
    };
    tell("plain write and fdatasync", bound);
    for (times, threads) in times.into_iter().zip(THREADS) {
        let plural = if threads == 1 { "" } else { "s" };
        tell(&format!("append and sync, {threads} thread{plural}"), median(times));
    }
}

fn replaying(directory: &Path, batch: &[&Record], frames: usize, report: &mut Report) {
    let path = directory.join("replay");
    {
        let spool = open(&path);
        while spool.status().bytes < REPLAY_BYTES {
            spool.append(batch).expect("room");
        }
        spool.sync().expect("a disk");
    }
    let before = peak_mib();
    let started = Instant::now();
    let spool = open(&path);
    let mut cursor = spool.cursor("bench").expect("a cursor");
    assert_eq!(cursor.read(1, 0).expect("a record").len(), 1);
    let ready = started.elapsed();
    let (mut count, started) = (1, Instant::now());
    loop {
        let records = cursor.read(BATCH, 1 << 20).expect("records");
        if records.is_empty() {
            break;
        }
        count += records.len();
        cursor.commit(cursor.next_id()).expect("read");
    }
    let seconds = started.elapsed().as_secs_f64();
    assert_eq!(spool.status().damaged, 0);
    let (after, bytes) = (peak_mib(), spool.status().bytes);
    let read = reading(&path);
    println!(
        "{} MiB in {} segments: first record {:.3} s after opening; memory {before} MiB before, {after} MiB after",
        bytes >> 20,
        spool.status().segments,
        ready.as_secs_f64()
    );
    let figure = "1 GiB of spool ready for replay after opening";
    report.must_hold(Required::AtMost(2.0), figure, ready.as_secs_f64(), "s");
    report.row(row("replay".to_owned(), count as f64 / seconds));
    println!(
        "replay {:.0} records/s, {:.1} MB/s; reading the files {:.1} MB/s, bound / time {:.2}",
        count as f64 / seconds,
        (count * frames / BATCH) as f64 / seconds / 1e6,
        bytes as f64 / read / 1e6,
        read / seconds
    );
}

/// Reads all files once, in pieces as large as a cursor's window, s.
fn reading(directory: &Path) -> f64 {
    let started = Instant::now();
    let mut piece = vec![0; 1 << 18];
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let mut file = File::open(entry.expect("a file").path()).expect("a file");
        while file.read(&mut piece).expect("bytes") > 0 {}
    }
    started.elapsed().as_secs_f64()
}
