//! Kafka's errors in the classes of the contract: what the caller should do about each.
//!
//! An error's text never holds the value of a property: librdkafka's own texts for refused properties do, and
//! the value may be a password.

use std::time::Duration;

use mfn_plugin::value::{ErrorClass, PluginError};
use rdkafka::{error::KafkaError, types::RDKafkaErrorCode as Code};

/// How long a producer with a full queue asks to be left alone.
const QUEUE_FULL_PAUSE: Duration = Duration::from_millis(200);

/// The class of a code, for something that was asked of the cluster and refused by it or before it.
pub(crate) fn class_of(code: Code) -> ErrorClass {
    match code {
        // The record or the request itself is at fault.
        Code::MessageSizeTooLarge
        | Code::InvalidMessage
        | Code::InvalidMessageSize
        | Code::InvalidRecord
        | Code::InvalidTimestamp
        | Code::MessageBatchTooLarge
        | Code::InvalidArgument
        | Code::InvalidTopic
        | Code::UnknownPartition
        | Code::UnsupportedForMessageFormat
        | Code::UnsupportedCompressionType => ErrorClass::Permanent,
        // Somebody has to grant, create or correct something.
        Code::TopicAuthorizationFailed
        | Code::GroupAuthorizationFailed
        | Code::ClusterAuthorizationFailed
        | Code::TransactionalIdAuthorizationFailed
        | Code::DelegationTokenAuthorizationFailed
        | Code::SaslAuthenticationFailed
        | Code::Authentication
        | Code::SSL
        | Code::IllegalSASLState
        | Code::UnsupportedSASLMechanism
        | Code::SecurityDisabled
        | Code::UnknownTopic
        | Code::UnknownTopicOrPartition
        | Code::PolicyViolation
        | Code::UnsupportedVersion => ErrorClass::Blocked,
        Code::QueueFull | Code::ThrottlingQuotaExceeded => ErrorClass::Throttled,
        // It was sent, or may have been.
        Code::MessageTimedOut
        | Code::PurgeInflight
        | Code::PurgeQueue
        | Code::RequestTimedOut
        | Code::NotEnoughReplicasAfterAppend
        | Code::OperationTimedOut => ErrorClass::Unknown,
        Code::Fenced | Code::ProducerFenced | Code::FencedInstanceId => ErrorClass::Fatal,
        _ => ErrorClass::Retryable,
    }
}

/// An error of a code, about something that `what` names.
pub(crate) fn of_code(what: &str, code: Code) -> PluginError {
    let class = class_of(code);
    let mut error = PluginError::new(class, format!("{what}: {code}"));
    if class == ErrorClass::Throttled {
        error.retry_after = Some(QUEUE_FULL_PAUSE);
    }
    error
}

/// An error of librdkafka, about something that `what` names.
pub(crate) fn of_error(what: &str, error: &KafkaError) -> PluginError {
    match error {
        // Its text holds the property's value.
        KafkaError::ClientConfig(_, reason, name, value) => {
            let reason =
                if value.is_empty() { reason.clone() } else { reason.replace(value.as_str(), "***") };
            PluginError::permanent(format!("properties.{name}: {reason}"))
        }
        KafkaError::ClientCreation(reason) => {
            PluginError::permanent(format!("{what}: librdkafka refuses the configuration: {reason}"))
        }
        KafkaError::Transaction(inner) => {
            let class = if inner.is_fatal() { ErrorClass::Fatal } else { class_of(inner.code()) };
            PluginError::new(class, format!("{what}: {} ({:?})", inner.string(), inner.code()))
        }
        KafkaError::MessageConsumptionFatal(code) => PluginError::fatal(format!("{what}: {code}")),
        other => match other.rdkafka_error_code() {
            Some(code) => of_code(what, code),
            None => PluginError::retryable(format!("{what}: {other}")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the secret: librdkafka quotes the refused value of a property, which may be a password.
    #[test]
    fn a_refused_property_is_named_without_its_value() {
        let mut config = rdkafka::ClientConfig::new();
        config.set("sasl.mechanisms", "canary-secret");
        config.set("socket.timeout.ms", "canary-secret");
        let Err(error) = config.create_native_config() else { panic!("it was taken") };
        assert!(format!("{error:?}").contains("canary-secret"), "librdkafka no longer quotes values");
        let told = of_error("kafka", &error);
        assert_eq!(told.class, ErrorClass::Permanent);
        assert!(!told.message.contains("canary"), "{}", told.message);
        assert!(told.message.starts_with("properties.s"), "{}", told.message);
    }

    /// Guards the classes that decide between a dead letter, a pause and another attempt.
    #[test]
    fn codes_have_their_class() {
        for (code, class) in [
            (Code::MessageSizeTooLarge, ErrorClass::Permanent),
            (Code::TopicAuthorizationFailed, ErrorClass::Blocked),
            (Code::UnknownTopicOrPartition, ErrorClass::Blocked),
            (Code::QueueFull, ErrorClass::Throttled),
            (Code::MessageTimedOut, ErrorClass::Unknown),
            (Code::NotEnoughReplicas, ErrorClass::Retryable),
            (Code::Fenced, ErrorClass::Fatal),
        ] {
            assert_eq!(class_of(code), class, "{code:?}");
        }
        assert!(of_code("a", Code::QueueFull).retry_after.is_some());
    }
}
