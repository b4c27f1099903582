//! Fault 3 of the table for the spool: a disk that is really full, a tmpfs of 1 MiB in a mount namespace of its own.

use std::process::Command;
use std::time::{Duration, Instant};

use mfn_plugin::testing::{FaultMemory, FaultRow};

use super::*;
use crate::spool::SpoolError;

const DIRECTORY: &str = "MFN_TEST_SPOOL_FULL_DIRECTORY";
/// What the shell answers where it may not mount.
const NO_MOUNT: i32 = 77;
/// How often the child meets a full disk.
const ROUNDS: u64 = 6;

// Guards against a full disk, in a child that has a small one. A system that does not allow the mount can not run this,
// and the test fails there and says what to do.
#[test]
fn a_full_disk_refuses_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let script = format!(
        "mount -t tmpfs -o size=1m tmpfs \"$1\" || exit {NO_MOUNT}; \
         exec \"$2\" --exact --ignored --nocapture spool::tests::disk_full::on_a_small_disk"
    );
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", &script, "sh"])
        .args([dir.path(), &std::env::current_exe().unwrap()])
        .env(DIRECTORY, dir.path())
        .output()
        .expect("unshare can not be run: install the package util-linux");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(
        output.status.success() && stdout.contains("1 passed"),
        "{}: {stdout}{stderr}\nstatus {NO_MOUNT} or a refusal of unshare: allow user and mount namespaces, or run as root",
        output.status
    );
    // The child has counted, and writes the row.
    assert!(stdout.contains("fault-row: 3 "), "{stdout}");
    print!("{stdout}");
}

/// The child: fills the disk again and again, by itself and by others, and reads everything back.
#[test]
#[ignore = "run by the test above on a disk of its own"]
fn on_a_small_disk() {
    let Some(base) = std::env::var_os(DIRECTORY) else { return };
    let base = Path::new(&base);
    // The limit is above the disk, so that the disk is what refuses.
    let options = SpoolOptions { bytes_max: 8 << 20, segment_bytes_max: 64 << 10 };
    let open = || Spool::open(&base.join("spool"), options).unwrap().0;
    // A spool holds no records: only what is appended or read at the moment, and the bytes of one segment. The test has
    // 2 MiB of ballast and the ids of what it has read.
    let memory = FaultMemory::here(1 << 20).kept_by_test(3 << 20);
    let (mut refusals, mut durable, mut read) = (0, 1, Vec::new());
    for round in 0..ROUNDS {
        let spool = open();
        let mut cursor = spool.cursor("a").unwrap();
        if round % 2 == 1 {
            // Somebody else takes what is left; only the space that was reserved before is there.
            std::fs::write(base.join("ballast"), vec![0; 2 << 20]).unwrap_err();
        }
        let refused = loop {
            let next = spool.status().next_id;
            let batch: Vec<Record> = (next..next + 50).map(record).collect();
            let started = Instant::now();
            let done = spool.append(&batch.iter().collect::<Vec<_>>()).and_then(|_| spool.sync());
            assert!(started.elapsed() < Duration::from_secs(1));
            match done {
                Ok(until) => durable = until,
                Err(refused) => break refused,
            }
        };
        assert!(matches!(refused, SpoolError::Disk { .. }) && refused.is_temporary(), "{refused}");
        refusals += 1;
        // Positions can be written without space, and trimming makes some.
        while let Some((id, found)) = cursor.read(1, 0).unwrap().pop() {
            assert_eq!(found, record(id));
            read.push(id);
        }
        assert!(cursor.next_id() >= durable);
        cursor.commit(cursor.next_id()).unwrap();
        spool.sync_cursors().unwrap();
        if round % 3 == 2 {
            // Without trimming: the restart does it.
            drop((spool, cursor));
            drop(open());
        } else {
            assert!(spool.trim().unwrap() > 0 || round % 2 == 1);
        }
        if round % 2 == 1 {
            std::fs::remove_file(base.join("ballast")).unwrap();
        }
    }
    assert_eq!(refusals, ROUNDS);
    assert_eq!(read, (1..read.len() as u64 + 1).collect::<Vec<_>>());
    assert!(read.len() > 5_000, "{} records", read.len());
    let lost = (durable - 1).saturating_sub(read.len() as u64);
    FaultRow { number: 3, struck: refusals, lost, duplicated: 0 }.report(memory);
}
