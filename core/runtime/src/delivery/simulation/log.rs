//! The log of a spooled or accepted route: what was synced survives a crash, of the rest perhaps a part.

use super::oracle::Message;
use super::plan::Dice;

/// An append-only log with one cursor for each publisher. Positions never repeat.
#[derive(Debug)]
pub(super) struct Log {
    /// The position of the first entry.
    first: u64,
    entries: Vec<Message>,
    /// Everything before it survives a crash.
    synced: u64,
    /// Per cursor: where it is, and where it certainly is after a crash.
    cursors: Vec<(u64, u64)>,
    records_max: usize,
}

impl Log {
    pub(super) fn new(cursors: usize, records_max: usize) -> Self {
        Self { first: 0, entries: Vec::new(), synced: 0, cursors: vec![(0, 0); cursors], records_max }
    }

    /// Appends all or nothing; false when there is no room.
    pub(super) fn append(&mut self, messages: &[Message]) -> bool {
        if self.entries.len() + messages.len() > self.records_max {
            return false;
        }
        self.entries.extend_from_slice(messages);
        true
    }

    pub(super) fn end(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    pub(super) fn synced(&self) -> u64 {
        self.synced
    }

    pub(super) fn sync(&mut self) {
        self.synced = self.end();
        self.sync_cursors();
    }

    /// Makes the cursors durable, which makes room.
    pub(super) fn sync_cursors(&mut self) {
        for (at, durable) in &mut self.cursors {
            *durable = *at;
        }
        self.trim();
    }

    pub(super) fn get(&self, position: u64) -> Option<Message> {
        self.entries.get(position.checked_sub(self.first)? as usize).copied()
    }

    /// What a cursor may read: only what would survive.
    pub(super) fn read(&self, from: u64, records_max: usize) -> Vec<(u64, Message)> {
        let end = self.synced.min(from.saturating_add(records_max as u64));
        (from..end).filter_map(|position| Some((position, self.get(position)?))).collect()
    }

    pub(super) fn cursor(&self, cursor: usize) -> u64 {
        self.cursors[cursor].0
    }

    pub(super) fn commit(&mut self, cursor: usize, next: u64) {
        self.cursors[cursor].0 = next;
    }

    /// What a cursor has not passed.
    pub(super) fn open(&self, cursor: usize) -> impl Iterator<Item = Message> + '_ {
        (self.cursors[cursor].0..self.end()).filter_map(|position| self.get(position))
    }

    /// The process is gone: what was synced is there, of the rest a part that may end anywhere, and each cursor
    /// is somewhere between where it certainly was and where it had come to. Gives how many were torn away.
    pub(super) fn crash(&mut self, dice: &mut Dice) -> u64 {
        let end = dice.within(self.synced, self.end());
        let torn = self.end() - end;
        self.entries.truncate((end - self.first) as usize);
        self.synced = end;
        for (at, durable) in &mut self.cursors {
            *at = dice.within(*durable, *at);
            *durable = *at;
        }
        self.trim();
        torn
    }

    /// The process is gone, and everything was in its memory.
    pub(super) fn lose(&mut self) {
        let end = self.end();
        self.entries.clear();
        self.first = end;
        self.synced = end;
        self.cursors.fill((end, end));
    }

    /// Forgets what all cursors have passed for good.
    fn trim(&mut self) {
        let needed = self.cursors.iter().map(|&(_, durable)| durable).min().unwrap_or(self.synced);
        self.entries.drain(..(needed - self.first) as usize);
        self.first = needed;
    }
}
