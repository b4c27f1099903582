//! Programs that take their turns, and the table of what they took.

use mfn_benches::report::{Report, Row};

use super::route::Spent;

/// A route or a loop that can be run again.
pub(crate) struct Program<'a> {
    pub(crate) name: String,
    pub(crate) run: Box<dyn FnMut() -> Spent + 'a>,
}

impl<'a> Program<'a> {
    pub(crate) fn new(name: &str, run: impl FnMut() -> Spent + 'a) -> Self {
        Self { name: name.to_owned(), run: Box::new(run) }
    }
}

/// What a program took at its best, because other programs of a machine only ever slow one down.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Best {
    /// Records per second.
    pub(crate) rate: f64,
    /// CPU time of a record, microseconds.
    pub(crate) cpu_us: f64,
}

/// A part of the bench with its table.
pub(crate) struct Table<'a> {
    pub(crate) part: &'a str,
    pub(crate) rounds: usize,
    pub(crate) report: &'a mut Report,
}

impl Table<'_> {
    /// Prints the head.
    pub(crate) fn print_head() {
        println!(
            "{:<34} {:>7} {:>12} {:>10} {:>14}",
            "program", "bytes", "records/s", "MB/s", "CPU us/record"
        );
    }

    /// Runs the programs in turns, prints a row for each and gives what they took.
    pub(crate) fn in_turns(&mut self, bytes: usize, programs: &mut [Program<'_>]) -> Vec<Best> {
        let mut bests = vec![Best { rate: 0.0, cpu_us: f64::INFINITY }; programs.len()];
        for _ in 0..self.rounds {
            for (program, best) in programs.iter_mut().zip(&mut bests) {
                let spent = (program.run)();
                best.rate = best.rate.max(spent.rate());
                best.cpu_us = best.cpu_us.min(spent.cpu_us());
            }
        }
        for (Program { name, .. }, &Best { rate, cpu_us }) in programs.iter().zip(&bests) {
            let mb = rate * bytes as f64 / 1e6;
            println!("{name:<34} {bytes:>7} {rate:>12.0} {mb:>10.1} {cpu_us:>14.2}");
            let (part, program) = (self.part.to_owned(), name.clone());
            self.report.row(Row { part, program, bytes, records_per_s: rate, cpu_us: Some(cpu_us) });
        }
        bests
    }
}
