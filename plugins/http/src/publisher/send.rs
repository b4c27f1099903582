//! Sending: single requests side by side, or batches one after the other, and one result for each record.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use mfn_plugin::value::{ErrorClass, PluginError, RecordResult, RecordView};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use super::{
    body::{self, Encoded},
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
    /// `results` has a place for each record of the call.
    pub(crate) async fn batch(
        &self,
        encoded: Vec<Encoded>,
        mut results: Vec<RecordResult>,
    ) -> Vec<RecordResult> {
        let mut left: Vec<&[Encoded]> = vec![&encoded];
        while let Some(part) = left.pop() {
            let Some((first, others)) = part.split_first() else { continue };
            let outcome = self.part(part).await;
            if let Ok(reply) = &outcome
                && OF_CONTENT.contains(&reply.status)
                && !others.is_empty()
            {
                let (begin, end) = part.split_at(part.len() / 2);
                left.extend([end, begin]);
                continue;
            }
            let mut stop = None;
            let outcome = outcome.and_then(|reply| match self.core.refusal(&reply) {
                Some(refusal) => Err(refusal),
                None => Ok(self.results(&reply)),
            });
            for record in std::iter::once(first).chain(others) {
                let result = match &outcome {
                    Ok(answer) => answer.result(&record.id),
                    Err(error) => Err(error.clone()),
                };
                if let Err(error) = &result
                    && error.class != ErrorClass::Permanent
                {
                    stop = Some(not_sent(error));
                }
                set(&mut results, record.index, result);
            }
            if let Some(error) = stop {
                // Order matters more than trying.
                let rest = left.drain(..).flatten();
                rest.for_each(|record| set(&mut results, record.index, Err(error.clone())));
            }
        }
        results
    }

    async fn part(&self, records: &[Encoded]) -> Result<Reply, PluginError> {
        let format = self.settings.batch_format;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(body::content_type(format)));
        let id = sign::id_of_batch(records.iter().map(|record| record.id.as_str()));
        self.request(&id, headers, body::join(format, records)).await
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
