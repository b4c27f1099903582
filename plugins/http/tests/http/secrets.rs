//! A canary in every field that holds a secret, and everything that could give it away.

use std::time::Duration;

use mfn_plugin::{
    author::Component,
    testing::MemoryHost,
    value::{Fetch, PluginError},
};
use mfn_plugin_http::{ConnectorConfig, PublisherConfig};
use serde_json::{Value, json};

use crate::{
    common::{LIMITS, new_connector, new_publisher, publish, records, with},
    server::{Act, Server, answer},
};

const CANARY: &str = "canary7Qx93";
/// Thirty bytes of it in base64.
const CANARY_KEY: &str = "whsec_Y2FuYXJ5N1F4OTNjYW5hcnk3UXg5M2NhbmFyeTc=";

/// Whether a text holds the canary, plain, in base64 at any offset, or of the signing key.
fn leaks(text: &str) -> bool {
    [CANARY, "Y2FuYXJ5N1F4O", "NhbmFyeTdReDkz", "jYW5hcnk3UXg5"].iter().any(|form| text.contains(form))
}

fn secretive(url: &str) -> Value {
    let url = format!("{url}/{CANARY}/p?token={CANARY}");
    json!({ "url": url, "headers": { "X-Secret": CANARY } })
}

fn auths() -> [Value; 4] {
    [
        json!({ "auth": { "bearer_token": CANARY } }),
        json!({ "auth": { "username": CANARY, "password": CANARY } }),
        json!({ "auth": { "api_key": CANARY } }),
        json!({ "auth": { "api_key": CANARY, "api_key_query": "k" } }),
    ]
}

/// Guards secrets in operation: servers of every mood, all log levels, and everything that comes out: logs,
/// metrics, errors, records' reasons, health, debug output.
#[test]
fn no_secret_comes_out() {
    let host = MemoryHost::new();
    host.capture_logs(5);
    let moods: [fn() -> Act; 8] = [
        || answer(200, &[("content-type", "application/json")], "[{\"id\":1}]"),
        || answer(200, &[("link", "<http://other.example/canary7Qx93>; rel=next")], "[1]"),
        || answer(200, &[("content-type", "application/json")], "{\"results\":["),
        || answer(302, &[("location", "/canary7Qx93")], ""),
        || answer(401, &[], ""),
        || answer(500, &[], ""),
        || Act::Close,
        || Act::Raw(b"rubbish\r\n\r\n".to_vec()),
    ];
    let mut texts: Vec<String> = Vec::new();
    let mut sent = 0;
    for mood in moods {
        let server = Server::start(move |_| mood());
        let gone = format!("http://localhost:{}", server.address.port());
        for (auth, base) in
            auths().into_iter().zip([&server.url(""), &server.url(""), &server.url(""), &gone])
        {
            let common = with(secretive(base), auth);
            let open = json!({ "allow_private_addresses": !base.contains("localhost") });
            let common = with(common, open);
            let reading = with(common.clone(), json!({ "at_end": "end", "pagination": { "by": "link" } }));
            let posting = with(reading.clone(), json!({ "method": "post", "body": format!("\"{CANARY}\"") }));
            let sending = with(common, json!({ "secrets": [CANARY_KEY] }));
            for config in [reading, posting] {
                let parsed: ConnectorConfig = serde_json::from_value(config.clone()).unwrap();
                texts.push(format!("{parsed:?}"));
                let mut source = new_connector(&host, config).unwrap();
                source.open().unwrap();
                for _ in 0..4 {
                    match source.fetch_text() {
                        Ok(text) | Err(text) => texts.push(text),
                    }
                }
                texts.push(format!("{:?} {:?}", source.check(), source.health()));
                texts.push(format!("{source:?} {:?}", source.endpoints()));
            }
            let parsed: PublisherConfig = serde_json::from_value(sending.clone()).unwrap();
            texts.push(format!("{parsed:?}"));
            let mut target = new_publisher(&host, sending).unwrap();
            target.open().unwrap();
            texts.push(format!("{:?}", publish(&mut target, &records(2))));
            texts.push(format!("{:?} {:?} {target:?}", target.check(), target.health()));
        }
        sent += server.seen().iter().filter(|seen| format!("{seen:?}").contains(CANARY)).count();
    }
    assert!(sent > 50, "the secrets were in use: {sent}");
    texts.extend(host.logs().iter().map(|line| format!("{line:?}")));
    texts.extend(host.metrics().iter().map(|family| format!("{family:?}")));
    assert!(!host.logs().is_empty());
    let leaked: Vec<&String> = texts.iter().filter(|text| leaks(text)).collect();
    assert!(leaked.is_empty(), "{leaked:#?}");
}

/// A fetch as text: what a log or a dead letter's reason would hold.
trait FetchText {
    fn fetch_text(&mut self) -> Result<String, String>;
}

impl FetchText for mfn_plugin_http::RestConnector {
    fn fetch_text(&mut self) -> Result<String, String> {
        use mfn_plugin::author::Connector;
        let limits = mfn_plugin::value::FetchLimits { timeout: Duration::from_millis(100), ..LIMITS };
        let show = |error: PluginError| format!("{error:?} {error}");
        self.fetch(limits).map_err(show).map(|fetch| match fetch {
            // Payloads are the server's and not looked at; here they hold no secret of the configuration.
            Fetch::Batch(batch) => format!("{batch:?}"),
            other => format!("{other:?}"),
        })
    }
}

/// Guards the refusals of a configuration: a secret of the wrong type or in the wrong place is not repeated.
#[test]
fn a_bad_configuration_does_not_repeat_secrets() {
    let number = 77_193_104_u64;
    let good = json!({ "url": "https://example.org/", "allow_unsigned": true });
    let wrong = [
        json!({ "url": number }),
        json!({ "url": format!("ftp://{CANARY}/") }),
        json!({ "url": CANARY }),
        json!({ "url": format!("https://u:{CANARY}@h/") }),
        json!({ "auth": CANARY }),
        json!({ "auth": [CANARY] }),
        json!({ "auth": { "bearer_token": number } }),
        json!({ "auth": { "bearer_token": format!("{CANARY}\n") } }),
        json!({ "auth": { "bearer_token": [CANARY] } }),
        json!({ "auth": { "password": CANARY } }),
        json!({ "headers": { "X": format!("{CANARY}\n") } }),
        json!({ "headers": CANARY }),
        json!({ "headers": { "X": number } }),
        json!({ "secrets": CANARY }),
        json!({ "secrets": [CANARY] }),
        json!({ "secrets": [number] }),
        json!({ "client": { "proxy": format!("socks://{CANARY}") } }),
        json!({ "client": { "proxy": number } }),
        json!({ "client": CANARY }),
    ];
    for wrong in wrong {
        let shown = wrong.to_string();
        let error = new_publisher(&MemoryHost::new(), with(good.clone(), wrong)).unwrap_err().message;
        assert!(!leaks(&error) && !error.contains(&number.to_string()), "{shown}: {error}");
    }
    let body = json!({ "url": "https://example.org/", "method": "post", "body": format!("{{{CANARY}") });
    assert!(!leaks(&new_connector(&MemoryHost::new(), body).unwrap_err().message));
}
