//! What a publisher, a transport and an exporter have to keep.

use std::time::Duration;

use super::{Bench, Report, Setup};
use crate::{
    author::{Exporter, Publisher, Shield, Transport},
    value::{PublishContext, RecordView},
};

const TIMEOUT: Duration = Duration::from_secs(10);

/// Checks a publisher that has to take the records of the setup.
#[must_use]
pub fn publisher<T: Publisher>(setup: &Setup) -> Report {
    let mut bench = Bench::new(setup);
    bench.life::<T>();
    let Some(target) = bench.open::<T>() else { return bench.report };
    let traits = || target.call("traits", |object| Ok(object.traits()));
    let (first, second) = (traits(), traits());
    bench.expect("traits-are-constant", first == second, || format!("{first:?}, then {second:?}"));
    let Some(traits) = bench.succeed("traits", first) else { return bench.report };
    bench.expect("traits-allow-a-record", traits.records_max > 0 && traits.bytes_max > 0, || {
        format!("{} records, {} bytes", traits.records_max, traits.bytes_max)
    });

    let views: Vec<RecordView<'_>> = setup.records.iter().map(crate::value::Record::view).collect();
    let together = views.len().min(traits.records_max as usize);
    for (count, attempt) in [(0, 1), (1.min(together), 1), (together, 1), (together, 2)] {
        publish(&mut bench, &target, views.get(..count).unwrap_or_default(), attempt);
    }
    for _ in 0..2 {
        let flushed =
            bench.in_time("flush-in-time", TIMEOUT, || target.call("flush", |object| object.flush(TIMEOUT)));
        bench.succeed("flush", flushed);
    }
    bench.close("close-twice", &target);
    bench.report
}

fn publish<T: Publisher>(
    bench: &mut Bench<'_>,
    target: &Shield<T>,
    records: &[RecordView<'_>],
    attempt: u32,
) {
    let context = PublishContext { attempt, timeout: TIMEOUT };
    let answers = bench.in_time("publish-in-time", TIMEOUT, || {
        target.call("publish", |object| object.publish(records, context))
    });
    let Some(answers) = bench.succeed("publish", answers) else { return };
    bench.expect("one-answer-per-record", answers.len() == records.len(), || {
        format!("{} answers for {} records", answers.len(), records.len())
    });
    for (record, answer) in records.iter().zip(answers) {
        bench.expect("takes-the-records", answer.is_ok(), || {
            format!("{}: {}", record.id, answer.err().map(|error| error.message).unwrap_or_default())
        });
    }
}

/// Checks a transport that has to take the records of the setup as events.
#[must_use]
pub fn transport<T: Transport>(setup: &Setup) -> Report {
    let mut bench = Bench::new(setup);
    bench.life::<T>();
    let Some(target) = bench.open::<T>() else { return bench.report };
    let mut previous: Option<crate::value::Cursor> = None;
    for record in &setup.records {
        // No client may hold the caller back, so no time is given beyond the grace.
        let published = bench.in_time("publish-waits-for-nobody", Duration::ZERO, || {
            target.call("publish", |object| object.publish("mfn-checker", &record.view()))
        });
        let Some(cursor) = bench.succeed("publish", published) else { continue };
        bench
            .expect("cursors-count", cursor.sequence >= 1 && !cursor.epoch.is_empty(), || cursor.to_string());
        if let Some(previous) = previous {
            let follows = cursor.epoch == previous.epoch && cursor.sequence > previous.sequence;
            bench.expect("cursors-ascend", follows, || format!("{cursor} after {previous}"));
        }
        previous = Some(cursor);
    }
    bench.close("close-twice", &target);
    bench.report
}

/// Checks an exporter.
#[must_use]
pub fn exporter<T: Exporter>(setup: &Setup) -> Report {
    let mut bench = Bench::new(setup);
    bench.life::<T>();
    let Some(target) = bench.open::<T>() else { return bench.report };
    let flushed =
        bench.in_time("flush-in-time", TIMEOUT, || target.call("flush", |object| object.flush(TIMEOUT)));
    bench.succeed("flush", flushed);
    bench.close("close-twice", &target);
    bench.report
}
