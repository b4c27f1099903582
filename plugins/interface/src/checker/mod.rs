//! The contract checker: drives an author's type as the runtime would and tells what it does wrong.
//!
//! The contracts of [`author`](crate::author) hold promises that no type can express: a token settles
//! once, a batch that was never settled comes again after a restart, `close` is safe twice. A plugin's
//! own tests call the function of their kind:
//!
//! ```no_run
//! # use mfn_plugin::{author::Publisher, checker};
//! # fn example<FilePublisher: Publisher>() {
//! let directory = std::path::Path::new("target/check");
//! let setup = checker::Setup::new(serde_json::json!({ "directory": "out" }), directory);
//! checker::publisher::<FilePublisher>(&setup).assert_clean();
//! # }
//! ```
//!
//! It checks what can be seen from outside, and in one thread; it can not interrupt a call that hangs.

mod connector;
mod outbound;

use std::{
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::Value;

pub use connector::connector;
pub use outbound::{exporter, publisher, transport};

use crate::{
    author::{Component, Result, Shield, contain},
    host::Host,
    secret::read_config,
    testing::MemoryHost,
    value::Record,
};

/// What a call may take beyond its time-out before that is a finding.
const GRACE: Duration = Duration::from_secs(1);

/// How a type is checked.
#[derive(Debug, Clone)]
pub struct Setup {
    /// A configuration that works. For a connector it has to lead to at least three records.
    pub config: Value,
    /// Where relative paths of the configuration start.
    pub base_dir: PathBuf,
    /// How long to wait for a record that has to come.
    pub patience: Duration,
    /// Whether what was not settled has to come again to a new instance; false for a source that
    /// forgets when it is closed, as one in memory does.
    pub survives_restart: bool,
    /// Records that a publisher or a transport of this configuration has to take.
    pub records: Vec<Record>,
}

impl Setup {
    /// A setup with three small JSON records and ten seconds of patience.
    #[must_use]
    pub fn new(config: Value, base_dir: &Path) -> Self {
        let record = |n: u32| Record {
            id: format!("check-{n}"),
            payload: format!("{{\"n\":{n}}}").into_bytes(),
            content_type: "application/json".to_owned(),
            headers: vec![("mfn-check".to_owned(), b"yes".to_vec())],
            ..Record::default()
        };
        Self {
            config,
            base_dir: base_dir.to_owned(),
            patience: Duration::from_secs(10),
            survives_restart: true,
            records: (1..=3).map(record).collect(),
        }
    }
}

/// One promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The stable name of the rule.
    pub rule: &'static str,
    /// What was seen.
    pub detail: String,
}

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The rules that were tried.
    pub rules: BTreeSet<&'static str>,
    /// The broken ones; empty when all is well.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Ends a test with all findings when there are any.
    ///
    /// # Panics
    /// When there is a finding.
    pub fn assert_clean(&self) {
        assert!(self.findings.is_empty(), "{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} rules tried, {} findings", self.rules.len(), self.findings.len())?;
        self.findings.iter().try_for_each(|finding| writeln!(f, "{}: {}", finding.rule, finding.detail))
    }
}

/// One check under way: the type is made, watched and judged here.
struct Bench<'a> {
    setup: &'a Setup,
    host: MemoryHost,
    report: Report,
}

impl<'a> Bench<'a> {
    fn new(setup: &'a Setup) -> Self {
        Self { setup, host: MemoryHost::new(), report: Report::default() }
    }

    /// Tries a rule.
    fn expect(&mut self, rule: &'static str, holds: bool, detail: impl FnOnce() -> String) {
        self.report.rules.insert(rule);
        if !holds {
            self.report.findings.push(Finding { rule, detail: detail() });
        }
    }

    /// Tries the rule that a call succeeds, and gives its answer.
    fn succeed<R>(&mut self, rule: &'static str, result: Result<R>) -> Option<R> {
        self.expect(rule, result.is_ok(), || {
            result.as_ref().err().map(ToString::to_string).unwrap_or_default()
        });
        result.ok()
    }

    /// Tries the rule that a call is refused, by an error and not by a panic.
    fn refuse<R>(&mut self, rule: &'static str, what: &str, result: Result<R>) {
        self.expect(rule, result.is_err(), || format!("{what} was accepted"));
        if let Err(error) = result {
            self.expect("no-panic", !error.message.starts_with("panicked in"), || {
                format!("{what}: {}", error.message)
            });
            self.expect("errors-explain", !error.message.is_empty(), || format!("{what}: an empty message"));
        }
    }

    /// Tries the rule that work ends in time.
    fn in_time<R>(&mut self, rule: &'static str, limit: Duration, work: impl FnOnce() -> R) -> R {
        let start = Instant::now();
        let answer = work();
        let took = start.elapsed();
        self.expect(rule, took <= limit + GRACE, || format!("{took:?}; {limit:?} were given"));
        answer
    }

    fn create_with<T: Component>(&self, config: Value) -> Result<Shield<T>> {
        contain("create", || {
            let (config, _) = read_config::<T>(config, &self.setup.base_dir)?;
            let host: Host = self.host.instance("checked", &self.setup.base_dir);
            T::create(config, host).map(Shield::new)
        })
    }

    /// A new instance, opened.
    fn open<T: Component>(&mut self) -> Option<Shield<T>> {
        let created = self.create_with::<T>(self.setup.config.clone());
        let shield = self.succeed("create", created)?;
        let opened = shield.call("open", T::open);
        self.succeed("open", opened)?;
        Some(shield)
    }

    /// Tries the rules that hold for every kind.
    fn life<T: Component>(&mut self) {
        self.configuration::<T>();
        let unopened = self.create_with::<T>(self.setup.config.clone());
        if let Some(shield) = self.succeed("create", unopened) {
            self.close("close-unopened", &shield);
        }
        let Some(shield) = self.open::<T>() else { return };
        for _ in 0..2 {
            let checked = shield.call("check", T::check);
            self.succeed("check", checked);
        }
        self.in_time("health-is-quick", Duration::ZERO, || shield.health());
        let endpoints = shield.call("endpoints", |object| Ok(object.endpoints()));
        for endpoint in self.succeed("endpoints", endpoints).unwrap_or_default() {
            self.expect("endpoints-without-credentials", !has_credentials(&endpoint.url), || {
                format!("the endpoint {:?} shows credentials", endpoint.name)
            });
        }
        let limit = Duration::from_millis(200);
        let drained =
            self.in_time("drain-in-time", limit, || shield.call("drain", |object| object.drain(limit)));
        self.succeed("drain", drained);
        self.close("close-twice", &shield);
    }

    fn configuration<T: Component>(&mut self) {
        let mut config = self.setup.config.clone();
        if let Some(fields) = config.as_object_mut() {
            fields.insert("mfn_checker_unknown".to_owned(), Value::Bool(true));
            let created = self.create_with::<T>(config).map(|_| ());
            self.refuse("config-refuses-unknown", "a field that does not exist", created);
        }
        let schema = schemars::schema_for!(T::Config).to_value();
        let fields = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
        for (name, field) in fields {
            self.expect("config-is-documented", field.get("description").is_some(), || {
                format!("the field {name} has no doc comment")
            });
        }
    }

    /// Closes twice, which has to be safe.
    fn close<T: Component>(&mut self, rule: &'static str, shield: &Shield<T>) {
        for _ in 0..2 {
            let closed = shield.close();
            self.succeed(rule, closed);
        }
    }
}

/// Whether the authority of a URL names a user.
fn has_credentials(url: &str) -> bool {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    authority.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@'))
}

#[cfg(test)]
mod tests;
