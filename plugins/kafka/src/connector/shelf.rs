//! What the worker's thread, which polls the broker, and the host's calls share: the assigned partitions, the batches
//! that are out, and what is being given away.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use mfn_plugin::{
    author::Result,
    value::{Batch, BatchToken, FetchLimits, PluginError, Verdict},
};

use super::partition::{Partition, Pause};

/// Names a partition. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(crate) topic: Arc<str>,
    pub(crate) partition: i32,
}

impl Place {
    pub(crate) fn new(topic: &str, partition: i32) -> Self {
        Self { topic: topic.into(), partition }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

/// Records that were handed out together.
#[derive(Debug)]
struct Ticket {
    place: Place,
    epoch: u64,
    offsets: Vec<i64>,
}

/// Partitions that the group wants back.
#[derive(Debug, Clone)]
pub(crate) struct Revocation {
    pub(crate) places: Vec<Place>,
    /// When they are given away whatever is outstanding.
    pub(crate) deadline: Instant,
    /// Whether only these are taken, or everything.
    pub(crate) is_incremental: bool,
    /// Whether the last commit before they go was sent, and until when its answer is awaited.
    pub(crate) committing_until: Option<Instant>,
}

/// How far a partition is settled, during one assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prefix {
    pub(crate) place: Place,
    pub(crate) epoch: u64,
    /// Behind the last record of the contiguous settled prefix.
    pub(crate) offset: i64,
}

/// Everything behind the lock.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) partitions: BTreeMap<Place, Partition>,
    /// The last epoch of every partition that was ever assigned.
    epochs: BTreeMap<Place, u64>,
    tickets: BTreeMap<u64, Ticket>,
    last_token: u64,
    /// The partition that was served last: the next one is served next.
    turn: Option<Place>,
    /// The host wants no records for now.
    pub(crate) is_paused: bool,
    /// No record is handed out any more.
    pub(crate) is_draining: bool,
    pub(crate) revocation: Option<Revocation>,
    /// Commits that are sent and not answered.
    pub(crate) commits_out: usize,
    /// How often a partition was taken away with settled records whose offset no broker has.
    pub(crate) commits_lost: u64,
    /// What the next fetch has to answer.
    pub(crate) error: Option<PluginError>,
    /// The worker's thread is gone.
    pub(crate) is_over: bool,
}

/// The state, and a bell for whoever waits for records or for an end.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    state: Mutex<State>,
    bell: Condvar,
}

/// What a settlement did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    /// It counts.
    Done {
        /// Records that were acknowledged although no transaction holds them.
        untransacted: usize,
    },
    /// The partition was taken away meanwhile: whoever has it now brings the records again.
    Void,
}

impl From<State> for Shelf {
    fn from(state: State) -> Self {
        Self { state: Mutex::new(state), bell: Condvar::new() }
    }
}

impl Shelf {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes whoever waits.
    pub(crate) fn ring(&self) {
        self.bell.notify_all();
    }

    /// Waits for a change, at most until `deadline`.
    pub(crate) fn wait<'a>(&self, guard: MutexGuard<'a, State>, deadline: Instant) -> MutexGuard<'a, State> {
        let timeout = deadline.saturating_duration_since(Instant::now());
        self.bell.wait_timeout(guard, timeout).unwrap_or_else(PoisonError::into_inner).0
    }
}

impl State {
    /// The state for another member of the group in this one's place: what is handed out may still be settled, without
    /// effect, and epochs go on.
    pub(crate) fn successor(&mut self) -> Self {
        Self {
            epochs: self.epochs.clone(),
            tickets: std::mem::take(&mut self.tickets),
            last_token: self.last_token,
            is_paused: self.is_paused,
            ..Self::default()
        }
    }

    /// Takes over partitions; each gets a new epoch.
    pub(crate) fn assign(&mut self, places: impl IntoIterator<Item = Place>) {
        for place in places {
            let epoch = self.epochs.entry(place.clone()).or_default();
            *epoch += 1;
            self.partitions.insert(place, Partition::new(*epoch));
        }
    }

    /// Fences partitions: from now on their settlements are void.
    pub(crate) fn fence(&mut self, places: &[Place]) {
        for place in places {
            let removed = self.partitions.remove(place);
            let is_due = removed.is_some_and(|partition| partition.commit_due().is_some());
            self.commits_lost += u64::from(is_due);
        }
    }

    /// Hands out the next batch: of one partition, in turn.
    pub(crate) fn next_batch(&mut self, limits: FetchLimits) -> Option<Batch> {
        if self.is_paused || self.is_draining {
            return None;
        }
        let after = self.turn.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let has_ready = |(_, partition): &(&Place, &Partition)| partition.has_ready();
        let place = self
            .partitions
            .range((after, Bound::Unbounded))
            .find(has_ready)
            .or_else(|| self.partitions.iter().find(has_ready))
            .map(|(place, _)| place.clone())?;
        let partition = self.partitions.get_mut(&place)?;
        let (offsets, records) = partition.take(limits);
        self.last_token += 1;
        let token = BatchToken(self.last_token);
        let batch = Batch { token, partition: place.to_string(), epoch: partition.epoch, records };
        self.tickets.insert(token.0, Ticket { place: place.clone(), epoch: batch.epoch, offsets });
        self.turn = Some(place);
        Some(batch)
    }

    /// Learns the fate of a batch.
    ///
    /// # Errors
    /// An unknown or spent token, or another number of verdicts; nothing changes then.
    pub(crate) fn settle(
        &mut self,
        token: BatchToken,
        verdicts: &[Verdict],
        now: Instant,
    ) -> Result<Settled> {
        let Some(ticket) = self.tickets.get(&token.0) else {
            let text = format!("token: {} is not outstanding; settle every batch once", token.0);
            return Err(PluginError::permanent(text));
        };
        if ticket.offsets.len() != verdicts.len() {
            let (given, wanted) = (verdicts.len(), ticket.offsets.len());
            let text = format!("verdicts: {given} for a batch of {wanted}; give one for each record");
            return Err(PluginError::permanent(text));
        }
        let Some(ticket) = self.tickets.remove(&token.0) else { return Ok(Settled::Void) };
        let Some(partition) = self.partitions.get_mut(&ticket.place).filter(|p| p.epoch == ticket.epoch)
        else {
            return Ok(Settled::Void);
        };
        let mut untransacted = 0;
        for (offset, verdict) in ticket.offsets.into_iter().zip(verdicts) {
            match verdict {
                Verdict::Ack => {
                    untransacted += usize::from(!partition.is_transacted(offset));
                    partition.settle(offset);
                }
                Verdict::Reject { .. } => partition.settle(offset),
                Verdict::Nack { delay } => partition.give_back(offset, now, *delay),
            }
        }
        Ok(Settled::Done { untransacted })
    }

    /// Records that are handed out and not settled, in these partitions.
    pub(crate) fn out_of(&self, places: &[Place]) -> usize {
        places.iter().filter_map(|place| self.partitions.get(place)).map(Partition::out_count).sum()
    }

    /// Records that are handed out and not settled.
    pub(crate) fn out_count(&self) -> usize {
        self.partitions.values().map(Partition::out_count).sum()
    }

    /// Records that came and wait to be fetched.
    pub(crate) fn ready_count(&self) -> usize {
        self.partitions.values().map(Partition::ready_count).sum()
    }

    /// Bytes that wait to be fetched.
    pub(crate) fn ready_bytes(&self) -> usize {
        self.partitions.values().map(Partition::ready_bytes).sum()
    }

    /// The partition of a name as batches carry it.
    pub(crate) fn partition_of(&self, name: &str) -> Option<(&Place, &Partition)> {
        let (topic, number) = name.rsplit_once('-')?;
        self.partitions.get_key_value(&Place::new(topic, number.parse().ok()?))
    }

    /// The partition of an epoch, while it is assigned.
    pub(crate) fn current(&mut self, place: &Place, epoch: u64) -> Option<&mut Partition> {
        self.partitions.get_mut(place).filter(|partition| partition.epoch == epoch)
    }

    /// What has to be set back now, with the offset to set it back to.
    pub(crate) fn set_backs_due(&self, now: Instant) -> Vec<(Place, u64, i64)> {
        let due = |partition: &Partition| partition.set_back_due().is_some_and(|due| due <= now);
        self.partitions
            .iter()
            .filter(|(_, partition)| !partition.is_leaving && due(partition))
            .filter_map(|(place, partition)| Some((place.clone(), partition.epoch, partition.set_back_to()?)))
            .collect()
    }

    /// When the next partition has to be set back.
    pub(crate) fn next_set_back(&self) -> Option<Instant> {
        self.partitions.values().filter(|p| !p.is_leaving).filter_map(Partition::set_back_due).min()
    }

    /// Whether a partition that the consumer reads is only to be paused because there is enough of it.
    pub(crate) fn is_full(&self, open_max: usize, bytes_max: usize) -> bool {
        let is_full = self.ready_bytes() >= bytes_max;
        let mut read = self.partitions.values().filter(|partition| !partition.is_paused);
        read.any(|partition| partition.wants_pause(open_max, is_full) == Some(Pause::Full))
    }

    /// Which partitions to pause and which to resume now; they are noted as being so. With `is_held` nothing more
    /// is taken from the consumer for now, so that what is full needs no pause.
    pub(crate) fn flow_changes(
        &mut self,
        open_max: usize,
        bytes_max: usize,
        is_held: bool,
    ) -> (Vec<Place>, Vec<Place>) {
        let (mut pauses, mut resumes) = (Vec::new(), Vec::new());
        let bytes = self.ready_bytes();
        for (place, partition) in &mut self.partitions {
            let limit = if partition.is_paused { bytes_max / 2 } else { bytes_max };
            let wants_pause = match partition.wants_pause(open_max, bytes >= limit) {
                None => false,
                Some(Pause::Full) => partition.is_paused || !is_held,
                Some(Pause::Order) => true,
            };
            if wants_pause != partition.is_paused {
                partition.is_paused = wants_pause;
                if wants_pause { &mut pauses } else { &mut resumes }.push(place.clone());
            }
        }
        (pauses, resumes)
    }

    /// What may be committed beyond what was, for all partitions or these.
    pub(crate) fn commits_due(&self, only: Option<&[Place]>) -> Vec<Prefix> {
        self.partitions
            .iter()
            .filter(|(place, _)| only.is_none_or(|only| only.contains(place)))
            .filter_map(|(place, partition)| {
                let (epoch, offset) = (partition.epoch, partition.commit_due()?);
                Some(Prefix { place: place.clone(), epoch, offset })
            })
            .collect()
    }

    /// Begins to give partitions away.
    pub(crate) fn revoke(&mut self, revocation: Revocation) {
        for place in &revocation.places {
            if let Some(partition) = self.partitions.get_mut(place) {
                partition.is_leaving = true;
            }
        }
        self.revocation = Some(revocation);
    }
}

/// The moment `timeout` from now; far away where that is no moment.
pub(crate) fn deadline_in(timeout: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(timeout).unwrap_or_else(|| now + Duration::from_secs(86_400 * 365))
}

#[cfg(test)]
mod tests {
    use mfn_plugin::value::Record;

    use super::*;

    const LIMITS: FetchLimits = FetchLimits { records_max: 10, bytes_max: 1 << 20, timeout: Duration::ZERO };

    fn filled(places: &[Place]) -> State {
        let mut state = State::default();
        state.assign(places.iter().cloned());
        for place in places {
            for offset in 0..3 {
                let record = Record { id: offset.to_string(), payload: vec![0; 100], ..Record::default() };
                state.partitions.get_mut(place).expect("assigned").arrive(offset, record);
            }
        }
        state
    }

    /// Guards rule 3: a settlement of an older epoch changes nothing, and its offset is never committed.
    #[test]
    fn a_settlement_of_an_older_epoch_is_void() {
        let place = Place::new("t", 0);
        let mut state = filled(std::slice::from_ref(&place));
        let old = state.next_batch(LIMITS).expect("records");
        state.fence(std::slice::from_ref(&place));
        state.assign([place.clone()]);
        let record = Record { id: "0".to_owned(), ..Record::default() };
        state.partitions.get_mut(&place).expect("assigned").arrive(0, record);
        let new = state.next_batch(LIMITS).expect("a record");
        assert_eq!((old.epoch, new.epoch), (1, 2));
        let settled = state.settle(old.token, &[Verdict::Ack, Verdict::Ack, Verdict::Ack], Instant::now());
        assert_eq!(settled, Ok(Settled::Void));
        assert_eq!(state.commits_due(None), []);
        state.settle(new.token, &[Verdict::Ack], Instant::now()).expect("current");
        assert_eq!(state.commits_due(None), [Prefix { place, epoch: 2, offset: 1 }]);
    }

    /// Guards fairness, that a batch is of one partition, and that a leaving partition hands out nothing.
    #[test]
    fn partitions_are_served_in_turn() {
        let places = [Place::new("a", 0), Place::new("a", 1), Place::new("b", 0)];
        let mut state = filled(&places);
        let limits = FetchLimits { records_max: 1, ..LIMITS };
        let served: Vec<_> = (0..4).filter_map(|_| Some(state.next_batch(limits)?.partition)).collect();
        assert_eq!(served, ["a-0", "a-1", "b-0", "a-0"]);
        state.revoke(Revocation {
            places: places[..2].to_vec(),
            deadline: Instant::now(),
            is_incremental: true,
            committing_until: None,
        });
        let served: Vec<_> = (0..2).filter_map(|_| Some(state.next_batch(limits)?.partition)).collect();
        assert_eq!(served, ["b-0", "b-0"]);
    }

    /// Guards the memory: partitions are paused at the cap and go on when half of it is settled.
    #[test]
    fn what_is_outstanding_is_capped() {
        let place = Place::new("t", 0);
        let mut state = filled(std::slice::from_ref(&place));
        assert_eq!(state.flow_changes(4, 1000, false), (vec![], vec![]));
        assert!(state.is_full(3, 1000) && !state.is_full(4, 1000));
        assert_eq!(state.flow_changes(3, 1000, true), (vec![], vec![]), "held instead");
        assert_eq!(state.flow_changes(3, 1000, false), (vec![place.clone()], vec![]));
        assert!(!state.is_full(3, 1000), "what is paused needs no holding");
        assert_eq!(state.flow_changes(3, 1000, true), (vec![], vec![]));
        let batch = state.next_batch(FetchLimits { records_max: 2, ..LIMITS }).expect("records");
        state.settle(batch.token, &[Verdict::Ack, Verdict::Ack], Instant::now()).expect("current");
        assert_eq!(state.flow_changes(3, 1000, false), (vec![], vec![place.clone()]));
        assert_eq!(state.flow_changes(3, 100, false), (vec![place], vec![]));
    }
}
