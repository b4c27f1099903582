//! Reads an answer's body within its limit, whatever the server sends.
//!
//! Decompression is done here and not in reqwest, so that the limit holds for what comes out of it, and so
//! that a body which ends early on the wire is told from one whose compressed content does.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;
use reqwest::{
    Response,
    header::{CONTENT_ENCODING, HeaderMap},
};

use super::failure::{BodyFault, chain};

/// Takes the body's pieces as they come.
pub(crate) struct Collector {
    form: Form,
    limit: usize,
    received: u64,
}

enum Form {
    Plain(Limited),
    Gzip(Box<MultiGzDecoder<Limited>>),
}

impl Collector {
    /// A collector for an answer with these headers.
    ///
    /// # Errors
    /// A content encoding that was not asked for.
    pub(crate) fn new(headers: &HeaderMap, bytes_max: u64) -> Result<Self, BodyFault> {
        let limit = usize::try_from(bytes_max).unwrap_or(usize::MAX);
        let sink = Limited { bytes: Vec::new(), limit, is_full: false };
        let encoding = headers.get(CONTENT_ENCODING).map_or("", |value| value.to_str().unwrap_or("?"));
        let form = match encoding.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Form::Plain(sink),
            "gzip" | "x-gzip" => Form::Gzip(Box::new(MultiGzDecoder::new(sink))),
            _ => {
                let text = "its content encoding is neither gzip nor identity, and no other was asked for";
                return Err(BodyFault::Undecodable(text.to_owned()));
            }
        };
        Ok(Self { form, limit, received: 0 })
    }

    /// Takes a piece.
    ///
    /// # Errors
    /// When the limit is passed or the compression is broken.
    pub(crate) fn take(&mut self, piece: &[u8]) -> Result<(), BodyFault> {
        self.received += piece.len() as u64;
        let (written, is_full) = match &mut self.form {
            Form::Plain(sink) => (sink.write_all(piece), sink.is_full),
            Form::Gzip(decoder) => (decoder.write_all(piece), decoder.get_ref().is_full),
        };
        written.map_err(|error| self.fault(is_full, &error))
    }

    /// The whole body.
    ///
    /// # Errors
    /// When the compressed content ends early.
    pub(crate) fn finish(mut self) -> Result<Vec<u8>, BodyFault> {
        let limit = self.limit;
        match &mut self.form {
            Form::Plain(sink) => Ok(std::mem::take(&mut sink.bytes)),
            // Answers without a body may still name an encoding.
            Form::Gzip(_) if self.received == 0 => Ok(Vec::new()),
            Form::Gzip(decoder) => match decoder.try_finish() {
                Ok(()) => Ok(std::mem::take(&mut decoder.get_mut().bytes)),
                Err(_) if decoder.get_ref().is_full => Err(BodyFault::TooLarge { limit }),
                Err(error) => {
                    Err(BodyFault::Undecodable(format!("its gzip content is cut or broken: {error}")))
                }
            },
        }
    }

    fn fault(&self, is_full: bool, error: &io::Error) -> BodyFault {
        if is_full {
            BodyFault::TooLarge { limit: self.limit }
        } else {
            BodyFault::Undecodable(format!("its gzip content is broken: {error}"))
        }
    }
}

/// Reads the whole body.
///
/// # Errors
/// When it is cut off, too large or can not be decompressed.
pub(crate) async fn read(response: &mut Response, bytes_max: u64) -> Result<Vec<u8>, BodyFault> {
    let mut collector = Collector::new(response.headers(), bytes_max)?;
    loop {
        match response.chunk().await {
            Ok(Some(piece)) => collector.take(&piece)?,
            Ok(None) => return collector.finish(),
            Err(error) => return Err(BodyFault::Interrupted(chain(error))),
        }
    }
}

/// Memory with an end.
struct Limited {
    bytes: Vec<u8>,
    limit: usize,
    is_full: bool,
}

impl Write for Limited {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let needed = self.bytes.len().saturating_add(piece.len());
        if needed > self.limit {
            self.is_full = true;
            self.bytes = Vec::new();
            return Err(io::Error::other("above the limit"));
        }
        if needed > self.bytes.capacity() {
            // Doubles like a vector does, but never beyond the limit.
            let wanted = self.bytes.capacity().saturating_mul(2).clamp(needed, self.limit);
            self.bytes.try_reserve_exact(wanted - self.bytes.len())?;
        }
        self.bytes.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Compression, write::GzEncoder};
    use reqwest::header::HeaderValue;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn collect(encoding: &str, pieces: &[u8], limit: u64) -> Result<Vec<u8>, BodyFault> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, HeaderValue::from_str(encoding).unwrap());
        let mut collector = Collector::new(&headers, limit)?;
        for piece in pieces.chunks(100) {
            collector.take(piece)?;
        }
        collector.finish()
    }

    /// Guards the limit where it counts: on what comes out of the compression. The bomb is 64 MiB from 64 KiB.
    #[test]
    fn a_bomb_is_stopped_at_the_limit() {
        let bomb = gzip(&vec![0; 64 << 20]);
        assert!(bomb.len() < 100_000);
        assert!(matches!(collect("gzip", &bomb, 1 << 20), Err(BodyFault::TooLarge { limit: 1_048_576 })));
        assert!(matches!(collect("identity", &[0; 101], 100), Err(BodyFault::TooLarge { .. })));
        assert_eq!(collect("identity", &[0; 100], 100).unwrap().len(), 100);
    }

    /// Guards that a truncation is seen at every place of the compressed content.
    #[test]
    fn cut_gzip_is_never_taken_for_whole() {
        let whole = gzip(b"[{\"n\":1},{\"n\":2}]");
        assert_eq!(collect("gzip", &whole, 1024).unwrap(), b"[{\"n\":1},{\"n\":2}]");
        for end in 1..whole.len() {
            let cut = collect("gzip", &whole[..end], 1024);
            assert!(matches!(cut, Err(BodyFault::Undecodable(_))), "{end}: {cut:?}");
        }
        assert!(matches!(collect("br", b"x", 1024), Err(BodyFault::Undecodable(_))));
    }
}
