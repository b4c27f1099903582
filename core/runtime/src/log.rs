//! The runtime's log: levels, records, the host's sink, and the handle that everything writes to.
//!
//! A library must not own the process's logging, so there is no global logger here: each
//! [`Runtime`](crate::Runtime) has one [`Log`], which hands records to the sink that the host gave.
//! The runtime's own events and those of its plugins arrive at the same sink. Logging does not
//! re-enter: what a sink logs while it handles a record is dropped and counted.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
};

use serde::{Deserialize, Serialize};

/// How much is logged; each level includes the ones before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// Work was lost or given up.
    Error,
    /// Something needs a look.
    #[default]
    Warn,
    /// What the runtime does.
    Info,
    /// Details for a developer.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// All levels, the quietest first; the index is the [`code`](Self::code).
    pub const ALL: [Self; 6] = [Self::Off, Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];

    /// The number that crosses library boundaries: 0 (off) to 5 (trace).
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Reads a number; `None` above 5.
    #[must_use]
    pub fn from_code(code: u32) -> Option<Self> {
        Self::ALL.get(usize::try_from(code).ok()?).copied()
    }

    /// The lower-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

impl std::fmt::Display for LogLevel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("log level {0:?} is none of off, error, warn, info, debug, trace")]
pub struct UnknownLogLevel(pub String);

impl FromStr for LogLevel {
    type Err = UnknownLogLevel;

    fn from_str(text: &str) -> Result<Self, UnknownLogLevel> {
        Self::ALL
            .into_iter()
            .find(|level| level.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownLogLevel(text.to_owned()))
    }
}

/// One event, lent to the sink for the length of the call.
#[derive(Debug, Clone, Copy)]
pub struct LogRecord<'a> {
    /// How grave it is; never [`LogLevel::Off`].
    pub level: LogLevel,
    /// The part of the program that speaks: a module path.
    pub target: &'a str,
    /// One sentence.
    pub message: &'a str,
    /// Names and values that belong to the message.
    pub fields: &'a [(&'a str, &'a str)],
    /// The component instance that speaks, where it is known.
    pub component: Option<&'a str>,
    /// The plugin that speaks; `None` for the runtime itself.
    pub plugin: Option<&'a str>,
}

/// Where log records go. The host implements it.
///
/// Any thread may call it, several at once. It should return soon, as the work that logged waits for
/// it, and it must not load plugins. A panic in it is contained and costs that record.
pub trait LogSink: Send + Sync {
    /// Takes one record.
    fn log(&self, record: &LogRecord<'_>);
}

impl<F: Fn(&LogRecord<'_>) + Send + Sync> LogSink for F {
    fn log(&self, record: &LogRecord<'_>) {
        self(record);
    }
}

thread_local! {
    static IN_SINK: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is inside a sink right now.
pub(crate) fn inside_sink() -> bool {
    IN_SINK.try_with(Cell::get).unwrap_or(false)
}

/// Marks this thread as inside a sink until it is dropped.
struct SinkGuard;

impl SinkGuard {
    fn enter() -> Option<Self> {
        IN_SINK.try_with(|inside| !inside.replace(true)).ok()?.then_some(Self)
    }
}

impl Drop for SinkGuard {
    fn drop(&mut self) {
        let _ = IN_SINK.try_with(|inside| inside.set(false));
    }
}

/// The handle that the runtime and its plugins write to. Cheap to clone; any thread may use it.
#[derive(Clone)]
pub struct Log {
    shared: Arc<Shared>,
}

struct Shared {
    level: AtomicU8,
    sink: Option<Arc<dyn LogSink>>,
    dropped: AtomicU64,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log").field("level", &self.level()).finish_non_exhaustive()
    }
}

impl Log {
    /// A log that hands records up to `level` to `sink`; without a sink nothing is logged.
    #[must_use]
    pub fn new(level: LogLevel, sink: Option<Arc<dyn LogSink>>) -> Self {
        let level = AtomicU8::new(level.code());
        Self { shared: Arc::new(Shared { level, sink, dropped: AtomicU64::new(0) }) }
    }

    /// The most verbose level that is logged now.
    #[must_use]
    pub fn level(&self) -> LogLevel {
        LogLevel::from_code(self.shared.level.load(Ordering::Relaxed).into()).unwrap_or_default()
    }

    /// Changes the level of this log alone; `Runtime::set_log_level` tells the plugins as well.
    pub(crate) fn set_level(&self, level: LogLevel) {
        self.shared.level.store(level.code(), Ordering::Relaxed);
    }

    /// The level that plugins should forward: off where nobody listens.
    pub(crate) fn forwarded_level(&self) -> LogLevel {
        if self.shared.sink.is_some() { self.level() } else { LogLevel::Off }
    }

    /// Whether a record of this level would reach the sink.
    #[must_use]
    pub fn enabled(&self, level: LogLevel) -> bool {
        level != LogLevel::Off && level <= self.forwarded_level()
    }

    /// How many records were dropped: logged from inside the sink, or lost to a panic in it.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// Hands a record to the sink, when its level is enabled.
    pub fn emit(&self, record: &LogRecord<'_>) {
        let Some(sink) = &self.shared.sink else { return };
        if !self.enabled(record.level) {
            return;
        }
        let taken = SinkGuard::enter().is_some_and(|_guard| {
            // The record comes from plugins too, and a panic must not pass through their frames.
            catch_unwind(AssertUnwindSafe(|| sink.log(record))).is_ok()
        });
        if !taken {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Logs an event of the runtime itself.
    pub fn write(&self, level: LogLevel, target: &str, message: &str) {
        self.write_fields(level, target, message, &[]);
    }

    /// Logs an event of the runtime itself, with fields.
    pub fn write_fields(&self, level: LogLevel, target: &str, message: &str, fields: &[(&str, &str)]) {
        self.emit(&LogRecord { level, target, message, fields, component: None, plugin: None });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, OnceLock};

    use super::*;

    /// Guards the two spellings of a level, which configurations and the C header use.
    #[test]
    fn levels_read_back() {
        for level in LogLevel::ALL {
            assert_eq!(LogLevel::from_code(u32::from(level.code())), Some(level));
            assert_eq!(level.name().parse(), Ok(level));
        }
        assert_eq!(LogLevel::from_code(6), None);
        assert!("loud".parse::<LogLevel>().is_err());
    }

    /// Guards that a sink which logs does not recurse, and that the loss is counted.
    #[test]
    fn a_sink_that_logs_does_not_re_enter() {
        let own: Arc<OnceLock<Log>> = Arc::default();
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let sink = {
            let (own, seen) = (Arc::clone(&own), Arc::clone(&seen));
            move |record: &LogRecord<'_>| {
                seen.lock().unwrap().push(record.message.to_owned());
                if let Some(log) = own.get() {
                    log.write(LogLevel::Error, "sink", "from inside");
                }
            }
        };
        let log = Log::new(LogLevel::Info, Some(Arc::new(sink)));
        own.set(log.clone()).unwrap();
        log.write(LogLevel::Info, "test", "first");
        log.write(LogLevel::Debug, "test", "too verbose");
        log.write(LogLevel::Off, "test", "no level at all");
        log.write(LogLevel::Info, "test", "second");
        assert_eq!(*seen.lock().unwrap(), ["first", "second"]);
        assert_eq!(log.dropped(), 2);
    }

    /// Guards that a broken sink costs its records only, and does not silence the thread.
    #[test]
    fn a_panic_in_the_sink_is_contained() {
        let log = Log::new(LogLevel::Trace, Some(Arc::new(|_: &LogRecord<'_>| panic!("broken sink"))));
        log.write(LogLevel::Error, "test", "lost");
        log.write(LogLevel::Error, "test", "lost too");
        assert_eq!(log.dropped(), 2);
        assert!(!inside_sink());
    }

    /// Guards the runtime change of the level, and that a log without a sink asks plugins for nothing.
    #[test]
    fn the_level_can_change() {
        let log = Log::new(LogLevel::Error, Some(Arc::new(|_: &LogRecord<'_>| {})));
        assert!(!log.enabled(LogLevel::Info));
        log.set_level(LogLevel::Trace);
        assert!(log.enabled(LogLevel::Trace));
        let silent = Log::new(LogLevel::Trace, None);
        assert_eq!(silent.forwarded_level(), LogLevel::Off);
        assert!(!silent.enabled(LogLevel::Error));
    }
}
