//! Carries a plugin's `tracing` events to the host's log.
//!
//! A plugin has its own copy of `tracing` with its own global subscriber, invisible to the host, so
//! without this bridge its logs would be lost. Spans are not carried; their events are.
#![allow(unsafe_code)]

use std::{
    cell::Cell,
    fmt::{self, Write},
    ptr::NonNull,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use abi_stable::std_types::{RStr, RString, Tuple2};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::Interest,
};
use tracing_core::LevelFilter;

use crate::abi::SHostObject;

static HOST: OnceLock<SHostObject> = OnceLock::new();
static LEVEL: AtomicU32 = AtomicU32::new(0);

/// Takes the host and becomes the plugin's subscriber. A second call changes the level only: one
/// loaded image of a plugin has one host.
pub(crate) fn install(host: SHostObject, log_level: u32) {
    let _ = HOST.set(host);
    set_level(log_level);
    // Fails where the plugin's crate is linked into a program that has a subscriber; then that one serves.
    let _ = tracing::subscriber::set_global_default(Bridge);
}

/// Changes the most verbose level that is forwarded: 0 (off) to 5 (trace).
pub(crate) fn set_level(log_level: u32) {
    LEVEL.store(log_level.min(5), Ordering::Relaxed);
    tracing_core::callsite::rebuild_interest_cache();
}

/// 1 for an error to 5 for a trace, as the host counts.
fn rank(level: Level) -> u32 {
    match level {
        Level::ERROR => 1,
        Level::WARN => 2,
        Level::INFO => 3,
        Level::DEBUG => 4,
        Level::TRACE => 5,
    }
}

thread_local! {
    /// The host as the instance that this thread is working for sees it. Borrowed and not cloned: most calls say
    /// nothing, and a clone would cost as much as the rest of a call.
    static SPEAKER: Cell<Option<NonNull<SHostObject>>> = const { Cell::new(None) };
}

/// Runs work whose events go out through `host`, whose name they carry.
pub(crate) fn with_speaker<R>(host: &SHostObject, work: impl FnOnce() -> R) -> R {
    /// Puts the previous speaker back, also when the work panics.
    struct Restore(Option<NonNull<SHostObject>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            SPEAKER.set(self.0);
        }
    }
    let _restore = Restore(SPEAKER.replace(Some(NonNull::from(host))));
    work()
}

/// Who speaks on this thread: an instance, or the plugin as a whole.
fn speaker() -> Option<SHostObject> {
    let Some(speaker) = SPEAKER.get() else { return HOST.get().cloned() };
    // SAFETY: `with_speaker` of this thread has not ended: it takes the pointer back when it does, and borrows the
    // host until then.
    // A copy, because the host may call back into this plugin.
    Some(unsafe { speaker.as_ref() }.clone())
}

struct Bridge;

impl Subscriber for Bridge {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.enabled(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && rank(*metadata.level()) <= LEVEL.load(Ordering::Relaxed)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(match LEVEL.load(Ordering::Relaxed) {
            0 => LevelFilter::OFF,
            1 => LevelFilter::ERROR,
            2 => LevelFilter::WARN,
            3 => LevelFilter::INFO,
            4 => LevelFilter::DEBUG,
            _ => LevelFilter::TRACE,
        })
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let Some(host) = speaker() else { return };
        let mut parts = Parts::default();
        event.record(&mut parts);
        let fields: Vec<_> = parts
            .fields
            .into_iter()
            .map(|(name, value)| Tuple2(RStr::from(name), RString::from(value)))
            .collect();
        let metadata = event.metadata();
        host.log(
            rank(*metadata.level()),
            metadata.target().into(),
            parts.message.as_str().into(),
            fields.as_slice().into(),
        );
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// The message and the fields of one event, as text.
#[derive(Default)]
struct Parts {
    message: String,
    fields: Vec<(&'static str, String)>,
}

impl Visit for Parts {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message.push_str(value);
        } else {
            self.fields.push((field.name(), value.to_owned()));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            // Writing to a String does not fail.
            let _ = write!(self.message, "{value:?}");
        } else {
            self.fields.push((field.name(), format!("{value:?}")));
        }
    }
}
