//! The least of a browser: HTTP/1.0 requests, and an EventSource that reads until it is told to stop.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Opens a connection and sends a GET. HTTP/1.0, so that the body comes without chunks.
fn get(url: &str, headers: &str) -> BufReader<TcpStream> {
    let rest = url.strip_prefix("http://").expect("an http URL");
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(host).unwrap_or_else(|error| panic!("{host}: {error}"));
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time-out");
    write!(stream, "GET /{path} HTTP/1.0\r\nHost: {host}\r\n{headers}\r\n").expect("a request is sent");
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).expect("a status line");
    assert!(line.contains(" 200 "), "{url}: {line}");
    while line.trim() != "" {
        line.clear();
        reader.read_line(&mut line).expect("a header");
    }
    reader
}

/// The body of a page.
pub(crate) fn page(url: &str, headers: &str) -> String {
    let mut body = String::new();
    get(url, headers).read_to_string(&mut body).expect("a body");
    body
}

/// One event of a stream.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) data: String,
}

/// An EventSource.
pub(crate) struct EventSource {
    url: String,
    reader: Option<BufReader<TcpStream>>,
    /// What a browser keeps across connections.
    last_event_id: String,
}

impl EventSource {
    /// Connects.
    pub(crate) fn open(url: &str) -> Self {
        let mut source = Self { url: url.to_owned(), reader: None, last_event_id: String::new() };
        source.reconnect();
        source
    }

    /// Drops the connection and comes back with the id of the last event, as a browser does.
    pub(crate) fn reconnect(&mut self) {
        self.reader = None;
        let header = if self.last_event_id.is_empty() {
            String::new()
        } else {
            format!("Last-Event-ID: {}\r\n", self.last_event_id)
        };
        self.reader = Some(get(&self.url, &format!("Accept: text/event-stream\r\n{header}")));
    }

    /// The next event; `None` at the end of the stream. Comments and empty events are passed over.
    pub(crate) fn next(&mut self) -> Option<Event> {
        let reader = self.reader.as_mut().expect("connected");
        let (mut id, mut name, mut data) = (None, String::from("message"), Vec::new());
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).expect("the stream goes on") == 0 {
                return None;
            }
            let line = line.trim_end_matches(['\r', '\n']);
            if line.is_empty() {
                if let Some(id) = id.take() {
                    self.last_event_id = id;
                }
                if !data.is_empty() {
                    return Some(Event { id: self.last_event_id.clone(), name, data: data.join("\n") });
                }
                name = String::from("message");
                continue;
            }
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "id" => id = Some(value.to_owned()),
                "event" => value.clone_into(&mut name),
                "data" => data.push(value.to_owned()),
                _ => {}
            }
        }
    }
}
