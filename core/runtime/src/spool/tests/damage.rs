//! Fault 2 of the table: bit flips in a thousand records, and truncation at each of the last 4,096 bytes. Only the
//! damaged records are lost, they are counted exactly, and all others are delivered.

use std::collections::BTreeSet;

use mfn_plugin::testing::{FaultMemory, FaultRow};

use super::*;
use crate::spool::format::{HEAD_BYTES, HEADER_BYTES, Head, Identity};
use crate::spool::segment;
use crate::spool::tests::crash_disk::Dice;

/// Where each record lies in the undamaged segments: file, id, start and end.
pub(super) fn layout(directory: &Path) -> Vec<(std::path::PathBuf, u64, usize, usize)> {
    let marker = fs::read(directory.join("mfn-spool")).unwrap();
    let identity = Identity(u64::from_le_bytes(marker[16..24].try_into().unwrap()));
    let mut found = Vec::new();
    let paths = segments(directory);
    let bound =
        |index: usize| paths.get(index + 1).and_then(|next| segment::first_id(next)).unwrap_or(u64::MAX);
    for (index, path) in paths.iter().enumerate() {
        let bytes = fs::read(path).unwrap();
        let mut at = HEADER_BYTES;
        while at < bytes.len() {
            let head = Head::decode(&bytes[at..], identity);
            let end = head.map_or(usize::MAX, |head| at + head.frame_bytes() as usize);
            if end > bytes.len() {
                at += 1;
                continue;
            }
            // What a poisoned file has beyond the beginning of the next one counts there.
            found.extend(
                head.filter(|head| head.id < bound(index)).map(|head| (path.clone(), head.id, at, end)),
            );
            at = end;
        }
    }
    found
}

pub(super) fn segments(directory: &Path) -> Vec<std::path::PathBuf> {
    let paths = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths.filter(|path| path.extension().is_some_and(|e| e == "segment")).collect();
    paths.sort();
    paths
}

/// A spool of `count` records that was closed, and nobody has read.
fn filled(directory: &Path, count: u64) {
    let (spool, _) = open_quickly(directory);
    append(&spool, count);
    spool.sync().unwrap();
}

/// Opens a damaged spool and compares it with what must be lost.
fn assert_lost(directory: &Path, count: u64, lost: &BTreeSet<u64>) {
    let (spool, _) = open_quickly(directory);
    let whole: Vec<u64> = (1..=count).filter(|id| !lost.contains(id)).collect();
    assert_eq!(read_all(&mut spool.cursor("a").unwrap()), whole);
    assert_eq!(spool.status().damaged, lost.len() as u64);
    // Neither a second reader nor a verification counts anything again.
    assert_eq!(read_all(&mut spool.cursor("b").unwrap()), whole);
    let report = spool.verify().unwrap();
    assert_eq!((report.damaged, report.records), (lost.len() as u64, whole.len() as u64));
    assert_eq!(spool.status().damaged, lost.len() as u64);
    // It goes on, and later records are delivered.
    append(&spool, 3);
    spool.sync().unwrap();
    let mut cursor = spool.cursor("c").unwrap();
    assert_eq!(read_all(&mut cursor), whole.into_iter().chain(count + 1..count + 4).collect::<Vec<_>>());
}

// Guards each field of a frame: one flipped bit in any of 1,000 records, in any byte of it, costs this record only.
#[test]
fn a_thousand_flipped_records_are_lost_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    // The spool holds one read at a time; the test has read all records at once, several times.
    let memory = FaultMemory::here(1 << 20).kept_by_test(4 << 20);
    filled(dir.path(), 3_000);
    let layout = layout(dir.path());
    assert_eq!(layout.len(), 3_000);
    let mut dice = Dice(1);
    let mut lost = BTreeSet::new();
    let mut struck = [0_u32; 2];
    while lost.len() < 1_000 {
        let (path, id, start, end) = &layout[dice.below(3_000) as usize];
        if !lost.insert(*id) {
            continue;
        }
        // Half of them in the head, where the length and the id are.
        let in_head = dice.below(2) as usize;
        let range = if in_head == 1 { *start..start + HEAD_BYTES } else { start + HEAD_BYTES..*end };
        let mut bytes = fs::read(path).unwrap();
        bytes[range.start + dice.below(range.len() as u64) as usize] ^= 1 << dice.below(8);
        fs::write(path, bytes).unwrap();
        struck[in_head] += 1;
    }
    assert!(struck.iter().all(|&count| count > 300), "{struck:?}");
    assert_lost(dir.path(), 3_000, &lost);
    // Lost beyond the damaged ones.
    FaultRow { number: 2, struck: lost.len() as u64, ..FaultRow::default() }.report(memory);
}

// Guards the tail: wherever in its last 4,096 bytes the log is cut, exactly the records that are not whole are lost.
#[test]
fn a_cut_at_each_of_the_last_bytes_costs_what_was_cut() {
    let dir = tempfile::tempdir().unwrap();
    let memory = FaultMemory::here(1 << 20).kept_by_test(1 << 20);
    filled(dir.path(), 120);
    let layout = layout(dir.path());
    let mut left = 4_096;
    let (mut most, mut struck) = (0, 0);
    for path in segments(dir.path()).iter().rev() {
        let whole = fs::read(path).unwrap();
        for cut in 1..=left.min(whole.len()) {
            let copy = tempfile::tempdir().unwrap();
            super::copy(dir.path(), copy.path());
            let length = whole.len() - cut;
            let damaged = copy.path().join(path.file_name().unwrap());
            fs::write(&damaged, &whole[..length]).unwrap();
            let cut_off = layout.iter().filter(|(file, _, _, end)| file == path && *end > length);
            let lost: BTreeSet<u64> = cut_off.map(|(_, id, _, _)| *id).collect();
            assert!(!lost.is_empty() || length < HEADER_BYTES);
            most = most.max(lost.len());
            let (spool, report) = open_quickly(copy.path());
            let whole: Vec<u64> = (1..=120).filter(|id| !lost.contains(id)).collect();
            assert_eq!(read_all(&mut spool.cursor("a").unwrap()), whole);
            assert_eq!(spool.status().damaged, lost.len() as u64, "{report:?}");
            append(&spool, 1);
            spool.sync().unwrap();
            assert_eq!(spool.status().next_id, 122);
            struck += 1;
        }
        left -= left.min(whole.len());
        if left == 0 {
            break;
        }
    }
    assert!(left == 0 && most > 5);
    FaultRow { number: 2, struck, ..FaultRow::default() }.report(memory);
}

// Guards damage that is larger than a record: pages of zeros over many frames, and a payload that holds whole frames of
// this very spool, which must not be taken for records.
#[test]
fn pages_of_zeros_and_frames_inside_records() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), 300);
    let paths = segments(dir.path());
    let stolen = fs::read(&paths[3]).unwrap();
    let decoy = Record { id: "decoy".into(), payload: stolen, ..Record::default() };
    let spool = open(dir.path());
    spool.append(&[&decoy]).unwrap();
    append(&spool, 5);
    drop(spool);
    let layout = layout(dir.path());
    let (path, id, start, _) = layout.iter().find(|(_, id, ..)| *id == 301).unwrap();
    assert_eq!(*id, 301);
    let mut bytes = fs::read(path).unwrap();
    // The decoy's head goes, so that its payload is searched for the next frame.
    bytes[start + 5] ^= 1;
    fs::write(path, bytes).unwrap();
    let zeroed = &paths[5];
    let mut bytes = fs::read(zeroed).unwrap();
    bytes[1_000..3_000].fill(0);
    fs::write(zeroed, bytes).unwrap();
    let hit = layout.iter().filter(|(file, _, start, end)| file == zeroed && *start < 3_000 && *end > 1_000);
    let mut lost: BTreeSet<u64> = hit.map(|(_, id, ..)| *id).collect();
    assert!(lost.len() > 5);
    lost.insert(301);
    assert_lost(dir.path(), 306, &lost);
}

// Guards that the bytes of a spool are its own: the same records in another spool are refused as frames and as files.
#[test]
fn a_segment_of_another_spool_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (dir.path().join("one"), dir.path().join("other"));
    filled(&one, 50);
    filled(&other, 50);
    fs::copy(&segments(&one)[1], &segments(&other)[1]).unwrap_or(0);
    let refused = Spool::open(&other, SMALL).unwrap_err();
    assert!(refused.to_string().contains("belongs to another spool"), "{refused}");
}

// Guards the cursors' file: damage to the newer half goes back to the older one, which reads again and skips nothing.
#[test]
fn a_damaged_cursor_file_reads_again() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), 100);
    let spool = open(dir.path());
    let mut cursor = spool.cursor("a").unwrap();
    read_all(&mut cursor);
    for next_id in [40, 80] {
        cursor.commit(next_id).unwrap();
        spool.sync_cursors().unwrap();
    }
    drop((spool, cursor));
    let whole = fs::read(dir.path().join("cursors")).unwrap();
    let mut seen = BTreeSet::new();
    for at in (0..whole.len()).step_by(97) {
        let copy = tempfile::tempdir().unwrap();
        super::copy(dir.path(), copy.path());
        let mut damaged = whole.clone();
        damaged[at] ^= 4;
        fs::write(copy.path().join("cursors"), &damaged).unwrap();
        let (spool, _) = open_quickly(copy.path());
        let start = spool.cursors()[0].1;
        seen.insert(start);
        assert_eq!(read_all(&mut spool.cursor("a").unwrap()), (start..101).collect::<Vec<_>>());
    }
    assert_eq!(seen, BTreeSet::from([40, 80]));
    let mut damaged = whole.clone();
    damaged[9] ^= 1;
    damaged[8192 + 9] ^= 1;
    let path = dir.path().join("cursors");
    fs::write(&path, &damaged).unwrap();
    assert!(matches!(Spool::open(dir.path(), SMALL), Err(crate::spool::SpoolError::Foreign { .. })));
    fs::remove_file(&path).unwrap();
    let (spool, report) = Spool::open(dir.path(), SMALL).unwrap();
    assert!(report.cursors_missing);
    assert_eq!(read_all(&mut spool.cursor("a").unwrap()).len(), 100);
}
