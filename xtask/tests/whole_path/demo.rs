//! The demo as a newcomer runs it, and the same program with another configuration.

use std::collections::BTreeSet;

use super::results::{self, text};
use super::site::{STAGE, Site, alone};

/// Requests of examples/data that can be done, and that can not.
const FIELDS: usize = 3;
const SWEEP: usize = 6;
const REQUESTS: usize = 14;
const BROKEN: [(&str, &str); 2] = [("15-broken-alpha", "alpha"), ("16-truncated", "EOF")];

/// Guards the whole way: every request of examples/data comes out once, each as one complete line with
/// its features; the broken ones are dead-lettered with their reason and their bytes; the table has a
/// row for each; the picture is a PNG. A run that has nothing left to do delivers nothing again.
#[test]
fn the_demo_delivers_every_request_and_names_every_refusal() {
    let _alone = alone();
    let site = Site::of_examples();
    let output = site.run("demo.toml");

    let results = results::lines(&site.out(), "results");
    assert_eq!(results.len(), REQUESTS + FIELDS + SWEEP, "{output}");
    assert_eq!(results::requests(&results).len(), results.len(), "each request came out once");
    assert_eq!(results::by_id(&results).len(), results.len(), "each result has an id of its own");
    for result in &results {
        assert_eq!(result["features"].as_object().map(|f| f.len()), Some(18), "{result}");
    }
    let kinds = results.iter().filter(|result| result["kind"] == "field").count();
    assert_eq!(kinds, FIELDS, "the host's own fields were analysed");
    let d_box = |name: &str| {
        let result = results.iter().find(|r| text(r, "request").contains(name)).expect(name);
        result["features"]["D_box"].as_f64().expect("a number")
    };
    assert!((1.4..1.9).contains(&d_box("01-default")), "{}", d_box("01-default"));
    assert!((d_box("gasket") - 3.0_f64.log2()).abs() < 0.01, "log 3 / log 2: {}", d_box("gasket"));

    let rejected = results::lines(&site.out(), "rejected");
    assert_eq!(rejected.len(), BROKEN.len(), "{rejected:?}");
    for (name, reason) in BROKEN {
        let letter = rejected.iter().find(|letter| text(letter, "id").contains(name)).expect(name);
        assert!(text(&letter["headers"], "mfn-reason").contains(reason), "{letter}");
        let bytes = std::fs::read_to_string(site.path(format!("examples/data/requests/{name}.json")));
        let original = bytes.expect("the request is still there");
        let is_same = letter["payload_text"].as_str().is_some_and(|text| text == original)
            || serde_json::from_str(&original)
                .is_ok_and(|value: serde_json::Value| value == letter["payload"]);
        assert!(is_same, "the dead letter is the original: {letter}");
        let row = output.lines().find(|line| line.contains(name) && line.contains("dead")).expect("a row");
        assert!(row.contains(reason) || output.contains(reason), "{output}");
    }
    for result in &results {
        let request = text(result, "request");
        assert!(output.contains(&request), "the table has a row for {request}:\n{output}");
    }

    let is_png = |word: &&str| word.ends_with(".png");
    let picture = output.split_whitespace().rev().find(is_png).expect("the picture is named");
    let bytes = std::fs::read(site.path(picture)).expect("the picture is there");
    assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n") && bytes.len() > 1000, "a PNG");
    assert!(output.contains("curl "), "the lines for curl are shown:\n{output}");

    site.run("demo.toml");
    assert_eq!(results::lines(&site.out(), "results").len(), results.len(), "what is settled stays settled");
}

/// Guards that the same bytes of the program publish elsewhere when told so by another file.
#[test]
fn another_configuration_publishes_elsewhere() {
    let site = Site::of_examples();
    let program = || std::fs::read(STAGE.join("bin/pipeline")).expect("the program");
    let before = program();
    site.run("elsewhere.toml");
    assert!(program() == before, "the program was not rebuilt");

    let files = results::files(&site.out().join("elsewhere"), "sweep-");
    assert_eq!(files.len(), SWEEP, "one file for each result: {files:?}");
    let mut seeds = BTreeSet::new();
    for file in &files {
        let text = std::fs::read_to_string(file).expect("text");
        let result: serde_json::Value = serde_json::from_str(&text).expect("one JSON document");
        seeds.insert(result["spec"]["random_seed"].as_u64().expect("a seed"));
    }
    assert_eq!(seeds, (1..=6).collect(), "every row of the sweep, once");
    assert!(results::files(&site.out(), "results").is_empty(), "nothing went where the demo publishes");
}
