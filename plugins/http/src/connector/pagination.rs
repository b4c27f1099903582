//! From one page to the next: where the next one is, and how to ask for it.

use mfn_plugin::faults::Faults;
use reqwest::header::{HeaderMap, LINK};
use serde_json::Value;
use url::Url;

use super::{config::Pagination, pointer::Pointer};

/// Where a page is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) enum Place {
    /// What the configured URL gives.
    #[default]
    First,
    /// Behind a cursor.
    Cursor(Cursor),
    /// A page of that number.
    Number(u64),
    /// What a link leads to.
    Link(Url),
}

impl Place {
    /// The place as a person may see it: of a link nothing, as it may hold credentials.
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::First | Self::Link(_) => Value::Null,
            Self::Cursor(Cursor::Text(text)) => text.as_str().into(),
            Self::Cursor(Cursor::Number(number)) => Value::Number(number.clone()),
            Self::Number(number) => (*number).into(),
        }
    }
}

/// Places as they are remembered over a restart.
impl Place {
    /// `None` for a link: it may hold credentials.
    pub(crate) fn saved(&self) -> Option<Value> {
        match self {
            Self::First => Some(Value::Null),
            Self::Cursor(Cursor::Text(text)) => Some(serde_json::json!({ "cursor": text })),
            Self::Cursor(Cursor::Number(number)) => Some(serde_json::json!({ "cursor": number })),
            Self::Number(number) => Some(serde_json::json!({ "page": number })),
            Self::Link(_) => None,
        }
    }

    /// The place that [`saved`](Self::saved) stands for.
    pub(crate) fn restored(saved: &Value) -> Option<Self> {
        match (saved, saved.get("cursor"), saved.get("page")) {
            (Value::Null, ..) => Some(Self::First),
            (_, Some(Value::String(text)), None) => Some(Self::Cursor(Cursor::Text(text.clone()))),
            (_, Some(Value::Number(number)), None) => Some(Self::Cursor(Cursor::Number(number.clone()))),
            (_, None, Some(page)) => page.as_u64().map(Self::Number),
            _ => None,
        }
    }
}

/// A cursor as it stood in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Cursor {
    Text(String),
    Number(serde_json::Number),
}

/// The checked form of [`Pagination`].
#[derive(Debug, Clone)]
pub(crate) enum Pager {
    None,
    Cursor { pointer: Pointer, into: Into, resume: bool },
    Link,
    Page { into: Into, first: u64 },
}

/// What takes the cursor or the number.
#[derive(Debug, Clone)]
pub(crate) enum Into {
    Query(String),
    Field(String),
}

impl Pager {
    /// Checks the configuration. `body_takes` says whether there is a body that can take a field.
    pub(crate) fn new(pagination: &Pagination, body_takes: bool, faults: &mut Faults) -> Self {
        match pagination {
            Pagination::None => Self::None,
            Pagination::Link {} => Self::Link,
            Pagination::Cursor { pointer, query, body_field, resume } => {
                let checked = Pointer::new(pointer).filter(|_| !pointer.is_empty());
                let fix = "write it like /next_cursor";
                let field = "pagination.pointer";
                faults.check(checked.is_some(), field, pointer, "a JSON pointer that is not empty", fix);
                let into = into(query.as_deref(), body_field.as_deref(), body_takes, faults);
                Self::Cursor { pointer: checked.unwrap_or_default(), into, resume: *resume }
            }
            Pagination::Page { query, body_field, first } => Self::Page {
                into: into(query.as_deref(), body_field.as_deref(), body_takes, faults),
                first: *first,
            },
        }
    }

    /// Where a pass begins.
    pub(crate) fn first(&self) -> Place {
        match self {
            Self::Page { first, .. } => Place::Number(*first),
            _ => Place::First,
        }
    }

    /// Whether the next pass goes on where the last one ended.
    pub(crate) fn resumes(&self) -> bool {
        matches!(self, Self::Cursor { resume: true, .. })
    }

    /// What the query and the body take for a place.
    pub(crate) fn argument(&self, place: &Place) -> Option<(&Into, Value)> {
        match (self, place) {
            (Self::Cursor { into, .. }, Place::Cursor(Cursor::Text(text))) => {
                Some((into, text.as_str().into()))
            }
            (Self::Cursor { into, .. }, Place::Cursor(Cursor::Number(number))) => {
                Some((into, Value::Number(number.clone())))
            }
            (Self::Page { into, .. }, Place::Number(number)) => Some((into, (*number).into())),
            _ => None,
        }
    }

    /// The page after one, from its answer. `text` is missing where the body can not be read.
    ///
    /// # Errors
    /// A text that says why it can not be told.
    pub(crate) fn next(
        &self,
        here: &Place,
        base: &Url,
        headers: &HeaderMap,
        text: Option<&str>,
        items: usize,
    ) -> Result<Option<Place>, String> {
        match self {
            Self::None => Ok(None),
            Self::Link => link(here, base, headers),
            // A page that can not be read is not the end of the feed.
            Self::Page { .. } if items == 0 && text.is_some() => Ok(None),
            Self::Page { .. } => Ok(match here {
                Place::Number(number) => number.checked_add(1).map(Place::Number),
                _ => None,
            }),
            Self::Cursor { pointer, .. } => {
                let Some(text) = text else { return Ok(None) };
                let value = pointer.find(text).map_err(|error| error.to_string())?;
                // serde_json counts levels itself and refuses deep ones.
                let next = match value.map(|raw| serde_json::from_str(raw.get())) {
                    None | Some(Ok(Value::Null)) => return Ok(None),
                    Some(Ok(Value::String(text))) if text.is_empty() => return Ok(None),
                    Some(Ok(Value::String(text))) => Cursor::Text(text),
                    Some(Ok(Value::Number(number))) => Cursor::Number(number),
                    Some(_) => {
                        return Err("pagination.pointer leads to neither a text nor a number".to_owned());
                    }
                };
                let next = Place::Cursor(next);
                Ok((next != *here).then_some(next))
            }
        }
    }
}

fn into(query: Option<&str>, field: Option<&str>, body_takes: bool, faults: &mut Faults) -> Into {
    let ok = query.is_some() != field.is_some();
    let given = if query.is_some() { "both" } else { "neither" };
    let fields = "pagination.query, pagination.body_field";
    faults.check(ok, fields, given, "exactly one of the two", "name the parameter of the query");
    faults.check(
        field.is_none() || body_takes,
        "pagination.body_field",
        field.unwrap_or_default(),
        "left out unless method = \"post\" and body is a JSON object",
        "set method = \"post\", or use pagination.query",
    );
    match (query, field) {
        (None, Some(field)) => Into::Field(field.to_owned()),
        (query, _) => Into::Query(query.unwrap_or_default().to_owned()),
    }
}

/// The target of `Link: <...>; rel="next"`.
fn link(here: &Place, base: &Url, headers: &HeaderMap) -> Result<Option<Place>, String> {
    let from = if let Place::Link(url) = here { url } else { base };
    for value in headers.get_all(LINK) {
        let Ok(text) = value.to_str() else { continue };
        let Some(target) = next_of(text) else { continue };
        let url = from.join(target).map_err(|_| "the Link to the next page is no URL".to_owned())?;
        let bare = url.username().is_empty() && url.password().is_none();
        if url.origin() != base.origin() || !bare {
            return Err("the Link to the next page leads to another scheme, host or port, which is not \
                        followed: credentials would go there"
                .to_owned());
        }
        return Ok((url != *from).then_some(Place::Link(url)));
    }
    Ok(None)
}

/// The target of the link of relation `next` in one header value (RFC 8288).
fn next_of(text: &str) -> Option<&str> {
    let mut rest = text;
    loop {
        let (_, begun) = rest.split_once('<')?;
        let (target, after) = begun.split_once('>')?;
        let end = parameters_end(after);
        let (parameters, others) = after.split_at(end);
        let is_next = split_quoted(parameters, b';').into_iter().any(|parameter| {
            let Some((name, value)) = parameter.split_once('=') else { return false };
            let relations = value.trim().trim_matches('"');
            name.trim().eq_ignore_ascii_case("rel")
                && relations.split_ascii_whitespace().any(|relation| relation.eq_ignore_ascii_case("next"))
        });
        if is_next {
            return Some(target);
        }
        rest = others;
    }
}

/// Where the parameters of a link end: at a comma outside of quotes.
fn parameters_end(text: &str) -> usize {
    split_quoted(text, b',').first().map_or(text.len(), |first| first.len())
}

/// Splits at a byte that is outside of quotes.
fn split_quoted(text: &str, separator: u8) -> Vec<&str> {
    let (mut parts, mut begin, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if byte == separator && !quoted => {
                parts.push(&text[begin..index]);
                begin = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[begin..]);
    parts
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn linked(value: &str) -> Result<Option<Place>, String> {
        let mut headers = HeaderMap::new();
        headers.insert(LINK, HeaderValue::from_str(value).unwrap());
        link(&Place::First, &Url::parse("https://api.example/items?size=2").unwrap(), &headers)
    }

    /// Guards the header in the forms that servers send.
    #[test]
    fn the_next_link_is_found() {
        let to = |url: &str| Ok(Some(Place::Link(Url::parse(url).unwrap())));
        let second = "https://api.example/items?size=2&page=2";
        for value in [
            format!("<{second}>; rel=\"next\""),
            format!("<https://api.example/items?page=9>; rel=\"last\", <{second}>; rel=next"),
            format!("<{second}>; title=\"a, b; rel=none\"; rel=\"prefetch NEXT\""),
            "<?size=2&page=2>; rel=\"next\"".to_owned(),
        ] {
            assert_eq!(linked(&value), to(second), "{value}");
        }
        for nothing in ["<https://api.example/x>; rel=\"prev\"", "", "rubbish", "<unclosed; rel=next"] {
            assert_eq!(linked(nothing), Ok(None), "{nothing}");
        }
    }

    /// Guards the credentials: a link to another place is not followed, nor one that carries a user.
    #[test]
    fn a_link_to_another_place_is_refused() {
        for target in [
            "https://evil.example/items",
            "http://api.example/items",
            "https://api.example:444/",
            "//u@api.example/",
        ] {
            assert!(linked(&format!("<{target}>; rel=next")).is_err(), "{target}");
        }
    }

    /// Guards the end of a feed by cursor: null, empty, missing, and the same again.
    #[test]
    fn cursors_end() {
        let pager = Pager::Cursor {
            pointer: Pointer::new("/next").unwrap(),
            into: Into::Query("after".to_owned()),
            resume: false,
        };
        let base = Url::parse("https://api.example/").unwrap();
        let next = |text: &str| {
            pager.next(&Place::Cursor(Cursor::Number(7.into())), &base, &HeaderMap::new(), Some(text), 1)
        };
        assert_eq!(next("{\"next\":\"8\"}"), Ok(Some(Place::Cursor(Cursor::Text("8".to_owned())))));
        assert_eq!(next("{\"next\":8}"), Ok(Some(Place::Cursor(Cursor::Number(8.into())))));
        for end in ["{\"next\":null}", "{\"next\":\"\"}", "{}", "{\"next\":7}"] {
            assert_eq!(next(end), Ok(None), "{end}");
        }
        assert!(next("{\"next\":[1]}").is_err());
    }
}
