//! Thrift's compact protocol, as far as the metadata of Parquet needs it (Apache Thrift, "Thrift Compact protocol
//! encoding").

/// The types of fields and elements.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    I32 = 5,
    I64 = 6,
    Binary = 8,
    List = 9,
    Struct = 12,
}

/// Writes one struct after the other into a row of bytes.
#[derive(Default)]
pub(super) struct Encoder {
    bytes: Vec<u8>,
    /// The last field of each struct that is open, the innermost last.
    open: Vec<i16>,
}

impl Encoder {
    /// The bytes of one struct.
    pub(super) fn encode(fields: impl FnOnce(&mut Self)) -> Vec<u8> {
        let mut encoder = Self::default();
        encoder.element(fields);
        encoder.bytes
    }

    /// A 32-bit number; enumerations are such.
    pub(super) fn i32(&mut self, field: i16, value: i32) {
        self.header(field, Kind::I32);
        self.number(i64::from(value));
    }

    /// A 64-bit number.
    pub(super) fn i64(&mut self, field: i16, value: i64) {
        self.header(field, Kind::I64);
        self.number(value);
    }

    /// A text.
    pub(super) fn text(&mut self, field: i16, value: &str) {
        self.header(field, Kind::Binary);
        self.text_element(value);
    }

    /// A struct.
    pub(super) fn structure(&mut self, field: i16, fields: impl FnOnce(&mut Self)) {
        self.header(field, Kind::Struct);
        self.element(fields);
    }

    /// A list, whose elements `each` writes.
    pub(super) fn list<T>(
        &mut self,
        field: i16,
        kind: Kind,
        elements: &[T],
        mut each: impl FnMut(&mut Self, &T),
    ) {
        self.header(field, Kind::List);
        if elements.len() < 15 {
            self.bytes.push((elements.len() as u8) << 4 | kind as u8);
        } else {
            self.bytes.push(0xf0 | kind as u8);
            self.varint(elements.len() as u64);
        }
        for element in elements {
            each(self, element);
        }
    }

    /// A struct as an element of a list.
    pub(super) fn element(&mut self, fields: impl FnOnce(&mut Self)) {
        self.open.push(0);
        fields(self);
        self.open.pop();
        self.bytes.push(0);
    }

    /// A text as an element of a list.
    pub(super) fn text_element(&mut self, value: &str) {
        self.varint(value.len() as u64);
        self.bytes.extend(value.as_bytes());
    }

    /// A number in zigzag form, also as an element of a list.
    pub(super) fn number(&mut self, value: i64) {
        self.varint(((value << 1) ^ (value >> 63)) as u64);
    }

    fn varint(&mut self, value: u64) {
        varint(&mut self.bytes, value);
    }

    /// Fields of Parquet rise by less than 16 and are in order.
    fn header(&mut self, field: i16, kind: Kind) {
        let Some(last) = self.open.last_mut() else { return };
        let step = (field - *last) as u8;
        *last = field;
        self.bytes.push(step << 4 | kind as u8);
    }
}

/// Seven bits a byte, the lowest first.
pub(super) fn varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}
