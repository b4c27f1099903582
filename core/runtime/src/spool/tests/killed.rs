//! A process that dies by SIGKILL while it appends: what it was told is durable is there, whole and in order.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::crash_disk::Dice;
use super::*;

const DIRECTORY: &str = "MFN_TEST_SPOOL_DIRECTORY";
const KILLS: u64 = 30;

/// The child: appends for ever, and writes to its output what is durable and what it has committed.
#[test]
#[ignore = "run, and killed, by the test below"]
fn appends_until_it_is_killed() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let spool = open(Path::new(&directory));
    let mut cursor = spool.cursor("a").unwrap();
    println!("\nready");
    loop {
        let next = spool.status().next_id;
        let batch: Vec<Record> = (next..next + 1 + next % 40).map(record).collect();
        spool.append(&batch.iter().collect::<Vec<_>>()).unwrap();
        println!("durable {}", spool.sync().unwrap());
        let read = cursor.read(30, u64::MAX).unwrap();
        if next.is_multiple_of(3) && !read.is_empty() {
            println!("commit {}", cursor.next_id());
            cursor.commit(cursor.next_id()).unwrap();
            spool.trim().unwrap();
        }
    }
}

// Guards fault 1 for the spool itself: killed at random moments, thirty times over the same directory, it loses nothing
// that was reported durable, and never skips what was not committed.
#[test]
fn a_killed_process_loses_nothing_durable() {
    let dir = tempfile::tempdir().unwrap();
    let mut dice = Dice(7);
    let (mut torn, mut unsynced) = (0, 0);
    for _ in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored", "--nocapture", "spool::tests::killed::appends_until_it_is_killed"])
            .env(DIRECTORY, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line == "ready"));
        // The moment is a number of lines and a part of the work after it.
        let mut said: Vec<String> = lines.by_ref().take(dice.below(12) as usize + 1).collect();
        std::thread::sleep(std::time::Duration::from_micros(dice.below(3_000)));
        child.kill().unwrap();
        said.extend(lines);
        child.wait().unwrap();
        let last = |word: &str| {
            let number = |line: &String| line.strip_prefix(word)?.trim().parse::<u64>().ok();
            said.iter().rev().find_map(number).unwrap_or(0)
        };
        let (spool, report) = Spool::open(dir.path(), SMALL).unwrap();
        assert!(report.next_id >= last("durable") && report.damaged == 0, "{report:?} {said:?}");
        torn += u64::from(report.truncated_bytes > 0);
        unsynced += u64::from(report.next_id > last("durable"));
        let mut cursor = spool.cursor("a").unwrap();
        let start = cursor.committed();
        if last("commit") > 0 {
            assert!(start <= last("commit"), "{start} {said:?}");
        }
        let ids = read_all(&mut cursor);
        assert_eq!(ids, (start..report.next_id).collect::<Vec<_>>());
    }
    println!(
        "killed {KILLS} times: {unsynced} times with records not yet durable, {torn} times with half a frame"
    );
    assert!(unsynced > 0, "no kill struck between an append and its fsync");
}
