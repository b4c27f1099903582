//! What one run is to be like: everything is drawn from the seed before the run begins.

use std::time::Duration;

use mfn_plugin::value::Ordering;

use super::oracle::RecordId;
use crate::config::{BatchConfig, BreakerConfig, Durability, Exhausted, RetryConfig, RetryStrategy};
use crate::delivery::outbound::{OutboundConfig, Random};

/// Random numbers as a plan needs them.
#[derive(Debug)]
pub(super) struct Dice(Random);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        // Neighbouring seeds are to give unlike runs.
        Self(Random::new(seed.wrapping_mul(0xd134_2543_de82_ef95) ^ 0x5bd1_e995))
    }

    /// Evenly from `low` to `high`, both included.
    pub(super) fn within(&mut self, low: u64, high: u64) -> u64 {
        low + self.0.next() % (high - low + 1)
    }

    /// True so many times in a thousand.
    pub(super) fn per_mille(&mut self, chance: u32) -> bool {
        self.within(0, 999) < u64::from(chance)
    }

    pub(super) fn millis(&mut self, low: u64, high: u64) -> Duration {
        Duration::from_millis(self.within(low, high))
    }

    pub(super) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.within(0, choices.len() as u64 - 1) as usize]
    }
}

/// How often a publisher does what, per thousand calls, or per thousand records where it says so.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Faults {
    pub(super) retryable: u32,
    pub(super) throttled: u32,
    pub(super) blocked: u32,
    /// No answer, although the records are there.
    pub(super) unknown_kept: u32,
    /// No answer, and the records are not there.
    pub(super) unknown_lost: u32,
    /// The call does not come back in its time, and takes the records later.
    pub(super) hangs: u32,
    pub(super) cancelled: u32,
    pub(super) fatal: u32,
    pub(super) wrong_count: u32,
    pub(super) flush_failed: u32,
    /// Of the records of a call that is otherwise fine.
    pub(super) partial: u32,
    /// Of all records, always the same.
    pub(super) unfit: u32,
}

/// One publisher.
#[derive(Debug, Clone)]
pub(super) struct PublisherPlan {
    pub(super) config: OutboundConfig,
    pub(super) faults: Faults,
    /// One record that it never takes makes it refuse the whole call.
    pub(super) blames_all: bool,
    /// Machines that call it, one at a time.
    pub(super) machines: usize,
    /// From when until when it answers nothing.
    pub(super) black_hole: Option<(Duration, Duration)>,
    /// From when until when every call fails.
    pub(super) outage: Option<(Duration, Duration)>,
}

/// Something that happens to the process.
#[derive(Debug, Clone, Copy)]
pub(super) enum Happening {
    Crash,
    Shutdown { deadline: Duration },
    Revoke { partition: usize },
}

/// A whole run.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) durability: Durability,
    /// Records of each partition, with the connector that reads it.
    pub(super) partitions: Vec<(usize, u32)>,
    pub(super) connectors: usize,
    /// The critical ones first.
    pub(super) publishers: Vec<PublisherPlan>,
    pub(super) critical: usize,
    pub(super) dead_letters: Option<Faults>,
    /// Records that can not be computed, per thousand.
    pub(super) poison: u32,
    /// Settlements that the connector refuses, per thousand.
    pub(super) settle_failed: u32,
    /// Syncs of the log that fail, per thousand.
    pub(super) sync_failed: u32,
    /// Records that the log holds at most.
    pub(super) log_records_max: usize,
    pub(super) happenings: Vec<(Duration, Happening)>,
    /// From here on nothing fails any more, so that the run comes to its end.
    pub(super) heal: Duration,
}

impl Plan {
    pub(super) fn from_seed(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let heal = dice.millis(2_000, 12_000);
        let connectors = dice.within(1, 2) as usize;
        let count = dice.within(connectors as u64, 3) as usize;
        let partitions: Vec<_> =
            (0..count).map(|partition| (partition % connectors, dice.within(1, 40) as u32)).collect();
        let critical = dice.within(1, 3) as usize;
        let best_effort = usize::from(dice.per_mille(300));
        let publishers = (0..critical + best_effort).map(|_| publisher(&mut dice, heal)).collect();
        let dead_letters = dice.per_mille(600).then(|| Faults {
            retryable: dice.pick(&[0, 0, 200]),
            wrong_count: dice.pick(&[0, 0, 50]),
            flush_failed: dice.pick(&[0, 0, 100]),
            unfit: dice.pick(&[0, 0, 100]),
            ..Faults::default()
        });
        let mut happenings = Vec::new();
        for _ in 0..dice.within(0, 3) {
            let what = match dice.within(0, 3) {
                0 => Happening::Crash,
                1 => Happening::Shutdown { deadline: dice.millis(0, 1500) },
                _ => Happening::Revoke { partition: dice.within(0, count as u64 - 1) as usize },
            };
            happenings.push((dice.millis(1, heal.as_millis() as u64), what));
        }
        Self {
            seed,
            durability: dice.pick(&[Durability::Delivered, Durability::Spooled, Durability::Accepted]),
            partitions,
            connectors,
            publishers,
            critical,
            dead_letters,
            poison: dice.pick(&[0, 0, 30]),
            settle_failed: dice.pick(&[0, 0, 50]),
            sync_failed: dice.pick(&[0, 0, 100]),
            log_records_max: dice.pick(&[1000, 1000, 12]),
            happenings,
            heal,
        }
    }

    /// The key of a record: some records of each partition share one of three, some have none.
    pub(super) fn key(&self, id: RecordId) -> Option<u64> {
        let draw = self.draw(id, 1) % 4;
        (draw < 3).then(|| u64::from(id.partition) * 10 + draw)
    }

    /// Whether a record can not be computed.
    pub(super) fn poison(&self, id: RecordId) -> bool {
        self.draw(id, 2) % 1000 < u64::from(self.poison)
    }

    /// Whether a target never takes a record.
    pub(super) fn unfit(&self, id: RecordId, target: u64, faults: &Faults) -> bool {
        self.draw(id, 3 + target) % 1000 < u64::from(faults.unfit)
    }

    fn draw(&self, id: RecordId, purpose: u64) -> u64 {
        let place = u64::from(id.partition) << 40 | u64::from(id.offset) << 8 | purpose;
        Random::new(self.seed ^ place.wrapping_mul(0x9fb2_1c65_1e98_df25)).next()
    }
}

fn publisher(dice: &mut Dice, heal: Duration) -> PublisherPlan {
    let strategy = dice.pick(&[
        RetryStrategy::Exponential,
        RetryStrategy::Linear,
        RetryStrategy::Fixed,
        RetryStrategy::None,
    ]);
    let initial_ms = dice.within(1, 500);
    let retry = RetryConfig {
        strategy,
        retries_max: dice.within(0, 5) as u32,
        initial_ms,
        cap_ms: dice.within(initial_ms, 3000),
        jitter: dice.per_mille(700),
        timeout_ms: dice.within(50, 1000),
        exhausted: match strategy {
            RetryStrategy::None => Exhausted::Return,
            _ => dice.pick(&[Exhausted::Keep, Exhausted::Keep, Exhausted::DeadLetter, Exhausted::Return]),
        },
    };
    let breaker = BreakerConfig {
        failures_max: dice.within(1, 5) as u32,
        recovery_ms: dice.within(50, 2000),
        probes_max: dice.within(1, 3) as u32,
    };
    let batch = BatchConfig {
        records_max: dice.within(1, 10) as u32,
        bytes_max: dice.within(10, 200),
        age_ms: dice.pick(&[0, 0, 20]),
    };
    let ordering = dice.pick(&[Ordering::None, Ordering::Key, Ordering::All]);
    let mut faults = Faults::default();
    if dice.per_mille(800) {
        // A few kinds of faults together: a publisher that has them all never gets anywhere.
        for _ in 0..dice.within(1, 4) {
            let rate = dice.pick(&[20, 100, 300]);
            match dice.within(0, 13) {
                0 => faults.retryable = rate,
                1 => faults.throttled = rate,
                2 => faults.blocked = rate,
                3 => faults.unknown_kept = rate,
                4 => faults.unknown_lost = rate,
                5 => faults.cancelled = rate / 4,
                6 => faults.fatal = 5,
                7 => faults.wrong_count = rate,
                8 => faults.flush_failed = rate,
                9 | 10 => faults.partial = rate,
                11 => faults.hangs = rate / 2,
                _ => faults.unfit = rate / 4,
            }
        }
    }
    let mut window = |chance| {
        dice.per_mille(chance).then(|| {
            let begin = dice.millis(0, heal.as_millis() as u64);
            (begin, begin + dice.millis(100, 6000))
        })
    };
    let (black_hole, outage) = (window(150), window(250));
    PublisherPlan {
        config: OutboundConfig { retry, breaker, batch, ordering },
        faults,
        blames_all: dice.per_mille(500),
        machines: dice.pick(&[1, 1, 2]),
        black_hole: black_hole.map(|(begin, end)| (begin, end.min(heal))),
        outage: outage.map(|(begin, end)| (begin, end.min(heal))),
    }
}
