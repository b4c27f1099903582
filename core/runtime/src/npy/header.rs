//! The header of a `.npy` file: a Python dictionary of three known keys, read without Python.

/// What a header says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) descr: String,
    pub(super) fortran_order: bool,
    pub(super) shape: Vec<u64>,
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
