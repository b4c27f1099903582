//! Who gets in: credentials, addresses, host names, origins, and that no secret gets out.
#![allow(clippy::unwrap_used)]

use std::{fs, net::SocketAddr, path::Path, sync::OnceLock};

use axum::{Router, routing::get};
use mfn_listener::{
    Auth, Limits, Listener, ListenerError, Plan,
    testing::{self, request},
};
use mfn_plugin::{host::Host, testing::MemoryHost};

const TOKEN: &str = "s3cr3t-token-0123456789";
const KEY: &str = "s3cr3t-key-abcdefghijkl";

/// The tests of a process share one host, as the first one to ask gets the logs.
fn memory() -> &'static MemoryHost {
    static HOST: OnceLock<MemoryHost> = OnceLock::new();
    HOST.get_or_init(|| {
        let memory = MemoryHost::new();
        memory.capture_logs(5);
        memory
    })
}

fn host(name: &str) -> Host {
    memory().instance(name, Path::new("/"))
}

fn auth(json: serde_json::Value) -> Auth {
    serde_json::from_value(json).unwrap()
}

fn open(plan: &Plan) -> (Listener, SocketAddr) {
    let router = Router::new().route("/", get(async || "hello")).route("/open", get(async || "open"));
    let listener = Listener::open(plan, router).unwrap();
    let address = listener.address();
    (listener, address)
}

/// Guards the door: each credential by its own header, nothing else, and the same refusal for
/// a wrong and a missing one. A path that is public stays so.
#[test]
fn a_credential_is_needed_where_one_is_set() {
    let auth = auth(serde_json::json!({ "bearer_token": TOKEN, "api_key": KEY }));
    let plan = Plan::new("127.0.0.1:0", &auth, &Limits::default(), &host("door")).unwrap();
    let (_listener, address) = open(&plan.with_public_paths(&["/open"]));
    let status = |headers: &[(&str, &str)]| testing::get(address, "/", headers).unwrap().status;
    assert_eq!(status(&[("authorization", &format!("Bearer {TOKEN}"))]), 200);
    assert_eq!(status(&[("authorization", &format!("bearer {TOKEN}"))]), 200);
    assert_eq!(status(&[("x-api-key", KEY)]), 200);
    let mut refusals = Vec::new();
    for headers in [
        vec![],
        vec![("authorization", "Bearer wrong".to_owned())],
        vec![("authorization", format!("Basic {TOKEN}"))],
        vec![("authorization", TOKEN.to_owned())],
        vec![("authorization", format!("Bearer {KEY}"))],
        vec![("x-api-key", TOKEN.to_owned())],
        vec![("x-api-key", String::new())],
        vec![("x-api-key", KEY[..KEY.len() - 1].to_owned())],
    ] {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let reply = testing::get(address, "/", &headers).unwrap();
        assert_eq!(reply.header("www-authenticate"), Some("Bearer realm=\"mfn\""));
        refusals.push((reply.status, reply.body));
    }
    assert!(refusals.iter().all(|refusal| *refusal == (401, "a valid credential is needed\n".to_owned())));
    assert_eq!(testing::get(address, "/open", &[]).unwrap().status, 200);
    let counted = memory().number("mfn_http_requests_total", &[("component", "door"), ("status", "401")]);
    assert_eq!(counted, 8.0);
    assert_eq!(memory().number("mfn_http_requests_in_progress", &[("component", "door")]), 0.0);
}

/// Guards the secret: it is in no log, no Debug text, no error and no metric.
#[test]
fn secrets_do_not_get_out() {
    let auth = auth(serde_json::json!({ "bearer_token": TOKEN, "api_key": KEY }));
    let plan = Plan::new("127.0.0.1:0", &auth, &Limits::default(), &host("quiet")).unwrap();
    let (listener, address) = open(&plan);
    testing::get(address, "/", &[("authorization", &format!("Bearer {TOKEN}"))]).unwrap();
    testing::get(address, "/", &[("x-api-key", &KEY[..20])]).unwrap();
    let mut seen = format!("{auth:?} {plan:?} {listener:?}");
    drop(listener);
    seen.push_str(&format!("{:?} {:?}", memory().logs(), memory().metrics()));
    assert!(seen.contains("listening"), "the log is captured at all");
    assert!(!seen.contains("s3cr3t"));
}

/// Guards secrets of the wrong type: the error names the field's fault and does not repeat the value.
#[test]
fn a_secret_of_the_wrong_type_is_not_repeated() {
    for wrong in [serde_json::json!(1_234_567_890_123_456_u64), serde_json::json!(["1234567890123456"])] {
        let config = serde_json::json!({ "bearer_token": wrong });
        let error = serde_json::from_value::<Auth>(config).unwrap_err().to_string();
        assert!(error.contains("expected a string") && !error.contains("123456"), "{error}");
    }
    assert!(auth(serde_json::json!({ "bearer_token": null })).bearer_token.is_none());
    // In the place of the whole table, too; and from text, where the reader could make the error itself.
    for wrong in
        [r#""secret-1234567890""#, "1234567890", "-1234567890", "1234567890.5", r#"["1234567890"]"#, "true"]
    {
        let error = serde_json::from_str::<Auth>(wrong).unwrap_err().to_string();
        assert!(error.contains("a table such as") && !error.contains("1234567890"), "{error}");
    }
    let unknown = serde_json::json!({ "bearer_tokn": "secret-1234567890" });
    let error = serde_json::from_value::<Auth>(unknown).unwrap_err().to_string();
    assert!(error.contains("unknown field") && !error.contains("1234567890"), "{error}");
}

/// Guards the file form, and that a file which is gone is told apart.
#[test]
fn credentials_come_from_files() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("token"), format!("{TOKEN}\n")).unwrap();
    let token = format!("file:{}", directory.path().join("token").display());
    let auth = auth(serde_json::json!({ "bearer_token": token }));
    let host = memory().instance("files", directory.path());
    let plan = Plan::new("127.0.0.1:0", &auth, &Limits::default(), &host).unwrap();
    plan.check(false).unwrap();
    let (_listener, address) = open(&plan);
    let right = format!("Bearer {TOKEN}");
    assert_eq!(testing::get(address, "/", &[("authorization", &right)]).unwrap().status, 200);
    assert_eq!(testing::get(address, "/", &[("authorization", &format!("{right}x"))]).unwrap().status, 401);
    fs::remove_file(directory.path().join("token")).unwrap();
    assert!(matches!(plan.check(true), Err(ListenerError::Secret(_))));
    assert!(matches!(Listener::open(&plan, Router::new()), Err(ListenerError::Secret(_))));
}

/// Guards against a listener that is open to the network by accident, and the refusals of everything else
/// that a configuration can get wrong.
#[test]
fn configurations_are_refused_with_their_field() {
    let fault = |bind: &str, json: serde_json::Value, limits: Limits| {
        Plan::new(bind, &auth(json), &limits, &host("faults")).unwrap_err().to_string()
    };
    let none = || serde_json::json!({});
    for exposed in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
        assert!(fault(exposed, none(), Limits::default()).contains("allow_unauthenticated"));
    }
    let allow = auth(serde_json::json!({ "allow_unauthenticated": true }));
    Plan::new("0.0.0.0:0", &allow, &Limits::default(), &host("faults")).unwrap();
    let token = auth(serde_json::json!({ "bearer_token": TOKEN }));
    Plan::new("0.0.0.0:0", &token, &Limits::default(), &host("faults")).unwrap();
    for address in ["", "localhost:80", "127.0.0.1", "127.0.0.1:65536", "http://127.0.0.1:80"] {
        assert!(fault(address, none(), Limits::default()).starts_with("bind: "));
    }
    let long = serde_json::json!({ "api_key": KEY, "rotation_window_ms": 604_800_001 });
    assert_eq!(
        fault("127.0.0.1:0", long, Limits::default()),
        "auth.rotation_window_ms: 604800001 is not in 0..=604800000"
    );
    let limits = Limits { header_bytes_max: 100, ..Limits::default() };
    assert_eq!(fault("127.0.0.1:0", none(), limits), "limits.header_bytes_max: 100 is not in 8192..=1048576");
    let plan = || Plan::new("127.0.0.1:0", &Auth::default(), &Limits::default(), &host("faults")).unwrap();
    for origin in
        ["", "example.org", "ftp://example.org", "https://example.org/", "https://Example.org", "https://*"]
    {
        assert!(
            matches!(plan().with_cors(&[origin.to_owned()]), Err(ListenerError::Origin { .. })),
            "{origin}"
        );
    }
}

/// Guards the address: one that is taken is a typed error, from the check and from opening.
#[test]
fn an_address_in_use_is_reported() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let bind = taken.local_addr().unwrap().to_string();
    let plan = Plan::new(&bind, &Auth::default(), &Limits::default(), &host("taken")).unwrap();
    assert!(matches!(plan.check(false), Err(ListenerError::Bind { .. })));
    assert!(matches!(Listener::open(&plan, Router::new()), Err(ListenerError::Bind { .. })));
    drop(taken);
    plan.check(false).unwrap();
}

/// Guards open local listeners against pages that rebind their own name to 127.0.0.1.
#[test]
fn a_foreign_host_name_is_refused_where_no_credential_is_set() {
    let plan = Plan::new("127.0.0.1:0", &Auth::default(), &Limits::default(), &host("names")).unwrap();
    let (_listener, address) = open(&plan);
    let ask = |name: &str| {
        let bytes = format!("GET / HTTP/1.1\r\nhost: {name}\r\nconnection: close\r\n\r\n");
        let (answer, _) = testing::exchange(address, bytes.as_bytes()).unwrap();
        String::from_utf8(answer).unwrap()
    };
    assert!(ask("localhost:1234").starts_with("HTTP/1.1 200"));
    assert!(ask("evil.example").starts_with("HTTP/1.1 403"));
}

/// Guards CORS: off unless asked for; then exactly the listed origins, also on refusals and preflights.
#[test]
fn other_origins_are_let_in_only_where_listed() {
    let plan = || {
        let auth = auth(serde_json::json!({ "api_key": KEY }));
        Plan::new("127.0.0.1:0", &auth, &Limits::default(), &host("cors")).unwrap()
    };
    let friend = "https://friend.example";
    let allowed = |address, method, origin| {
        let headers = [("origin", origin), ("access-control-request-method", "GET")];
        let reply = request(address, method, "/", &headers).unwrap();
        (reply.status, reply.header("access-control-allow-origin").map(str::to_owned))
    };
    let (_off, address) = open(&plan());
    assert_eq!(allowed(address, "GET", friend), (401, None));
    assert_eq!(allowed(address, "OPTIONS", friend), (401, None));
    let (_on, address) = open(&plan().with_cors(&[friend.to_owned()]).unwrap());
    assert_eq!(allowed(address, "GET", friend), (401, Some(friend.to_owned())));
    assert_eq!(allowed(address, "OPTIONS", friend), (200, Some(friend.to_owned())));
    assert_eq!(allowed(address, "GET", "https://stranger.example"), (401, None));
    let (_any, address) = open(&plan().with_cors(&["*".to_owned()]).unwrap());
    assert_eq!(allowed(address, "GET", "https://stranger.example"), (401, Some("*".to_owned())));
}
