//! The computing half of a route: which record is next, when it may begin, and what came of it.

use std::sync::Arc;

use super::budget::Permit;
use super::record_ref::RecordRef;
use super::route::{Done, Message, Route, Summary};
use super::work::{self, Evaluated, Unfit, WorkContext, WorkEnd};
use crate::codec::Observation;
use crate::delivery::{BatchId, Computed, Event};
use crate::log::LogLevel;

/// A record that can be computed.
pub(super) struct Admitted {
    batch: BatchId,
    record: usize,
    request: RecordRef,
    observation: Observation,
}

impl Route {
    /// Starts as many computations as there are threads and room for.
    pub(super) fn start_computations(&mut self) {
        while self.running < self.parts.pool.current_num_threads() {
            let Some(admitted) = self.admitted.take().or_else(|| self.admit_next()) else { return };
            let bytes = work::working_bytes(&admitted.observation);
            let Some(permit) = self.parts.shared.budget.reserve_work(bytes) else {
                self.admitted = Some(admitted);
                return;
            };
            self.running += 1;
            self.spawn(admitted, permit);
        }
    }

    /// The next record that can be computed; those before it that can not are done with here.
    fn admit_next(&mut self) -> Option<Admitted> {
        while let Some((batch, record)) = self.queue.pop() {
            let Some(request) = self.request(batch, record) else { continue };
            match work::admit(&request, &self.parts.limits) {
                Ok(observation) => return Some(Admitted { batch, record, request, observation }),
                Err(unfit) => self.unfit(batch, record, &unfit),
            }
        }
        None
    }

    pub(super) fn request(&self, batch: BatchId, record: usize) -> Option<RecordRef> {
        self.batches.get(&batch)?.requests.get(record).cloned()
    }

    fn spawn(&self, admitted: Admitted, mut permit: Permit) {
        let Admitted { batch, record, request, observation } = admitted;
        let shared = Arc::clone(&self.parts.shared);
        let route = self.parts.config.name.clone();
        let include_field = self.parts.config.output.field;
        let own = self.parts.own.clone();
        let sequence = self.batches.get(&batch).map_or(0, |batch| batch.first_sequence) + record as u64;
        // Sequences count within a route; routes take turns so that none is shown in another's place.
        let key = sequence * 64 + self.parts.index as u64;
        self.parts.pool.spawn(move || {
            let steps_total = match &observation {
                Observation::Simulation(spec) => spec.steps,
                Observation::Field(_) => 0,
            };
            let active = shared.activate(key, &request.id, steps_total);
            let mut control = |progress| active.control(progress);
            let context = WorkContext { route: &route, include_field, control: &mut control };
            let end = work::evaluate(&request, observation, context);
            let left = match &end {
                WorkEnd::Done(done) => {
                    shared.offer_snapshot(key, &done.snapshot);
                    done.record.payload.len() as u64
                }
                WorkEnd::Unfit(_) | WorkEnd::Cancelled => 0,
            };
            permit.finish_work(left);
            drop(active);
            // A route that is gone has given the batch up.
            let _ = own.send(Message::Computed { batch, record, end: Box::new(end), permit });
        });
    }

    pub(super) fn computed(&mut self, batch: BatchId, record: usize, end: WorkEnd, permit: Permit) {
        self.running = self.running.saturating_sub(1);
        let result = match end {
            WorkEnd::Done(done) => {
                self.done(batch, record, done, permit);
                Computed::Ready
            }
            WorkEnd::Unfit(unfit) => return self.unfit(batch, record, &unfit),
            WorkEnd::Cancelled => Computed::Cancelled,
        };
        self.handle(Event::Computed { batch, record, result });
    }

    fn done(&mut self, batch: BatchId, record: usize, done: Evaluated, permit: Permit) {
        let Evaluated { snapshot, record: result, duration } = done;
        let result = RecordRef::new(result);
        let metrics = &self.parts.simulations;
        metrics.fractal_dimension.observe(snapshot.features().d_box);
        if let Some(statistics) = snapshot.statistics() {
            metrics.growth_events.add_count(statistics.growth_events);
            metrics.observe_duration(duration);
        }
        let summary = Summary {
            features: *snapshot.features(),
            statistics: snapshot.statistics().copied(),
            compute_ms: duration.as_secs_f64() * 1e3,
        };
        let Some(in_flight) = self.batches.get_mut(&batch) else { return };
        for events in &self.parts.events {
            events.offer(&self.topic, &result);
        }
        if let Some(place) = in_flight.results.get_mut(record) {
            *place = Some(Done { record: result, summary, permit });
        }
    }

    pub(super) fn unfit(&mut self, batch: BatchId, record: usize, unfit: &Unfit) {
        let reason = unfit.reason();
        if let Some(request) = self.request(batch, record) {
            let id = work::one_line(&request.id);
            self.parts.shared.log.write_fields(
                LogLevel::Warn,
                "mfn_runtime::pipeline",
                "a request can not be done",
                &[
                    ("route", &self.parts.config.name),
                    ("request", &id),
                    ("code", unfit.code()),
                    ("reason", &reason),
                ],
            );
        }
        self.handle(Event::Computed { batch, record, result: Computed::Unfit { reason } });
    }
}
