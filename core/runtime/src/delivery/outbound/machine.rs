//! The machine of one publisher: queue, breaker, budget and pauses put together.

use std::time::Duration;

use mfn_plugin::value::ErrorClass;

use super::breaker::Permit;
use super::endpoint::Endpoint;
use super::queue::{CallLimits, Queue};
use super::retry::{Backoff, Random};
use super::store::{Slot, Store};
use super::{Action, Call, CallId, Item, ItemId, OutboundConfig, OutboundStatus, Resolution};
use crate::config::{Exhausted, RetryStrategy};
use crate::delivery::batch::complete;
use crate::delivery::canary::{self, Bug};
use crate::delivery::{Answer, Answers, Refusal};

/// Records in a call that is to find out whether an endpoint is back. One: should it fail, little was risked,
/// and the next probe takes another record where order allows, so that one bad record keeps no circuit open.
const PROBE_RECORDS: usize = 1;
/// When to look again at a circuit whose probes others have.
const SHARED_PROBE_WAIT: Duration = Duration::from_secs(1);
/// Why a record comes back that was never refused.
const HALTED: &str = "delivery ended before the record was delivered";

/// Decides about the records of one publisher. See the [module](super) for what it holds to.
#[derive(Debug)]
pub(crate) struct Outbound {
    config: OutboundConfig,
    backoff: Backoff,
    random: Random,
    store: Store,
    queue: Queue,
    endpoint: Endpoint,
    call: Option<Out>,
    calls: u64,
    retries: u64,
    breaches: u64,
    gives_back: bool,
    halted: bool,
    failed: bool,
}

/// The call that is out.
#[derive(Debug)]
struct Out {
    id: CallId,
    slots: Vec<Slot>,
    permit: Permit,
    probe: bool,
}

/// What a call's answers say about the endpoint.
#[derive(Debug, Default)]
struct Verdict {
    /// It took or refused a record for good: it works.
    worked: bool,
    /// It took a record.
    delivered: bool,
    failed: bool,
    throttled: bool,
    blocked: bool,
    retry_after: Option<Duration>,
    fatal: bool,
}

impl Outbound {
    /// A machine that calls this endpoint, perhaps beside others. All its random waits follow from the seed.
    pub(crate) fn new(config: OutboundConfig, endpoint: Endpoint, seed: u64) -> Self {
        Self {
            backoff: Backoff::new(config.retry),
            random: Random::new(seed),
            store: Store::new(),
            queue: Queue::new(config.ordering, config.batch),
            endpoint,
            call: None,
            calls: 0,
            retries: 0,
            breaches: 0,
            gives_back: true,
            halted: false,
            failed: false,
            config,
        }
    }

    /// For records that nobody would bring again: what would be returned is kept and tried again, until the
    /// machine is halted or fails.
    pub(crate) fn keeping(mut self) -> Self {
        self.gives_back = false;
        self
    }

    /// Takes a record in. After a halt or a failure it only waits for the next [`halt`](Self::halt).
    pub(crate) fn offer(&mut self, now: Duration, item: Item) {
        let slot = self.store.insert(now, item);
        self.queue.offer(slot, &self.store[slot].item);
    }

    /// What to do now. `now` is the time since an arbitrary start and never goes back.
    pub(crate) fn poll(&mut self, now: Duration) -> Action {
        if self.call.is_some() || self.halted || self.failed {
            return Action::Wait { until: None };
        }
        // Once more when the first look only finds records that have to wait behind others.
        for _ in 0..2 {
            let retries_at = self.endpoint.retries_at(now);
            let ready = self.queue.ready_at(now, retries_at, &self.store);
            let Some(ready) = ready else { return Action::Wait { until: None } };
            let until = ready.max(self.endpoint.closed_until());
            if until > now {
                return Action::Wait { until: Some(until) };
            }
            let Some(permit) = self.endpoint.permit(now) else {
                return Action::Wait { until: Some(now.saturating_add(SHARED_PROBE_WAIT)) };
            };
            let probe = permit.is_probe() || self.endpoint.is_blocked();
            let records_max = if probe { PROBE_RECORDS } else { self.config.batch.records_max as usize };
            let limits = CallLimits { records_max, retries: retries_at <= now };
            let mut slots = Vec::new();
            self.queue.take(now, limits, &self.store, &mut slots);
            if !slots.is_empty() {
                return Action::Publish(self.call(now, slots, permit, probe));
            }
        }
        Action::Wait { until: Some(now) }
    }

    fn call(&mut self, now: Duration, slots: Vec<Slot>, mut permit: Permit, probe: bool) -> Call {
        let mut items = Vec::with_capacity(slots.len());
        let mut sends_max = 0;
        for &slot in &slots {
            let entry = &mut self.store[slot];
            items.push(entry.item.id);
            self.retries += u64::from(entry.sends > 0);
            entry.sends = entry.sends.saturating_add(1);
            sends_max = sends_max.max(entry.sends);
        }
        self.endpoint.called(now, sends_max > 1);
        let id = CallId(self.calls);
        self.calls += 1;
        permit.begin(now);
        self.call = Some(Out { id, slots, permit, probe });
        let timeout = Duration::from_millis(self.config.retry.timeout_ms);
        Call { id, items, attempt: sends_max, timeout, probe }
    }

    /// Takes in the answers to a call, one for each record; with another count nothing is known of any. A call of
    /// several records that is refused for good as a whole is made again in halves, until the record is alone
    /// that is to blame. Gives the records that are resolved by it, in the order of the call. An answer to any other call than
    /// the one that is out changes nothing.
    pub(crate) fn answer(
        &mut self,
        now: Duration,
        call: CallId,
        answers: impl Into<Answers>,
    ) -> Vec<(ItemId, Resolution)> {
        let believed = |out: &mut Out| out.id == call || canary::planted(Bug::BelieveLate);
        let Some(out) = self.call.take_if(believed) else { return Vec::new() };
        let answers = answers.into();
        let halves = matches!(&answers, Answers::Whole(refusal) if refusal.class == ErrorClass::Permanent)
            && out.slots.len() > 1
            && !canary::planted(Bug::BlameAll);
        let answers = answers.each(out.slots.len());
        self.breaches += u64::from(answers.len() != out.slots.len());
        let answers = complete(out.slots.len(), answers);
        let verdict = Verdict::of(&answers);
        let fraction = self.random.unit();
        let endpoint_pause = self.note(now, &verdict, out.permit, fraction);
        if halves {
            return self.halve(now, &out.slots);
        }

        let mut resolved = Vec::with_capacity(out.slots.len());
        let mut held = Vec::new();
        for (&slot, answer) in out.slots.iter().zip(answers) {
            let end = match answer {
                Ok(()) => Some(Resolution::Delivered),
                Err(refusal) => match self.refused(slot, refusal, out.probe, fraction, endpoint_pause) {
                    Refused::Ends(resolution) => Some(resolution),
                    Refused::Waits(wait) => {
                        held.push((slot, now.saturating_add(wait)));
                        None
                    }
                },
            };
            if let Some(resolution) = end {
                resolved.push((self.store.remove(slot).id, resolution));
            }
        }
        self.queue.hold(&held, &self.store);
        if verdict.fatal {
            self.failed = true;
        }
        if self.failed || self.halted {
            resolved.extend(self.give_back());
        }
        resolved
    }

    /// Sends the records of a call again, in calls of at most half as many records.
    fn halve(&mut self, now: Duration, slots: &[Slot]) -> Vec<(ItemId, Resolution)> {
        let company_max = slots.len().div_ceil(2) as u32;
        let mut held = Vec::with_capacity(slots.len());
        for &slot in slots {
            self.store[slot].company_max = company_max;
            held.push((slot, now));
        }
        self.queue.hold(&held, &self.store);
        // They search for a record; they do not press an endpoint that fails.
        self.endpoint.allow(2);
        if self.halted { self.give_back() } else { Vec::new() }
    }

    /// Notes what a call says about the endpoint, and gives the time for which it is to be left alone.
    fn note(&self, now: Duration, verdict: &Verdict, permit: Permit, fraction: f64) -> Duration {
        if verdict.worked {
            permit.succeed();
        } else if verdict.failed {
            permit.fail(now);
        } else if verdict.throttled || verdict.blocked {
            // Who asks to be left alone is there, and is paced by its pause.
            permit.answered();
        } else {
            permit.cancel();
        }
        if verdict.worked {
            self.endpoint.worked();
        }
        let asks = verdict.throttled || (verdict.blocked && !verdict.delivered);
        let times = if asks {
            self.endpoint.asks(verdict.blocked && !verdict.delivered)
        } else {
            self.endpoint.times_asked()
        };
        let pause = self.backoff.pause(times.max(1), fraction, verdict.retry_after);
        if asks {
            self.endpoint.pause(now.saturating_add(pause));
        }
        pause
    }

    /// What becomes of a refused record.
    fn refused(
        &mut self,
        slot: Slot,
        refusal: Refusal,
        probe: bool,
        fraction: f64,
        endpoint_pause: Duration,
    ) -> Refused {
        let Refusal { class, reason, retry_after } = refusal;
        let entry = &mut self.store[slot];
        let once = self.config.retry.strategy == RetryStrategy::None;
        let returns = self.gives_back || self.halted;
        match class {
            ErrorClass::Permanent => Refused::Ends(Resolution::Unfit { reason }),
            ErrorClass::Fatal => Refused::Ends(Resolution::Returned { reason, delay: Duration::ZERO }),
            ErrorClass::Cancelled if returns => {
                Refused::Ends(Resolution::Returned { reason, delay: Duration::ZERO })
            }
            // The endpoint's fault, not the record's: never a reason to give the record up.
            ErrorClass::Throttled | ErrorClass::Blocked if once && returns => {
                Refused::Ends(Resolution::Returned { reason, delay: endpoint_pause })
            }
            ErrorClass::Throttled => Refused::Waits(Duration::ZERO),
            ErrorClass::Blocked => {
                Refused::Waits(self.backoff.pause(entry.sends, fraction, retry_after).max(endpoint_pause))
            }
            ErrorClass::Retryable | ErrorClass::Unknown | ErrorClass::Cancelled => {
                let exhausted = self.config.retry.exhausted;
                // A probe is made for the endpoint's sake; only one attempt in all is one attempt.
                let free =
                    class == ErrorClass::Cancelled || (probe && !(once && exhausted == Exhausted::Return));
                entry.spent = entry.spent.saturating_add(u32::from(!free));
                let wait = self.backoff.wait(entry.spent, fraction, retry_after);
                if free || (!once && entry.spent <= self.config.retry.retries_max) {
                    return Refused::Waits(wait);
                }
                match exhausted {
                    Exhausted::DeadLetter => Refused::Ends(Resolution::Unfit {
                        reason: format!("given up after {} attempts: {reason}", entry.spent),
                    }),
                    Exhausted::Return if returns => {
                        Refused::Ends(Resolution::Returned { reason, delay: wait })
                    }
                    Exhausted::Return | Exhausted::Keep => Refused::Waits(wait),
                }
            }
        }
    }

    /// Ends delivery: gives back all records that are not in a call. The records of a call that is out are
    /// resolved by its answer. What is offered later is given back by the next halt.
    pub(crate) fn halt(&mut self) -> Vec<(ItemId, Resolution)> {
        self.halted = true;
        self.give_back()
    }

    fn give_back(&mut self) -> Vec<(ItemId, Resolution)> {
        self.queue.clear();
        let in_call = self.call.as_ref().map_or(&[][..], |out| &out.slots);
        // A call holds at most some thousand records; sorted, looking up each is quick.
        let mut in_call = in_call.to_vec();
        in_call.sort_unstable();
        let slots: Vec<Slot> =
            self.store.slots().filter(|slot| in_call.binary_search(slot).is_err()).collect();
        let returned = Resolution::Returned { reason: HALTED.to_owned(), delay: Duration::ZERO };
        slots.into_iter().map(|slot| (self.store.remove(slot).id, returned.clone())).collect()
    }

    /// Times that are noted for held records.
    #[cfg(test)]
    pub(super) fn waiting_times(&self) -> usize {
        self.queue.times()
    }

    /// The numbers of the queue.
    pub(crate) fn status(&self) -> OutboundStatus {
        OutboundStatus {
            queued: self.store.len(),
            queued_bytes: self.store.bytes(),
            backing_off: self.queue.held(),
            in_call: self.call.as_ref().map_or(0, |out| out.slots.len()),
            retries: self.retries,
            breaches: self.breaches,
            breaker: self.endpoint.circuit(),
            paused_until: self.endpoint.paused_until(),
            oldest: self.store.oldest(),
            failed: self.failed,
        }
    }
}

/// What becomes of a refused record.
enum Refused {
    Ends(Resolution),
    Waits(Duration),
}

impl Verdict {
    fn of(answers: &[Answer]) -> Self {
        let mut verdict = Self::default();
        for answer in answers {
            let Err(refusal) = answer else {
                verdict.delivered = true;
                verdict.worked = true;
                continue;
            };
            match refusal.class {
                ErrorClass::Permanent => verdict.worked = true,
                ErrorClass::Retryable | ErrorClass::Unknown => verdict.failed = true,
                ErrorClass::Throttled => verdict.throttled = true,
                ErrorClass::Blocked => verdict.blocked = true,
                ErrorClass::Cancelled => {}
                ErrorClass::Fatal => verdict.fatal = true,
            }
            if matches!(refusal.class, ErrorClass::Throttled | ErrorClass::Blocked) {
                verdict.retry_after = verdict.retry_after.max(refusal.retry_after);
            }
        }
        verdict
    }
}
