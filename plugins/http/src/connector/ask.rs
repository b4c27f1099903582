//! Asking for one page: the request, and what its answer means.

use std::time::{Duration, Instant};

use bytes::Bytes;
use mfn_plugin::{author::Result, value::PluginError};
use reqwest::header::{
    ACCEPT, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};

use super::{
    config::Settings,
    page::Content,
    pagination::{Into, Place},
};
use crate::client::{Ask, Core, Reply};

/// What a server said of a page's state.
#[derive(Debug, Clone, Default)]
pub(crate) struct Validators {
    pub(crate) etag: Option<HeaderValue>,
    pub(crate) last_modified: Option<HeaderValue>,
}

/// What came of asking for a page.
#[allow(clippy::large_enum_variant)]
pub(crate) enum Arrival {
    Page { content: Content, next: Option<Place>, validators: Validators },
    Unchanged,
}

/// Asks for one page.
pub(crate) async fn ask(
    core: &Core,
    settings: &Settings,
    place: &Place,
    validators: Option<Validators>,
) -> Result<Arrival> {
    let is_conditional = validators.is_some();
    let request = request(settings, place, validators)?;
    let reply = core.send(request).await.map_err(|failure| failure.error(false))?;
    if reply.status == 304 && is_conditional {
        return Ok(Arrival::Unchanged);
    }
    if let Some(refusal) = core.refusal(&reply) {
        return Err(refusal);
    }
    read(core, settings, place, reply)
}

/// Makes a page of an answer.
fn read(core: &Core, settings: &Settings, place: &Place, reply: Reply) -> Result<Arrival> {
    let mut content = match reply.body {
        Ok(bytes) => Content::read(bytes, &settings.form, place),
        // The server has said all it has to say: asking again would give the same.
        Err(fault) if fault.is_final() => Content::unreadable(fault.to_string(), place),
        Err(fault) => return Err(PluginError::retryable(format!("{}: {fault}", core.origin()))),
    };
    let text = content.text().filter(|_| content.fault().is_none());
    let base = &settings.plan.url;
    let next = match settings.pager.next(place, base, &reply.headers, text, content.items()) {
        Ok(next) => next,
        Err(reason) => {
            content.add_fault(reason, place);
            None
        }
    };
    let validators = match settings.conditional {
        true => Validators {
            etag: reply.headers.get(ETAG).cloned(),
            last_modified: reply.headers.get(LAST_MODIFIED).cloned(),
        },
        false => Validators::default(),
    };
    Ok(Arrival::Page { content, next, validators })
}

/// The request for a page.
fn request(settings: &Settings, place: &Place, validators: Option<Validators>) -> Result<Ask> {
    let mut url = if let Place::Link(url) = place { url.clone() } else { settings.plan.url.clone() };
    let mut headers = HeaderMap::new();
    if !settings.plan.headers.contains_key(ACCEPT) {
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    }
    let mut body = settings.body.as_ref().map(|body| Bytes::copy_from_slice(body.expose().as_bytes()));
    match settings.pager.argument(place) {
        Some((Into::Query(name), value)) => {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            set_parameter(&mut url, name, &value);
        }
        Some((Into::Field(name), value)) => {
            let text = body.as_deref().unwrap_or(b"{}");
            let mut object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(text)
                .map_err(|_| PluginError::permanent("body: it is not a JSON object"))?;
            object.insert(name.clone(), value);
            body = Some(serde_json::Value::Object(object).to_string().into());
        }
        None => {}
    }
    if body.is_some() && !settings.plan.headers.contains_key(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    let Validators { etag, last_modified } = validators.unwrap_or_default();
    if let Some(etag) = etag {
        headers.insert(IF_NONE_MATCH, etag);
    } else if let Some(date) = last_modified {
        headers.insert(IF_MODIFIED_SINCE, date);
    }
    let deadline = Instant::now() + Duration::from_millis(settings.plan.config.timeout_ms);
    Ok(Ask { method: settings.method.clone(), url, headers, body, deadline })
}

/// Sets a parameter of the query, in the place of one of that name.
fn set_parameter(url: &mut url::Url, name: &str, value: &str) {
    let others: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(known, _)| known != name)
        .map(|(n, v)| (n.into_owned(), v.into_owned()))
        .collect();
    url.query_pairs_mut().clear().extend_pairs(others).append_pair(name, value);
}
