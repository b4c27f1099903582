//! The headers of a lent record: borrowed from wherever they lie, so that lending a record costs no memory.
//!
//! A publisher is lent thousands of records in a call, on both sides of the library boundary. A list of its own for
//! each of them, made and dropped twice, took more time than all else that crosses.

use std::fmt;

use crate::abi::SHeaderView;

/// The headers of a [`RecordView`](crate::value::RecordView), in order; names may repeat.
#[derive(Clone, Default)]
pub struct HeaderList<'a> {
    lent: Lent<'a>,
    /// One more, behind the others.
    last: Option<(&'a str, &'a [u8])>,
}

/// Where they lie.
#[derive(Clone)]
enum Lent<'a> {
    /// In a record.
    Record(&'a [(String, Vec<u8>)]),
    /// On the other side of the library boundary.
    Abi(&'a [SHeaderView<'a>]),
    /// Single ones, put together.
    Listed(Vec<(&'a str, &'a [u8])>),
}

impl Default for Lent<'_> {
    fn default() -> Self {
        Self::Record(&[])
    }
}

impl<'a> HeaderList<'a> {
    /// The headers as the other side of the library boundary lends them.
    #[must_use]
    pub(crate) const fn of_abi(headers: &'a [SHeaderView<'a>]) -> Self {
        Self { lent: Lent::Abi(headers), last: None }
    }

    /// The list with one more header at its end.
    #[must_use]
    pub fn and(mut self, name: &'a str, value: &'a [u8]) -> Self {
        match self.last {
            None => Self { last: Some((name, value)), ..self },
            Some(_) => {
                let listed = self.iter().chain([(name, value)]).collect();
                self.last = None;
                Self { lent: Lent::Listed(listed), ..self }
            }
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        let lent = match &self.lent {
            Lent::Record(headers) => headers.len(),
            Lent::Abi(headers) => headers.len(),
            Lent::Listed(headers) => headers.len(),
        };
        lent + usize::from(self.last.is_some())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The header at a place: its name and its value.
    #[must_use]
    pub fn at(&self, index: usize) -> Option<(&'a str, &'a [u8])> {
        let lent = match &self.lent {
            Lent::Record(headers) => {
                headers.get(index).map(|(name, value)| (name.as_str(), value.as_slice()))
            }
            Lent::Abi(headers) => headers.get(index).map(|header| (header.0.as_str(), header.1.as_slice())),
            Lent::Listed(headers) => headers.get(index).copied(),
        };
        lent.or_else(|| self.last.filter(|_| index + 1 == self.len()))
    }

    /// The value of the first header of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    /// Name and value of each.
    #[must_use]
    pub fn iter(&self) -> HeaderIter<'a, '_> {
        HeaderIter { list: self, next: 0 }
    }
}

/// See [`HeaderList::iter`].
#[derive(Debug, Clone)]
pub struct HeaderIter<'a, 'l> {
    list: &'l HeaderList<'a>,
    next: usize,
}

impl<'a> Iterator for HeaderIter<'a, '_> {
    type Item = (&'a str, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let header = self.list.at(self.next)?;
        self.next += 1;
        Some(header)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.list.len() - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for HeaderIter<'_, '_> {}

impl<'a, 'l> IntoIterator for &'l HeaderList<'a> {
    type Item = (&'a str, &'a [u8]);
    type IntoIter = HeaderIter<'a, 'l>;

    fn into_iter(self) -> HeaderIter<'a, 'l> {
        self.iter()
    }
}

impl<'a> From<&'a [(String, Vec<u8>)]> for HeaderList<'a> {
    fn from(headers: &'a [(String, Vec<u8>)]) -> Self {
        Self { lent: Lent::Record(headers), last: None }
    }
}

impl<'a> From<Vec<(&'a str, &'a [u8])>> for HeaderList<'a> {
    fn from(headers: Vec<(&'a str, &'a [u8])>) -> Self {
        Self { lent: Lent::Listed(headers), last: None }
    }
}

impl<'a> FromIterator<(&'a str, &'a [u8])> for HeaderList<'a> {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a [u8])>>(headers: I) -> Self {
        Vec::from_iter(headers).into()
    }
}

impl PartialEq for HeaderList<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().zip(other).all(|(one, other)| one == other)
    }
}

impl Eq for HeaderList<'_> {}

impl fmt::Debug for HeaderList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        abi::{SRecordView, header_views},
        value::Record,
    };

    /// Guards that a record's headers are the same wherever they lie: names, values, order and repeats.
    #[test]
    fn headers_are_the_same_wherever_they_lie() {
        let header = |name: &str, value: &[u8]| (name.to_owned(), value.to_vec());
        let headers = vec![header("a", b"1"), header("b", &[0, 255]), header("a", b"")];
        let record = Record { id: "r".to_owned(), headers, ..Record::default() };
        let of_record = record.view();
        let crossing = header_views(std::slice::from_ref(&of_record));
        let lent = SRecordView::new(&of_record, &crossing);
        let of_abi = lent.plain();
        let listed: HeaderList<'_> = of_record.headers.iter().collect();
        for headers in [&of_record.headers, &of_abi.headers, &listed] {
            assert_eq!(headers, &of_record.headers);
            assert_eq!((headers.len(), headers.iter().len()), (3, 3));
            assert_eq!(headers.iter().nth(2), Some(("a", &b""[..])));
            assert_eq!(
                (headers.get("a"), headers.get("b"), headers.get("c")),
                (Some(&b"1"[..]), Some(&[0, 255][..]), None)
            );
        }
        let longer = of_record.headers.clone().and("d", b"4");
        assert_eq!((longer.len(), longer.at(3), longer.at(4)), (4, Some(("d", &b"4"[..])), None));
        let longest = longer.clone().and("e", b"5");
        assert_eq!(longest.iter().map(|(name, _)| name).collect::<String>(), "abade");
        assert!(longer != longest && longer != of_record.headers);
        assert_eq!(of_abi.to_record(), record);
        assert_ne!(listed, HeaderList::default());
    }
}
