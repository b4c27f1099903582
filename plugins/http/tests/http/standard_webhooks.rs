//! A third party's judgement: the `standardwebhooks` package from PyPI verifies what the publisher sends. It
//! needs python3 with venv and a package index; where they are missing the test fails.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use mfn_plugin::testing::MemoryHost;
use serde_json::json;

use crate::{
    common::{KEY, OTHER_KEY, publish, publisher, record},
    server::{Seen, Server, answer},
};

const PACKAGE: &str = "standardwebhooks==1.1.0";
const VERIFY: &str = r#"
import json, sys
from standardwebhooks import Webhook, WebhookVerificationError
for line in sys.stdin:
    case = json.loads(line)
    try:
        Webhook(case["key"]).verify(bytes.fromhex(case["body"]), case["headers"])
        print("valid")
    except WebhookVerificationError as error:
        print("invalid", error)
    except json.JSONDecodeError:
        # The package parses the body after it has verified it.
        print("valid")
"#;

fn run(command: &mut Command, what: &str) {
    let output =
        command.output().unwrap_or_else(|error| panic!("{what}: {error}; install python3 and python3-venv"));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what} needs python3, python3-venv and a package index\n{text}");
}

/// The Python of an environment in the target directory that has the package; made once.
fn python() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("standardwebhooks-venv");
    let python = folder.join("bin/python");
    let stamp = folder.join("complete");
    if std::fs::read_to_string(&stamp).is_ok_and(|text| text == PACKAGE) {
        return python;
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder), "the environment");
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE];
    run(Command::new(&python).args(pip), PACKAGE);
    std::fs::write(stamp, PACKAGE).unwrap();
    python
}

/// One request with the key to verify it by; `body` replaces what was sent.
fn case(seen: &Seen, key: &str, body: &[u8]) -> String {
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let headers: serde_json::Map<String, serde_json::Value> =
        names.iter().map(|name| ((*name).to_owned(), seen.header(name).unwrap().into())).collect();
    let hex: String = body.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({ "key": key, "headers": headers, "body": hex }).to_string()
}

/// Guards the signatures in both modes, with one key and, during a rotation, with either of two; and that the
/// judge is one: it refuses a changed body and a foreign key.
#[test]
fn the_reference_package_verifies_our_signatures() {
    let python = python();
    let server = Server::start(|_| answer(204, &[], ""));
    let payloads = [
        record("msg_1", b"{\"event\":\"made\"}"),
        record("a.b", "{\"\u{fc}\":1}".as_bytes()),
        record("c", b"[]"),
    ];
    for (mode, secrets) in
        [("single", json!([KEY])), ("single", json!([OTHER_KEY, KEY])), ("batch", json!([OTHER_KEY, KEY]))]
    {
        let config = json!({ "mode": mode, "secrets": secrets, "concurrency": 1 });
        let mut target = publisher(&MemoryHost::new(), &server.url("/"), config);
        assert!(publish(&mut target, &payloads).iter().all(Result::is_ok));
    }
    let seen = server.seen();
    assert_eq!(seen.len(), 7);
    let mut cases = Vec::new();
    for (index, seen) in seen.iter().enumerate() {
        cases.push((case(seen, KEY, &seen.body), true));
        cases.push((case(seen, OTHER_KEY, &seen.body), index >= 3));
        cases.push((case(seen, KEY, &[&seen.body[..], b" "].concat()), false));
    }
    let mut child = Command::new(python)
        .args(["-c", VERIFY])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines: String = cases.iter().map(|(case, _)| format!("{case}\n")).collect();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let verdicts: Vec<bool> = said.lines().map(|line| line == "valid").collect();
    let expected: Vec<bool> = cases.iter().map(|(_, expected)| *expected).collect();
    assert_eq!(verdicts, expected, "{said}");
}
