//! Answers requests to time a program, one line each, so that a script can time programs of this crate and of other
//! languages in turns. Tab-separated:
//!
//! - `time NAME SIDE MS`: times the program for about so many milliseconds; answers `cpu wall work`: seconds of CPU
//!   time and of time passed for one unit of work, and what a unit is, in cells, bytes or runs; or `none REASON`.
//! - `drop`: forgets the programs made so far.
//! - `field SIDE FILE`: writes the field that features are measured on, as doubles of this machine, row by row.
//! - `levels`: answers the levels of vector registers of this machine.
#![allow(clippy::print_stdout)]

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::time::Duration;

use mfn_benches::clock::{time, units_for};
use mfn_benches::fields::patchy;
use mfn_benches::subjects::{Subject, subject};
use mfn_sim::SimdLevel;

/// A program, and how many of its units fill the time asked for.
struct Prepared {
    subject: Subject,
    units: u64,
}

/// The programs made so far by name, side and milliseconds.
type Programs = HashMap<(String, usize, u64), Prepared>;

fn main() -> std::io::Result<()> {
    let mut programs = Programs::new();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let parts: Vec<&str> = line.split('\t').collect();
        let answer = match parts.as_slice() {
            ["time", name, side, ms] => match (side.parse(), ms.parse()) {
                (Ok(side), Ok(ms)) => timed(&mut programs, name, side, ms),
                _ => String::from("none SIDE and MS are whole numbers"),
            },
            ["drop"] => {
                programs.clear();
                String::from("dropped")
            }
            ["levels"] => {
                SimdLevel::available().iter().map(|level| level.name()).collect::<Vec<_>>().join(" ")
            }
            ["field", side, path] => match side.parse::<usize>() {
                Ok(side) => {
                    let bytes: Vec<u8> = patchy(side).iter().flat_map(|value| value.to_ne_bytes()).collect();
                    match std::fs::write(path, bytes) {
                        Ok(()) => String::from("written"),
                        Err(error) => format!("none {path}: {error}"),
                    }
                }
                Err(error) => format!("none {error}"),
            },
            _ => format!("none unknown request {line:?}"),
        };
        println!("{answer}");
        std::io::stdout().flush()?;
    }
    Ok(())
}

fn timed(programs: &mut Programs, name: &str, side: usize, ms: u64) -> String {
    let key = (name.to_owned(), side, ms);
    if !programs.contains_key(&key) {
        let Some(mut subject) = subject(name, side) else {
            return format!("none {name:?} can not run on this machine");
        };
        let units = units_for(&mut subject.run, subject.units_min, Duration::from_millis(ms));
        programs.insert(key.clone(), Prepared { subject, units });
    }
    let Some(prepared) = programs.get_mut(&key) else { return String::from("none") };
    let times = time(&mut prepared.subject.run, prepared.units);
    format!("{:e} {:e} {}", times.cpu, times.wall, prepared.subject.work_per_unit)
}
