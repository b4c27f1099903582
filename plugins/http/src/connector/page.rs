//! One page of a feed: its items, and the records made of them.
//!
//! A page stays the bytes that came; an item is a place in them. So a page costs its own size however
//! many items it has, and a record that is given back is made again without being kept twice.

use mfn_plugin::{
    json::{DEPTH_MAX, depth},
    value::Record,
};
use sha2::{Digest, Sha256};

use super::{
    config::Form,
    pagination::Place,
    pointer::{Pointer, each_item},
};

/// The content of a page.
#[derive(Debug, Default)]
pub(crate) struct Content {
    bytes: Vec<u8>,
    /// Begin and end of each item.
    items: Vec<(u32, u32)>,
    fault: Option<Fault>,
}

/// What makes a page unreadable; it becomes a record of its own, to be rejected with the reason.
#[derive(Debug)]
struct Fault {
    reason: String,
    /// Names the fault, the same each time the page is asked for.
    id: String,
}

impl Content {
    /// Finds the items in a body. It never fails: what can not be read becomes a fault.
    pub(crate) fn read(bytes: Vec<u8>, form: &Form, place: &Place) -> Self {
        let mut content = Self { bytes, ..Self::default() };
        match spans(&content.bytes, form) {
            Ok(items) => content.items = items,
            Err(reason) => content.add_fault(reason, place),
        }
        content
    }

    /// A page whose body can not be had.
    pub(crate) fn unreadable(reason: String, place: &Place) -> Self {
        let mut content = Self::default();
        content.add_fault(reason, place);
        content
    }

    /// Adds a fault of the page as a whole.
    pub(crate) fn add_fault(&mut self, reason: String, place: &Place) {
        let id = if self.bytes.is_empty() {
            digest(format!("{place:?} {reason}").as_bytes())
        } else {
            digest(&self.bytes)
        };
        self.fault = Some(Fault { reason, id });
    }

    /// The body as text, where it is.
    pub(crate) fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }

    /// Items found.
    pub(crate) fn items(&self) -> usize {
        self.items.len()
    }

    /// Why the page can not be read, where it can not.
    pub(crate) fn fault(&self) -> Option<&str> {
        self.fault.as_ref().map(|fault| fault.reason.as_str())
    }

    /// Records that the page gives: its items, and its fault.
    pub(crate) fn len(&self) -> usize {
        self.items.len() + usize::from(self.fault.is_some())
    }

    /// The memory that the page takes, bytes.
    pub(crate) fn size(&self) -> u64 {
        let items = self.items.capacity() * size_of::<(u32, u32)>();
        (self.bytes.capacity() + items) as u64
    }

    /// The payload of a record, without its copy.
    pub(crate) fn payload(&self, index: usize) -> &[u8] {
        match self.items.get(index) {
            Some(&(begin, end)) => self.bytes.get(begin as usize..end as usize).unwrap_or_default(),
            // Beside items the fault concerns the way to the next page, not the bytes.
            None if self.items.is_empty() => &self.bytes,
            None => &[],
        }
    }

    /// The id of a record, with the reason where it has none of its own.
    pub(crate) fn id(&self, index: usize, form: &Form) -> (String, Option<String>) {
        if let (Some(fault), true) = (&self.fault, index >= self.items.len()) {
            return (format!("{}/unreadable-{}", form.feed, fault.id), Some(fault.reason.clone()));
        }
        let payload = self.payload(index);
        let Ok(text) = std::str::from_utf8(payload) else { return (form.feed.clone(), None) };
        let parts: Result<Vec<String>, String> = form.id.iter().map(|pointer| part(pointer, text)).collect();
        match parts {
            Ok(parts) => (format!("{}/{}", form.feed, parts.join(":")), None),
            Err(reason) => (format!("{}/{}", form.feed, digest(payload)), Some(reason)),
        }
    }

    /// A record; `id` and `reason` come from [`id`](Self::id).
    pub(crate) fn record(&self, index: usize, form: &Form, id: String, reason: Option<String>) -> Record {
        let payload = self.payload(index);
        let text = std::str::from_utf8(payload).unwrap_or_default();
        let too_deep = || {
            let levels = depth(text);
            (levels > DEPTH_MAX)
                .then(|| format!("the item is nested {levels} levels deep, {DEPTH_MAX} are allowed"))
        };
        let reason = reason.or_else(too_deep);
        let key = form.key.as_ref().filter(|_| index < self.items.len()).and_then(|pointer| {
            let found = pointer.find(text).ok()??;
            Some(scalar(found.get()).unwrap_or_else(|| found.get().to_owned()).into_bytes())
        });
        let headers =
            reason.map(|reason| (Record::FAULT_HEADER.to_owned(), reason.into_bytes())).into_iter().collect();
        Record {
            id,
            key,
            payload: payload.to_vec(),
            content_type: form.content_type.clone(),
            headers,
            timestamp_ms: None,
            trace_parent: String::new(),
        }
    }
}

/// The places of the items in a body.
fn spans(bytes: &[u8], form: &Form) -> Result<Vec<(u32, u32)>, String> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let text = std::str::from_utf8(bytes).map_err(|error| format!("the answer is not UTF-8: {error}"))?;
    let not_json = |error: serde_json::Error| format!("the answer is not JSON: {error}");
    let found = form.items.find(text).map_err(not_json)?;
    let span = |item: &str| {
        // Both point into the same text.
        let begin = item.as_ptr() as usize - text.as_ptr() as usize;
        (u32::try_from(begin).unwrap_or(u32::MAX), u32::try_from(begin + item.len()).unwrap_or(u32::MAX))
    };
    match found.map(|raw| (raw, raw.get().as_bytes().first())) {
        None => Err("items: there is nothing in the answer where the pointer leads".to_owned()),
        Some((raw, Some(b'['))) => {
            let mut items = Vec::new();
            let mut count = 0_usize;
            each_item(raw, |item| {
                count += 1;
                if count <= form.items_max {
                    items.push(span(item));
                }
                count <= form.items_max
            })
            .map_err(not_json)?;
            if count > form.items_max {
                let max = form.items_max;
                return Err(format!(
                    "the page has more than {max} items; raise items_max or ask for smaller pages"
                ));
            }
            Ok(items)
        }
        Some((raw, Some(b'{'))) => Ok(vec![span(raw.get())]),
        Some((raw, _)) if raw.get() == "null" => Ok(Vec::new()),
        Some(_) => Err("items: the pointer leads to neither an array nor an object".to_owned()),
    }
}

/// One part of an id.
fn part(pointer: &Pointer, item: &str) -> Result<String, String> {
    let found = pointer.find(item).map_err(|error| format!("the item is not JSON: {error}"))?;
    match found.map(|raw| raw.get()) {
        None | Some("null") => Err("id: there is nothing in the item where the pointer leads".to_owned()),
        // The whole item counts by its bytes even where it is a text or a number.
        Some(text) if text.len() == item.len() => Ok(digest(text.as_bytes())),
        Some(text) => Ok(scalar(text).unwrap_or_else(|| digest(text.as_bytes()))),
    }
}

/// A text without its quotes, a number or a truth value as it stands; `None` for arrays and objects, and for
/// texts that no id should hold.
fn scalar(json: &str) -> Option<String> {
    match json.as_bytes().first()? {
        b'[' | b'{' => None,
        b'"' => serde_json::from_str(json).ok().filter(|text: &String| text.len() <= 512 && !text.is_empty()),
        _ => Some(json.to_owned()),
    }
}

/// Half of a SHA-256 as hexadecimal digits.
fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(items: &str, id: &[&str]) -> Form {
        Form {
            feed: "feed".to_owned(),
            items: Pointer::new(items).unwrap(),
            id: id.iter().map(|text| Pointer::new(text).unwrap()).collect(),
            key: Pointer::new("/k"),
            content_type: "application/json".to_owned(),
            items_max: 3,
        }
    }

    fn records(body: &[u8], form: &Form) -> Vec<Record> {
        let content = Content::read(body.to_vec(), form, &Place::First);
        let record = |index| {
            let (id, reason) = content.id(index, form);
            content.record(index, form, id, reason)
        };
        (0..content.len()).map(record).collect()
    }

    fn reason(record: &Record) -> String {
        let header = record.headers.iter().find(|(name, _)| name == Record::FAULT_HEADER);
        header.map(|(_, value)| String::from_utf8(value.clone()).unwrap()).unwrap_or_default()
    }

    /// Guards ids, keys and payloads: the item's own bytes, and the same id every time.
    #[test]
    fn items_become_records() {
        let body = br#"{"data":[ {"n":1,"v":"a/b","k":"x"}, {"n":2,"v":null} ,{"n":[3],"v":true}]}"#;
        let found = records(body, &form("/data", &["/n", "/v"]));
        assert_eq!(found[0].id, "feed/1:a/b");
        assert_eq!(found[0].payload, br#"{"n":1,"v":"a/b","k":"x"}"#);
        assert_eq!(found[0].key.as_deref(), Some(&b"x"[..]));
        assert!(reason(&found[1]).contains("id: there is nothing"), "{:?}", found[1]);
        assert!(found[2].id.ends_with(":true") && found[2].id.len() > 30, "{}", found[2].id);
        assert_eq!(records(body, &form("/data", &[""])), records(body, &form("/data", &[""])));
    }

    /// Guards that a page which can not be read is one record with a reason, whatever is wrong with it.
    #[test]
    fn an_unreadable_page_is_one_rejected_record() {
        let deep = "[".repeat(1_000_000);
        let bodies: [&[u8]; 7] = [
            b"<html>",
            b"{\"data\":[1,2",
            b"{}",
            b"{\"data\":7}",
            b"{\"data\":[1,2,3,4]}",
            b"{\"data\":[\"\xff\"]}",
            deep.as_bytes(),
        ];
        for body in bodies {
            let found = records(body, &form("/data", &[""]));
            assert_eq!(found.len(), 1);
            assert!(!reason(&found[0]).is_empty());
            assert_eq!(found[0].payload, body);
            assert_eq!(found[0].id, records(body, &form("/data", &[""]))[0].id);
        }
    }

    /// Guards neighbours: an item that is nested too deeply costs itself only.
    #[test]
    fn a_deep_item_costs_itself_only() {
        let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        let found = records(format!("[1,{deep},2]").as_bytes(), &form("", &[""]));
        assert_eq!(found.len(), 3);
        assert!(reason(&found[1]).contains("200000 levels"), "{}", reason(&found[1]));
        assert!(reason(&found[0]).is_empty() && reason(&found[2]).is_empty());
    }
}
