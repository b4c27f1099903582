//! Random histories against a model: appends, syncs, commits, trims, failures, losses of power with torn pages, flipped
//! bits and cut files, in any order. Whatever happened, each record that was reported durable is read back as it was or
//! was hit by damage itself, and the counts agree.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::crash_disk::{CrashDisk, Dice};
use super::*;

#[derive(Debug, Clone)]
enum Op {
    Append(u64),
    Sync,
    Read(usize),
    Commit(u64),
    SyncCursors,
    Trim,
    Fail(&'static str),
    Reopen,
    Crash(u64),
    /// Closes, flips bits, opens.
    Flip(u64),
    /// Closes, cuts a segment, opens.
    Cut(u64),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (1_u64..40).prop_map(Op::Append),
        6 => Just(Op::Sync),
        4 => (1_usize..60).prop_map(Op::Read),
        4 => (0_u64..60).prop_map(Op::Commit),
        1 => Just(Op::SyncCursors),
        3 => Just(Op::Trim),
        2 => prop_oneof![Just("sync"), Just("write"), Just("set_len"), Just("create"), Just("rename")].prop_map(Op::Fail),
        2 => Just(Op::Reopen),
        3 => any::<u64>().prop_map(Op::Crash),
        1 => any::<u64>().prop_map(Op::Flip),
        1 => any::<u64>().prop_map(Op::Cut),
    ]
}

/// What must be true of the spool.
struct Model {
    dir: tempfile::TempDir,
    disk: Arc<CrashDisk>,
    spool: Spool,
    cursor: Cursor,
    /// What was appended under each id that may still be there, numbered, so that an id that is given out again after a
    /// crash has another record.
    appended: BTreeMap<u64, u64>,
    serial: u64,
    /// Reported durable below.
    durable: u64,
    /// Hit by damage.
    lost: BTreeSet<u64>,
    /// Ids that no record has: torn off before they were durable, below others that survived.
    gone: BTreeSet<u64>,
    /// The cursor was told to commit below this, and has been seen durable at that.
    committed: u64,
    committed_durable: u64,
    /// What was read last.
    read: u64,
}

fn numbered(serial: u64) -> Record {
    Record { id: format!("{serial}"), ..record(serial) }
}

fn open_on(directory: &Path) -> (Arc<CrashDisk>, Spool, Cursor) {
    let disk = Arc::new(CrashDisk::of(directory));
    let (spool, _) = Spool::open_on(directory, SMALL, Arc::clone(&disk) as Arc<dyn Disk>).unwrap();
    let cursor = spool.cursor("a").unwrap();
    spool.sync_cursors().unwrap();
    (disk, spool, cursor)
}

impl Model {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (disk, spool, cursor) = open_on(dir.path());
        let (appended, lost, gone) = Default::default();
        let numbers = [0, 1, 1, 1, 1];
        let [serial, durable, committed, committed_durable, read] = numbers;
        Self {
            dir,
            disk,
            spool,
            cursor,
            appended,
            serial,
            durable,
            lost,
            gone,
            committed,
            committed_durable,
            read,
        }
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Append(count) => {
                let records: Vec<Record> = (0..count).map(|at| numbered(self.serial + at)).collect();
                if let Ok(ids) = self.spool.append(&records.iter().collect::<Vec<_>>()) {
                    self.appended.extend(ids.zip(self.serial..));
                    self.serial += count;
                }
            }
            Op::Sync => {
                if let Ok(durable) = self.spool.sync() {
                    assert_eq!(durable, self.spool.status().next_id);
                }
                self.durable = self.spool.status().durable_id;
            }
            Op::Read(count) => {
                let records = self.cursor.read(count, u64::MAX).unwrap();
                self.check_read(&records);
            }
            Op::Commit(back) => {
                let next_id = self.read.saturating_sub(back);
                self.cursor.commit(next_id).unwrap();
                self.committed = self.committed.max(next_id);
            }
            Op::SyncCursors => {
                if self.spool.sync_cursors().is_ok() {
                    self.committed_durable = self.committed;
                }
            }
            Op::Trim => {
                // It may fail, and change nothing.
                let _ = self.spool.trim();
            }
            Op::Fail(operation) => self.disk.fail(operation, 1),
            Op::Reopen => self.close_and(|_, _| {}),
            Op::Crash(seed) => self.crash(seed),
            Op::Flip(seed) => self.close_and(|directory, lost| flip(directory, seed, lost)),
            Op::Cut(seed) => self.close_and(|directory, lost| cut(directory, seed, lost)),
        }
    }

    /// What was read goes on where the last reading ended, is as it was appended, and leaves out only what is lost.
    fn check_read(&mut self, records: &[(u64, Record)]) {
        for (id, found) in records {
            assert!(*id >= self.read && *id < self.spool.status().durable_id);
            for skipped in self.read..*id {
                let trimmed = skipped < self.committed;
                assert!(
                    trimmed || self.lost.contains(&skipped) || self.gone.contains(&skipped),
                    "{skipped} is missing"
                );
            }
            assert_eq!(Some(found), self.appended.get(id).map(|serial| numbered(*serial)).as_ref());
            assert!(!self.lost.contains(id), "{id} was hit and is there");
            self.read = id + 1;
        }
        if records.is_empty() {
            for skipped in self.read..self.cursor.next_id() {
                assert!(
                    self.lost.contains(&skipped) || self.gone.contains(&skipped) || skipped < self.committed
                );
            }
            self.read = self.cursor.next_id();
            self.committed = self.committed.max(self.cursor.committed());
        }
    }

    fn close_and(&mut self, damage: impl FnOnce(&Path, &mut BTreeSet<u64>)) {
        // Nothing is left to fail: closing writes what was appended.
        for operation in ["sync", "write", "set_len", "create", "rename"] {
            self.disk.fail(operation, 0);
        }
        self.spool.sync().unwrap();
        self.durable = self.spool.status().durable_id;
        let empty = tempfile::tempdir().unwrap();
        let (_, spool, cursor) = open_on(empty.path());
        let old = (std::mem::replace(&mut self.spool, spool), std::mem::replace(&mut self.cursor, cursor));
        drop(old);
        self.committed_durable = self.committed;
        damage(self.dir.path(), &mut self.lost);
        (self.disk, self.spool, self.cursor) = open_on(self.dir.path());
        self.check_opened();
        self.check_all(true);
    }

    fn crash(&mut self, seed: u64) {
        let dir = tempfile::tempdir().unwrap();
        self.disk.crash(&mut Dice(seed), dir.path());
        (self.disk, self.spool, self.cursor) = open_on(dir.path());
        self.dir = dir;
        self.check_opened();
        // What nobody was promised may be there, whole, or not.
        let next_id = self.spool.status().next_id;
        self.appended.retain(|id, _| *id < next_id);
        self.check_all(false);
        self.durable = next_id;
    }

    /// Nothing durable is behind the end, and the cursor neither skips nor goes back behind what was durable.
    fn check_opened(&mut self) {
        let status = self.spool.status();
        assert!(status.next_id >= self.durable, "{} below {}", status.next_id, self.durable);
        let at = self.cursor.committed();
        assert!(at >= self.committed_durable && at <= self.committed.max(self.committed_durable), "{at}");
        (self.committed, self.committed_durable, self.read) = (at, at, at);
    }

    /// Reads everything with a cursor of its own and compares what is missing with what was hit.
    fn check_all(&mut self, exact: bool) {
        let first = self.spool.status().first_id;
        self.lost.retain(|id| *id >= first);
        self.gone.retain(|id| *id >= first && !self.lost.contains(id));
        let mut whole = BTreeSet::new();
        let mut all = self.spool.cursor("check").unwrap();
        loop {
            let records = all.read(100, u64::MAX).unwrap();
            if records.is_empty() {
                break;
            }
            for (id, found) in records {
                assert_eq!(Some(found), self.appended.get(&id).map(|serial| numbered(*serial)));
                assert!(whole.insert(id));
            }
        }
        drop(all);
        self.spool.remove_cursor("check").unwrap();
        let next_id = self.spool.status().next_id;
        for id in first..next_id {
            if !whole.contains(&id) && !self.lost.contains(&id) && !self.gone.contains(&id) {
                assert!(!exact && id >= self.durable, "{id} is missing");
                self.gone.insert(id);
            }
        }
        assert!(self.lost.is_disjoint(&whole));
        let missing = (self.lost.len() + self.gone.len()) as u64;
        assert_eq!(self.spool.verify().unwrap().damaged, missing);
        assert_eq!(self.spool.status().damaged, missing);
    }
}

fn flip(directory: &Path, seed: u64, lost: &mut BTreeSet<u64>) {
    let (mut dice, layout) = (Dice(seed), super::damage::layout(directory));
    for _ in 0..dice.below(5) + 1 {
        let hit = dice.below(layout.len() as u64) as usize;
        let Some((path, id, start, end)) = layout.get(hit) else { return };
        if !lost.insert(*id) {
            continue;
        }
        let mut bytes = fs::read(path).unwrap();
        bytes[start + dice.below((end - start) as u64) as usize] ^= 1 << dice.below(8);
        fs::write(path, bytes).unwrap();
    }
}

fn cut(directory: &Path, seed: u64, lost: &mut BTreeSet<u64>) {
    let mut dice = Dice(seed);
    let (segments, layout) = (super::damage::segments(directory), super::damage::layout(directory));
    let Some(path) = segments.get(dice.below(segments.len() as u64) as usize) else { return };
    let bytes = fs::read(path).unwrap();
    let length = dice.below(bytes.len() as u64 + 1) as usize;
    fs::write(path, &bytes[..length]).unwrap();
    lost.extend(layout.iter().filter(|(file, .., end)| file == path && *end > length).map(|(_, id, ..)| *id));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    // Guards the promises of the spool as a whole, see the head of this file.
    #[test]
    fn histories_agree_with_the_model(ops in proptest::collection::vec(op(), 1..60)) {
        let mut model = Model::new();
        for op in ops {
            model.apply(op);
        }
        model.close_and(|_, _| {});
    }
}
