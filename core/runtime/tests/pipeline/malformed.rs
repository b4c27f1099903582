//! A thousand malformed requests, fields and configurations from a seeded generator: each gives a
//! typed error within a second, none panics, and none loses its neighbours.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mfn_plugin::value::{Record, Verdict};
use mfn_runtime::codec;
use mfn_runtime::{OutcomeStatus, PipelineConfig, PipelineState, npy};

use crate::scripted::*;

/// The most time for one refusal.
const TIME_MAX: Duration = Duration::from_secs(1);

/// Random numbers from a seed (SplitMix64; G. Steele, D. Lea, C. Flood, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len())]
    }
}

const SPEC: &str = r#"{"grid_size":8,"steps":4,"random_seed":7,"alpha":0.18,"boundary_condition":"neumann","turing_enabled":true}"#;
const SWEEP: &str = "grid_size,steps,alpha,boundary_condition\n8,4,0.18,neumann\n";
const FIELDS: [&str; 4] = ["grid_size", "steps", "alpha", "random_seed"];
/// Values that no field of a specification takes.
const BAD_VALUES: [&str; 16] = [
    "null",
    "[]",
    "{}",
    "\"x\"",
    "-1",
    "1e999",
    "-1e999",
    "1e308",
    "99999999999999999999",
    "NaN",
    "Infinity",
    "-0.5",
    "[[[[[[1]]]]]]",
    "\"\\ud800\"",
    "0x10",
    "1_000",
];

/// A malformed request as JSON.
fn bad_json(random: &mut Random) -> Vec<u8> {
    let field = random.pick(&FIELDS);
    let value = random.pick(&BAD_VALUES);
    match random.below(9) {
        0 => SPEC.as_bytes()[..random.below(SPEC.len())].to_vec(),
        1 => format!("{{\"{field}\":{value}}}").into_bytes(),
        2 => format!("{{\"{field}\":3,\"{field}\":4}}").into_bytes(),
        3 => format!("{{\"{field}{}\":1}}", random.next()).into_bytes(),
        4 => {
            let depth = 1 + random.below(100_000);
            format!("{{\"{field}\":{}", random.pick(&["[", "{\"a\":"]).repeat(depth)).into_bytes()
        }
        5 => {
            let mut bytes = SPEC.as_bytes().to_vec();
            let at = random.below(bytes.len());
            bytes[at] = 0x80 | (random.next() as u8);
            bytes
        }
        6 => format!("{SPEC}{}", random.pick(&["x", "{}", "]", ",", "\0"])).into_bytes(),
        7 => format!("{{\"{field}\":\"{}\"}}", "x".repeat(random.below(100_000))).into_bytes(),
        _ => (0..random.below(200)).map(|_| random.next() as u8 | 0x80).collect(),
    }
}

/// A malformed line of a sweep.
fn bad_csv(random: &mut Random) -> Vec<u8> {
    let value = random.pick(&["x", "-1", "nan", "inf", "1e999", "9999999999999999999999", "true", "8 8"]);
    match random.below(6) {
        0 => SWEEP.as_bytes()[..random.below(SWEEP.find('\n').unwrap())].to_vec(),
        1 => format!("{}\n{value}\n", random.pick(&FIELDS)).into_bytes(),
        2 => format!("grid_size\n8{}\n", ",1".repeat(1 + random.below(50_000))).into_bytes(),
        3 => format!("{SWEEP}8,4,0.1,neumann\n").into_bytes(),
        4 => format!("grid_size,{}\n8,1\n", "y".repeat(1 + random.below(1000))).into_bytes(),
        _ => {
            let mut bytes = SWEEP.as_bytes().to_vec();
            let at = random.below(bytes.len() - 1);
            bytes[at] = 0xff;
            bytes
        }
    }
}

/// A malformed field.
fn bad_npy(random: &mut Random) -> Vec<u8> {
    let good = npy::encode(ndarray::Array2::from_elem((8, 8), -0.07).view());
    let shape = |text: String| {
        let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {text}, }}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend_from_slice(&(header.len() as u16).to_le_bytes());
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(&[0; 512]);
        bytes
    };
    match random.below(8) {
        0 => good[..random.below(good.len())].to_vec(),
        1 => shape(format!("({}, {})", random.next(), random.next())),
        2 => shape(format!("({}, 8)", 9 + random.below(1000))),
        3 => {
            shape(random.pick(&["(64,)", "(4, 4, 4)", "()", "(-8, 8)", "(8, 8", "((8, 8))", "8"]).to_owned())
        }
        // Half a row more than there are bytes.
        4 => shape("(4, 17)".into()),
        5 => {
            let mut bytes = good;
            let at = bytes.len() - 8 * (1 + random.below(64));
            let value = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY][random.below(3)];
            bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
            bytes
        }
        6 => {
            let mut bytes = good;
            bytes[random.below(8)] ^= 1 << random.below(8);
            bytes[8] ^= 0x80;
            bytes
        }
        _ => {
            let mut bytes = good;
            bytes.extend(std::iter::repeat_n(0, 1 + random.below(100)));
            bytes
        }
    }
}

fn bad_record(random: &mut Random, id: String) -> Record {
    match random.below(7) {
        0 | 1 => request(&id, codec::JSON, bad_json(random)),
        2 | 3 => request(&id, codec::CSV, bad_csv(random)),
        4 | 5 => request(&id, codec::NPY, bad_npy(random)),
        _ => {
            let unknown = random.pick(&["", "text/html", "application/jsonx", "\u{0}", "application/x-npz"]);
            request(&id, unknown, SPEC)
        }
    }
}

// Guards every decoder by itself: an error that says something, in time, for each of 1,000 inputs.
#[test]
fn a_thousand_malformed_records_give_typed_errors() {
    let mut random = Random(2026);
    for n in 0..1000 {
        let record = bad_record(&mut random, format!("bad{n}"));
        let start = Instant::now();
        let error = match codec::decode(&record.content_type, &record.payload) {
            Err(error) => error.to_string(),
            // A field that is not square can be read; what can not be had are its features.
            Ok(codec::Observation::Field(field)) if field.nrows() != field.ncols() => "shape".into(),
            Ok(observation) => {
                panic!("{n}: {:?} gave {observation:?}", String::from_utf8_lossy(&record.payload))
            }
        };
        assert!(!error.is_empty());
        assert!(start.elapsed() < TIME_MAX, "{n}: {:?} for {} bytes", start.elapsed(), record.payload.len());
    }
}

// Guards the neighbours: between 1,000 malformed requests lie 250 good ones, in the same batches; all
// good ones are delivered and acknowledged, all others are dead letters with a reason and their own
// bytes are what the dead-letter publisher has.
#[test]
fn neighbours_of_malformed_requests_are_delivered() {
    let mut random = Random(4711);
    let mut records = Vec::new();
    for n in 0..1000 {
        records.push(bad_record(&mut random, format!("bad{n}")));
        if n % 4 == 0 {
            records.push(spec(&format!("good{n}")));
        }
    }
    let mut bench = Bench::default();
    bench.connector = Some(Arc::new(ScriptedConnector::new(&bench.journal, "requests", records)));
    bench.publishers = vec![Arc::new(ScriptedPublisher::willing(&bench.journal, "results"))];
    bench.dead_letters = Some(Arc::new(ScriptedPublisher::willing(&bench.journal, "rejected")));
    let pipeline = bench.start();
    assert_eq!(pipeline.wait(Duration::from_secs(60)), PipelineState::Finished);
    let status = pipeline.status();
    assert_conserved(&status);
    assert_eq!((status.delivered, status.dead_lettered, status.nacked), (250, 1000, 0));
    let mut outcomes = 0;
    while let Some(outcome) = pipeline.next_outcome(Duration::ZERO) {
        outcomes += 1;
        let good = outcome.request.starts_with("good");
        assert_eq!(outcome.status == OutcomeStatus::Ok, good, "{outcome:?}");
        assert_eq!(outcome.reason.is_some_and(|reason| !reason.is_empty()), !good);
    }
    assert_eq!(outcomes, 1250);
    assert_eq!(bench.verdicts("good400"), [Verdict::Ack]);
    assert_eq!(bench.published("bad999"), [("rejected".to_owned(), "dead_lettered".to_owned())]);
}

const CONFIG: &str = r#"name = "demo"
[plugins]
files = ["a.so"]
[limits]
bytes_in_flight_max = 67108864
threads = 2
[connectors.requests]
plugin = "file"
[connectors.requests.config]
directory = "data"
[publishers.results]
plugin = "file"
[transports.live]
plugin = "sse"
[[routes]]
name = "simulate"
connectors = ["requests"]
publishers = ["results"]
transports = ["live"]
topic = "snapshots"
batch_records_max = 16
[routes.output]
field = false
"#;

/// A malformed configuration as TOML.
fn bad_config(random: &mut Random) -> String {
    let lines: Vec<&str> = CONFIG.lines().collect();
    let with_line = |at: usize, line: &str| {
        let mut lines = lines.clone();
        lines[at] = line;
        lines.join("\n")
    };
    match random.below(8) {
        // Ends in the middle of a line that means nothing then.
        0 => {
            let ends: Vec<usize> = CONFIG.match_indices(['"', '=', '[']).map(|(at, _)| at).collect();
            format!("{}[", &CONFIG[..=ends[random.below(ends.len())]])
        }
        1 => {
            let values =
                ["nan", "inf", "-1", "1e400", "\"x\"", "[1]", "{a=1}", "1979-05-27", "99999999999999999999"];
            format!("{}\nlimits.threads2 = {}", lines[0], random.pick(&values))
        }
        2 => with_line(
            4,
            &format!("bytes_in_flight_max = {}", random.pick(&["0", "-5", "nan", "[]", "9e18", "\"64\""])),
        ),
        3 => with_line(17, &format!("connectors = [\"x{}\"]", random.next())),
        4 => with_line(14, &format!("x = {}1{}", "[".repeat(1 + random.below(50_000)), "]")),
        5 => with_line(0, &format!("{} = 1", "a.".repeat(1 + random.below(100_000)) + "a")),
        6 => with_line(9, &format!("x{} = {}", random.below(9), "{a=".repeat(random.below(50_000) + 1))),
        _ => with_line(16, &format!("name = \"{}\"", "n ".repeat(random.below(100_000) + 1))),
    }
}

// Guards the configuration: each of 1,000 malformed documents gives faults with something to do about
// them, in time, in TOML and (where it has that form) in JSON.
#[test]
fn a_thousand_malformed_configurations_give_faults() {
    assert!(PipelineConfig::from_toml(CONFIG, Path::new(".")).is_ok());
    let mut random = Random(1952);
    for n in 0..1000 {
        let text = bad_config(&mut random);
        let start = Instant::now();
        let json = n % 3 == 0;
        let result = if json {
            PipelineConfig::from_json(&String::from_utf8_lossy(&bad_json(&mut random)), Path::new("."))
        } else {
            PipelineConfig::from_toml(&text, Path::new("."))
        };
        let error = result.expect_err(&text);
        assert!(start.elapsed() < TIME_MAX, "{n}: {:?} for {} bytes", start.elapsed(), text.len());
        assert!(!error.faults.is_empty());
        for fault in &error.faults {
            assert!(!fault.message.is_empty() && !fault.fix.is_empty());
            assert!(fault.to_string().len() < 20_000, "{} bytes in one fault", fault.to_string().len());
        }
    }
}
