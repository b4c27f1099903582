//! A disk that fails: what was promised stays, what was not is kept and written elsewhere, and nothing needs a hand.

use super::crash_disk::{CrashDisk, Dice};
use super::*;
use crate::spool::SpoolError;

fn open_failing(directory: &Path) -> (Spool, Arc<CrashDisk>) {
    let disk = Arc::new(CrashDisk::of(directory));
    let (spool, _) = Spool::open_on(directory, SMALL, Arc::clone(&disk) as Arc<dyn Disk>).unwrap();
    (spool, disk)
}

/// What a machine that loses its power now has afterwards.
fn after_crash(disk: &CrashDisk, seed: u64) -> (tempfile::TempDir, Spool) {
    let dir = tempfile::tempdir().unwrap();
    disk.crash(&mut Dice(seed), dir.path());
    let spool = open_quickly(dir.path()).0;
    (dir, spool)
}

// Guards against a lost fsync error: the disk says "failed" once and forgets the pages, as Linux does; every later
// fsync of that file succeeds. What is reported durable afterwards is so nevertheless.
#[test]
fn a_failed_fsync_poisons_the_file() {
    for batch in [1, 5, 30] {
        let dir = tempfile::tempdir().unwrap();
        let (spool, disk) = open_failing(dir.path());
        append(&spool, 10);
        spool.sync().unwrap();
        append(&spool, batch);
        disk.fail("sync", 1);
        assert_eq!(spool.sync().unwrap(), 11 + batch);
        assert_eq!((disk.struck(), spool.status().poisoned_files), (1, 1));
        append(&spool, 4);
        assert_eq!(spool.sync().unwrap(), 15 + batch);
        let all: Vec<u64> = (1..15 + batch).collect();
        assert_eq!(read_all(&mut spool.cursor("a").unwrap()), all);
        for seed in 0..20 {
            let (_dir, crashed) = after_crash(&disk, seed);
            assert_eq!(read_all(&mut crashed.cursor("a").unwrap()), all);
            assert_eq!(crashed.status().damaged, 0);
        }
    }
}

// Guards a disk that fails for longer: sync says so each time, reports nothing durable, loses nothing, and succeeds when
// the disk works again. The files that were tried do not pile up.
#[test]
fn a_disk_that_keeps_failing_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (spool, disk) = open_failing(dir.path());
    append(&spool, 3);
    spool.sync().unwrap();
    append(&spool, 5);
    for operation in ["sync", "rename", "create", "write", "sync_directory"] {
        disk.fail("sync", 1);
        for _ in 0..10 {
            disk.fail(operation, 2);
            let refused = spool.sync().unwrap_err();
            assert!(matches!(refused, SpoolError::Disk { .. }) && refused.is_temporary(), "{refused}");
            assert_eq!(spool.status().durable_id, spool.status().next_id - 5);
        }
        disk.fail(operation, 0);
        assert!(spool.status().segments <= 1 + super::damage::segments(dir.path()).len());
        let next = spool.sync().unwrap();
        assert_eq!(next, spool.status().next_id);
        append(&spool, 5);
    }
    assert!(disk.struck() >= 50, "{}", disk.struck());
    assert!(super::damage::segments(dir.path()).len() < 12);
    let next = spool.sync().unwrap();
    let (_dir, crashed) = after_crash(&disk, 3);
    assert_eq!(read_all(&mut crashed.cursor("a").unwrap()), (1..next).collect::<Vec<_>>());
}

// Guards a write that fails half-way: the records are not in the log, their ids are not used, and half a frame is never
// read back, even where cutting it off fails too.
#[test]
fn a_failed_append_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (spool, disk) = open_failing(dir.path());
    append(&spool, 8);
    for cut_fails in [0, 1] {
        let next = spool.status().next_id;
        disk.fail("write", 1);
        disk.fail("set_len", cut_fails);
        assert!(matches!(spool.append(&[&record(900), &record(901)]), Err(SpoolError::Disk { .. })));
        assert_eq!(spool.status().next_id, next);
        append(&spool, 4);
        spool.sync().unwrap();
    }
    assert_eq!((disk.struck(), spool.status().poisoned_files), (3, 1));
    assert_eq!(read_all(&mut spool.cursor("a").unwrap()), (1..17).collect::<Vec<_>>());
    let (_dir, crashed) = after_crash(&disk, 1);
    assert_eq!(read_all(&mut crashed.cursor("a").unwrap()), (1..17).collect::<Vec<_>>());
    assert_eq!(crashed.status().damaged, 0);
}

// Guards positions on a failing disk: the commit is not lost, nothing is trimmed before it is durable, and files that
// can not be removed are removed later.
#[test]
fn a_trim_waits_for_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let (spool, disk) = open_failing(dir.path());
    append(&spool, 100);
    spool.sync().unwrap();
    let mut cursor = spool.cursor("a").unwrap();
    spool.sync_cursors().unwrap();
    read_all(&mut cursor);
    cursor.commit(90).unwrap();
    for operation in ["write", "remove"] {
        disk.fail(operation, u32::MAX);
        let before = spool.status().segments;
        assert!(matches!(spool.trim(), Err(SpoolError::Disk { .. })));
        assert_eq!(spool.status().segments, before);
        disk.fail(operation, 0);
    }
    assert!(spool.trim().unwrap() > 0);
    for seed in 0..20 {
        let (_dir, crashed) = after_crash(&disk, seed);
        assert_eq!(read_all(&mut crashed.cursor("a").unwrap()), (90..101).collect::<Vec<_>>());
    }
}
