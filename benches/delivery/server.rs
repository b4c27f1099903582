//! The other side, in a process of its own: a receiver of webhooks and a mock cluster of Kafka brokers.
//!
//! Its own process, so that CPU time per record is what the pipeline spends and not what the other side does. The process
//! is this program again; it says its address and ends when its standard input does.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

use super::receiver::Receiver;

/// The argument that makes this program the other side.
pub(crate) const SERVE: &str = "--serve";
/// Topics that a cluster has: a run takes the next pair.
pub(crate) const TOPICS: usize = 48;
/// Partitions of a topic. A mock partition keeps its last 5 MiB and drops what is older.
pub(crate) const PARTITIONS: i32 = 16;

/// A process that serves.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
}

impl Server {
    /// Starts a server of a kind, `webhook` or `kafka`.
    pub(crate) fn start(kind: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([SERVE, kind])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        assert!(!address.trim().is_empty(), "the {kind} server did not start");
        Self { child, address: address.trim().to_owned() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Serves until standard input ends.
pub(crate) fn serve(kind: &str) {
    let wait = || drop(std::io::stdin().read_to_end(&mut Vec::new()));
    if kind == "webhook" {
        let receiver = Receiver::start();
        println!("{}", receiver.url());
        wait();
    } else {
        let cluster: MockCluster<'_, DefaultProducerContext> = MockCluster::new(1).unwrap();
        for number in 0..TOPICS {
            cluster.create_topic(&format!("t{number}"), PARTITIONS, 1).unwrap();
        }
        println!("{}", cluster.bootstrap_servers());
        wait();
    }
}
