//! Who has which record: a state machine without I/O over pages, batches and records held back.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
    time::{Duration, Instant},
};

use mfn_plugin::{
    author::Result,
    value::{BatchToken, FetchLimits, PluginError, Record, Verdict},
};
use sha2::{Digest, Sha256};

use super::{config::Form, page::Content, pagination::Place};

/// A delay beyond what the clock can hold is as good as a day.
const DELAY_MAX: Duration = Duration::from_secs(86_400);

/// Names a record: the page's number and the item's.
type Key = (u64, usize);
/// The beginning of the SHA-256 of an id.
type Mark = u128;

/// A page whose records are not all settled.
#[derive(Debug)]
struct Held {
    place: Place,
    content: Content,
    /// The first item that was not brought yet.
    next: usize,
    /// Brought and not settled.
    outstanding: BTreeMap<usize, Mark>,
    /// Whether some of its items were left out because an older page has them, not settled yet.
    leans_on_others: bool,
}

/// All that is on its way.
#[derive(Debug, Default)]
pub(crate) struct Flight {
    pages: BTreeMap<u64, Held>,
    last_page: u64,
    batches: HashMap<u64, Vec<Key>>,
    last_token: u64,
    held_back: BTreeSet<(Instant, Key)>,
    on_its_way: HashSet<Mark>,
    settled: Remembered,
    bytes: u64,
}

impl Flight {
    pub(crate) fn new(remember_max: usize) -> Self {
        Self { settled: Remembered { max: remember_max, ..Remembered::default() }, ..Self::default() }
    }

    /// Takes a page and gives its number.
    pub(crate) fn add(&mut self, place: Place, content: Content) -> u64 {
        self.last_page += 1;
        self.bytes += content.size();
        let held = Held { place, content, next: 0, outstanding: BTreeMap::new(), leans_on_others: false };
        self.pages.insert(self.last_page, held);
        self.last_page
    }

    /// Whether nothing is to be brought, brought again or settled.
    pub(crate) fn is_idle(&self) -> bool {
        self.pages.is_empty()
    }

    /// Whether a batch waits for its settlement.
    pub(crate) fn has_batches(&self) -> bool {
        !self.batches.is_empty()
    }

    /// Whether there are items that were not brought yet.
    pub(crate) fn has_unbrought(&self) -> bool {
        self.pages.values().any(|page| page.next < page.content.len())
    }

    /// The memory that pages take, bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Records that are brought and not settled, or not brought yet.
    pub(crate) fn left(&self) -> u64 {
        let left = |page: &Held| page.outstanding.len() + page.content.len() - page.next;
        self.pages.values().map(|page| left(page) as u64).sum()
    }

    /// Records that wait to be brought, for the first time or again.
    pub(crate) fn waiting(&self) -> u64 {
        let unbrought: usize = self.pages.values().map(|page| page.content.len() - page.next).sum();
        (unbrought + self.held_back.len()) as u64
    }

    /// When the next record held back may return.
    pub(crate) fn next_return(&self) -> Option<Instant> {
        self.held_back.first().map(|(due, _)| *due)
    }

    /// The next batch, records that were given back first. Pages that turn out to be done are handed to `done`, with their
    /// numbers.
    pub(crate) fn gather(
        &mut self,
        form: &Form,
        limits: FetchLimits,
        now: Instant,
        done: impl FnMut(u64, Place),
    ) -> Option<(BatchToken, Vec<Record>)> {
        let (mut records, mut keys, mut bytes) = (Vec::new(), Vec::new(), 0_u64);
        // Whether the record went in; where it did not, the batch is full.
        let mut take = |content: &Content, key: Key, id: String, reason: Option<String>| -> bool {
            let size = content.payload(key.1).len() as u64;
            let fits = records.is_empty() || bytes.saturating_add(size) <= limits.bytes_max;
            let has_room = fits && records.len() < limits.records_max.max(1) as usize;
            if has_room {
                bytes = bytes.saturating_add(size);
                records.push(content.record(key.1, form, id, reason));
                keys.push(key);
            }
            has_room
        };
        let mut is_full = false;
        while !is_full && let Some(&(due, key)) = self.held_back.first().filter(|(due, _)| *due <= now) {
            if let Some(held) = self.pages.get(&key.0) {
                let (id, reason) = held.content.id(key.1, form);
                is_full = !take(&held.content, key, id, reason);
            }
            if !is_full {
                self.held_back.remove(&(due, key));
            }
        }
        for (&number, held) in &mut self.pages {
            while !is_full && held.next < held.content.len() {
                let (id, reason) = held.content.id(held.next, form);
                let mark = mark(&id);
                let is_on_its_way = self.on_its_way.contains(&mark);
                held.leans_on_others |= is_on_its_way;
                if !is_on_its_way && !self.settled.holds(mark) {
                    is_full = !take(&held.content, (number, held.next), id, reason);
                    if is_full {
                        break;
                    }
                    held.outstanding.insert(held.next, mark);
                    self.on_its_way.insert(mark);
                }
                held.next += 1;
            }
        }
        self.sweep(done);
        if keys.is_empty() {
            return None;
        }
        self.last_token += 1;
        self.batches.insert(self.last_token, keys);
        Some((BatchToken(self.last_token), records))
    }

    /// Settles a batch. Pages that are done by it are handed to `done`, with their numbers.
    ///
    /// # Errors
    /// Permanent for a token that is not outstanding and for another number of verdicts; nothing is changed.
    pub(crate) fn settle(
        &mut self,
        token: BatchToken,
        verdicts: &[Verdict],
        now: Instant,
        done: impl FnMut(u64, Place),
    ) -> Result<()> {
        let keys = self.batches.get(&token.0).ok_or_else(|| {
            let number = token.0;
            let text = format!("token: {number} is unknown or settled already; settle each token once");
            PluginError::permanent(text)
        })?;
        if keys.len() != verdicts.len() {
            return Err(PluginError::permanent(format!(
                "verdicts: {} for the {} records of token {}; give one for each record",
                verdicts.len(),
                keys.len(),
                token.0
            )));
        }
        for (&key, verdict) in self.batches.remove(&token.0).unwrap_or_default().iter().zip(verdicts) {
            if let Verdict::Nack { delay } = verdict {
                self.held_back.insert((now.checked_add(*delay).unwrap_or(now + DELAY_MAX), key));
            } else if let Some(mark) =
                self.pages.get_mut(&key.0).and_then(|page| page.outstanding.remove(&key.1))
            {
                self.on_its_way.remove(&mark);
                self.settled.insert(mark);
            }
        }
        self.sweep(done);
        Ok(())
    }

    /// The first page that is not settled, with its first open item.
    pub(crate) fn first_open(&self) -> Option<(&Place, usize)> {
        let page = self.pages.values().next()?;
        let open = page.outstanding.keys().next().copied().unwrap_or(page.next).min(page.next);
        Some((&page.place, open))
    }

    /// Lets go of pages that are settled whole.
    fn sweep(&mut self, mut done: impl FnMut(u64, Place)) {
        let is_done = |page: &Held| page.next >= page.content.len() && page.outstanding.is_empty();
        let numbers: Vec<u64> =
            self.pages.iter().filter(|(_, page)| is_done(page)).map(|(number, _)| *number).collect();
        for number in numbers {
            if let Some(page) = self.pages.remove(&number) {
                self.bytes = self.bytes.saturating_sub(page.content.size());
                // A page with a fault is looked at again: perhaps it was mended.
                if page.content.fault().is_none() && !page.leans_on_others {
                    done(number, page.place);
                }
            }
        }
    }
}

/// The newest settled ids.
#[derive(Debug, Default)]
struct Remembered {
    max: usize,
    marks: HashSet<Mark>,
    order: VecDeque<Mark>,
}

impl Remembered {
    fn holds(&self, mark: Mark) -> bool {
        self.marks.contains(&mark)
    }

    fn insert(&mut self, mark: Mark) {
        if self.max == 0 || !self.marks.insert(mark) {
            return;
        }
        self.order.push_back(mark);
        if self.order.len() > self.max
            && let Some(oldest) = self.order.pop_front()
        {
            self.marks.remove(&oldest);
        }
    }
}

fn mark(id: &str) -> Mark {
    let digest = Sha256::digest(id);
    digest.iter().take(16).fold(0, |mark, byte| mark << 8 | Mark::from(*byte))
}
