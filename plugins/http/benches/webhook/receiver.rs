//! A receiver that does nothing but take bodies, quickly: it parses a length and answers 204.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

/// A running receiver; its threads end with their connections.
pub(crate) struct Receiver {
    address: SocketAddr,
    bytes: Arc<AtomicU64>,
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let bytes = Arc::new(AtomicU64::new(0));
        let shared = Arc::clone(&bytes);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let bytes = Arc::clone(&shared);
                thread::spawn(move || serve(stream.unwrap(), &bytes));
            }
        });
        Self { address, bytes }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Bytes of bodies so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

fn serve(mut stream: TcpStream, bytes: &AtomicU64) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut buffer = vec![0_u8; 256 << 10];
    let mut filled = 0;
    loop {
        let end = loop {
            if let Some(end) = buffer[..filled].windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            let count = stream.read(&mut buffer[filled..]).ok().filter(|count| *count > 0)?;
            filled += count;
        };
        let head = std::str::from_utf8(&buffer[..end]).ok()?.to_ascii_lowercase();
        let (_, rest) = head.split_once("content-length: ")?;
        let length: usize = rest.split("\r\n").next()?.parse().ok()?;
        let mut left = length.saturating_sub(filled - end);
        buffer.copy_within(end..filled, 0);
        filled = (filled - end).saturating_sub(length);
        while left > 0 {
            let room = buffer.len().min(left);
            let count = stream.read(&mut buffer[..room]).ok().filter(|count| *count > 0)?;
            left -= count;
        }
        bytes.fetch_add(length as u64, Ordering::Relaxed);
        stream.write_all(b"HTTP/1.1 204 X\r\n\r\n").ok()?;
    }
}
