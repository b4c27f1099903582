//! The spool of a route: one thread that writes what the route settles, and the cursors that publishers read
//! by.
//!
//! The thread makes many batches durable with one fsync: what comes while the disk works waits for the next.
//! A full spool or a full disk is waited for: the batches keep their part of the byte budget, so the
//! connectors are not fetched from, and everything goes on by itself when there is room again.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mfn_plugin::value::{ErrorClass, RecordView};

use super::lane::{LaneView, Waker};
use super::ledger::Ledger;
use super::record_ref::RecordRef;
use super::shared::Shared;
use crate::config::{RouteConfig, SpoolConfig};
use crate::delivery::{Answer, Refusal};
use crate::log::LogLevel;
use crate::metrics::RouteMetrics;
use crate::spool::{Cursor, Spool, SpoolError, SpoolOptions};

/// How long to wait for room before looking again.
const FULL_PAUSE: Duration = Duration::from_millis(50);
/// How often space is freed behind the cursors.
const TRIM_PAUSE: Duration = Duration::from_millis(250);
/// Batches that share one fsync, at most.
const GROUP_MAX: usize = 256;
/// Records that a cursor nobody waits for is moved on by at a time.
const SKIP_RECORDS: usize = 1000;

/// What the spool's thread is told.
pub(super) enum SpoolMessage {
    Job(SpoolJob),
    /// Give back what is not durable.
    Halt,
    Quit,
}

/// Records to be made durable together.
pub(super) struct SpoolJob {
    pub(super) records: Vec<RecordRef>,
    pub(super) answer: Box<dyn FnOnce(Vec<Answer>) + Send>,
}

/// Cursors that their lanes read by.
type SharedCursors = Vec<Arc<Mutex<Cursor>>>;

/// The spool of one route and everybody who has to do with it.
pub(super) struct SpoolHub {
    pub(super) route: String,
    pub(super) spool: Spool,
    pub(super) ledger: Arc<Ledger>,
    shared: Arc<Shared>,
    metrics: RouteMetrics,
    /// The feeds of all publishers of the route.
    wakers: Mutex<Vec<Waker>>,
    /// The publishers that must have everything, in their order.
    critical: Mutex<Vec<Arc<LaneView>>>,
    /// The cursors of publishers that nobody waits for.
    best_effort: Mutex<Vec<BestEffort>>,
    noted: Mutex<Option<Instant>>,
}

impl SpoolHub {
    /// Opens the spool of a route, with a cursor for each of its publishers.
    pub(super) fn open(
        config: &RouteConfig,
        base: &Path,
        shared: &Arc<Shared>,
        metrics: RouteMetrics,
    ) -> Result<(Arc<Self>, SharedCursors), SpoolError> {
        let route = config.name.as_str();
        let SpoolConfig { directory, bytes_max } = config.spool.clone().unwrap_or_default();
        let (spool, report) = Spool::open(&base.join(directory).join(route), SpoolOptions::new(bytes_max))?;
        let used: Vec<&String> = config.publishers.iter().chain(&config.best_effort).collect();
        for (name, _) in spool.cursors() {
            if !used.contains(&&name) {
                shared.log(
                    LogLevel::Warn,
                    &format!("route {route}: the spool forgets {name}, which is not configured any more"),
                );
                spool.remove_cursor(&name)?;
            }
        }
        let mut cursors = Vec::new();
        for name in used {
            cursors.push(Arc::new(Mutex::new(spool.cursor(name)?)));
        }
        let committed = |cursor: &Arc<Mutex<Cursor>>| lock(cursor).committed();
        let positions = cursors.iter().take(config.publishers.len()).map(committed).collect();
        let ledger = Arc::new(Ledger::new(report.next_id, positions));
        let fates = ledger.fates();
        if fates.recovered + report.damaged + report.truncated_bytes > 0 {
            let message = format!(
                "route {route}: the spool has {} records to deliver, {} damaged, {} bytes cut off",
                fates.recovered, report.damaged, report.truncated_bytes
            );
            shared.log(if report.damaged > 0 { LogLevel::Warn } else { LogLevel::Info }, &message);
        }
        let hub = Self {
            route: route.to_owned(),
            spool,
            ledger,
            shared: Arc::clone(shared),
            metrics,
            wakers: Mutex::default(),
            critical: Mutex::default(),
            best_effort: Mutex::default(),
            noted: Mutex::default(),
        };
        Ok((Arc::new(hub), cursors))
    }

    /// Adds a feed that is to be woken when there is something to read.
    pub(super) fn add(&self, waker: Waker) {
        lock(&self.wakers).push(waker);
    }

    /// Adds a publisher that must have everything.
    pub(super) fn add_critical(&self, view: Arc<LaneView>) {
        lock(&self.critical).push(view);
    }

    /// Whether something of the spool is on its way to a publisher that takes it.
    pub(super) fn is_moving(&self) -> bool {
        let lanes = lock(&self.critical);
        lanes.iter().enumerate().any(|(place, view)| self.ledger.is_behind(place) && !view.is_impeded())
    }

    /// Adds a cursor that is moved on when the spool is full.
    pub(super) fn add_best_effort(&self, cursor: Arc<Mutex<Cursor>>, view: Arc<LaneView>) {
        lock(&self.best_effort).push(BestEffort { cursor, view });
    }

    /// Notes an error of the disk, at most once a second: it may come with every call.
    pub(super) fn note(&self, error: &SpoolError) {
        let mut noted = lock(&self.noted);
        if noted.is_none_or(|at| at.elapsed() >= Duration::from_secs(1)) {
            *noted = Some(Instant::now());
            drop(noted);
            self.shared.note_error(&format!("route {}: {error}", self.route));
        }
    }

    /// Says that a record will never be taken and has no dead letter.
    pub(super) fn rejected(&self, id: u64, reason: &str) {
        let id = id.to_string();
        self.shared.log.write_fields(
            LogLevel::Warn,
            "mfn_runtime::pipeline",
            "a spooled record is rejected",
            &[("route", &self.route), ("position", &id), ("reason", &super::work::one_line(reason))],
        );
    }

    /// Notes how far a publisher that must have everything is.
    pub(super) fn moved(&self, publisher: usize, next: u64) {
        let new = self.ledger.moved(publisher, next);
        self.metrics.delivered.add_count(new.delivered);
        self.metrics.dead_letters.add_count(new.dead_lettered);
        self.metrics.rejected.add_count(new.rejected);
        if self.ledger.fates().waiting == 0 {
            self.shared.spool_empty();
        }
    }

    fn wake(&self) {
        lock(&self.wakers).iter().for_each(Waker::wake);
    }

    fn trim(&self) -> bool {
        match self.spool.trim() {
            Ok(freed) => freed > 0,
            Err(error) => {
                self.note(&error);
                false
            }
        }
    }

    /// Makes room at the cost of publishers nobody waits for: they lose what everybody else has, the oldest
    /// first, and it is counted.
    fn make_room(&self) -> bool {
        while self.skip() {
            if self.trim() {
                return true;
            }
        }
        false
    }

    /// Moves the cursors of publishers nobody waits for on by a few records; whether one moved.
    fn skip(&self) -> bool {
        let done = self.ledger.done();
        let mut skipped = false;
        for BestEffort { cursor, view } in lock(&self.best_effort).iter() {
            let mut cursor = lock(cursor);
            let before = cursor.committed();
            if before >= done {
                continue;
            }
            let from = cursor.next_id();
            if from < done {
                let records_max = usize::try_from(done - from).unwrap_or(usize::MAX).min(SKIP_RECORDS);
                match cursor.read(records_max, u64::MAX) {
                    Ok(records) => view.dropped(records.len()),
                    Err(error) => self.note(&error),
                }
            }
            skipped |= cursor.commit(cursor.next_id().min(done)).is_ok() && cursor.committed() > before;
        }
        skipped
    }
}

/// A publisher that nobody waits for.
struct BestEffort {
    cursor: Arc<Mutex<Cursor>>,
    view: Arc<LaneView>,
}

/// The thread that writes.
pub(super) struct Writer {
    hub: Arc<SpoolHub>,
    waiting: VecDeque<SpoolJob>,
    /// Appended and not durable yet.
    appended: Vec<SpoolJob>,
    halted: bool,
}

impl Writer {
    pub(super) fn new(hub: Arc<SpoolHub>) -> Self {
        Self { hub, waiting: VecDeque::new(), appended: Vec::new(), halted: false }
    }

    /// Works until it is told to quit.
    pub(super) fn run(mut self, messages: &Receiver<SpoolMessage>) {
        let mut trim_at = Instant::now();
        loop {
            let stuck = !self.waiting.is_empty() || !self.appended.is_empty();
            let message = messages.recv_timeout(if stuck { FULL_PAUSE } else { TRIM_PAUSE });
            if self.take(message.map_err(|error| error == RecvTimeoutError::Disconnected)).is_break() {
                break;
            }
            while self.waiting.len() < GROUP_MAX {
                match messages.try_recv() {
                    Ok(message) => {
                        if self.take(Ok(message)).is_break() {
                            self.hub.end();
                            return;
                        }
                    }
                    Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
                }
            }
            self.write();
            if Instant::now() >= trim_at {
                trim_at = Instant::now() + TRIM_PAUSE;
                self.hub.trim();
            }
        }
        self.hub.end();
    }

    /// Takes a message in; the error says whether nobody can send any more.
    fn take(&mut self, message: Result<SpoolMessage, bool>) -> ControlFlow<()> {
        match message {
            Ok(SpoolMessage::Job(job)) => self.waiting.push_back(job),
            Ok(SpoolMessage::Halt) => self.halted = true,
            Err(false) => {}
            Ok(SpoolMessage::Quit) | Err(true) => return ControlFlow::Break(()),
        }
        ControlFlow::Continue(())
    }

    fn write(&mut self) {
        while let Some(job) = self.waiting.front() {
            let records: Vec<RecordView<'_>> = job.records.iter().map(RecordRef::view).collect();
            let appended = self.hub.spool.append_views(&records);
            match appended {
                Ok(_) => self.appended.extend(self.waiting.pop_front()),
                Err(SpoolError::TooLarge { .. }) => self.too_large(),
                Err(error) => {
                    let full = matches!(error, SpoolError::Full { .. });
                    if full && (self.hub.trim() || self.hub.make_room()) {
                        continue;
                    }
                    self.hub.note(&error);
                    break;
                }
            }
        }
        self.sync();
        if self.halted {
            // Not durable, or not known to be: to come again, under the same ids.
            for job in self.appended.drain(..).chain(self.waiting.drain(..)) {
                let reason = "the pipeline ended before the record was spooled".to_owned();
                refuse(job, &Refusal { class: ErrorClass::Cancelled, reason, retry_after: None });
            }
        }
    }

    fn sync(&mut self) {
        if self.appended.is_empty() {
            return;
        }
        match self.hub.spool.sync() {
            Ok(next) => {
                self.hub.ledger.appended(next);
                for job in self.appended.drain(..) {
                    let answers = vec![Ok(()); job.records.len()];
                    (job.answer)(answers);
                }
                self.hub.wake();
            }
            Err(error) => self.hub.note(&error),
        }
    }

    /// The first job does not fit into any spool of this size: its records go one by one, and what does not
    /// fit even so is refused for good.
    fn too_large(&mut self) {
        let Some(job) = self.waiting.pop_front() else { return };
        if let [record] = job.records.as_slice() {
            let reason = format!(
                "record of {} bytes is too large for the spool; raise spool.bytes_max",
                record.payload.len()
            );
            refuse(job, &Refusal { class: ErrorClass::Permanent, reason, retry_after: None });
            return;
        }
        let parts = Arc::new(Mutex::new((vec![None; job.records.len()], Some(job.answer))));
        for (index, record) in job.records.into_iter().enumerate().rev() {
            let parts = Arc::clone(&parts);
            let answer = Box::new(move |answers: Vec<Answer>| {
                let mut parts = lock(&parts);
                if let (Some(place), Some(answer)) = (parts.0.get_mut(index), answers.into_iter().next()) {
                    *place = Some(answer);
                }
                if parts.0.iter().all(Option::is_some)
                    && let Some(answer) = parts.1.take()
                {
                    answer(std::mem::take(&mut parts.0).into_iter().flatten().collect());
                }
            });
            self.waiting.push_front(SpoolJob { records: vec![record], answer });
        }
    }
}

impl SpoolHub {
    /// Makes durable how far everybody is.
    pub(super) fn end(&self) {
        if let Err(error) = self.spool.sync_cursors() {
            self.note(&error);
        }
    }
}

fn refuse(job: SpoolJob, refusal: &Refusal) {
    let answers = vec![Err(refusal.clone()); job.records.len()];
    (job.answer)(answers);
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The way to a spool's thread.
#[derive(Clone)]
pub(super) struct SpoolHandle {
    pub(super) hub: Arc<SpoolHub>,
    pub(super) sender: Sender<SpoolMessage>,
}

impl SpoolHandle {
    pub(super) fn tell(&self, message: SpoolMessage) {
        // The thread lives until it is told to quit, and then nobody waits for its answers any more.
        let _ = self.sender.send(message);
    }
}
