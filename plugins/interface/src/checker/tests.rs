//! The checker checked: a sound component has no finding, and each fault gives the finding of its rule.

use std::{
    collections::{BTreeMap, VecDeque},
    path::PathBuf,
};

use super::*;
use crate::{
    author::{Connector, Publisher, Transport},
    value::{
        Batch, BatchToken, Cursor, Endpoint, ErrorClass, Fetch, FetchLimits, Idempotence, Ordering,
        PluginError, PublishContext, PublisherTraits, RecordResult, RecordView, Verdict,
    },
};

/// The fault to have; empty for none.
#[derive(Debug, Clone, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The rule to break.
    #[serde(default)]
    fault: String,
}

/// Any kind, in memory. A connector over the numbers 1 to 5.
struct Sample {
    fault: String,
    waiting: VecDeque<u64>,
    outstanding: BTreeMap<u64, Vec<u64>>,
    token: u64,
    paused: bool,
    closed: bool,
    sequence: u64,
    asked: std::sync::atomic::AtomicU32,
}

impl Sample {
    fn has(&self, fault: &str) -> bool {
        self.fault == fault
    }
}

impl Component for Sample {
    type Config = Config;

    fn create(config: Config, _: Host) -> Result<Self> {
        Ok(Self {
            fault: config.fault,
            waiting: (1..=5).collect(),
            outstanding: BTreeMap::new(),
            token: 0,
            paused: false,
            closed: false,
            sequence: 0,
            asked: std::sync::atomic::AtomicU32::new(0),
        })
    }

    fn open(&mut self) -> Result<()> {
        if self.has("open") { Err(PluginError::retryable("no")) } else { Ok(()) }
    }

    fn check(&mut self) -> Result<()> {
        if self.has("check") { Err(PluginError::retryable("no")) } else { Ok(()) }
    }

    fn endpoints(&self) -> Vec<Endpoint> {
        let user = if self.has("endpoints-without-credentials") { "u:p@" } else { "" };
        vec![Endpoint { name: "x".to_owned(), url: format!("http://{user}host/a@b") }]
    }

    fn close(&mut self) -> Result<()> {
        let twice = std::mem::replace(&mut self.closed, true);
        if twice && self.has("close-twice") { Err(PluginError::retryable("again?")) } else { Ok(()) }
    }
}

impl Connector for Sample {
    fn fetch(&mut self, limits: FetchLimits) -> Result<Fetch> {
        if self.paused && !self.has("pause-holds") {
            return Ok(Fetch::Empty);
        }
        let count = match limits.records_max {
            _ if limits.bytes_max < 10 && !self.has("limits-bytes") => 1,
            most => most as usize + usize::from(self.has("limits-records")),
        };
        let count = count.min(self.waiting.len());
        let taken: Vec<u64> = self.waiting.drain(..count).collect();
        if taken.is_empty() {
            return Ok(Fetch::Empty);
        }
        if self.has("outstanding-once") {
            self.waiting.push_front(1);
        }
        if !self.has("tokens-differ") {
            self.token += 1;
        }
        self.outstanding.insert(self.token, taken.clone());
        let id = |n| if self.has("record-ids") { String::new() } else { format!("id-{n}") };
        let record = |n: &u64| Record { id: id(*n), payload: vec![0; 10], ..Record::default() };
        Ok(Fetch::Batch(Batch {
            token: BatchToken(self.token),
            partition: "p".to_owned(),
            epoch: 1,
            records: taken.iter().map(record).collect(),
        }))
    }

    fn settle(&mut self, token: BatchToken, verdicts: &[Verdict]) -> Result<()> {
        let Some(numbers) = self.outstanding.get(&token.0).cloned() else {
            let lax = if token.0 > 1000 { "settle-unknown" } else { "settle-once" };
            return if self.has(lax) { Ok(()) } else { Err(PluginError::permanent("no such token")) };
        };
        assert!(!(self.has("no-panic") && verdicts.is_empty()), "no verdicts");
        if numbers.len() != verdicts.len() {
            if self.has("errors-explain") {
                return Err(PluginError::permanent(""));
            }
            return if self.has("settle-counts") { Ok(()) } else { Err(PluginError::permanent("count")) };
        }
        self.outstanding.remove(&token.0);
        if matches!(verdicts, [Verdict::Nack { .. }, ..]) && !self.has("nack-comes-again") {
            self.waiting.extend(numbers);
        }
        Ok(())
    }

    fn position(&mut self, partition: &str) -> Result<Vec<u8>> {
        if partition != "p" && !self.has("position-unknown") {
            return Err(PluginError::new(ErrorClass::Permanent, "no such partition"));
        }
        Ok(vec![0; if self.has("position-size") { 4097 } else { 1 }])
    }

    fn pause(&mut self) -> Result<()> {
        self.paused = true;
        Ok(())
    }

    fn resume(&mut self) -> Result<()> {
        self.paused = false;
        Ok(())
    }
}

impl Publisher for Sample {
    fn traits(&self) -> PublisherTraits {
        let asked = self.asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let records_max = match self.fault.as_str() {
            "traits-are-constant" => asked + 1,
            "traits-allow-a-record" => 0,
            _ => 10,
        };
        PublisherTraits {
            records_max,
            bytes_max: 100,
            ordering: Ordering::All,
            idempotence: Idempotence::None,
        }
    }

    fn publish(&mut self, records: &[RecordView<'_>], _: PublishContext) -> Result<Vec<RecordResult>> {
        let mut answers: Vec<RecordResult> = records.iter().map(|_| Ok(())).collect();
        if self.has("one-answer-per-record") {
            answers.push(Ok(()));
        }
        if self.has("takes-the-records") && !answers.is_empty() {
            answers[0] = Err(PluginError::permanent("not this one"));
        }
        Ok(answers)
    }

    fn flush(&mut self, _: Duration) -> Result<()> {
        if self.has("flush") { Err(PluginError::retryable("no")) } else { Ok(()) }
    }
}

impl Transport for Sample {
    fn publish(&mut self, _: &str, _: &RecordView<'_>) -> Result<Cursor> {
        if !self.has("cursors-ascend") {
            self.sequence += 1;
        }
        let sequence = if self.has("cursors-count") { 0 } else { self.sequence.max(1) };
        if self.has("publish-waits-for-nobody") {
            std::thread::sleep(GRACE + Duration::from_millis(50));
        }
        Ok(Cursor { epoch: "e".to_owned(), sequence })
    }
}

impl crate::author::Exporter for Sample {
    fn flush(&mut self, timeout: Duration) -> Result<()> {
        Publisher::flush(self, timeout)
    }
}

fn setup(fault: &str) -> Setup {
    let config = serde_json::json!({ "fault": fault });
    Setup {
        patience: Duration::from_millis(300),
        // In memory everything comes again.
        survives_restart: true,
        ..Setup::new(config, &PathBuf::from("."))
    }
}

/// Guards against false alarms, and that every rule is really tried.
#[test]
fn a_sound_component_is_clean() {
    for (report, rules) in [
        (connector::<Sample>(&setup("")), 30),
        (publisher::<Sample>(&setup("")), 20),
        (transport::<Sample>(&setup("")), 15),
        (exporter::<Sample>(&setup("")), 13),
    ] {
        report.assert_clean();
        assert!(report.rules.len() >= rules, "{} rules: {:?}", report.rules.len(), report.rules);
    }
}

fn assert_found(report: &Report, rule: &str) {
    assert!(report.findings.iter().any(|finding| finding.rule == rule), "{rule} was not found: {report}");
}

/// Guards that the checker can fail: each fault of a connector is found under its rule.
#[test]
fn faults_of_connectors_are_found() {
    for rule in [
        "open",
        "check",
        "endpoints-without-credentials",
        "close-twice",
        "pause-holds",
        "limits-bytes",
        "limits-records",
        "outstanding-once",
        "tokens-differ",
        "record-ids",
        "settle-unknown",
        "settle-once",
        "no-panic",
        "errors-explain",
        "settle-counts",
        "nack-comes-again",
        "position-unknown",
        "position-size",
    ] {
        assert_found(&connector::<Sample>(&setup(rule)), rule);
    }
}

/// Guards the same for the kinds that send.
#[test]
fn faults_of_publishers_and_transports_are_found() {
    for rule in [
        "traits-are-constant",
        "traits-allow-a-record",
        "one-answer-per-record",
        "takes-the-records",
        "flush",
    ] {
        assert_found(&publisher::<Sample>(&setup(rule)), rule);
    }
    for rule in ["cursors-ascend", "cursors-count", "publish-waits-for-nobody"] {
        assert_found(&transport::<Sample>(&setup(rule)), rule);
    }
    assert_found(&exporter::<Sample>(&setup("flush")), "flush");
}

/// Guards the rules about configurations with one that breaks both.
#[test]
fn lax_configurations_are_found() {
    #[derive(serde::Deserialize, schemars::JsonSchema)]
    struct Lax {
        #[serde(default)]
        #[expect(dead_code, reason = "only its schema is looked at")]
        undocumented: u32,
    }
    struct Silent;
    impl Component for Silent {
        type Config = Lax;
        fn create(_: Lax, _: Host) -> Result<Self> {
            Ok(Self)
        }
        fn open(&mut self) -> Result<()> {
            Ok(())
        }
        fn check(&mut self) -> Result<()> {
            Ok(())
        }
        fn close(&mut self) -> Result<()> {
            Ok(())
        }
    }
    impl crate::author::Exporter for Silent {}
    let report = exporter::<Silent>(&Setup::new(serde_json::json!({}), &PathBuf::from(".")));
    assert_found(&report, "config-refuses-unknown");
    assert_found(&report, "config-is-documented");
}
