//! A call to a publisher, and what becomes of the lane when it does not come back.
//!
//! A plugin's call can not be taken back: nothing stops a thread inside foreign code. So before the call the
//! lane is laid down here, and the calling thread takes only what the call needs. When the call comes back, the
//! thread takes the lane up again and goes on. When it does not come back in its time, somebody else takes the
//! lane up ([`Handover::relieve`]): what was in the call counts as unknown, everybody else's records move on,
//! and the publisher is called no more until the hung call is over. So at most one thread of each publisher
//! hangs, and it holds nothing but the records of its call. Its late answer finds the lane gone and is dropped.

use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::super::record_ref::RecordRef;
use super::super::shared::Shared;
use super::super::work::catch;
use super::view::GRACE;
use super::{Caller, Lane, LaneMessage, Source, Turn};
use crate::delivery::Answers;
use crate::delivery::outbound::{Call, after_flush};

/// Where the lane of one publisher lies during a call.
pub(in crate::pipeline) struct Handover {
    lane: Sender<LaneMessage>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    parked: Option<Parked>,
    calls: u64,
    /// Threads that have taken the lane up. More than one only after several hung calls.
    successors: Vec<JoinHandle<()>>,
}

/// A lane during a call.
struct Parked {
    lane: Box<Lane>,
    messages: Receiver<LaneMessage>,
    source: Source,
    call: Call,
    /// Names the call: whoever comes back with another number comes too late.
    number: u64,
    method: &'static str,
    began: Instant,
}

/// What the calling thread needs.
pub(super) struct Errand {
    pub(super) caller: Arc<Caller>,
    /// In the order of the call.
    pub(super) records: Vec<RecordRef>,
    pub(super) bytes_max: u64,
}

impl Handover {
    pub(super) fn new(lane: Sender<LaneMessage>) -> Self {
        Self { lane, state: Mutex::default() }
    }

    /// Lets a lane work until it is told to quit, or until its publisher hangs and another thread has it.
    pub(in crate::pipeline) fn run(&self, lane: Lane, messages: Receiver<LaneMessage>) {
        self.work(Box::new(lane), messages);
    }

    fn work(&self, lane: Box<Lane>, messages: Receiver<LaneMessage>) {
        let mut at_work = Some((lane, messages));
        while let Some((mut lane, messages)) = at_work {
            at_work = match lane.turn(&messages) {
                Turn::Ended => None,
                Turn::Done => Some((lane, messages)),
                Turn::Call(source, call) => self.call(lane, messages, source, call),
            };
        }
    }

    /// Makes a call. `None` when it took so long that another thread has the lane.
    fn call(
        &self,
        lane: Box<Lane>,
        messages: Receiver<LaneMessage>,
        source: Source,
        call: Call,
    ) -> Option<(Box<Lane>, Receiver<LaneMessage>)> {
        let errand = lane.errand(source, &call);
        let (attempt, timeout) = (call.attempt, call.timeout);
        let number = {
            let mut state = self.lock();
            state.calls += 1;
            let (number, method, began) = (state.calls, "publish", Instant::now());
            state.parked = Some(Parked { lane, messages, source, call, number, method, began });
            number
        };
        let mut answers = errand.publish(attempt, timeout);
        if let Answers::Each(each) = &mut answers
            && each.iter().any(Result::is_ok)
            && self.goes_on(number)
        {
            *each = after_flush(std::mem::take(each), &errand.caller.flush(timeout));
        }
        let Some(Parked { mut lane, messages, source, call, .. }) =
            self.lock().parked.take_if(|parked| parked.number == number)
        else {
            // Told before anything is dropped: what is called next is not this thread's business.
            let _ = self.lane.send(LaneMessage::Returned);
            return None;
        };
        lane.answered(source, &call, errand.records, answers);
        Some((lane, messages))
    }

    /// Begins the second half of a call; false when nobody waits for it any more.
    fn goes_on(&self, number: u64) -> bool {
        let mut state = self.lock();
        let Some(parked) = state.parked.as_mut().filter(|parked| parked.number == number) else {
            return false;
        };
        (parked.method, parked.began) = ("flush", Instant::now());
        true
    }

    /// Takes the lane up if its call is overdue, and lets it work on a thread of its own.
    pub(in crate::pipeline) fn relieve(self: &Arc<Self>, name: &str, shared: &Arc<Shared>) {
        let overdue = |parked: &mut Parked| parked.began.elapsed() > parked.call.timeout + GRACE;
        let Some(parked) = self.lock().parked.take_if(overdue) else { return };
        let (lane, messages) = parked.give_up();
        let (own, of) = (Arc::clone(self), Arc::clone(shared));
        let contained = move || {
            if let Err(message) = catch(|| own.work(lane, messages)) {
                of.fail(&format!("the thread of a publisher panicked: {message}; please report this"));
            }
        };
        match std::thread::Builder::new().name(format!("mfn-publisher-{name}")).spawn(contained) {
            Ok(thread) => {
                let successors = &mut self.lock().successors;
                successors.retain(|thread| !thread.is_finished());
                successors.push(thread);
            }
            Err(error) => shared.fail(&format!("{name}: no thread to go on with: {error}")),
        }
    }

    /// Ends a lane whose call has not come back when everything else is over: what it holds is let go, a spool
    /// for instance, and what was in the call stays open and comes again.
    pub(in crate::pipeline) fn abandon(&self) {
        let parked = self.lock().parked.take();
        if let Some(parked) = parked {
            let (mut lane, _messages) = parked.give_up();
            lane.halt();
        }
    }

    /// The threads that have taken the lane up, for whoever waits for their end.
    pub(in crate::pipeline) fn take_successors(&self) -> Vec<JoinHandle<()>> {
        std::mem::take(&mut self.lock().successors)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Parked {
    /// Settles the call as unknown.
    fn give_up(self) -> (Box<Lane>, Receiver<LaneMessage>) {
        let Self { mut lane, messages, source, call, method, began, .. } = self;
        lane.hung(source, &call, method, began.elapsed());
        (lane, messages)
    }
}

impl Errand {
    fn publish(&self, attempt: u32, timeout: Duration) -> Answers {
        match self.records.as_slice() {
            [record] if record.payload.len() as u64 > self.bytes_max => {
                Answers::Whole(self.caller.too_large(record.payload.len() as u64, self.bytes_max))
            }
            records => self.caller.publish(records, attempt, timeout),
        }
    }
}
