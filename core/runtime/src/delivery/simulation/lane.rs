//! The lanes of the process: one for each publisher, with the machine that decides about it.

use std::collections::BTreeSet;
use std::time::Duration;

use mfn_plugin::value::ErrorClass;

use super::direct::Direct;
use super::log::Log;
use super::oracle::{Judged, Message, RecordId, Violation, ensure, issue};
use super::plan::Plan;
use super::target::RECORD_BYTES;
use super::world::{Occurrence, World};
use crate::config::{Durability, Exhausted};
use crate::delivery::outbound::{Call, Endpoint, Item, ItemId, OutboundStatus, Resolution};
use crate::delivery::relay::{Relay, RelayAction, RelayLimits};
use crate::delivery::{Answer, Answers, BatchId, Event, Fate, Refusal, Target};

/// What leads to one publisher.
#[derive(Debug)]
enum Road {
    /// Straight from the machine.
    Direct(Direct),
    /// From the log.
    Log(Box<Relay>),
}

/// One publisher, as the process deals with it.
#[derive(Debug)]
pub(super) struct Lane {
    road: Road,
    pub(super) wake: Option<Duration>,
    /// A call that was given up has not come back: no other is made.
    hung: bool,
    /// What the publisher has said that it has.
    taken: BTreeSet<ItemId>,
}

impl Lane {
    pub(super) fn new(plan: &Plan, log: &Log, publisher: usize, seed: u64) -> Self {
        let (config, seed) = (plan.publishers[publisher].config, seed.wrapping_add(publisher as u64));
        let road = if plan.durability == Durability::Delivered {
            Road::Direct(Direct::new(config, plan.publishers[publisher].machines, seed))
        } else {
            let limits = RelayLimits { records_max: 20, bytes_max: 15 * RECORD_BYTES };
            let (cursor, letters) = (log.cursor(publisher), plan.dead_letters.is_some());
            Road::Log(Box::new(Relay::new(
                config,
                Endpoint::new(config.breaker),
                seed,
                cursor,
                limits,
                letters,
            )))
        };
        Self { road, wake: None, hung: false, taken: BTreeSet::new() }
    }

    /// Whether no batch waits for it.
    pub(super) fn idle(&self) -> bool {
        matches!(self.road, Road::Log(_)) || self.status().queued == 0
    }

    fn message(&self, log: &Log, item: ItemId) -> Option<Message> {
        match &self.road {
            Road::Direct(direct) => direct.items.get(&item.0).map(|(_, _, message)| *message),
            Road::Log(_) => log.get(item.0),
        }
    }

    pub(super) fn status(&self) -> OutboundStatus {
        match &self.road {
            Road::Direct(direct) => direct.status(),
            Road::Log(relay) => relay.status(),
        }
    }
}

impl World {
    /// Offers records of a batch to a publisher.
    pub(super) fn offer(
        &mut self,
        batch: BatchId,
        publisher: usize,
        records: &[usize],
        awaited: bool,
    ) -> Judged {
        let Some(process) = &mut self.process else { return Ok(()) };
        let Some(flight) = process.flights.get_mut(&batch) else { return Ok(()) };
        if awaited {
            flight.shares.insert(publisher, vec![None; records.len()]);
        }
        let Road::Direct(direct) = &mut process.lanes[publisher].road else { return Ok(()) };
        for (place, &record) in records.iter().enumerate() {
            let message = issue(flight.id(record));
            let id = ItemId(process.next_item);
            process.next_item += 1;
            direct.offered += 1;
            direct.items.insert(id.0, (batch, place, message));
            let item = Item { id, key: self.plan.key(message.id), bytes: RECORD_BYTES };
            direct.machine(message.id).offer(self.now, item);
        }
        self.pump(publisher)
    }

    pub(super) fn halt_lane(&mut self, publisher: usize) -> Judged {
        let Some(process) = &mut self.process else { return Ok(()) };
        match &mut process.lanes[publisher].road {
            Road::Direct(direct) => {
                let resolved = direct.halt();
                self.resolve(publisher, resolved)
            }
            Road::Log(relay) => {
                relay.halt();
                Ok(())
            }
        }
    }

    pub(super) fn wake_at(&mut self, publisher: usize, at: Duration) {
        let Some(process) = &mut self.process else { return };
        let lane = &mut process.lanes[publisher];
        if lane.wake.is_none_or(|wake| at < wake) {
            lane.wake = Some(at);
            self.after(at - self.now, Occurrence::Wake { publisher });
        }
    }

    /// Does what the machine of a publisher says, until it is to wait.
    pub(super) fn pump(&mut self, publisher: usize) -> Judged {
        loop {
            let Some(process) = &mut self.process else { return Ok(()) };
            if process.lanes[publisher].hung {
                return Ok(());
            }
            let action = match &mut process.lanes[publisher].road {
                Road::Direct(direct) => direct.poll(self.now),
                Road::Log(relay) => {
                    if let Some((from, records, bytes)) = relay.room() {
                        let records = records.min((bytes / RECORD_BYTES).max(1) as usize);
                        let read = self.log.read(from, records).into_iter().map(|(position, message)| Item {
                            id: ItemId(position),
                            key: self.plan.key(message.id),
                            bytes: RECORD_BYTES,
                        });
                        relay.read(self.now, read);
                    }
                    relay.poll(self.now)
                }
            };
            match action {
                RelayAction::Publish(call) => self.call(publisher, call)?,
                RelayAction::Commit { next } => self.commit(publisher, next)?,
                RelayAction::DeadLetter { records } => {
                    let id =
                        |&(position, _): &(u64, String)| self.log.get(position).map(|message| message.id);
                    let ids: Vec<RecordId> = records.iter().filter_map(id).collect();
                    let (delay, answers) = self.write_letters(&ids)?;
                    self.after(delay, Occurrence::RelayLettersDone { publisher, answers });
                }
                RelayAction::Wait { until: None } => return Ok(()),
                RelayAction::Wait { until: Some(until) } => {
                    ensure!(until > self.now, "spins: publisher {publisher} is to wait until now");
                    self.wake_at(publisher, until);
                    return Ok(());
                }
            }
        }
    }

    fn call(&mut self, publisher: usize, call: Call) -> Judged {
        let Some(process) = &self.process else { return Ok(()) };
        let lane = &process.lanes[publisher];
        ensure!(!process.halted, "publisher {publisher} was called after the halt");
        let mut messages = Vec::with_capacity(call.items.len());
        for item in &call.items {
            ensure!(
                !lane.taken.contains(item),
                "{item:?} was sent again although publisher {publisher} has it"
            );
            let Some(message) = lane.message(&self.log, *item) else {
                return Err(Violation(format!("invented: {item:?} was never offered")));
            };
            messages.push(message);
        }
        if call.attempt > 1 {
            self.oracle.count("retried");
        }
        if call.probe {
            self.oracle.count("probed");
        }
        self.targets[publisher].called(self.now, &call)?;
        let (now, plan) = (self.now, &self.plan);
        let reply =
            self.targets[publisher].publish(now, &messages, plan, &mut self.dice, &mut self.oracle)?;
        let super::target::Reply { delay, answers, hangs } = reply;
        self.after(delay, Occurrence::CallDone { publisher, call, answers, hangs });
        Ok(())
    }

    /// A call was answered, or given up.
    pub(super) fn call_done(
        &mut self,
        publisher: usize,
        call: Call,
        whole: Answers,
        hangs: Option<Duration>,
    ) -> Judged {
        let answers = whole.clone().each(call.items.len());
        self.targets[publisher].told(self.now, &answers, call.items.len(), &mut self.oracle);
        let retry = self.plan.publishers[publisher].config.retry;
        if retry.exhausted == Exhausted::DeadLetter && call.attempt > retry.retries_max {
            // Perhaps given up, and perhaps brought again by a restart, after later ones.
            let process = self.process.iter();
            let lanes = process.map(|process| &process.lanes[publisher]);
            let ids =
                lanes.flat_map(|lane| call.items.iter().filter_map(|&item| lane.message(&self.log, item)));
            ids.for_each(|message| self.oracle.disturb(message.id));
        }
        let Some(process) = &mut self.process else { return Ok(()) };
        let lane = &mut process.lanes[publisher];
        if answers.len() == call.items.len() {
            let taken = call.items.iter().zip(&answers).filter(|(_, answer)| answer.is_ok());
            lane.taken.extend(taken.map(|(&item, _)| item));
        }
        lane.hung = hangs.is_some();
        let machine = match &lane.road {
            Road::Direct(direct) => direct.calling.unwrap_or_default(),
            Road::Log(_) => 0,
        };
        self.answer(publisher, machine, &call, whole)?;
        if let Some(delay) = hangs {
            self.after(delay, Occurrence::CallBack { publisher, machine, call });
        }
        let failed = self.process.as_ref().is_some_and(|process| process.lanes[publisher].status().failed);
        if failed {
            // Somebody looks after a pipeline that has failed, and starts it again.
            self.shut_down(Duration::from_millis(50))?;
        }
        self.pump(publisher)
    }

    /// Tells the machine that has made a call what came of it.
    fn answer(&mut self, publisher: usize, machine: usize, call: &Call, answers: Answers) -> Judged {
        let Some(process) = &mut self.process else { return Ok(()) };
        match &mut process.lanes[publisher].road {
            Road::Direct(direct) => {
                let resolved = direct.answer(self.now, machine, call, answers);
                self.resolve(publisher, resolved)
            }
            Road::Log(relay) => {
                let fates = relay.answer(self.now, call.id, answers);
                self.relay_fates(publisher, fates)
            }
        }
    }

    /// A call that was given up comes back, with success. Its answer comes after the next call was made, which it
    /// must not be taken for.
    pub(super) fn call_back(&mut self, publisher: usize, machine: usize, call: &Call) -> Judged {
        let Some(process) = &mut self.process else { return Ok(()) };
        let lane = &mut process.lanes[publisher];
        lane.hung = false;
        let records = call.items.iter().filter_map(|&item| lane.message(&self.log, item));
        let messages: Vec<Message> = records.collect();
        self.targets[publisher].keep(&messages, &self.plan, &mut self.oracle)?;
        self.pump(publisher)?;
        let state = |world: &Self| {
            let process = world.process.as_ref()?;
            let status = process.lanes[publisher].status();
            Some((status.queued, status.in_call, status.backing_off))
        };
        let before = state(self);
        self.oracle.count("late answer");
        self.answer(publisher, machine, call, Answers::Each(vec![Ok(()); call.items.len()]))?;
        ensure!(before == state(self), "a late answer changed something: {before:?}, {:?}", state(self));
        Ok(())
    }

    /// What the machine of a publisher has resolved becomes the answers of batches.
    fn resolve(&mut self, publisher: usize, resolved: Vec<(ItemId, Resolution)>) -> Judged {
        let mut complete = Vec::new();
        {
            let Some(process) = &mut self.process else { return Ok(()) };
            let halted = process.halted || process.lanes[publisher].status().failed;
            let lane = &mut process.lanes[publisher];
            let Road::Direct(direct) = &mut lane.road else { return Ok(()) };
            for (item, resolution) in resolved {
                let Some((batch, place, message)) = direct.items.remove(&item.0) else {
                    return Err(Violation(format!("{item:?} was resolved twice")));
                };
                let refuse = |class, reason, retry_after| Err(Refusal { class, reason, retry_after });
                let answer = match resolution {
                    Resolution::Delivered => {
                        ensure!(
                            lane.taken.contains(&item),
                            "{item:?} was never taken by publisher {publisher}"
                        );
                        Ok(())
                    }
                    Resolution::Unfit { reason } => refuse(ErrorClass::Permanent, reason, None),
                    Resolution::Returned { reason, delay } => {
                        if !halted {
                            self.oracle.disturb(message.id);
                        }
                        refuse(ErrorClass::Retryable, reason, Some(delay))
                    }
                };
                let Some(flight) = process.flights.get_mut(&batch) else { continue };
                let Some(share) = flight.shares.get_mut(&publisher) else { continue };
                share[place] = Some(answer);
                if share.iter().all(Option::is_some)
                    && let Some(share) = flight.shares.remove(&publisher)
                {
                    complete.push((batch, share.into_iter().flatten().collect()));
                }
            }
            let (open, queued) = (direct.items.len(), direct.status().queued);
            ensure!(open == queued, "conservation: {open} open, {queued} queued of {}", direct.offered);
        }
        for (batch, answers) in complete {
            self.tell(Event::Published { batch, target: Target::Publisher(publisher), answers })?;
        }
        Ok(())
    }

    fn commit(&mut self, publisher: usize, next: u64) -> Judged {
        for position in self.log.cursor(publisher)..next {
            let Some(message) = self.log.get(position) else { continue };
            ensure!(
                self.oracle.may_pass(message.id, publisher),
                "lost: the cursor of publisher {publisher} passes {:?} at {position}",
                message.id
            );
        }
        self.log.commit(publisher, next);
        if self.plan.durability == Durability::Accepted {
            self.log.sync();
        }
        Ok(())
    }

    pub(super) fn relay_letters(&mut self, publisher: usize, answers: Vec<Answer>) -> Judged {
        let Some(process) = &mut self.process else { return Ok(()) };
        let Road::Log(relay) = &mut process.lanes[publisher].road else { return Ok(()) };
        let fates = relay.dead_lettered(self.now, answers);
        self.relay_fates(publisher, fates)?;
        self.pump(publisher)
    }

    fn relay_fates(&mut self, publisher: usize, fates: Vec<(u64, Fate)>) -> Judged {
        for (position, fate) in fates {
            let Some(message) = self.log.get(position) else { continue };
            match fate {
                Fate::Delivered => {
                    let holds = self.oracle.holds(publisher, message.id);
                    ensure!(holds, "lost: {:?} counts as delivered to {publisher}", message.id);
                }
                Fate::DeadLettered { .. } => {
                    self.oracle.settled_as_dead_letter(message.id, Some(publisher))?
                }
                Fate::Rejected { .. } => self.oracle.settled_as_rejected(message.id, Some(publisher))?,
                Fate::Returned { .. } => ensure!(false, "a relay has given {:?} back", message.id),
            }
        }
        let Some(process) = &self.process else { return Ok(()) };
        if let Road::Log(relay) = &process.lanes[publisher].road {
            let counters = relay.counters();
            let sum = counters.delivered + counters.dead_lettered + counters.rejected + counters.open;
            ensure!(counters.read == sum, "conservation: {counters:?}");
        }
        Ok(())
    }
}
