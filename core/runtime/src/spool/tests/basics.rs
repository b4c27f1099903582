//! The contract on a disk that works: order, ids, cursors, limits, and whose a directory is.

use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use super::*;
use crate::spool::SpoolError;

// Guards the whole way: what was synced is read back unchanged and in order, also after a restart, and nothing before
// it is synced.
#[test]
fn records_come_back_as_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("deep/spool");
    let spool = open(&path);
    let mut cursor = spool.cursor("a").unwrap();
    append(&spool, 5);
    assert!(!cursor.wait(Duration::ZERO));
    assert_eq!(read_all(&mut cursor), Vec::<u64>::new());
    append(&spool, 95);
    assert_eq!(spool.sync().unwrap(), 101);
    assert!(cursor.wait(Duration::ZERO));
    assert_eq!(read_all(&mut cursor), (1..101).collect::<Vec<_>>());
    assert!(spool.status().segments > 3);
    drop((spool, cursor));
    let (spool, report) = Spool::open(&path, SMALL).unwrap();
    assert_eq!((report.first_id, report.next_id, report.records), (1, 101, 100));
    assert_eq!((report.damaged, report.truncated_bytes), (0, 0));
    append(&spool, 10);
    spool.sync().unwrap();
    assert_eq!(read_all(&mut spool.cursor("a").unwrap()), (1..111).collect::<Vec<_>>());
    assert_eq!(spool.verify().unwrap().records, 110);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    for entry in fs::read_dir(&path).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
}

// Guards cursors: each has its own place, a restart goes on where it was committed, and nothing that was not read can
// be committed.
#[test]
fn cursors_go_on_where_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    append(&spool, 200);
    spool.sync().unwrap();
    let mut a = spool.cursor("a").unwrap();
    let mut b = spool.cursor("b").unwrap();
    assert!(matches!(spool.cursor("a"), Err(SpoolError::Cursor { .. })));
    assert!(matches!(spool.remove_cursor("a"), Err(SpoolError::Cursor { .. })));
    assert!(matches!(spool.cursor(""), Err(SpoolError::Cursor { .. })));
    assert!(matches!(spool.cursor(&"x".repeat(65)), Err(SpoolError::Cursor { .. })));
    assert!(matches!(a.commit(2), Err(SpoolError::Cursor { .. })));
    assert_eq!(read_all(&mut a).len(), 200);
    a.commit(150).unwrap();
    a.commit(20).unwrap();
    a.rewind();
    assert_eq!(a.read(1, 0).unwrap()[0].0, 150);
    assert_eq!(b.read(10, u64::MAX).unwrap().len(), 10);
    b.commit(5).unwrap();
    drop((spool, a, b));
    let spool = open(dir.path());
    assert_eq!(spool.cursors(), [("a".to_owned(), 150), ("b".to_owned(), 5)]);
    assert_eq!(read_all(&mut spool.cursor("a").unwrap()), (150..201).collect::<Vec<_>>());
    assert_eq!(read_all(&mut spool.cursor("b").unwrap()), (5..201).collect::<Vec<_>>());
    assert_eq!(read_all(&mut spool.cursor("new").unwrap()), (1..201).collect::<Vec<_>>());
}

// Guards the promise of a commit: it is on disk within a second, without any further call.
#[test]
fn a_commit_is_durable_soon() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    append(&spool, 10);
    spool.sync().unwrap();
    let mut cursor = spool.cursor("a").unwrap();
    assert_eq!(read_all(&mut cursor).len(), 10);
    cursor.commit(8).unwrap();
    let started = std::time::Instant::now();
    loop {
        let copy = tempfile::tempdir().unwrap();
        super::copy(dir.path(), copy.path());
        if open(copy.path()).cursors() == [("a".to_owned(), 8)] {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "not durable");
        std::thread::sleep(Duration::from_millis(20));
    }
}

// Guards the limit: what does not fit is refused whole and uses no id, what never fits is told apart, and trimming
// makes room again for ever.
#[test]
fn a_full_spool_refuses_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let options = SpoolOptions { bytes_max: 16 << 10, segment_bytes_max: 4096 };
    let (spool, _) = Spool::open(dir.path(), options).unwrap();
    let mut cursor = spool.cursor("a").unwrap();
    let large = Record { id: "large".into(), payload: vec![7; 20 << 10], ..Record::default() };
    assert!(matches!(spool.append(&[&large]), Err(SpoolError::TooLarge { .. })));
    let mut refusals = 0;
    let mut read = Vec::new();
    while refusals < 20 {
        let next = spool.status().next_id;
        let batch = [record(next), record(next + 1), record(next + 2)];
        match spool.append(&batch.each_ref()) {
            Ok(ids) => assert_eq!(ids, next..next + 3),
            Err(SpoolError::Full { bytes, .. }) => {
                assert!(bytes > 12 << 10, "{bytes}");
                assert_eq!(spool.status().next_id, next);
                refusals += 1;
                spool.sync().unwrap();
                read.extend(read_all(&mut cursor));
                cursor.commit(cursor.next_id()).unwrap();
            }
            Err(other) => panic!("{other}"),
        }
        let on_disk: u64 = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "segment"))
            .map(|path| fs::metadata(path).unwrap().len())
            .sum();
        assert!(on_disk <= 16 << 10 && on_disk == spool.status().bytes);
    }
    assert_eq!(read, (1..read.len() as u64 + 1).collect::<Vec<_>>());
    // A record that needs nearly all of the spool fits when all else is done with.
    let large = Record { id: "large".into(), payload: vec![7; 16_000], ..Record::default() };
    spool.sync().unwrap();
    read_all(&mut cursor);
    cursor.commit(cursor.next_id()).unwrap();
    spool.append(&[&large]).unwrap();
    spool.sync().unwrap();
    assert_eq!(cursor.read(1, 0).unwrap()[0].1, large);
}

// Guards ids: an empty spool whose files are all gone goes on counting after a restart.
#[test]
fn ids_are_never_used_twice() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..3 {
        let spool = open(dir.path());
        let mut cursor = spool.cursor("a").unwrap();
        assert_eq!(spool.status().next_id, 1 + round * 50);
        append(&spool, 50);
        spool.sync().unwrap();
        assert_eq!(read_all(&mut cursor).len(), 50);
        cursor.commit(cursor.next_id()).unwrap();
        assert!(spool.trim().unwrap() > 0);
        assert_eq!(spool.trim().unwrap(), 0);
        assert_eq!(spool.status().bytes, 0);
    }
}

// Guards the directory: one user at a time, and nothing that is not a spool of this version is touched.
#[test]
fn a_directory_has_one_user_and_must_be_a_spool() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    assert!(matches!(Spool::open(dir.path(), SMALL), Err(SpoolError::Busy { .. })));
    append(&spool, 3);
    let cursor = spool.cursor("a").unwrap();
    drop(spool);
    assert!(matches!(Spool::open(dir.path(), SMALL), Err(SpoolError::Busy { .. })));
    drop(cursor);
    let foreign = |path: &Path| match Spool::open(path, SMALL) {
        Err(SpoolError::Foreign { .. }) => true,
        other => panic!("{other:?}"),
    };
    for name in ["mfn-spool", "cursors", "00000000000000000001.segment"] {
        let path = dir.path().join(name);
        let whole = fs::read(&path).unwrap();
        let mut newer = whole.clone();
        // The version, under a checksum that is right.
        newer[8] = 2;
        let sum = crc32fast::hash(&newer[..60]);
        newer[60..64].copy_from_slice(&sum.to_le_bytes());
        for other in [newer, b"something else".to_vec()] {
            fs::write(&path, &other).unwrap();
            if name.ends_with("segment") && other.len() < 64 {
                // A damaged header: name and marker say the same.
                assert_eq!(Spool::open(dir.path(), SMALL).unwrap().1.damaged_headers, 1);
            } else if name != "cursors" || other.len() < 64 {
                assert!(foreign(dir.path()));
                assert_eq!(fs::read(&path).unwrap(), other);
            }
        }
        fs::write(&path, &whole).unwrap();
    }
    fs::remove_file(dir.path().join("mfn-spool")).unwrap();
    assert!(foreign(dir.path()));
    let strange = tempfile::tempdir().unwrap();
    fs::write(strange.path().join("letter.txt"), "dear").unwrap();
    assert!(foreign(strange.path()));
    let file = strange.path().join("letter.txt");
    let refused = Spool::open(&file, SMALL).unwrap_err();
    assert!(matches!(refused, SpoolError::Disk { kind: ErrorKind::AlreadyExists, .. }), "{refused:?}");
    let refused = Spool::open(strange.path(), SpoolOptions { bytes_max: 100, segment_bytes_max: 50 });
    assert!(matches!(refused, Err(SpoolError::Option { field: "segment_bytes_max", .. })));
    let refused = Spool::open(strange.path(), SpoolOptions { bytes_max: 5000, segment_bytes_max: 4096 });
    assert!(matches!(refused, Err(SpoolError::Option { field: "bytes_max", .. })));
}

// Guards group commit: many threads append and sync at once, nothing is lost, and each batch keeps its order.
#[test]
fn threads_share_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    std::thread::scope(|scope| {
        for thread in 0..8_u64 {
            let spool = &spool;
            scope.spawn(move || {
                for n in 0..20 {
                    let named = |at| Record { id: format!("{thread}-{n}-{at}"), ..Record::default() };
                    let batch = [named(0), named(1), named(2)];
                    let ids = spool.append(&batch.each_ref()).unwrap();
                    assert!(spool.sync().unwrap() >= ids.end);
                }
            });
        }
    });
    let mut names: Vec<String> = Vec::new();
    let mut cursor = spool.cursor("a").unwrap();
    while let Some((id, record)) = cursor.read(1, 0).unwrap().pop() {
        assert_eq!(id, names.len() as u64 + 1);
        names.push(record.id);
    }
    assert!(
        names
            .chunks(3)
            .all(|batch| batch.iter().zip(0..).all(|(name, at)| name.ends_with(&format!("-{at}"))))
    );
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 8 * 20 * 3);
}
