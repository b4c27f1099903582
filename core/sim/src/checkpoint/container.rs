//! The outer form of a checkpoint: a header and sections, each with its length and checksum.
//!
//! All numbers are little-endian. `docs/numerics/recording.md` describes every byte. The reader hands out
//! slices of the bytes it was given, so what it refuses has cost no memory.

use std::io::{self, Write};

use super::error::{CheckpointError, content};

/// What a checkpoint begins with. As in PNG, the first byte and the line ends show a file that was sent as
/// text.
pub(super) const MAGIC: [u8; 8] = *b"\x89MFNCP\r\n";
/// The version that is written, and the newest that is read.
pub(super) const VERSION: u32 = 1;
/// Bytes of the header.
pub(super) const HEADER_BYTES: u64 = 32;
/// Bytes of a section beside its content and its padding.
const FRAME_BYTES: u64 = 24;
/// Contents are padded with zeros to a multiple of this, so that numbers lie aligned in the file.
const ALIGNMENT: u64 = 8;
/// Numbers that are turned into bytes at a time.
const CHUNK_CELLS: usize = 4096;

/// One piece of a section's content.
pub(super) enum Piece<'a> {
    Bytes(Vec<u8>),
    F32(&'a [f32]),
    F64(&'a [f64]),
}

impl Piece<'_> {
    fn bytes(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::F32(cells) => 4 * cells.len() as u64,
            Self::F64(cells) => 8 * cells.len() as u64,
        }
    }
}

/// A section to be written.
pub(super) struct Section<'a> {
    pub(super) tag: &'static str,
    pub(super) pieces: Vec<Piece<'a>>,
}

impl Section<'_> {
    fn content_bytes(&self) -> u64 {
        self.pieces.iter().map(Piece::bytes).sum()
    }

    fn bytes(&self) -> u64 {
        FRAME_BYTES + self.content_bytes().next_multiple_of(ALIGNMENT)
    }
}

/// The length of a checkpoint of these sections.
pub(super) fn encoded_bytes(sections: &[Section<'_>]) -> u64 {
    HEADER_BYTES + sections.iter().map(Section::bytes).sum::<u64>()
}

/// Writes header and sections.
pub(super) fn write(sections: &[Section<'_>], writer: &mut dyn Write) -> io::Result<()> {
    let mut header = Vec::with_capacity(HEADER_BYTES as usize);
    header.extend_from_slice(&MAGIC);
    header.extend_from_slice(&VERSION.to_le_bytes());
    header.extend_from_slice(&(sections.len() as u32).to_le_bytes());
    header.extend_from_slice(&encoded_bytes(sections).to_le_bytes());
    header.extend_from_slice(&crc32fast::hash(&header).to_le_bytes());
    header.extend_from_slice(&[0; 4]);
    writer.write_all(&header)?;
    sections.iter().try_for_each(|section| write_section(section, writer))
}

fn write_section(section: &Section<'_>, writer: &mut dyn Write) -> io::Result<()> {
    let mut summed = Summed { writer, sum: crc32fast::Hasher::new() };
    summed.put(section.tag.as_bytes())?;
    summed.put(&[0; 4])?;
    let length = section.content_bytes();
    summed.put(&length.to_le_bytes())?;
    for piece in &section.pieces {
        match piece {
            Piece::Bytes(bytes) => summed.put(bytes)?,
            Piece::F32(cells) => summed.put_cells(cells, |cell| cell.to_le_bytes())?,
            Piece::F64(cells) => summed.put_cells(cells, |cell| cell.to_le_bytes())?,
        }
    }
    let padding = length.next_multiple_of(ALIGNMENT) - length;
    summed.put(&[0; ALIGNMENT as usize][..padding as usize])?;
    let sum = summed.sum.finalize();
    writer.write_all(&sum.to_le_bytes())?;
    writer.write_all(&[0; 4])
}

/// A writer that sums what passes.
struct Summed<'a> {
    writer: &'a mut dyn Write,
    sum: crc32fast::Hasher,
}

impl Summed<'_> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sum.update(bytes);
        self.writer.write_all(bytes)
    }

    fn put_cells<T: Copy, const N: usize>(
        &mut self,
        cells: &[T],
        bytes_of: fn(T) -> [u8; N],
    ) -> io::Result<()> {
        let mut buffer = Vec::with_capacity(N * CHUNK_CELLS.min(cells.len()));
        for chunk in cells.chunks(CHUNK_CELLS) {
            buffer.clear();
            buffer.extend(chunk.iter().flat_map(|&cell| bytes_of(cell)));
            self.put(&buffer)?;
        }
        Ok(())
    }
}

/// The sections of a checkpoint whose header is in order, read one after the other.
#[derive(Debug)]
pub(super) struct Sections<'a> {
    rest: &'a [u8],
    left: u32,
}

/// Checks the header and gives the length of the whole checkpoint. `start` holds at least the header, or
/// all bytes that there are.
pub(super) fn read_header(start: &[u8]) -> Result<(u32, u64), CheckpointError> {
    let compared = start.len().min(MAGIC.len());
    if start[..compared] != MAGIC[..compared] {
        return Err(CheckpointError::Magic);
    }
    let truncated = CheckpointError::Truncated { have: start.len() as u64, need: HEADER_BYTES };
    let mut fields = Fields::new("header", start.get(MAGIC.len()..).unwrap_or_default());
    let Ok(version) = fields.u32() else { return Err(truncated) };
    // Looked at before anything else: a later format may go on in another way.
    if version > VERSION {
        return Err(CheckpointError::Version { found: version, newest: VERSION });
    }
    if version == 0 {
        return Err(content("header", "the format version is 0"));
    }
    if (start.len() as u64) < HEADER_BYTES {
        return Err(truncated);
    }
    let (count, length) = (fields.u32()?, fields.u64()?);
    let (stored, zero) = (fields.u32()?, fields.u32()?);
    check_sum("header", &start[..HEADER_BYTES as usize - 8], stored, zero)?;
    Ok((count, length))
}

fn check_sum(section: &'static str, bytes: &[u8], stored: u32, zero: u32) -> Result<(), CheckpointError> {
    let computed = crc32fast::hash(bytes);
    if computed != stored {
        return Err(CheckpointError::Checksum { section, stored, computed });
    }
    if zero != 0 {
        return Err(content(section, "the bytes behind the checksum are not 0"));
    }
    Ok(())
}

impl<'a> Sections<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, CheckpointError> {
        let (left, need) = read_header(bytes)?;
        let have = bytes.len() as u64;
        if have < need {
            return Err(CheckpointError::Truncated { have, need });
        }
        if have > need {
            return Err(CheckpointError::Trailing { extra: have - need });
        }
        Ok(Self { rest: &bytes[HEADER_BYTES as usize..], left })
    }

    /// The next section, if it has this tag.
    pub(super) fn optional(&mut self, tag: &'static str) -> Result<Option<Fields<'a>>, CheckpointError> {
        if self.left == 0 || !self.rest.starts_with(tag.as_bytes()) {
            return Ok(None);
        }
        let short = || content(tag, format!("{} bytes are left for it", self.rest.len()));
        let mut head = Fields::new(tag, &self.rest[tag.len()..]);
        let (zero, length) = (head.u32()?, head.u64()?);
        let padded = length.checked_next_multiple_of(ALIGNMENT).ok_or_else(short)?;
        let end = usize::try_from(padded).ok().and_then(|padded| padded.checked_add(16)).ok_or_else(short)?;
        let (summed, behind) = self.rest.split_at_checked(end).ok_or_else(short)?;
        let mut tail = Fields::new(tag, behind);
        let (stored, zero_behind) = (tail.u32()?, tail.u32()?);
        check_sum(tag, summed, stored, zero_behind)?;
        let (body, padding) = summed[16..].split_at(length as usize);
        if zero != 0 || padding.iter().any(|&byte| byte != 0) {
            return Err(content(tag, "bytes that carry nothing are not 0"));
        }
        self.rest = tail.rest;
        self.left -= 1;
        Ok(Some(Fields::new(tag, body)))
    }

    /// The next section, which must have this tag.
    pub(super) fn required(&mut self, tag: &'static str) -> Result<Fields<'a>, CheckpointError> {
        self.optional(tag)?.ok_or_else(|| content(tag, "the section is not where it belongs"))
    }

    /// That all sections were read.
    pub(super) fn end(self) -> Result<(), CheckpointError> {
        if self.left == 0 && self.rest.is_empty() {
            return Ok(());
        }
        Err(content("header", "there are sections that this version does not know"))
    }
}

/// The numbers of a section, read one after the other.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    tag: &'static str,
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    fn new(tag: &'static str, rest: &'a [u8]) -> Self {
        Self { tag, rest }
    }

    /// The content is wrong for this reason.
    pub(super) fn wrong(&self, reason: impl Into<String>) -> CheckpointError {
        content(self.tag, reason)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], CheckpointError> {
        let (first, rest) =
            self.rest.split_first_chunk().ok_or_else(|| content(self.tag, "the content ends too early"))?;
        self.rest = rest;
        Ok(*first)
    }

    pub(super) fn u32(&mut self) -> Result<u32, CheckpointError> {
        self.fixed().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, CheckpointError> {
        self.fixed().map(u64::from_le_bytes)
    }

    pub(super) fn f64(&mut self) -> Result<f64, CheckpointError> {
        self.fixed().map(f64::from_le_bytes)
    }

    /// 0 or 1, in eight bytes.
    pub(super) fn flag(&mut self) -> Result<bool, CheckpointError> {
        match self.u64()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(self.wrong(format!("a flag is {other}, not 0 or 1"))),
        }
    }

    /// A number that may be absent: a flag, then the number, which is 0 when absent.
    pub(super) fn optional_u64(&mut self) -> Result<Option<u64>, CheckpointError> {
        match (self.flag()?, self.u64()?) {
            (true, value) => Ok(Some(value)),
            (false, 0) => Ok(None),
            (false, value) => Err(self.wrong(format!("an absent number is {value}, not 0"))),
        }
    }

    /// The rest of the content.
    pub(super) fn remaining(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// Exactly `count` numbers, which must be the rest of the content.
    pub(super) fn cells<T, const N: usize>(
        &mut self,
        count: usize,
        of: fn([u8; N]) -> T,
    ) -> Result<Vec<T>, CheckpointError> {
        let rest = self.remaining();
        if count.checked_mul(N) != Some(rest.len()) {
            return Err(self.wrong(format!("{} bytes for {count} cells of {N} bytes", rest.len())));
        }
        Ok(rest.as_chunks().0.iter().map(|&cell| of(cell)).collect())
    }

    /// That everything was read.
    pub(super) fn end(self) -> Result<(), CheckpointError> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(self.wrong(format!("{} bytes too many", self.rest.len())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sections() -> Vec<Section<'static>> {
        vec![
            Section { tag: "TEXT", pieces: vec![Piece::Bytes(b"seventeen bytes..".to_vec())] },
            Section { tag: "NUMB", pieces: vec![Piece::Bytes(vec![7; 8]), Piece::F64(&[1.5, f64::NAN])] },
            Section { tag: "NONE", pieces: Vec::new() },
            Section { tag: "HALF", pieces: vec![Piece::F32(&[0.5, -0.0, 3.0])] },
        ]
    }

    fn written() -> Vec<u8> {
        let mut bytes = Vec::new();
        write(&sections(), &mut bytes).unwrap();
        assert_eq!(bytes.len() as u64, encoded_bytes(&sections()));
        bytes
    }

    type Contents = (Vec<u8>, Vec<f64>, Vec<f32>);

    fn read(bytes: &[u8]) -> Result<Contents, CheckpointError> {
        let mut sections = Sections::new(bytes)?;
        let text = sections.required("TEXT")?.remaining().to_vec();
        assert!(sections.optional("ELSE")?.is_none());
        let mut numbers = sections.required("NUMB")?;
        numbers.u64()?;
        let numbers = numbers.cells(2, f64::from_le_bytes)?;
        sections.required("NONE")?.end()?;
        let half = sections.required("HALF")?.cells(3, f32::from_le_bytes)?;
        sections.end()?;
        Ok((text, numbers, half))
    }

    /// Guards the form, and that contents lie at multiples of 8 bytes.
    #[test]
    fn what_is_written_is_read() {
        let bytes = written();
        let (text, numbers, half) = read(&bytes).unwrap();
        assert_eq!(text, b"seventeen bytes..");
        assert!(numbers[0] == 1.5 && numbers[1].is_nan());
        assert_eq!(
            half.iter().map(|cell| cell.to_bits()).collect::<Vec<_>>(),
            [0.5f32, -0.0, 3.0].map(f32::to_bits)
        );
        for content in [&b"seventeen"[..], &[7; 8]] {
            assert_eq!(bytes.windows(content.len()).position(|found| found == content).unwrap() % 8, 0);
        }
    }

    /// Guards the checksums: no byte can be changed in any way, none taken away and none added
    /// without a refusal.
    #[test]
    fn every_change_is_noticed() {
        let bytes = written();
        for at in 0..bytes.len() {
            for change in [1, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[at] ^= change;
                assert!(read(&changed).is_err(), "byte {at}");
            }
            let refused = read(&bytes[..at]).unwrap_err();
            assert!(matches!(refused, CheckpointError::Truncated { have, .. } if have == at as u64), "{at}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(read(&longer), Err(CheckpointError::Trailing { extra: 1 }));
        assert_eq!(read(b"\x93NUMPY\x01\x00"), Err(CheckpointError::Magic));
        let mut newer = bytes;
        newer[8] = 2;
        assert_eq!(read(&newer), Err(CheckpointError::Version { found: 2, newest: VERSION }));
    }

    /// Guards against lengths that no memory holds, in bytes whose checksums are right.
    #[test]
    fn absurd_lengths_are_refused() {
        for length in [u64::MAX, u64::MAX - 7, 1 << 62, 1 << 32, 25] {
            let mut bytes = written();
            bytes[40..48].copy_from_slice(&length.to_le_bytes());
            let refused = read(&bytes).unwrap_err();
            assert!(
                matches!(
                    refused,
                    CheckpointError::Content { section: "TEXT", .. } | CheckpointError::Checksum { .. }
                ),
                "{refused}"
            );
        }
    }
}
