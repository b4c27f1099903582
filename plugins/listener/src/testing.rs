//! A plain HTTP/1.1 client on std sockets, for tests: it shares no code with the server it tests.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

/// No test waits longer for a socket.
const PATIENCE: Duration = Duration::from_secs(10);

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Names in lower case, with values.
    pub headers: Vec<(String, String)>,
    /// The body, of a stream only where it was read.
    pub body: String,
}

impl Reply {
    /// The first header of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Sends a request and reads the whole answer. A body has to have a known length, or end with the connection.
///
/// # Errors
/// When the connection fails or the answer is not HTTP.
pub fn request(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)]) -> io::Result<Reply> {
    let mut answer = Answer::open(address, method, path, headers)?;
    let length = answer.reply.header("content-length").and_then(|text| text.parse::<usize>().ok());
    let mut body = std::mem::take(&mut answer.rest);
    match length {
        _ if method == "HEAD" => {}
        Some(length) => {
            let left = length.saturating_sub(body.len());
            body.resize(body.len() + left, 0);
            let start = length - left;
            answer.stream.read_exact(&mut body[start..])?;
        }
        None => {
            answer.stream.read_to_end(&mut body)?;
        }
    }
    answer.reply.body = String::from_utf8(body).map_err(|_| fault("the body is not UTF-8"))?;
    Ok(answer.reply)
}

/// `GET`; see [`request`].
///
/// # Errors
/// As [`request`].
pub fn get(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> io::Result<Reply> {
    request(address, "GET", path, headers)
}

/// Sends bytes as they are and reads until the server closes. Gives what came and how long it took.
///
/// # Errors
/// When the connection cannot be made, or is still open after ten seconds.
pub fn exchange(address: SocketAddr, bytes: &[u8]) -> io::Result<(Vec<u8>, Duration)> {
    let start = Instant::now();
    let mut stream = connect(address)?;
    // The server may close before it has read everything.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => {}
        Err(error) => return Err(error),
    }
    Ok((answer, start.elapsed()))
}

/// Connects, with limits on every wait.
///
/// # Errors
/// When nobody listens.
pub fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// An answer whose head was read and whose body is still to come.
#[derive(Debug)]
pub struct Answer {
    /// The head.
    pub reply: Reply,
    /// The connection.
    pub stream: TcpStream,
    /// What was read beyond the head.
    pub rest: Vec<u8>,
}

impl Answer {
    /// Sends a request and reads the head of the answer.
    ///
    /// # Errors
    /// When the connection fails or the answer is not HTTP.
    pub fn open(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)]) -> io::Result<Self> {
        let mut stream = connect(address)?;
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes())?;
        Self::read(stream)
    }

    /// Reads the head of an answer from a connection on which a request was sent.
    ///
    /// # Errors
    /// When the connection fails or the answer is not HTTP.
    pub fn read(mut stream: TcpStream) -> io::Result<Self> {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break end;
            }
            let mut buffer = [0; 4096];
            let count = stream.read(&mut buffer)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            bytes.extend_from_slice(&buffer[..count]);
        };
        let head = String::from_utf8(bytes[..end].to_vec()).map_err(|_| fault("the head is not UTF-8"))?;
        let mut lines = head.split("\r\n");
        let status = lines
            .next()
            .and_then(|line| line.strip_prefix("HTTP/1.1 "))
            .and_then(|line| line.get(..3))
            .and_then(|code| code.parse().ok())
            .ok_or_else(|| fault("no status line"))?;
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let rest = bytes.split_off(end + 4);
        Ok(Self { reply: Reply { status, headers, body: String::new() }, stream, rest })
    }
}

fn fault(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}
