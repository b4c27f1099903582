//! One producer with its callbacks: made when it is first needed, thrown away after an error that ends it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use mfn_plugin::{author::Result, value::PluginError};
use rdkafka::{
    ClientContext, Statistics,
    admin::{AdminClient, AdminOptions, ResourceSpecifier},
    client::DefaultClientContext,
    config::{FromClientConfig, FromClientConfigAndContext, RDKafkaLogLevel},
    error::KafkaError,
    message::DeliveryResult,
    producer::{BaseProducer, BaseRecord, Partitioner, Producer, ProducerContext},
    types::RDKafkaErrorCode as Code,
};

use super::{
    config::{PartitionChoice, Settings},
    message::Message,
    poller::Poller,
    report::{Ledger, Reports},
};
use crate::{cause, observer::Observer};

/// What librdkafka and brokers take without being told otherwise.
const MESSAGE_BYTES_DEFAULT: u64 = 1_000_000;
/// How long the broker may take to say what it allows.
const LIMIT_TIMEOUT_MAX: Duration = Duration::from_secs(3);

/// How many messages are sent before reports of earlier ones are taken in.
const MESSAGES_PER_LOOK: usize = 64;
/// How often to look for an event before there seems to be none: each look takes one in, of any kind.
const EVENTS_PER_LOOK: usize = 4;
/// How long to pause before the next look, as a part (one n-th) of the time since the last report.
const WAIT_PART: u32 = 6;
const WAIT_MIN: Duration = Duration::from_micros(150);
const WAIT_MAX: Duration = Duration::from_millis(5);

/// One partition after the other.
#[derive(Debug, Default)]
pub(crate) struct RoundRobin(AtomicU32);

impl Partitioner for RoundRobin {
    fn partition(&self, _: &str, _: Option<&[u8]>, count: i32, is_available: impl Fn(i32) -> bool) -> i32 {
        let count = u32::try_from(count).unwrap_or(1).max(1);
        let first = self.0.fetch_add(1, Ordering::Relaxed);
        // A partition without a leader is passed over, where another has one.
        let choice = |step: u32| i32::try_from(first.wrapping_add(step) % count).unwrap_or(0);
        (0..count).map(choice).find(|number| is_available(*number)).unwrap_or_else(|| choice(0))
    }
}

/// The callbacks of one producer.
pub(crate) struct Context {
    observer: Arc<Observer>,
    ledger: Ledger,
    round_robin: Option<RoundRobin>,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.observer.log(level, facility, line);
    }

    fn stats(&self, statistics: Statistics) {
        self.observer.statistics(&statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.observer.error(&error, reason);
    }
}

impl ProducerContext<RoundRobin> for Context {
    /// The number of the message.
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, number: usize) {
        let outcome = match result {
            Ok(_) => Ok(()),
            Err((error, _)) => Err(error.rdkafka_error_code().unwrap_or(Code::Unknown)),
        };
        self.ledger.file(number, outcome);
    }

    fn get_custom_partitioner(&self) -> Option<&RoundRobin> {
        self.round_robin.as_ref()
    }
}

/// A living producer.
pub(crate) struct Session {
    /// Ends before the producer does.
    _poller: Poller,
    pub(crate) producer: Arc<BaseProducer<Context, RoundRobin>>,
    /// The largest message it takes.
    message_bytes_max: u64,
    /// Of the properties that it was made with.
    version: u64,
    /// No other of this process has it.
    pub(crate) number: u64,
}

static SESSIONS: AtomicU64 = AtomicU64::new(0);

impl Session {
    /// Makes a producer. Asks the broker for the largest message of the configured topic, at most until
    /// `deadline`.
    ///
    /// # Errors
    /// Retryable where no broker answers.
    pub(crate) fn begin(settings: &Settings, observer: &Arc<Observer>, deadline: Instant) -> Result<Self> {
        let message_bytes_max = match (settings.message_bytes_max, &settings.topic) {
            (Some(bytes), _) => bytes,
            (None, Some(topic)) => broker_limit(settings, topic, deadline)?,
            (None, None) => MESSAGE_BYTES_DEFAULT,
        };
        // Before they are read: a value that changes in between is noticed by the next call.
        let version = settings.options.version();
        let mut options = settings.options.resolve()?;
        options.set("message.max.bytes", message_bytes_max.to_string());
        let round_robin = (settings.partition == PartitionChoice::RoundRobin).then(RoundRobin::default);
        let context = Context { observer: Arc::clone(observer), ledger: Ledger::default(), round_robin };
        let producer = BaseProducer::from_config_and_context(&options, context)
            .map_err(|error| cause::of_error("publisher", &error))?;
        let producer = Arc::new(producer);
        let polled = Arc::clone(&producer);
        let poller = Poller::start(move || (0..EVENTS_PER_LOOK).for_each(|_| polled.poll(Duration::ZERO)))
            .map_err(|error| {
                PluginError::retryable(format!("no thread for the producer's events: {error}"))
            })?;
        Ok(Self {
            _poller: poller,
            producer,
            message_bytes_max,
            version,
            number: SESSIONS.fetch_add(1, Ordering::Relaxed),
        })
    }

    /// Whether a secret has got a new value since it was made.
    pub(crate) fn is_outdated(&self, settings: &Settings) -> bool {
        settings.options.version() != self.version
    }

    /// Opens a call of at most so many messages.
    pub(crate) fn open(&self, messages: usize) -> Arc<Reports> {
        self.producer.client().context().ledger.open(messages)
    }

    /// Takes in reports until every one of a closed call is there, at most until `deadline`; says whether it is.
    pub(crate) fn wait(&self, reports: &Reports, deadline: Instant) -> bool {
        let (mut filed, mut progressed) = (reports.filed(), Instant::now());
        loop {
            self.take_in(reports);
            if reports.is_complete() {
                return true;
            }
            let now = Instant::now();
            if reports.filed() > filed {
                (filed, progressed) = (reports.filed(), now);
            }
            let left = deadline.saturating_duration_since(now);
            if left.is_zero() {
                return false;
            }
            // The binding can wait for an event, but goes on until its time is over and looks without a pause in the
            // last millisecond of it. A pause that grows with the time since the last report costs no more than a part of that.
            let pause = (now.duration_since(progressed) / WAIT_PART).clamp(WAIT_MIN, WAIT_MAX);
            std::thread::sleep(pause.min(left));
        }
    }

    /// Takes in what has been reported.
    fn take_in(&self, reports: &Reports) {
        let mut looks = EVENTS_PER_LOOK;
        while looks > 0 {
            let before = reports.filed();
            self.producer.poll(Duration::ZERO);
            looks = if reports.filed() > before { EVENTS_PER_LOOK } else { looks - 1 };
        }
    }

    /// Hands a message to librdkafka and says where its report will be. The call's thread takes in reports of earlier
    /// messages now and then.
    ///
    /// # Errors
    /// When librdkafka does not take it.
    pub(crate) fn send(&self, message: Message<'_>, reports: &Reports) -> Result<usize> {
        let topic = message.topic;
        let size = message.payload.map_or(0, <[u8]>::len);
        let record = BaseRecord {
            topic,
            partition: message.partition,
            payload: message.payload,
            key: message.key,
            timestamp: message.timestamp_ms,
            headers: Some(message.headers),
            delivery_opaque: reports.next(),
        };
        // Of a message that is not taken there is no report.
        self.producer.send(record).map_err(|(error, _)| {
            self.refusal(topic, size, error.rdkafka_error_code().unwrap_or(Code::Unknown))
        })?;
        let place = reports.sent();
        if place % MESSAGES_PER_LOOK == MESSAGES_PER_LOOK - 1 {
            self.producer.poll(Duration::ZERO);
        }
        Ok(place)
    }

    /// Why a message was refused, in words.
    pub(crate) fn refusal(&self, topic: &str, size: usize, code: Code) -> PluginError {
        let what = match code {
            Code::MessageSizeTooLarge => format!(
                "topic {topic:?}: a payload of {size} bytes with its key and headers is above the {} that are allowed",
                self.message_bytes_max
            ),
            Code::QueueFull => "queue_bytes_max: so much waits for a broker already".to_owned(),
            _ => format!("topic {topic:?}"),
        };
        cause::of_code(&what, code)
    }

    /// How the producer ended, where it did.
    pub(crate) fn fatal(&self) -> Option<PluginError> {
        let (code, reason) = self.producer.client().fatal_error()?;
        let mut error = cause::of_code(&format!("the producer ended: {reason}"), code);
        if error.class != mfn_plugin::value::ErrorClass::Fatal {
            error.class = mfn_plugin::value::ErrorClass::Unknown;
        }
        Some(error)
    }
}

/// The largest message that the broker takes for a topic. A broker that does not say, because the topic is missing
/// or its configuration may not be read, is taken to have the default.
fn broker_limit(settings: &Settings, topic: &str, deadline: Instant) -> Result<u64> {
    let timeout = deadline.saturating_duration_since(Instant::now()).min(LIMIT_TIMEOUT_MAX);
    let mut options = settings.probe_options.resolve()?;
    options.set("statistics.interval.ms", "0");
    let admin = AdminClient::<DefaultClientContext>::from_config(&options)
        .map_err(|error| cause::of_error("publisher", &error))?;
    let request = AdminOptions::new().request_timeout(Some(timeout)).operation_timeout(Some(timeout));
    let wanted = [ResourceSpecifier::Topic(topic)];
    let answered = match futures_executor::block_on(admin.describe_configs(&wanted, &request)) {
        Ok(resources) => resources,
        // An old broker does not know the question, and librdkafka waits for one that does.
        Err(error) => {
            return match admin.inner().fetch_metadata(Some(topic), timeout) {
                Ok(_) => Ok(MESSAGE_BYTES_DEFAULT),
                Err(_) => {
                    let told = cause::of_error("brokers: no answer", &error);
                    Err(PluginError::retryable(told.message))
                }
            };
        }
    };
    let allowed = answered
        .iter()
        .filter_map(|resource| resource.as_ref().ok())
        .filter_map(|resource| resource.get("max.message.bytes")?.value.as_ref()?.parse().ok())
        .next();
    // The limit is for a batch; librdkafka fills batches up to the same number, so their frame has to fit as well.
    Ok(allowed.map_or(MESSAGE_BYTES_DEFAULT, |bytes: u64| bytes.saturating_sub(512).max(1000)))
}
