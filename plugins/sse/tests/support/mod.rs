//! What the tests share: a transport on a free port, and an EventSource of their own that shares no
//! code with the plugin.
#![allow(clippy::unwrap_used)]
#![allow(dead_code, unreachable_pub, reason = "every test binary uses its own part")]

use std::{
    io::{self, Read},
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use mfn_listener::testing::Answer;
use mfn_plugin::{
    author::{Component, Result, Transport},
    testing::MemoryHost,
    value::{Cursor, Record},
};
use mfn_plugin_sse::SseTransport;
use serde_json::{Value, json};

/// An open transport with its host.
pub struct Served {
    pub memory: MemoryHost,
    pub transport: SseTransport,
    pub address: SocketAddr,
}

impl Served {
    /// Opens a transport; `config` is laid over a free loopback port.
    pub fn open(config: Value) -> Self {
        Self::open_as("live", config)
    }

    /// The same under a name of its own, which its thread carries.
    pub fn open_as(name: &str, config: Value) -> Self {
        let mut whole = json!({ "bind": "127.0.0.1:0" });
        whole.as_object_mut().unwrap().extend(config.as_object().unwrap().clone());
        let memory = MemoryHost::new();
        let host = memory.instance(name, Path::new("/"));
        let mut transport = SseTransport::create(serde_json::from_value(whole).unwrap(), host).unwrap();
        transport.open().unwrap();
        let url = transport.endpoints()[0].url.clone();
        let address = url.strip_prefix("http://").unwrap().strip_suffix("/events").unwrap().parse().unwrap();
        Self { memory, transport, address }
    }

    pub fn publish(&mut self, topic: &str, payload: &str) -> Cursor {
        self.try_publish(topic, payload.as_bytes()).unwrap()
    }

    pub fn try_publish(&mut self, topic: &str, payload: &[u8]) -> Result<Cursor> {
        let record = Record { id: "r".to_owned(), payload: payload.to_vec(), ..Record::default() };
        self.transport.publish(topic, &record.view())
    }

    /// Waits until a metric has a value.
    pub fn await_metric(&self, name: &str, value: f64) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.memory.number(name, &[]) != value {
            assert!(Instant::now() < deadline, "{name} is {} and not {value}", self.memory.number(name, &[]));
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn connect(&self, path: &str, last_event_id: Option<&str>) -> EventSource {
        EventSource::connect(self.address, path, last_event_id).unwrap()
    }
}

/// What a stream brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Got {
    Message {
        id: String,
        event: String,
        data: String,
    },
    Comment(String),
    /// The server ended the stream as HTTP wants it.
    End,
    /// The connection broke off.
    Broken,
}

/// Reads a stream by the rules of the HTML standard, section 9.2.6.
pub struct EventSource {
    answer: Answer,
    /// Bytes of the chunked body that are not decoded yet.
    raw: Vec<u8>,
    /// Decoded text that is not parsed yet.
    text: Vec<u8>,
    ended: bool,
    pub last_event_id: String,
    pub retry_ms: Option<u64>,
    data: Vec<String>,
    event: String,
}

impl EventSource {
    pub fn connect(address: SocketAddr, path: &str, last_event_id: Option<&str>) -> io::Result<Self> {
        let headers: Vec<_> = last_event_id.iter().map(|id| ("last-event-id", *id)).collect();
        let mut answer = Answer::open(address, "GET", path, &headers)?;
        if answer.reply.status != 200 {
            return Err(io::Error::other(format!("status {}", answer.reply.status)));
        }
        assert_eq!(answer.reply.header("content-type"), Some("text/event-stream"));
        assert_eq!(answer.reply.header("transfer-encoding"), Some("chunked"));
        let raw = std::mem::take(&mut answer.rest);
        Ok(Self {
            answer,
            raw,
            text: Vec::new(),
            ended: false,
            last_event_id: last_event_id.unwrap_or_default().to_owned(),
            retry_ms: None,
            data: Vec::new(),
            event: String::new(),
        })
    }

    /// The next message, comment or end.
    pub fn next(&mut self) -> Got {
        loop {
            if let Some(got) = self.parse() {
                return got;
            }
            if self.ended {
                return Got::End;
            }
            if self.decode() {
                continue;
            }
            let mut buffer = [0; 65_536];
            match self.answer.stream.read(&mut buffer) {
                Ok(0) => return Got::Broken,
                Ok(count) => self.raw.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Got::Broken,
                Err(error) => panic!("the stream is silent or broken: {error}"),
            }
        }
    }

    /// The next message; anything else but a comment is a failure.
    pub fn message(&mut self) -> (String, String, String) {
        loop {
            match self.next() {
                Got::Message { id, event, data } => return (id, event, data),
                Got::Comment(_) => {}
                other => panic!("{other:?} instead of a message"),
            }
        }
    }

    /// Waits for the greeting, so that the client is known to be admitted.
    pub fn greeted(mut self) -> Self {
        loop {
            assert!(self.parse().is_none(), "nothing comes before the greeting");
            if self.retry_ms.is_some() {
                break;
            }
            if !self.decode() {
                let mut buffer = [0; 64];
                let count = self.answer.stream.read(&mut buffer).unwrap();
                self.raw.extend_from_slice(&buffer[..count]);
            }
        }
        self
    }

    /// Decodes one whole chunk; false where it is not there yet.
    fn decode(&mut self) -> bool {
        let Some(end) = self.raw.windows(2).position(|window| window == b"\r\n") else { return false };
        let length = usize::from_str_radix(std::str::from_utf8(&self.raw[..end]).unwrap(), 16).unwrap();
        let whole = end + 2 + length + 2;
        if self.raw.len() < whole {
            return false;
        }
        self.text.extend_from_slice(&self.raw[end + 2..end + 2 + length]);
        assert_eq!(&self.raw[end + 2 + length..whole], b"\r\n");
        self.raw.drain(..whole);
        self.ended |= length == 0;
        true
    }

    fn parse(&mut self) -> Option<Got> {
        while let Some(end) = self.text.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.text.drain(..=end).collect();
            let line = String::from_utf8(line[..end].to_vec()).unwrap();
            if line.is_empty() {
                let data = std::mem::take(&mut self.data);
                let event = std::mem::take(&mut self.event);
                if !data.is_empty() {
                    let id = self.last_event_id.clone();
                    return Some(Got::Message { id, event, data: data.join("\n") });
                }
                continue;
            }
            if let Some(comment) = line.strip_prefix(':') {
                return Some(Got::Comment(comment.trim().to_owned()));
            }
            let (field, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
            match field {
                "id" => self.last_event_id = value,
                "event" => self.event = value,
                "data" => self.data.push(value),
                "retry" => self.retry_ms = Some(value.parse().unwrap()),
                other => panic!("the field {other:?} is not one of the format"),
            }
        }
        None
    }
}

/// The number behind the dash of a cursor.
pub fn sequence(id: &str) -> u64 {
    id.rsplit_once('-').unwrap().1.parse().unwrap()
}
