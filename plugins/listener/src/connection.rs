//! One connection: HTTP/1.1 with its time-outs, and the handle by which a plugin can cut it.

use std::{sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Notify, watch},
};
use tokio_io_timeout::TimeoutStream;
use tower_service::Service;

/// Cuts the connection that a request came on. A handler finds it among the request's extensions.
///
/// Ending a response body is not enough for a client that does not read: the server would wait for
/// room in the socket first.
#[derive(Debug, Clone, Default)]
pub struct Connection {
    cut: Arc<Notify>,
}

impl Connection {
    /// Closes the connection now, whatever is still to be written. Any thread may call it; it never waits.
    pub fn cut(&self) {
        self.cut.notify_one();
    }
}

/// The time-outs and sizes of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) header_timeout: Duration,
    pub(crate) write_timeout: Duration,
    pub(crate) header_bytes_max: usize,
}

/// Serves a connection until the client, a time-out, a cut or `stop` ends it.
pub(crate) async fn serve(
    stream: TcpStream,
    router: Router,
    bounds: Bounds,
    mut stop: watch::Receiver<bool>,
) {
    // Events are small and late ones are useless; without it they would wait for the next.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(bounds.write_timeout));
    let handle = Connection::default();
    let service = service_fn(|mut request: Request<Incoming>| {
        request.extensions_mut().insert(handle.clone());
        router.clone().call(request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.header_timeout)
        .max_buf_size(bounds.header_bytes_max)
        // A vectored write to a client that is gone raises SIGPIPE, which ends a host written in C; the
        // standard library's plain write (send with MSG_NOSIGNAL) gives an error.
        .writev(false)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    tokio::pin!(connection);
    let mut stopping = false;
    loop {
        tokio::select! {
            outcome = connection.as_mut() => {
                if let Err(error) = outcome {
                    tracing::debug!(%error, "a connection ended early");
                }
                return;
            }
            () = handle.cut.notified() => return,
            _ = stop.wait_for(|stop| *stop), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// Tells a client that there are too many, without reading its request.
pub(crate) async fn refuse(mut stream: TcpStream) {
    const ANSWER: &[u8] =
        b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let talk = async {
        stream.write_all(ANSWER).await?;
        stream.shutdown().await?;
        // Closing with unread bytes resets the connection, and the answer might be lost with it.
        let mut sink = [0; 1024];
        let mut left: usize = 64;
        while left > 0 && stream.read(&mut sink).await? > 0 {
            left -= 1;
        }
        std::io::Result::Ok(())
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), talk).await;
}
