//! What the runtime itself costs for each forwarded record: the real pipeline between a connector and a
//! publisher that live in memory, against a plain loop over the same two.
//!
//! `cargo run --release -p mfn-runtime --example forward_cost -- [RECORDS] [PAYLOAD_BYTES] [BATCH] [DURABILITY]`
//!
//! DURABILITY is `delivered` (the default), `accepted` or `spooled`; the spool lies in a temporary directory.
//!
//! Prints nanoseconds of wall time and of processor time per record for both, and their difference: the
//! plain loop pays for making and dropping the records as well, so the difference is the runtime's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mfn_plugin::value::{
    Batch, BatchToken, Drained, Endpoint, Fetch, FetchLimits, Health, Idempotence, Ordering as Order,
    PublishContext, PublisherTraits, Record, RecordResult, RecordView, Verdict,
};
use mfn_runtime::component::{Component, Connector, Publisher, Result};
use mfn_runtime::pipeline::Components;
use mfn_runtime::{Pipeline, PipelineConfig, PipelineState, Runtime, RuntimeOptions};

/// Makes records until it has made enough.
struct Maker {
    records: u64,
    payload_bytes: usize,
    made: AtomicU64,
    settled: AtomicU64,
}

/// Takes records and counts them.
#[derive(Default)]
struct Taker {
    taken: AtomicU64,
    calls: AtomicU64,
}

macro_rules! component {
    ($type:ty, $name:literal) => {
        impl Component for $type {
            fn name(&self) -> &str {
                $name
            }
            fn plugin(&self) -> &str {
                "memory"
            }
            fn open(&self) -> Result<()> {
                Ok(())
            }
            fn health(&self) -> Health {
                Health::ready()
            }
            fn check(&self) -> Result<()> {
                Ok(())
            }
            fn endpoints(&self) -> Result<Vec<Endpoint>> {
                Ok(Vec::new())
            }
            fn drain(&self, _: Duration) -> Result<Drained> {
                Ok(Drained::default())
            }
            fn close(&self) -> Result<()> {
                Ok(())
            }
        }
    };
}

component!(Maker, "in");
component!(Taker, "out");

impl Connector for Maker {
    fn fetch(&self, limits: FetchLimits) -> Result<Fetch> {
        let first = self.made.load(Ordering::Relaxed);
        let fitting = limits.bytes_max / self.payload_bytes.max(1) as u64;
        let count = u64::from(limits.records_max).min(fitting.max(1)).min(self.records - first);
        if count == 0 {
            let all_settled = self.settled.load(Ordering::Relaxed) == self.records;
            return Ok(if all_settled { Fetch::End } else { Fetch::Empty });
        }
        self.made.store(first + count, Ordering::Relaxed);
        let record = |number: u64| Record {
            id: format!("{number:016}"),
            payload: vec![b'x'; self.payload_bytes],
            content_type: "application/octet-stream".to_owned(),
            ..Record::default()
        };
        let records = (first..first + count).map(record).collect();
        Ok(Fetch::Batch(Batch { token: BatchToken(first), partition: "0".into(), epoch: 1, records }))
    }

    fn settle(&self, _: BatchToken, verdicts: &[Verdict]) -> Result<()> {
        self.settled.fetch_add(verdicts.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    fn position(&self, _: &str) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }

    fn pause(&self) -> Result<()> {
        Ok(())
    }

    fn resume(&self) -> Result<()> {
        Ok(())
    }

    fn backlog(&self) -> Result<Option<u64>> {
        Ok(None)
    }
}

impl Publisher for Taker {
    fn traits(&self) -> Result<PublisherTraits> {
        let (ordering, idempotence) = (Order::None, Idempotence::Key);
        Ok(PublisherTraits { records_max: 10_000, bytes_max: 1 << 30, ordering, idempotence })
    }

    fn publish(&self, records: &[RecordView<'_>], _: PublishContext) -> Result<Vec<RecordResult>> {
        self.taken.fetch_add(records.len() as u64, Ordering::Relaxed);
        self.calls.fetch_add(1, Ordering::Relaxed);
        Ok(vec![Ok(()); records.len()])
    }

    fn flush(&self, _: Duration) -> Result<()> {
        Ok(())
    }
}

/// Time that passed and time that the processor worked.
#[derive(Clone, Copy)]
struct Cost {
    wall: Duration,
    processor: Duration,
}

impl Cost {
    fn of(work: impl FnOnce()) -> Self {
        let (wall, processor) = (Instant::now(), processor_time());
        work();
        Self { wall: wall.elapsed(), processor: processor_time().saturating_sub(processor) }
    }

    fn show(&self, what: &str, records: u64) {
        let each = |time: Duration| time.as_nanos() as f64 / records as f64;
        println!("{what:<18} {:>8.0} ns wall {:>8.0} ns cpu", each(self.wall), each(self.processor));
    }
}

/// Processor time of this process so far, to 10 ms.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name, which may hold anything: user and system time are the 12th and 13th field.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    let ticks: u64 = fields.filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// The least that can be done: fetch, publish, flush, settle, one after another.
fn plain(maker: &Maker, taker: &Taker, batch: u32) -> Result<()> {
    let limits = FetchLimits { records_max: batch, bytes_max: 1 << 20, timeout: Duration::ZERO };
    let context = PublishContext { attempt: 1, timeout: Duration::from_secs(30) };
    while let Fetch::Batch(batch) = maker.fetch(limits)? {
        let views: Vec<RecordView<'_>> = batch.records.iter().map(Record::view).collect();
        taker.publish(&views, context)?;
        taker.flush(context.timeout)?;
        maker.settle(batch.token, &vec![Verdict::Ack; batch.records.len()])?;
    }
    Ok(())
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |default: u64| arguments.next().map_or(Ok(default), |argument| argument.parse::<u64>());
    let (records, payload_bytes, batch) = (next(2_000_000)?, next(1024)? as usize, next(500)? as u32);
    let durability = arguments.next().unwrap_or_else(|| "delivered".to_owned());
    let directory = tempfile::tempdir()?;
    let maker =
        |records| Maker { records, payload_bytes, made: AtomicU64::new(0), settled: AtomicU64::new(0) };

    // Once for the allocator, then for the figure.
    plain(&maker(records / 10), &Taker::default(), batch)?;
    let (source, sink) = (maker(records), Taker::default());
    let mut result = Ok(());
    let bound = Cost::of(|| result = plain(&source, &sink, batch));
    result?;

    let document = format!(
        "name = \"cost\"\n[connectors.in]\nplugin = \"memory\"\n[publishers.out]\nplugin = \"memory\"\n\
         [[routes]]\nname = \"all\"\nwork = \"forward\"\nconnectors = [\"in\"]\npublishers = [\"out\"]\n\
         batch_records_max = {batch}\ndurability = \"{durability}\"\n"
    );
    let config = PipelineConfig::from_toml(&document, directory.path())?;
    let runtime = Runtime::new(RuntimeOptions { threads: 1, ..RuntimeOptions::default() })?;
    let (source, sink) = (Arc::new(maker(records)), Arc::new(Taker::default()));
    let mut components = Components::default();
    components.connectors.insert("in".to_owned(), source);
    components.publishers.insert("out".to_owned(), Arc::clone(&sink) as _);
    let pipeline = Pipeline::start_with(&runtime, config, components)?;
    let through = Cost::of(|| {
        let state = pipeline.wait(Duration::from_secs(600));
        assert_eq!(state, PipelineState::Finished, "{:?}", pipeline.status());
    });
    let status = pipeline.status();
    assert_eq!((status.delivered, sink.taken.load(Ordering::Relaxed)), (records, records));

    println!("{records} records of {payload_bytes} bytes, fetched by {batch}, {durability}");
    bound.show("plain loop", records);
    through.show("pipeline", records);
    let processor = through.processor.saturating_sub(bound.processor);
    let wall = through.wall.saturating_sub(bound.wall);
    Cost { wall, processor }.show("runtime's own", records);
    let calls = sink.calls.load(Ordering::Relaxed);
    println!(
        "{:.0} records per publish call, peak {} bytes",
        records as f64 / calls as f64,
        status.bytes_in_flight_peak
    );
    Ok(())
}
