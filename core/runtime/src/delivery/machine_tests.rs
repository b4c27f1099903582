//! The machine under every order of events: a world that answers commands at random, and a model that
//! knows only what was answered and judges every settlement by it.

use std::collections::{BTreeMap, BTreeSet};

use mfn_plugin::value::ErrorClass;
use proptest::prelude::*;

use super::*;

/// Random numbers from a seed (SplitMix64; G. Steele, D. Lea, C. Flood, 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }

    fn answer(&mut self) -> Answer {
        let class = match self.below(8) {
            0 => ErrorClass::Permanent,
            1 => ErrorClass::Retryable,
            2 => ErrorClass::Unknown,
            _ => return Ok(()),
        };
        Err(Refusal { class, reason: "refused".into(), retry_after: None })
    }
}

/// What is known of a batch from outside the machine.
struct Known {
    origin: Origin,
    records: usize,
    published: bool,
    settling: bool,
    finished: bool,
    computed: usize,
    good: usize,
    unfit: BTreeSet<usize>,
    /// Answered with success and not flushed yet.
    taken: BTreeMap<Target, BTreeSet<usize>>,
    durable: BTreeMap<Target, BTreeSet<usize>>,
    offered: BTreeSet<usize>,
}

impl Known {
    fn new(origin: Origin, records: usize) -> Self {
        Self {
            origin,
            records,
            published: false,
            settling: false,
            finished: false,
            computed: 0,
            good: 0,
            unfit: BTreeSet::new(),
            taken: BTreeMap::new(),
            durable: BTreeMap::new(),
            offered: BTreeSet::new(),
        }
    }
}

/// Something that the machine waits for.
enum Pending {
    Compute(BatchId, usize),
    Publish(BatchId, Target, Vec<usize>),
    Flush(BatchId, Target),
    Settle(BatchId),
}

struct World {
    machine: Machine,
    random: Random,
    publishers: usize,
    best_effort: usize,
    has_dead_letters: bool,
    /// The epoch of each partition that is not over.
    epochs: BTreeMap<(usize, Arc<str>), u64>,
    /// How often a partition was taken away while something of it was on its way.
    fenced: u32,
    known: BTreeMap<BatchId, Known>,
    pending: Vec<Pending>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let (publishers, best_effort) = (random.below(4), random.below(3));
        let has_dead_letters = random.below(2) == 0;
        Self {
            machine: Machine::new(publishers, best_effort, has_dead_letters),
            random,
            publishers,
            best_effort,
            has_dead_letters,
            epochs: BTreeMap::new(),
            fenced: 0,
            known: BTreeMap::new(),
            pending: Vec::new(),
        }
    }

    fn handle(&mut self, event: Event) {
        for command in self.machine.handle(event) {
            self.judge(command);
        }
        let counters = self.machine.counters();
        let sum = counters.delivered
            + counters.rejected
            + counters.dead_lettered
            + counters.nacked
            + counters.in_flight;
        assert_eq!(counters.received, sum, "{counters:?}");
    }

    fn judge(&mut self, command: Command) {
        match command {
            Command::Compute { batch } => {
                let records = self.known[&batch].records;
                self.pending.extend((0..records).map(|record| Pending::Compute(batch, record)));
            }
            Command::Publish { batch, publisher, records } => {
                assert!(publisher < self.publishers && !records.is_empty());
                let origin = &self.known[&batch].origin;
                assert!(origin.epoch >= self.epochs[&(origin.connector, origin.partition.clone())], "fenced");
                let earlier = self.known.range(..batch).filter(|(_, known)| known.origin == *origin);
                for (_, known) in earlier {
                    let computed = known.computed == known.records;
                    assert!(computed && (known.published || known.good == 0), "out of order");
                }
                self.known.get_mut(&batch).unwrap().published = true;
                self.pending.push(Pending::Publish(batch, Target::Publisher(publisher), records));
            }
            Command::Offer { batch, best_effort, records } => {
                assert!(best_effort < self.best_effort && !records.is_empty());
                let known = self.known.get_mut(&batch).unwrap();
                assert!(known.offered.insert(best_effort) && records.len() == known.good, "offered twice");
            }
            Command::DeadLetter { batch, records } => {
                assert!(self.has_dead_letters && records.iter().all(|(_, reason)| !reason.is_empty()));
                let records = records.into_iter().map(|(record, _)| record).collect();
                self.pending.push(Pending::Publish(batch, Target::DeadLetters, records));
            }
            Command::Flush { batch, target } => self.pending.push(Pending::Flush(batch, target)),
            Command::Settle { batch, fates } => self.judge_settlement(batch, &fates),
            Command::Finish { batch, fates, .. } => {
                let known = self.known.get_mut(&batch).unwrap();
                assert!(known.settling && !known.finished && fates.len() == known.records);
                known.finished = true;
            }
            Command::Fail { .. } => panic!("no target was fatal"),
        }
    }

    fn judge_settlement(&mut self, batch: BatchId, fates: &[Fate]) {
        let origin = &self.known[&batch].origin;
        let mut earlier = self.known.range(..batch).filter(|(_, known)| known.origin == *origin);
        assert!(earlier.all(|(_, known)| known.settling), "settled before an earlier batch");
        let known = self.known.get_mut(&batch).unwrap();
        assert!(!known.settling, "settled twice");
        assert_eq!(fates.len(), known.records);
        known.settling = true;
        for (record, fate) in fates.iter().enumerate() {
            let durable =
                |target| known.durable.get(&target).is_some_and(|records| records.contains(&record));
            match fate {
                Fate::Delivered => {
                    assert!(!known.unfit.contains(&record));
                    assert!((0..self.publishers).all(|publisher| durable(Target::Publisher(publisher))));
                }
                Fate::DeadLettered { .. } => assert!(durable(Target::DeadLetters)),
                Fate::Rejected { .. } | Fate::Returned { .. } => {}
            }
        }
        self.pending.push(Pending::Settle(batch));
    }

    fn fetch(&mut self) {
        let batch = BatchId(self.known.len() as u64);
        let connector = self.random.below(2);
        let partition: Arc<str> = ["a", "b"][self.random.below(2)].into();
        let current = self.epochs.entry((connector, partition.clone())).or_default();
        // Sometimes an old assignment comes late.
        let late = *current > 0 && self.random.below(10) == 0;
        let origin = Origin { connector, partition, epoch: *current - u64::from(late) };
        if !late && self.random.below(10) == 0 {
            return self.take_away(origin);
        }
        let records = 1 + self.random.below(5);
        self.known.insert(batch, Known::new(origin.clone(), records));
        self.handle(Event::Fetched { batch, origin, records });
    }

    /// Begins a new epoch of a partition.
    fn take_away(&mut self, origin: Origin) {
        *self.epochs.get_mut(&(origin.connector, origin.partition.clone())).unwrap() += 1;
        let unfinished = |known: &&Known| known.origin == origin && !known.finished;
        self.fenced += u32::from(self.known.values().any(|known| unfinished(&known)));
        let (batch, records) = (BatchId(self.known.len() as u64), 1);
        let origin = Origin { epoch: origin.epoch + 1, ..origin };
        self.known.insert(batch, Known::new(origin.clone(), records));
        self.handle(Event::Fetched { batch, origin, records });
    }

    /// Answers something that the machine waits for.
    fn answer(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let at = self.random.below(self.pending.len());
        match self.pending.swap_remove(at) {
            Pending::Compute(batch, record) => {
                let result = match self.random.below(6) {
                    0 => {
                        self.known.get_mut(&batch).unwrap().unfit.insert(record);
                        Computed::Unfit { reason: "unfit".into() }
                    }
                    1 if self.random.below(4) == 0 => Computed::Cancelled,
                    _ => Computed::Ready,
                };
                let known = self.known.get_mut(&batch).unwrap();
                known.computed += 1;
                known.good += usize::from(result == Computed::Ready);
                self.handle(Event::Computed { batch, record, result });
            }
            Pending::Publish(batch, target, records) => {
                let mut answers: Vec<Answer> = records.iter().map(|_| self.random.answer()).collect();
                if self.random.below(20) == 0 {
                    // A breach of the contract: nothing is known about any record.
                    answers.pop();
                } else {
                    let good = records.iter().zip(&answers).filter(|(_, answer)| answer.is_ok());
                    let good = good.map(|(&record, _)| record).collect();
                    self.known.get_mut(&batch).unwrap().taken.insert(target, good);
                }
                self.handle(Event::Published { batch, target, answers });
            }
            Pending::Flush(batch, target) => {
                let answer = self.random.answer();
                let known = self.known.get_mut(&batch).unwrap();
                let taken = known.taken.remove(&target).unwrap_or_default();
                if answer.is_ok() {
                    known.durable.insert(target, taken);
                }
                self.handle(Event::Flushed { batch, target, answer });
            }
            Pending::Settle(batch) => {
                let done = self.random.below(10) > 0;
                self.handle(Event::Settled { batch, done });
            }
        }
    }

    /// An event that does not belong: about a batch that never was, or at the wrong time. Flushes and
    /// answers of success are left out, as they would be lies that the machine has to believe.
    fn stray(&mut self) {
        let batch = BatchId(self.random.below(self.known.len() + 2) as u64);
        let settling = self.known.get(&batch).is_some_and(|known| known.settling && !known.finished);
        let unknown = !self.known.contains_key(&batch);
        let target = Target::Publisher(9);
        match self.random.below(4) {
            0 => self.handle(Event::Computed { batch, record: 77, result: Computed::Ready }),
            1 => self.handle(Event::Published { batch, target, answers: vec![Ok(())] }),
            2 => self.handle(Event::Flushed { batch, target, answer: Ok(()) }),
            _ if unknown || !settling => self.handle(Event::Settled { batch, done: true }),
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    // Guards every promise of the module under any order of events, with errors, breaches of the
    // contract, stray events and a halt at any moment. The world panics when one is broken; the seed
    // replays it.
    #[test]
    fn every_interleaving_keeps_the_promises(seed: u64, steps in 1usize..250, halt in 0usize..400) {
        let mut world = World::new(seed);
        for step in 0..steps {
            match world.random.below(10) {
                0 | 1 => world.fetch(),
                2 => world.stray(),
                _ => world.answer(),
            }
            if step == halt {
                world.handle(Event::Halt);
            }
        }
        // Whatever the order, once everything is answered nothing is left.
        while !world.pending.is_empty() {
            world.answer();
        }
        prop_assert_eq!(world.machine.counters().in_flight, 0);
        prop_assert!(world.known.values().all(|known| known.finished));
    }

    // Guards the drain: after a halt every batch is settled without waiting for any target.
    #[test]
    fn a_halt_waits_for_nobody(seed: u64, steps in 1usize..150) {
        let mut world = World::new(seed);
        for _ in 0..steps {
            if world.random.below(4) == 0 { world.fetch() } else { world.answer() }
        }
        world.handle(Event::Halt);
        prop_assert!(world.known.values().all(|known| known.settling));
    }
}

// Guards the test above against never taking a partition away while something of it is on its way.
#[test]
fn partitions_are_taken_away_in_the_worlds() {
    let fenced = |seed| {
        let mut world = World::new(seed);
        (0..200).for_each(|_| if world.random.below(4) == 0 { world.fetch() } else { world.answer() });
        world.fenced
    };
    assert!((0..50).map(fenced).sum::<u32>() > 50);
}

fn run(machine: &mut Machine, events: Vec<Event>) -> Vec<Command> {
    events.into_iter().flat_map(|event| machine.handle(event)).collect()
}

fn refusal(class: ErrorClass) -> Answer {
    Err(Refusal { class, reason: "why".into(), retry_after: None })
}

fn origin(partition: &str, epoch: u64) -> Origin {
    Origin { connector: 0, partition: partition.into(), epoch }
}

/// A machine with two publishers and a batch of one record that both are publishing.
fn publishing() -> (Machine, BatchId) {
    let (mut machine, batch) = (Machine::new(2, 0, false), BatchId(0));
    let commands = run(
        &mut machine,
        vec![
            Event::Fetched { batch, origin: origin("a", 0), records: 1 },
            Event::Computed { batch, record: 0, result: Computed::Ready },
        ],
    );
    assert_eq!(commands.len(), 3);
    (machine, batch)
}

fn answered(batch: BatchId, publisher: usize, answer: Answer) -> Event {
    Event::Published { batch, target: Target::Publisher(publisher), answers: vec![answer] }
}

// Guards a record that one publisher never takes while another may take it later: it comes again, so
// that the second is not deprived of it.
#[test]
fn a_record_that_may_still_arrive_somewhere_comes_again() {
    for order in [[0, 1], [1, 0]] {
        let (mut machine, batch) = publishing();
        let answers = [refusal(ErrorClass::Permanent), refusal(ErrorClass::Retryable)];
        let events = order.map(|publisher| answered(batch, publisher, answers[publisher].clone()));
        let commands = run(&mut machine, events.to_vec());
        let fates = vec![Fate::Returned { delay: NACK_DELAY }];
        assert_eq!(commands, [Command::Settle { batch, fates }]);
    }
}

// Guards the one report of a target that can not go on.
#[test]
fn a_fatal_answer_fails_once() {
    let (mut machine, batch) = publishing();
    let events = [0, 1].map(|publisher| answered(batch, publisher, refusal(ErrorClass::Fatal)));
    let commands = run(&mut machine, events.to_vec());
    let failures = commands.iter().filter(|command| matches!(command, Command::Fail { .. }));
    assert_eq!(failures.count(), 1);
}

// Guards the time that a throttling target asks for.
#[test]
fn a_throttled_record_stays_away_as_long_as_asked() {
    let (mut machine, batch) = publishing();
    let retry_after = Some(Duration::from_secs(7));
    let throttled = Err(Refusal { class: ErrorClass::Throttled, reason: "slowly".into(), retry_after });
    let events = vec![
        answered(batch, 0, throttled),
        answered(batch, 1, Ok(())),
        Event::Flushed { batch, target: Target::Publisher(1), answer: Ok(()) },
    ];
    let commands = run(&mut machine, events);
    let fates = vec![Fate::Returned { delay: Duration::from_secs(7) }];
    assert_eq!(commands.last(), Some(&Command::Settle { batch, fates }));
}

// Guards partitions against each other: one whose batch is still being computed holds up no other.
#[test]
fn a_stuck_partition_holds_up_no_other() {
    let mut machine = Machine::new(1, 0, false);
    let (stuck, free) = (BatchId(0), BatchId(1));
    let commands = run(
        &mut machine,
        vec![
            Event::Fetched { batch: stuck, origin: origin("a", 0), records: 1 },
            Event::Fetched { batch: free, origin: origin("b", 0), records: 1 },
            Event::Computed { batch: free, record: 0, result: Computed::Ready },
            answered(free, 0, Ok(())),
            Event::Flushed { batch: free, target: Target::Publisher(0), answer: Ok(()) },
        ],
    );
    assert_eq!(commands.last(), Some(&Command::Settle { batch: free, fates: vec![Fate::Delivered] }));
}

// Guards a partition that was taken away and came again: of the old epoch what has not begun to be published never is, what has begun is
// finished, and the other partition goes on.
#[test]
fn a_partition_that_came_again_publishes_nothing_old() {
    let mut machine = Machine::new(1, 0, false);
    let (begun, waiting, other) = (BatchId(0), BatchId(1), BatchId(2));
    run(
        &mut machine,
        vec![
            Event::Fetched { batch: begun, origin: origin("a", 3), records: 1 },
            Event::Fetched { batch: waiting, origin: origin("a", 3), records: 1 },
            Event::Fetched { batch: other, origin: origin("b", 3), records: 1 },
            Event::Computed { batch: begun, record: 0, result: Computed::Ready },
            Event::Fetched { batch: BatchId(3), origin: origin("a", 4), records: 1 },
        ],
    );
    let computed = |batch| Event::Computed { batch, record: 0, result: Computed::Ready };
    assert_eq!(run(&mut machine, vec![computed(waiting)]), []);
    let publish = Command::Publish { batch: other, publisher: 0, records: vec![0] };
    assert_eq!(run(&mut machine, vec![computed(other)]), [publish]);
    let flushed = Event::Flushed { batch: begun, target: Target::Publisher(0), answer: Ok(()) };
    let commands = run(&mut machine, vec![answered(begun, 0, Ok(())), flushed]);
    let returned = Fate::Returned { delay: Duration::ZERO };
    assert_eq!(
        commands[1..],
        [
            Command::Settle { batch: begun, fates: vec![Fate::Delivered] },
            Command::Settle { batch: waiting, fates: vec![returned] },
        ]
    );
}

// Guards a settlement against a best-effort publisher that never answers.
#[test]
fn no_settlement_waits_for_a_best_effort_publisher() {
    let (mut machine, batch) = (Machine::new(0, 1, false), BatchId(0));
    let fetched = Event::Fetched { batch, origin: origin("a", 0), records: 1 };
    let computed = Event::Computed { batch, record: 0, result: Computed::Ready };
    let commands = run(&mut machine, vec![fetched, computed]);
    let offer = Command::Offer { batch, best_effort: 0, records: vec![0] };
    let settle = Command::Settle { batch, fates: vec![Fate::Delivered] };
    assert_eq!(commands[1..], [offer, settle]);
}
