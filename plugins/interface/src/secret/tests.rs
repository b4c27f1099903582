//! Tests of secrets: what is read, what is refused, what shows, when a replaced file counts.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use serde_json::json;

use super::*;
use crate::{author::Component, host::Host, value::ErrorClass};

/// Every shape in which a plugin may hold secrets.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {
    token: Secret,
    password: Option<Secret>,
    #[serde(default)]
    keys: Vec<Secret>,
    #[serde(default)]
    named: BTreeMap<String, Secret>,
    auth: Option<Auth>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Auth {
    Plain { value: String },
    Basic { value: Secret },
}

struct Holder;

impl Component for Holder {
    type Config = Config;
    fn create(config: Config, _: Host) -> crate::author::Result<Self> {
        drop(config);
        Ok(Self)
    }
    fn open(&mut self) -> crate::author::Result<()> {
        Ok(())
    }
    fn check(&mut self) -> crate::author::Result<()> {
        Ok(())
    }
    fn close(&mut self) -> crate::author::Result<()> {
        Ok(())
    }
}

fn read(config: serde_json::Value, base: &Path) -> crate::author::Result<(Config, Secrets)> {
    read_config::<Holder>(config, base)
}

/// Waits, at most five seconds: what the documentation promises.
fn await_value(secret: &Secret, wanted: &str) -> Duration {
    let begun = Instant::now();
    while secret.current().unwrap().expose() != wanted {
        assert!(begun.elapsed() < Duration::from_secs(5), "not taken up");
        std::thread::sleep(Duration::from_millis(20));
    }
    begun.elapsed()
}

/// Guards the forms: a literal, an escaped literal, a variable, a file relative to the configuration with
/// its line end taken off; in every place where a secret can stand, with its path.
#[test]
fn every_form_in_every_place() {
    let base = tempfile::tempdir().unwrap();
    fs::write(base.path().join("key"), "from the file\r\n").unwrap();
    let config = json!({
        "token": "env:CARGO_PKG_NAME", "password": "literal:env:NOT", "keys": ["plain", "file:key"],
        "named": { "a": "file:key" }, "auth": { "kind": "basic", "value": "basic" },
    });
    let (config, secrets) = read(config, base.path()).unwrap();
    secrets.check().unwrap();
    let text = |secret: &Secret| secret.current().unwrap().expose().to_owned();
    assert_eq!(text(&config.token), "mfn-plugin");
    assert_eq!(text(config.password.as_ref().unwrap()), "env:NOT");
    assert_eq!(config.keys.iter().map(text).collect::<Vec<_>>(), ["plain", "from the file"]);
    assert_eq!(text(&config.named["a"]), "from the file");
    let fields = [&config.token, &config.keys[1], &config.named["a"]].map(Secret::field);
    assert_eq!(fields, ["token", "keys[1]", "named.a"]);
    let Some(Auth::Basic { value }) = &config.auth else { panic!("the wrong variant") };
    assert_eq!((value.field(), text(value)), ("auth.value", "basic".to_owned()));
    // The other variant has a text of the same name, which is left alone.
    let plain = json!({ "token": "t", "auth": { "kind": "plain", "value": "file:key" } });
    let (plain, _) = read(plain, base.path()).unwrap();
    assert!(matches!(plain.auth, Some(Auth::Plain { value }) if value == "file:key"));
}

/// Guards the texts: no form of output shows a secret, of the whole configuration neither.
#[test]
fn nothing_shows_a_secret() {
    let canary = "canary-4711";
    let config = json!({ "token": canary, "keys": [canary], "auth": { "kind": "basic", "value": canary } });
    let (config, secrets) = read(config, Path::new("/")).unwrap();
    let value = config.token.current().unwrap();
    let shown = format!(
        "{config:?} {:#?} {} {} {value:?} {value} {}",
        config.token,
        config.token,
        serde_json::to_string(&config).unwrap(),
        serde_json::to_string(&value).unwrap(),
    );
    assert!(shown.contains("***") && !shown.contains("canary"), "{shown}");
    drop(secrets);
    for wrong in [json!(4711), json!(-4711), json!(47.11), json!(["canary"]), json!({ "canary": 1 })] {
        let error = read(json!({ "token": wrong }), Path::new("/")).unwrap_err().to_string();
        assert!(error.starts_with("config.token: ") && error.contains("string"), "{error}");
        assert!(!error.contains("47") && !error.contains("canary"), "{error}");
    }
}

/// Guards the errors: each fault of a source is typed, names field and source, and all come at once.
#[test]
fn faults_name_the_field_and_not_the_value() {
    let base = tempfile::tempdir().unwrap();
    let at = |name: &str| base.path().join(name);
    fs::write(at("empty"), "\n").unwrap();
    fs::write(at("binary"), [b'c', 0xff]).unwrap();
    fs::write(at("large"), "x".repeat(BYTES_MAX + 1)).unwrap();
    fs::write(at("largest"), "x".repeat(BYTES_MAX) + "\n").unwrap();
    let fault = |text: &str| {
        let secret = Secret::parse("f", text, base.path())?;
        secret.check().and(secret.current()).map(|value| value.expose().len())
    };
    assert_eq!(fault("file:largest"), Ok(BYTES_MAX));
    for (text, wanted) in [
        ("env:MFN_TEST_UNSET", SecretFault::Unset),
        ("file:empty", SecretFault::Empty),
        ("file:binary", SecretFault::NotText),
        ("file:large", SecretFault::TooLarge),
        ("file:.", SecretFault::NotAFile),
        ("env:can-ary", SecretFault::Name),
        ("env:", SecretFault::Name),
        ("file:", SecretFault::Path),
        ("", SecretFault::Empty),
    ] {
        let error = fault(text).unwrap_err();
        assert_eq!(error.fault, wanted, "{text}");
        assert!(error.to_string().starts_with("f: ") && !error.to_string().contains("can-ary"), "{error}");
    }
    assert!(matches!(fault("file:none").unwrap_err().fault, SecretFault::Unreadable { .. }));

    let both = json!({ "token": "file:none", "keys": ["env:MFN_TEST_UNSET"] });
    let (_kept, secrets) = read(both, base.path()).unwrap();
    let error = secrets.check().unwrap_err();
    assert_eq!(error.class, ErrorClass::Permanent);
    assert!(error.message.contains("; token: file:") && error.message.contains("keys[0]: env:"), "{error}");
    let (_kept, secrets) = read(json!({ "token": "file:none" }), base.path()).unwrap();
    assert_eq!(secrets.check().unwrap_err().class, ErrorClass::Blocked);
    let error = read(json!({ "token": "env:", "keys": ["file:"] }), base.path()).unwrap_err().to_string();
    assert!(error.contains("config.token: env:") && error.contains("config.keys[0]: file:"), "{error}");
}

/// Guards the rotation: a replaced file is in use within five seconds, the one before stays valid for its
/// window and no longer, and a file that is away for a while changes nothing.
#[test]
fn a_replaced_file_is_taken_up() {
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join("key");
    fs::write(&path, "one").unwrap();
    let secret = Secret::parse("key", "file:key", base.path()).unwrap();
    secret.keep_previous(Duration::from_millis(1500));
    assert_eq!(secret.current().unwrap().version(), 1);
    fs::write(base.path().join("new"), "two").unwrap();
    fs::rename(base.path().join("new"), &path).unwrap();
    await_value(&secret, "two");
    let valid: Vec<_> = secret.all_valid().unwrap().iter().map(|it| it.expose().to_owned()).collect();
    assert_eq!(valid, ["two", "one"]);
    assert_eq!(secret.current().unwrap().version(), 2);
    fs::remove_file(&path).unwrap();
    let begun = Instant::now();
    while secret.all_valid().unwrap().len() > 1 {
        assert!(begun.elapsed() < Duration::from_secs(5), "the window does not close");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(secret.current().unwrap().expose(), "two");
    assert!(secret.check().is_err());
    fs::write(&path, "three").unwrap();
    await_value(&secret, "three");
}

/// Guards against half a key: a file that is being written is not taken up before it is left alone.
#[test]
fn a_file_being_written_is_not_taken_up() {
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join("key");
    fs::write(&path, "old").unwrap();
    let source = Source::parse("file:key", base.path()).ok().unwrap();
    let mut held = Held::default();
    let begun = Instant::now();
    let mut at = |ms: u64| {
        held.current("key", &source, begun + Duration::from_millis(ms)).unwrap().expose().to_owned()
    };
    assert_eq!(at(0), "old");
    fs::write(&path, "ha").unwrap();
    assert_eq!(at(900), "old", "no look is due");
    assert_eq!(at(1100), "old", "just written");
    fs::write(&path, "half").unwrap();
    assert_eq!(at(1700), "old", "written again");
    assert_eq!(at(2100), "old", "not yet half a second");
    assert_eq!(at(2300), "half", "two looks alike");
}

/// Guards the host's side: which fields are secrets and how they are given, without a value.
#[test]
fn a_host_finds_the_secrets() {
    let base = tempfile::tempdir().unwrap();
    fs::write(base.path().join("key"), "k").unwrap();
    let schema = schemars::schema_for!(Config).to_value();
    let config = json!({
        "token": "canary", "password": "env:MFN_TEST_UNSET", "keys": ["file:key"],
        "auth": { "kind": "plain", "value": "no secret" },
    });
    let found = fields(&schema, &config, base.path());
    let mut found: Vec<_> = found.into_iter().map(|field| (field.path, field.form)).collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(found[0].0, "keys[0]");
    assert!(
        matches!(&found[1], (path, SecretForm::Missing(why)) if path == "password" && why.contains("UNSET"))
    );
    assert_eq!(found[2], ("token".to_owned(), SecretForm::Literal));
    assert_eq!(found.len(), 3);
    let maybe = json!({ "additionalProperties": { "x-mfn-secret": "maybe" } });
    let found = fields(&maybe, &json!({ "plain": "x", "password": "env:MFN_TEST_UNSET" }), base.path());
    assert_eq!(found.iter().map(|field| field.path.as_str()).collect::<Vec<_>>(), ["password"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let form = |mode: u32| {
            fs::set_permissions(base.path().join("key"), fs::Permissions::from_mode(mode)).unwrap();
            fields(&schema, &json!({ "token": "file:key" }), base.path()).remove(0).form
        };
        assert_eq!(form(0o644), SecretForm::FoundOpen);
        assert_eq!(form(0o640), SecretForm::Found);
    }
}

/// Guards the memory: after the last holder is gone, the process has the value no more. The test reads
/// its own memory; what it looks for is kept in two halves, so that it does not find itself.
#[cfg(target_os = "linux")]
#[test]
fn a_dropped_secret_is_wiped() {
    use std::{
        io::{Read, Seek, SeekFrom},
        os::unix::fs::MetadataExt,
    };
    let seed = fs::metadata("/proc/self").unwrap().ino() ^ u64::from(std::process::id());
    let mask = 0x5a;
    let hidden: Vec<u8> = format!("wiped-canary-{seed:x}").bytes().map(|byte| byte ^ mask).collect();
    let count = || {
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let mut memory = fs::File::open("/proc/self/mem").unwrap();
        let mut found = 0;
        for line in maps.lines().filter(|line| line.contains("rw-p") && !line.contains("[stack]")) {
            let (start, end) = line.split_whitespace().next().unwrap().split_once('-').unwrap();
            let (mut at, end) =
                (u64::from_str_radix(start, 16).unwrap(), u64::from_str_radix(end, 16).unwrap());
            memory.seek(SeekFrom::Start(at)).unwrap();
            let mut tail: Vec<u8> = Vec::new();
            let mut block = vec![0; 1 << 16];
            while at < end {
                let wanted = usize::try_from((end - at).min(1 << 16)).unwrap();
                let Ok(()) = memory.read_exact(&mut block[..wanted]) else { break };
                // Masked at once, so that the copies made here are not what is looked for.
                block[..wanted].iter_mut().for_each(|byte| *byte ^= mask);
                tail.extend_from_slice(&block[..wanted]);
                found += tail.windows(hidden.len()).filter(|window| *window == hidden).count();
                tail.drain(..tail.len() - hidden.len().min(tail.len()) + 1);
                at += wanted as u64;
            }
            block.fill(0);
        }
        found
    };
    let base = tempfile::tempdir().unwrap();
    // Written byte by byte, unbuffered: the whole value is never in one place of this process.
    let mut file = fs::File::create(base.path().join("key")).unwrap();
    for byte in &hidden {
        std::io::Write::write_all(&mut file, &[byte ^ mask]).unwrap();
    }
    let (config, secrets) = read(json!({ "token": "file:key" }), base.path()).unwrap();
    secrets.check().unwrap();
    let value = config.token.current().unwrap();
    assert_eq!(value.expose().len(), hidden.len());
    assert!(count() > 0, "the scan finds a value in use");
    drop((value, config));
    assert_eq!(count(), 0);
}
