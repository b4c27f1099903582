//! JSON pointers (RFC 6901) over text that is not taken apart further than needed.
//!
//! A tree of values takes many times the memory of its text, so an answer is never made into one. What a
//! pointer leads to is found as a piece of the text, and nothing here recurses, however deep it nests.

use std::{borrow::Cow, fmt};

use serde::{
    Deserializer as _,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Deserializer, value::RawValue};

/// A checked pointer; the default one leads to the whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Pointer(Vec<String>);

impl Pointer {
    /// Reads `/a/b~1c/0`; `None` where it is no pointer.
    pub(crate) fn new(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::default());
        }
        let unescape = |token: &str| {
            let bad = token.replace("~0", "").replace("~1", "").contains('~');
            (!bad).then(|| token.replace("~1", "/").replace("~0", "~"))
        };
        text.strip_prefix('/')?.split('/').map(unescape).collect::<Option<_>>().map(Self)
    }

    /// What the pointer leads to; `None` where there is nothing.
    ///
    /// # Errors
    /// When the text on the way is not JSON.
    pub(crate) fn find<'a>(&self, json: &'a str) -> serde_json::Result<Option<&'a RawValue>> {
        let mut here: &RawValue = serde_json::from_str(json)?;
        for token in &self.0 {
            match step(here, token)? {
                Some(next) => here = next,
                None => return Ok(None),
            }
        }
        Ok(Some(here))
    }
}

/// One step down.
fn step<'a>(value: &'a RawValue, token: &str) -> serde_json::Result<Option<&'a RawValue>> {
    struct Step<'t>(&'t str);
    impl<'de> Visitor<'de> for Step<'_> {
        type Value = Option<&'de RawValue>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array or an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut found = None;
            while let Some(name) = map.next_key::<Name<'de>>()? {
                if name.0 == self.0 {
                    found = Some(map.next_value()?);
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            Ok(found)
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let index = self.0.parse::<usize>().ok().filter(|index| index.to_string() == self.0);
            let mut found = None;
            let mut at = 0;
            while let Some(item) = seq.next_element::<&RawValue>()? {
                if Some(at) == index {
                    found = Some(item);
                }
                at += 1;
            }
            Ok(found)
        }
    }
    if !value.get().starts_with(['[', '{']) {
        return Ok(None);
    }
    Deserializer::from_str(value.get()).deserialize_any(Step(token))
}

/// A field's name, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// Calls `take` with each item of an array, until it says `false`.
///
/// # Errors
/// When the text is not an array of JSON.
pub(crate) fn each_item(array: &RawValue, take: impl FnMut(&str) -> bool) -> serde_json::Result<()> {
    struct Each<F>(F);
    impl<'de, F: FnMut(&str) -> bool> Visitor<'de> for Each<F> {
        type Value = ();
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array")
        }
        fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
            while let Some(item) = seq.next_element::<&RawValue>()? {
                if !(self.0)(item.get()) {
                    while seq.next_element::<IgnoredAny>()?.is_some() {}
                    return Ok(());
                }
            }
            Ok(())
        }
    }
    Deserializer::from_str(array.get()).deserialize_seq(Each(take))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pointer: &str, json: &str) -> Option<String> {
        Pointer::new(pointer).unwrap().find(json).unwrap().map(|raw| raw.get().to_owned())
    }

    /// Guards the pointers of RFC 6901, with its own example.
    #[test]
    fn pointers_lead_where_the_standard_says() {
        let json = r#"{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"m~n":8,"k\"l":6," ":7}"#;
        let cases = [
            ("/foo", "[\"bar\",\"baz\"]"),
            ("/foo/0", "\"bar\""),
            ("/", "0"),
            ("/a~1b", "1"),
            ("/c%d", "2"),
            ("/e^f", "3"),
            ("/m~0n", "8"),
            ("/k\"l", "6"),
            ("/ ", "7"),
        ];
        for (pointer, value) in cases {
            assert_eq!(found(pointer, json).as_deref(), Some(value), "{pointer}");
        }
        assert_eq!(found("", "[1]").as_deref(), Some("[1]"));
        for nothing in ["/foo/2", "/foo/01", "/foo/-1", "/none", "/foo/0/x"] {
            assert_eq!(found(nothing, json), None, "{nothing}");
        }
        for wrong in ["foo", "/a~2", "/a~"] {
            assert_eq!(Pointer::new(wrong), None, "{wrong}");
        }
    }

    /// Guards the stack: a million levels are walked past and counted without recursion.
    #[test]
    fn a_million_levels_do_not_overflow_the_stack() {
        let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
        let json = format!("{{\"deep\":{deep},\"items\":[1,{deep}]}}");
        let array = Pointer::new("/items").unwrap();
        let mut depths = Vec::new();
        each_item(array.find(&json).unwrap().unwrap(), |item| {
            depths.push(mfn_plugin::json::depth(item));
            true
        })
        .unwrap();
        assert_eq!(depths, [0, 1_000_000]);
        assert!(array.find(&"[".repeat(1_000_000)).is_err());
    }
}
