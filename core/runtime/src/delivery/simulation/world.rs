//! The virtual world of a run: the clock, what is to happen when, and the lives of the process.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::time::Duration;

use super::log::Log;
use super::oracle::{Judged, Oracle, RecordId, Struck, Violation, ensure};
use super::plan::{Dice, Happening, Plan, PublisherPlan};
use super::process::Process;
use super::source::Sources;
use super::target::Target;
use crate::config::{BatchConfig, BreakerConfig, Durability, RetryConfig};
use crate::delivery::outbound::{Call, OutboundConfig};
use crate::delivery::{Answer, Answers, BatchId, Event, Fate};

/// A run that takes longer than this after everything has healed is stuck.
const STUCK_AFTER: Duration = Duration::from_secs(900);
/// A run with more events is stuck.
const EVENTS_MAX: u32 = 400_000;

/// Something that happens at a time.
#[derive(Debug)]
pub(super) enum Occurrence {
    Fetch { connector: usize },
    Computed { batch: BatchId, record: usize },
    Wake { publisher: usize },
    CallDone { publisher: usize, call: Call, answers: Answers, hangs: Option<Duration> },
    CallBack { publisher: usize, machine: usize, call: Call },
    LettersDone { batch: BatchId, ids: Vec<RecordId>, answers: Vec<Answer> },
    RelayLettersDone { publisher: usize, answers: Vec<Answer> },
    Sync,
    Settle { batch: BatchId, fates: Vec<Fate> },
    Happening(Happening),
    Deadline,
    Gone,
    Start,
}

#[derive(Debug)]
struct Scheduled {
    at: Duration,
    number: u64,
    /// The life of the process that it belongs to; `None`: to the world.
    life: Option<u32>,
    what: Occurrence,
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Scheduled {}

impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scheduled {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

/// Everything outside of the process, and the process while it lives.
#[derive(Debug)]
pub(super) struct World {
    pub(super) plan: Plan,
    pub(super) dice: Dice,
    pub(super) oracle: Oracle,
    pub(super) now: Duration,
    pub(super) sources: Sources,
    pub(super) log: Log,
    /// What the log holds for certain.
    pub(super) logged: BTreeSet<RecordId>,
    pub(super) targets: Vec<Target>,
    pub(super) dead_letters: Target,
    pub(super) process: Option<Process>,
    lives: u32,
    schedule: BinaryHeap<Reverse<Scheduled>>,
    scheduled: u64,
}

impl World {
    pub(super) fn new(plan: Plan) -> Self {
        let target = |(index, publisher): (usize, &PublisherPlan)| Target::new(index, publisher.clone());
        let dead_letters = PublisherPlan {
            config: OutboundConfig {
                retry: RetryConfig::default(),
                breaker: BreakerConfig::default(),
                batch: BatchConfig::default(),
                ordering: mfn_plugin::value::Ordering::None,
            },
            faults: plan.dead_letters.unwrap_or_default(),
            blames_all: false,
            machines: 1,
            black_hole: None,
            outage: None,
        };
        let mut world = Self {
            dice: Dice::new(!plan.seed),
            oracle: Oracle::new(plan.clone()),
            now: Duration::ZERO,
            sources: Sources::new(&plan),
            log: Log::new(plan.publishers.len(), plan.log_records_max),
            logged: BTreeSet::new(),
            targets: plan.publishers.iter().enumerate().map(target).collect(),
            dead_letters: Target::new(plan.publishers.len(), dead_letters),
            process: None,
            lives: 0,
            schedule: BinaryHeap::new(),
            scheduled: 0,
            plan,
        };
        for (at, what) in world.plan.happenings.clone() {
            world.push(at, None, Occurrence::Happening(what));
        }
        world.push(Duration::ZERO, None, Occurrence::Start);
        world
    }

    /// Lets something happen to this life of the process after a while.
    pub(super) fn after(&mut self, delay: Duration, what: Occurrence) {
        self.push(self.now + delay, Some(self.lives), what);
    }

    fn push(&mut self, at: Duration, life: Option<u32>, what: Occurrence) {
        self.scheduled += 1;
        self.schedule.push(Reverse(Scheduled { at, number: self.scheduled, life, what }));
    }

    /// Runs to the end and judges.
    pub(super) fn run(mut self) -> Result<Struck, Violation> {
        for _ in 0..EVENTS_MAX {
            let Some(Reverse(Scheduled { at, life, what, .. })) = self.schedule.pop() else {
                return Err(Violation("stuck: nothing is going to happen any more".into()));
            };
            if life.is_some_and(|life| life != self.lives || self.process.is_none()) {
                continue;
            }
            self.now = at;
            let looks = matches!(what, Occurrence::Fetch { .. });
            self.happen(what)?;
            if looks && self.finished() {
                self.oracle.judge(self.plan.durability != Durability::Delivered)?;
                return Ok(self.oracle.struck);
            }
            ensure!(at < self.plan.heal + STUCK_AFTER, "stuck since everything has healed: {}", self.state());
        }
        Err(Violation(format!("stuck in a loop at {:?}: {}", self.now, self.state())))
    }

    fn state(&self) -> String {
        let committed = (0..self.plan.partitions.len()).map(|partition| self.sources.committed(partition));
        format!(
            "committed {:?} of {:?}, {:#?}",
            committed.collect::<Vec<_>>(),
            self.plan.partitions,
            self.process.as_ref().map(Process::state)
        )
    }

    fn finished(&self) -> bool {
        let logged = (0..self.plan.publishers.len()).all(|cursor| self.log.cursor(cursor) == self.log.end());
        self.now >= self.plan.heal
            && self.sources.finished()
            && self.process.as_ref().is_some_and(|process| process.idle(self.plan.critical))
            && (self.plan.durability == Durability::Delivered || logged)
    }

    fn happen(&mut self, what: Occurrence) -> Judged {
        match what {
            Occurrence::Happening(what) => self.befall(what),
            Occurrence::Start => {
                self.start();
                Ok(())
            }
            Occurrence::Gone => self.gone(),
            what => self.process_happens(what),
        }
    }

    fn befall(&mut self, what: Happening) -> Judged {
        match what {
            Happening::Revoke { partition } => {
                self.oracle.count("revoked");
                self.sources.revoke(partition);
                Ok(())
            }
            Happening::Crash if self.process.is_some() => {
                self.oracle.count("crashed");
                if self.process.take().is_some_and(|process| process.calling()) {
                    self.oracle.count("crashed during a call");
                }
                if self.plan.durability == Durability::Accepted {
                    self.lose_memory("lost by a crash, as accepted");
                } else {
                    let torn = self.log.crash(&mut self.dice);
                    if torn > 0 {
                        self.oracle.count("torn log");
                    }
                }
                self.restart_later();
                Ok(())
            }
            Happening::Shutdown { deadline } => self.shut_down(deadline),
            Happening::Crash => Ok(()),
        }
    }

    /// Stops fetching; what is not done by the deadline is given back.
    pub(super) fn shut_down(&mut self, deadline: Duration) -> Judged {
        let Some(process) = self.process.as_mut().filter(|process| process.fetching) else { return Ok(()) };
        process.fetching = false;
        self.oracle.count("shut down");
        self.after(deadline, Occurrence::Deadline);
        Ok(())
    }

    /// The end of an orderly life.
    fn gone(&mut self) -> Judged {
        if self.plan.durability == Durability::Accepted {
            self.lose_memory("left behind at a deadline, as accepted");
        } else {
            self.log.sync();
        }
        self.process = None;
        self.restart_later();
        Ok(())
    }

    /// Only what was acknowledged for good is excused: the rest is brought again.
    fn lose_memory(&mut self, name: &'static str) {
        for publisher in 0..self.plan.publishers.len() {
            let open: Vec<RecordId> = self.log.open(publisher).map(|message| message.id).collect();
            for id in open {
                if id.offset < self.sources.committed(usize::from(id.partition)) {
                    self.oracle.excuse(id, publisher);
                    self.oracle.count(name);
                }
            }
        }
        self.log.lose();
        self.logged.clear();
    }

    fn restart_later(&mut self) {
        let delay = self.dice.millis(1, 200);
        self.push(self.now + delay, None, Occurrence::Start);
    }

    fn start(&mut self) {
        self.lives += 1;
        if self.lives > 1 {
            self.oracle.count("restarted");
        }
        self.sources.restart();
        self.targets.iter_mut().for_each(Target::restart);
        self.process = Some(Process::new(&self.plan, &self.log, self.plan.seed ^ u64::from(self.lives)));
        for connector in 0..self.plan.connectors {
            self.after(Duration::ZERO, Occurrence::Fetch { connector });
        }
        for publisher in 0..self.plan.publishers.len() {
            self.after(Duration::ZERO, Occurrence::Wake { publisher });
        }
    }

    /// Feeds the machine of the process, and does what it says, until it says nothing more.
    pub(super) fn tell(&mut self, event: Event) -> Judged {
        let mut events = std::collections::VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            let Some(process) = &mut self.process else { return Ok(()) };
            let commands = process.machine.handle(event);
            let counters = process.machine.counters();
            let sum = counters.delivered
                + counters.rejected
                + counters.dead_lettered
                + counters.nacked
                + counters.in_flight;
            ensure!(counters.received == sum, "conservation: {counters:?}");
            for command in commands {
                self.execute(command, &mut events)?;
            }
        }
        Ok(())
    }
}
