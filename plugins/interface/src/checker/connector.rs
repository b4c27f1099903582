//! What a connector has to keep.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use super::{Bench, Report, Setup};
use crate::{
    author::{Connector, Shield},
    value::{Batch, BatchToken, Fetch, FetchLimits, Verdict},
};

const BYTES_MANY: u64 = 1 << 30;

/// Checks a connector whose source holds at least three records. It settles some and leaves some.
#[must_use]
pub fn connector<T: Connector>(setup: &Setup) -> Report {
    let mut bench = Bench::new(setup);
    bench.life::<T>();
    if let Some(left) = settlement::<T>(&mut bench)
        && setup.survives_restart
    {
        restart::<T>(&mut bench, &left);
    }
    bench.report
}

fn limits(records_max: u32, bytes_max: u64, timeout: Duration) -> FetchLimits {
    FetchLimits { records_max, bytes_max, timeout }
}

/// One fetch, judged by what holds for every batch.
fn fetch<T: Connector>(bench: &mut Bench<'_>, source: &Shield<T>, limits: FetchLimits) -> Option<Fetch> {
    let fetched = bench
        .in_time("fetch-in-time", limits.timeout, || source.call("fetch", |object| object.fetch(limits)));
    let fetched = bench.succeed("fetch", fetched)?;
    if let Fetch::Batch(batch) = &fetched {
        let records = batch.records.len();
        let bytes: usize = batch.records.iter().map(|record| record.payload.len()).sum();
        bench.expect("batch-not-empty", records > 0, || "a batch without records".to_owned());
        bench.expect("limits-records", records <= limits.records_max as usize, || {
            format!("{records} records; {} were asked for", limits.records_max)
        });
        bench.expect("limits-bytes", records <= 1 || bytes as u64 <= limits.bytes_max, || {
            format!("{bytes} bytes in {records} records; {} were asked for", limits.bytes_max)
        });
        let ids: HashSet<_> = batch.records.iter().map(|record| &record.id).collect();
        bench.expect("record-ids", ids.len() == records && !ids.iter().any(|id| id.is_empty()), || {
            format!("empty or repeated ids: {ids:?}")
        });
    }
    Some(fetched)
}

/// Waits for a batch of one record.
fn next<T: Connector>(bench: &mut Bench<'_>, source: &Shield<T>) -> Option<Batch> {
    let end = Instant::now() + bench.setup.patience;
    while Instant::now() < end {
        match fetch(bench, source, limits(1, BYTES_MANY, Duration::from_millis(100)))? {
            Fetch::Batch(batch) => return Some(batch),
            Fetch::Empty => {}
            Fetch::End => return None,
        }
    }
    None
}

fn id(batch: &Batch) -> String {
    batch.records.first().map(|record| record.id.clone()).unwrap_or_default()
}

/// Takes three records through every fate. Gives the id of one that was left unsettled.
fn settlement<T: Connector>(bench: &mut Bench<'_>) -> Option<String> {
    let source = bench.open::<T>()?;
    let batches: Vec<Batch> = (0..3).map_while(|_| next(bench, &source)).collect();
    bench.expect("three-records", batches.len() == 3, || {
        format!("the source brought {} records, the check needs 3", batches.len())
    });
    let Ok([first, second, third]) = <[Batch; 3]>::try_from(batches) else { return None };
    let tokens = HashSet::from([first.token, second.token, third.token]);
    bench.expect("tokens-differ", tokens.len() == 3, || format!("{tokens:?} for three batches"));
    let ids = HashSet::from([id(&first), id(&second), id(&third)]);
    bench.expect("outstanding-once", ids.len() == 3, || format!("{ids:?} came in three batches at once"));

    let settle = |token, verdicts: &[Verdict]| source.call("settle", |object| object.settle(token, verdicts));
    bench.refuse(
        "settle-counts",
        "two verdicts for one record",
        settle(first.token, &[Verdict::Ack, Verdict::Ack]),
    );
    bench.refuse("settle-counts", "no verdict for one record", settle(first.token, &[]));
    let unknown = BatchToken(tokens.iter().map(|token| token.0).max().unwrap_or(0).wrapping_add(1 << 40));
    bench.refuse("settle-unknown", "a token that was never given", settle(unknown, &[Verdict::Ack]));
    bench.succeed("settle-ack", settle(first.token, &[Verdict::Ack]));
    bench.refuse("settle-once", "a token that is spent", settle(first.token, &[Verdict::Ack]));
    bench.succeed("settle-nack", settle(second.token, &[Verdict::Nack { delay: Duration::ZERO }]));
    // Now at least the nacked record waits, so a pause that does not hold shows.
    pause(bench, &source);
    nacked_comes_again(bench, &source, &id(&second));
    position(bench, &source, &first.partition);
    bench.close("close-twice", &source);
    Some(id(&third))
}

/// A nacked record comes again under the same id; what else comes on the way is given back.
fn nacked_comes_again<T: Connector>(bench: &mut Bench<'_>, source: &Shield<T>, nacked: &str) {
    let end = Instant::now() + bench.setup.patience;
    let mut others = Vec::new();
    let mut seen = false;
    while !seen && Instant::now() < end {
        let Some(batch) = next(bench, source) else { break };
        seen = id(&batch) == nacked;
        others.push(batch.token);
    }
    bench.expect("nack-comes-again", seen, || format!("{nacked:?} was nacked and did not come again"));
    for token in others {
        let reject = Verdict::Reject { reason: "the checker is done with it".to_owned() };
        let settled = source.call("settle", |object| object.settle(token, &[reject]));
        bench.succeed("settle-reject", settled);
    }
}

fn position<T: Connector>(bench: &mut Bench<'_>, source: &Shield<T>, partition: &str) {
    let position = source.call("position", |object| object.position(partition));
    if let Some(position) = bench.succeed("position", position) {
        bench.expect("position-size", position.len() <= 4096, || format!("{} bytes", position.len()));
    }
    let unknown = source.call("position", |object| object.position("mfn-checker/no/such/partition"));
    bench.refuse("position-unknown", "a partition that does not exist", unknown);
}

fn pause<T: Connector>(bench: &mut Bench<'_>, source: &Shield<T>) {
    let paused = source.call("pause", T::pause);
    bench.succeed("pause", paused);
    let fetched = fetch(bench, source, limits(1, BYTES_MANY, Duration::from_millis(50)));
    bench.expect("pause-holds", !matches!(fetched, Some(Fetch::Batch(_))), || {
        "a batch came while paused".to_owned()
    });
    let resumed = source.call("resume", T::resume);
    bench.succeed("resume", resumed);
}

/// A new instance over the same source brings what was left unsettled.
fn restart<T: Connector>(bench: &mut Bench<'_>, left: &str) {
    let Some(source) = bench.open::<T>() else { return };
    // Small limits on bytes: every batch may hold one record only.
    let end = Instant::now() + bench.setup.patience;
    let mut came = false;
    while !came && Instant::now() < end {
        match fetch(bench, &source, limits(100, 1, Duration::from_millis(100))) {
            Some(Fetch::Batch(batch)) => came = batch.records.iter().any(|record| record.id == left),
            Some(Fetch::Empty) => {}
            Some(Fetch::End) | None => break,
        }
    }
    bench.expect("restart-brings-unsettled", came, || {
        format!("{left:?} was never settled and did not come to a new instance")
    });
    bench.close("close-twice", &source);
}
