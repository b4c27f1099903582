//! The trait objects: what a host calls on an instance, and what an instance calls on its host.
//!
//! Every instance is a pair of objects over one shared author's object: [`SLifecycle`], the same for
//! all kinds, and the one of its kind. New methods come at the end, with a default body.
#![allow(
    unsafe_code,
    non_local_definitions,
    missing_docs,
    non_camel_case_types,
    clippy::used_underscore_binding
)]

use abi_stable::{
    StableAbi, sabi_trait,
    std_types::{RArc, RBox, ROption, RSlice, RStr, RString, RVec, Tuple2},
};

use super::value::{
    SCursor, SDrained, SEndpoint, SFetch, SHealth, SMetricFamily, SPublisherTraits, SRecordResult,
    SRecordView, SResult, SVerdict,
};

/// What the host offers. Any thread may call it; no call blocks.
#[sabi_trait]
pub trait SHost: Send + Sync + Clone {
    /// One event of a level 1 (error) to 5 (trace), with its fields.
    fn log(
        &self,
        level: u32,
        target: RStr<'_>,
        message: RStr<'_>,
        fields: RSlice<'_, Tuple2<RStr<'_>, RString>>,
    );

    /// Finds or makes a metric for a label set and gives its handle, 0 where the host refuses it. `kind` as
    /// [`MetricKind::code`](crate::metric::MetricKind::code); `buckets` only for a histogram.
    fn metric(
        &self,
        kind: u32,
        name: RStr<'_>,
        help: RStr<'_>,
        labels: RSlice<'_, Tuple2<RStr<'_>, RStr<'_>>>,
        buckets: RSlice<'_, f64>,
    ) -> u64;

    /// Adds to a counter, sets a gauge or observes into a histogram.
    fn update(&self, metric: u64, value: f64);

    /// The whole registry at this moment.
    #[sabi(last_prefix_field)]
    fn metrics(&self) -> RVec<SMetricFamily>;

    /// The health of the host, a [`HostHealth`](crate::host::HostHealth) as JSON with whatever more the host has to
    /// say; empty from a host that is older than this method.
    fn health(&self) -> RString {
        RString::new()
    }
}

/// The host as it is handed to a plugin.
pub type SHostObject = SHost_TO<'static, RArc<()>>;

/// The calls that every kind of instance has.
#[sabi_trait]
pub trait SLifecycle: Send + Sync {
    fn open(&self) -> SResult<()>;
    fn health(&self) -> SHealth;
    fn check(&self) -> SResult<()>;
    fn endpoints(&self) -> SResult<RVec<SEndpoint>>;
    fn drain(&self, timeout_ms: u64) -> SResult<SDrained>;
    #[sabi(last_prefix_field)]
    fn close(&self) -> SResult<()>;
}

/// See [`Connector`](crate::author::Connector).
#[sabi_trait]
pub trait SConnector: Send + Sync {
    fn fetch(&self, records_max: u32, bytes_max: u64, timeout_ms: u64) -> SResult<SFetch>;
    fn settle(&self, token: u64, verdicts: RSlice<'_, SVerdict>) -> SResult<()>;
    fn position(&self, partition: RStr<'_>) -> SResult<RVec<u8>>;
    fn pause(&self) -> SResult<()>;
    fn resume(&self) -> SResult<()>;
    #[sabi(last_prefix_field)]
    fn backlog(&self) -> SResult<ROption<u64>>;
}

/// See [`Publisher`](crate::author::Publisher).
#[sabi_trait]
pub trait SPublisher: Send + Sync {
    fn traits(&self) -> SResult<SPublisherTraits>;
    fn publish(
        &self,
        records: RSlice<'_, SRecordView<'_>>,
        attempt: u32,
        timeout_ms: u64,
    ) -> SResult<RVec<SRecordResult>>;
    #[sabi(last_prefix_field)]
    fn flush(&self, timeout_ms: u64) -> SResult<()>;
}

/// See [`Transport`](crate::author::Transport).
#[sabi_trait]
pub trait STransport: Send + Sync {
    #[sabi(last_prefix_field)]
    fn publish(&self, topic: RStr<'_>, event: SRecordView<'_>) -> SResult<SCursor>;
}

/// See [`Exporter`](crate::author::Exporter).
#[sabi_trait]
pub trait SExporter: Send + Sync {
    #[sabi(last_prefix_field)]
    fn flush(&self, timeout_ms: u64) -> SResult<()>;
}

/// A connector instance.
#[repr(C)]
#[derive(StableAbi)]
pub struct SConnectorInstance {
    pub lifecycle: SLifecycle_TO<'static, RBox<()>>,
    pub object: SConnector_TO<'static, RBox<()>>,
}

/// A publisher instance.
#[repr(C)]
#[derive(StableAbi)]
pub struct SPublisherInstance {
    pub lifecycle: SLifecycle_TO<'static, RBox<()>>,
    pub object: SPublisher_TO<'static, RBox<()>>,
}

/// A transport instance.
#[repr(C)]
#[derive(StableAbi)]
pub struct STransportInstance {
    pub lifecycle: SLifecycle_TO<'static, RBox<()>>,
    pub object: STransport_TO<'static, RBox<()>>,
}

/// An exporter instance.
#[repr(C)]
#[derive(StableAbi)]
pub struct SExporterInstance {
    pub lifecycle: SLifecycle_TO<'static, RBox<()>>,
    pub object: SExporter_TO<'static, RBox<()>>,
}
