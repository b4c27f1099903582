//! Records and bytes per second of routes through the real pipeline with the real plugins as loaded libraries.
//!
//! `cargo xtask bench --delivery` builds the plugins and runs this program. Its parts, of which arguments choose:
//!
//! - `file`: file to file;
//! - `webhook`: file to webhook, and batches of 500 against single requests, a plain reqwest loop (the bound) and the way of
//!   MFN v4.1 (one request for each record, one after another, a new task each);
//! - `kafka`: Kafka to Kafka on librdkafka's mock cluster, and publishing against a plain producer loop (the bound);
//! - `durability`: what `spooled` and `accepted` cost over `delivered`;
//! - `latency`: from the moment a record is due until it is settled, at half of the rate that the route can do;
//! - `cost`: what the runtime itself spends on a record, against a plain loop over the same connector and publisher.
//!
//! Receiver and cluster are processes of their own, so CPU time is that of the pipeline. What must hold is printed with a
//! verdict. `--quick` has fewer records and one round; `--size BYTES` has records of this size alone; `--plugins DIR` takes the plugins from there;
//! `--out FILE` keeps what was measured.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a bench fails by panicking")]

#[macro_use]
#[path = "../../core/runtime/tests/pipeline/base.rs"]
mod base;
mod memory;
mod parts;
mod peers;
mod programs;
#[path = "../../plugins/http/benches/webhook/receiver.rs"]
#[allow(dead_code, reason = "the webhook bench also asks it what came")]
mod receiver;
mod route;
mod server;

use std::path::PathBuf;

use mfn_benches::report::Report;

use parts::Parts;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (mut plugins, mut out, mut chosen, mut sizes) = (None, None, Vec::new(), Vec::new());
    let (mut quick, mut bench) = (false, false);
    while let Some(argument) = arguments.next() {
        match &*argument {
            server::SERVE => return server::serve(&arguments.next().unwrap()),
            "--plugins" => plugins = arguments.next().map(PathBuf::from),
            "--out" => out = arguments.next().map(PathBuf::from),
            "--quick" => quick = true,
            "--size" => sizes.extend(arguments.next().map(|size| size.parse::<usize>().unwrap())),
            "--bench" => bench = true,
            name if parts::NAMES.contains(&name) => chosen.push(argument),
            other => panic!("`{other}` is no part: choose of {}", parts::NAMES.join(", ")),
        }
    }
    // As a test there is nothing to measure, and the plugins may not be built.
    if !bench && plugins.is_none() {
        println!("run it with `cargo xtask bench --delivery`");
        return;
    }
    let parts = Parts::new(&plugins.unwrap_or_else(route::built_plugins), &sizes, quick);
    let mut report = Report::default();
    let is_chosen = |name: &str| chosen.is_empty() || chosen.iter().any(|it| it == name);
    for name in parts::NAMES.into_iter().filter(|name| is_chosen(name)) {
        println!("\n{name}");
        parts.run(name, &mut report);
    }
    if let Some(out) = out {
        report.write(&out).unwrap();
    }
}
