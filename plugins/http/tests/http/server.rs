//! A small HTTP/1.1 server that does what a test tells it to, wrong things above all. It shares no code
//! with the plugin, keeps what it was sent, and counts its connections.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Counts all requests of the server, from 0.
    pub(crate) number: usize,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value of a parameter of the query, undecoded.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let (_, query) = self.target.split_once('?')?;
        query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, v)| v)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What to do about a request.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Answers, and keeps the connection.
    Answer(u16, Vec<(String, String)>, Vec<u8>),
    /// Waits, then does it.
    After(Duration, Box<Act>),
    /// Writes these bytes and closes.
    Raw(Vec<u8>),
    /// Closes without a word.
    Close,
    /// Writes these bytes and resets the connection, so that the other side gets an error, not an end.
    Reset(Vec<u8>),
    /// Writes the first bytes, then the second for ever, with a pause after each.
    Forever(Vec<u8>, Vec<u8>, Duration),
}

pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Act {
    answer(200, &[("content-type", "application/json")], body)
}

pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Act {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Act::Answer(status, headers, body.into())
}

type Handler = dyn Fn(&Seen) -> Act + Send + Sync;

struct State {
    handler: Box<Handler>,
    seen: Mutex<Vec<Seen>>,
    number: AtomicUsize,
    accepted: AtomicUsize,
    open: AtomicUsize,
    open_max: AtomicUsize,
    stop: AtomicBool,
}

/// A running server; it ends when it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

impl Server {
    pub(crate) fn start(handler: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            handler: Box::new(handler),
            seen: Mutex::default(),
            number: AtomicUsize::new(0),
            accepted: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            open_max: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
        });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.stop.load(Ordering::SeqCst) {
                    return;
                }
                let state = Arc::clone(&shared);
                state.accepted.fetch_add(1, Ordering::SeqCst);
                let open = state.open.fetch_add(1, Ordering::SeqCst) + 1;
                state.open_max.fetch_max(open, Ordering::SeqCst);
                thread::spawn(move || {
                    let _ = serve(&stream.unwrap(), &state);
                    state.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { address, state }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// All requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap().clone()
    }

    pub(crate) fn requests(&self) -> usize {
        self.state.number.load(Ordering::SeqCst)
    }

    /// Connections so far.
    pub(crate) fn accepted(&self) -> usize {
        self.state.accepted.load(Ordering::SeqCst)
    }

    /// The most connections at one time.
    pub(crate) fn open_max(&self) -> usize {
        self.state.open_max.load(Ordering::SeqCst)
    }

    pub(crate) fn open(&self) -> usize {
        self.state.open.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.state.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(stream: &TcpStream, state: &State) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut left = Vec::new();
    while let Some(seen) = read(stream, &mut left, state)? {
        state.seen.lock().unwrap().push(seen.clone());
        let mut act = (state.handler)(&seen);
        while let Act::After(wait, next) = act {
            thread::sleep(wait);
            act = *next;
        }
        if !perform(stream, act)? {
            return Ok(());
        }
    }
    Ok(())
}

/// Whether the connection stays open.
fn perform(mut stream: &TcpStream, act: Act) -> std::io::Result<bool> {
    match act {
        Act::Answer(status, headers, body) => {
            let mut head = format!("HTTP/1.1 {status} X\r\n");
            for (name, value) in &headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            if !matches!(status, 204 | 304) {
                head.push_str(&format!("content-length: {}\r\n", body.len()));
            }
            head.push_str("\r\n");
            stream.write_all(&[head.into_bytes(), body].concat())?;
            Ok(true)
        }
        Act::Raw(bytes) => {
            stream.write_all(&bytes)?;
            stream.shutdown(Shutdown::Both)?;
            Ok(false)
        }
        Act::Close => {
            stream.shutdown(Shutdown::Both)?;
            Ok(false)
        }
        Act::Reset(bytes) => {
            stream.write_all(&bytes)?;
            // The bytes have to be there first: a reset throws away what was not read.
            thread::sleep(Duration::from_millis(50));
            rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO))?;
            Ok(false)
        }
        Act::Forever(first, again, pause) => {
            stream.write_all(&first)?;
            loop {
                stream.write_all(&again)?;
                thread::sleep(pause);
            }
        }
        Act::After(..) => Ok(true),
    }
}

/// The next request; `None` when the connection ends.
fn read(mut stream: &TcpStream, left: &mut Vec<u8>, state: &State) -> std::io::Result<Option<Seen>> {
    let mut buffer = [0; 65_536];
    let end = loop {
        if let Some(end) = left.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(None);
        }
        left.extend_from_slice(&buffer[..count]);
    };
    let head = String::from_utf8(left[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap().split(' ');
    let (method, target) = (first.next().unwrap().to_owned(), first.next().unwrap().to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length =
        headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, v)| v.parse().unwrap());
    let mut body = left.split_off(end + 4);
    while body.len() < length {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(None);
        }
        body.extend_from_slice(&buffer[..count]);
    }
    *left = body.split_off(length);
    let number = state.number.fetch_add(1, Ordering::SeqCst);
    Ok(Some(Seen { method, target, headers, body, number }))
}
