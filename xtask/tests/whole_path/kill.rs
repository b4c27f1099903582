//! `kill -9` in the middle. Whatever the moment, a restart brings every request to the output, and what
//! was written stays whole.

use std::time::{Duration, Instant};

use super::results::{self, text};
use super::site::Site;

const REQUESTS: u64 = 24;
/// The other records of the examples: fields and rows of the sweep.
const OTHERS: usize = 9;

/// Guards "at least once": killed after k results and restarted, no request is lost, no line is cut,
/// and what came twice came as the same bytes under the same id. The moments are spread from "before
/// the first result" to "almost done"; the last site is killed three times.
#[test]
fn a_killed_demo_loses_nothing() {
    for moments in [&[0][..], &[1], &[6], &[13], &[20], &[28], &[3, 11, 22]] {
        let site = Site::of_small_requests(REQUESTS);
        let mut kills = 0;
        for results_before in moments {
            let mut running = site.start("demo.toml", &[]);
            let deadline = Instant::now() + Duration::from_secs(60);
            while results::count_of_lines(&site.out(), "results") < *results_before {
                assert!(!running.has_ended(), "ended before {results_before} results:\n{}", running.read());
                assert!(Instant::now() < deadline, "no {results_before} results:\n{}", running.read());
                std::thread::sleep(Duration::from_millis(1));
            }
            kills += usize::from(!running.has_ended());
            running.kill();
        }
        assert_eq!(kills, moments.len(), "each kill hit a running program");
        let output = site.run("demo.toml");

        let results = results::lines(&site.out(), "results");
        let requests = results::requests(&results);
        assert_eq!(requests.len(), usize::try_from(REQUESTS).unwrap() + OTHERS, "{moments:?}:\n{output}");
        assert_eq!(results::by_id(&results).len(), requests.len(), "one id for each request");
        let rejected = results::lines(&site.out(), "rejected");
        assert!(!rejected.is_empty(), "{moments:?}: the broken request was lost");
        assert!(rejected.iter().all(|letter| text(letter, "id").contains("broken")), "{rejected:?}");
        // At least once is not "everything again": a batch holds four, and each source has one.
        let again = results.len() - requests.len();
        assert!(again <= 12 * kills, "{moments:?}: {again} results came twice");
    }
}

/// Guards files of their own: after a kill there is no half file, and none is missing.
#[test]
fn a_killed_run_leaves_no_half_file() {
    for results_before in [1, 3] {
        let site = Site::of_small_requests(1);
        let directory = site.out().join("elsewhere");
        let mut running = site.start("elsewhere.toml", &[]);
        let deadline = Instant::now() + Duration::from_secs(60);
        while results::files(&directory, "sweep-").len() < results_before && !running.has_ended() {
            assert!(Instant::now() < deadline, "no results:\n{}", running.read());
            std::thread::sleep(Duration::from_millis(1));
        }
        running.kill();
        let read = || -> Vec<serde_json::Value> {
            let files = results::files(&directory, "sweep-");
            let text = files.iter().map(|file| std::fs::read_to_string(file).expect("text"));
            text.map(|text| serde_json::from_str(&text).expect("a whole document")).collect()
        };
        assert!(read().len() >= results_before);
        site.run("elsewhere.toml");
        assert_eq!(results::by_id(&read()).len(), 6, "every row of the sweep");
        assert!(results::files(&directory, ".").is_empty(), "no temporary file is left");
    }
}
