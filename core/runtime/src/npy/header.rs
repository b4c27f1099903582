//! The header of a `.npy` file: a Python dictionary of three known keys, read and written without Python.

use super::{Element, MAGIC};

/// Data begins at a multiple of this, as in NumPy.
pub(super) const ALIGNMENT: usize = 64;

/// What a header says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) descr: String,
    pub(super) fortran_order: bool,
    pub(super) shape: Vec<u64>,
}

/// Bytes before the data of a stack: enough for three numbers of 20 digits, so that the number of frames
/// can be written over.
pub(super) const STACK_START_BYTES: usize = 128;

/// A file up to its data: magic, version 1, and the header of an array in C order with at least two
/// dimensions. Its length is a multiple of `alignment`.
pub(super) fn write(element: Element, shape: &[u64], alignment: usize) -> Vec<u8> {
    let shape: Vec<String> = shape.iter().map(u64::to_string).collect();
    let (descr, shape) = (element.descr(), shape.join(", "));
    let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}");
    let end = (MAGIC.len() + 4 + text.len() + 1).next_multiple_of(alignment);
    let mut bytes = Vec::with_capacity(end);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&[1, 0]);
    // A few numbers of at most 20 digits and the words around them: far below 65,536.
    bytes.extend_from_slice(&((end - MAGIC.len() - 4) as u16).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
    bytes.resize(end - 1, b' ');
    bytes.push(b'\n');
    bytes
}

/// The most dimensions that are read; NumPy allows 64.
const DIMENSIONS_MAX: usize = 64;

/// Parses a header. The error says what is wrong.
pub(super) fn parse(text: &str) -> Result<Header, String> {
    let mut cursor = Cursor { rest: text };
    let mut descr = None;
    let mut fortran_order = None;
    let mut shape = None;
    cursor.expect('{')?;
    while !cursor.take('}') {
        let key = cursor.string()?;
        cursor.expect(':')?;
        let repeated = match key {
            "descr" => descr.replace(cursor.string()?.to_owned()).is_some(),
            "fortran_order" => fortran_order.replace(cursor.boolean()?).is_some(),
            "shape" => shape.replace(cursor.tuple()?).is_some(),
            _ => return Err(format!("unknown key {:?}", shortened(key))),
        };
        if repeated {
            return Err(format!("key {key:?} twice"));
        }
        if !cursor.take(',') {
            cursor.expect('}')?;
            break;
        }
    }
    cursor.skip_space();
    if !cursor.rest.is_empty() {
        return Err(format!("{:?} behind the dictionary", shortened(cursor.rest)));
    }
    let missing = |key: &str| format!("key {key:?} is missing");
    Ok(Header {
        descr: descr.ok_or_else(|| missing("descr"))?,
        fortran_order: fortran_order.ok_or_else(|| missing("fortran_order"))?,
        shape: shape.ok_or_else(|| missing("shape"))?,
    })
}

struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\n', '\t', '\r']);
    }

    /// Takes a character if it is the next one.
    fn take(&mut self, wanted: char) -> bool {
        self.skip_space();
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, wanted: char) -> Result<(), String> {
        if self.take(wanted) { Ok(()) } else { Err(self.wanted(&format!("{wanted:?}"))) }
    }

    fn wanted(&self, what: &str) -> String {
        format!("wanted {what} at {:?}", shortened(self.rest))
    }

    fn string(&mut self) -> Result<&'a str, String> {
        let quote = if self.take('\'') {
            '\''
        } else if self.take('"') {
            '"'
        } else {
            return Err(self.wanted("a string"));
        };
        let (text, rest) = self.rest.split_once(quote).ok_or_else(|| self.wanted("the end of a string"))?;
        self.rest = rest;
        Ok(text)
    }

    fn boolean(&mut self) -> Result<bool, String> {
        self.skip_space();
        for (word, value) in [("True", true), ("False", false)] {
            if let Some(rest) = self.rest.strip_prefix(word) {
                self.rest = rest;
                return Ok(value);
            }
        }
        Err(self.wanted("True or False"))
    }

    fn tuple(&mut self) -> Result<Vec<u64>, String> {
        self.expect('(')?;
        let mut numbers = Vec::new();
        while !self.take(')') {
            if numbers.len() == DIMENSIONS_MAX {
                return Err(format!("more than {DIMENSIONS_MAX} dimensions"));
            }
            numbers.push(self.number()?);
            if !self.take(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(numbers)
    }

    fn number(&mut self) -> Result<u64, String> {
        self.skip_space();
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        let number = digits.parse().map_err(|_| self.wanted("a whole number below 2^64"))?;
        // Python 2 wrote long integers with a suffix.
        self.rest = rest.strip_prefix('L').unwrap_or(rest);
        Ok(number)
    }
}

/// The beginning of a text, for a message.
fn shortened(text: &str) -> String {
    text.chars().take(20).collect()
}
