//! A canary in every secret field of the HTTP and Kafka plugins, through the real program: it may be in nothing that comes
//! out. Beside each canary stands a word that is no secret, and that has to be found in the same places: a search that finds
//! neither has looked at nothing.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
};

use serde_json::{Value, json};

use crate::{
    Site,
    cluster::{SASL_PASSWORD, SASL_USER, shared},
    common::{run, secret_fields, tree},
    eventually,
    server::{Server, answer, ok},
};

/// What no output may hold, in any of its forms: plain, and in base64 at each of the three offsets.
const CANARIES: [&str; 4] = ["canary", "Y2FuYXJ5", "NhbmFye", "jYW5hcn"];
/// The word that is found wherever the configuration and the records show.
const VISIBLE: &str = "visible";
/// 30 bytes that begin with the canary, as Standard Webhooks write a key.
const SIGNING_KEY: &str = "whsec_Y2FuYXJ5LXNpZ25pbmcta2V5LWNhbmFyeS1rZXk=";
/// Another one, which stands in a file.
const SECOND_KEY: &str = "whsec_Y2FuYXJ5LXNlY29uZC1rZXktY2FuYXJ5LWtleS0y";

/// Every field that the plugins declare as a secret, of which none may be missing below; in `properties` any value may be
/// one.
const SECRETS: [(&str, &str, &[&str]); 4] = [
    ("http", "connector", &HTTP_CONNECTOR),
    ("http", "publisher", &HTTP_PUBLISHER),
    ("kafka", "connector", &["properties.*"]),
    ("kafka", "publisher", &["properties.*"]),
];
const HTTP_CONNECTOR: [&str; 5] =
    ["auth.api_key", "auth.bearer_token", "auth.password", "auth.username", "client.proxy"];
const HTTP_PUBLISHER: [&str; 6] =
    ["auth.api_key", "auth.bearer_token", "auth.password", "auth.username", "client.proxy", "secrets[]"];

/// Routes over both plugins: one whose records are delivered, one whose records become dead letters, one whose receiver is
/// dead so that its records stay in the spool, and one through Kafka as a user who has to log in.
fn pipeline(server: &str, brokers: &str) -> String {
    let feed = |name: &str, more: &str| {
        format!(
            "[connectors.visible-{name}]\nplugin = \"http\"\n[connectors.visible-{name}.config]\n\
             url = \"http://{server}/{name}/canary-path?canary-query=canary-value\"\nid = [\"/id\"]\n\
             headers = {{ X-Hidden = \"canary-header\" }}\nat_end = \"end\"\nallow_private_addresses = true\n{more}\n"
        )
    };
    let hook = |name: &str, more: &str| {
        format!(
            "[publishers.visible-{name}]\nplugin = \"http\"\n[publishers.visible-{name}.config]\n\
             url = \"http://{server}/{name}/canary-path?canary-query=canary-value\"\n\
             headers = {{ X-Hidden = \"canary-header\" }}\nsecrets = [\"{SIGNING_KEY}\", \"file:secrets/key\"]\n\
             allow_private_addresses = true\n{more}\n\
             [publishers.visible-{name}.delivery]\nretry = {{ initial_ms = 10, cap_ms = 100 }}\n"
        )
    };
    let kafka = |kind: &str, more: &str| {
        format!(
            "[{kind}s.visible-kafka-{kind}]\nplugin = \"kafka\"\n[{kind}s.visible-kafka-{kind}.config]\n\
             brokers = [\"{brokers}\"]\n{more}\nproperties = {{ \"security.protocol\" = \"sasl_plaintext\", \
             \"sasl.mechanism\" = \"PLAIN\", \"sasl.username\" = \"{SASL_USER}\", \
             \"sasl.password\" = \"file:secrets/sasl\" }}\n"
        )
    };
    let route = |name: &str, source: &str, target: &str, more: &str| {
        format!(
            "[[routes]]\nname = \"visible-{name}\"\nwork = \"forward\"\nconnectors = [\"visible-{source}\"]\n\
             publishers = [\"visible-{target}\"]\n{more}\n"
        )
    };
    [
        "name = \"visible\"\n[plugins]\ndirectories = [\"plugins\"]\n\
         [exporters.metrics]\nplugin = \"prometheus\"\nconfig = { bind = \"127.0.0.1:0\" }\n"
            .to_owned(),
        feed("bearer", "auth = { bearer_token = \"file:secrets/token\" }"),
        feed("basic", "auth = { username = \"canary-user\", password = \"env:MFN_TEST_CANARY\" }"),
        feed("query", "auth = { api_key = \"canary-api-key\", api_key_query = \"k\" }\nmethod = \"post\"\nbody = \"{\\\"canary\\\":1}\""),
        hook("taken", &format!("client = {{ proxy = \"http://canary-user:canary-password@{server}\" }}")),
        hook("refused", "auth = { api_key = \"env:MFN_TEST_CANARY\" }"),
        hook("dead", "auth = { username = \"canary-user\", password = \"file:secrets/token\" }"),
        kafka("connector", "topics = [\"canaries\"]\ngroup = \"canaries\""),
        kafka("publisher", "topic = \"canaries\""),
        hook("extra", "auth = { bearer_token = \"canary-token\" }"),
        route("delivered", "bearer", "kafka-publisher", ""),
        route("back", "kafka-connector", "taken", ""),
        route("lettered", "basic", "refused", "dead_letters_store = \"letters\""),
        route("spooled", "query", "dead", "durability = \"spooled\"\nbest_effort = [\"visible-extra\"]"),
    ]
    .concat()
}

/// Status and body of `GET path`.
fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

fn holds(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}

/// Judges one place: it shows the visible word, and no canary.
fn judge(place: &str, bytes: &[u8]) {
    let shown = || String::from_utf8_lossy(bytes);
    assert!(holds(bytes, VISIBLE), "{place}: the search has found nothing at all: {}", shown());
    judge_secret(place, bytes);
}

fn judge_secret(place: &str, bytes: &[u8]) {
    for canary in CANARIES {
        assert!(!holds(bytes, canary), "{place} holds {canary}: {}", String::from_utf8_lossy(bytes));
    }
}

/// Everything below a directory that files hold, and their names.
fn contents(directory: &Path) -> Vec<u8> {
    let names = tree(directory);
    assert!(!names.is_empty(), "{} is empty", directory.display());
    let read = |name: &String| [name.as_bytes().to_vec(), fs::read(directory.join(name)).unwrap_or_default()];
    names.iter().flat_map(read).flatten().collect()
}

/// Guards the search: each form of the canary is found, at each offset of base64.
#[test]
fn the_search_finds_a_canary() {
    for text in ["x canary", "Basic Y2FuYXJ5LXVzZXI6eA==", "eGNhbmFyeS0=", "eHhjYW5hcnktYQ=="] {
        let text = format!("{VISIBLE} {text}");
        assert!(std::panic::catch_unwind(|| judge("a text", text.as_bytes())).is_err(), "{text}");
    }
    assert!(std::panic::catch_unwind(|| judge("a text", b"nothing")).is_err());
}

/// Guards every secret field of the plugins, and what else of a URL, a header or a body may be one: in use, with records
/// that are delivered, spooled and dead-lettered, logged at trace level, they are in no output, log, metric, health report,
/// probe, spool file, dead letter or any other file.
#[test]
fn a_canary_gets_nowhere() {
    for (plugin, kind, known) in SECRETS {
        assert_eq!(secret_fields(plugin, kind), known, "{plugin} {kind}");
    }
    let cluster = shared();
    cluster.create_topic("canaries", 1, &[]);
    let server = Server::start(|seen| {
        if seen.method == "GET" || seen.target.contains("/query/") {
            let name = seen.target.split("/canary").next().unwrap().rsplit('/').next().unwrap();
            let items: Vec<Value> =
                (0..20).map(|n| json!({ "id": n, "text": format!("visible {name}") })).collect();
            return ok(json!(items).to_string());
        }
        if seen.target.contains("/refused/") {
            answer(422, &[], "canary in the answer")
        } else if seen.target.contains("/dead/") {
            answer(503, &[("retry-after", "1")], "canary in the answer")
        } else {
            answer(204, &[], "")
        }
    });
    let address = server.address.to_string();
    let text = pipeline(&address, &cluster.sasl_brokers().join("\", \""));
    let site = Site::new(&["http", "kafka", "prometheus"], &text);
    let path = site.path();
    fs::create_dir(path.join("secrets")).unwrap();
    for (name, value) in [("token", "canary-file-token"), ("key", SECOND_KEY), ("sasl", SASL_PASSWORD)] {
        fs::write(path.join("secrets").join(name), value).unwrap();
    }
    let running = site
        .start_with("--log-level trace --drain-timeout-ms 2000", &[("MFN_TEST_CANARY", "canary-variable")]);
    eventually("the start", || running.said().contains("\"started\""));
    let started: Value = serde_json::from_str(running.said().lines().next().unwrap()).unwrap();
    let endpoints = started["status"]["endpoints"].as_array().unwrap();
    let url = endpoints.iter().find(|it| it["name"] == "metrics").unwrap()["url"].as_str().unwrap();
    let metrics: SocketAddr = url.trim_start_matches("http://").split('/').next().unwrap().parse().unwrap();
    let came = |part: &str| server.seen().iter().filter(|seen| seen.target.contains(part)).count();
    eventually("records through Kafka, refused and dead", || {
        came("/taken/") >= 20 && came("/refused/") >= 20 && came("/dead/") >= 2 && came("/extra/") > 0
    });
    // Each secret was in use, as the server saw it; Kafka's broker let nobody in without the password.
    let seen = format!("{:?}", server.seen());
    for part in [
        "Bearer canary-file-token",
        "k=canary-api-key",
        "canary-header",
        "canary-query",
        "Bearer canary-token",
    ] {
        assert!(seen.contains(part), "{part} was not used");
    }
    for (name, value) in [
        ("authorization", "Basic Y2FuYXJ5"),
        ("proxy-authorization", "Basic Y2FuYXJ5"),
        ("x-api-key", "canary"),
    ] {
        assert!(
            server.seen().iter().any(|seen| seen.header(name).is_some_and(|it| it.starts_with(value))),
            "{name}"
        );
    }
    for page in ["/metrics", "/health"] {
        judge(page, get(metrics, page).as_bytes());
    }
    // The drain has two seconds, in which a broker may not let go: what matters here is what the run says of it.
    running.end();
    for name in ["said", "log", "letters", "spool"] {
        let place = path.join(name);
        let bytes = if place.is_dir() { contents(&place) } else { fs::read(&place).unwrap() };
        judge(name, &bytes);
    }
    for name in tree(path).iter().filter(|name| path.join(name).is_file()) {
        if !["plugins", "secrets", "pipeline.toml"].iter().any(|known| name.starts_with(known)) {
            judge_secret(name, &fs::read(path.join(name)).unwrap());
        }
    }
    judge("list", format!("{:?}", run(path, "dead-letters list letters --json")).as_bytes());
}

/// Guards the errors: of a probe with a wrong password, a wrong token and a receiver that is not there, and of a configuration
/// with options that are refused, none repeats a secret.
#[test]
fn no_error_repeats_a_secret() {
    let cluster = shared();
    cluster.create_topic("canaries-refused", 1, &[]);
    let server = Server::start(|_| answer(401, &[], "canary in the answer"));
    let text = pipeline(&server.address.to_string(), &cluster.sasl_brokers().join("\", \""));
    let outputs = |text: &str, lines: &[&str]| {
        let site = Site::new(&["http", "kafka", "prometheus"], text);
        let path = site.path();
        fs::create_dir(path.join("secrets")).unwrap();
        for (name, value) in [("token", "canary-file-token"), ("key", SECOND_KEY), ("sasl", "canary-wrong")] {
            fs::write(path.join("secrets").join(name), value).unwrap();
        }
        let output = |line: &&str| {
            let ended = format!("{:?}", run(path, line));
            judge(line, ended.as_bytes());
            ended
        };
        lines.iter().map(output).collect::<String>()
    };
    // Wrong credentials, a variable that is not there, and a receiver that is gone.
    let said = outputs(
        &text,
        &["check pipeline.toml", "check pipeline.toml --probe", "run pipeline.toml --log-level trace"],
    );
    for part in ["401", "MFN_TEST_CANARY", "visible-kafka-publisher"] {
        assert!(said.contains(part), "{part} is not told: {said}");
    }
    // A key's password beside TLS that is not built in, or that has no key; properties that are refused; values of wrong
    // types and in wrong places.
    for (from, to) in [
        ("\"sasl.mechanism\"", "\"ssl.key.password\" = \"canary-key-password\", \"sasl.mechanism\""),
        ("\"sasl.mechanism\"", "\"ssl.key.pem\" = \"canary-pem\", \"sasl.mechanism\""),
        ("\"sasl.mechanism\"", "\"sasl.jaas.config\" = \"canary-jaas\", \"sasl.mechanism\""),
        ("\"sasl.mechanism\"", "\"plugin.library.paths\" = \"canary-library\", \"sasl.mechanism\""),
        ("\"file:secrets/sasl\"", "[\"canary-list\"]"),
        (SIGNING_KEY, "whsec_canary"),
        ("{ bearer_token = \"file:secrets/token\" }", "[\"canary-list\"]"),
        ("http://canary-user", "socks9://canary-user"),
    ] {
        let wrong = text.replacen(from, to, 1);
        assert_ne!(wrong, text, "{from}");
        let said =
            outputs(&wrong, &["check pipeline.toml", "check pipeline.toml --json", "run pipeline.toml"]);
        assert!(said.contains("code: Some(1)") || said.contains("code: Some(2)"), "{to} was taken: {said}");
    }
}
