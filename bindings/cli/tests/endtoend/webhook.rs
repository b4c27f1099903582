//! From an HTTP feed to a webhook, with `kill -9` in the middle.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use serde_json::json;

use crate::{
    Site, eventually,
    server::{Server, answer, ok},
};

const PAGES: usize = 40;
const ITEMS: usize = 50;

fn item(number: usize) -> serde_json::Value {
    json!({ "id": number, "text": format!("{:x>200}", number * 7919) })
}

fn pipeline(feed: &str, hook: &str, durability: &str) -> String {
    format!(
        r#"
name = "webhook"
[plugins]
directories = ["plugins"]
[connectors.feed]
plugin = "http"
[connectors.feed.config]
url = "{feed}"
id = ["/id"]
pagination = {{ by = "page", query = "page" }}
at_end = "end"
allow_private_addresses = true
[publishers.hook]
plugin = "http"
[publishers.hook.config]
url = "{hook}"
secrets = ["whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="]
allow_private_addresses = true
[publishers.hook.delivery]
retry = {{ initial_ms = 20, cap_ms = 200 }}
batch = {{ records_max = 20 }}
[[routes]]
name = "through"
work = "forward"
connectors = ["feed"]
publishers = ["hook"]
batch_records_max = 50
durability = "{durability}"
"#
    )
}

/// Guards the whole way over HTTP with each durability that promises something: killed twice at work, and with answers that
/// are lost after the receiver has the record, every item of the feed arrives; what comes twice has the same id and bytes.
#[test]
fn a_killed_run_delivers_every_item() {
    for durability in ["delivered", "spooled"] {
        let taken: Arc<Mutex<BTreeMap<String, Vec<Vec<u8>>>>> = Arc::default();
        let feed = Server::start(|seen| {
            // What asks for no page is the look whether the feed is there.
            let Some(page) = seen.query("page").map(|page| page.parse::<usize>().unwrap()) else {
                return ok("[]");
            };
            let first = (page - 1) * ITEMS;
            let items: Vec<_> = (first..first + ITEMS).filter(|n| *n < PAGES * ITEMS).map(item).collect();
            ok(json!(items).to_string())
        });
        let kept = Arc::clone(&taken);
        let hook = Server::start(move |seen| {
            // What has no id is the look whether the receiver is there.
            let Some(id) = seen.header("webhook-id").map(str::to_owned) else { return answer(204, &[], "") };
            assert!(seen.header("webhook-signature").is_some_and(|value| value.starts_with("v1,")));
            kept.lock().unwrap().entry(id).or_default().push(seen.body.clone());
            if seen.number % 100 == 99 { crate::server::Act::Close } else { answer(204, &[], "") }
        });
        let site = Site::new(&["http"], &pipeline(&feed.url("/feed"), &hook.url("/hook"), durability));
        let count = || taken.lock().unwrap().len();
        let mut struck = 0;
        for until in [PAGES * ITEMS / 5, PAGES * ITEMS / 2] {
            let mut run = site.start("");
            eventually("a part is delivered", || count() > until);
            struck += run.kill();
            assert!(count() < PAGES * ITEMS, "{durability}: all was done before the kill");
        }
        assert_eq!(struck, 2);
        site.start("").finish();
        let taken = taken.lock().unwrap();
        let lost = (0..PAGES * ITEMS).filter(|n| !taken.contains_key(&format!("feed/{n}"))).count();
        assert_eq!((lost, taken.len()), (0, PAGES * ITEMS), "{durability}");
        for (id, bodies) in taken.iter() {
            let number: usize = id.trim_start_matches("feed/").parse().unwrap();
            let wanted = item(number);
            assert!(
                bodies
                    .iter()
                    .all(|body| serde_json::from_slice::<serde_json::Value>(body).unwrap() == wanted
                        && *body == bodies[0]),
                "{durability}: {id} has other bytes"
            );
        }
        let again: usize = taken.values().map(|bodies| bodies.len() - 1).sum();
        println!("{durability}: {} items, 2 kills, {again} came again, lost {lost}", taken.len());
    }
}
