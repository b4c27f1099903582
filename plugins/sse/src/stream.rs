//! The response body of one client: what the hub has for it, and heartbeats in between.

use std::{
    io,
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

    fn next(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        if let Some(greeting) = self.greeting.take() {
            return Poll::Ready(Some(Ok(greeting)));
        }
        let text = match self.hub.poll(self.client, context) {
            Poll::Ready(Next::Text(text)) => Some(Ok(text)),
            Poll::Ready(Next::End) => {
                self.ended = true;
                Some(Ok(Bytes::from_static(frame::CLOSING.as_bytes())))
            }
            Poll::Ready(Next::Cut) => {
                self.ended = true;
                // An end in order would tell the client that it has everything.
                Some(Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the client does not keep up")))
            }
            Poll::Pending => {
                std::task::ready!(self.silence.as_mut().poll(context));
                self.hub.standing(self.client).map(|standing| Ok(frame::heartbeat(&standing).into()))
            }
        };
        let next = Instant::now() + self.heartbeat;
        self.silence.as_mut().reset(next);
        Poll::Ready(text)
    }
}

impl Body for ClientStream {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.next(context).map(|text| text.map(|text| text.map(Frame::data)))
    }
}

impl Drop for ClientStream {
    fn drop(&mut self) {
        self.hub.remove(self.client);
    }
}
