//! The `#[repr(C)]` twins of the plain values, with their conversions in both directions.
//!
//! abi_stable's derive writes unsafe code and its own naming, hence the allowances.
#![allow(unsafe_code, non_local_definitions, missing_docs, clippy::used_underscore_binding)]

use std::time::Duration;

use abi_stable::{
    StableAbi,
    std_types::{RNone, ROption, RResult, RSlice, RSome, RStr, RString, RVec, Tuple2},
};

use crate::{
    metric::{MetricFamily, MetricKind, MetricSample, MetricValue},
    value::{
        Batch, BatchToken, Cursor, Drained, Endpoint, ErrorClass, Fetch, HeaderList, Health, HealthState,
        Idempotence, Ordering, PluginError, PublisherTraits, Record, RecordResult, RecordView, Verdict,
    },
};

/// What every fallible call across the boundary answers.
pub type SResult<T> = RResult<T, SError>;

/// See [`PluginError`].
#[repr(C)]
#[derive(Debug, Clone, StableAbi)]
pub struct SError {
    pub class: i32,
    pub message: RString,
    pub retry_after_ms: ROption<u64>,
}

impl From<PluginError> for SError {
    fn from(error: PluginError) -> Self {
        Self {
            class: error.class.code(),
            message: error.message.into(),
            retry_after_ms: error.retry_after.map(duration_ms).into(),
        }
    }
}

impl From<SError> for PluginError {
    fn from(error: SError) -> Self {
        Self {
            class: ErrorClass::from_code(error.class),
            message: error.message.into(),
            retry_after: error.retry_after_ms.into_option().map(Duration::from_millis),
        }
    }
}

/// Whole milliseconds, saturating: a time-out above 500 million years may be cut.
#[must_use]
pub fn duration_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// See [`Record`].
#[repr(C)]
#[derive(Debug, Clone, StableAbi)]
pub struct SRecord {
    pub id: RString,
    pub key: ROption<RVec<u8>>,
    pub payload: RVec<u8>,
    pub content_type: RString,
    pub headers: RVec<Tuple2<RString, RVec<u8>>>,
    pub timestamp_ms: ROption<i64>,
    pub trace_parent: RString,
}

impl From<Record> for SRecord {
    fn from(record: Record) -> Self {
        Self {
            id: record.id.into(),
            key: record.key.map(RVec::from).into(),
            payload: record.payload.into(),
            content_type: record.content_type.into(),
            headers: record
                .headers
                .into_iter()
                .map(|(name, value)| Tuple2(name.into(), value.into()))
                .collect(),
            timestamp_ms: record.timestamp_ms.into(),
            trace_parent: record.trace_parent.into(),
        }
    }
}

impl From<SRecord> for Record {
    fn from(record: SRecord) -> Self {
        Self {
            id: record.id.into(),
            key: record.key.into_option().map(Vec::from),
            payload: record.payload.into(),
            content_type: record.content_type.into(),
            headers: record
                .headers
                .into_iter()
                .map(|Tuple2(name, value)| (name.into(), value.into()))
                .collect(),
            timestamp_ms: record.timestamp_ms.into_option(),
            trace_parent: record.trace_parent.into(),
        }
    }
}

/// One borrowed header.
pub type SHeaderView<'a> = Tuple2<RStr<'a>, RSlice<'a, u8>>;

/// See [`RecordView`]. The headers lie in a vector that the sender keeps for the length of the call.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct SRecordView<'a> {
    pub id: RStr<'a>,
    pub key: ROption<RSlice<'a, u8>>,
    pub payload: RSlice<'a, u8>,
    pub content_type: RStr<'a>,
    pub headers: RSlice<'a, SHeaderView<'a>>,
    pub timestamp_ms: ROption<i64>,
    pub trace_parent: RStr<'a>,
}

/// The headers of records, one record's after the other's, in the form that a [`SRecordView`] borrows.
#[must_use]
pub fn header_views<'a>(views: &[RecordView<'a>]) -> Vec<SHeaderView<'a>> {
    let mut headers = Vec::new();
    list_headers(views, &mut headers);
    headers
}

/// Puts into an empty list what [`header_views`] gives.
pub fn list_headers<'a>(views: &[RecordView<'a>], headers: &mut Vec<SHeaderView<'a>>) {
    headers.reserve(views.iter().map(|view| view.headers.len()).sum());
    for view in views {
        headers.extend(view.headers.iter().map(|(name, value)| Tuple2(name.into(), value.into())));
    }
}

impl<'a> SRecordView<'a> {
    /// Lends a record; `headers` are its part of what [`header_views`] gives.
    #[must_use]
    pub fn new(view: &RecordView<'a>, headers: &'a [SHeaderView<'a>]) -> Self {
        Self {
            id: view.id.into(),
            key: view.key.map(RSlice::from).into(),
            payload: view.payload.into(),
            content_type: view.content_type.into(),
            headers: headers.into(),
            timestamp_ms: view.timestamp_ms.into(),
            trace_parent: view.trace_parent.into(),
        }
    }

    /// The plain form of what was lent.
    #[must_use]
    pub fn plain(&self) -> RecordView<'a> {
        RecordView {
            id: self.id.as_str(),
            key: self.key.into_option().map(|key| key.as_slice()),
            payload: self.payload.as_slice(),
            content_type: self.content_type.as_str(),
            headers: HeaderList::of_abi(self.headers.as_slice()),
            timestamp_ms: self.timestamp_ms.into_option(),
            trace_parent: self.trace_parent.as_str(),
        }
    }
}

/// See [`Fetch`]. `outcome` is 0 for empty, 1 for a batch, 2 for the end.
#[repr(C)]
#[derive(Debug, Clone, StableAbi)]
pub struct SFetch {
    pub outcome: u32,
    pub token: u64,
    pub partition: RString,
    pub epoch: u64,
    pub records: RVec<SRecord>,
}

impl From<Fetch> for SFetch {
    fn from(fetch: Fetch) -> Self {
        let bare =
            |outcome| Self { outcome, token: 0, partition: RString::new(), epoch: 0, records: RVec::new() };
        match fetch {
            Fetch::Empty => bare(0),
            Fetch::Batch(batch) => Self {
                outcome: 1,
                token: batch.token.0,
                partition: batch.partition.into(),
                epoch: batch.epoch,
                records: batch.records.into_iter().map(SRecord::from).collect(),
            },
            Fetch::End => bare(2),
        }
    }
}

impl TryFrom<SFetch> for Fetch {
    type Error = PluginError;

    fn try_from(fetch: SFetch) -> Result<Self, PluginError> {
        match fetch.outcome {
            0 => Ok(Self::Empty),
            1 if fetch.records.is_empty() => Err(PluginError::fatal("fetch brought a batch without records")),
            1 => Ok(Self::Batch(Batch {
                token: BatchToken(fetch.token),
                partition: fetch.partition.into(),
                epoch: fetch.epoch,
                records: fetch.records.into_iter().map(Record::from).collect(),
            })),
            2 => Ok(Self::End),
            other => Err(PluginError::fatal(format!("fetch answered the unknown outcome {other}"))),
        }
    }
}

/// See [`Verdict`]. `fate` is 1 for ack, 2 for nack (with `delay_ms`), 3 for reject (with `reason`).
#[repr(C)]
#[derive(Debug, Clone, StableAbi)]
pub struct SVerdict {
    pub fate: u32,
    pub delay_ms: u64,
    pub reason: RString,
}

impl From<&Verdict> for SVerdict {
    fn from(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Ack => Self { fate: 1, delay_ms: 0, reason: RString::new() },
            Verdict::Nack { delay } => {
                Self { fate: 2, delay_ms: duration_ms(*delay), reason: RString::new() }
            }
            Verdict::Reject { reason } => Self { fate: 3, delay_ms: 0, reason: reason.as_str().into() },
        }
    }
}

impl From<&SVerdict> for Verdict {
    /// A fate of a newer version reads as a nack: nothing is lost by it.
    fn from(verdict: &SVerdict) -> Self {
        match verdict.fate {
            1 => Self::Ack,
            3 => Self::Reject { reason: verdict.reason.to_string() },
            _ => Self::Nack { delay: Duration::from_millis(verdict.delay_ms) },
        }
    }
}

/// See [`RecordResult`]: nothing for success.
#[repr(C)]
#[derive(Debug, Clone, StableAbi)]
pub struct SRecordResult {
    pub error: ROption<SError>,
}

impl From<RecordResult> for SRecordResult {
    fn from(result: RecordResult) -> Self {
        Self { error: result.err().map(SError::from).into() }
    }
}

impl From<SRecordResult> for RecordResult {
    fn from(result: SRecordResult) -> Self {
        match result.error {
            RSome(error) => Err(error.into()),
            RNone => Ok(()),
        }
    }
}

/// See [`PublisherTraits`].
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct SPublisherTraits {
    pub records_max: u32,
    pub bytes_max: u64,
    pub ordering: u32,
    pub idempotence: u32,
}

impl From<PublisherTraits> for SPublisherTraits {
    fn from(traits: PublisherTraits) -> Self {
        Self {
            records_max: traits.records_max,
            bytes_max: traits.bytes_max,
            ordering: match traits.ordering {
                Ordering::None => 0,
                Ordering::Key => 1,
                Ordering::All => 2,
            },
            idempotence: match traits.idempotence {
                Idempotence::None => 0,
                Idempotence::Key => 1,
                Idempotence::Native => 2,
            },
        }
    }
}

impl From<SPublisherTraits> for PublisherTraits {
    /// An unknown promise counts as none.
    fn from(traits: SPublisherTraits) -> Self {
        Self {
            records_max: traits.records_max.max(1),
            bytes_max: traits.bytes_max,
            ordering: match traits.ordering {
                1 => Ordering::Key,
                2 => Ordering::All,
                _ => Ordering::None,
            },
            idempotence: match traits.idempotence {
                1 => Idempotence::Key,
                2 => Idempotence::Native,
                _ => Idempotence::None,
            },
        }
    }
}

/// See [`Health`].
#[repr(C)]
#[derive(Debug, Clone, StableAbi)]
pub struct SHealth {
    pub state: u32,
    pub detail: RString,
}

impl From<Health> for SHealth {
    fn from(health: Health) -> Self {
        let state = match health.state {
            HealthState::Starting => 0,
            HealthState::Ready => 1,
            HealthState::Degraded => 2,
            HealthState::Down => 3,
        };
        Self { state, detail: health.detail.into() }
    }
}

impl From<SHealth> for Health {
    /// An unknown state reads as degraded, so that somebody looks.
    fn from(health: SHealth) -> Self {
        let state = match health.state {
            0 => HealthState::Starting,
            1 => HealthState::Ready,
            3 => HealthState::Down,
            _ => HealthState::Degraded,
        };
        Self { state, detail: health.detail.into() }
    }
}

/// See [`Endpoint`].
#[repr(C)]
#[derive(Debug, Clone, StableAbi)]
pub struct SEndpoint {
    pub name: RString,
    pub url: RString,
}

impl From<Endpoint> for SEndpoint {
    fn from(endpoint: Endpoint) -> Self {
        Self { name: endpoint.name.into(), url: endpoint.url.into() }
    }
}

impl From<SEndpoint> for Endpoint {
    fn from(endpoint: SEndpoint) -> Self {
        Self { name: endpoint.name.into(), url: endpoint.url.into() }
    }
}

/// See [`Cursor`].
#[repr(C)]
#[derive(Debug, Clone, StableAbi)]
pub struct SCursor {
    pub epoch: RString,
    pub sequence: u64,
}

impl From<Cursor> for SCursor {
    fn from(cursor: Cursor) -> Self {
        Self { epoch: cursor.epoch.into(), sequence: cursor.sequence }
    }
}

impl From<SCursor> for Cursor {
    fn from(cursor: SCursor) -> Self {
        Self { epoch: cursor.epoch.into(), sequence: cursor.sequence }
    }
}

/// See [`Drained`].
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct SDrained {
    pub records_left: u64,
}

impl From<Drained> for SDrained {
    fn from(drained: Drained) -> Self {
        Self { records_left: drained.records_left }
    }
}

impl From<SDrained> for Drained {
    fn from(drained: SDrained) -> Self {
        Self { records_left: drained.records_left }
    }
}

/// See [`MetricFamily`].
#[repr(C)]
#[derive(Debug, Clone, StableAbi)]
pub struct SMetricFamily {
    pub name: RString,
    pub help: RString,
    pub kind: u32,
    pub samples: RVec<SMetricSample>,
}

/// See [`MetricSample`]. For a histogram `buckets` is filled and `number` is the sum.
#[repr(C)]
#[derive(Debug, Clone, StableAbi)]
pub struct SMetricSample {
    pub labels: RVec<Tuple2<RString, RString>>,
    pub number: f64,
    pub count: u64,
    pub buckets: RVec<Tuple2<f64, u64>>,
}

impl From<MetricFamily> for SMetricFamily {
    fn from(family: MetricFamily) -> Self {
        Self {
            name: family.name.into(),
            help: family.help.into(),
            kind: family.kind.code(),
            samples: family.samples.into_iter().map(SMetricSample::from).collect(),
        }
    }
}

impl From<MetricSample> for SMetricSample {
    fn from(sample: MetricSample) -> Self {
        let labels =
            sample.labels.into_iter().map(|(name, value)| Tuple2(name.into(), value.into())).collect();
        match sample.value {
            MetricValue::Number(number) => Self { labels, number, count: 0, buckets: RVec::new() },
            MetricValue::Histogram { buckets, count, sum } => Self {
                labels,
                number: sum,
                count,
                buckets: buckets.into_iter().map(|(bound, count)| Tuple2(bound, count)).collect(),
            },
        }
    }
}

/// The plain form of a snapshot; families of a kind that this version does not know are left out.
#[must_use]
pub fn plain_families(families: RVec<SMetricFamily>) -> Vec<MetricFamily> {
    families
        .into_iter()
        .filter_map(|family| {
            let kind = MetricKind::from_code(family.kind)?;
            Some(MetricFamily {
                name: family.name.into(),
                help: family.help.into(),
                kind,
                samples: family.samples.into_iter().map(|sample| plain_sample(kind, sample)).collect(),
            })
        })
        .collect()
}

fn plain_sample(kind: MetricKind, sample: SMetricSample) -> MetricSample {
    let value = match kind {
        MetricKind::Counter | MetricKind::Gauge => MetricValue::Number(sample.number),
        MetricKind::Histogram => MetricValue::Histogram {
            buckets: sample.buckets.into_iter().map(|Tuple2(bound, count)| (bound, count)).collect(),
            count: sample.count,
            sum: sample.number,
        },
    };
    let labels = sample.labels.into_iter().map(|Tuple2(name, value)| (name.into(), value.into())).collect();
    MetricSample { labels, value }
}
