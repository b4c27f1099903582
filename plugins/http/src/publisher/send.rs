//! Sending: single requests side by side, or batches one after the other, and one result for each record.

use std::{ops::Range, sync::Arc, time::Instant};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use mfn_plugin::value::{ErrorClass, PluginError, RecordResult, RecordView};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use super::{
    body::Encoded,
    config::{Answers, Settings},
    results::Results,
    sign,
};
use crate::client::{Ask, Core, Reply};

const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");
const WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const WEBHOOK_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// Refusals of a body because of what is in it, perhaps one record: bad request, too large, not to be processed.
const OF_CONTENT: [u16; 3] = [400, 413, 422];

/// One call of the publisher.
pub(crate) struct Sender {
    pub(crate) core: Arc<Core>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) deadline: Instant,
}

impl Sender {
    /// Sends each record as a request of its own.
    pub(crate) async fn singles(&self, records: Vec<Single>) -> Vec<RecordResult> {
        if self.settings.concurrency == 1 {
            return self.in_order(records).await;
        }
        let sent = stream::iter(records).map(|record| self.single(record));
        sent.buffered(self.settings.concurrency).collect().await
    }

    /// One after the other. After an error that may pass the rest waits as well, as order matters more.
    async fn in_order(&self, records: Vec<Single>) -> Vec<RecordResult> {
        let count = records.len();
        let mut results: Vec<RecordResult> = Vec::with_capacity(count);
        for record in records {
            let result = self.single(record).await;
            let stop =
                result.as_ref().err().filter(|error| error.class != ErrorClass::Permanent).map(not_sent);
            results.push(result);
            if let Some(error) = stop {
                results.resize_with(count, || Err(error.clone()));
                break;
            }
        }
        results
    }

    async fn single(&self, record: Single) -> RecordResult {
        let reply = self.request(&sign::id_of_record(&record.id), record.headers, record.body).await?;
        match self.core.refusal(&reply) {
            Some(refusal) => Err(refusal),
            None => self.results(&reply).result(&record.id),
        }
    }

    /// Sends the records together; a batch that is too large for the receiver, or has something in it that it refuses,
    /// is sent in halves, so that only what is to blame is refused.
    pub(crate) async fn batch(&self, encoded: Encoded) -> Sent {
        let mut sent = Sent { results: Vec::with_capacity(encoded.len()), stop: None };
        let mut left: Vec<Range<usize>> = std::iter::once(0..encoded.len()).collect();
        while let Some(part) = left.pop() {
            if part.is_empty() {
                continue;
            }
            if let Some(error) = &sent.stop {
                // Order matters more than trying.
                sent.results.extend(encoded.of(part).map(|(index, _)| (index, Err(error.clone()))));
                continue;
            }
            let outcome = self.part(&encoded, part.clone()).await;
            if let Ok(reply) = &outcome
                && OF_CONTENT.contains(&reply.status)
                && part.len() > 1
            {
                let middle = part.start + part.len() / 2;
                left.extend([middle..part.end, part.start..middle]);
                continue;
            }
            let outcome = outcome.and_then(|reply| match self.core.refusal(&reply) {
                Some(refusal) => Err(refusal),
                None => Ok(self.results(&reply)),
            });
            for (index, id) in encoded.of(part) {
                let result = match &outcome {
                    Ok(answer) => answer.result(id),
                    Err(error) => Err(error.clone()),
                };
                if let Err(error) = &result
                    && error.class != ErrorClass::Permanent
                {
                    sent.stop = Some(not_sent(error));
                }
                sent.results.push((index, result));
            }
        }
        sent
    }

    async fn part(&self, encoded: &Encoded, part: Range<usize>) -> Result<Reply, PluginError> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(encoded.content_type()));
        let id = sign::id_of_batch(encoded.of(part.clone()).map(|(_, id)| id));
        self.request(&id, headers, encoded.body(part)).await
    }

    /// Signs and sends a body.
    async fn request(&self, id: &str, mut headers: HeaderMap, body: Bytes) -> Result<Reply, PluginError> {
        let timestamp = sign::timestamp();
        let signature = sign::sign(&self.settings.secrets, id, &timestamp, &body)?;
        let own = [
            (WEBHOOK_ID, Some(id)),
            (IDEMPOTENCY_KEY, Some(id)),
            (WEBHOOK_TIMESTAMP, Some(timestamp.as_str())),
            (WEBHOOK_SIGNATURE, signature.as_deref()),
        ];
        for (name, text) in own {
            let Some(text) = text else { continue };
            let value = HeaderValue::from_str(text).map_err(|_| {
                PluginError::permanent(format!("{name}: the record's id can not stand in a header"))
            })?;
            headers.insert(name, value);
        }
        let ask = Ask {
            method: self.settings.method.clone(),
            url: self.settings.plan.url.clone(),
            headers,
            body: Some(body),
            deadline: self.deadline,
        };
        self.core.send(ask).await.map_err(|failure| failure.error(true))
    }

    fn results(&self, reply: &Reply) -> Results {
        match self.settings.answers {
            Answers::Status => Results::None,
            Answers::Results => Results::read(self.core.origin(), reply),
        }
    }
}

/// What became of the records of a request.
#[derive(Debug)]
pub(crate) struct Sent {
    /// By place in the call.
    pub(crate) results: Vec<(usize, RecordResult)>,
    /// Why what comes after them is not to be sent.
    pub(crate) stop: Option<PluginError>,
}

/// A record as a request of its own; owned, so that it can be sent by the client's thread.
pub(crate) struct Single {
    id: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Single {
    pub(crate) fn new(record: &RecordView<'_>) -> Self {
        let mut headers = HeaderMap::new();
        for (name, text) in [(CONTENT_TYPE, record.content_type), (TRACEPARENT, record.trace_parent)] {
            if let Ok(value) = HeaderValue::from_str(text)
                && !text.is_empty()
            {
                headers.insert(name, value);
            }
        }
        Self { id: record.id.to_owned(), headers, body: Bytes::copy_from_slice(record.payload) }
    }
}

/// The error of records that were not sent because of another one's.
fn not_sent(cause: &PluginError) -> PluginError {
    let message =
        format!("not sent, an earlier record of the call could not be delivered: {}", cause.message);
    PluginError { class: waiting_class(cause.class), message, retry_after: cause.retry_after }
}

/// What was not sent is never in doubt.
fn waiting_class(class: ErrorClass) -> ErrorClass {
    if class == ErrorClass::Unknown { ErrorClass::Retryable } else { class }
}

pub(crate) fn set(results: &mut [RecordResult], index: usize, result: RecordResult) {
    if let Some(slot) = results.get_mut(index) {
        *slot = result;
    }
}
