//! Looks at the real cluster without side effects: no topic is made, no group is joined.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use mfn_plugin::{
    author::Result,
    value::{ErrorClass, PluginError},
};
use rdkafka::{
    ClientContext,
    config::{FromClientConfigAndContext, RDKafkaLogLevel},
    consumer::{BaseConsumer, Consumer, ConsumerContext},
    error::KafkaError,
    types::RDKafkaErrorCode,
};

use crate::{cause, properties::Options};

/// How long the cluster may take to answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Keeps why a broker refuses: the metadata request itself only times out then.
#[derive(Default)]
struct Listener(Mutex<Option<PluginError>>);

impl ClientContext for Listener {
    fn log(&self, _: RDKafkaLogLevel, _: &str, _: &str) {}

    fn error(&self, error: KafkaError, _: &str) {
        let told = cause::of_error("brokers", &error);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.class == ErrorClass::Blocked || kept.is_none() {
            *kept = Some(told);
        }
    }
}

impl ConsumerContext for Listener {}

/// Asks the cluster for these topics; with none, whether it answers at all.
///
/// # Errors
/// Blocked where something has to be granted or made, otherwise retryable.
pub(crate) fn run<'a>(options: &Options, topics: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let mut options = options.resolve()?;
    options.set("allow.auto.create.topics", "false").set("statistics.interval.ms", "0");
    let client = BaseConsumer::from_config_and_context(&options, Listener::default())
        .map_err(|error| cause::of_error("check", &error))?;
    let mut topics = topics.into_iter().peekable();
    if topics.peek().is_none() {
        // No topic: those of one that nobody can have, so that the answer stays small.
        return ask(&client, "mfn-check.no-such-topic", true);
    }
    topics.try_for_each(|topic| ask(&client, topic, false))
}

fn ask(client: &BaseConsumer<Listener>, topic: &str, may_be_missing: bool) -> Result<()> {
    let metadata = client.fetch_metadata(Some(topic), TIMEOUT).map_err(|error| {
        while client.poll(Duration::ZERO).is_some() {}
        let kept = client.context().0.lock().unwrap_or_else(PoisonError::into_inner).take();
        kept.unwrap_or_else(|| cause::of_error("brokers: no answer", &error))
    })?;
    for found in metadata.topics() {
        let Some(error) = found.error() else { continue };
        let code = RDKafkaErrorCode::from(error);
        let is_missing =
            matches!(code, RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic);
        if !(may_be_missing && is_missing) {
            return Err(cause::of_code(&format!("topic {:?}", found.name()), code));
        }
    }
    Ok(())
}
