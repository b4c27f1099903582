//! The publishers' endpoints: they misbehave as planned, and watch how they are treated.

use std::collections::BTreeSet;
use std::time::Duration;

use mfn_plugin::value::{ErrorClass, Ordering};

use super::oracle::{Judged, Message, Oracle, ensure};
use super::plan::{Dice, Faults, Plan, PublisherPlan};
use crate::delivery::outbound::{Call, after_flush};
use crate::delivery::{Answer, Answers, Refusal};

/// What every record counts for the size of a batch.
pub(super) const RECORD_BYTES: u64 = 10;

/// What the endpoint has seen of the circuit.
#[derive(Debug, Clone, Copy)]
enum Circuit {
    Closed { failures: u32 },
    Open { until: Duration },
    HalfOpen { succeeded: u32 },
}

/// One endpoint. What it holds is the oracle's business.
#[derive(Debug)]
pub(super) struct Target {
    endpoint: usize,
    plan: PublisherPlan,
    circuit: Circuit,
    /// It asked not to be called before.
    not_before: Duration,
    busy: bool,
}

/// An answer on its way.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) delay: Duration,
    pub(super) answers: Answers,
    /// The call goes on for so long after it was given up; then it takes its records.
    pub(super) hangs: Option<Duration>,
}

impl Reply {
    fn now(delay: Duration, answers: impl Into<Answers>) -> Self {
        Self { delay, answers: answers.into(), hangs: None }
    }
}

impl Target {
    pub(super) fn new(endpoint: usize, plan: PublisherPlan) -> Self {
        let circuit = Circuit::Closed { failures: 0 };
        Self { endpoint, plan, circuit, not_before: Duration::ZERO, busy: false }
    }

    /// A new process knows nothing of what the old one was asked for.
    pub(super) fn restart(&mut self) {
        self.circuit = Circuit::Closed { failures: 0 };
        self.not_before = Duration::ZERO;
        self.busy = false;
    }

    /// Checks a call against what the endpoint has asked for and may expect.
    pub(super) fn called(&mut self, now: Duration, call: &Call) -> Judged {
        let (at, records) = (self.endpoint, call.items.len());
        ensure!(!self.busy, "endpoint {at} was called while a call was out");
        ensure!(now >= self.not_before, "endpoint {at} was called before {:?}: Retry-After", self.not_before);
        let batch = self.plan.config.batch;
        ensure!(records > 0 && records <= batch.records_max as usize, "{records} records in a call to {at}");
        let bytes = records as u64 * RECORD_BYTES;
        ensure!(records == 1 || bytes <= batch.bytes_max, "{bytes} bytes in a call to {at}");
        if let Circuit::Open { until } = self.circuit {
            ensure!(now >= until, "endpoint {at} was called although its circuit is open until {until:?}");
            self.circuit = Circuit::HalfOpen { succeeded: 0 };
        }
        if let Circuit::HalfOpen { .. } = self.circuit {
            ensure!(
                call.probe && records == 1,
                "endpoint {at} was sent {records} records instead of a probe"
            );
        }
        self.busy = true;
        Ok(())
    }

    /// Notes what the caller has been told.
    pub(super) fn told(&mut self, now: Duration, answers: &[Answer], records: usize, oracle: &mut Oracle) {
        self.busy = false;
        let class = |answer: &Answer| answer.as_ref().err().map(|refusal| refusal.class);
        let is = |classes: &[ErrorClass]| {
            answers.iter().any(|answer| class(answer).is_some_and(|class| classes.contains(&class)))
        };
        let whole = answers.len() == records;
        let worked = whole && (answers.iter().any(Result::is_ok) || is(&[ErrorClass::Permanent]));
        let failed = !whole || is(&[ErrorClass::Retryable, ErrorClass::Unknown]);
        let asks = whole && is(&[ErrorClass::Throttled, ErrorClass::Blocked]);
        if whole {
            let after = answers.iter().filter_map(|answer| answer.as_ref().err()?.retry_after).max();
            self.not_before = self.not_before.max(now + after.unwrap_or_default());
        }
        let config = self.plan.config.breaker;
        self.circuit = match self.circuit {
            Circuit::Closed { .. } if worked => Circuit::Closed { failures: 0 },
            Circuit::Closed { failures } if failed && failures + 1 < config.failures_max => {
                Circuit::Closed { failures: failures + 1 }
            }
            Circuit::HalfOpen { succeeded } if worked || (asks && !failed) => {
                if succeeded + 1 == config.probes_max {
                    oracle.count("circuit closed again");
                    Circuit::Closed { failures: 0 }
                } else {
                    Circuit::HalfOpen { succeeded: succeeded + 1 }
                }
            }
            Circuit::Closed { .. } | Circuit::HalfOpen { .. } if failed => {
                oracle.count("circuit opened");
                Circuit::Open { until: now + Duration::from_millis(config.recovery_ms) }
            }
            circuit => circuit,
        };
    }

    /// Takes records, or not, and answers.
    pub(super) fn publish(
        &self,
        now: Duration,
        messages: &[Message],
        plan: &Plan,
        dice: &mut Dice,
        oracle: &mut Oracle,
    ) -> Result<Reply, super::oracle::Violation> {
        let within = |window: Option<(Duration, Duration)>| {
            window.is_some_and(|(begin, end)| now >= begin && now < end)
        };
        let healthy = now >= plan.heal;
        let faults = if healthy {
            Faults { unfit: self.plan.faults.unfit, ..Faults::default() }
        } else {
            self.plan.faults
        };
        let delay = dice.millis(1, 20);
        if !healthy && within(self.plan.black_hole) {
            oracle.count("black hole");
            let kept = if dice.per_mille(500) { messages.len() } else { 0 };
            self.keep(&messages[..kept], plan, oracle)?;
            let delay = Duration::from_millis(self.plan.config.retry.timeout_ms);
            return Ok(Reply::now(delay, vec![refuse(ErrorClass::Unknown, None); messages.len()]));
        }
        if !healthy && within(self.plan.outage) {
            oracle.count("outage");
            return Ok(Reply::now(delay, vec![refuse(ErrorClass::Retryable, None); messages.len()]));
        }
        if !healthy && dice.per_mille(faults.hangs) {
            oracle.count("hung call");
            let delay = Duration::from_millis(self.plan.config.retry.timeout_ms);
            let reply = Reply::now(delay, Answers::Whole(refusal(ErrorClass::Unknown, None)));
            return Ok(Reply { hangs: Some(dice.millis(1, 800)), ..reply });
        }
        let bad = messages.iter().any(|message| plan.unfit(message.id, self.endpoint as u64, &faults));
        if bad && self.plan.blames_all {
            oracle.count(if messages.len() > 1 { "one bad record" } else { "permanent" });
            return Ok(Reply::now(delay, Answers::Whole(refusal(ErrorClass::Permanent, None))));
        }
        let whole = [
            (faults.retryable, ErrorClass::Retryable, "retryable"),
            (faults.throttled, ErrorClass::Throttled, "throttled"),
            (faults.blocked, ErrorClass::Blocked, "blocked"),
            (faults.unknown_kept, ErrorClass::Unknown, "answer lost after commit"),
            (faults.unknown_lost, ErrorClass::Unknown, "no answer"),
            (faults.cancelled, ErrorClass::Cancelled, "cancelled"),
            (faults.fatal, ErrorClass::Fatal, "fatal"),
        ];
        for (chance, class, name) in whole {
            if dice.per_mille(chance) {
                oracle.count(name);
                if name == "answer lost after commit" {
                    self.keep(messages, plan, oracle)?;
                }
                let after = (class == ErrorClass::Throttled).then(|| dice.millis(0, 900));
                return Ok(Reply::now(delay, vec![refuse(class, after); messages.len()]));
            }
        }
        if dice.per_mille(faults.wrong_count) {
            oracle.count("wrong count");
            let kept = dice.within(0, messages.len() as u64) as usize;
            self.keep(&messages[..kept], plan, oracle)?;
            let count = dice.pick(&[0, messages.len() - 1, messages.len() + 1]);
            return Ok(Reply::now(delay, vec![Ok(()); count]));
        }
        let (kept, answers) = self.each(messages, &faults, plan, dice, oracle);
        if dice.per_mille(faults.flush_failed) && !kept.is_empty() {
            oracle.count("flush failed");
            let durable = dice.within(0, kept.len() as u64) as usize;
            self.keep(&kept[..durable], plan, oracle)?;
            let class = dice.pick(&[ErrorClass::Retryable, ErrorClass::Unknown, ErrorClass::Permanent]);
            return Ok(Reply::now(delay, after_flush(answers, &refuse(class, None))));
        }
        self.keep(&kept, plan, oracle)?;
        Ok(Reply::now(delay, answers))
    }

    /// A call in which each record has its own answer. Where order is kept, nothing of a group is taken after a
    /// record of it that may come again.
    fn each(
        &self,
        messages: &[Message],
        faults: &Faults,
        plan: &Plan,
        dice: &mut Dice,
        oracle: &mut Oracle,
    ) -> (Vec<Message>, Vec<Answer>) {
        let (mut kept, mut answers, mut stopped) = (Vec::new(), Vec::new(), BTreeSet::new());
        for message in messages {
            let group = match self.plan.config.ordering {
                Ordering::None => None,
                Ordering::Key => plan.key(message.id),
                Ordering::All => Some(0),
            };
            if group.is_some_and(|group| stopped.contains(&group)) {
                answers.push(refuse(ErrorClass::Retryable, None));
            } else if plan.unfit(message.id, self.endpoint as u64, faults) {
                oracle.count("permanent");
                answers.push(refuse(ErrorClass::Permanent, None));
            } else if dice.per_mille(faults.partial) {
                oracle.count("partial failure");
                let class = dice.pick(&[
                    ErrorClass::Retryable,
                    ErrorClass::Unknown,
                    ErrorClass::Throttled,
                    ErrorClass::Blocked,
                ]);
                if class == ErrorClass::Unknown && dice.per_mille(500) {
                    kept.push(*message);
                }
                let after = (class == ErrorClass::Throttled).then(|| dice.millis(0, 500));
                answers.push(refuse(class, after));
                stopped.extend(group);
            } else {
                kept.push(*message);
                answers.push(Ok(()));
            }
        }
        (kept, answers)
    }

    /// Holds records from now on, except those that it never takes.
    pub(super) fn keep(&self, messages: &[Message], plan: &Plan, oracle: &mut Oracle) -> Judged {
        for &message in messages {
            if plan.unfit(message.id, self.endpoint as u64, &self.plan.faults) {
                continue;
            }
            let group = match self.plan.config.ordering {
                Ordering::None => None,
                Ordering::Key => plan.key(message.id).map(Some),
                Ordering::All => Some(None),
            };
            oracle.arrived(self.endpoint, message, group)?;
        }
        Ok(())
    }
}

fn refuse(class: ErrorClass, retry_after: Option<Duration>) -> Answer {
    Err(refusal(class, retry_after))
}

fn refusal(class: ErrorClass, retry_after: Option<Duration>) -> Refusal {
    Refusal { class, reason: "planned".into(), retry_after }
}
