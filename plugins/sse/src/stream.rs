//! The response body of one client: what the hub has for it, and heartbeats in between.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::time::{Instant, Sleep, sleep};

use crate::{
    frame,
    hub::{Admission, Hub, Next},
};

/// A stream that ends when the hub says so. Dropping it takes the client out of the hub.
#[derive(Debug)]
pub struct ClientStream {
    hub: Arc<Hub>,
    client: u64,
    greeting: Option<Bytes>,
    heartbeat: Duration,
    silence: Pin<Box<Sleep>>,
    ended: bool,
}

impl ClientStream {
    /// The stream of an admitted client. Must be called within a tokio runtime.
    #[must_use]
    pub fn new(hub: Arc<Hub>, admission: Admission, heartbeat: Duration) -> Self {
        Self {
            hub,
            client: admission.client,
            greeting: Some(admission.greeting.into()),
            heartbeat,
            silence: Box::pin(sleep(heartbeat)),
            ended: false,
        }
    }

    fn next(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.ended {
            return Poll::Ready(None);
        }
        if let Some(greeting) = self.greeting.take() {
            return Poll::Ready(Some(greeting));
        }
        let text = match self.hub.poll(self.client, context) {
            Poll::Ready(Next::Text(text)) => Some(text),
            Poll::Ready(Next::End) => {
                self.ended = true;
                Some(Bytes::from_static(frame::CLOSING.as_bytes()))
            }
            Poll::Ready(Next::Cut) => {
                self.ended = true;
                None
            }
            Poll::Pending => {
                std::task::ready!(self.silence.as_mut().poll(context));
                self.hub.standing(self.client).map(|standing| frame::heartbeat(&standing).into())
            }
        };
        let next = Instant::now() + self.heartbeat;
        self.silence.as_mut().reset(next);
        Poll::Ready(text)
    }
}

impl Body for ClientStream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.next(context).map(|text| text.map(|text| Ok(Frame::data(text))))
    }
}

impl Drop for ClientStream {
    fn drop(&mut self) {
        self.hub.remove(self.client);
    }
}
